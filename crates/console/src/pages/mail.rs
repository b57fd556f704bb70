//! `/mail`: the mails of a local installation; `/mail/{id}`: one of them. On AWS mail is really sent and kept nowhere.
//!
//! A mail is shown as text. Its HTML is shown as its source, never rendered: whoever writes a mail must not write this
//! page.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;
use jiff::Timestamp;
use maud::{Markup, html};
use operate::{OperateError, when};
use serde::Deserialize;

use crate::app::{App, Place};
use crate::error::PageError;
use crate::layout::{Page, Tab, empty};
use crate::redact;

/// Mails that are listed.
const SHOWN: usize = 200;
/// Longest body that is shown, in characters.
const LONGEST: usize = 100_000;
/// How long the endpoint may take.
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/mail", get(all))
        .route("/mail/{id}", get(one))
}

/// What `GET /_restock/mail` answers.
#[derive(Debug, Deserialize)]
struct Outbox {
    mail: Vec<Mail>,
}

#[derive(Debug, Deserialize)]
struct Mail {
    id: String,
    at: String,
    from: String,
    to: Vec<String>,
    #[serde(default)]
    cc: Vec<String>,
    subject: String,
    text: Option<String>,
    html: Option<String>,
}

/// The latest mails, newest first; `None` where the endpoint keeps none.
async fn read(app: &App) -> Result<Option<Vec<Mail>>, PageError> {
    let Place::Endpoint(url) = &app.place else {
        return Ok(None);
    };
    let url = format!("{}/_restock/mail?limit={SHOWN}", url.trim_end_matches('/'));
    let unreachable = |error: reqwest::Error| {
        PageError::from(OperateError::Unreachable {
            what: "read the outbox".to_owned(),
            why: error.without_url().to_string(),
        })
    };
    let answer = reqwest::Client::new()
        .get(url)
        .timeout(PATIENCE)
        .send()
        .await
        .map_err(unreachable)?;
    if !answer.status().is_success() {
        return Ok(None);
    }
    // Another endpoint may answer anything at all here.
    Ok(answer.json::<Outbox>().await.ok().map(|outbox| outbox.mail))
}

async fn all(State(app): State<Arc<App>>) -> Result<Markup, PageError> {
    let mails = read(&app).await?;
    let body = html! {
        div .head { h1 { "Mail" } }
        div .card { (list(&app, mails.as_deref())) }
    };
    Ok(Page::new("Mail", Tab::Mail).render(&app, body))
}

fn list(app: &App, mails: Option<&[Mail]>) -> Markup {
    match mails {
        None if app.is_aws() => empty(
            "Mail is not kept on AWS",
            html! { "SES sends it. What became of it is in SES's own console and metrics." },
        ),
        None => empty(
            "This endpoint keeps no mail",
            html! { "Only " code { "restock up" } " has an outbox to look into." },
        ),
        Some([]) => empty(
            "No mail was sent yet",
            html! { "Buy more than there is in stock: the advertising manager is told to stop the ads." },
        ),
        Some(mails) => html! {
            div .scroll {
                table .records {
                    caption { "Newest first; nobody got them, they stay on this machine" }
                    thead { tr { th scope="col" { "When" } th scope="col" { "To" } th scope="col" { "Subject" } } }
                    tbody {
                        @for mail in mails {
                            tr data-row {
                                td data-name="When" { (time(&mail.at)) }
                                td data-name="To" { (mail.to.join(", ")) }
                                td .wide { a href={ "/mail/" (mail.id) } { (subject(mail)) } }
                            }
                        }
                    }
                }
            }
        },
    }
}

async fn one(State(app): State<Arc<App>>, Path(id): Path<String>) -> Result<Markup, PageError> {
    let mails = read(&app).await?.unwrap_or_default();
    let mail = mails.iter().find(|mail| mail.id == id).ok_or_else(|| {
        PageError::NotFound(format!(
            "no such mail is among the latest {SHOWN}; older ones are .eml files in the data directory"
        ))
    })?;
    let body = html! {
        p .crumb { a href="/mail" { "Mail" } }
        div .head { h1 { (subject(mail)) } }
        dl .facts {
            dt { "From" } dd { (mail.from) }
            dt { "To" } dd { (mail.to.join(", ")) }
            @if !mail.cc.is_empty() { dt { "Copy" } dd { (mail.cc.join(", ")) } }
            dt { "When" } dd { (time(&mail.at)) }
        }
        @if let Some(text) = &mail.text { (part("Text", text)) }
        @if let Some(source) = &mail.html { (part("HTML (its source)", source)) }
        @if mail.text.is_none() && mail.html.is_none() { p { "It has no text that can be shown." } }
    };
    Ok(Page::new(subject(mail), Tab::Mail).render(&app, body))
}

fn part(name: &str, text: &str) -> Markup {
    let shown: String = text.chars().take(LONGEST).collect();
    html! {
        section .payload {
            header { (name) }
            pre .mail tabindex="0" aria-label=(name) { (redact::text(&shown)) }
        }
        @if shown.len() < text.len() { p { "The rest is left out; the .eml file has it." } }
    }
}

fn subject(mail: &Mail) -> &str {
    if mail.subject.trim().is_empty() {
        "(no subject)"
    } else {
        &mail.subject
    }
}

fn time(at: &str) -> Markup {
    html! {
        @match at.parse::<Timestamp>() {
            Ok(time) => { time datetime=(at) { (when::local(time)) } }
            Err(_) => { (at) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_cannot_write_the_page() {
        let html = part("HTML (its source)", "<script>alert(1)</script>").into_string();
        assert!(!html.contains("<script>"), "{html}");
    }
}

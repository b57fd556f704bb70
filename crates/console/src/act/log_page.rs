//! `/audit`: who changed what through this console, and where AWS keeps it.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use maud::{Markup, html};
use operate::diff::pretty;
use operate::timeline::short_name;
use operate::when;

use super::audit::Line;
use crate::app::App;
use crate::error::PageError;
use crate::layout::{Page, Tab, empty, status};
use crate::pages::execution;
use crate::redact;

/// Changes that are shown.
const SHOWN: usize = 200;

pub(crate) fn router() -> Router<Arc<App>> {
    Router::new().route("/audit", get(page))
}

async fn page(State(app): State<Arc<App>>) -> Result<Markup, PageError> {
    let lines = app.act.audit.latest(SHOWN).await.map_err(|error| {
        tracing::error!(%error, "the audit cannot be read");
        PageError::Broken(format!(
            "the audit cannot be read ({error}); changes are refused until it can be written again"
        ))
    })?;
    let body = html! {
        div .head { h1 { "Audit" } }
        (kept(&app))
        div .card {
            @if lines.is_empty() {
                (empty("Nothing was changed through this console yet", html! {
                    "Redrive, stop, start, fork, replay, discard and what is done to dead letters leave a line here, with who and when."
                }))
            } @else {
                div .scroll {
                    table .records {
                        caption { "Newest first" @if lines.len() == SHOWN { ", the latest " (SHOWN) } }
                        thead { tr {
                            th scope="col" { "When" } th scope="col" { "Who" } th scope="col" { "Change" }
                            th scope="col" { "To" } th scope="col" { "Result" } th scope="col" { "With" }
                        } }
                        tbody { @for line in &lines { (row(line)) } }
                    }
                }
            }
        }
    };
    Ok(Page::new("Audit", Tab::Audit).render(&app, body))
}

/// Where the audit is.
fn kept(app: &App) -> Markup {
    html! {
        @if app.is_aws() {
            @let trail = format!(
                "https://{0}.console.aws.amazon.com/cloudtrail/home?region={0}#/events?EventSource=states.amazonaws.com",
                app.region()
            );
            p .notice {
                "AWS keeps its own record of every change, whoever makes it: "
                a href=(trail) rel="noreferrer" { "CloudTrail's events of Step Functions" } "."
            }
        }
        @match app.act.audit.path() {
            Some(path) => { p { "Kept in " code { (path.display()) } "." } }
            None => {
                p .notice {
                    "This console has no data directory: its changes are kept in memory and written to its log only."
                }
            }
        }
    }
}

fn row(line: &Line) -> Markup {
    html! {
        tr data-row {
            td data-name="When" { (when::local(line.at)) }
            td data-name="Who" {
                (line.who.user)
                @if let Some(session) = &line.who.session { span .sub { " login " (session) } }
                @if let Some(address) = &line.who.address { span .sub { " from " (address) } }
            }
            td data-name="Change" { (line.action) }
            td .wide {
                @if line.target.contains(":execution:") {
                    a href=(execution::path(&line.target)) { (short_name(&line.target)) }
                } @else { (short_name(&line.target)) }
            }
            td .wide {
                @match &line.result {
                    Some(result) => { (status(if result.ok { "succeeded" } else { "failed" })) " " (redact::text(&result.said)) }
                    None => { (status("unknown")) " begun; its end was not written" }
                }
            }
            td .wide {
                @if !line.what.is_null() {
                    details { summary { "Details" } pre { (pretty(&redact::value(&line.what))) } }
                }
            }
        }
    }
}

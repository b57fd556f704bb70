//! `/act/redrive`: go on with executions that ended badly, from where they failed.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use maud::{Markup, html};
use operate::change;
use operate::filter::Filter;
use operate::timeline::short_name;

use super::form::{Asked, Csrf, Fields, Query};
use super::work::Work;
use super::{confirm, runs};
use crate::app::App;
use crate::error::PageError;
use crate::layout::{Page, Tab, empty};
use crate::pages::execution;

/// Executions whose side effects the page lists; more would be calls that nobody reads.
const EXPLAINED: usize = 5;

pub(crate) fn router() -> Router<Arc<App>> {
    Router::new().route("/act/redrive", get(page).post(redrive))
}

async fn page(
    State(app): State<Arc<App>>,
    csrf: Csrf,
    Query(fields): Query,
) -> Result<Markup, PageError> {
    let arns = chosen(&app, &fields).await?;
    let title = title(arns.len());
    let body = html! {
        div .head { h1 { (title) } }
        @if arns.is_empty() {
            div .card { (empty("There is nothing to redrive", html! {
                "Executions that failed, timed out or were aborted can be redriven within 14 days. "
                a href="/executions?status=FAILED" { "Failed executions" }
            })) }
        } @else {
            (confirm::place(&app).await?)
            p { "Each goes on from where it failed, with the same definition and the same input. Its retries count from zero." }
            @for arn in arns.iter().take(EXPLAINED) {
                section .card {
                    h2 { a href=(execution::path(arn)) { (short_name(arn)) } }
                    div .body {
                        p { "These tasks run:" }
                        (confirm::effects_or_why(change::redrive_effects(&app.at, arn).await))
                    }
                }
            }
            @if arns.len() > EXPLAINED { p { "and " (arns.len() - EXPLAINED) " more." } }
            form method="post" {
                (csrf.field())
                @for arn in &arns { input type="hidden" name="execution" value=(arn); }
                div .actions {
                    button .primary type="submit" { (title) }
                    a .button href="/executions" { "Do nothing" }
                }
            }
        }
    };
    Ok(Page::new(&title, Tab::Executions).render(&app, body))
}

async fn redrive(State(app): State<Arc<App>>, asked: Asked) -> Result<Response, PageError> {
    let arns: Vec<_> = asked.fields.all("execution").map(str::to_owned).collect();
    if arns.is_empty() {
        return Err(PageError::Invalid("the form names no execution".to_owned()));
    }
    let title = title(arns.len());
    let works = arns.into_iter().map(|arn| Work::Redrive { arn }).collect();
    Ok(runs::begin(&app, asked.who, title, works).await)
}

fn title(count: usize) -> String {
    match count {
        1 => "Redrive the execution".to_owned(),
        n => format!("Redrive {n} executions"),
    }
}

/// The executions that are named, or all that the filter leaves.
async fn chosen(app: &App, fields: &Fields) -> Result<Vec<String>, PageError> {
    if fields.get("all").is_none() {
        return Ok(fields.all("execution").map(str::to_owned).collect());
    }
    let status = fields
        .all("status")
        .filter_map(|word| aws_sdk_sfn::types::ExecutionStatus::try_parse(word).ok())
        .collect();
    let filter = Filter {
        machine: fields.get("machine").map(str::to_owned),
        status,
        ..Filter::default()
    };
    Ok(change::redrivable(&app.at, &filter).await?)
}

//! `/act/stop`: end running executions.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use maud::{Markup, html};
use operate::timeline::short_name;

use super::form::{Asked, Csrf, Query};
use super::work::Work;
use super::{confirm, runs};
use crate::app::App;
use crate::error::PageError;
use crate::layout::{Page, Tab};
use crate::pages::execution;

pub(crate) fn router() -> Router<Arc<App>> {
    Router::new().route("/act/stop", get(page).post(stop))
}

async fn page(
    State(app): State<Arc<App>>,
    csrf: Csrf,
    Query(fields): Query,
) -> Result<Markup, PageError> {
    let arns: Vec<_> = fields.all("execution").collect();
    if arns.is_empty() {
        return Err(PageError::Invalid(
            "the address names no execution: begin at one".to_owned(),
        ));
    }
    let title = title(arns.len());
    let body = html! {
        div .head { h1 { (title) } }
        (confirm::place(&app).await?)
        p { "What a task is doing is not undone. A stopped execution can be redriven within 14 days." }
        ul { @for arn in &arns { li { a href=(execution::path(arn)) { (short_name(arn)) } } } }
        form .stack method="post" {
            (csrf.field())
            @for arn in &arns { input type="hidden" name="execution" value=(arn); }
            label for="cause" { "Why (it becomes the execution's cause)" }
            input #cause name="cause" maxlength="500";
            div .actions {
                button .danger type="submit" { (title) }
                a .button href="/executions" { "Do nothing" }
            }
        }
    };
    Ok(Page::new(&title, Tab::Executions).render(&app, body))
}

async fn stop(State(app): State<Arc<App>>, asked: Asked) -> Result<Response, PageError> {
    let cause = asked
        .fields
        .get("cause")
        .unwrap_or("stopped in the console");
    let works: Vec<_> = asked
        .fields
        .all("execution")
        .map(|arn| Work::Stop {
            arn: arn.to_owned(),
            cause: cause.to_owned(),
        })
        .collect();
    if works.is_empty() {
        return Err(PageError::Invalid("the form names no execution".to_owned()));
    }
    let title = title(works.len());
    Ok(runs::begin(&app, asked.who, title, works).await)
}

fn title(count: usize) -> String {
    match count {
        1 => "Stop the execution".to_owned(),
        n => format!("Stop {n} executions"),
    }
}

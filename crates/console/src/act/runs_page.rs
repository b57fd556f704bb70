//! `/runs/{id}`: what comes of a change, piece by piece.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::IntoResponse;
use axum::routing::get;
use maud::{Markup, html};
use operate::when;

use super::runs::{Progress, Run};
use crate::app::App;
use crate::error::PageError;
use crate::layout::{Page, Tab, status};
use crate::live;
use crate::pages::execution;
use crate::redact;

pub(crate) fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/runs/{id}", get(page))
        .route("/runs/{id}/events", get(events))
}

fn run(app: &App, id: &str) -> Result<Arc<Run>, PageError> {
    app.act.runs.get(id).ok_or_else(|| {
        PageError::NotFound(
            "this console does not know that run any more; the audit has its results".to_owned(),
        )
    })
}

async fn page(State(app): State<Arc<App>>, Path(id): Path<String>) -> Result<Markup, PageError> {
    let run = run(&app, &id)?;
    let progress = run.progress();
    let page = Page::new(&run.title, Tab::None).live(format!("/runs/{id}/events"));
    Ok(page.render(&app, body(&run, &progress)))
}

async fn events(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, PageError> {
    Ok(live::stream(run(&app, &id)?.changes()))
}

fn body(run: &Run, progress: &Progress) -> Markup {
    let (all, done, failed) = (progress.steps.len(), progress.done(), progress.failed());
    html! {
        div .head { h1 { (run.title) } }
        div #run data-live {
            div .notice.problem[failed > 0].fine[progress.is_over && failed == 0] role="status" {
                @if !progress.is_over {
                    label for="progress" { (done) " of " (all) " done" }
                    " " progress #progress max=(all) value=(done) {}
                    noscript { " Reload this page to see how far it is." }
                } @else if failed == 0 {
                    strong { "Done." } " " (done) " of " (all) " worked."
                } @else {
                    strong { (failed) " of " (all) " did not work." } " The table says why."
                }
            }
            @for note in &progress.notes { p .notice { (note) } }
            div .card {
                div .scroll {
                    table .records {
                        caption { "Begun " (when::local(run.began)) " by " (run.who.user) }
                        thead { tr { th scope="col" { "Change" } th scope="col" { "To" } th scope="col" { "Result" } } }
                        tbody {
                            @for step in &progress.steps {
                                tr data-row {
                                    td data-name="Change" { (step.action) }
                                    td .wide {
                                        @match &step.execution {
                                            Some(arn) => { a href=(execution::path(arn)) { (step.label) } }
                                            None => { (step.label) }
                                        }
                                    }
                                    td .wide {
                                        @match &step.result {
                                            None => { (status("waiting")) }
                                            Some(result) => {
                                                (status(if result.ok { "succeeded" } else { "failed" })) " " (redact::text(&result.said))
                                            }
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
        p .actions {
            a .button href="/executions" { "Executions" }
            a .button href="/queues" { "Parked tasks" }
            a .button href="/audit" { "Audit" }
        }
    }
}

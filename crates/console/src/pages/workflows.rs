//! `/workflows`: every state machine with what became of its executions, and `/workflows/{name}`: its diagram, the tasks
//! it calls with their contracts, its last executions.

mod contracts;

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::IntoResponse;
use axum::routing::get;
use form_urlencoded::byte_serialize;
use jiff::{SignedDuration, Timestamp};
use maud::{Markup, html};
use operate::error::refused;
use operate::when;

use super::execution::definition;
use super::executions::{number, table};
use crate::app::App;
use crate::error::PageError;
use crate::fleet::{Counts, Query, STATUSES, Status};
use crate::graph::{self, Paint};
use crate::layout::{Page, Tab, empty, status};
use crate::{live, run};

/// Executions that are shown of a workflow.
const LAST: usize = 10;
/// Of so long ago the failure rate is told.
const WEEK: SignedDuration = SignedDuration::from_hours(7 * 24);

pub(crate) fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/workflows", get(all))
        .route("/workflows/{name}", get(one))
        .route("/workflows/events", get(events))
}

/// The address of a workflow's page.
pub(crate) fn path(name: &str) -> String {
    let encoded: String = byte_serialize(name.as_bytes()).collect();
    format!("/workflows/{}", encoded.replace('+', "%20"))
}

async fn events(State(app): State<Arc<App>>) -> impl IntoResponse {
    live::stream(app.fleet.changes())
}

async fn all(State(app): State<Arc<App>>) -> Result<Markup, PageError> {
    let mut machines = operate::find::machines(&app.at).await?;
    machines.sort_by(|a, b| a.name.cmp(&b.name));
    app.fleet.look().await?;
    app.fleet.glance().await;
    let body = html! {
        div .head { h1 { "Workflows" } }
        div #workflows data-live {
            @if machines.is_empty() {
                (empty("No workflow is deployed here", html! {
                    code { "restock up" } " deploys those of this machine; on AWS the deployment does."
                }))
            } @else { div .card { div .scroll { table {
                thead { tr {
                    th scope="col" { "Workflow" } th scope="col" { "Type" }
                    th .num scope="col" { "Parked" } th .num scope="col" { "Running" } th .num scope="col" { "Last 7 days" } th .num scope="col" { "Failure rate" } th scope="col" { "Last" }
                } }
                tbody { @for machine in &machines {
                    @let counts = week(&app, &machine.name);
                    @let last = last(&app, &machine.name, 1);
                    tr data-row {
                        td { a href=(path(&machine.name)) { strong { (machine.name) } } }
                        td .soft { (machine.r#type.as_str().to_lowercase()) }
                        @let (parked, running) = running(&app, &machine.name);
                        td .num { @if parked > 0 { a href={ "/executions?status=PARKED&machine=" (encoded(&machine.name)) } { (number(parked)) } } @else { "0" } }
                        td .num { (number(running)) }
                        td .num { (number(counts.values().sum())) }
                        td .num { (rate(&counts)) }
                        td { @for item in &last { (status(item.status.word())) " " span .soft { (when::local(Timestamp::from_millisecond(item.started).unwrap_or_default())) } } }
                    }
                } }
            } } } }
        }
    };
    Ok(Page::new("Workflows", Tab::Workflows)
        .live("/workflows/events")
        .render(&app, body))
}

async fn one(State(app): State<Arc<App>>, Path(name): Path<String>) -> Result<Markup, PageError> {
    let arn = operate::find::machine(&app.at, &name).await?;
    let told = app
        .at
        .sfn
        .describe_state_machine()
        .state_machine_arn(&arn)
        .send()
        .await
        .map_err(refused(format!("read the workflow {name}")))?;
    app.fleet.look().await?;
    app.fleet.glance().await;
    let items: Vec<_> = last(&app, &name, LAST)
        .into_iter()
        .map(|item| item.arn)
        .collect();
    let last = app.fleet.with_details(&items).await;
    let counts = week(&app, &name);
    let parsed = run::parse(&told.definition);
    let body = html! {
        p .crumb { a href="/workflows" { "Workflows" } }
        div .head {
            h1 { (name) }
            @if let Ok(definition) = &parsed { @if let Some(comment) = definition.comment() { span .soft { (comment) } } }
            span .grow {}
            a .button.primary href={ "/act/start?machine=" (encoded(&name)) } { "Start" }
        }
        div #counts data-live { (stats(&app, &name, &counts)) }
        @match &parsed {
            Ok(definition) => {
                section .card aria-labelledby="picture-title" {
                    h2 #picture-title { "Diagram" }
                    div .canvas tabindex="0" { (graph::draw(&graph::chart(definition), &Paint::default(), &format!("The states of {name}"))) }
                }
                section .card aria-labelledby="tasks-title" {
                    h2 #tasks-title { "Tasks" }
                    (contracts::show(&app, definition))
                }
            }
            Err(problem) => div .notice.problem role="status" { "The definition cannot be drawn: " (problem) }
        }
        section .card #last data-live aria-labelledby="last-title" {
            h2 #last-title { "Last executions" a href={ "/executions?machine=" (encoded(&name)) } { "all" } }
            @if last.is_empty() { (empty("None yet", html! { code { "restock executions start " (name) " --input '{…}'" } " starts one." })) }
            @else { (table(&last)) }
        }
        @if let Ok(parsed) = &parsed {
            section .card aria-labelledby="definition-title" {
                h2 #definition-title { "Definition" }
                details .body #definition { summary { "Amazon States Language, changed " (when::local(when::timestamp(&told.creation_date))) }
                    (definition::text(parsed, &BTreeSet::new()))
                }
            }
        }
    };
    Ok(Page::new(&name, Tab::Workflows)
        .live("/workflows/events")
        .render(&app, body))
}

fn stats(app: &App, name: &str, counts: &Counts) -> Markup {
    let encoded = encoded(name);
    let (parked, running) = running(app, name);
    html! {
        div .stats {
            a .stat.attention[parked > 0] href={ "/executions?status=PARKED&machine=" (encoded) } { b { (number(parked)) } "parked" }
            a .stat href={ "/executions?status=RUNNING&machine=" (encoded) } { b { (number(running)) } "running" }
            @for each in STATUSES.into_iter().filter(|s| !s.is_running()) {
                a .stat href={ "/executions?since=7d&status=" (each.word()) "&machine=" (encoded) } {
                    b { (number(counts.get(&each).copied().unwrap_or(0))) } (each.word().to_lowercase().replace('_', " "))
                }
            }
            div .stat { b { (rate(counts)) } "failure rate" }
        }
        p .soft { "Ended ones of the last 7 days." }
    }
}

fn query(name: &str) -> Query {
    Query {
        machine: Some(name.to_owned()),
        ..Query::default()
    }
}

/// How the executions of the last seven days stand.
fn week(app: &App, name: &str) -> Counts {
    let query = Query {
        since: Some((Timestamp::now() - WEEK).as_millisecond()),
        ..query(name)
    };
    app.fleet.index().find(&query, 0, 0).counts
}

/// How many wait for an operator, and how many run.
fn running(app: &App, name: &str) -> (usize, usize) {
    let index = app.fleet.index();
    let all = index.running(name);
    all.fold((0, 0), |(parked, running), item| match item.status {
        Status::Parked => (parked + 1, running),
        _ => (parked, running + 1),
    })
}

fn encoded(name: &str) -> String {
    byte_serialize(name.as_bytes()).collect()
}

fn last(app: &App, name: &str, take: usize) -> Vec<crate::fleet::Item> {
    app.fleet.index().newest(name, take)
}

/// Of those that ended, how many ended badly.
fn rate(counts: &Counts) -> String {
    let of = |wanted: fn(Status) -> bool| -> usize {
        counts
            .iter()
            .filter(|(status, _)| wanted(**status))
            .map(|(_, n)| n)
            .sum()
    };
    let ended = of(|status| !status.is_running());
    if ended == 0 {
        return "–".to_owned();
    }
    format!("{:.1} %", of(Status::is_bad) as f64 / ended as f64 * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_failure_rate_is_of_those_that_ended() {
        let counts = Counts::from([
            (Status::Running, 10),
            (Status::Succeeded, 6),
            (Status::Failed, 1),
            (Status::Aborted, 1),
        ]);
        assert_eq!(rate(&counts), "25.0 %");
        assert_eq!(rate(&Counts::from([(Status::Running, 1)])), "–");
    }
}

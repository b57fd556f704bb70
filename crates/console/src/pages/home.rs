//! `/`: what an operator wants to see first: what needs somebody, what runs, what happened last.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::IntoResponse;
use axum::routing::get;
use jiff::{SignedDuration, Timestamp};
use maud::{Markup, html};
use operate::when;

use super::executions::{number, table};
use super::{execution, queues, workflows};
use crate::app::App;
use crate::error::{PageError, partial};
use crate::fleet::{Found, Item, Query, Status, Stuck};
use crate::layout::{Page, Tab, empty};
use crate::{act, live};

const DAY: SignedDuration = SignedDuration::from_hours(24);
/// Rows of each list.
const ROWS: usize = 8;

pub(crate) fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/", get(overview))
        .route("/events", get(events))
}

async fn events(State(app): State<Arc<App>>) -> impl IntoResponse {
    live::stream(app.fleet.changes())
}

async fn overview(State(app): State<Arc<App>>) -> Result<Markup, PageError> {
    app.fleet.look().await?;
    if app.fleet.index().len() == 0 {
        return nothing(&app).await;
    }
    let waiting = app.fleet.waiting().await;
    // Only now is what is parked told from what runs.
    let (all, oldest) = {
        let index = app.fleet.index();
        (index.find(&Query::default(), 0, 0), index.oldest_running())
    };
    let day = Query {
        since: Some((Timestamp::now() - DAY).as_millisecond()),
        ..Query::default()
    };
    let today = app.fleet.index().find(&day, 0, 0);
    let failed = app.fleet.find(&bad(&day), 0, ROWS).await;
    let recent = app.fleet.find(&Query::default(), 0, ROWS).await;
    let body = html! {
        div .head { h1 { "Overview" } }
        div #numbers data-live {
            (numbers(&all, &today, waiting.as_ref().ok().map(|w| w.parked.len()), oldest.as_ref()))
        }
        div #attention data-live {
            @match &waiting {
                Ok(waiting) => { (queues::unread(waiting)) (parked(&waiting.parked)) }
                Err(error) => (partial("What is parked", error)),
            }
            @if !failed.items.is_empty() {
                section .card aria-labelledby="failed-title" {
                    h2 #failed-title { "Failed in the last 24 hours" a href="/executions?status=FAILED&since=1d" { "all" } }
                    (table(&failed.items))
                }
            }
        }
        section .card #recent data-live aria-labelledby="recent-title" {
            h2 #recent-title { "Latest executions" a href="/executions" { "all " (number(all.all)) } }
            (table(&recent.items))
        }
    };
    Ok(Page::new("Overview", Tab::Overview)
        .live("/events")
        .render(&app, body))
}

fn bad(query: &Query) -> Query {
    Query {
        status: Some(Status::Failed),
        ..query.clone()
    }
}

fn numbers(all: &Found, today: &Found, parked: Option<usize>, oldest: Option<&Item>) -> Markup {
    let count = |found: &Found, status| found.counts.get(&status).copied().unwrap_or(0);
    let failed: usize = [Status::Failed, Status::TimedOut, Status::Aborted]
        .into_iter()
        .map(|status| count(today, status))
        .sum();
    html! {
        div .stats {
            a .stat.attention[failed > 0] href="/executions?status=FAILED&since=1d" { b { (number(failed)) } "ended badly, last 24 hours" }
            @if let Some(parked) = parked {
                a .stat.attention[parked > 0] href="/queues" { b { (number(parked)) } "parked, waiting for you" }
            }
            a .stat href="/executions?status=RUNNING" { b { (number(count(all, Status::Running))) } "running" }
            @if let Some(item) = oldest {
                a .stat href=(execution::path(&item.arn)) {
                    b { (when::duration(Timestamp::from_millisecond(item.started).unwrap_or_default(), Timestamp::now())) }
                    "the oldest that runs"
                }
            }
            a .stat href="/executions?status=SUCCEEDED&since=1d" { b { (number(count(today, Status::Succeeded))) } "succeeded, last 24 hours" }
        }
    }
}

fn parked(all: &[Arc<Stuck>]) -> Markup {
    if all.is_empty() {
        return html! { div .notice.fine role="status" { strong { "Nothing is parked." } " No task waits for an operator." } };
    }
    html! {
        section .card aria-labelledby="parked-title" {
            h2 #parked-title { "Parked: failed for good and waiting for you" @if all.len() > ROWS { a href="/queues" { "all " (number(all.len())) } } }
            div .scroll { table {
                thead { tr { th scope="col" { "State" } th scope="col" { "Execution" } th scope="col" { "Why" } th scope="col" { "Waiting" } th scope="col" { "Do" } } }
                tbody { @for parked in all.iter().take(ROWS) {
                    tr data-row {
                        td { strong { (parked.state) } div .sub { (parked.machine()) } }
                        td .id { a href=(execution::path(&parked.execution_arn)) { (parked.execution()) }
                            @if let Some(product) = &parked.product { div .sub { (product) } } }
                        td { (parked.why) }
                        td .nowrap { (when::duration(parked.since, Timestamp::now())) }
                        td { (act::parked_links(parked)) }
                    }
                } }
            } }
        }
    }
}

/// Before the first execution.
async fn nothing(app: &App) -> Result<Markup, PageError> {
    let machines = operate::find::machines(&app.at).await?;
    let body = html! {
        div .head { h1 { "Overview" } }
        div #attention data-live {
            @if machines.is_empty() {
                (empty("No workflow is deployed here", html! {
                    "Run " code { "restock up" } " for the workflows on this machine, or apply the deployment on AWS."
                }))
            } @else {
                (empty("Nothing has run yet", html! {
                    "Deployed: "
                    @for (i, machine) in machines.iter().enumerate() { @if i > 0 { ", " } a href=(workflows::path(&machine.name)) { (machine.name) } }
                    ". Buy more than there is in stock, and a reorder appears here."
                }))
            }
        }
    };
    Ok(Page::new("Overview", Tab::Overview)
        .live("/events")
        .render(app, body))
}

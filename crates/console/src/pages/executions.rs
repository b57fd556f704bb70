//! `/executions`: every execution, filtered, searched and paged, with counts by status.

mod query;

use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::IntoResponse;
use axum::routing::get;
use jiff::Timestamp;
use maud::{Markup, html};
use operate::when;

use crate::act;
use crate::app::App;
use crate::error::PageError;
use crate::fleet::{Found, Item, Progress, STATUSES};
use crate::layout::{Page, Tab, empty, status};
use crate::live;
use crate::redact;

use query::{Asked, PERIODS};

/// Executions on a page.
const PAGE: usize = 50;

pub(crate) fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/executions", get(list))
        .route("/executions/events", get(events))
}

async fn list(
    State(app): State<Arc<App>>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Markup, PageError> {
    let Query(asked) = asked?;
    let query = asked.query(Timestamp::now())?;
    app.fleet.look().await?;
    app.fleet.glance().await;
    let page = asked.page();
    let found = app.fleet.find(&query, (page - 1) * PAGE, PAGE).await;
    let progress = app.fleet.progress();
    let machines = app.fleet.index().machines();
    let body = html! {
        div .head { h1 { "Executions" } }
        (filters(&asked, &machines))
        div #list data-live {
            (tabs(&asked, &found))
            (told(&asked, &progress))
            @if found.items.is_empty() {
                (nothing(&asked, &progress))
            } @else {
                div .card {
                    (table(&found.items))
                    @if !asked.status.is_empty() { (act::several(&found.items)) }
                    (pages(&asked, &found, page))
                }
            }
        }
    };
    Ok(Page::new("Executions", Tab::Executions)
        .live("/executions/events")
        .render(&app, body))
}

async fn events(State(app): State<Arc<App>>) -> impl IntoResponse {
    live::stream(app.fleet.changes())
}

fn filters(asked: &Asked, machines: &[Arc<str>]) -> Markup {
    html! {
        form .filters method="get" action="/executions" role="search" {
            div .field.grow {
                label for="q" { "Search" }
                input #q type="search" name="q" value=(asked.q) data-search placeholder="execution, product, customer, order, error" autocomplete="off" spellcheck="false";
            }
            div .field {
                label for="machine" { "Workflow" }
                select #machine name="machine" data-submit {
                    option value="" { "all" }
                    @for name in machines {
                        option value=(name) selected[**name == *asked.machine] { (name) }
                    }
                }
            }
            div .field {
                label for="since" { "Started" }
                select #since name="since" data-submit {
                    @for (value, name) in PERIODS {
                        option value=(value) selected[value == asked.since] { (name) }
                    }
                    @if !asked.since.is_empty() && !PERIODS.iter().any(|(value, _)| *value == asked.since) {
                        option value=(asked.since) selected { "since " (asked.since) }
                    }
                }
            }
            @if !asked.status.is_empty() { input type="hidden" name="status" value=(asked.status); }
            button type="submit" { "Find" }
        }
    }
}

/// Counts by status, each a filter.
fn tabs(asked: &Asked, found: &Found) -> Markup {
    let all: usize = found.counts.values().sum();
    html! {
        nav .tabs aria-label="By status" {
            a href=(asked.with_status("")) aria-current=[asked.status.is_empty().then_some("true")] { "All " b { (number(all)) } }
            @for each in STATUSES {
                @let word = each.word();
                a href=(asked.with_status(word)) aria-current=[(asked.status == word).then_some("true")] {
                    (word.to_lowercase().replace('_', " ")) " "
                    b { (number(found.counts.get(&each).copied().unwrap_or(0))) }
                }
            }
        }
    }
}

/// What the list does not know yet, or could not read.
fn told(asked: &Asked, progress: &Progress) -> Markup {
    html! {
        @if let Some(problem) = &progress.problem {
            div .notice.problem role="status" { "This may be old: " (problem) }
        }
        @if !progress.is_complete {
            div .notice role="status" { "Reading older executions: " (number(progress.known)) " so far." }
        }
        @if !asked.q.is_empty() && progress.undescribed > 0 {
            div .notice role="status" {
                "Names are searched in all " (number(progress.known)) " executions; products and customers stand in the inputs, and "
                (number(progress.undescribed)) " of them have not been read"
                @if progress.is_searching { " yet: what is found appears here." } @else { "." }
            }
        }
    }
}

fn nothing(asked: &Asked, progress: &Progress) -> Markup {
    if progress.known == 0 {
        return empty(
            "No execution yet",
            html! {
                "Buy more than there is in stock and a reorder starts: "
                code { "curl -X POST …/checkout -d '{\"product_id\":\"CP-502101\",\"quantity\":100000}'" }
                " — or start one with " code { "restock executions start" } "."
            },
        );
    }
    empty(
        "No execution matches",
        html! {
            @if asked.is_narrowed() { a href="/executions" { "Show all " (number(progress.known)) } }
            @else { "Executions appear here as they start." }
        },
    )
}

/// Executions as rows, newest first. Also for other pages.
pub(crate) fn table(items: &[Item]) -> Markup {
    let now = Timestamp::now();
    html! {
        div .scroll {
            table .records {
                thead { tr {
                    th scope="col" { "Status" } th scope="col" { "Execution" } th scope="col" { "About" }
                    th scope="col" { "Workflow" } th scope="col" { "Started" } th .num scope="col" { "Took" }
                } }
                tbody { @for item in items { (row(item, now)) } }
            }
        }
    }
}

fn row(item: &Item, now: Timestamp) -> Markup {
    let started = Timestamp::from_millisecond(item.started).unwrap_or_default();
    let stopped = item
        .stopped
        .and_then(|at| Timestamp::from_millisecond(at).ok());
    let described = item.described.as_deref();
    html! {
        tr data-row {
            td { (status(item.status.word())) @if item.redrives > 0 { " " span .soft title="redrives" { "↻" (item.redrives) } } }
            td .id.wide {
                a href=(super::execution::path(&item.arn)) { (item.name()) }
                @if let Some(parked) = &item.parked { div .sub { (parked) } }
                @if let Some(error) = described.and_then(|d| d.error.as_deref()) {
                    div .sub { (redact::text(error)) }
                }
            }
            td .wide {
                @for key in described.map_or(&[][..], |d| &d.keys).iter().filter(|key| !item.name().contains(&key.value)).take(2) {
                    span .key { span .soft { (key.name) " " } (key.value) } " "
                }
            }
            td data-name="workflow" { (item.machine) }
            td .nowrap data-name="started" { (when::local(started)) }
            td .num data-name="took" { (when::duration(started, stopped.unwrap_or(now))) }
        }
    }
}

fn pages(asked: &Asked, found: &Found, page: usize) -> Markup {
    let last = found.all.div_ceil(PAGE).max(1);
    let first = (page - 1) * PAGE + 1;
    html! {
        nav .pages aria-label="Pages of the list" {
            span .num { (number(first)) "–" (number(first + found.items.len().saturating_sub(1))) " of " (number(found.all)) }
            span .grow {}
            @if page > 1 { a rel="prev" href=(asked.with_page(page - 1)) { "← newer" } }
            @if page < last { a rel="next" href=(asked.with_page(page + 1)) { "older →" } }
        }
    }
}

/// A number with thin groups of three.
pub(crate) fn number(n: usize) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        for (n, expected) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(number(n), expected);
        }
    }
}

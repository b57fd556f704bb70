//! Every event of an execution, in pages, with every detail.

use maud::{Markup, html};
use operate::events::Event;
use operate::when;

use super::{Asked, encode, path};
use crate::pages::executions::number;
use crate::payload;
use crate::redact;
use crate::run::Run;
use serde_json::Value;

/// Events on a page.
const PAGE: usize = 50;

pub(super) fn show(run: &Run, asked: &Asked) -> Markup {
    if run.events.is_empty() {
        return html! {};
    }
    let kind = asked.kind.to_lowercase();
    let left: Vec<&Event> = run
        .events
        .iter()
        .filter(|e| kind.is_empty() || e.kind.to_lowercase().contains(&kind))
        .filter(|e| asked.of.is_empty() || e.state.as_deref() == Some(asked.of.as_str()))
        .collect();
    let last = left.len().div_ceil(PAGE).max(1);
    // The newest page first: that is where it stands.
    let page = asked.events.parse::<usize>().unwrap_or(last).clamp(1, last);
    let shown = &left[(page - 1) * PAGE..left.len().min(page * PAGE)];
    let mut states: Vec<&str> = run.rows.iter().map(|row| row.state.as_str()).collect();
    states.sort_unstable();
    states.dedup();
    html! {
        section .card #events data-live aria-labelledby="events-title" {
            h2 #events-title { "Events" span .soft.num { (number(left.len())) @if left.len() != run.events.len() { " of " (number(run.events.len())) } } }
            form .filters.body method="get" action={ (path(&run.arn)) "#events" } {
                @if !asked.state.is_empty() { input type="hidden" name="state" value=(asked.state); input type="hidden" name="visit" value=(asked.visit); }
                div .field { label for="kind" { "Type" } input #kind name="kind" value=(asked.kind) placeholder="Failed, Scheduled, …" autocomplete="off"; }
                div .field { label for="of" { "State" } select #of name="of" data-submit {
                    option value="" { "all" }
                    @for state in states { option value=(state) selected[state == asked.of] { (state) } }
                } }
                button type="submit" { "Filter" }
            }
            @if shown.is_empty() { p .body { "No event is like that. " a href={ (path(&run.arn)) "#events" } { "Show all" } } }
            @else { div .scroll { table .events {
                thead { tr { th .num scope="col" { "No." } th scope="col" { "Time" } th scope="col" { "Type" } th scope="col" { "State" } th scope="col" { "Details" } } }
                tbody { @for event in shown {
                    tr {
                        td .num { (event.id) }
                        td .nowrap title=(event.at) { "+" (when::duration(run.started, event.at)) }
                        td { span class={ "kind " (class(event)) } { (event.kind) } }
                        td { (event.state.as_deref().unwrap_or_default()) @if let Some(index) = event.index { " " span .soft { "#" (index) } } }
                        td { (details(event)) }
                    }
                } }
            } } }
            @if last > 1 {
                nav .pages aria-label="Pages of events" {
                    span .num { "page " (page) " of " (last) }
                    span .grow {}
                    @if page > 1 { a href=(address(run, asked, page - 1)) { "← earlier" } }
                    @if page < last { a href=(address(run, asked, page + 1)) { "later →" } }
                }
            }
        }
    }
}

fn address(run: &Run, asked: &Asked, page: usize) -> String {
    format!(
        "{}?state={}&visit={}&kind={}&of={}&events={page}#events",
        path(&run.arn),
        encode(&asked.state),
        encode(&asked.visit),
        encode(&asked.kind),
        encode(&asked.of),
    )
}

fn class(event: &Event) -> &'static str {
    if event.is_failure() || matches!(event.kind.as_str(), "ExecutionFailed" | "ExecutionTimedOut")
    {
        "bad"
    } else if event.is_success() || event.kind == "ExecutionSucceeded" {
        "ok"
    } else {
        "plain"
    }
}

/// In one line what tells most, the rest to be opened.
fn details(event: &Event) -> Markup {
    let assigned = (!event.assigned.is_empty()).then(|| Value::Object(event.assigned.clone()));
    let payloads: Vec<(&str, &Value)> = [
        ("Input", event.input.as_ref()),
        ("Parameters", event.parameters.as_ref()),
        ("Output", event.output.as_ref()),
        ("Assigned variables", assigned.as_ref()),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
    .collect();
    let names: Vec<&str> = payloads.iter().map(|(name, _)| *name).collect();
    let summary = event
        .error
        .clone()
        .or_else(|| event.resource.clone())
        .map(|text| redact::text(&text));
    html! {
        @if payloads.is_empty() && event.cause.is_none() {
            (summary.unwrap_or_default())
        } @else {
            details id={ "event-" (event.id) } {
                summary { @match &summary { Some(text) => (text), None => (names.join(", ")) } }
                @if let Some(cause) = &event.cause { (payload::text(&format!("event-{}-cause", event.id), "Cause", &redact::text(cause))) }
                @if let Some(timeout) = event.timeout_seconds { p .soft { "times out after " (timeout) " s" } }
                p .soft { "follows event " (event.previous_id) ", " (event.at) }
                @for (name, value) in payloads {
                    (payload::one_of_many(&format!("event-{}-{}", event.id, name.split(' ').next().unwrap_or_default()), name, value))
                }
                @if event.truncated { p .soft { "AWS left out a part because it is too large." } }
            }
        }
    }
}

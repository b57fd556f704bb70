//! One stay in a state: its input, what it called, its output and variables; what changed; its attempts and their logs.

use std::collections::BTreeMap;

use maud::{Markup, html};
use operate::events::Event;
use operate::timeline::short_name;
use operate::when;
use serde_json::Value;

use super::{facts, to_row};
use crate::app::App;
use crate::layout::status;
use crate::pages::logs;
use crate::payload;
use crate::run::{Run, sign};

pub(super) fn show(app: &App, run: &Run, chosen: Option<usize>) -> Markup {
    let Some(at) = chosen else {
        return html! {
            section .card #state {
                h2 { "Data" }
                div .body { (payload::value("input", "Input", &run.input)) }
            }
        };
    };
    let row = &run.rows[at];
    let events: Vec<&Event> = run.events_of(at).collect();
    let output = events
        .iter()
        .rev()
        .find(|e| e.kind.ends_with("StateExited"))
        .and_then(|e| e.output.as_ref());
    let called = events.iter().rev().find_map(|e| e.parameters.as_ref());
    let result = events
        .iter()
        .rev()
        .find(|e| e.is_success())
        .and_then(|e| e.output.as_ref());
    let assigned = events.iter().rev().find(|e| !e.assigned.is_empty());
    let variables = variables(run, at);
    let stays: Vec<usize> = (0..run.rows.len())
        .filter(|r| run.rows[*r].state == row.state)
        .collect();
    let truncated = events.iter().any(|e| e.truncated);
    html! {
        section .card #state data-live aria-labelledby="state-title" {
            h2 #state-title {
                (row.state) (status(sign(run, row).2)) span .soft { (row.kind) }
                @if stays.len() > 1 {
                    span .stays { "stay " @for (n, stay) in stays.iter().enumerate().rev().take(12).rev() {
                        a href=(to_row(run, *stay)) aria-current=[(*stay == at).then_some("true")] { (n + 1) } " "
                    } }
                }
            }
            div .body {
                @if let Some(error) = &row.error {
                    div .notice.problem { (facts::plain(error, row.cause.as_deref().unwrap_or_default())) }
                }
                @if truncated { div .notice.warn { "AWS left out parts of this data because it is too large." } }
                (attempts(app, &events))
                div .cols {
                    (payload::value("state-input", "Input", &row.input))
                    @if let Some(output) = output { (payload::value("state-output", "Output", output)) }
                    @if let Some(called) = called { (payload::value("state-called", "Called with", called)) }
                    @if let Some(result) = result { (payload::value("state-result", "Result of the task", result)) }
                    @if let Some(event) = assigned { (payload::value("state-assigned", "Variables assigned here", &Value::Object(event.assigned.clone()))) }
                    @if !variables.is_empty() { (payload::value("state-variables", "Variables before", &variables.into_iter().collect::<serde_json::Map<_, _>>().into())) }
                }
                @if let Some(output) = output {
                    (payload::difference("state-diff", ("input", &row.input), ("output", output)))
                }
            }
            @if let Some(output) = &run.output {
                details .body #execution-output { summary { "Input and output of the whole execution" }
                    div .cols { (payload::value("input", "Input", &run.input)) (payload::value("output", "Output", output)) }
                }
            } @else {
                details .body #execution-output { summary { "Input of the whole execution" }
                    (payload::value("input", "Input", &run.input))
                }
            }
        }
    }
}

/// What variables were when the row began: what rows before it in its line, and around it, assigned.
fn variables(run: &Run, at: usize) -> BTreeMap<String, Value> {
    let mut all = BTreeMap::new();
    let visits = &run.lineage.visits;
    let lines: Vec<usize> = std::iter::successors(Some(at), |v| visits[*v].parent)
        .map(|v| visits[v].line)
        .collect();
    let entered = visits[at].entered;
    for (event, visit) in run.events.iter().zip(&run.lineage.of).take(entered) {
        if visit.is_some_and(|v| lines.contains(&visits[v].line)) {
            all.extend(
                event
                    .assigned
                    .iter()
                    .map(|(name, value)| (name.clone(), value.clone())),
            );
        }
    }
    all
}

/// A task that was handed out, and what came of it.
struct Attempt<'e> {
    scheduled: &'e Event,
    ended: Option<&'e Event>,
}

fn attempts(app: &App, events: &[&Event]) -> Markup {
    let mut attempts: Vec<Attempt> = Vec::new();
    for event in events {
        if event.is_scheduled() {
            attempts.push(Attempt {
                scheduled: event,
                ended: None,
            });
        } else if (event.is_success() || event.is_failure())
            && let Some(last) = attempts.last_mut()
        {
            last.ended = Some(event);
        }
    }
    if attempts.is_empty() {
        return html! {};
    }
    html! {
        div .scroll { table .attempts {
            thead { tr { th scope="col" { "Attempt" } th scope="col" { "At" } th .num scope="col" { "Took" } th scope="col" { "Came to" } th scope="col" { "Log" } } }
            tbody { @for (n, attempt) in attempts.iter().enumerate().rev().take(30).rev() {
                @let scheduled = attempt.scheduled;
                @let waits = scheduled.resource.as_deref().is_some_and(|r| r.ends_with(".waitForTaskToken"));
                tr {
                    th scope="row" { (n + 1) }
                    td .nowrap { (when::local(scheduled.at)) }
                    td .num { @if let Some(ended) = attempt.ended { (when::duration(scheduled.at, ended.at)) } }
                    td { @match attempt.ended {
                        None if waits => (status("waiting")),
                        None => (status("running")),
                        Some(ended) if ended.is_success() => (status("succeeded")),
                        Some(ended) => { (status("failed")) " " code { (ended.error.as_deref().unwrap_or(&ended.kind)) } }
                    } }
                    td { @if let Some(link) = log(app, attempt) { a href=(link) { "log lines" } } @else { span .soft { "–" } } }
                }
            } }
        } }
    }
}

/// Where the log of the attempt's Lambda is.
fn log(app: &App, attempt: &Attempt) -> Option<String> {
    let scheduled = attempt.scheduled;
    let resource = scheduled.resource.as_deref()?;
    let function = if resource.contains("lambda:invoke") {
        scheduled
            .parameters
            .as_ref()?
            .get("FunctionName")?
            .as_str()?
    } else if resource.contains(":function:") {
        resource
    } else {
        return None;
    };
    let request = attempt
        .ended
        .and_then(|e| e.output.as_ref())
        .and_then(|o| o.pointer("/SdkResponseMetadata/RequestId"))
        .and_then(Value::as_str);
    Some(logs::link(
        app,
        short_name(function),
        scheduled.at,
        attempt.ended.map(|e| e.at),
        request,
    ))
}

//! The tasks of a definition: what each calls, when it tries again, what it catches, and the contract of its Lambda.

use asl::Definition;
use asl::model::{Kind, State};
use maud::{Markup, html};

use crate::app::{App, Contract};
use crate::layout::empty;
use crate::payload;

pub(super) fn show(app: &App, definition: &Definition) -> Markup {
    let tasks: Vec<(&State, String)> = definition
        .states()
        .filter_map(|(_, state)| match state.kind() {
            Kind::Task(task) => Some((state, operate::ahead::calls(&task.resource, state.flow()))),
            _ => None,
        })
        .collect();
    if tasks.is_empty() {
        return empty(
            "It calls nothing",
            html! { "None of its states is a Task." },
        );
    }
    let mut functions: Vec<&str> = tasks
        .iter()
        .filter_map(|(_, calls)| function(calls))
        .collect();
    functions.sort_unstable();
    functions.dedup();
    let contracts: Vec<(&str, &Contract)> = functions
        .into_iter()
        .filter_map(|name| Some((name, app.contracts.get(name)?)))
        .collect();
    html! {
        div .scroll { table {
            thead { tr { th scope="col" { "State" } th scope="col" { "Calls" } th scope="col" { "Tries again on" } th scope="col" { "Catches" } } }
            tbody { @for (state, calls) in &tasks {
                tr {
                    th .plain scope="row" { (state.name()) @if let Some(comment) = state.comment() { div .sub.soft { (comment) } } }
                    td .mono { (calls) }
                    td { @for retrier in state.retriers() { div { (retrier.error_equals.join(", ")) span .soft { " ×" (retrier.max_attempts) ", from " (retrier.interval_seconds) " s" } } } }
                    td { @for catcher in state.catchers() { div { (catcher.error_equals.join(", ")) span .soft { " → " (definition.state(catcher.next).name()) } } } }
                }
            } }
        } }
        @for (name, contract) in contracts {
            details .body #{ "contract-" (name) } {
                summary { "Contract of " code { (name) } }
                @if !contract.about.is_empty() { p { (contract.about) } }
                @if !contract.errors.is_empty() { p { "Fails with " (contract.errors.join(", ")) "." } }
                div .cols {
                    (payload::text(&format!("{name}-input"), "Input (JSON Schema)", &operate::diff::pretty(&contract.input)))
                    (payload::text(&format!("{name}-output"), "Output (JSON Schema)", &operate::diff::pretty(&contract.output)))
                }
            }
        }
    }
}

/// The function that `lambda:invoke check_stock` calls.
fn function(calls: &str) -> Option<&str> {
    let (service, name) = calls.split_once(' ')?;
    service.starts_with("lambda:invoke").then_some(name)
}

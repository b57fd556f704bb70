//! Compares a run with what its case expects.

use operate::diff::diff;
use operate::events::Event;
use serde_json::Value;

use super::case::Expect;
use super::path::path;
use super::virtual_run::Ran;

/// Everything that is not as expected.
pub(crate) fn check(expect: &Expect, ran: &Ran) -> Vec<String> {
    let mut wrong = ran.trouble.clone();
    let mut same = |what: &str, expected: Value, actual: Value| {
        let told = diff("expected", &expected, "actual", &actual);
        if !told.is_empty() {
            wrong.push(format!("{what}:\n{told}"));
        }
    };
    same(
        "status",
        expect.status.as_str().into(),
        ran.status.as_str().into(),
    );
    same("path", expect.path.clone().into(), path(&ran.events).into());
    if let Some(output) = &expect.output {
        same(
            "output",
            output.clone(),
            ran.output.clone().unwrap_or_default(),
        );
    }
    if let Some(error) = &expect.error {
        same("error", error.as_str().into(), ran.error.clone().into());
    }
    if let Some(cause) = &expect.cause {
        same("cause", cause.as_str().into(), ran.cause.clone().into());
    }
    for (state, calls) in &expect.arguments {
        let actual = ran.calls.get(state).map_or(&[][..], Vec::as_slice);
        let listed: Vec<Value> = actual
            .iter()
            .enumerate()
            .map(|(i, call)| only_listed(calls.get(i), call))
            .collect();
        same(
            &format!("arguments of {state}"),
            calls.clone().into(),
            listed.into(),
        );
    }
    if let Some(history) = &expect.history {
        let actual: Vec<String> = ran.events.iter().map(line).collect();
        same("history", history.clone().into(), actual.into());
    }
    wrong
}

/// The parts of `actual` that `expected` mentions, so that a difference shows nothing else.
fn only_listed(expected: Option<&Value>, actual: &Value) -> Value {
    match (expected, actual) {
        (Some(Value::Object(expected)), Value::Object(actual)) => expected
            .iter()
            .filter_map(|(name, value)| {
                Some((name.clone(), only_listed(Some(value), actual.get(name)?)))
            })
            .collect(),
        _ => actual.clone(),
    }
}

/// An event as `expect.history` writes it.
fn line(event: &Event) -> String {
    match &event.state {
        Some(state) => format!("{} {state}", event.kind),
        None => event.kind.clone(),
    }
}

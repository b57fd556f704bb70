//! What the pages before a change share: what would run, what would differ, and where.

use maud::{Markup, html};
use operate::ahead::Effect;
use operate::diff::{diff, pretty};
use serde_json::Value;

use crate::app::App;
use crate::error::{PageError, partial};
use crate::redact;

/// On AWS: the account and the region that the change reaches. Nothing for a local endpoint.
pub(crate) async fn place(app: &App) -> Result<Markup, PageError> {
    Ok(html! {
        @if let Some(place) = app.at.place().await? {
            p .notice.warn role="status" {
                "This reaches AWS account " strong { (place.account) } " in " strong { (place.region) }
                " as " (place.caller) " (profile " (place.profile) ")."
            }
        }
    })
}

/// The tasks that run, in the order of the definition.
pub(crate) fn effects(effects: &[Effect]) -> Markup {
    html! {
        @if effects.is_empty() {
            p { "No task runs." }
        } @else {
            ul .effects {
                @for effect in effects {
                    li {
                        @if effect.again { strong { "again: " } } @else { "then: " }
                        (effect.state) " " code { (effect.calls) }
                    }
                }
            }
        }
    }
}

/// The same, where it could not be found out.
pub(crate) fn effects_or_why(found: Result<Vec<Effect>, operate::OperateError>) -> Markup {
    match found {
        Ok(found) => effects(&found),
        Err(error) => partial("What runs again", &error),
    }
}

/// What differs between two inputs, each with its name: a unified diff without secrets, its lines marked.
pub(crate) fn difference(from: (&str, &Value), to: (&str, &Value)) -> Markup {
    let shown = diff(from.0, &redact::value(from.1), to.0, &redact::value(to.1));
    html! {
        @if from.1 == to.1 {
            p { "The input is as it was." }
        } @else if shown.is_empty() {
            p { "Only values that are never shown differ." }
        } @else {
            div .payload { pre .diff tabindex="0" aria-label="Difference of the inputs" {
                @for line in shown.lines() {
                    @match line.as_bytes().first() {
                        Some(b'+') => { span .add { (line) "\n" } }
                        Some(b'-') => { span .del { (line) "\n" } }
                        _ => { (line) "\n" }
                    }
                }
            } }
        }
    }
}

/// A field for JSON.
pub(crate) fn json_field(text: &str, problem: Option<&str>) -> Markup {
    let rows = text.lines().count().clamp(6, 24);
    html! {
        div .stack {
            label for="input" { "Input (JSON)" }
            textarea #input name="input" rows=(rows) spellcheck="false" autocomplete="off"
                aria-invalid=[problem.map(|_| "true")] aria-describedby=[problem.map(|_| "input-problem")] { (text) }
            @if let Some(problem) = problem {
                p #input-problem .notice.problem role="alert" { (problem) }
            }
        }
    }
}

/// A value as a field for JSON shows it: without its secrets.
pub(crate) fn editable(value: &Value) -> String {
    pretty(&redact::value(value))
}

/// What a JSON field says that began with `original`; its secrets are put back where they were.
pub(crate) fn read_json(text: &str, original: &Value) -> Result<Value, String> {
    let edited =
        serde_json::from_str(text).map_err(|error| format!("This is not JSON: {error}."))?;
    redact::restored(&edited, original).map_err(|place| {
        format!(
            "{} is moved or changed at {place}: it stands for a value that is never shown. Put it back where it was, or write the value.",
            redact::HIDDEN
        )
    })
}

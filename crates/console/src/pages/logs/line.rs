//! A line of a log as people read it: how bad, what, and what it is about; all of it to be opened. Our tasks write JSON;
//! what is no JSON is shown as it is.

use maud::{Markup, html};
use operate::diff::pretty;
use serde_json::{Map, Value};

use crate::redact;

/// What every line has, and what says nothing to a reader.
const USUAL: [&str; 6] = [
    "timestamp",
    "level",
    "message",
    "target",
    "span",
    "request_id",
];
/// The same inside a span.
const OF_SPAN: [&str; 4] = ["name", "request_id", "requestId", "xrayTraceId"];

/// `id` must be unique on the page.
pub(super) fn show(id: &str, text: &str) -> Markup {
    let Ok(Value::Object(members)) = serde_json::from_str(text) else {
        return html! { pre { (redact::text(text)) } };
    };
    let Value::Object(members) = redact::value(&Value::Object(members)) else {
        return html! {};
    };
    let text = |name: &str| members.get(name).and_then(Value::as_str);
    let level = text("level").unwrap_or_default();
    html! {
        @if !level.is_empty() {
            span class={ "status " (class(level)) } { (level.to_lowercase()) } " "
        }
        strong .message { (text("message").unwrap_or_default()) }
        div {
            @for (name, value) in about(&members) { span .key { span .soft { (name) " " } (value) } " " }
        }
        details id=(id) { summary { "all of it" } pre { (pretty(&Value::Object(members.clone()))) } }
    }
}

fn class(level: &str) -> &'static str {
    match level {
        "ERROR" => "bad",
        "WARN" => "warn",
        _ => "off",
    }
}

/// Names and values that the line adds, then those of what it happened in.
fn about(members: &Map<String, Value>) -> Vec<(&str, String)> {
    let told = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let own = members
        .iter()
        .filter(|(name, _)| !USUAL.contains(&name.as_str()));
    let span = members.get("span").and_then(Value::as_object);
    let around = span
        .into_iter()
        .flatten()
        .filter(|(name, _)| !OF_SPAN.contains(&name.as_str()));
    own.chain(around)
        .map(|(name, value)| (name.as_str(), told(value)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_told_in_words_and_whatever_is_no_json_as_it_is() {
        let line = r#"{"timestamp":"t","level":"ERROR","message":"failed <b>","error":"Factory.Rejected",
            "token":"secret-1","span":{"name":"task","request_id":"r","order_id":"OR-1"}}"#;
        let shown = show("line-1", line).into_string();
        for part in [
            r#"<span class="status bad">error</span>"#,
            "failed &lt;b&gt;",
            r#"<span class="soft">error </span>Factory.Rejected"#,
            r#"<span class="soft">order_id </span>OR-1"#,
            "all of it",
        ] {
            assert!(shown.contains(part), "{part} is missing in {shown}");
        }
        assert!(!shown.contains("secret-1"), "{shown}");
        assert_eq!(
            show("line-2", "panicked at <x>").into_string(),
            "<pre>panicked at &lt;x&gt;</pre>"
        );
    }
}

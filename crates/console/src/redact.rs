//! What is never shown: task tokens, signatures of callbacks, keys and passwords. Whoever has a task's token can answer
//! it; whoever has a callback's signature can deliver in the factory's name.
//!
//! Two nets: members that are named like a secret, and texts that look like one wherever they stand. JSON inside a text
//! (a message's body, a Lambda's cause) is looked through too.

use serde_json::Value;

/// What stands in place of a secret.
pub(crate) const HIDDEN: &str = "[hidden]";

/// Ends of members' names, in lower case without `_` and `-`. `next_token` and the like are no secrets but end alike;
/// hiding them costs nothing.
const SECRETS: [&str; 12] = [
    "token",
    "signature",
    "secret",
    "password",
    "passwd",
    "apikey",
    "accesskey",
    "secretkey",
    "callbackkey",
    "authorization",
    "credentials",
    "privatekey",
];
/// Whole names that are secrets.
const NAMES: [&str; 3] = ["sig", "cookie", "setcookie"];
/// Parameters of URLs whose values are secrets.
const PARAMETERS: [&str; 7] = [
    "sig=",
    "signature=",
    "token=",
    "key=",
    "x-amz-signature=",
    "x-amz-security-token=",
    "password=",
];
/// From so many characters on, an unbroken run of letters and digits is a token. ARNs, UUIDs, digests in hex and URLs
/// are shorter or broken by `:`, `-` and `.`.
const LONG: usize = 88;

/// The value without its secrets.
pub(crate) fn value(value: &Value) -> Value {
    match value {
        Value::Object(members) => members
            .iter()
            .map(|(name, member)| {
                let shown = if is_secret(name) && !member.is_null() && !member.is_boolean() {
                    Value::String(HIDDEN.to_owned())
                } else {
                    self::value(member)
                };
                (name.clone(), shown)
            })
            .collect::<serde_json::Map<_, _>>()
            .into(),
        Value::Array(items) => items.iter().map(self::value).collect::<Vec<_>>().into(),
        Value::String(text) => Value::String(self::text(text)),
        other => other.clone(),
    }
}

/// What somebody made of a value that was shown without its secrets: with the secrets again, where it was left as shown.
///
/// # Errors
/// The place (a JSON pointer) of a secret that was moved: nobody knows which it is.
pub(crate) fn restored(edited: &Value, original: &Value) -> Result<Value, String> {
    restore(edited, Some((original, &value(original))), "")
}

/// `before` is the value at this place, as it is and as it was shown.
fn restore(edited: &Value, before: Option<(&Value, &Value)>, place: &str) -> Result<Value, String> {
    if let Some((original, shown)) = before
        && edited == shown
    {
        return Ok(original.clone());
    }
    match edited {
        Value::Object(members) => {
            let restored = members.iter().map(|(name, member)| {
                let before = before.and_then(|(o, s)| o.get(name).zip(s.get(name)));
                let member = restore(member, before, &format!("{place}/{name}"))?;
                Ok((name.clone(), member))
            });
            Ok(Value::Object(restored.collect::<Result<_, String>>()?))
        }
        Value::Array(items) => {
            let restored = items.iter().enumerate().map(|(i, item)| {
                let before = before.and_then(|(o, s)| o.get(i).zip(s.get(i)));
                restore(item, before, &format!("{place}/{i}"))
            });
            Ok(Value::Array(restored.collect::<Result<_, String>>()?))
        }
        Value::String(text) if text.contains(HIDDEN) => Err(place.to_owned()),
        other => Ok(other.clone()),
    }
}

/// The text without its secrets; JSON in it keeps its meaning, not its layout.
pub(crate) fn text(text: &str) -> String {
    let trimmed = text.trim_start();
    if (trimmed.starts_with('{') || trimmed.starts_with('['))
        && let Ok(inner) = serde_json::from_str::<Value>(text)
    {
        let shown = value(&inner);
        return if shown == inner {
            text.to_owned()
        } else {
            shown.to_string()
        };
    }
    // Most texts are short and have neither; there may be tens of thousands on a page.
    let shown = if text.contains('=') {
        hide_parameters(text)
    } else {
        text.to_owned()
    };
    if shown.len() < LONG {
        return shown;
    }
    hide_runs(&shown)
}

/// Error and cause in words. The cause loses its secrets before anything stands around it: only in a whole JSON text are secrets
/// found by their names.
pub(crate) fn reason(error: &str, cause: &str) -> String {
    text(&operate::words::sentence(error, &text(cause)))
}

/// The text of something that has a name, without its secrets: nothing of it where the name says that it is one.
pub(crate) fn member(name: &str, text: &str) -> String {
    if is_secret(name) {
        HIDDEN.to_owned()
    } else {
        self::text(text)
    }
}

fn is_secret(name: &str) -> bool {
    let plain: String = name
        .chars()
        .filter(|c| !matches!(c, '_' | '-' | ' '))
        .flat_map(char::to_lowercase)
        .collect();
    // JSONPath templates name a computed member `token.$`.
    let plain = plain.trim_end_matches(".$");
    NAMES.contains(&plain) || SECRETS.iter().any(|secret| plain.ends_with(secret))
}

/// Hides what follows `sig=` and its like in URLs and in text.
fn hide_parameters(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let mut shown = String::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        let rest = &lower[at..];
        let begins = at == 0 || !is_word(lower.as_bytes()[at - 1]);
        let parameter = PARAMETERS
            .iter()
            .find(|parameter| begins && rest.starts_with(**parameter));
        match parameter {
            Some(parameter) => {
                let value = at + parameter.len();
                shown.push_str(&text[at..value]);
                let length = text[value..]
                    .find(|c: char| {
                        c.is_whitespace()
                            || matches!(c, '&' | '"' | '\'' | '#' | ',' | '}' | ')' | '<')
                    })
                    .unwrap_or(text.len() - value);
                if length > 0 {
                    shown.push_str(HIDDEN);
                }
                at = value + length;
            }
            None => {
                let Some(c) = text[at..].chars().next() else {
                    break;
                };
                shown.push(c);
                at += c.len_utf8();
            }
        }
    }
    shown
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Hides long unbroken runs of the letters tokens are made of.
fn hide_runs(text: &str) -> String {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=' | '_' | '-');
    let mut shown = String::with_capacity(text.len());
    let mut run = String::new();
    for c in text.chars().map(Some).chain([None]) {
        match c {
            Some(c) if is_part(c) => run.push(c),
            other => {
                let is_token = run.len() >= LONG
                    && run.bytes().any(|b| b.is_ascii_digit())
                    && run.bytes().any(|b| b.is_ascii_alphabetic());
                shown.push_str(if is_token { HIDDEN } else { &run });
                run.clear();
                shown.extend(other);
            }
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn token() -> String {
        "AQCEAAAAKgAAAAMAAAAAAAAAAbX9".repeat(8)
    }

    #[test]
    fn secrets_are_hidden_by_their_names() {
        let shown = value(&json!({
            "task_token": "short", "TaskToken": "x", "token.$": "$$.Task.Token", "sig": "ab",
            "api-key": 7, "nested": [{"Authorization": "Bearer x"}], "password": null,
            "product_id": "CP-502101", "design": "round", "keys": ["a"],
        }));
        assert_eq!(
            shown,
            json!({
                "task_token": HIDDEN, "TaskToken": HIDDEN, "token.$": HIDDEN, "sig": HIDDEN,
                "api-key": HIDDEN, "nested": [{"Authorization": HIDDEN}], "password": null,
                "product_id": "CP-502101", "design": "round", "keys": ["a"],
            })
        );
    }

    #[test]
    fn a_reason_hides_what_its_cause_names() {
        let shown = reason("Factory.Rejected", r#"{"token":"short","code":7}"#);
        assert!(!shown.contains("short"), "{shown}");
        assert!(
            shown.contains("Factory.Rejected") && shown.contains('7'),
            "{shown}"
        );
    }

    #[test]
    fn an_edited_value_gets_its_secrets_back_where_they_were() {
        let original =
            json!({"token": "t-1", "n": 1, "calls": [{"url": "http://h/?sig=ab&x=1"}, 2]});
        let mut edited = value(&original);
        assert_eq!(restored(&edited, &original), Ok(original.clone()));
        edited["n"] = json!(2);
        edited["calls"][1] = json!(3);
        edited["more"] = json!({"a": "b"});
        let expected = json!({"token": "t-1", "n": 2, "calls": [{"url": "http://h/?sig=ab&x=1"}, 3], "more": {"a": "b"}});
        assert_eq!(restored(&edited, &original), Ok(expected));
        edited["token"] = json!("t-2");
        assert_eq!(restored(&edited, &original).unwrap()["token"], "t-2");
        edited["moved"] = json!([HIDDEN]);
        assert_eq!(restored(&edited, &original), Err("/moved/0".to_owned()));
    }

    #[test]
    fn secrets_are_hidden_by_their_looks() {
        let body = json!({ "token": token(), "state": "RequestFactory" }).to_string();
        for (given, expected) in [
            (token(), HIDDEN.to_owned()),
            (
                format!("answer with {} please", token()),
                format!("answer with {HIDDEN} please"),
            ),
            (
                "POST http://127.0.0.1:3000/factory/callbacks/a1?sig=00ff&x=1".to_owned(),
                format!("POST http://127.0.0.1:3000/factory/callbacks/a1?sig={HIDDEN}&x=1"),
            ),
            (
                body,
                format!(r#"{{"token":"{HIDDEN}","state":"RequestFactory"}}"#),
            ),
        ] {
            assert_eq!(text(&given), expected);
        }
    }

    #[test]
    fn a_named_text_is_hidden_by_its_name_or_its_looks() {
        assert_eq!(member("Task-Token", "t-1"), HIDDEN);
        assert_eq!(member("product_id", "CP-1"), "CP-1");
        assert_eq!(member("note", "x?sig=ab"), format!("x?sig={HIDDEN}"));
    }

    #[test]
    fn what_people_need_stays() {
        for kept in [
            "arn:aws:states:us-east-1:000000000000:execution:reorder:0199f0a8-1c1f-7c11-8f30-6f3c2c2f7f51",
            "0d7c1b8f3a2e4d5c6b7a8f9e0d1c2b3a4f5e6d7c8b9a0f1e2d3c4b5a69788796",
            "{\"a\":  1}",
            "monkey=1 design=2",
            "구매 완료! 남은 재고: 3",
            "",
        ] {
            assert_eq!(text(kept), kept);
        }
    }
}

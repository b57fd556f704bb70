//! Single values between JSON, as Step Functions has them, and the texts of forms, headers, paths and XML.

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use serde_json::Value;

use crate::models::wire::{Kind, Time};

/// A value as text: text as it is, everything else as its JSON.
pub(super) fn text_of(kind: Kind, value: &Value) -> Result<String, String> {
    let text = match value {
        Value::String(text) => text.clone(),
        value => value.to_string(),
    };
    match kind {
        Kind::Time(form) => write_time(form, &text),
        _ => Ok(text),
    }
}

/// A text as the value that Step Functions makes of it; text that is not of the kind stays text.
pub(super) fn value_of(kind: Kind, text: &str) -> Value {
    let read = match kind {
        Kind::Number => serde_json::from_str(text).ok().filter(Value::is_number),
        Kind::Boolean => text.parse().ok().map(Value::Bool),
        Kind::Time(Time::Http) => rfc2822::parse(text).ok().map(|it| shown(it.timestamp())),
        Kind::Time(Time::Iso) => text.parse().ok().map(shown),
        Kind::Time(Time::Epoch) => text.parse().ok().and_then(seconds),
        _ => None,
    };
    read.unwrap_or_else(|| text.into())
}

/// A time in seconds.
pub(super) fn seconds(seconds: f64) -> Option<Value> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a time, or nonsense either way"
    )]
    let time = Timestamp::from_millisecond((seconds * 1000.0).round() as i64);
    time.ok().map(shown)
}

fn shown(time: Timestamp) -> Value {
    let form = match time.subsec_nanosecond() {
        0 => "%Y-%m-%dT%H:%M:%SZ",
        _ => "%Y-%m-%dT%H:%M:%S%.3fZ",
    };
    time.strftime(form).to_string().into()
}

/// A time of the parameters, in the form that the service reads.
pub(super) fn write_time(form: Time, text: &str) -> Result<String, String> {
    let time: Timestamp = text
        .parse()
        .map_err(|_| format!("'{text}' is not a time such as 2025-01-02T03:04:05Z"))?;
    Ok(match form {
        Time::Iso => time.to_string(),
        Time::Epoch => time.as_second().to_string(),
        Time::Http => time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string(),
    })
}

/// The reason for a member that an action does not have.
pub(super) fn not_supported(name: &str) -> String {
    format!("The field '{name}' is not supported by Step Functions")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn times_are_read_in_every_form() {
        for (form, text, expected) in [
            (
                Time::Http,
                "Sun, 30 Aug 2015 12:36:00 GMT",
                "2015-08-30T12:36:00Z",
            ),
            (
                Time::Iso,
                "2015-08-30T12:36:00.500Z",
                "2015-08-30T12:36:00.500Z",
            ),
            (Time::Epoch, "1440938160", "2015-08-30T12:36:00Z"),
            (Time::Iso, "yesterday", "yesterday"),
        ] {
            assert_eq!(value_of(Kind::Time(form), text), expected, "{text}");
        }
        let written = |form| text_of(Kind::Time(form), &json!("2015-08-30T12:36:00Z")).unwrap();
        assert_eq!(written(Time::Http), "Sun, 30 Aug 2015 12:36:00 GMT");
        assert_eq!(written(Time::Epoch), "1440938160");
        assert!(text_of(Kind::Time(Time::Iso), &json!("yesterday")).is_err());
    }
}

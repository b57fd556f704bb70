//! Counts as the original systems send them: a number or a text.
//!
//! The seeds' clients send `3` and `"3"` alike. Everything else is refused where the request is parsed,
//! so that the rest of the code never sees a count that is zero, negative, a fraction or too large.

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de::Error};
use serde_json::Value;

/// The largest count that one request may carry.
pub(crate) const LARGEST: u32 = 1_000_000;

/// A count from 1 to [`LARGEST`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Quantity(u32);

impl Quantity {
    /// The count.
    pub fn get(self) -> u32 {
        self.0
    }

    /// Reads a JSON value. The error says what a count must be, for the client.
    pub fn parse(value: &Value) -> Result<Self, NotACount> {
        let count = match value {
            Value::Number(number) => match (number.as_u64(), number.as_f64()) {
                (Some(count), _) => Some(count),
                // JSON does not tell 3.0 from 3.
                (None, Some(float)) if float.fract() == 0.0 && (1.0..=1e6).contains(&float) => {
                    Some(float as u64)
                }
                _ => None,
            },
            Value::String(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => {
                let plain = !text.starts_with('0');
                text.parse::<u64>().ok().filter(|_| plain)
            }
            _ => None,
        };
        match count {
            Some(count @ 1..=1_000_000) => Ok(Self(count as u32)),
            _ => Err(NotACount),
        }
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A value that is no count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a whole number from 1 to 1,000,000 (a number or a text of digits)")]
pub struct NotACount;

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Self::parse(&value).map_err(D::Error::custom)
    }
}

impl JsonSchema for Quantity {
    fn schema_name() -> Cow<'static, str> {
        "Quantity".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A whole number from 1 to 1,000,000, as a number or as a text of digits.",
            "anyOf": [
                {"type": "integer", "minimum": 1, "maximum": LARGEST},
                {"type": "string", "pattern": "^([1-9][0-9]{0,5}|1000000)$"}
            ]
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_and_digits_are_counts() {
        for (value, count) in [
            (json!(1), 1),
            (json!("1"), 1),
            (json!(3.0), 3),
            (json!("100"), 100),
            (json!(1_000_000), 1_000_000),
            (json!("1000000"), 1_000_000),
        ] {
            assert_eq!(
                Quantity::parse(&value).map(Quantity::get),
                Ok(count),
                "{value}"
            );
        }
    }

    #[test]
    fn everything_else_is_not() {
        for value in [
            json!(0),
            json!(-1),
            json!(1.5),
            json!(1_000_001),
            json!(u64::MAX),
            json!(1e300),
            json!("0"),
            json!("007"),
            json!("-1"),
            json!("+1"),
            json!("1.5"),
            json!("1000001"),
            json!("99999999999999999999999"),
            json!(""),
            json!(" 1"),
            json!("three"),
            json!("٣"),
            json!(true),
            json!(null),
            json!([1]),
            json!({"n": 1}),
        ] {
            assert_eq!(Quantity::parse(&value), Err(NotACount), "{value}");
        }
    }
}

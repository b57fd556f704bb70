//! Payloads: JSON that is shared, never copied.
//!
//! A payload moves through states, events, journal and wire unchanged most of the time. [`Data`] therefore keeps both its
//! forms, the parsed value and the text, makes the second one only when somebody asks, and clones by reference count.

use std::fmt;
use std::sync::{Arc, LazyLock, OnceLock};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

/// The most bytes a payload may have before AWS fails the state with `States.DataLimitExceeded`.
/// Source: "Service quotas: Maximum input or output size for a task, state, or execution".
pub const PAYLOAD_LIMIT: usize = 262_144;

/// A JSON value that is shared: cloning is a reference count.
///
/// Serializes as plain nested JSON (the journal's form); [`Data::text`] is the form that AWS puts into strings (the wire's form).
/// A payload that was parsed keeps its text as it was written, blanks included, as AWS does.
#[derive(Clone)]
pub struct Data(Arc<Inner>);

struct Inner {
    value: Value,
    text: OnceLock<Box<RawValue>>,
}

static EMPTY_OBJECT: LazyLock<Data> =
    LazyLock::new(|| Data::new(Value::Object(serde_json::Map::new())));
static NULL: LazyLock<Data> = LazyLock::new(|| Data::new(Value::Null));

impl Data {
    /// Reads a JSON text and keeps it.
    ///
    /// # Errors
    /// The text is not JSON, or nests deeper than 127 levels.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        let value = serde_json::from_str(text)?;
        let raw: Box<RawValue> = serde_json::from_str(text)?;
        Ok(Self::from_parts(value, raw))
    }

    /// Wraps a value; its text is made when it is first needed.
    pub fn new(value: Value) -> Self {
        Self(Arc::new(Inner {
            value,
            text: OnceLock::new(),
        }))
    }

    /// The payload `{}`.
    pub fn empty() -> Self {
        EMPTY_OBJECT.clone()
    }

    /// The payload `null`.
    pub fn null() -> Self {
        NULL.clone()
    }

    fn from_parts(value: Value, raw: Box<RawValue>) -> Self {
        Self(Arc::new(Inner {
            value,
            text: OnceLock::from(raw),
        }))
    }

    /// The parsed value.
    pub fn value(&self) -> &Value {
        &self.0.value
    }

    /// The JSON text: as it was written, or compact if it was computed.
    pub fn text(&self) -> &str {
        self.raw().get()
    }

    /// Length of [`Data::text`] in bytes, what AWS's payload limit counts.
    #[expect(clippy::len_without_is_empty, reason = "a JSON text is never empty")]
    pub fn len(&self) -> usize {
        self.text().len()
    }

    /// Whether both are the very same payload in memory.
    pub fn same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    fn raw(&self) -> &RawValue {
        self.0.text.get_or_init(|| {
            serde_json::value::to_raw_value(&self.0.value)
                .unwrap_or_else(|_| RawValue::NULL.to_owned())
        })
    }
}

/// What a payload may weigh while it is put together. It is refused at [`PAYLOAD_LIMIT`] once it is whole; this keeps it from
/// being made at all where a definition names the same data thousands of times.
pub(crate) const HEAVIEST: usize = 64 * PAYLOAD_LIMIT;

/// Roughly the bytes of a value.
pub(crate) fn weight(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 4,
        Value::String(text) => text.len() + 2,
        Value::Array(items) => items.iter().map(weight).sum::<usize>() + 2,
        Value::Object(members) => {
            let member = |(name, value): (&String, &Value)| name.len() + 4 + weight(value);
            members.iter().map(member).sum::<usize>() + 2
        }
    }
}

impl From<Value> for Data {
    fn from(value: Value) -> Self {
        Self::new(value)
    }
}

impl PartialEq for Data {
    fn eq(&self, other: &Self) -> bool {
        self.same(other) || self.0.value == other.0.value
    }
}

impl fmt::Debug for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl Serialize for Data {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.raw().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Data {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let value = serde_json::from_str(raw.get()).map_err(serde::de::Error::custom)?;
        Ok(Self::from_parts(value, raw))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_text_as_it_was_written() {
        let data = Data::parse("[\"a\", 1.50]").unwrap();
        assert_eq!(data.text(), "[\"a\", 1.50]");
        assert_eq!(Data::new(data.value().clone()).text(), "[\"a\",1.5]");
        let journal = serde_json::to_string(&vec![data.clone()]).unwrap();
        let back: Vec<Data> = serde_json::from_str(&journal).unwrap();
        assert_eq!(back[0].text(), data.text());
    }

    #[test]
    fn refuses_what_is_not_json_or_too_deep() {
        assert!(Data::parse("{").is_err());
        assert!(Data::parse(&"[".repeat(100_000)).is_err());
        assert!(Data::parse(&format!("{}{}", "[".repeat(200), "]".repeat(200))).is_err());
    }
}

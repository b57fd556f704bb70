//! Actual answers in the form of the recordings: texts that hold an object are read, account, region and partition are named.

use serde_json::{Map, Value};

use crate::wire::{ACCOUNT, REGION};

/// The recordings' account.
const RECORDED_ACCOUNT: &str = "111111111111";

pub(crate) fn normal(actual: &Value) -> Value {
    let text = read_texts(actual)
        .to_string()
        .replace(ACCOUNT, RECORDED_ACCOUNT)
        .replace(REGION, "<region>")
        .replace("arn:aws:", "arn:<partition>:");
    serde_json::from_str(&text).unwrap()
}

/// What is read out of a text is not searched again, and neither are lists inside lists.
fn read_texts(value: &Value) -> Value {
    let Value::Object(members) = value else {
        return value.clone();
    };
    let read = |member: &Value| match member {
        Value::String(text) if text.starts_with('{') => {
            serde_json::from_str(text).unwrap_or_else(|_| member.clone())
        }
        Value::Array(elements) => Value::Array(elements.iter().map(read_texts).collect()),
        member => read_texts(member),
    };
    let members: Map<String, Value> = members
        .iter()
        .map(|(name, member)| (name.clone(), read(member)))
        .collect();
    Value::Object(members)
}

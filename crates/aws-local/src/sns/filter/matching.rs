//! Whether one message passes a policy.

use serde_json::Value;

use crate::attributes::{AttributeValue, MessageAttributes};

use super::{
    FilterPolicy, Scope,
    condition::{Condition, Decimal, Operand},
    policy::{Group, Rule},
};

impl FilterPolicy {
    /// Whether a message with these attributes and this text is wanted. A body that is no JSON object passes no policy of scope
    /// `MessageBody`, except the empty one.
    pub fn accepts(&self, attributes: &MessageAttributes, body: &str) -> bool {
        match self.scope {
            Scope::MessageAttributes => {
                accepts(&self.root, &|key| operands_of_attribute(attributes, key))
            }
            Scope::MessageBody => match serde_json::from_str::<Value>(body) {
                Ok(body @ Value::Object(_)) => accepts_json(&self.root, Some(&body)),
                _ => self.root == Group::default(),
            },
        }
    }
}

/// Evaluates a flat group; `look_up` gives the values of a key, `None` when it is absent.
fn accepts(group: &Group, look_up: &dyn Fn(&str) -> Option<Vec<Operand>>) -> bool {
    group.keys.iter().all(|(key, rule)| match rule {
        Rule::AnyOf(tests) => passes_any(tests, look_up(key).as_deref()),
        // The parser refuses nesting where values are flat.
        Rule::Nested(_) => false,
    }) && group
        .alternatives
        .iter()
        .all(|groups| groups.iter().any(|group| accepts(group, look_up)))
}

fn accepts_json(group: &Group, value: Option<&Value>) -> bool {
    // Of a list of objects one must satisfy the whole group.
    if let Some(Value::Array(items)) = value {
        return items.iter().any(|item| accepts_json(group, Some(item)));
    }
    let member = |key: &str| value.and_then(|value| value.get(key));
    group.keys.iter().all(|(key, rule)| match rule {
        Rule::Nested(nested) => accepts_json(nested, member(key)),
        Rule::AnyOf(tests) => {
            let operands = member(key).map(|value| {
                let mut operands = Vec::new();
                flatten(value, &mut operands);
                operands
            });
            passes_any(tests, operands.as_deref())
        }
    }) && group
        .alternatives
        .iter()
        .all(|groups| groups.iter().any(|group| accepts_json(group, value)))
}

fn passes_any(tests: &[Condition], values: Option<&[Operand]>) -> bool {
    tests.iter().any(|test| match (test, values) {
        (Condition::Exists(wanted), values) => *wanted == values.is_some(),
        (_, None) => false,
        // No element of a list may be excluded.
        (Condition::AnythingBut(_), Some(values)) => {
            !values.is_empty() && values.iter().all(|value| test.passes(value))
        }
        (_, Some(values)) => values.iter().any(|value| test.passes(value)),
    })
}

/// The scalars of a value, lists opened. Objects have no value of their own.
fn flatten(value: &Value, operands: &mut Vec<Operand>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| flatten(item, operands)),
        scalar => operands.extend(Operand::from_json(scalar)),
    }
}

/// Only the types `String`, `String.Array` and `Number` take part in filtering.
fn operands_of_attribute(attributes: &MessageAttributes, key: &str) -> Option<Vec<Operand>> {
    let attribute = attributes.get(key)?;
    let AttributeValue::String(text) = &attribute.value else {
        return None;
    };
    match attribute.data_type.as_str() {
        "String" => Some(vec![Operand::Text(text.clone())]),
        "Number" => Some(
            text.trim()
                .parse()
                .ok()
                .and_then(Decimal::from_f64)
                .map(Operand::Number)
                .into_iter()
                .collect(),
        ),
        "String.Array" => {
            let items: Vec<Value> = serde_json::from_str(text).ok()?;
            Some(items.iter().filter_map(Operand::from_json).collect())
        }
        _ => None,
    }
}

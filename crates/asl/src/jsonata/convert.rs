//! Between our payloads and the evaluator's values.

use jsonata_core::value::JValue;
use serde_json::{Map, Number, Value};

use super::EvaluationError;
use super::guard::is_large;

/// How deep a result may nest. JSON texts deeper than 128 levels cannot be read back.
const DEPTH: usize = 100;

pub(super) fn to_jsonata(value: &Value) -> JValue {
    match value {
        Value::Null => JValue::Null,
        Value::Bool(truth) => JValue::Bool(*truth),
        Value::Number(number) => JValue::Number(number.as_f64().unwrap_or(f64::NAN)),
        Value::String(text) => JValue::string(text.as_str()),
        Value::Array(items) => JValue::array(items.iter().map(to_jsonata).collect()),
        Value::Object(members) => JValue::object(
            members
                .iter()
                .map(|(name, member)| (name.clone(), to_jsonata(member)))
                .collect(),
        ),
    }
}

pub(super) fn to_json(value: &JValue) -> Result<Value, EvaluationError> {
    // Parts that are shared in memory are written out as often as they are shared.
    if is_large(value) {
        return Err(EvaluationError::Threw(
            "The result is far larger, or nests far deeper, than any payload.".to_owned(),
        ));
    }
    convert(value, DEPTH)?.ok_or(EvaluationError::Undefined)
}

/// `None` is undefined: it has no place in JSON, and is left out of objects and arrays.
fn convert(value: &JValue, depth: usize) -> Result<Option<Value>, EvaluationError> {
    if depth == 0 {
        return Err(EvaluationError::Threw(format!(
            "The result nests deeper than {DEPTH} levels."
        )));
    }
    Ok(Some(match value {
        JValue::Undefined => return Ok(None),
        JValue::Null => Value::Null,
        JValue::Bool(truth) => Value::Bool(*truth),
        JValue::Number(number) => self::number(*number)?,
        JValue::String(text) => Value::String(text.to_string()),
        JValue::Array(items) => {
            let mut array = Vec::with_capacity(items.len());
            for item in items.iter() {
                array.extend(convert(item, depth - 1)?);
            }
            Value::Array(array)
        }
        JValue::Object(members) => {
            let mut object = Map::with_capacity(members.len());
            for (name, member) in members.iter() {
                if let Some(member) = convert(member, depth - 1)? {
                    object.insert(name.clone(), member);
                }
            }
            Value::Object(object)
        }
        _ => return Err(EvaluationError::Unsupported),
    }))
}

/// Whole numbers are written without a fraction, as AWS does.
fn number(number: f64) -> Result<Value, EvaluationError> {
    /// Above 2^53 not every whole number is a double.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if number.fract() == 0.0 && number.abs() <= EXACT {
        #[expect(clippy::cast_possible_truncation, reason = "whole and in range")]
        return Ok(Value::from(number as i64));
    }
    Number::from_f64(number).map(Value::Number).ok_or_else(|| {
        EvaluationError::Threw("D3001: The result is not a number that JSON can hold.".to_owned())
    })
}

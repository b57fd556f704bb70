//! awsJson: the request's JSON is the parameters, the result is the answer's.

use bytes::Bytes;
use http::{HeaderValue, Method, header};
use serde_json::{Map, Value};

use super::super::states::pascal_case;
use super::call::{Answer, Call};
use crate::models;

/// The request of an action.
pub(super) fn request(
    target: &str,
    version: &str,
    camel: bool,
    texts: &[&str],
    action: &str,
    parameters: &Value,
) -> Result<Call, String> {
    let mut call = Call {
        method: Method::POST,
        path: "/".to_owned(),
        body: Bytes::from(body(camel, texts, parameters)),
        ..Call::default()
    };
    for (name, value) in [
        (
            header::CONTENT_TYPE,
            format!("application/x-amz-json-{version}"),
        ),
        (
            header::HeaderName::from_static("x-amz-target"),
            format!("{target}.{action}"),
        ),
    ] {
        let value = HeaderValue::from_str(&value).map_err(|error| error.to_string())?;
        call.headers.insert(name, value);
    }
    Ok(call)
}

/// Members that are null are left out, and JSON that belongs into a text is written as one.
fn body(camel: bool, texts: &[&str], parameters: &Value) -> String {
    let Value::Object(members) = parameters else {
        return parameters.to_string();
    };
    let mut request = Map::with_capacity(members.len());
    for (name, value) in members.iter().filter(|(_, value)| !value.is_null()) {
        let value = match value {
            Value::String(_) => value.clone(),
            value if texts.contains(&name.as_str()) => value.to_string().into(),
            value => value.clone(),
        };
        request.insert(name.clone(), value);
    }
    let request = Value::Object(request);
    if camel {
        renamed(&request, camel_case).to_string()
    } else {
        request.to_string()
    }
}

/// The task's result.
pub(super) fn result(service: &str, camel: bool, action: &str, answer: &Answer) -> Value {
    // Some actions answer with nothing.
    let answer = serde_json::from_slice(answer.body()).unwrap_or_else(|_| Map::new().into());
    let mut result = if camel {
        renamed(&answer, pascal_case)
    } else {
        answer
    };
    models::write_times(service, action, &mut result);
    result
}

fn renamed(value: &Value, rename: fn(&str) -> String) -> Value {
    match value {
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| (rename(name), renamed(value, rename)))
            .collect::<Map<_, _>>()
            .into(),
        Value::Array(elements) => elements
            .iter()
            .map(|element| renamed(element, rename))
            .collect(),
        value => value.clone(),
    }
}

/// `ExecutionArn` → `executionArn`.
fn camel_case(name: &str) -> String {
    let mut characters = name.chars();
    let first = characters.next().map(|first| first.to_ascii_lowercase());
    first.into_iter().chain(characters).collect()
}

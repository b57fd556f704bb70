//! awsJson: the request's JSON is the parameters, the result is the answer's.

use bytes::Bytes;
use http::{HeaderValue, Method, header};
use serde_json::{Map, Value};

use super::super::states::pascal_case;
use super::call::{Answer, Call};
use crate::models;

/// How a service writes the names of members.
#[derive(Debug, Clone, Copy)]
pub(super) struct Names {
    /// They begin with a small letter.
    pub(super) camel: bool,
    /// Those of maps, in Pascal case.
    pub(super) maps: &'static [&'static str],
}

/// The request of an action.
pub(super) fn request(
    target: &str,
    version: &str,
    names: Names,
    texts: &[&str],
    action: &str,
    parameters: &Value,
) -> Result<Call, String> {
    let mut call = Call {
        method: Method::POST,
        path: "/".to_owned(),
        body: Bytes::from(body(names, texts, parameters)),
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
fn body(names: Names, texts: &[&str], parameters: &Value) -> String {
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
    if names.camel {
        renamed(&request, names.maps, camel_case).to_string()
    } else {
        request.to_string()
    }
}

/// The task's result.
pub(super) fn result(service: &str, names: Names, action: &str, answer: &Answer) -> Value {
    // Some actions answer with nothing.
    let answer = serde_json::from_slice(answer.body()).unwrap_or_else(|_| Map::new().into());
    let mut result = if names.camel {
        renamed(&answer, names.maps, pascal_case)
    } else {
        answer
    };
    models::write_times(service, action, &mut result);
    result
}

fn renamed(value: &Value, maps: &[&str], rename: fn(&str) -> String) -> Value {
    match value {
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| {
                let is_map = maps.contains(&pascal_case(name).as_str()) && value.is_object();
                let value = match is_map {
                    // The keys are the user's. What stands behind them has no members in any of these services.
                    true => value.clone(),
                    false => renamed(value, maps, rename),
                };
                (rename(name), value)
            })
            .collect::<Map<_, _>>()
            .into(),
        Value::Array(elements) => elements
            .iter()
            .map(|element| renamed(element, maps, rename))
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::services::{self, Protocol};
    use super::*;

    #[test]
    fn names_of_members_are_changed_and_keys_of_maps_are_not() {
        let service = services::find("cloudwatchlogs").unwrap();
        let Protocol::Json { camel, maps, .. } = service.protocol else {
            panic!("{service:?}");
        };
        let names = Names { camel, maps };
        let given = json!({"LogGroupName": "g", "Tags": {"Team": "A", "of": "B"},
            "MetricTransformations": [{"MetricName": "m", "Dimensions": {"Host": "$.h"}}]});
        let written = body(names, &[], &given);
        assert_eq!(
            serde_json::from_str::<Value>(&written).unwrap(),
            json!({"logGroupName": "g", "tags": {"Team": "A", "of": "B"},
                "metricTransformations": [{"metricName": "m", "dimensions": {"Host": "$.h"}}]})
        );
        let answer = Answer::new(Bytes::from(written));
        assert_eq!(
            result(service.name, names, "CreateLogGroup", &answer),
            given
        );
    }
}

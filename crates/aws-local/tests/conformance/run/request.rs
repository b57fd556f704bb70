//! Cases of one request and its answer.

use regex::Regex;
use serde_json::{Map, Value, json};

use super::{Outcome, compare, judge};
use crate::case::Case;
use crate::difference::Difference;
use crate::wire::{ROLE, Reply, Wire};

pub(super) async fn create(wire: &Wire, case: &Case, number: usize) -> Outcome {
    let mut request = request(case);
    // Names that the recording made up only have to be unique.
    let made_up = Regex::new("u[0-9a-f]{7}").unwrap();
    let name = request.get("name").and_then(Value::as_str).map_or_else(
        || format!("refused-{number}"),
        |name| made_up.replace_all(name, format!("r{number}")).into_owned(),
    );
    request.insert("name".into(), name.into());
    request.insert(
        "type".into(),
        case.machine_type.as_deref().unwrap_or("STANDARD").into(),
    );
    request.entry("roleArn").or_insert_with(|| ROLE.into());
    let reply = wire
        .call("CreateStateMachine", &Value::Object(request))
        .await;
    compare_reply(case, &reply)
}

pub(super) async fn validate(wire: &Wire, case: &Case) -> Outcome {
    let request = Value::Object(request(case));
    let reply = wire.call("ValidateStateMachineDefinition", &request).await;
    compare_reply(case, &reply)
}

pub(super) async fn test_state(wire: &Wire, case: &Case) -> Outcome {
    let mut request = request(case);
    if let Some(input) = &case.input {
        request.insert("input".into(), input.as_str().into());
    }
    let reply = wire.call("TestState", &Value::Object(request)).await;
    compare_reply(case, &reply)
}

fn request(case: &Case) -> Map<String, Value> {
    let mut request = case.request.clone().unwrap_or_default();
    request.insert("definition".into(), case.definition().into());
    request
}

fn compare_reply(case: &Case, reply: &Reply) -> Outcome {
    let expected = case.expected.response.as_ref().unwrap_or(&Value::Null);
    if !case.expected.error || reply.failure.is_none() {
        let main = ["status", "error", "output", "result", "nextState"];
        let fits = reply.failure.is_none()
            && !case.expected.error
            && same_members(case, expected, &reply.body, &main);
        return judge(compare(case, expected, &reply.body), fits);
    }
    let (found, code) = compare_failure(case, expected, reply);
    judge(found, code)
}

/// Compares an error: the differences, and whether at least its code fits.
pub(super) fn compare_failure(
    case: &Case,
    expected: &Value,
    reply: &Reply,
) -> (Vec<Difference>, bool) {
    let Some(failure) = &reply.failure else {
        return (compare(case, expected, &json!("success")), false);
    };
    if let Some(name) = expected.get("exception_typename") {
        let raised = json!({ "exception_typename": failure.code, "exception_value": failure.text });
        let expected = json!({
            "exception_typename": name, "exception_value": expected["exception_value"],
        });
        (compare(case, &expected, &raised), *name == failure.code)
    } else if let Value::String(text) = expected {
        let code = text.contains(&format!("({})", failure.code));
        (compare(case, expected, &json!(failure.text)), code)
    } else {
        let code = expected["Error"]["Code"] == failure.code;
        (compare(case, expected, &reply.body), code)
    }
}

/// Whether some members are equal.
pub(super) fn same_members(
    case: &Case,
    expected: &Value,
    actual: &Value,
    members: &[&str],
) -> bool {
    let only = |value: &Value| -> Value {
        let picked = members.iter().filter_map(|name| {
            let member = value.get(*name)?;
            Some(((*name).to_owned(), member.clone()))
        });
        Value::Object(picked.collect())
    };
    compare(case, &only(expected), &only(actual)).is_empty()
}

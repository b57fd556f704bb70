//! Executions whose tasks are answered by a mock configuration, made from what the recording says of them.

use serde_json::{Map, Value, json};

use super::{Outcome, different, execution};
use crate::case::Case;
use crate::wire::{ROLE, Wire};

const TEST_CASE: &str = "Recorded";

pub(super) async fn run(wire: &Wire, case: &Case) -> Outcome {
    let request = json!({
        "name": name(case), "definition": case.definition(), "roleArn": ROLE, "type": "STANDARD",
    });
    let made = wire.call("CreateStateMachine", &request).await;
    if let Some(failure) = made.failure {
        return different(failure.text);
    }
    let arn = made.body["stateMachineArn"].as_str().unwrap_or_default();
    let input = case.input.as_deref().unwrap_or("{}");
    let start = json!({ "stateMachineArn": format!("{arn}#{TEST_CASE}"), "input": input });
    execution::follow(wire, case, &start).await
}

/// The state machine's name: made from the id, which no name may hold.
fn name(case: &Case) -> String {
    let short = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    let name: String = case.id.chars().map(short).collect();
    let digest = case.id.bytes().fold(0u32, |sum, byte| {
        sum.wrapping_mul(31).wrapping_add(byte.into())
    });
    let tail = &name[name.len().saturating_sub(60)..];
    format!("{tail}-{digest:08x}")
}

/// The mock configuration for all cases.
pub(crate) fn configuration(cases: &[Case]) -> Value {
    let (mut machines, mut responses) = (Map::new(), Map::new());
    for case in cases.iter().filter(|case| case.is_mockable()) {
        let mut test = Map::new();
        for (state, attempts) in case.mocks.iter().flatten() {
            let response = format!("{}/{state}", name(case));
            let attempts = attempts.as_array().into_iter().flatten().enumerate();
            let by_attempt: Map<String, Value> = attempts
                .map(|(number, attempt)| (number.to_string(), mocked_response(attempt)))
                .collect();
            responses.insert(response.clone(), Value::Object(by_attempt));
            test.insert(state.clone(), response.into());
        }
        machines.insert(name(case), json!({ "TestCases": { TEST_CASE: test } }));
    }
    json!({ "StateMachines": machines, "MockedResponses": responses })
}

fn mocked_response(attempt: &Value) -> Value {
    let outcome = attempt["outcome"].as_str().unwrap_or_default();
    let read = |value: &Value| match value {
        Value::String(text) => serde_json::from_str(text).unwrap_or_else(|_| value.clone()),
        value => value.clone(),
    };
    if outcome == "LambdaFunctionSucceeded" {
        // What such a state gets is the payload of the answer.
        let payload = read(&attempt["output"]);
        return json!({ "Return": { "StatusCode": 200, "Payload": payload } });
    }
    if outcome.ends_with("Succeeded") {
        return json!({ "Return": read(&attempt["output"]) });
    }
    let timed_out = if outcome.contains("TimedOut") {
        "States.Timeout"
    } else {
        ""
    };
    let error = attempt["error"].as_str().filter(|error| !error.is_empty());
    let cause = match &attempt["cause"] {
        Value::Null => String::new(),
        Value::String(cause) => cause.clone(),
        cause => cause.to_string(),
    };
    json!({ "Throw": { "Error": error.unwrap_or(timed_out), "Cause": cause } })
}

//! Executions that call no service.

use std::time::Duration;

use jiff::{Timestamp, ToSpan as _};
use serde_json::{Value, json};

use super::{Outcome, compare, different, judge};
use crate::case::Case;
use crate::history;
use crate::wire::{ROLE, Wire};

/// A history that was recorded while its execution ran is looked at so often …
const LOOKS: u32 = 60;
/// … at such intervals, until it has as many events as the recorded one.
const INTERVAL: Duration = Duration::from_millis(100);

pub(super) async fn run(wire: &Wire, case: &Case, number: usize) -> Outcome {
    // Cases name the same files.
    let _files = if case.s3_objects.is_empty() {
        None
    } else {
        Some(wire.put(&case.s3_objects).await)
    };
    let mut request = json!({
        "name": format!("case-{number}"), "definition": case.definition(), "roleArn": ROLE,
        "type": case.machine_type.as_deref().unwrap_or("STANDARD"),
    });
    if let Some(tracing) = case
        .request
        .as_ref()
        .and_then(|more| more.get("tracingConfiguration"))
    {
        request["tracingConfiguration"] = tracing.clone();
    }
    let made = wire.call("CreateStateMachine", &request).await;
    if let Some(failure) = made.failure {
        return different(failure.text);
    }
    let start = json!({ "stateMachineArn": made.body["stateMachineArn"], "input": input(case) });
    if let Some(expected) = &case.expected.sync_response {
        let answer = wire.call("StartSyncExecution", &start).await.body;
        let found = compare(case, expected, &answer);
        let main = ["status", "error", "output"];
        return judge(
            found,
            super::request::same_members(case, expected, &answer, &main),
        );
    }
    follow(wire, case, &start).await
}

/// Starts, waits for the end and compares.
pub(super) async fn follow(wire: &Wire, case: &Case, start: &Value) -> Outcome {
    let ended = wire.ended();
    let started = wire.call("StartExecution", start).await;
    if let Some(failure) = started.failure {
        return different(failure.text);
    }
    let execution = started.body["executionArn"].as_str().unwrap_or_default();
    let Some(expected) = &case.expected.history else {
        let described = wire.end_of(execution, ended).await;
        return compare_end(case, &described);
    };
    if case.expected.status.is_none() {
        let events = growing_history(wire, execution, expected.len()).await;
        wire.call("StopExecution", &json!({ "executionArn": execution }))
            .await;
        return history::compare(case, expected, events);
    }
    wire.end_of(execution, ended).await;
    history::compare(case, expected, wire.history_of(execution).await)
}

fn input(case: &Case) -> String {
    let mut input = case.input.clone().unwrap_or_else(|| "{}".to_owned());
    for (written, offset) in &case.relative_times {
        let time = Timestamp::now() + offset.seconds();
        let fraction = written.get(19..).unwrap_or("Z");
        let shown = format!("{}{fraction}", time.strftime("%Y-%m-%dT%H:%M:%S"));
        input = input.replace(written, &shown);
    }
    input
}

async fn growing_history(wire: &Wire, execution: &str, length: usize) -> Vec<Value> {
    for _ in 0..LOOKS {
        let events = wire.history_of(execution).await;
        if events.len() >= length {
            return events;
        }
        tokio::time::sleep(INTERVAL).await;
    }
    wire.history_of(execution).await
}

/// Only how it ended was recorded.
fn compare_end(case: &Case, described: &Value) -> Outcome {
    let mut expected = json!({ "status": case.expected.status });
    let mut actual = json!({ "status": described["status"] });
    if let Some(output) = &case.expected.output {
        // Some recordings wrap the one output they have into a list.
        expected["output"] = match output {
            Value::Array(one) if one.len() == 1 => one[0].clone(),
            output => output.clone(),
        };
        actual["output"] = described["output"].clone();
    }
    judge(compare(case, &expected, &actual), false)
}

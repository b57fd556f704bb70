//! The readings, against an endpoint that fails where the test wants it to.

use futures::future::join_all;
use serde_json::{Value, json};

use super::*;
use crate::stand_in::stand_in;

const MACHINE: &str = "arn:aws:states:us-east-1:000000000000:stateMachine:m";
const EXECUTIONS: &str = "arn:aws:states:us-east-1:000000000000:execution:m";

fn refusal() -> (u16, Value) {
    // Not an error that the SDK tries again.
    let answer = json!({"__type": "ValidationException", "message": "a damaged history"});
    (400, answer)
}

/// An endpoint with running executions of these names, the newest first.
fn lists(names: &[&str], operation: &str) -> Option<Value> {
    match operation {
        "ListStateMachines" => Some(json!({"stateMachines": [
            {"stateMachineArn": MACHINE, "name": "m", "type": "STANDARD", "creationDate": 1}]})),
        "ListExecutions" => {
            let executions = names.iter().map(|name| {
                json!({"executionArn": format!("{EXECUTIONS}:{name}"), "stateMachineArn": MACHINE,
                    "name": name, "status": "RUNNING", "startDate": 1})
            });
            Some(json!({"executions": executions.collect::<Vec<_>>()}))
        }
        _ => None,
    }
}

fn parked_history() -> Value {
    let message = json!({"token": "t", "failed": {"state": "A", "input": {}}});
    let parameters = json!({"QueueUrl": "http://h/0/a_dlq", "MessageBody": message}).to_string();
    json!({"events": [
        {"id": 1, "previousEventId": 0, "timestamp": 1, "type": "ExecutionStarted",
            "executionStartedEventDetails": {"input": "{}"}},
        {"id": 2, "previousEventId": 1, "timestamp": 1, "type": "TaskStateEntered",
            "stateEnteredEventDetails": {"name": "ParkA", "input": "{}"}},
        {"id": 3, "previousEventId": 2, "timestamp": 1, "type": "TaskScheduled", "taskScheduledEventDetails":
            {"resource": "sendMessage.waitForTaskToken", "resourceType": "sqs", "region": "r", "parameters": parameters}},
    ]})
}

#[tokio::test]
async fn one_history_that_cannot_be_read_hides_no_other() {
    let (at, _) = stand_in(
        |operation, input| match lists(&["bad", "a", "b"], operation) {
            Some(answer) => (200, answer),
            None if input["executionArn"] == format!("{EXECUTIONS}:bad") => refusal(),
            None => (200, parked_history()),
        },
    )
    .await;
    let fleet = Arc::new(Fleet::new(at));
    let waiting = fleet.waiting().await.unwrap();
    let parked: Vec<_> = waiting.parked.iter().map(|p| p.execution()).collect();
    assert_eq!(parked, ["a", "b"]);
    let problem = waiting.problem.as_deref().unwrap();
    assert!(
        problem.contains("what bad waits for is not known") && problem.contains("damaged"),
        "{problem}"
    );
}

#[tokio::test]
async fn who_waits_for_a_reading_that_fails_shares_its_error() {
    let (at, calls) = stand_in(|_, _| refusal()).await;
    let fleet = Fleet::new(at);
    // All have asked before the first answer can come: one thread.
    let results = join_all((0..10).map(|_| fleet.read(false))).await;
    assert!(results.iter().all(Result::is_err));
    assert_eq!(*calls.lock().unwrap(), ["ListStateMachines"]);
    assert!(fleet.read(false).await.is_err());
    assert_eq!(calls.lock().unwrap().len(), 2, "who asks later reads anew");
}

#[tokio::test]
async fn an_error_without_a_name_is_told_by_its_status() {
    for (status, part) in [(413, "HTTP status 413"), (404, "AWS's protocols")] {
        let (at, _) = stand_in(move |_, _| (status, Value::Null)).await;
        let error = Fleet::new(at).read(false).await.unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
}

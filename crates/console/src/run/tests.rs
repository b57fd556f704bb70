//! Executions that are read again, against an endpoint that has lost a part of a history.

use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;

use super::*;
use crate::stand_in::stand_in;

#[tokio::test]
async fn a_history_that_has_become_shorter_is_read_anew() {
    let arn = "arn:aws:states:us-east-1:000000000000:execution:m:e";
    let is_damaged = Arc::new(AtomicBool::new(false));
    let endpoint = {
        let is_damaged = is_damaged.clone();
        move |operation: &str, input: &Value| {
            let is_damaged = is_damaged.load(Ordering::Relaxed);
            let event = |id: i64, kind: &str| json!({"id": id, "previousEventId": id - 1, "timestamp": id, "type": kind});
            let answer = match operation {
                "DescribeExecution" => {
                    let status = if is_damaged { "FAILED" } else { "RUNNING" };
                    json!({"executionArn": arn, "stateMachineArn": "m", "status": status, "startDate": 1})
                }
                "GetExecutionHistory" => {
                    let mut events = vec![event(1, "ExecutionStarted")];
                    if is_damaged {
                        events.push(event(2, "ExecutionFailed"));
                    } else {
                        events.extend([event(2, "PassStateEntered"), event(3, "PassStateExited")]);
                    }
                    if input["reverseOrder"] == true {
                        events.reverse();
                    }
                    json!({ "events": events })
                }
                _ => json!({"stateMachineArn": "m", "name": "m", "roleArn": "r", "updateDate": 1,
                    "definition": r#"{"StartAt":"A","States":{"A":{"Type":"Succeed"}}}"#}),
            };
            (200, answer)
        }
    };
    let (at, _) = stand_in(endpoint).await;
    let runs = Runs::default();
    let kinds = |run: &Run| -> Vec<String> { run.events.iter().map(|e| e.kind.clone()).collect() };
    let before = runs.load(&at, arn).await.unwrap();
    assert!(before.definition.is_ok(), "{:?}", before.definition);
    assert_eq!(before.events.len(), 3);
    is_damaged.store(true, Ordering::Relaxed);
    let after = runs.load(&at, arn).await.unwrap();
    assert_eq!(kinds(&after), ["ExecutionStarted", "ExecutionFailed"]);
}

//! Executions as test cases of a mock configuration: what its format can say, and what an execution makes of it.

use aws_sdk_sfn::error::ProvideErrorMetadata as _;
use aws_sdk_sfn::types::{ExecutionStatus, StateMachineType};
use serde_json::{Value, json};

use crate::support::{Fixture, ROLE};

fn configuration() -> String {
    json!({
        "StateMachines": { "m": { "TestCases": {
            "All": { "Each": "ThreeTimes", "Ask": "Answer", "Child": "Ended", "Row": "Item", "Work": "Answer", "Plain": "ThreeTimes" },
            "Refused": { "Each": "ThreeTimes", "Ask": "No", "Child": "Ended", "Row": "Item", "Work": "Answer", "Plain": "ThreeTimes" },
            "Short": { "Each": "Once", "Ask": "Answer", "Child": "Ended", "Row": "Item", "Work": "Answer", "Plain": "ThreeTimes" },
        } }, "late": { "TestCases": { "Late": { "Each": "Late" } } }, "quick": { "TestCases": { "Fine": { "Each": "Once" } } } },
        "MockedResponses": {
            "ThreeTimes": { "0-1": { "Return": { "StatusCode": 200, "Payload": "one" } }, "2": { "Return": { "Payload": "other" } } },
            "Once": { "0": { "Return": { "Payload": "one" } } },
            "Answer": { "0": { "Return": { "answer": 42 } } },
            "No": { "0": { "Throw": { "Error": "No", "Cause": "never" } } },
            "Ended": { "0": { "Return": { "Status": "SUCCEEDED" } } },
            "Item": { "0": { "Return": { "Item": { "a": { "S": "b" } } } } },
            "Late": { "0-9": { "Throw": { "Error": "States.Timeout" } } },
        },
    })
    .to_string()
}

fn task(resource: &str, arguments: Value) -> Value {
    json!({ "Type": "Task", "Resource": format!("arn:aws:{resource}"), "Arguments": arguments, "End": true })
}

fn each() -> Value {
    let mut each = task("states:::lambda:invoke", json!({ "FunctionName": "f" }));
    each["Output"] = "{% $states.result.Payload %}".into();
    each["TimeoutSeconds"] = 5.into();
    each
}

fn map(most: u32) -> Value {
    json!({ "Type": "Map", "Items": [1, 2, 3], "MaxConcurrency": most, "End": true,
        "ItemProcessor": { "StartAt": "Each", "States": { "Each": each() } } })
}

fn machine(start: &str, states: Value) -> String {
    json!({ "QueryLanguage": "JSONata", "StartAt": start, "States": states }).to_string()
}

/// A mocked task of every kind, in the branches of a Parallel state. None of the services is there.
fn kinds() -> String {
    let place = "us-east-1:000000000000";
    let token = json!({ "QueueUrl": "http://h/000000000000/none", "MessageBody": "{% $states.context.Task.Token %}" });
    let child = json!({ "StateMachineArn": format!("arn:aws:states:{place}:stateMachine:none") });
    let branches = [
        ("Many", map(1)),
        (
            "Ask",
            task("states:::sqs:sendMessage.waitForTaskToken", token),
        ),
        (
            "Child",
            task("states:::states:startExecution.sync:2", child),
        ),
        (
            "Row",
            task(
                "states:::aws-sdk:dynamodb:getItem",
                json!({ "TableName": "t", "Key": {} }),
            ),
        ),
        (
            "Work",
            task(&format!("states:{place}:activity:none"), json!({})),
        ),
        (
            "Plain",
            task(&format!("lambda:{place}:function:none"), json!({})),
        ),
    ];
    let branches: Vec<Value> = branches
        .into_iter()
        .map(|(name, state)| json!({ "StartAt": name, "States": { name: state } }))
        .collect();
    machine(
        "All",
        json!({ "All": { "Type": "Parallel", "Branches": branches, "End": true } }),
    )
}

async fn end(f: &mut Fixture, machine: &str) -> Result<Value, (String, String)> {
    let execution = f.execution(machine, "{}").await;
    let status = f.end_of(&execution).await;
    let described = f.client.describe_execution().execution_arn(&execution);
    let described = described.send().await.unwrap();
    match status {
        ExecutionStatus::Succeeded => Ok(serde_json::from_str(&described.output.unwrap()).unwrap()),
        _ => Err((
            described.error.unwrap(),
            described.cause.unwrap_or_default(),
        )),
    }
}

#[tokio::test]
async fn every_kind_of_task_is_answered_by_the_attempt() {
    let mut f = Fixture::start_mocked(&configuration()).await;
    let machine = f.machine("m", &kinds()).await;
    let all = end(&mut f, &format!("{machine}#All")).await.unwrap();
    assert_eq!(
        all,
        json!([["one", "one", "other"], { "answer": 42 }, { "Status": "SUCCEEDED" }, { "Item": { "a": { "S": "b" } } }, { "answer": 42 }, "one"])
    );
    let refused = end(&mut f, &format!("{machine}#Refused")).await;
    assert_eq!(refused, Err(("No".to_owned(), "never".to_owned())));
    let (error, cause) = end(&mut f, &format!("{machine}#Short")).await.unwrap_err();
    assert_eq!(error, "States.Runtime");
    assert!(
        cause.contains("no response for attempt 1 of the state Each"),
        "{cause}"
    );

    let unknown = format!("{machine}#Unknown");
    let unknown = f.client.start_execution().state_machine_arn(unknown);
    let unknown = unknown.send().await.unwrap_err();
    assert_eq!(unknown.code(), Some("InvalidArn"));
    assert!(
        unknown
            .message()
            .unwrap()
            .contains("has no test case Unknown")
    );
}

#[tokio::test]
async fn timeouts_of_tasks_that_began_together_come_together() {
    let mut f = Fixture::start_mocked(&configuration()).await;
    let late = f
        .machine("late", &machine("Many", json!({ "Many": map(0) })))
        .await;
    let execution = f.execution(&format!("{late}#Late"), "{}").await;
    assert_eq!(f.end_of(&execution).await, ExecutionStatus::Failed);
    let history = f.client.get_execution_history().execution_arn(&execution);
    let history = history.send().await.unwrap().events;
    let types: Vec<&str> = history.iter().map(|event| event.r#type.as_str()).collect();
    let first = types.iter().position(|it| *it == "TaskTimedOut").unwrap();
    assert_eq!(
        types[first..],
        [
            "TaskTimedOut",
            "TaskTimedOut",
            "TaskTimedOut",
            "MapIterationFailed",
            "TaskStateAborted",
            "MapIterationAborted",
            "TaskStateAborted",
            "MapIterationAborted",
            "TaskStateAborted",
            "MapStateFailed",
            "ExecutionFailed"
        ]
    );
}

#[tokio::test]
async fn express_executions_are_test_cases_too() {
    let f = Fixture::start_mocked(&configuration()).await;
    let made = f.client.create_state_machine().name("quick").role_arn(ROLE);
    let made = made.r#type(StateMachineType::Express);
    let made = made.definition(machine("Each", json!({ "Each": each() })));
    let quick = made.send().await.unwrap().state_machine_arn;
    let body = json!({ "stateMachineArn": format!("{quick}#Fine") }).to_string();
    let (status, ended) = f.raw("StartSyncExecution", &body).await;
    assert_eq!(
        (status, &ended["output"]),
        (200, &json!("\"one\"")),
        "{ended}"
    );
    assert_eq!(ended["stateMachineArn"], quick);
}

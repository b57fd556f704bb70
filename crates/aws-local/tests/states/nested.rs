//! Executions that start executions.

use aws_sdk_sfn::types::{ExecutionStatus, HistoryEventType};
use serde_json::{Value, json};

use crate::support::{Fixture, PASS, WAIT};

const FAIL: &str =
    r#"{"StartAt":"A","States":{"A":{"Type":"Fail","Error":"Broken","Cause":"by itself"}}}"#;

fn parent(pattern: &str, child: &str, more: Value) -> String {
    let mut arguments = more;
    arguments["StateMachineArn"] = child.into();
    json!({ "QueryLanguage": "JSONata", "StartAt": "Start", "States": { "Start": {
        "Type": "Task", "Resource": format!("arn:aws:states:::states:startExecution{pattern}"),
        "Arguments": arguments, "End": true } } })
    .to_string()
}

async fn output(fixture: &Fixture, execution: &str) -> Value {
    let described = fixture.client.describe_execution().execution_arn(execution);
    let described = described.send().await.unwrap();
    let text = described.output.or(described.cause).unwrap();
    serde_json::from_str(&text).unwrap()
}

async fn events(fixture: &Fixture, execution: &str) -> Vec<HistoryEventType> {
    let history = fixture
        .client
        .get_execution_history()
        .execution_arn(execution);
    let history = history.send().await.unwrap();
    history
        .events
        .into_iter()
        .map(|event| event.r#type)
        .collect()
}

/// The only execution of a machine, once there is one.
async fn child_of(fixture: &Fixture, machine: &str) -> String {
    loop {
        let listed = fixture.client.list_executions().state_machine_arn(machine);
        let listed = listed.send().await.unwrap();
        if let [child] = &listed.executions[..] {
            return child.execution_arn.clone();
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_parent_gets_its_childs_description_as_text_or_as_json() {
    let mut fixture = Fixture::start().await;
    let child = fixture.machine("child", PASS).await;
    let input = json!({ "Input": { "n": "{% $states.input.n %}" } });
    for (pattern, expected) in [
        (".sync", json!("{\"n\":1}")),
        (".sync:2", json!({ "n": 1 })),
    ] {
        let name = format!("parent{}", pattern.len());
        let machine = fixture
            .machine(&name, &parent(pattern, &child, input.clone()))
            .await;
        let execution = fixture.execution(&machine, "{\"n\":1}").await;
        assert_eq!(fixture.end_of(&execution).await, ExecutionStatus::Succeeded);
        let output = output(&fixture, &execution).await;
        assert_eq!(
            (&output["Output"], &output["Input"]),
            (&expected, &expected)
        );
        assert_eq!(
            (&output["Status"], &output["StateMachineArn"]),
            (&json!("SUCCEEDED"), &json!(child))
        );
        assert_eq!(output["OutputDetails"], json!({ "Included": true }));
        assert!(output["StartDate"].is_i64(), "{output}");
        let events = events(&fixture, &execution).await;
        assert!(
            events.contains(&HistoryEventType::TaskSubmitted),
            "{events:?}"
        );
    }
    let machine = fixture
        .machine("quick", &parent("", &child, json!({ "Name": "one" })))
        .await;
    let execution = fixture.execution(&machine, "{}").await;
    assert_eq!(fixture.end_of(&execution).await, ExecutionStatus::Succeeded);
    let output = output(&fixture, &execution).await;
    assert!(
        output["ExecutionArn"]
            .as_str()
            .unwrap()
            .ends_with(":child:one"),
        "{output}"
    );
    assert_eq!(output["SdkHttpMetadata"]["HttpStatusCode"], 200);
}

#[tokio::test]
async fn a_childs_failure_is_the_tasks_and_a_refused_start_is_named_as_aws_names_it() {
    let mut fixture = Fixture::start().await;
    let child = fixture.machine("child", FAIL).await;
    let machine = fixture
        .machine("parent", &parent(".sync:2", &child, json!({})))
        .await;
    let execution = fixture.execution(&machine, "{}").await;
    assert_eq!(fixture.end_of(&execution).await, ExecutionStatus::Failed);
    let cause = output(&fixture, &execution).await;
    assert_eq!(
        (&cause["Error"], &cause["Cause"]),
        (&json!("Broken"), &json!("by itself"))
    );
    assert_eq!(
        (&cause["Status"], &cause["Input"]),
        (&json!("FAILED"), &json!({}))
    );

    let missing = child.replace(":child", ":missing");
    let machine = fixture
        .machine("lost", &parent(".sync", &missing, json!({})))
        .await;
    let execution = fixture.execution(&machine, "{}").await;
    assert_eq!(fixture.end_of(&execution).await, ExecutionStatus::Failed);
    let described = fixture
        .client
        .describe_execution()
        .execution_arn(&execution);
    let error = described.send().await.unwrap().error;
    assert_eq!(
        error.as_deref(),
        Some("StepFunctions.StateMachineDoesNotExistException")
    );
}

#[tokio::test]
async fn stopping_the_parent_stops_the_child() {
    let mut fixture = Fixture::start().await;
    let child = fixture.machine("child", WAIT).await;
    let machine = fixture
        .machine("parent", &parent(".sync", &child, json!({})))
        .await;
    let execution = fixture.execution(&machine, "{}").await;
    let nested = child_of(&fixture, &child).await;
    fixture
        .client
        .stop_execution()
        .execution_arn(&execution)
        .send()
        .await
        .unwrap();
    assert_eq!(fixture.end_of(&nested).await, ExecutionStatus::Aborted);
}

#[tokio::test]
async fn a_crash_between_the_parents_end_and_the_childs_leaves_no_child() {
    let mut fixture = Fixture::start().await;
    for (name, more) in [("unnamed", json!({})), ("named", json!({ "Name": "mine" }))] {
        let child = fixture.machine(&format!("child-{name}"), WAIT).await;
        let machine = fixture
            .machine(name, &parent(".sync:2", &child, more))
            .await;
        let execution = fixture.execution(&machine, "{}").await;
        let nested = child_of(&fixture, &child).await;
        fixture = fixture
            .restart_after(async |engine| {
                let executions = engine.executions();
                executions.stop(&execution, None, None).await.unwrap();
                let child = executions.describe(&nested).await.unwrap();
                assert_eq!(child.summary.status.as_str(), "RUNNING");
            })
            .await;
        assert_eq!(fixture.end_of(&nested).await, ExecutionStatus::Aborted);
    }
}

#[tokio::test]
async fn a_child_that_ended_before_its_parent_heard_of_it_is_not_missed() {
    let mut fixture = Fixture::start().await;
    for (name, more) in [("unnamed", json!({})), ("named", json!({ "Name": "mine" }))] {
        for pattern in ["", ".sync", ".sync:2"] {
            let name = format!("{name}{}", pattern.len());
            let child = fixture.machine(&format!("child-{name}"), WAIT).await;
            let machine = parent(pattern, &child, more.clone());
            let machine = fixture.machine(&name, &machine).await;
            // Started by an engine that runs no tasks, so that the first run finds what an earlier one would have left.
            let mut ended = String::new();
            fixture = fixture
                .restart_after(async |engine| {
                    let executions = engine.executions();
                    let input = asl::Data::new(json!({}));
                    let request = engine::StartRequest::new(machine.as_str(), input);
                    ended = executions.start(request).await.unwrap().arn;
                })
                .await;
            let nested = child_of(&fixture, &child).await;
            fixture = fixture
                .restart_after(async |engine| {
                    let executions = engine.executions();
                    executions.stop(&nested, None, None).await.unwrap();
                })
                .await;
            let status = fixture.end_of(&ended).await;
            let output = output(&fixture, &ended).await;
            if pattern.is_empty() {
                assert_eq!(
                    (status, &output["ExecutionArn"]),
                    (ExecutionStatus::Succeeded, &json!(nested))
                );
            } else {
                assert_eq!(
                    (status, &output["Status"]),
                    (ExecutionStatus::Failed, &json!("ABORTED"))
                );
            }
            assert_eq!(child_of(&fixture, &child).await, nested);
        }
    }
}

#[tokio::test]
async fn a_restart_between_start_and_end_leaves_one_child_and_its_parent_waiting() {
    let mut fixture = Fixture::start().await;
    for (name, more) in [("unnamed", json!({})), ("named", json!({ "Name": "mine" }))] {
        let child = fixture.machine(&format!("child-{name}"), WAIT).await;
        let machine = fixture.machine(name, &parent(".sync", &child, more)).await;
        let execution = fixture.execution(&machine, "{}").await;
        let nested = child_of(&fixture, &child).await;
        fixture = fixture.restart().await;
        let status = |arn: &str| {
            fixture
                .client
                .describe_execution()
                .execution_arn(arn)
                .send()
        };
        assert_eq!(
            status(&nested).await.unwrap().status,
            ExecutionStatus::Running
        );
        assert_eq!(
            status(&execution).await.unwrap().status,
            ExecutionStatus::Running
        );
        assert_eq!(child_of(&fixture, &child).await, nested);
        // The child's end reaches the parent through the new process.
        fixture
            .client
            .stop_execution()
            .execution_arn(&nested)
            .send()
            .await
            .unwrap();
        assert_eq!(fixture.end_of(&execution).await, ExecutionStatus::Failed);
        assert_eq!(output(&fixture, &execution).await["Status"], "ABORTED");
    }
}

#[tokio::test]
async fn a_parent_that_waits_does_not_take_its_childs_place() {
    let settings = engine::Settings {
        max_running_tasks: 1,
        ..engine::Settings::default()
    };
    let mut fixture = Fixture::start_with(settings).await;
    let innermost = fixture.machine("innermost", PASS).await;
    let child = parent(".sync", &innermost, json!({}));
    let child = fixture.machine("child", &child).await;
    let machine = parent(".sync:2", &child, json!({}));
    let machine = fixture.machine("parent", &machine).await;
    let execution = fixture.execution(&machine, "{}").await;
    assert_eq!(fixture.end_of(&execution).await, ExecutionStatus::Succeeded);
}

#[tokio::test]
async fn an_execution_that_cannot_be_looked_at_is_not_taken_for_ones_own() {
    let mut fixture = Fixture::start().await;
    let child = fixture.machine("child", PASS).await;
    let other = fixture
        .client
        .start_execution()
        .state_machine_arn(&child)
        .name("mine");
    let other = other.send().await.unwrap().execution_arn;
    assert_eq!(fixture.end_of(&other).await, ExecutionStatus::Succeeded);
    let mut fixture = fixture
        .restart_after_damage("update executions set started = 'once' where name = 'mine'")
        .await;
    let machine = parent(".sync", &child, json!({ "Name": "mine" }));
    let machine = fixture.machine("parent", &machine).await;
    let execution = fixture.execution(&machine, "{}").await;
    assert_eq!(fixture.end_of(&execution).await, ExecutionStatus::Failed);
    fixture
        .restart_after(async |engine| {
            let noted = engine.documents().list::<String>("states.child").await;
            assert!(noted.unwrap().is_empty());
        })
        .await;
}

#[tokio::test]
async fn a_name_that_is_taken_is_not_noted() {
    let mut fixture = Fixture::start().await;
    let child = fixture.machine("child", WAIT).await;
    let other = fixture
        .client
        .start_execution()
        .state_machine_arn(&child)
        .name("mine")
        .input("{\"of\":\"another\"}");
    let other = other.send().await.unwrap().execution_arn;
    let machine = parent(".sync", &child, json!({ "Name": "mine" }));
    let machine = fixture.machine("parent", &machine).await;
    let execution = fixture.execution(&machine, "{}").await;
    assert_eq!(fixture.end_of(&execution).await, ExecutionStatus::Failed);
    let fixture = fixture
        .restart_after(async |engine| {
            let noted = engine.documents().list::<String>("states.child").await;
            assert!(noted.unwrap().is_empty());
        })
        .await;
    let described = fixture.client.describe_execution().execution_arn(&other);
    assert_eq!(
        described.send().await.unwrap().status,
        ExecutionStatus::Running
    );
}

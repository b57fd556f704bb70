//! Express executions that nobody waits for, and the services that definitions may call.

use aws_sdk_sfn::error::ProvideErrorMetadata as _;
use aws_sdk_sfn::types::StateMachineType;
use serde_json::json;

use crate::support::{Fixture, ROLE};

fn sends(url: &str, resource: &str) -> String {
    json!({ "StartAt": "Send", "States": { "Send": {
        "Type": "Task", "Resource": resource, "End": true,
        "Parameters": { "QueueUrl": url, "MessageBody": { "said": "hello" } } } } })
    .to_string()
}

#[tokio::test]
async fn an_express_execution_is_started_and_not_heard_of_again() {
    let fixture = Fixture::start().await;
    let sqs = fixture.sqs().await;
    let url = sqs
        .create_queue()
        .queue_name("q")
        .send()
        .await
        .unwrap()
        .queue_url
        .unwrap();
    let made = fixture
        .client
        .create_state_machine()
        .name("quick")
        .role_arn(ROLE);
    let made = made.definition(sends(&url, "arn:aws:states:::aws-sdk:sqs:sendMessage"));
    let machine = made
        .r#type(StateMachineType::Express)
        .send()
        .await
        .unwrap()
        .state_machine_arn;
    let start = || {
        fixture
            .client
            .start_execution()
            .state_machine_arn(&machine)
            .name("same")
            .send()
    };
    let (first, second) = (start().await.unwrap(), start().await.unwrap());
    assert!(
        first.execution_arn.contains(":express:quick:same:"),
        "{}",
        first.execution_arn
    );
    assert_ne!(first.execution_arn, second.execution_arn);

    let received = sqs
        .receive_message()
        .queue_url(&url)
        .wait_time_seconds(5)
        .send()
        .await
        .unwrap();
    assert_eq!(received.messages()[0].body(), Some(r#"{"said":"hello"}"#));

    let described = fixture
        .client
        .describe_execution()
        .execution_arn(&first.execution_arn);
    let refused = described.send().await.unwrap_err();
    assert_eq!(refused.code(), Some("InvalidArn"));
    let history = fixture
        .client
        .get_execution_history()
        .execution_arn(&first.execution_arn);
    assert_eq!(history.send().await.unwrap_err().code(), Some("InvalidArn"));
    let listed = fixture.client.list_executions().state_machine_arn(&machine);
    assert_eq!(
        listed.send().await.unwrap_err().code(),
        Some("StateMachineTypeNotSupported")
    );
}

#[tokio::test]
async fn sdk_integrations_answer_and_fail_as_aws_names_it() {
    let mut fixture = Fixture::start().await;
    let task = |resource: &str, arguments: serde_json::Value| {
        json!({ "QueryLanguage": "JSONata", "StartAt": "Call", "States": { "Call": {
            "Type": "Task", "Resource": format!("arn:aws:states:::aws-sdk:{resource}"),
            "Arguments": arguments, "End": true } } })
        .to_string()
    };
    let lists = fixture
        .machine(
            "lists",
            &task("sfn:listStateMachines", json!({ "MaxResults": 5 })),
        )
        .await;
    let execution = fixture.execution(&lists, "{}").await;
    fixture.end_of(&execution).await;
    let described = fixture
        .client
        .describe_execution()
        .execution_arn(&execution)
        .send()
        .await
        .unwrap();
    let output: serde_json::Value = serde_json::from_str(&described.output.unwrap()).unwrap();
    assert_eq!(output["StateMachines"][0]["Name"], "lists");
    let made = output["StateMachines"][0]["CreationDate"].as_str().unwrap();
    assert!(made.ends_with('Z') && made.contains('T'), "{made}");

    for (name, resource, arguments, error) in [
        (
            "token",
            "sfn:sendTaskSuccess",
            json!({ "TaskToken": "none", "Output": {} }),
            "Sfn.InvalidTokenException",
        ),
        (
            "queue",
            "sqs:getQueueUrl",
            json!({ "QueueName": "none" }),
            "Sqs.QueueDoesNotExistException",
        ),
        (
            "other",
            "sqs:createQueue",
            json!({ "QueueName": "q.fifo" }),
            "Sqs.SqsException",
        ),
    ] {
        let machine = fixture.machine(name, &task(resource, arguments)).await;
        let execution = fixture.execution(&machine, "{}").await;
        fixture.end_of(&execution).await;
        let described = fixture
            .client
            .describe_execution()
            .execution_arn(&execution)
            .send()
            .await
            .unwrap();
        assert_eq!(described.error.as_deref(), Some(error));
        assert!(
            described
                .cause
                .unwrap()
                .contains("Status Code: 400, Request ID: ")
        );
    }
}

#[tokio::test]
async fn what_no_task_can_call_is_refused_with_the_definition() {
    let fixture = Fixture::start().await;
    for (resource, expected) in [
        ("arn:aws:states:::dynamodb:putItem", "It has: "),
        (
            "arn:aws:states:::aws-sdk:dynamodb:putItem",
            "AWS_ENDPOINT_URL_DYNAMODB",
        ),
        (
            "arn:aws:states:::aws-sdk:polly:describeVoices",
            "with aws-sdk",
        ),
        (
            "arn:aws:states:::aws-sdk:sqs:fly",
            "sqs has no action Fly that tasks can call",
        ),
        (
            "arn:aws:states:::aws-sdk:lambda:createFunction",
            "Of lambda this endpoint has GetFunction, ",
        ),
        (
            "arn:aws:states:::sqs:sendMessage.sync",
            "sqs:sendMessage.sync is not recognized",
        ),
        (
            "arn:aws:states:::aws-sdk:sqs:sendMessage.sync",
            "no '.sync' pattern",
        ),
    ] {
        let made = fixture
            .client
            .create_state_machine()
            .name("m")
            .role_arn(ROLE);
        let refused = made
            .definition(sends("q", resource))
            .send()
            .await
            .unwrap_err();
        assert_eq!(refused.code(), Some("InvalidDefinition"));
        let message = refused.message().unwrap();
        assert!(
            message.contains(expected) && message.contains("/States/Send/Resource"),
            "{message}"
        );
    }
}

//! Task tokens, through a queue as a workflow would send them.

use aws_sdk_sfn::error::ProvideErrorMetadata as _;
use aws_sdk_sfn::types::ExecutionStatus;

use crate::support::Fixture;

const ASK: &str = r#"{"StartAt":"Ask","QueryLanguage":"JSONata","States":{"Ask":{
    "Type":"Task","Resource":"arn:aws:states:::sqs:sendMessage.waitForTaskToken",
    "Arguments":{"QueueUrl":"{% $states.input %}","MessageBody":"{% $states.context.Task.Token %}"},"End":true}}}"#;

/// Starts an execution that waits for a token; the execution and the token.
async fn ask(fixture: &Fixture) -> (String, String) {
    let sqs = fixture.sqs().await;
    let queue = sqs
        .create_queue()
        .queue_name("ask")
        .send()
        .await
        .unwrap()
        .queue_url
        .unwrap();
    let machine = fixture.machine("ask", ASK).await;
    let execution = fixture.execution(&machine, &format!("\"{queue}\"")).await;
    let received = sqs
        .receive_message()
        .queue_url(&queue)
        .wait_time_seconds(20)
        .send()
        .await
        .unwrap();
    let token = received.messages.unwrap().remove(0).body.unwrap();
    (execution, token)
}

#[tokio::test]
async fn success_goes_on_and_closes_the_token() {
    let mut fixture = Fixture::start().await;
    let (execution, token) = ask(&fixture).await;
    fixture
        .client
        .send_task_heartbeat()
        .task_token(&token)
        .send()
        .await
        .unwrap();
    let succeed = || fixture.client.send_task_success().task_token(&token);
    let error = succeed().output("not json").send().await.unwrap_err();
    assert_eq!(error.code(), Some("InvalidOutput"));
    succeed().output(r#"{"ok":true}"#).send().await.unwrap();

    for error in [
        succeed()
            .output("{}")
            .send()
            .await
            .unwrap_err()
            .into_service_error()
            .meta()
            .clone(),
        fixture
            .client
            .send_task_failure()
            .task_token(&token)
            .send()
            .await
            .unwrap_err()
            .into_service_error()
            .meta()
            .clone(),
        fixture
            .client
            .send_task_heartbeat()
            .task_token(&token)
            .send()
            .await
            .unwrap_err()
            .into_service_error()
            .meta()
            .clone(),
    ] {
        assert_eq!(error.code(), Some("TaskTimedOut"));
        assert_eq!(
            error.message(),
            Some("Task Timed Out: 'Provided task does not exist anymore'")
        );
    }
    assert_eq!(fixture.end_of(&execution).await, ExecutionStatus::Succeeded);
    let described = fixture
        .client
        .describe_execution()
        .execution_arn(&execution)
        .send()
        .await
        .unwrap();
    assert_eq!(described.output.as_deref(), Some(r#"{"ok":true}"#));
}

#[tokio::test]
async fn failure_fails_the_task_also_after_a_restart() {
    let fixture = Fixture::start().await;
    let (execution, token) = ask(&fixture).await;
    let mut fixture = fixture.restart().await;
    let fail = fixture.client.send_task_failure().task_token(&token);
    fail.error("Factory.Silent")
        .cause("nobody answers")
        .send()
        .await
        .unwrap();
    assert_eq!(fixture.end_of(&execution).await, ExecutionStatus::Failed);
    let described = fixture
        .client
        .describe_execution()
        .execution_arn(&execution)
        .send()
        .await
        .unwrap();
    assert_eq!(described.error.as_deref(), Some("Factory.Silent"));
    assert_eq!(described.cause.as_deref(), Some("nobody answers"));
}

#[tokio::test]
async fn a_token_that_nobody_gave_out_is_refused() {
    let fixture = Fixture::start().await;
    let error = fixture
        .client
        .send_task_success()
        .task_token("AAAA")
        .output("{}")
        .send()
        .await
        .unwrap_err();
    assert_eq!(
        (error.code(), error.message()),
        (Some("InvalidToken"), Some("Invalid Token: 'Invalid token'"))
    );
}

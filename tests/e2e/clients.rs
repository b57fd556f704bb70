//! The AWS SDK against a whole installation: what the `aws` CLI and boto3 would ask.

use aws_sdk_sfn::error::ProvideErrorMetadata;
use aws_sdk_sfn::types::ExecutionStatus;

use crate::harness::{REORDER, Up, eventually};

#[tokio::test]
async fn a_machine_of_ones_own_runs_beside_the_stack() {
    let mut up = Up::start().await;
    let definition = r#"{"QueryLanguage":"JSONata","StartAt":"Wait","States":{
        "Wait":{"Type":"Wait","Seconds":1,"Next":"Double"},
        "Double":{"Type":"Pass","Output":"{% {'n': $states.input.n * 2} %}","End":true}}}"#;
    let sfn = up.sfn().await;
    let role = "arn:aws:iam::000000000000:role/r";
    let machine = sfn
        .create_state_machine()
        .name("double")
        .definition(definition)
        .role_arn(role)
        .send()
        .await
        .unwrap();
    let started = sfn
        .start_execution()
        .state_machine_arn(&machine.state_machine_arn)
        .name("one")
        .input(r#"{"n":21}"#);
    let arn = started.send().await.unwrap().execution_arn;
    // Acknowledged, so it survives.
    up.restart().await;
    let sfn = up.sfn().await;
    let ended = eventually("the end", async || {
        let execution = sfn
            .describe_execution()
            .execution_arn(&arn)
            .send()
            .await
            .unwrap();
        (execution.status != ExecutionStatus::Running).then_some(execution)
    })
    .await;
    assert_eq!(ended.output.as_deref(), Some(r#"{"n":42}"#));
}

#[tokio::test]
async fn errors_are_aws_errors() {
    let up = Up::start().await;
    let (sfn, sqs) = (up.sfn().await, up.sqs().await);
    let missing = sfn.describe_execution().execution_arn(format!(
        "{}:nobody",
        REORDER.replace("stateMachine", "execution")
    ));
    assert_eq!(
        missing.send().await.unwrap_err().code(),
        Some("ExecutionDoesNotExist")
    );
    let token = sfn
        .send_task_success()
        .task_token("nonsense")
        .output("{}")
        .send()
        .await
        .unwrap_err();
    assert_eq!(token.code(), Some("InvalidToken"));
    let queue = sqs
        .get_queue_url()
        .queue_name("nowhere")
        .send()
        .await
        .unwrap_err();
    assert!(queue.into_service_error().is_queue_does_not_exist());
    let definition = sfn
        .create_state_machine()
        .name("bad")
        .definition("{}")
        .role_arn("arn:aws:iam::000000000000:role/r");
    assert_eq!(
        definition.send().await.unwrap_err().code(),
        Some("InvalidDefinition")
    );
}

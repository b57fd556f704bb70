//! Task states that call functions: outputs and errors as AWS records them.

use asl::{Data, Resource, TaskId, TaskRequest};
use engine::{TaskOutcome, TaskRun};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::local::{Local, Meeting};

const ARN: &str = "arn:aws:lambda:us-east-1:000000000000:function:f";
const INVOKE: &str = "arn:aws:states:::lambda:invoke";

fn task(resource: &str, parameters: Value) -> TaskRun {
    TaskRun {
        execution_arn: "arn:aws:states:us-east-1:000000000000:execution:m:e".to_owned(),
        state_machine_arn: "arn:aws:states:us-east-1:000000000000:stateMachine:m".to_owned(),
        request: TaskRequest {
            task: TaskId(3),
            state: "Call".to_owned(),
            resource: Resource::from_arn(resource).unwrap(),
            parameters: Data::new(parameters),
            token: None,
            timeout: None,
            heartbeat: None,
            credentials: None,
        },
        cancelled: CancellationToken::new(),
        submission: Default::default(),
    }
}

fn succeeded(outcome: TaskOutcome) -> Data {
    match outcome {
        TaskOutcome::Succeeded(output) => output,
        other => panic!("{other:?}"),
    }
}

fn failed(outcome: TaskOutcome) -> (String, String) {
    match outcome {
        TaskOutcome::Failed { error, cause } => (error, cause),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_function_called_by_its_arn_gives_its_answer() {
    let local = Local::open().await;
    local.function("f", |_| {});
    for value in [
        json!({"b": 1, "a": [0.0]}),
        json!("HelloWorld"),
        json!(null),
        json!(0),
    ] {
        let output = succeeded(local.lambda.run_task(task(ARN, value.clone())).await);
        assert_eq!(output.text(), value.to_string());
    }
    local.lambda.shutdown().await;
}

#[tokio::test]
async fn lambda_invoke_gives_the_answer_with_what_surrounds_it() {
    let local = Local::open().await;
    local.function("f", |_| {});
    for name in ["f", "f:live", ARN] {
        let run = task(
            INVOKE,
            json!({ "FunctionName": name, "Payload": { "body": "string body" } }),
        );
        let output = succeeded(local.lambda.run_task(run).await);
        let output = output.value();
        let id = output["SdkResponseMetadata"]["RequestId"].as_str().unwrap();
        let date = &output["SdkHttpMetadata"]["HttpHeaders"]["Date"];
        let trace = &output["SdkHttpMetadata"]["HttpHeaders"]["X-Amzn-Trace-Id"];
        // The order of the members is AWS's too.
        let expected = json!({
            "ExecutedVersion": "$LATEST",
            "Payload": { "body": "string body" },
            "SdkHttpMetadata": {
                "AllHttpHeaders": {
                    "X-Amz-Executed-Version": ["$LATEST"],
                    "x-amzn-Remapped-Content-Length": ["0"],
                    "Connection": ["keep-alive"],
                    "x-amzn-RequestId": [id],
                    "Content-Length": ["22"],
                    "Date": [date],
                    "X-Amzn-Trace-Id": [trace],
                    "Content-Type": ["application/json"]
                },
                "HttpHeaders": {
                    "Connection": "keep-alive",
                    "Content-Length": "22",
                    "Content-Type": "application/json",
                    "Date": date,
                    "X-Amz-Executed-Version": "$LATEST",
                    "x-amzn-Remapped-Content-Length": "0",
                    "x-amzn-RequestId": id,
                    "X-Amzn-Trace-Id": trace
                },
                "HttpStatusCode": 200
            },
            "SdkResponseMetadata": { "RequestId": id },
            "StatusCode": 200
        });
        assert_eq!(output.to_string(), expected.to_string());
    }
    local.lambda.shutdown().await;
}

#[tokio::test]
async fn with_a_token_the_request_is_only_submitted() {
    let local = Local::open().await;
    local.function("f", |_| {});
    let resource = format!("{INVOKE}.waitForTaskToken");
    let run = task(
        &resource,
        json!({ "FunctionName": "f", "Payload": { "token": "t" } }),
    );
    match local.lambda.run_task(run).await {
        TaskOutcome::Submitted(output) => assert_eq!(output.value()["Payload"]["token"], "t"),
        other => panic!("{other:?}"),
    }
    let run = task(
        &resource,
        json!({ "FunctionName": "f", "Payload": { "do": "fail" } }),
    );
    assert_eq!(failed(local.lambda.run_task(run).await).0, "Test.Failed");
    local.lambda.shutdown().await;
}

#[tokio::test]
async fn errors_have_the_names_that_retry_and_catch_see() {
    let local = Local::open().await;
    local.function("f", |config| {
        config.timeout = std::time::Duration::from_secs(1)
    });
    let document = r#"{"errorType":"Test.Failed","errorMessage":"as asked"}"#;
    for (resource, parameters) in [
        (ARN, json!({ "do": "fail" })),
        (
            INVOKE,
            json!({ "FunctionName": "f", "Payload": { "do": "fail" } }),
        ),
    ] {
        let told = failed(local.lambda.run_task(task(resource, parameters)).await);
        assert_eq!(told, ("Test.Failed".to_owned(), document.to_owned()));
    }
    for (what, error) in [("exit", "Runtime.ExitError"), ("sleep", "Sandbox.Timedout")] {
        let (name, cause) = failed(
            local
                .lambda
                .run_task(task(ARN, json!({ "do": what })))
                .await,
        );
        assert_eq!(name, error);
        assert_eq!(
            serde_json::from_str::<Value>(&cause).unwrap()["errorType"],
            error
        );
    }

    let (error, cause) = failed(
        local
            .lambda
            .run_task(task(
                INVOKE,
                json!({ "FunctionName": "no_such", "Payload": null }),
            ))
            .await,
    );
    assert_eq!(error, "Lambda.ResourceNotFoundException");
    let arn = "arn:aws:lambda:us-east-1:000000000000:function:no_such:$LATEST";
    let start = format!(
        "Function not found: {arn} (Service: AWSLambda; Status Code: 404; Error Code: ResourceNotFoundException; Request ID: "
    );
    assert!(
        cause.starts_with(&start) && cause.ends_with("; Proxy: null)"),
        "{cause}"
    );

    let (error, cause) = failed(
        local
            .lambda
            .run_task(task(INVOKE, json!({ "Payload": {} })))
            .await,
    );
    assert_eq!(error, "States.Runtime");
    assert!(
        cause.contains(r#"The field "FunctionName" is required but was missing"#),
        "{cause}"
    );
    local.lambda.shutdown().await;
}

#[tokio::test]
async fn a_cancelled_task_is_not_waited_for_but_the_function_goes_on() {
    let local = Local::open().await;
    // With one process only, the next call is answered after this one has gone on to its end.
    local.function("f", |config| config.max_concurrency = 1);
    let meeting = Meeting::new().await;
    let run = task(
        INVOKE,
        json!({ "FunctionName": "f", "Payload": { "do": "meet", "port": meeting.port() } }),
    );
    let cancelled = run.cancelled.clone();
    let cancelling = async {
        let guest = meeting.guest().await;
        cancelled.cancel();
        guest
    };
    let (outcome, guest) = tokio::join!(local.lambda.run_task(run), cancelling);
    failed(outcome);
    guest.go("").await;
    assert_eq!(local.call("f", json!(1)).await.unwrap(), 1);
    local.lambda.shutdown().await;
}

#[tokio::test]
async fn a_task_that_shutting_down_interrupts_has_no_outcome() {
    let local = Local::open().await;
    local.function("f", |_| {});
    let meeting = Meeting::new().await;
    let run = task(
        INVOKE,
        json!({ "FunctionName": "f", "Payload": { "do": "meet", "port": meeting.port() } }),
    );
    let mut task = Box::pin(local.lambda.run_task(run));
    // The guest stays: without it the function would go on by itself.
    let _guest = tokio::select! {
        guest = meeting.guest() => guest,
        _ = &mut task => panic!("it was not told to go on"),
    };
    local.lambda.shutdown().await;
    assert!(futures::poll!(task).is_pending());
}

#[tokio::test]
async fn the_sdk_integration_gives_payloads_as_text_and_lets_errors_through() {
    use aws_local::runner::{
        Integration as _,
        aws_sdk::{AwsSdk, Endpoints},
    };
    let local = Local::open().await;
    local.function("f", |_| {});
    let sdk = AwsSdk::new(
        local.lambda.router(),
        http::Uri::from_static("http://127.0.0.1"),
        Endpoints::default(),
        "us-east-1".to_owned(),
    );
    let invoke = |name: &str, payload: Value| {
        let parameters = json!({ "FunctionName": name, "Payload": payload });
        sdk.run(task("arn:aws:states:::aws-sdk:lambda:invoke", parameters))
    };
    for name in ["f", ARN] {
        let output = succeeded(invoke(name, json!({ "a": [1] })).await);
        assert_eq!(
            output.value(),
            &json!({ "StatusCode": 200, "Payload": "{\"a\":[1]}", "ExecutedVersion": "$LATEST" })
        );
    }
    let output = succeeded(invoke("f", json!({ "do": "fail" })).await);
    assert_eq!(output.value()["FunctionError"], "Unhandled");
    let payload: Value = serde_json::from_str(output.value()["Payload"].as_str().unwrap()).unwrap();
    assert_eq!(payload["errorType"], "Test.Failed");
    local.lambda.shutdown().await;
}

//! AWS's own client against the REST API.

use aws_sdk_lambda::{
    error::{ProvideErrorMetadata, SdkError},
    primitives::Blob,
    types::{FunctionResponseType, InvocationType, LogType, ScalingConfig},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::json;

use super::local::{Local, Meeting};

/// Code, status and message of an error.
fn told<E: ProvideErrorMetadata>(error: &SdkError<E>) -> (String, u16, String) {
    let status = error.raw_response().unwrap().status().as_u16();
    (
        error.code().unwrap().to_owned(),
        status,
        error.message().unwrap().to_owned(),
    )
}

fn text(blob: Option<&Blob>) -> String {
    String::from_utf8(blob.unwrap().as_ref().to_vec()).unwrap()
}

#[tokio::test]
async fn invoke() {
    let local = Local::open().await;
    local.function("f", |_| {});
    let client = local.client().await;

    let answer = client
        .invoke()
        .function_name("f")
        .payload(Blob::new("[1, 2]"))
        .log_type(LogType::Tail)
        .send()
        .await
        .unwrap();
    assert_eq!(
        (answer.status_code(), text(answer.payload()).as_str()),
        (200, "[1,2]")
    );
    assert_eq!(
        (answer.executed_version(), answer.function_error()),
        (Some("$LATEST"), None)
    );
    let log = BASE64_STANDARD
        .decode(answer.log_result().unwrap())
        .unwrap();
    assert!(
        String::from_utf8(log)
            .unwrap()
            .starts_with("START RequestId: ")
    );

    let answer = client.invoke().function_name("f").send().await.unwrap();
    assert_eq!(
        text(answer.payload()),
        "{}",
        "no payload is an empty object"
    );

    let answer = client
        .invoke()
        .function_name("f")
        .qualifier("live")
        .payload(Blob::new(r#"{"do":"fail"}"#))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.function_error(), Some("Unhandled"));
    assert_eq!(
        text(answer.payload()),
        r#"{"errorType":"Test.Failed","errorMessage":"as asked"}"#
    );

    let answer = client
        .invoke()
        .function_name("f")
        .invocation_type(InvocationType::DryRun)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status_code(), 204);
    local.lambda.shutdown().await;
}

#[tokio::test]
async fn an_event_is_accepted_at_once_and_tried_again() {
    let local =
        Local::open_with(|options| options.event_retries = vec![std::time::Duration::ZERO; 2])
            .await;
    local.function("f", |_| {});
    let client = local.client().await;
    let meeting = Meeting::new().await;
    let send = async |payload: serde_json::Value| {
        let call = client
            .invoke()
            .function_name("f")
            .invocation_type(InvocationType::Event);
        call.payload(Blob::new(payload.to_string()))
            .send()
            .await
            .unwrap()
            .status_code()
    };
    assert_eq!(
        send(json!({ "do": "meet", "port": meeting.port() })).await,
        202
    );
    let first = meeting.guest().await;
    first.go("done").await;

    // A batch that fails as a whole is an invocation that fails.
    let record = json!({
        "body": json!({ "do": "fail batch", "port": meeting.port() }).to_string(),
        "messageId": "m", "attributes": { "ApproximateReceiveCount": "1" },
    });
    assert_eq!(send(json!({ "Records": [record] })).await, 202);
    for _ in 0..3 {
        meeting.guest().await.go("").await;
    }
    local.lambda.shutdown().await;
    assert!(meeting.is_empty(), "tried three times in all");
}

#[tokio::test]
async fn invoke_refuses_as_aws_does() {
    let local =
        Local::open_with(|options| options.queue_wait = std::time::Duration::from_millis(50)).await;
    local.function("f", |config| config.max_concurrency = 1);
    let client = local.client().await;

    let missing = client.invoke().function_name("g").send().await.unwrap_err();
    let arn = "arn:aws:lambda:us-east-1:000000000000:function:g";
    assert_eq!(
        told(&missing),
        (
            "ResourceNotFoundException".into(),
            404,
            format!("Function not found: {arn}:$LATEST")
        )
    );
    let missing = client
        .get_function()
        .function_name("g")
        .send()
        .await
        .unwrap_err();
    assert_eq!(
        told(&missing),
        (
            "ResourceNotFoundException".into(),
            404,
            format!("Function not found: {arn}")
        )
    );

    let bad = client
        .invoke()
        .function_name("f")
        .payload(Blob::new("{"))
        .send()
        .await
        .unwrap_err();
    let (code, status, message) = told(&bad);
    assert_eq!(
        (code.as_str(), status),
        ("InvalidRequestContentException", 400)
    );
    assert!(
        message.starts_with("Could not parse request body into json: "),
        "{message}"
    );

    let large = Blob::new(format!("\"{}\"", "x".repeat(6_291_455)));
    let large = client
        .invoke()
        .function_name("f")
        .payload(large)
        .send()
        .await
        .unwrap_err();
    let (code, status, message) = told(&large);
    assert_eq!((code.as_str(), status), ("RequestTooLargeException", 413));
    assert_eq!(
        message,
        "Request must be smaller than 6291456 bytes for the InvokeFunction operation"
    );

    let meeting = Meeting::new().await;
    let busy = local.call("f", json!({ "do": "meet", "port": meeting.port() }));
    let throttled = async {
        let guest = meeting.guest().await;
        let throttled = client.invoke().function_name("f").send().await.unwrap_err();
        assert_eq!(
            told(&throttled),
            (
                "TooManyRequestsException".into(),
                429,
                "Rate Exceeded.".into()
            )
        );
        guest.go("").await;
    };
    let _ = tokio::join!(busy, throttled);

    let zip = aws_sdk_lambda::types::FunctionCode::builder()
        .zip_file(Blob::new("PK"))
        .build();
    let create = client
        .create_function()
        .function_name("n")
        .role("arn:aws:iam::000000000000:role/r")
        .code(zip)
        .send()
        .await;
    let (code, status, message) = told(&create.unwrap_err());
    assert_eq!(
        (code.as_str(), status),
        ("UnsupportedOperationException", 501)
    );
    assert!(message.contains("stack's description"), "{message}");
    local.lambda.shutdown().await;
}

#[tokio::test]
async fn functions_are_listed_and_described() {
    let local = Local::open().await;
    for name in ["b", "a"] {
        local.function(name, |config| config.memory_mb = 192);
    }
    let client = local.client().await;
    let listed = client.list_functions().send().await.unwrap();
    let names: Vec<_> = listed
        .functions()
        .iter()
        .map(|function| function.function_name().unwrap())
        .collect();
    assert_eq!(names, ["a", "b"]);
    let page = client.list_functions().max_items(1).send().await.unwrap();
    assert_eq!(page.next_marker(), Some("a"));
    let page = client.list_functions().marker("a").send().await.unwrap();
    assert_eq!((page.functions().len(), page.next_marker()), (1, None));

    let got = client
        .get_function()
        .function_name("a")
        .qualifier("live")
        .send()
        .await
        .unwrap();
    let shown = got.configuration().unwrap();
    assert_eq!(
        shown.function_arn(),
        Some("arn:aws:lambda:us-east-1:000000000000:function:a:live")
    );
    assert_eq!(
        (shown.timeout(), shown.memory_size()),
        (Some(30), Some(192))
    );
    let shown = client
        .get_function_configuration()
        .function_name("a")
        .send()
        .await
        .unwrap();
    assert_eq!(
        shown.function_arn(),
        Some("arn:aws:lambda:us-east-1:000000000000:function:a")
    );
    assert_eq!(
        shown.environment().unwrap().variables().unwrap()["TEST_FUNCTION"],
        "run"
    );
}

#[tokio::test]
async fn mappings_are_kept() {
    let local = Local::open().await;
    local.function("f", |_| {});
    local
        .engine
        .queues()
        .create("q", Default::default())
        .await
        .unwrap();
    let client = local.client().await;
    let arn = "arn:aws:sqs:us-east-1:000000000000:q";
    let create = |arn: &str, function: &str| {
        client
            .create_event_source_mapping()
            .event_source_arn(arn)
            .function_name(function)
    };
    let made = create(arn, "f:live")
        .batch_size(5)
        .enabled(false)
        .scaling_config(ScalingConfig::builder().maximum_concurrency(2).build())
        .function_response_types(FunctionResponseType::ReportBatchItemFailures)
        .send()
        .await
        .unwrap();
    let uuid = made.uuid().unwrap();
    assert_eq!(
        made.function_arn(),
        Some("arn:aws:lambda:us-east-1:000000000000:function:f:live")
    );

    let again = create(arn, "f:live").send().await.unwrap_err();
    let (code, status, message) = told(&again);
    assert_eq!((code.as_str(), status), ("ResourceConflictException", 409));
    assert!(
        message.ends_with(&format!("existing mapping with UUID {uuid}")),
        "{message}"
    );

    for (arn, function, size, code) in [
        (arn, "nobody", 10, "ResourceNotFoundException"),
        (
            "arn:aws:sqs:us-east-1:000000000000:none",
            "f",
            10,
            "InvalidParameterValueException",
        ),
        (
            "arn:aws:kinesis:us-east-1:000000000000:stream/s",
            "f",
            10,
            "InvalidParameterValueException",
        ),
        (arn, "f", 11, "InvalidParameterValueException"),
        (arn, "f", 0, "InvalidParameterValueException"),
    ] {
        let error = create(arn, function)
            .batch_size(size)
            .send()
            .await
            .unwrap_err();
        assert_eq!(told(&error).0, code, "{arn} {function} {size}");
    }

    let got = client
        .get_event_source_mapping()
        .uuid(uuid)
        .send()
        .await
        .unwrap();
    assert_eq!((got.state(), got.batch_size()), (Some("Disabled"), Some(5)));
    assert_eq!(got.scaling_config().unwrap().maximum_concurrency(), Some(2));
    assert_eq!(
        got.function_response_types(),
        [FunctionResponseType::ReportBatchItemFailures]
    );
    client
        .update_event_source_mapping()
        .uuid(uuid)
        .enabled(true)
        .batch_size(7)
        .send()
        .await
        .unwrap();

    // They outlive the service.
    let again = aws_local::lambda::Lambda::open(&local.engine, Default::default())
        .await
        .unwrap();
    let local = Local {
        lambda: again,
        ..local
    };
    let client = local.client().await;
    let list = client
        .list_event_source_mappings()
        .event_source_arn(arn)
        .function_name("f:live")
        .send()
        .await
        .unwrap();
    let [only] = list.event_source_mappings() else {
        panic!("{list:?}")
    };
    assert_eq!(
        (only.uuid(), only.state(), only.batch_size()),
        (Some(uuid), Some("Enabled"), Some(7))
    );
    let others = client
        .list_event_source_mappings()
        .function_name("f")
        .send()
        .await
        .unwrap();
    assert!(others.event_source_mappings().is_empty());

    client
        .delete_event_source_mapping()
        .uuid(uuid)
        .send()
        .await
        .unwrap();
    let gone = client
        .get_event_source_mapping()
        .uuid(uuid)
        .send()
        .await
        .unwrap_err();
    assert_eq!(told(&gone).0, "ResourceNotFoundException");
}

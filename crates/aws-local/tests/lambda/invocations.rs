//! What one invocation gives and gets.

use std::time::{SystemTime, UNIX_EPOCH};

use aws_local::lambda::{FailureKind, Invoke, InvokeError};
use serde_json::{Value, json};

use super::local::Local;

const CLIENT: &str = r#"{"client":{"installation_id":"i","app_title":"t","app_version_name":"1","app_version_code":"1","app_package_name":"p"},"custom":{"who":"me"},"env":{}}"#;

#[tokio::test]
async fn every_name_of_a_function_reaches_it() {
    let local = Local::open().await;
    local.function("f", |_| {});
    let arn = "arn:aws:lambda:us-east-1:000000000000:function:f";
    for (name, invoked) in [
        ("f", arn),
        ("f:live", &format!("{arn}:live")),
        ("f:$LATEST", &format!("{arn}:$LATEST")),
        ("000000000000:function:f", arn),
        (arn, arn),
        (&format!("{arn}:live"), &format!("{arn}:live")),
    ] {
        let context = local.call(name, json!({ "do": "context" })).await.unwrap();
        assert_eq!(context["arn"], invoked, "{name}");
    }
    for (name, arn) in [
        (
            "g",
            "arn:aws:lambda:us-east-1:000000000000:function:g:$LATEST",
        ),
        (
            "f:old",
            "arn:aws:lambda:us-east-1:000000000000:function:f:old",
        ),
        (
            "arn:aws:lambda:eu-west-1:000000000000:function:f:live",
            "arn:aws:lambda:eu-west-1:000000000000:function:f:live",
        ),
    ] {
        assert_eq!(
            local.invoke(name, json!({})).await.unwrap_err(),
            InvokeError::NotFound(arn.to_owned())
        );
    }
    let invalid = local.invoke("f g", json!({})).await.unwrap_err();
    assert_eq!(invalid, InvokeError::InvalidName("f g".to_owned()));
    local.lambda.shutdown().await;
}

#[tokio::test]
async fn a_process_gets_what_aws_gives_it() {
    let local = Local::open().await;
    local.function("f", |config| {
        config.memory_mb = 256;
        config
            .environment
            .insert("TABLE".to_owned(), "orders".to_owned());
    });
    let before = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_millis() as u64;
    let invoke = Invoke {
        client_context: Some(CLIENT.to_owned()),
        trace_id: Some("Root=1-5759e988-bd862e3fe1be46a994272793".to_owned()),
        ..Invoke::new(r#"{"do":"context"}"#)
    };
    let answer = local.lambda.invoke("f", invoke).await.unwrap();
    let context: Value = serde_json::from_slice(&answer.result.unwrap()).unwrap();
    assert_eq!(context["request_id"], *answer.request_id);
    assert_eq!(context["trace"], "Root=1-5759e988-bd862e3fe1be46a994272793");
    assert_eq!(context["client"]["who"], "me");
    let deadline = context["deadline"].as_u64().unwrap();
    assert!(
        deadline >= before + 30_000,
        "the deadline is an instant: {deadline}"
    );

    let environment = local
        .call("f", json!({ "do": "environment" }))
        .await
        .unwrap();
    for (name, value) in [
        ("AWS_LAMBDA_FUNCTION_NAME", "f"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/f"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("TABLE", "orders"),
    ] {
        assert_eq!(environment[name], value, "{name}");
    }
    assert!(
        environment["AWS_LAMBDA_LOG_STREAM_NAME"]
            .as_str()
            .unwrap()
            .contains("/[$LATEST]")
    );
    assert!(
        environment.get("CARGO_MANIFEST_DIR").is_none(),
        "our own environment stays ours"
    );
    local.lambda.shutdown().await;
}

#[tokio::test]
async fn payloads_pass_through_unchanged() {
    let local = Local::open().await;
    local.function("f", |_| {});
    for payload in [
        json!(null),
        json!(0.5),
        json!("도너츠"),
        json!([1, {"a": []}]),
        json!({"k": "v"}),
    ] {
        assert_eq!(local.call("f", payload.clone()).await.unwrap(), payload);
    }
    let large = json!("y".repeat(5 * 1024 * 1024));
    assert_eq!(local.call("f", large.clone()).await.unwrap(), large);
    local.lambda.shutdown().await;
}

#[tokio::test]
async fn failures_are_told_in_aws_words_and_the_next_invocation_works() {
    let local = Local::open().await;
    local.function("f", |config| {
        config.timeout = std::time::Duration::from_secs(1)
    });
    let cases = [
        (
            json!({"do": "fail"}),
            "Test.Failed",
            "as asked",
            FailureKind::Handler,
        ),
        (
            json!({"do": "panic"}),
            "&alloc::boxed::Box<dyn core::any::Any + core::marker::Send>",
            "Lambda panicked: as asked",
            FailureKind::Handler,
        ),
        (
            json!({"do": "exit"}),
            "Runtime.ExitError",
            "RequestId: ID Error: Runtime exited with error: exit status 7",
            FailureKind::Exited,
        ),
        (
            json!({"do": "abort"}),
            "Runtime.ExitError",
            "RequestId: ID Error: Runtime exited with error: signal: aborted",
            FailureKind::Exited,
        ),
        (
            json!({"do": "sleep"}),
            "Sandbox.Timedout",
            "RequestId: ID Error: Task timed out after 1.00 seconds",
            FailureKind::TimedOut,
        ),
        (
            json!({"do": "big", "size": 6_291_557}),
            "Function.ResponseSizeTooLarge",
            "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
            FailureKind::Handler,
        ),
    ];
    for (payload, error_type, message, kind) in cases {
        let answer = local.invoke("f", payload.clone()).await.unwrap();
        let error = answer.result.unwrap_err();
        let document: Value = serde_json::from_slice(&error.payload).unwrap();
        assert_eq!(document["errorType"], error_type, "{payload}");
        assert_eq!(
            document["errorMessage"],
            message.replace("ID", &answer.request_id),
            "{payload}"
        );
        assert_eq!(error.kind, kind, "{payload}");
        assert_eq!(
            local.call("f", json!("still here")).await.unwrap(),
            "still here",
            "after {payload}"
        );
    }
    local.lambda.shutdown().await;
}

#[tokio::test]
async fn a_function_that_does_not_come_up_says_why() {
    let local =
        Local::open_with(|options| options.init_timeout = std::time::Duration::from_secs(1)).await;
    let cases = [
        (
            "exit",
            "Runtime.ExitError",
            "Runtime exited with error: exit status 3",
        ),
        (
            "exit-cleanly",
            "Runtime.ExitError",
            "Runtime exited without providing a reason",
        ),
        (
            "stall",
            "Sandbox.Timedout",
            "Task timed out after 1.00 seconds",
        ),
        ("init-error", "Config.Missing", "no TABLE"),
    ];
    for (start, error_type, words) in cases {
        local.function(start, |config| {
            config
                .environment
                .insert("TEST_FUNCTION".to_owned(), start.to_owned());
            config.timeout = std::time::Duration::from_secs(1);
        });
        let error = local.call(start, json!({})).await.unwrap_err();
        assert_eq!(error["errorType"], error_type, "{start}");
        assert!(
            error["errorMessage"].as_str().unwrap().ends_with(words),
            "{start}: {error}"
        );
    }
    local.function("nothing", |config| {
        config.command = vec!["/nowhere/bootstrap".to_owned()]
    });
    let error = local.call("nothing", json!({})).await.unwrap_err();
    assert_eq!(error["errorType"], "Runtime.InvalidEntrypoint");
    assert!(
        error["errorMessage"]
            .as_str()
            .unwrap()
            .ends_with("fork/exec /nowhere/bootstrap: no such file or directory")
    );

    // Registered anew with what was missing, it works.
    local.function("exit", |_| {});
    assert_eq!(local.call("exit", json!(1)).await.unwrap(), 1);
    local.lambda.shutdown().await;
}

#[tokio::test]
async fn the_output_of_an_invocation_is_found_by_its_id() {
    let local = Local::open().await;
    local.function("f", |_| {});
    for lines in [["a", "b"], ["c", "d"]] {
        let invoke = Invoke {
            tail: true,
            ..Invoke::new(json!({"do": "write", "lines": lines}).to_string())
        };
        let answer = local.lambda.invoke("f", invoke).await.unwrap();
        let id = &answer.request_id;
        let tail = String::from_utf8(answer.log_tail.unwrap()).unwrap();
        let [first, second] = lines;
        let expected = format!(
            "START RequestId: {id} Version: $LATEST\n{first}\nand {first}\n{second}\nand {second}\nEND RequestId: {id}\nREPORT \
             RequestId: {id}\tDuration: "
        );
        assert!(tail.starts_with(&expected), "{tail}");
        assert!(
            tail.contains("\tMemory Size: 128 MB\tMax Memory Used: "),
            "{tail}"
        );

        let url = format!(
            "http://{}/_restock/logs?function=f&request_id={id}",
            local.serve().await
        );
        let found = get(&url).await;
        let messages: Vec<&Value> = found["lines"]
            .as_array()
            .unwrap()
            .iter()
            .map(|line| &line["message"])
            .collect();
        assert_eq!(
            messages,
            [
                first,
                &format!("and {first}"),
                second,
                &format!("and {second}")
            ]
        );
    }
    local.lambda.shutdown().await;
    drop(local.lambda);
    let file = local.directory.path().join("logs/f.log");
    super::local::eventually("all lines are in the file", async || {
        std::fs::read_to_string(&file).is_ok_and(|text| text.ends_with(" and d\n"))
    })
    .await;
}

async fn get(url: &str) -> Value {
    use http_body_util::{BodyExt, Empty};
    use hyper_util::{client::legacy::Client, rt::TokioExecutor};
    let client = Client::builder(TokioExecutor::new()).build_http::<Empty<bytes::Bytes>>();
    let answer = client.get(url.parse().unwrap()).await.unwrap();
    serde_json::from_slice(&answer.into_body().collect().await.unwrap().to_bytes()).unwrap()
}

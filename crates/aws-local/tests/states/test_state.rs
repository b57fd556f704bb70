//! `TestState`: one state alone, with a mock or with its service.

use serde_json::{Value, json};

use crate::support::{Fixture, ROLE};

/// Tries a state; the answer, which must be one.
async fn tried(fixture: &Fixture, state: Value, more: Value) -> Value {
    let (status, body) = request(fixture, state, more).await;
    assert_eq!(status, 200, "{body}");
    body
}

async fn request(fixture: &Fixture, state: Value, more: Value) -> (u16, Value) {
    let mut request = more;
    request["definition"] = state.to_string().into();
    fixture.raw("TestState", &request.to_string()).await
}

fn read(body: &Value, pointer: &str) -> Value {
    let text = body.pointer(pointer).and_then(Value::as_str);
    serde_json::from_str(text.unwrap_or_else(|| panic!("no {pointer} in {body}"))).unwrap()
}

fn flaky() -> Value {
    json!({
        "Type": "Task", "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": { "FunctionName": "f", "Payload.$": "$.n" },
        "Retry": [
            { "ErrorEquals": ["Lambda.TooManyRequestsException"], "IntervalSeconds": 2, "BackoffRate": 3, "MaxAttempts": 2 },
            { "ErrorEquals": ["States.Timeout"], "MaxAttempts": 1 },
        ],
        "Catch": [
            { "ErrorEquals": ["Never"], "Next": "Nowhere" },
            { "ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "Handle" },
        ],
        "Next": "After",
    })
}

#[tokio::test]
async fn a_mocked_error_is_retried_until_the_retrier_gives_up_then_caught() {
    let fixture = Fixture::start().await;
    let failed = json!({ "errorOutput": { "error": "Lambda.TooManyRequestsException", "cause": "slow down" } });
    let with = |retries: u32| {
        json!({ "input": "{\"n\":1}", "mock": failed, "inspectionLevel": "DEBUG",
                "stateConfiguration": { "retrierRetryCount": retries } })
    };
    let body = tried(&fixture, flaky(), with(0)).await;
    assert_eq!(body["status"], "RETRIABLE");
    assert_eq!(
        (&body["error"], &body["cause"]),
        (
            &json!("Lambda.TooManyRequestsException"),
            &json!("slow down")
        )
    );
    assert_eq!(
        body["inspectionData"]["errorDetails"],
        json!({ "retryIndex": 0, "retryBackoffIntervalSeconds": 2 })
    );
    let body = tried(&fixture, flaky(), with(1)).await;
    assert_eq!(
        body["inspectionData"]["errorDetails"]["retryBackoffIntervalSeconds"],
        6
    );

    let body = tried(&fixture, flaky(), with(2)).await;
    assert_eq!(
        (&body["status"], &body["nextState"]),
        (&json!("CAUGHT_ERROR"), &json!("Handle"))
    );
    assert_eq!(
        body["inspectionData"]["errorDetails"],
        json!({ "catchIndex": 1 })
    );
    assert_eq!(
        read(&body, "/output"),
        json!({ "n": 1, "error": { "Error": "Lambda.TooManyRequestsException", "Cause": "slow down" } })
    );
}

#[tokio::test]
async fn what_a_field_makes_of_the_data_is_shown_up_to_the_one_that_fails() {
    let fixture = Fixture::start().await;
    let mut state = flaky();
    state["ResultSelector"] = json!({ "is.$": "$.Payload" });
    let with = |result: &str| {
        json!({ "input": "{\"n\":1}", "inspectionLevel": "TRACE",
                "mock": { "result": result, "fieldValidationMode": "NONE" } })
    };
    let body = tried(&fixture, state.clone(), with("{\"Payload\":[7]}")).await;
    assert_eq!(
        (&body["status"], &body["nextState"]),
        (&json!("SUCCEEDED"), &json!("After"))
    );
    assert_eq!(read(&body, "/output"), json!({ "is": [7] }));
    assert_eq!(
        read(&body, "/inspectionData/afterParameters"),
        json!({ "FunctionName": "f", "Payload": 1 })
    );
    assert_eq!(
        read(&body, "/inspectionData/afterResultSelector"),
        json!({ "is": [7] })
    );

    state.as_object_mut().unwrap().remove("Catch");
    let body = tried(&fixture, state, with("{}")).await;
    assert_eq!(
        (&body["status"], &body["error"]),
        (&json!("FAILED"), &json!("States.Runtime"))
    );
    assert_eq!(read(&body, "/inspectionData/result"), json!({}));
    assert_eq!(body["inspectionData"].get("afterResultSelector"), None);
}

#[tokio::test]
async fn variables_come_from_the_request_and_from_assign() {
    let fixture = Fixture::start().await;
    let state = json!({ "Type": "Pass", "QueryLanguage": "JSONata",
        "Assign": { "b": "{% $a + 1 %}" }, "Output": "{% $a %}", "End": true });
    let more = json!({ "variables": "{\"a\":1}", "inspectionLevel": "DEBUG" });
    let body = tried(&fixture, state, more).await;
    assert_eq!(body["output"], "1");
    assert_eq!(
        read(&body, "/inspectionData/variables"),
        json!({ "a": 1, "b": 2 })
    );
}

#[tokio::test]
async fn a_map_shows_its_items_and_its_tolerance_decides() {
    let fixture = Fixture::start().await;
    let state = json!({ "Type": "Map", "ItemsPath": "$.items", "ItemSelector": { "i.$": "$$.Map.Item.Value" },
        "ToleratedFailureCount": 1, "MaxConcurrency": 4, "End": true,
        "ItemProcessor": { "StartAt": "In", "States": { "In": { "Type": "Pass", "End": true } } } });
    let with = |failed: u32| {
        json!({ "input": "{\"items\":[1,2]}", "inspectionLevel": "DEBUG", "mock": { "result": "[3,4]" },
                "stateConfiguration": { "mapIterationFailureCount": failed } })
    };
    let body = tried(&fixture, state.clone(), with(1)).await;
    assert_eq!(
        (&body["status"], &body["output"]),
        (&json!("SUCCEEDED"), &json!("[3,4]"))
    );
    let shown = &body["inspectionData"];
    assert_eq!(
        (&shown["maxConcurrency"], &shown["toleratedFailureCount"]),
        (&json!(4), &json!(1))
    );
    assert_eq!(
        read(&body, "/inspectionData/afterItemSelector"),
        json!([{ "i": 1 }, { "i": 2 }])
    );

    let body = tried(&fixture, state.clone(), with(2)).await;
    assert_eq!(
        (&body["status"], &body["error"]),
        (
            &json!("FAILED"),
            &json!("States.ExceedToleratedFailureThreshold")
        )
    );
    let (status, body) = request(&fixture, state, with(3)).await;
    assert_eq!(status, 400, "{body}");
}

#[tokio::test]
async fn without_a_mock_the_service_is_called_and_time_passes() {
    let fixture = Fixture::start().await;
    let sqs = fixture.sqs().await;
    let made = sqs.create_queue().queue_name("tried").send().await.unwrap();
    let url = made.queue_url.unwrap();
    let state = json!({ "Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage", "End": true,
        "Parameters": { "QueueUrl": url, "MessageBody": "hello" }, "ResultSelector": { "id.$": "$.MessageId" } });
    let body = tried(&fixture, state, json!({ "roleArn": ROLE })).await;
    assert!(read(&body, "/output")["id"].is_string(), "{body}");
    let received = sqs.receive_message().queue_url(&url).send().await.unwrap();
    assert_eq!(received.messages()[0].body(), Some("hello"));

    let wait = json!({ "Type": "Wait", "Seconds": 1, "Next": "Then" });
    let body = tried(&fixture, wait, json!({ "input": "{\"a\":1}" })).await;
    assert_eq!(
        (&body["nextState"], &body["output"]),
        (&json!("Then"), &json!("{\"a\":1}"))
    );
}

#[tokio::test]
async fn what_cannot_be_tried_is_refused_with_a_reason() {
    let fixture = Fixture::start().await;
    let waits = json!({ "Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken", "End": true,
        "Parameters": { "QueueUrl": "q", "MessageBody.$": "$$.Task.Token" } });
    let pass = json!({ "Type": "Pass", "End": true });
    let result = json!({ "result": "{}" });
    let writes = json!({ "Type": "Map", "End": true,
        "ResultWriter": { "Resource": "arn:aws:states:::s3:putObject", "Parameters": { "Bucket": "b", "Prefix": "p" } },
        "ItemProcessor": { "ProcessorConfig": { "Mode": "DISTRIBUTED", "ExecutionType": "STANDARD" },
            "StartAt": "In", "States": { "In": { "Type": "Pass", "End": true } } } });
    let mut shapes = writes.clone();
    shapes["ResultWriter"] = json!({ "WriterConfig": { "Transformation": "COMPACT" } });
    let cases = [
        (
            writes,
            json!({ "input": "[1]", "mock": { "result": "[1]" } }),
            "Mocked result must be a JSON object.",
        ),
        (
            shapes,
            json!({ "input": "[1]", "mock": result }),
            "Mocked result must be an array.",
        ),
        (
            waits.clone(),
            json!({ "roleArn": ROLE }),
            "'.waitForTaskToken'",
        ),
        (flaky(), json!({}), "RoleArn must be specified"),
        (pass.clone(), json!({ "mock": result }), "State type 'Pass'"),
        (pass.clone(), json!({ "context": "{}" }), "Context object"),
        (
            flaky(),
            json!({ "mock": { "result": "{}", "errorOutput": { "error": "E" } } }),
            "only one of",
        ),
        (flaky(), json!({ "mock": { "result": "{" } }), "valid JSON"),
        (
            flaky(),
            json!({ "mock": { "errorOutput": { "cause": "c" } } }),
            "'error'",
        ),
        (
            flaky(),
            json!({ "mock": result, "context": "{\"Task\":{\"Token\":\"t\"}}" }),
            "contains 'Task'",
        ),
        (pass.clone(), json!({ "variables": "[]" }), "JSON object"),
        (pass.clone(), json!({ "input": "{" }), "Input"),
        (
            pass.clone(),
            json!({ "inspectionLevel": "ALL" }),
            "enum value set",
        ),
        (json!({ "Type": "Pass" }), json!({}), "Next or End"),
        (
            json!({ "StartAt": "A", "States": { "A": pass } }),
            json!({ "stateName": "B" }),
            "'B' not found",
        ),
    ];
    for (state, more, expected) in cases {
        let (status, body) = request(&fixture, state, more).await;
        let message = body["message"].as_str().unwrap_or_default();
        assert!(
            status == 400 && message.contains(expected),
            "{expected}: {body}"
        );
    }
    // A token is made where none is given.
    let more = json!({ "mock": result, "inspectionLevel": "DEBUG" });
    let body = tried(&fixture, waits, more).await;
    let sent = read(&body, "/inspectionData/afterParameters");
    assert!(sent["MessageBody"].as_str().unwrap().len() > 20, "{sent}");
}

#[tokio::test]
async fn a_distributed_map_gets_what_its_reader_would_have_read() {
    let fixture = Fixture::start().await;
    let state = json!({ "Type": "Map", "QueryLanguage": "JSONata", "End": true,
        "ItemReader": { "Resource": "arn:aws:states:::s3:getObject",
            "ReaderConfig": { "InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW" },
            "Arguments": { "Bucket": "b", "Key": "k" } },
        "ItemSelector": { "n": "{% $states.context.Map.Item.Value.n %}" },
        "ItemBatcher": { "MaxItemsPerBatch": 2 },
        "ResultWriter": { "Resource": "arn:aws:states:::s3:putObject", "Arguments": { "Bucket": "b", "Prefix": "p" } },
        "ItemProcessor": { "ProcessorConfig": { "Mode": "DISTRIBUTED", "ExecutionType": "STANDARD" },
            "StartAt": "In", "States": { "In": { "Type": "Pass", "End": true } } } });
    let more = json!({ "inspectionLevel": "DEBUG", "mock": { "result": "{\"written\":true}" },
        "stateConfiguration": { "mapItemReaderData": "n,m\n1,a\n2,b\n3,c\n" } });
    let body = tried(&fixture, state, more).await;
    assert_eq!(body["output"], "{\"written\":true}");
    assert_eq!(
        read(&body, "/inspectionData/afterItemSelector"),
        json!([{ "n": "1" }, { "n": "2" }, { "n": "3" }])
    );
    assert_eq!(
        read(&body, "/inspectionData/afterItemBatcher"),
        json!([{ "Items": [{ "n": "1" }, { "n": "2" }] }, { "Items": [{ "n": "3" }] }])
    );
}

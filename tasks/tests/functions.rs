//! The functions' binary as Lambda runs them: a Runtime API in front, nothing but the environment
//! around.

#![allow(
    clippy::unwrap_used,
    reason = "clippy.toml allows it in tests, but not in the helpers of an integration test"
)]

use std::{
    process::Stdio,
    sync::{Arc, Mutex},
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, State},
    http::StatusCode,
    response::IntoResponse,
    routing::{get, post},
};
use serde_json::{Value, json};
use tokio::{
    process::{Child, Command},
    sync::mpsc,
};

/// What a function answered: `response` or `error`, and the body.
type Answer = (String, Value);

#[derive(Clone)]
struct Api {
    events: Arc<Mutex<Vec<Value>>>,
    answers: mpsc::UnboundedSender<Answer>,
}

/// A Runtime API that hands out these events and then nothing; its address and the answers.
async fn runtime_api(mut events: Vec<Value>) -> (String, mpsc::UnboundedReceiver<Answer>) {
    events.reverse();
    let (answers, received) = mpsc::unbounded_channel();
    let api = Api {
        events: Arc::new(Mutex::new(events)),
        answers,
    };
    let router = Router::new()
        .route("/2018-06-01/runtime/invocation/next", get(next))
        .route(
            "/2018-06-01/runtime/invocation/{id}/{outcome}",
            post(answered),
        )
        .with_state(api);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move { axum::serve(listener, router).await });
    (address, received)
}

async fn next(State(api): State<Api>) -> impl IntoResponse {
    let event = api.events.lock().unwrap().pop();
    let Some(event) = event else {
        return std::future::pending().await;
    };
    let headers = [
        ("lambda-runtime-aws-request-id", "request-1"),
        ("lambda-runtime-deadline-ms", "4102444800000"),
        (
            "lambda-runtime-invoked-function-arn",
            "arn:aws:lambda:us-east-1:000000000000:function:f",
        ),
    ];
    (headers, Json(event))
}

async fn answered(
    State(api): State<Api>,
    Path((_, outcome)): Path<(String, String)>,
    body: Bytes,
) -> StatusCode {
    let body = serde_json::from_slice(&body).unwrap();
    api.answers.send((outcome, body)).unwrap();
    StatusCode::ACCEPTED
}

fn function(handler: &str, api: &str, variables: &[(&str, &str)]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_bootstrap"))
        .env_clear()
        .env("_HANDLER", handler)
        .env("AWS_LAMBDA_RUNTIME_API", api)
        .env("AWS_LAMBDA_FUNCTION_NAME", "f")
        .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
        .env("RESTOCK_TASK_STDIN", "watch")
        .envs(variables.iter().copied())
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

/// The function's next answer; it must not end before that.
async fn next_answer(child: &mut Child, answers: &mut mpsc::UnboundedReceiver<Answer>) -> Answer {
    tokio::select! {
        answer = answers.recv() => answer.unwrap(),
        ended = child.wait() => panic!("the function ended: {ended:?}"),
    }
}

#[tokio::test]
async fn answers_and_declared_errors_reach_the_runtime_api() {
    let dir = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", dir.path().join("warehouse.db").display());
    let warehouse = shop::Warehouse::open(&url, 2).unwrap();
    warehouse.migrate().await.unwrap();
    warehouse.seed().await.unwrap();
    let claim = shop::reorder::claim(&warehouse, "CP-502101", 1_500)
        .await
        .unwrap();
    let good = json!({"reorder_id": claim.reorder.reorder_id, "product_id": "CP-502101"});
    let unknown = json!({"reorder_id": "RO-none", "product_id": "CP-502101"});

    let (api, mut answers) = runtime_api(vec![good, unknown, json!([])]).await;
    let variables = [("RESTOCK_DATABASE_URL", url.as_str())];
    let mut child = function("check_stock", &api, &variables);
    // Waiting for a child closes its stdin, so it is held here.
    let stdin = child.stdin.take();

    let (outcome, body) = next_answer(&mut child, &mut answers).await;
    assert_eq!(
        (outcome.as_str(), &body["missing"]),
        ("response", &json!(500)),
        "{body}"
    );
    let (outcome, body) = next_answer(&mut child, &mut answers).await;
    assert_eq!(outcome, "error");
    let named =
        json!({"errorType": "Reorder.NotFound", "errorMessage": "there is no reorder RO-none"});
    assert_eq!(body, named);
    let (_, body) = next_answer(&mut child, &mut answers).await;
    assert_eq!(body["errorType"], "Task.InvalidInput");

    drop(stdin);
    assert!(
        child.wait().await.unwrap().success(),
        "it ends with its stdin"
    );
}

#[tokio::test]
async fn a_missing_variable_ends_the_process_and_is_named() {
    let (api, _answers) = runtime_api(Vec::new()).await;
    let child = function(
        "email_ads",
        &api,
        &[("RESTOCK_DATABASE_URL", "sqlite://w.db")],
    );
    let output = child.wait_with_output().await.unwrap();
    assert!(!output.status.success());
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("RESTOCK_MAIL_FROM is not set"), "{text}");
}

/// A Secrets Manager that knows one secret.
async fn secrets_manager(arn: &'static str, text: String) -> String {
    let get = async move |Json(request): Json<Value>| match request["SecretId"] == arn {
        true => (
            StatusCode::OK,
            Json(json!({"ARN": arn, "Name": "n", "VersionId": "v", "SecretString": text})),
        ),
        false => (
            StatusCode::BAD_REQUEST,
            Json(json!({"__type": "ResourceNotFoundException", "Message": "no such secret"})),
        ),
    };
    let router = Router::new().route(
        "/",
        post(async move |body: Bytes| get(Json(serde_json::from_slice(&body).unwrap())).await),
    );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

#[tokio::test]
async fn a_setting_may_be_the_arn_of_a_secret() {
    let dir = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", dir.path().join("customers.db").display());
    let customers = shop::Customers::open(&url, 2).unwrap();
    customers.migrate().await.unwrap();
    let aws = secrets_manager("arn:known", url).await;
    let settings = |arn| {
        [
            ("RESTOCK_CUSTOMERS_URL_SECRET_ARN", arn),
            ("RESTOCK_VIP_THRESHOLD", "100"),
            ("AWS_ENDPOINT_URL", aws.as_str()),
            ("AWS_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
        ]
    };

    let order = json!({"order_id": "OR-1", "customer_id": "CU-9", "product_id": "CP-502101",
                       "quantity": 100, "vip_quantity": 100});
    let (api, mut answers) = runtime_api(vec![order]).await;
    let mut child = function("upgrade_tier", &api, &settings("arn:known"));
    let _stdin = child.stdin.take();
    let (outcome, body) = next_answer(&mut child, &mut answers).await;
    assert_eq!(
        (outcome.as_str(), &body["outcome"]),
        ("response", &json!("unknown_customer"))
    );

    let (api, _answers) = runtime_api(Vec::new()).await;
    let child = function("upgrade_tier", &api, &settings("arn:other"));
    let output = child.wait_with_output().await.unwrap();
    assert!(!output.status.success());
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(
        text.contains("RESTOCK_CUSTOMERS_URL cannot be read from the secret arn:other")
            && text.contains("ResourceNotFoundException"),
        "{text}"
    );
}

#[tokio::test]
async fn a_handler_that_is_no_task_ends_the_process_and_says_which_there_are() {
    let (api, _answers) = runtime_api(Vec::new()).await;
    let output = function("bootstrap", &api, &[])
        .wait_with_output()
        .await
        .unwrap();
    assert!(!output.status.success());
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(
        text.contains("there is no task \"bootstrap\"") && text.contains("check_stock"),
        "{text}"
    );
}

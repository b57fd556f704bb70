//! The functions' binaries as Lambda runs them: a Runtime API in front, nothing but the environment
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

fn function(binary: &str, api: &str, variables: &[(&str, &str)]) -> Child {
    Command::new(binary)
        .env_clear()
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
    let mut child = function(env!("CARGO_BIN_EXE_check_stock"), &api, &variables);
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
        env!("CARGO_BIN_EXE_email_ads"),
        &api,
        &[("RESTOCK_DATABASE_URL", "sqlite://w.db")],
    );
    let output = child.wait_with_output().await.unwrap();
    assert!(!output.status.success());
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("RESTOCK_MAIL_FROM is not set"), "{text}");
}

/// Every line of the registry has its binary, and every binary its line.
#[test]
fn every_task_has_its_binary() {
    let bin = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/bin");
    let mut files: Vec<_> = std::fs::read_dir(bin)
        .unwrap()
        .map(|entry| {
            entry
                .unwrap()
                .path()
                .file_stem()
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    files.sort();
    let mut names: Vec<_> = tasks::registry::TASKS
        .iter()
        .map(|task| task.name)
        .collect();
    names.sort_unstable();
    assert_eq!(files, names);
}

//! `GET /_restock/logs`: what functions wrote, for tools of ours; AWS has no such path.
//!
//! Parameters: `function` (all if absent), `request_id`, `limit` (newest lines, 1–10,000, default 200). The answer is
//! `{"lines": [{"function", "at", "request_id", "message"}]}`, oldest first.

use axum::{
    Json, Router,
    extract::{Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::LogLine;
use crate::lambda::functions::Functions;

const DEFAULT_LIMIT: usize = 200;
const MAX_LIMIT: usize = 10_000;

#[derive(Debug, Deserialize)]
struct Parameters {
    function: Option<String>,
    request_id: Option<String>,
    limit: Option<usize>,
}

pub(in crate::lambda) fn router(functions: Functions) -> Router {
    Router::new()
        .route("/_restock/logs", get(logs))
        .with_state(functions)
}

async fn logs(
    State(functions): State<Functions>,
    Query(parameters): Query<Parameters>,
) -> Response {
    let limit = parameters
        .limit
        .unwrap_or(DEFAULT_LIMIT)
        .clamp(1, MAX_LIMIT);
    let wanted = match &parameters.function {
        None => functions.list(),
        Some(name) => match functions.find(name) {
            Ok(function) => vec![function],
            Err(error) => {
                let message = json!({ "message": error.to_string() });
                return (StatusCode::NOT_FOUND, Json(message)).into_response();
            }
        },
    };
    let request_id = parameters.request_id.as_deref();
    let mut lines: Vec<(String, LogLine)> = Vec::new();
    for function in wanted {
        let of_function = function.log.newest(request_id, limit);
        lines.extend(
            of_function
                .into_iter()
                .map(|line| (function.config.name.clone(), line)),
        );
    }
    lines.sort_by_key(|(_, line)| line.at);
    lines.drain(..lines.len().saturating_sub(limit));
    let lines: Vec<Value> = lines
        .iter()
        .map(|(function, line)| show(function, line))
        .collect();
    Json(json!({ "lines": lines })).into_response()
}

fn show(function: &str, line: &LogLine) -> Value {
    json!({
        "function": function,
        "at": line.at.to_string(),
        "request_id": line.request_id.as_deref(),
        "message": line.text,
    })
}

//! What our HTTP tasks share: JSON bodies with a limit, the API Gateway adapter, the last-resort answers.

use std::any::Any;

use axum::{
    Router,
    body::Body,
    extract::{Path, rejection::PathRejection},
    http::{HeaderMap, Request, StatusCode, header},
    response::{IntoResponse, Response},
};
use http_body_util::BodyExt;
use lambda_http::{Adapter, request::LambdaRequest};
use lambda_runtime::{Context, LambdaEvent};
use serde_json::{Value, json};
use tower::Service;
use tower_http::{catch_panic::CatchPanicLayer, trace::TraceLayer};

use crate::{error::Common, problem::Problem};

/// The largest body we read.
pub(crate) const BODY_LIMIT: usize = 64 * 1024;

/// How much of a body that is too large is read and thrown away, so that a client which writes before it
/// reads sees the answer and not a reset connection.
const DRAIN_LIMIT: usize = 16 * 1024 * 1024;

/// Adds what every route of ours has: a span and a log line per request, JSON for unknown paths and
/// methods, and an answer when a handler panics.
pub(crate) fn finish(router: Router) -> Router {
    let span = |request: &Request<Body>| {
        let given = request.headers().get("x-amzn-trace-id");
        let request_id = given
            .and_then(|id| id.to_str().ok().map(str::to_owned))
            .unwrap_or_else(|| uuid::Uuid::new_v4().simple().to_string());
        tracing::info_span!(
            "request",
            method = %request.method(),
            path = request.uri().path(),
            request_id,
            order_id = tracing::field::Empty,
        )
    };
    router
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(CatchPanicLayer::custom(panicked))
        .layer(
            TraceLayer::new_for_http()
                .make_span_with(span)
                .on_failure(()),
        )
}

/// One API Gateway event (HTTP API, payload format 2.0) through a router.
pub(crate) async fn serve(router: Router, event: Value) -> Result<Value, Common> {
    let request: LambdaRequest =
        serde_json::from_value(event).map_err(|error| Common::InvalidInput(error.to_string()))?;
    let event = LambdaEvent::new(request, Context::default());
    // The adapter itself is not Send, its future is: it must not live across the await.
    let answering = Adapter::from(router).call(event);
    let response = match answering.await {
        Ok(response) => response,
        Err(never) => match never {},
    };
    serde_json::to_value(response).map_err(|error| Common::InvalidInput(error.to_string()))
}

/// Reads a JSON object of at most [`BODY_LIMIT`] bytes.
pub(crate) async fn json_object(
    headers: &HeaderMap,
    mut body: Body,
) -> Result<serde_json::Map<String, Value>, Problem> {
    if let Some(kind) = headers.get(header::CONTENT_TYPE)
        && !is_json(kind.as_bytes())
    {
        let message = "Send JSON with the header Content-Type: application/json.";
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
    }
    let announced = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > DRAIN_LIMIT) {
        return Err(too_large());
    }
    let (mut bytes, mut length) = (Vec::new(), 0);
    while let Some(frame) = body.frame().await {
        let broken = || Problem::new(StatusCode::BAD_REQUEST, "The body ended too early.");
        let Ok(data) = frame.map_err(|_| broken())?.into_data() else {
            continue;
        };
        length += data.len();
        if length > DRAIN_LIMIT {
            break;
        }
        if length <= BODY_LIMIT {
            bytes.extend_from_slice(&data);
        }
    }
    if length > BODY_LIMIT {
        return Err(too_large());
    }
    match serde_json::from_slice(&bytes) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(Problem::field("body", "The body must be a JSON object.")),
        Err(error) => Err(Problem::field(
            "body",
            format!("The body is not JSON: {error}."),
        )),
    }
}

fn is_json(content_type: &[u8]) -> bool {
    let kind = content_type.split(|byte| *byte == b';').next();
    kind.is_some_and(|kind| kind.trim_ascii().eq_ignore_ascii_case(b"application/json"))
}

fn too_large() -> Problem {
    let message = format!("The body is larger than {BODY_LIMIT} bytes (64 KiB).");
    let mut problem = Problem::new(StatusCode::PAYLOAD_TOO_LARGE, message);
    problem.body.field = Some("body".to_owned());
    problem
}

/// The original contract's answer to unknown paths.
async fn not_found() -> Response {
    (
        StatusCode::NOT_FOUND,
        axum::Json(json!({"error": "Not Found"})),
    )
        .into_response()
}

async fn method_not_allowed() -> Problem {
    let message = "This path does not take this method; see the Allow header.";
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, message)
}

fn panicked(panic: Box<dyn Any + Send + 'static>) -> Response {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    tracing::error!(panic = text, "a handler panicked");
    let message = "Something went wrong on our side.";
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, message).into_response()
}

/// An id from the path; one that is not UTF-8 is a `400`.
pub(crate) fn path_id(id: Result<Path<String>, PathRejection>) -> Result<String, Problem> {
    match id {
        Ok(Path(id)) => Ok(id),
        Err(_) => Err(Problem::field(
            "id",
            "The id in the path is not valid UTF-8.",
        )),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    async fn read(content_type: Option<&'static str>, body: impl Into<Body>) -> Result<usize, u16> {
        let mut headers = HeaderMap::new();
        if let Some(kind) = content_type {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        }
        let read = json_object(&headers, body.into()).await;
        read.map(|object| object.len())
            .map_err(|problem| problem.status.as_u16())
    }

    #[tokio::test]
    async fn bodies_are_json_objects_of_limited_size() {
        let padded = |length: usize| {
            let frame = r#"{"a":""}"#.len();
            format!(r#"{{"a":"{}"}}"#, "x".repeat(length - frame))
        };
        let json = Some("application/json");
        for (kind, body, outcome) in [
            (json, "{}".to_owned(), Ok(0)),
            (None, r#"{"a":1}"#.to_owned(), Ok(1)),
            (
                Some("Application/JSON; charset=utf-8"),
                "{}".to_owned(),
                Ok(0),
            ),
            (Some("text/plain"), "{}".to_owned(), Err(415)),
            (
                Some("application/x-www-form-urlencoded"),
                "a=1".to_owned(),
                Err(415),
            ),
            (json, String::new(), Err(400)),
            (json, "nonsense".to_owned(), Err(400)),
            (json, "[1]".to_owned(), Err(400)),
            (json, "\"text\"".to_owned(), Err(400)),
            (json, padded(BODY_LIMIT), Ok(1)),
            (json, padded(BODY_LIMIT + 1), Err(413)),
            (json, "[".repeat(BODY_LIMIT), Err(400)),
        ] {
            assert_eq!(
                read(kind, body.clone()).await,
                outcome,
                "{kind:?} {:.20}",
                body
            );
        }
    }
}

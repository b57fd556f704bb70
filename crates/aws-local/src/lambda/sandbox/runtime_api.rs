//! The Lambda Runtime API, version 2018-06-01, for one process. Each process has a listener of its own on loopback, so the
//! port is all the identity it needs.
//!
//! Source: AWS Lambda developer guide, "Using the Lambda runtime API for custom runtimes", and its OpenAPI document.

use std::{convert::Infallible, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Collected, Full, LengthLimitError, Limited};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    net::TcpListener,
    task::{JoinHandle, JoinSet},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use super::Sandbox;
use crate::lambda::{
    failure::{self, MAX_RESPONSE},
    function::Next,
    invocation::{Event, FailureKind, FunctionError, Outcome},
};

const PREFIX: &str = "/2018-06-01/runtime/";
const ERROR_TYPE: &str = "lambda-runtime-function-error-type";
const ERROR_BODY: &str = "lambda-runtime-function-error-body";

type Answer = Response<Full<Bytes>>;

/// The listener of one process and its connections.
pub(super) struct Server {
    task: JoinHandle<()>,
    closing: CancellationToken,
}

impl Server {
    pub(super) fn start(listener: TcpListener, sandbox: Arc<Sandbox>) -> Server {
        let closing = CancellationToken::new();
        let task = tokio::spawn(serve(listener, sandbox, closing.clone()));
        Server { task, closing }
    }

    /// The process has ended: reads what it had sent, then closes.
    pub(super) async fn finish(mut self) {
        self.closing.cancel();
        if timeout(Duration::from_secs(1), &mut self.task)
            .await
            .is_err()
        {
            self.task.abort();
        }
    }
}

async fn serve(listener: TcpListener, sandbox: Arc<Sandbox>, closing: CancellationToken) {
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            () = closing.cancelled() => break,
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
        };
        let Ok((stream, _)) = accepted else { continue };
        let _ = stream.set_nodelay(true);
        let sandbox = sandbox.clone();
        connections.spawn(async move {
            let service = service_fn(|request| {
                let sandbox = sandbox.clone();
                async move { Ok::<_, Infallible>(handle(&sandbox, request).await) }
            });
            // A connection that breaks is the process' trouble; its supervisor sees how it ends.
            let _ = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

async fn handle(sandbox: &Arc<Sandbox>, request: Request<Incoming>) -> Answer {
    let (parts, body) = request.into_parts();
    let Some(path) = parts.uri.path().strip_prefix(PREFIX) else {
        return problem(
            StatusCode::NOT_FOUND,
            "NotFound",
            "there is only /2018-06-01/runtime/",
        );
    };
    match (&parts.method, path) {
        (&Method::GET, "invocation/next") => next(sandbox).await,
        (&Method::POST, "init/error") => init_error(sandbox, body).await,
        (&Method::POST, path) => match path
            .strip_prefix("invocation/")
            .and_then(|rest| rest.split_once('/'))
        {
            Some((request_id, "response")) => response(sandbox, request_id, body).await,
            Some((request_id, "error")) => error(sandbox, request_id, &parts.headers, body).await,
            _ => problem(
                StatusCode::NOT_FOUND,
                "NotFound",
                "the Runtime API has no such path",
            ),
        },
        _ => problem(
            StatusCode::NOT_FOUND,
            "NotFound",
            "the Runtime API has no such path",
        ),
    }
}

async fn next(sandbox: &Arc<Sandbox>) -> Answer {
    let event = match sandbox.function.next(sandbox) {
        Next::Now(event) => event,
        Next::Later(event) => match event.await {
            Ok(event) => event,
            Err(_) => return problem(StatusCode::GONE, "SandboxClosed", "no more work comes"),
        },
        Next::Refused => {
            return problem(
                StatusCode::FORBIDDEN,
                "InvalidStateTransition",
                "the last invocation has neither a response nor an error yet",
            );
        }
    };
    deliver(sandbox, event)
}

fn deliver(sandbox: &Sandbox, event: Event) -> Answer {
    let deadline = jiff::Timestamp::now().as_millisecond()
        + sandbox.function.config.timeout.as_millis() as i64;
    let mut answer = Response::new(Full::new(event.payload));
    let headers = answer.headers_mut();
    headers.reserve(6);
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    headers.insert(
        HeaderName::from_static("lambda-runtime-deadline-ms"),
        HeaderValue::from(deadline),
    );
    let trace_id = event.trace_id.unwrap_or_else(new_trace_id);
    let texts = [
        ("lambda-runtime-aws-request-id", Some(&*event.request_id)),
        (
            "lambda-runtime-invoked-function-arn",
            Some(&*event.invoked_arn),
        ),
        ("lambda-runtime-trace-id", Some(&*trace_id)),
        (
            "lambda-runtime-client-context",
            event.client_context.as_deref(),
        ),
    ];
    for (name, text) in texts {
        if let Some(Ok(value)) = text.map(HeaderValue::from_str) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    answer
}

/// A trace that nobody records, in AWS's form.
fn new_trace_id() -> String {
    let id = uuid::Uuid::new_v4().simple().to_string();
    let now = jiff::Timestamp::now().as_second();
    format!(
        "Root=1-{now:08x}-{};Parent={};Sampled=0",
        &id[..24],
        &id[16..]
    )
}

async fn response(sandbox: &Sandbox, request_id: &str, body: Incoming) -> Answer {
    let outcome = match read(body).await {
        Ok(collected) => match trailing_error(collected.trailers()) {
            Some(error) => Outcome::Failed(error),
            None => Outcome::Returned(collected.to_bytes()),
        },
        Err(ReadError::TooLarge) => {
            sandbox.function.answered(
                sandbox,
                request_id,
                Outcome::Failed(failure::response_too_large()),
            );
            let reason = format!("Exceeded maximum allowed payload size ({MAX_RESPONSE} bytes).");
            return problem(
                StatusCode::PAYLOAD_TOO_LARGE,
                "RequestEntityTooLarge",
                &reason,
            );
        }
        Err(ReadError::Broken) => {
            return problem(
                StatusCode::BAD_REQUEST,
                "InvalidRequest",
                "the body ended early",
            );
        }
    };
    accepted(sandbox.function.answered(sandbox, request_id, outcome))
}

/// A streamed response may fail in its middle; it says so after its body.
fn trailing_error(trailers: Option<&HeaderMap>) -> Option<FunctionError> {
    let trailers = trailers?;
    let error_type = trailers.get(ERROR_TYPE)?.to_str().ok()?;
    let payload = trailers.get(ERROR_BODY).map_or_else(
        || Bytes::from(serde_json::json!({ "errorType": error_type }).to_string()),
        |body| {
            use base64::{Engine, prelude::BASE64_STANDARD};
            let decoded = BASE64_STANDARD.decode(body.as_bytes());
            Bytes::from(decoded.unwrap_or_else(|_| body.as_bytes().to_vec()))
        },
    );
    Some(FunctionError {
        payload,
        kind: FailureKind::Handler,
    })
}

async fn error(sandbox: &Sandbox, request_id: &str, headers: &HeaderMap, body: Incoming) -> Answer {
    match read(body).await {
        Ok(collected) => {
            let payload = error_document(headers, collected.to_bytes());
            let error = FunctionError {
                payload,
                kind: FailureKind::Handler,
            };
            accepted(
                sandbox
                    .function
                    .answered(sandbox, request_id, Outcome::Failed(error)),
            )
        }
        Err(_) => problem(
            StatusCode::BAD_REQUEST,
            "InvalidRequest",
            "the error's document could not be read",
        ),
    }
}

async fn init_error(sandbox: &Sandbox, body: Incoming) -> Answer {
    match read(body).await {
        Ok(collected) => {
            let _ = sandbox.init_error.set(collected.to_bytes());
            sandbox.end.cancel();
            accepted(true)
        }
        Err(_) => problem(
            StatusCode::BAD_REQUEST,
            "InvalidRequest",
            "the error's document could not be read",
        ),
    }
}

/// A runtime that sends no document at least names the error in a header.
fn error_document(headers: &HeaderMap, body: Bytes) -> Bytes {
    if !body.is_empty() {
        return body;
    }
    let error_type = headers
        .get(ERROR_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("Unhandled");
    Bytes::from(serde_json::json!({ "errorType": error_type, "errorMessage": "" }).to_string())
}

enum ReadError {
    TooLarge,
    Broken,
}

async fn read(body: Incoming) -> Result<Collected<Bytes>, ReadError> {
    Limited::new(body, MAX_RESPONSE)
        .collect()
        .await
        .map_err(|error| {
            if error.is::<LengthLimitError>() {
                ReadError::TooLarge
            } else {
                ReadError::Broken
            }
        })
}

fn accepted(known: bool) -> Answer {
    if known {
        json(
            StatusCode::ACCEPTED,
            Bytes::from_static(br#"{"status":"OK"}"#),
        )
    } else {
        problem(
            StatusCode::BAD_REQUEST,
            "InvalidRequestID",
            "Invalid request ID",
        )
    }
}

fn problem(status: StatusCode, error_type: &str, message: &str) -> Answer {
    let document = serde_json::json!({ "errorType": error_type, "errorMessage": message });
    json(status, Bytes::from(document.to_string()))
}

fn json(status: StatusCode, body: Bytes) -> Answer {
    let mut answer = Response::new(Full::new(body));
    *answer.status_mut() = status;
    answer.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    answer
}

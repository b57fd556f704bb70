//! The wire formats of AWS, one module each: how a request is read and how an answer or an error is written.
//!
//! Nothing here knows a service. Start at [`json`] (SQS, Step Functions), [`query`] (SNS) or [`rest`] (SES, Lambda);
//! [`crate::front`] decides which one a request speaks.

pub mod json;
pub mod query;
pub mod rest;

use std::panic::AssertUnwindSafe;

use axum::http::HeaderMap;
use futures::FutureExt;

/// The header in which every AWS answer names its request.
pub const REQUEST_ID_HEADER: &str = "x-amzn-requestid";

/// A fresh request id, as AWS writes them (a version 4 UUID in lower case).
pub fn new_request_id() -> String {
    uuid::Uuid::new_v4().to_string()
}

/// The address under which the client reached us, without a trailing slash. Queue URLs are built from it, so that a client
/// behind another name or port gets URLs that it can use.
pub fn base_url(headers: &HeaderMap) -> String {
    let host = headers
        .get(axum::http::header::HOST)
        .and_then(|host| host.to_str().ok())
        .filter(|host| !host.is_empty())
        .unwrap_or("localhost");
    format!("http://{host}")
}

/// Runs a handler; a panic in it is logged under the request's id and becomes `None`, so that each protocol can answer it in
/// its own shape and nothing internal reaches the client.
pub(crate) async fn shielded<T>(request_id: &str, handler: impl Future<Output = T>) -> Option<T> {
    match AssertUnwindSafe(handler).catch_unwind().await {
        Ok(answer) => Some(answer),
        Err(panic) => {
            let reason = panic
                .downcast_ref::<&str>()
                .map(|text| (*text).to_owned())
                .or_else(|| panic.downcast_ref::<String>().cloned())
                .unwrap_or_else(|| "no message".to_owned());
            tracing::error!(request_id, reason, "a request handler panicked");
            None
        }
    }
}

/// Whether the same request may succeed later without a change (`503` rather than `500`).
pub(crate) fn is_temporary(error: &engine::StorageError) -> bool {
    use engine::StorageError;
    matches!(
        error,
        StorageError::Full | StorageError::ReadOnly | StorageError::Closed | StorageError::Stale
    )
}

/// Why a body could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyError {
    /// It has more bytes than allowed; the rest was not read.
    TooLarge,
    /// The client stopped sending.
    Broken,
}

/// Reads a body of at most `limit` bytes.
pub(crate) async fn read_body(
    body: axum::body::Body,
    limit: usize,
) -> Result<bytes::Bytes, BodyError> {
    use http_body_util::{BodyExt, LengthLimitError, Limited};
    match Limited::new(body, limit).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(BodyError::TooLarge),
        Err(_) => Err(BodyError::Broken),
    }
}

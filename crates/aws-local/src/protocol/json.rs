//! awsJson1.0: every call is `POST /` with the action in `X-Amz-Target`, JSON in, JSON out.
//!
//! Source: Smithy "AWS JSON 1.0 protocol"; `x-amzn-query-error` from Smithy "AWS query-compatible trait" (SQS has it, so that
//! SDKs keep the error codes of its older protocol).

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use bytes::Bytes;
use futures::future::BoxFuture;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::{REQUEST_ID_HEADER, shielded};

/// Content type of requests and answers.
pub const CONTENT_TYPE: &str = "application/x-amz-json-1.0";

/// Errors that the framework in front of each AWS service answers are of this namespace.
const FRAMEWORK: &str = "com.amazon.coral.service";

/// A service that speaks awsJson1.0: it gets the action's name (`X-Amz-Target` without the prefix).
pub trait JsonService: Send + Sync + 'static {
    /// Carries out one action and returns the answer's JSON text; see [`answer`].
    fn call<'a>(
        &'a self,
        action: &'a str,
        request: JsonRequest,
    ) -> BoxFuture<'a, Result<Vec<u8>, JsonError>>;
}

/// One request, not yet parsed.
#[derive(Debug, Clone)]
pub struct JsonRequest {
    /// The body as received; empty means `{}`.
    pub body: Bytes,
    /// Where the client reached us, e.g. `http://127.0.0.1:4566`.
    pub base_url: String,
    /// The id under which the answer and the log name this request.
    pub request_id: String,
}

impl JsonRequest {
    /// Reads the body. Anything that is not JSON of the right types is a `SerializationException`.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, JsonError> {
        let text: &[u8] = if self.body.is_empty() {
            b"{}"
        } else {
            &self.body
        };
        serde_json::from_slice(text).map_err(|error| JsonError::serialization(error.to_string()))
    }
}

/// The JSON text of an answer.
pub fn answer<T: Serialize>(value: &T) -> Result<Vec<u8>, JsonError> {
    serde_json::to_vec(value).map_err(|error| {
        tracing::error!(%error, "an answer could not be written as JSON");
        JsonError::internal()
    })
}

/// The answer of an action that returns nothing. AWS sends no body then.
pub fn no_content() -> Result<Vec<u8>, JsonError> {
    Ok(Vec::new())
}

/// An error answer: `{"__type": …, "message": …}`.
#[derive(Debug, Clone, PartialEq)]
pub struct JsonError {
    /// HTTP status, 400 for the client's mistakes.
    pub status: StatusCode,
    /// `namespace#Shape`.
    pub type_name: String,
    /// The code for `x-amzn-query-error`, of services with a Query past.
    pub query_code: Option<String>,
    /// For the reader.
    pub message: String,
    /// Further members of the error's shape, e.g. `reason`. Boxed, as errors travel in every `Result`.
    pub members: Box<Map<String, Value>>,
}

impl JsonError {
    /// An error of the client's making (400).
    pub fn client(type_name: impl Into<String>, message: impl Into<String>) -> JsonError {
        JsonError {
            status: StatusCode::BAD_REQUEST,
            type_name: type_name.into(),
            query_code: None,
            message: message.into(),
            members: Box::default(),
        }
    }

    /// Names the code that SDKs of a query-compatible service report.
    #[must_use]
    pub fn with_query_code(mut self, code: impl Into<String>) -> JsonError {
        self.query_code = Some(code.into());
        self
    }

    /// Adds a member to the error's JSON.
    #[must_use]
    pub fn with(mut self, member: &str, value: Value) -> JsonError {
        self.members.insert(member.to_owned(), value);
        self
    }

    /// The body is not what the action takes.
    pub fn serialization(message: impl Into<String>) -> JsonError {
        JsonError::client(format!("{FRAMEWORK}#SerializationException"), message)
    }

    /// No such action here.
    pub fn unknown_operation(target: &str) -> JsonError {
        JsonError::client(
            format!("{FRAMEWORK}#UnknownOperationException"),
            format!("The operation {target} is not known to this endpoint."),
        )
    }

    /// The body is larger than any request of this protocol may be.
    pub fn too_large(limit: usize) -> JsonError {
        JsonError {
            status: StatusCode::PAYLOAD_TOO_LARGE,
            ..JsonError::client(
                format!("{FRAMEWORK}#RequestEntityTooLargeException"),
                format!("The request body must not be larger than {limit} bytes."),
            )
        }
    }

    /// The store takes nothing at the moment, and may later.
    pub fn unavailable() -> JsonError {
        JsonError {
            status: StatusCode::SERVICE_UNAVAILABLE,
            ..JsonError::client(
                format!("{FRAMEWORK}#ServiceUnavailableException"),
                "The service cannot store anything at the moment. Try again later.",
            )
            .with_query_code("ServiceUnavailable")
        }
    }

    /// Our fault; says nothing about it. Log the cause where it is known.
    pub fn internal() -> JsonError {
        JsonError {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            ..JsonError::client(
                format!("{FRAMEWORK}#InternalFailure"),
                "The request processing has failed because of an unknown error, exception or failure.",
            )
            .with_query_code("InternalFailure")
        }
    }

    /// The part of [`Self::type_name`] after `#`.
    pub fn shape(&self) -> &str {
        self.type_name
            .rsplit_once('#')
            .map_or(self.type_name.as_str(), |(_, shape)| shape)
    }

    /// The HTTP answer.
    pub fn into_response(self, request_id: &str) -> Response {
        let mut members = Map::new();
        members.insert("__type".to_owned(), Value::String(self.type_name));
        members.insert("message".to_owned(), Value::String(self.message));
        members.extend(*self.members);
        let body = Value::Object(members).to_string().into_bytes();
        let mut response = respond(self.status, body, request_id);
        if let Some(code) = self.query_code {
            let fault = if self.status.is_server_error() {
                "Receiver"
            } else {
                "Sender"
            };
            if let Ok(value) = HeaderValue::from_str(&format!("{code};{fault}")) {
                response.headers_mut().insert("x-amzn-query-error", value);
            }
        }
        response
    }
}

/// Calls a service and writes what it answers; a panic is an `InternalFailure`.
pub async fn serve(service: &dyn JsonService, action: &str, request: JsonRequest) -> Response {
    let request_id = request.request_id.clone();
    match shielded(&request_id, service.call(action, request)).await {
        Some(Ok(body)) => respond(StatusCode::OK, body, &request_id),
        Some(Err(error)) => {
            tracing::debug!(
                request_id,
                action,
                error = error.shape(),
                message = error.message,
                "refused"
            );
            error.into_response(&request_id)
        }
        None => JsonError::internal().into_response(&request_id),
    }
}

fn respond(status: StatusCode, body: Vec<u8>, request_id: &str) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));
    if let Ok(value) = HeaderValue::from_str(request_id) {
        headers.insert(REQUEST_ID_HEADER, value);
    }
    response
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    struct Panicking;

    impl JsonService for Panicking {
        fn call<'a>(
            &'a self,
            action: &'a str,
            _: JsonRequest,
        ) -> BoxFuture<'a, Result<Vec<u8>, JsonError>> {
            async move { panic!("secret of {action}") }.boxed()
        }
    }

    #[tokio::test]
    async fn a_panic_is_an_internal_failure_without_internals() {
        let request = JsonRequest {
            body: Bytes::new(),
            base_url: String::new(),
            request_id: "id-1".to_owned(),
        };
        let response = serve(&Panicking, "Act", request).await;
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(response.headers()[REQUEST_ID_HEADER], "id-1");
        assert_eq!(
            response.headers()["x-amzn-query-error"],
            "InternalFailure;Receiver"
        );
        let body = axum::body::to_bytes(response.into_body(), 1000)
            .await
            .unwrap();
        let body = String::from_utf8(body.to_vec()).unwrap();
        assert!(
            body.contains("InternalFailure") && !body.contains("secret"),
            "{body}"
        );
    }
}

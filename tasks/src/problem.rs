//! Answers to clients when something is not as it should be: `{"message": …, "field"?: …}`.
//!
//! A message says what is wrong and what to do. Nothing internal is in it; the cause goes to the log.

use axum::{
    Json,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    config::ConfigError,
    error::{Common, TaskError},
};

/// The body of an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct ErrorBody {
    /// What is wrong, for people.
    pub message: String,
    /// The field, header or parameter that is wrong, spelled as the client spelled it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}

/// An error as an HTTP answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    /// The status code.
    pub status: StatusCode,
    /// The body.
    pub body: ErrorBody,
    /// Seconds after which trying again makes sense.
    pub retry_after: Option<u32>,
}

impl Problem {
    /// A problem with a message.
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            body: ErrorBody {
                message: message.into(),
                field: None,
            },
            retry_after: None,
        }
    }

    /// A `400` that names what is wrong.
    pub(crate) fn field(field: impl Into<String>, message: impl Into<String>) -> Self {
        let mut problem = Self::new(StatusCode::BAD_REQUEST, message);
        problem.body.field = Some(field.into());
        problem
    }

    /// The original contract's answer about a product that does not exist.
    pub(crate) fn no_product(status: StatusCode) -> Self {
        Self::new(status, "상품 없음")
    }

    /// A `503`: nothing half-done is left, and trying again makes sense. A commit whose answer was lost may
    /// have happened, so a client repeats with its idempotency key.
    pub(crate) fn unavailable() -> Self {
        let message = "The shop cannot answer right now. Please try again, with the same Idempotency-Key if there was one.";
        let mut problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, message);
        problem.retry_after = Some(2);
        problem
    }
}

impl From<Common> for Problem {
    fn from(error: Common) -> Self {
        tracing::error!(error = error.name(), cause = %error, "answered 503");
        Self::unavailable()
    }
}

impl From<ConfigError> for Problem {
    fn from(error: ConfigError) -> Self {
        Common::from(error).into()
    }
}

impl From<shop::Error> for Problem {
    /// For errors that a handler has not given a better answer. `Display` of a shop error is fit for
    /// clients, but a field has another name there.
    fn from(error: shop::Error) -> Self {
        match error {
            shop::Error::NotFound { .. } => Self::new(StatusCode::NOT_FOUND, error.to_string()),
            shop::Error::KeyReused => {
                let mut problem = Self::new(StatusCode::CONFLICT, error.to_string());
                problem.body.field = Some("Idempotency-Key".to_owned());
                problem
            }
            shop::Error::Invalid { .. } => Self::new(StatusCode::BAD_REQUEST, error.to_string()),
            other => Common::from(other).into(),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.body)).into_response();
        if let Some(seconds) = self.retry_after {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

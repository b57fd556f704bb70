//! Lambda's error answers: restJson1, with the error's name in `x-amzn-ErrorType` and a body of `Type` and a message.
//!
//! Source: AWS Lambda API reference, "Common errors" and the errors of each action. The member that holds the message is
//! `Message` in two of the shapes and `message` in all others.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

use crate::lambda::{invocation::InvokeError, mapping::MappingError};

/// One of Lambda's errors.
#[derive(Debug, Clone)]
pub(super) struct ApiError {
    status: StatusCode,
    name: &'static str,
    message: String,
}

impl ApiError {
    fn new(status: StatusCode, name: &'static str, message: impl Into<String>) -> ApiError {
        ApiError {
            status,
            name,
            message: message.into(),
        }
    }

    pub(super) fn invalid(message: impl Into<String>) -> ApiError {
        ApiError::new(
            StatusCode::BAD_REQUEST,
            "InvalidParameterValueException",
            message,
        )
    }

    pub(super) fn content(message: impl Into<String>) -> ApiError {
        ApiError::new(
            StatusCode::BAD_REQUEST,
            "InvalidRequestContentException",
            message,
        )
    }

    pub(super) fn too_large(limit: usize) -> ApiError {
        let message =
            format!("Request must be smaller than {limit} bytes for the InvokeFunction operation");
        ApiError::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "RequestTooLargeException",
            message,
        )
    }

    pub(super) fn not_found(message: impl Into<String>) -> ApiError {
        ApiError::new(StatusCode::NOT_FOUND, "ResourceNotFoundException", message)
    }

    /// An action that AWS has and we do not.
    pub(super) fn unsupported(message: impl Into<String>) -> ApiError {
        ApiError::new(
            StatusCode::NOT_IMPLEMENTED,
            "UnsupportedOperationException",
            message,
        )
    }

    pub(super) fn throttled() -> ApiError {
        ApiError::new(
            StatusCode::TOO_MANY_REQUESTS,
            "TooManyRequestsException",
            "Rate Exceeded.",
        )
    }

    fn service() -> ApiError {
        ApiError::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "ServiceException",
            "The AWS Lambda service encountered an internal error.",
        )
    }
}

impl From<InvokeError> for ApiError {
    fn from(error: InvokeError) -> ApiError {
        match error {
            InvokeError::InvalidName(name) => ApiError::new(
                StatusCode::BAD_REQUEST,
                "ValidationException",
                format!(
                    "1 validation error detected: Value '{name}' at 'functionName' failed to satisfy constraint: Member must \
                     satisfy regular expression pattern: (arn:(aws[a-zA-Z-]*)?:lambda:)?([a-z]{{2}}(-gov)?-[a-z]+-\\d{{1}}:)?\
                     (\\d{{12}}:)?(function:)?([a-zA-Z0-9-_\\.]+)(:(\\$LATEST|[a-zA-Z0-9-_]+))?"
                ),
            ),
            InvokeError::NotFound(_) => ApiError::not_found(error.to_string()),
            InvokeError::TooManyRequests => ApiError::throttled(),
            InvokeError::Stopped => ApiError::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "ServiceException",
                error.to_string(),
            ),
        }
    }
}

impl From<MappingError> for ApiError {
    fn from(error: MappingError) -> ApiError {
        let message = error.to_string();
        match error {
            MappingError::Invalid(_) => ApiError::invalid(message),
            MappingError::Function(error) => error.into(),
            MappingError::NotFound => ApiError::not_found(message),
            MappingError::Exists { .. } => {
                ApiError::new(StatusCode::CONFLICT, "ResourceConflictException", message)
            }
            MappingError::Storage(error) => {
                tracing::error!(%error, "an event source mapping could not be stored or read");
                ApiError::service()
            }
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let kind = if self.status.is_server_error() {
            "Service"
        } else {
            "User"
        };
        let body = match self.name {
            "ResourceNotFoundException" | "ServiceException" => {
                json!({ "Type": kind, "Message": self.message })
            }
            "TooManyRequestsException" => json!({
                "Type": kind,
                "message": self.message,
                "Reason": "ReservedFunctionConcurrentInvocationLimitExceeded",
            }),
            _ => json!({ "Type": kind, "message": self.message }),
        };
        let mut response = (self.status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert("x-amzn-errortype", HeaderValue::from_static(self.name));
        if self.status == StatusCode::TOO_MANY_REQUESTS {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

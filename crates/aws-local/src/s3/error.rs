//! S3's errors: codes and messages of its API reference.

use axum::http::StatusCode;

/// Why S3 refuses a call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct S3Error {
    /// HTTP status.
    pub status: StatusCode,
    /// S3's code, such as `NoSuchKey`.
    pub code: &'static str,
    /// For the reader.
    pub message: String,
}

impl S3Error {
    pub(super) fn new(
        status: StatusCode,
        code: &'static str,
        message: impl Into<String>,
    ) -> S3Error {
        S3Error {
            status,
            code,
            message: message.into(),
        }
    }

    pub(super) fn no_such_bucket() -> S3Error {
        let message = "The specified bucket does not exist";
        S3Error::new(StatusCode::NOT_FOUND, "NoSuchBucket", message)
    }

    pub(super) fn no_such_key() -> S3Error {
        let message = "The specified key does not exist.";
        S3Error::new(StatusCode::NOT_FOUND, "NoSuchKey", message)
    }

    pub(super) fn invalid_argument(message: impl Into<String>) -> S3Error {
        S3Error::new(StatusCode::BAD_REQUEST, "InvalidArgument", message)
    }

    pub(super) fn not_implemented(what: &str) -> S3Error {
        let message = format!("{what} is not something this endpoint's S3 has");
        S3Error::new(StatusCode::NOT_IMPLEMENTED, "NotImplemented", message)
    }

    pub(super) fn too_large() -> S3Error {
        let message = format!(
            "Your proposed upload exceeds the maximum allowed size of {} bytes",
            super::OBJECT_LIMIT
        );
        S3Error::new(StatusCode::BAD_REQUEST, "EntityTooLarge", message)
    }

    /// The disk or the store failed; the log learns why.
    pub(super) fn internal(error: &dyn std::error::Error) -> S3Error {
        tracing::error!(%error, "an object could not be read or stored");
        let message = "We encountered an internal error. Please try again.";
        S3Error::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalError", message)
    }
}

impl From<engine::StorageError> for S3Error {
    fn from(error: engine::StorageError) -> S3Error {
        S3Error::internal(&error)
    }
}

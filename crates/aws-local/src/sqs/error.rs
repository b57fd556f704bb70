//! The errors of SQS: shape and code, as its SDKs know them.
//!
//! `__type` has the shape of the JSON protocol, `x-amzn-query-error` the code of the Query protocol before it; SDKs report the
//! latter. Source: Amazon SQS API Reference, the errors of each action; Smithy model of SQS, `awsQueryError` traits.

use engine::{QueueError, StorageError};

use crate::protocol::{is_temporary, json::JsonError};

const MODEL: &str = "com.amazonaws.sqs";
const FRAMEWORK: &str = "com.amazon.coral.service";

/// Shapes whose old code differs from their name.
const OLD_CODES: [(&str, &str); 9] = [
    (
        "QueueDoesNotExist",
        "AWS.SimpleQueueService.NonExistentQueue",
    ),
    ("QueueNameExists", "QueueAlreadyExists"),
    (
        "EmptyBatchRequest",
        "AWS.SimpleQueueService.EmptyBatchRequest",
    ),
    (
        "TooManyEntriesInBatchRequest",
        "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
    ),
    (
        "BatchEntryIdsNotDistinct",
        "AWS.SimpleQueueService.BatchEntryIdsNotDistinct",
    ),
    (
        "BatchRequestTooLong",
        "AWS.SimpleQueueService.BatchRequestTooLong",
    ),
    (
        "InvalidBatchEntryId",
        "AWS.SimpleQueueService.InvalidBatchEntryId",
    ),
    (
        "MessageNotInflight",
        "AWS.SimpleQueueService.MessageNotInflight",
    ),
    (
        "UnsupportedOperation",
        "AWS.SimpleQueueService.UnsupportedOperation",
    ),
];

/// An error of the service's own model.
pub(super) fn modelled(shape: &str, message: impl Into<String>) -> JsonError {
    let code = OLD_CODES
        .iter()
        .find(|(name, _)| *name == shape)
        .map_or(shape, |(_, code)| code);
    JsonError::client(format!("{MODEL}#{shape}"), message).with_query_code(code)
}

/// `InvalidParameterValue`, in the given words.
pub(super) fn parameter(message: impl Into<String>) -> JsonError {
    JsonError::client(
        format!("{FRAMEWORK}#InvalidParameterValueException"),
        message,
    )
    .with_query_code("InvalidParameterValue")
}

/// `InvalidParameterValue`: which value of which parameter, and why.
pub(super) fn value(name: &str, value: impl std::fmt::Display, reason: &str) -> JsonError {
    parameter(format!(
        "Value {value} for parameter {name} is invalid. Reason: {reason}"
    ))
}

/// A required parameter is not there.
pub(super) fn missing(name: &str) -> JsonError {
    JsonError::client(
        format!("{FRAMEWORK}#MissingRequiredParameterException"),
        format!("The request must contain the parameter {name}."),
    )
    .with_query_code("MissingParameter")
}

pub(super) fn queue_does_not_exist() -> JsonError {
    modelled("QueueDoesNotExist", "The specified queue does not exist.")
}

pub(super) fn invalid_address(url: &str) -> JsonError {
    modelled(
        "InvalidAddress",
        format!("The address {url} is not valid for this endpoint."),
    )
}

/// AWS has this action, we do not.
pub(super) fn unsupported(action: &str) -> JsonError {
    modelled(
        "UnsupportedOperation",
        format!("{action} is not supported by this endpoint."),
    )
}

/// What the engine refuses, in the wire's words.
pub(super) fn from_engine(error: QueueError) -> JsonError {
    let message = error.to_string();
    match error {
        QueueError::QueueDoesNotExist { .. } => queue_does_not_exist(),
        QueueError::QueueNameExists { .. } => modelled("QueueNameExists", message),
        QueueError::InvalidAttributeName(_) => modelled("InvalidAttributeName", message),
        QueueError::InvalidAttributeValue { .. } => modelled("InvalidAttributeValue", message),
        QueueError::InvalidMessageContents => modelled("InvalidMessageContents", message),
        QueueError::ReceiptHandleIsInvalid => modelled("ReceiptHandleIsInvalid", message),
        QueueError::MessageNotInflight => modelled("MessageNotInflight", message),
        QueueError::UnsupportedOperation(_) => modelled("UnsupportedOperation", message),
        QueueError::InvalidParameterValue { .. } | QueueError::MessageTooLong { .. } => {
            parameter(message)
        }
        QueueError::Storage(error) => from_storage(&error),
        other => {
            tracing::error!(error = %other, "an error of the queues has no wire form");
            JsonError::internal()
        }
    }
}

/// The store failed: to be tried again if there is hope, and logged in any case.
pub(super) fn from_storage(error: &StorageError) -> JsonError {
    tracing::error!(%error, "a queue action could not be stored");
    if is_temporary(error) {
        JsonError::unavailable()
    } else {
        JsonError::internal()
    }
}

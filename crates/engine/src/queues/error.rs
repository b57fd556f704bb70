//! What can go wrong with a queue, one variant for each answer AWS has.

use crate::StorageError;

/// Why a queue action did not happen. Nothing was changed.
/// Source: "Amazon SQS API Reference", the errors of each action.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum QueueError {
    /// `QueueDoesNotExist`.
    #[error("The specified queue does not exist.")]
    QueueDoesNotExist {
        /// The queue asked for; of a publication the one that is missing.
        name: String,
    },
    /// `QueueNameExists`.
    #[error(
        "A queue already exists with the same name and a different value for attribute {attribute}"
    )]
    QueueNameExists {
        /// An attribute that differs.
        attribute: String,
    },
    /// `InvalidAttributeName`.
    #[error("Unknown Attribute {0}.")]
    InvalidAttributeName(String),
    /// `InvalidAttributeValue`.
    #[error("Invalid value for the parameter {name}. Reason: {reason}")]
    InvalidAttributeValue {
        /// The queue attribute.
        name: String,
        /// What is wrong, and what would be right.
        reason: String,
    },
    /// `InvalidParameterValue`.
    #[error("Value {value} for parameter {name} is invalid. Reason: {reason}")]
    InvalidParameterValue {
        /// The request's parameter.
        name: &'static str,
        /// What was given.
        value: String,
        /// What is wrong, and what would be right.
        reason: String,
    },
    /// `InvalidMessageContents`.
    #[error(
        "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF"
    )]
    InvalidMessageContents,
    /// `InvalidParameterValue`, in the words AWS uses for a message that is too long.
    #[error(
        "One or more parameters are invalid. Reason: Message must be shorter than {limit} bytes."
    )]
    MessageTooLong {
        /// The queue's `MaximumMessageSize`.
        limit: usize,
    },
    /// `ReceiptHandleIsInvalid`.
    #[error("The input receipt handle is invalid.")]
    ReceiptHandleIsInvalid,
    /// `MessageNotInflight`: the message is visible or gone.
    #[error(
        "Value for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not available for visibility timeout change."
    )]
    MessageNotInflight,
    /// `UnsupportedOperation`: AWS has it, this engine does not.
    #[error("{0}")]
    UnsupportedOperation(String),
    /// The store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

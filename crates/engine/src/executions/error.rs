//! What can go wrong with an execution, one variant for each answer AWS has.

use crate::{MachineError, MapRunError, StorageError};

/// Why an execution was not started. Nothing was changed.
/// Source: "AWS Step Functions API Reference", `StartExecution`.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// No machine, a bad ARN, or no such revision.
    #[error(transparent)]
    Machine(#[from] MachineError),
    /// `InvalidName`.
    #[error("Invalid Name: '{name}'")]
    InvalidName {
        /// What was given.
        name: String,
    },
    /// `InvalidExecutionInput`.
    #[error("Invalid execution input: {reason}")]
    InvalidExecutionInput {
        /// What is wrong.
        reason: String,
    },
    /// `ExecutionAlreadyExists`: running with another input, or closed.
    #[error("Execution Already Exists: '{arn}'")]
    ExecutionAlreadyExists {
        /// The one that exists.
        arn: String,
    },
    /// The store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Why an action on an execution did not happen. Nothing was changed.
/// Source: "AWS Step Functions API Reference", the errors of each action.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum ExecutionError {
    /// `InvalidArn`.
    #[error("Invalid Arn: 'Invalid ARN: {arn}'")]
    InvalidArn {
        /// What was given.
        arn: String,
    },
    /// `ExecutionDoesNotExist`.
    #[error("Execution Does Not Exist: '{arn}'")]
    ExecutionDoesNotExist {
        /// The one asked for.
        arn: String,
    },
    /// `ExecutionNotRedrivable`.
    #[error("{reason}")]
    ExecutionNotRedrivable {
        /// Why not, in AWS's words where it has some.
        reason: String,
    },
    /// `InvalidToken`: the page token is not one of ours.
    #[error("Invalid Token: 'Invalid token'")]
    InvalidPageToken,
    /// No machine, or a bad ARN of one.
    #[error(transparent)]
    Machine(#[from] MachineError),
    /// No such Map Run.
    #[error(transparent)]
    MapRun(#[from] MapRunError),
    /// The store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Why the answer to a task token was not taken. Nothing was changed.
/// Source: "AWS Step Functions API Reference", `SendTaskSuccess`.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// `InvalidToken`: not a token, or none that we gave out.
    #[error("Invalid Token: 'Invalid token'")]
    InvalidToken,
    /// `TaskDoesNotExist`: the execution is not known (any more).
    #[error("Task does not exist")]
    TaskDoesNotExist,
    /// `TaskTimedOut`: the task, or its execution, has ended.
    #[error("Task Timed Out: 'Provided task does not exist anymore'")]
    TaskTimedOut,
    /// The store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

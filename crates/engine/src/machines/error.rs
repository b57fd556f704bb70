//! What can go wrong with a state machine, one variant for each answer AWS has.

use crate::StorageError;

/// Why an action on a state machine did not happen. Nothing was changed.
/// Source: "AWS Step Functions API Reference", the errors of each action.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum MachineError {
    /// `InvalidArn`.
    #[error("Invalid Arn: 'Invalid ARN: {arn}'")]
    InvalidArn {
        /// What was given.
        arn: String,
    },
    /// `InvalidName`.
    #[error("Invalid Name: '{name}'")]
    InvalidName {
        /// What was given.
        name: String,
    },
    /// `InvalidDefinition`: at least one of the diagnostics is an error.
    #[error("Invalid State Machine Definition: '{}'", shown(.diagnostics))]
    InvalidDefinition {
        /// All findings, not the first only.
        diagnostics: Vec<asl::Diagnostic>,
    },
    /// `StateMachineAlreadyExists`, and it differs from what was asked for.
    #[error("State Machine Already Exists: '{arn}'")]
    StateMachineAlreadyExists {
        /// The one that exists.
        arn: String,
    },
    /// `StateMachineDoesNotExist`.
    #[error("State Machine Does Not Exist: '{arn}'")]
    StateMachineDoesNotExist {
        /// The one asked for.
        arn: String,
    },
    /// The machine has no revision of this id.
    #[error("State Machine {arn} has no revision {revision_id}")]
    RevisionDoesNotExist {
        /// The machine.
        arn: String,
        /// The revision asked for.
        revision_id: String,
    },
    /// The store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

fn shown(diagnostics: &[asl::Diagnostic]) -> String {
    diagnostics
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}

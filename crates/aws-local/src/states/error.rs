//! The errors of Step Functions, with AWS's names and messages.
//!
//! Source: AWS Step Functions API reference, the `Errors` section of each action; messages from recorded answers.

use engine::StorageError;
use serde_json::json;

use crate::protocol::{is_temporary, json::JsonError};

/// The namespace in which Step Functions names its own errors.
const MODEL: &str = "com.amazonaws.swf.service.v2.model";

/// The namespace of errors that the framework finds before the service sees the request.
const VALIDATION: &str = "com.amazon.coral.validate";

fn of(shape: &str, message: impl Into<String>) -> JsonError {
    JsonError::client(format!("{MODEL}#{shape}"), message)
}

/// A member breaks a constraint of its type; see [`super::validate`].
pub(super) fn validation(message: impl Into<String>) -> JsonError {
    JsonError::client(format!("{VALIDATION}#ValidationException"), message)
}

/// The members do not fit together; `reason` is one of AWS's `ValidationExceptionReason`s.
pub(super) fn unfit(reason: &str, message: impl Into<String>) -> JsonError {
    of("ValidationException", message).with("reason", json!(reason))
}

pub(super) fn invalid_routing(message: impl Into<String>) -> JsonError {
    unfit("INVALID_ROUTING_CONFIGURATION", message)
}

pub(super) fn missing_required_parameter(message: &str) -> JsonError {
    of("MissingRequiredParameter", message)
}

pub(super) fn invalid_arn(what: impl std::fmt::Display) -> JsonError {
    of("InvalidArn", format!("Invalid Arn: '{what}'"))
}

pub(super) fn invalid_role(arn: &str) -> JsonError {
    of("InvalidArn", format!("Invalid Role Arn: '{arn}'"))
}

pub(super) fn invalid_name(name: &str) -> JsonError {
    of("InvalidName", format!("Invalid Name: '{name}'"))
}

pub(super) fn invalid_definition(diagnostics: impl std::fmt::Display) -> JsonError {
    of(
        "InvalidDefinition",
        format!("Invalid State Machine Definition: '{diagnostics}'"),
    )
}

/// A state that `TestState` does not try.
pub(super) fn definition_not_testable(reason: &str) -> JsonError {
    of("InvalidDefinition", reason)
}

pub(super) fn invalid_logging_configuration(what: &str) -> JsonError {
    of(
        "InvalidLoggingConfiguration",
        format!("Invalid Logging Configuration: {what}"),
    )
}

pub(super) fn invalid_encryption_configuration(what: &str) -> JsonError {
    of(
        "InvalidEncryptionConfiguration",
        format!("Invalid Encryption Configuration: {what}"),
    )
}

pub(super) fn invalid_execution_input(what: impl std::fmt::Display) -> JsonError {
    of(
        "InvalidExecutionInput",
        format!("Invalid State Machine Execution Input: '{what}'"),
    )
}

pub(super) fn invalid_output(what: impl std::fmt::Display) -> JsonError {
    of("InvalidOutput", format!("Invalid Output: '{what}'"))
}

/// A task token or a paging token that is not one of ours.
pub(super) fn invalid_token() -> JsonError {
    of("InvalidToken", "Invalid Token: 'Invalid token'")
}

pub(super) fn task_does_not_exist() -> JsonError {
    of(
        "TaskDoesNotExist",
        "Task Does Not Exist: 'Provided task does not exist'",
    )
}

/// The task is closed: answered before, timed out, or its execution ended.
pub(super) fn task_timed_out() -> JsonError {
    of(
        "TaskTimedOut",
        "Task Timed Out: 'Provided task does not exist anymore'",
    )
}

pub(super) fn state_machine_already_exists(arn: &str) -> JsonError {
    of(
        "StateMachineAlreadyExists",
        format!("State Machine Already Exists: '{arn}'"),
    )
}

pub(super) fn state_machine_does_not_exist(arn: &str) -> JsonError {
    of(
        "StateMachineDoesNotExist",
        format!("State Machine Does Not Exist: '{arn}'"),
    )
}

pub(super) fn state_machine_type_not_supported() -> JsonError {
    of(
        "StateMachineTypeNotSupported",
        "This operation is not supported by this type of state machine",
    )
}

pub(super) fn execution_already_exists(arn: &str) -> JsonError {
    of(
        "ExecutionAlreadyExists",
        format!("Execution Already Exists: '{arn}'"),
    )
}

pub(super) fn execution_does_not_exist(arn: &str) -> JsonError {
    of(
        "ExecutionDoesNotExist",
        format!("Execution Does Not Exist: '{arn}'"),
    )
}

pub(super) fn execution_not_redrivable(reason: &str) -> JsonError {
    of("ExecutionNotRedrivable", reason)
}

pub(super) fn activity_already_exists(arn: &str) -> JsonError {
    of(
        "ActivityAlreadyExists",
        format!("Activity Already Exists: '{arn}'"),
    )
}

pub(super) fn activity_does_not_exist(arn: &str) -> JsonError {
    of(
        "ActivityDoesNotExist",
        format!("Activity Does Not Exist: '{arn}'"),
    )
}

/// The resource whose tags are asked for or changed does not exist, or is of a kind that has none.
pub(super) fn tagged_resource_not_found(arn: &str) -> JsonError {
    of("ResourceNotFound", format!("Resource not found: '{arn}'")).with("resourceName", json!(arn))
}

/// An alias, or a version that an alias shall point to, does not exist.
pub(super) fn resource_not_found() -> JsonError {
    of(
        "ResourceNotFound",
        "Request references a resource that does not exist.",
    )
}

/// There is no Map Run of this ARN.
pub(super) fn map_run_not_found(arn: &str) -> JsonError {
    of("ResourceNotFound", format!("Resource not found: '{arn}'")).with("resourceName", json!(arn))
}

pub(super) fn too_many_tags(arn: &str) -> JsonError {
    of("TooManyTags", "Too many tags").with("resourceName", json!(arn))
}

pub(super) fn conflict(message: impl Into<String>) -> JsonError {
    of("ConflictException", message)
}

pub(super) fn service_quota_exceeded(message: impl Into<String>) -> JsonError {
    of("ServiceQuotaExceededException", message)
}

/// The store failed. The client learns that it may try again; the log learns why.
pub(super) fn storage(error: &StorageError) -> JsonError {
    tracing::error!(%error, "the engine's store failed");
    if is_temporary(error) {
        JsonError::unavailable()
    } else {
        JsonError::internal()
    }
}

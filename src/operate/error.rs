//! Why an operator's verb did not do what it was asked to.

use std::error::Error;
use std::io;

use aws_sdk_sfn::error::{ProvideErrorMetadata, SdkError};
use thiserror::Error;

/// Why an operator's verb did not do what it was asked to.
#[derive(Debug, Error)]
pub(crate) enum OperateError {
    #[error(
        "cannot {what}: no answer ({why}). Is `restock up` running there? Another address: --endpoint-url"
    )]
    Unreachable { what: String, why: String },
    #[error("cannot {what}: {}{why}", code.as_ref().map(|c| format!("{c}: ")).unwrap_or_default())]
    Refused {
        what: String,
        code: Option<String>,
        why: String,
    },
    #[error("there is no state machine {name}. There are {known}")]
    NoMachine { name: String, known: String },
    #[error("no state machine has an execution named {name}. `restock executions list` shows them")]
    NoExecution { name: String },
    #[error("several state machines have an execution named {name}; give the ARN: {arns}")]
    ManyExecutions { name: String, arns: String },
    #[error("{0}")]
    Data(String),
    #[error(
        "{execution} has no parked task{with}. `restock executions show {execution}` says where it stands"
    )]
    NotParked { execution: String, with: String },
    #[error("{execution} has several parked tasks; choose one with --task: {tasks}")]
    ManyParked { execution: String, tasks: String },
    #[error("{state} cannot be resumed from {park}: {why}. It can go on at {resumable}")]
    NotResumable {
        state: String,
        park: String,
        why: String,
        resumable: String,
    },
    #[error("cannot fork from {state}: {why}")]
    NotForkable { state: String, why: String },
    #[error("this asks before it changes anything, and there is no terminal to ask on; add --yes")]
    NobodyToAsk,
    #[error("{failed} of {all} did not work; see above")]
    Some { failed: usize, all: usize },
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Json(#[from] serde_json::Error),
}

impl OperateError {
    /// AWS's error code, if AWS answered with one.
    pub(crate) fn code(&self) -> Option<&str> {
        match self {
            OperateError::Refused { code, .. } => code.as_deref(),
            _ => None,
        }
    }
}

/// Turns the SDK's error into ours; `what` is what was attempted ("list executions").
pub(crate) fn refused<E, R>(what: impl Into<String>) -> impl FnOnce(SdkError<E, R>) -> OperateError
where
    E: ProvideErrorMetadata + Error + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    let what = what.into();
    move |error| match &error {
        SdkError::ServiceError(service) => OperateError::Refused {
            what,
            code: service.err().code().map(str::to_owned),
            why: match service.err().message() {
                Some(message) => message.to_owned(),
                None => chain(service.err()),
            },
        },
        SdkError::DispatchFailure(_) | SdkError::TimeoutError(_) => OperateError::Unreachable {
            what,
            why: chain(&error),
        },
        _ => OperateError::Refused {
            what,
            code: None,
            why: chain(&error),
        },
    }
}

/// An error and its causes in one line.
fn chain(error: &dyn Error) -> String {
    let mut texts = vec![error.to_string()];
    let mut cause = error.source();
    while let Some(inner) = cause {
        texts.push(inner.to_string());
        cause = inner.source();
    }
    texts.dedup();
    texts.join(": ")
}

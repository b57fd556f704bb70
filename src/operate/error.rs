//! Why an operator's verb did not do what it was asked to.

use std::io;

use operate::OperateError;
use thiserror::Error;

/// Why an operator's verb did not do what it was asked to.
#[derive(Debug, Error)]
pub(crate) enum VerbError {
    #[error(transparent)]
    Work(#[from] OperateError),
    #[error("{execution} has several parked tasks; choose one with --task: {tasks}")]
    ManyParked { execution: String, tasks: String },
    #[error("this asks before it changes anything, and there is no terminal to ask on; add --yes")]
    NobodyToAsk,
    #[error("{failed} of {all} did not work; see above")]
    Some { failed: usize, all: usize },
    #[error("{0}")]
    Data(String),
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Json(#[from] serde_json::Error),
}

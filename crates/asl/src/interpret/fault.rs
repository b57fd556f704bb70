//! Why a state cannot go on.

use super::IllegalEntry;
use crate::error_name;
use crate::event::Failure;

/// What ends a state early.
#[derive(Debug)]
pub(super) enum Fault {
    /// A JSONata expression failed: AWS writes `EvaluationFailed` before anything else.
    Query {
        /// The rest of the cause, after "An error occurred while executing the state …".
        message: String,
        /// The field, if AWS names it.
        location: Option<String>,
    },
    /// The state failed at run time with this error name; the cause begins with the state.
    Runtime {
        /// Error name, mostly `States.Runtime`.
        error: &'static str,
        /// The rest of the cause.
        message: String,
    },
    /// Failed as it is: a task's error, a Fail state.
    Failed(Failure),
    /// A task's heartbeat was missed. AWS calls it `States.Timeout`, but lets it be caught as `States.HeartbeatTimeout` too.
    Silent,
    /// Not the state's fault: journal and definition do not fit.
    Illegal(IllegalEntry),
}

/// What a state kind's file returns.
pub(super) type Outcome<T = ()> = Result<T, Fault>;

impl Fault {
    pub(super) fn runtime(message: impl Into<String>) -> Self {
        Self::Runtime {
            error: error_name::RUNTIME,
            message: message.into(),
        }
    }

    pub(super) fn query(location: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Query {
            message: message.into(),
            location: Some(location.into()),
        }
    }
}

impl From<IllegalEntry> for Fault {
    fn from(entry: IllegalEntry) -> Self {
        Self::Illegal(entry)
    }
}

//! AWS's history events, typed. Source: the API reference's `HistoryEvent`.
//!
//! Three families of task events (`Task…`, `LambdaFunction…`, `ActivityScheduled` …) are one variant each here; the resource says
//! which family an event belongs to, and [`crate::HistoryEvent`] writes AWS's names.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{Data, Resource};

/// Which kind of state: the prefix of its events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the kinds are the language's own words")]
pub enum StateKind {
    Task,
    Pass,
    Choice,
    Wait,
    Succeed,
    Fail,
    Parallel,
    Map,
}

impl StateKind {
    /// The value of `Type` in a definition.
    pub fn name(self) -> &'static str {
        match self {
            Self::Task => "Task",
            Self::Pass => "Pass",
            Self::Choice => "Choice",
            Self::Wait => "Wait",
            Self::Succeed => "Succeed",
            Self::Fail => "Fail",
            Self::Parallel => "Parallel",
            Self::Map => "Map",
        }
    }
}

/// Error name and cause of something that failed; AWS may leave out either.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Error name, such as `States.Timeout` or `Factory.Unavailable`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
}

impl Failure {
    /// A failure with both parts.
    pub fn new(error: impl Into<String>, cause: impl Into<String>) -> Self {
        Self {
            error: Some(error.into()),
            cause: Some(cause.into()),
        }
    }

    /// A failure without a cause, such as a timeout.
    pub fn named(error: impl Into<String>) -> Self {
        Self {
            error: Some(error.into()),
            cause: None,
        }
    }
}

/// What happened, in AWS's terms.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields carry the names of AWS's event details")]
pub enum Event {
    ExecutionStarted {
        input: Data,
        role_arn: String,
    },
    ExecutionSucceeded {
        output: Data,
    },
    ExecutionFailed(Failure),
    ExecutionAborted(Failure),
    ExecutionTimedOut(Failure),
    ExecutionRedriven {
        redrive_count: u32,
    },
    StateEntered {
        kind: StateKind,
        name: Arc<str>,
        input: Data,
    },
    StateExited {
        kind: StateKind,
        name: Arc<str>,
        output: Data,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        assigned: Vec<(Arc<str>, Data)>,
    },
    /// `TaskStateAborted`, `WaitStateAborted`, `ParallelStateAborted`, `MapStateAborted`.
    StateAborted {
        kind: StateKind,
    },
    /// An expression could not be evaluated. `location` is the field, if AWS names it.
    EvaluationFailed {
        state: Arc<str>,
        failure: Failure,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        location: Option<String>,
    },
    TaskScheduled {
        resource: Resource,
        region: Arc<str>,
        parameters: Data,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        timeout_in_seconds: Option<u64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        heartbeat_in_seconds: Option<u64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        credentials: Option<Data>,
    },
    TaskStarted {
        resource: Resource,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        worker: Option<String>,
    },
    TaskSubmitted {
        resource: Resource,
        output: Data,
    },
    TaskSucceeded {
        resource: Resource,
        output: Data,
    },
    TaskFailed {
        resource: Resource,
        failure: Failure,
    },
    /// The request of a `.waitForTaskToken` or `.sync` task failed.
    TaskSubmitFailed {
        resource: Resource,
        failure: Failure,
    },
    TaskTimedOut {
        resource: Resource,
        failure: Failure,
    },
    /// A Parallel state started its branches.
    ParallelStateStarted,
    ParallelStateSucceeded,
    ParallelStateFailed,
    MapStateStarted {
        length: u32,
    },
    MapStateSucceeded,
    MapStateFailed,
    /// A Distributed Map's children begin.
    MapRunStarted {
        arn: String,
    },
    MapRunSucceeded,
    MapRunFailed(Failure),
    MapRunAborted,
    MapRunRedriven {
        arn: String,
        redrive_count: u32,
    },
    MapIterationStarted {
        name: Arc<str>,
        index: u32,
    },
    MapIterationSucceeded {
        name: Arc<str>,
        index: u32,
    },
    MapIterationFailed {
        name: Arc<str>,
        index: u32,
    },
    MapIterationAborted {
        name: Arc<str>,
        index: u32,
    },
}

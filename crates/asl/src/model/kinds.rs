//! The fields that only one kind of state has.

use super::{Amount, ChoiceState, Distributed, ScopeId, Share, Template, Text};
use crate::event::StateKind;
use crate::{Data, Resource};

/// A state's kind.
#[derive(Debug)]
#[expect(missing_docs, reason = "the kinds are the language's own words")]
pub enum Kind {
    Task(TaskState),
    Pass(PassState),
    Choice(ChoiceState),
    Wait(WaitState),
    Succeed,
    Fail(FailState),
    Parallel(ParallelState),
    Map(MapState),
}

impl Kind {
    /// The value of `Type`.
    pub fn state_kind(&self) -> StateKind {
        match self {
            Self::Task(_) => StateKind::Task,
            Self::Pass(_) => StateKind::Pass,
            Self::Choice(_) => StateKind::Choice,
            Self::Wait(_) => StateKind::Wait,
            Self::Succeed => StateKind::Succeed,
            Self::Fail(_) => StateKind::Fail,
            Self::Parallel(_) => StateKind::Parallel,
            Self::Map(_) => StateKind::Map,
        }
    }
}

/// Calls something and waits for its end.
#[derive(Debug)]
pub struct TaskState {
    /// What it calls.
    pub resource: Resource,
    /// `TimeoutSeconds` or `TimeoutSecondsPath`.
    pub timeout: Option<Amount>,
    /// `HeartbeatSeconds` or `HeartbeatSecondsPath`.
    pub heartbeat: Option<Amount>,
    /// `Credentials`.
    pub credentials: Option<Template>,
}

/// Passes its input on, changed or not.
#[derive(Debug)]
pub struct PassState {
    /// `Result` (JSONPath states only).
    pub result: Option<Data>,
}

/// Waits.
#[derive(Debug)]
pub enum WaitState {
    /// `Seconds` or `SecondsPath`.
    Seconds(Amount),
    /// `Timestamp` or `TimestampPath`, RFC 3339 in UTC.
    Timestamp(Text),
}

/// Ends its execution, or its Parallel or Map, with an error.
#[derive(Debug)]
pub struct FailState {
    /// `Error` or `ErrorPath`.
    pub error: Option<Text>,
    /// `Cause` or `CausePath`.
    pub cause: Option<Text>,
}

/// Runs branches at once.
#[derive(Debug)]
pub struct ParallelState {
    /// `Branches`.
    pub branches: Vec<ScopeId>,
}

/// Runs its processor for every item.
#[derive(Debug)]
pub struct MapState {
    /// `ItemProcessor` (or `Iterator`, its old name).
    pub processor: ScopeId,
    /// What it runs over.
    pub items: Items,
    /// `ItemSelector` (or `Parameters`, its old name).
    pub item_selector: Option<Template>,
    /// `MaxConcurrency` or `MaxConcurrencyPath`; absent and 0 are no limit.
    pub max_concurrency: Option<Amount>,
    /// `ToleratedFailureCount` or its `Path`.
    pub tolerated_failure_count: Option<Amount>,
    /// `ToleratedFailurePercentage` or its `Path`.
    pub tolerated_failure_percentage: Option<Share>,
    /// In Distributed mode its iterations are executions of their own.
    pub distributed: Option<Box<Distributed>>,
}

/// What a Map state runs over.
#[derive(Debug)]
pub enum Items {
    /// The effective input itself, or the array that `ItemsPath` or `Items` gives.
    Input,
    /// `ItemsPath`, or `Items` with an expression or a literal array.
    Selected(Template),
}

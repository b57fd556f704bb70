//! Into the interpreter: signals. Out of it: entries and commands.

use serde::{Deserialize, Serialize};

use crate::{Data, Entry, MapRun, MapRunStatus, Resource, TaskId};

/// A point in time: milliseconds since 1970, UTC.
pub type Millis = i64;

/// What a decision may know of the outside world.
#[derive(Debug, Clone)]
pub struct Env {
    /// The time of the decision.
    pub now: Millis,
    /// Fresh randomness for this one decision: jitter, `$random`, `$uuid`, token nonces.
    pub seed: [u8; 32],
}

/// Something happened that an execution must hear of.
#[derive(Debug, Clone)]
pub enum Signal {
    /// Begin. Only for an execution without entries.
    Start {
        /// The execution's input.
        input: Data,
    },
    /// A task ended well: the call's response, or the answer to its token.
    TaskSucceeded {
        /// Which task.
        task: TaskId,
        /// Its result.
        output: Data,
    },
    /// A task ended badly.
    TaskFailed {
        /// Which task.
        task: TaskId,
        /// Error name, as `Retry` and `Catch` match it.
        error: String,
        /// Free text, often JSON.
        cause: String,
    },
    /// A task is reported as out of time before its own clock says so: a mocked one.
    TaskTimedOut {
        /// Which task.
        task: TaskId,
        /// Tasks whose time is over at the same moment. Those that have ended are passed over.
        with: Vec<TaskId>,
    },
    /// The request of a `.waitForTaskToken` or `.sync` task went out; now its answer is awaited.
    /// Accepted quietly (no entries) if the task was answered before.
    TaskSubmitted {
        /// Which task.
        task: TaskId,
        /// The response to the request.
        output: Data,
    },
    /// A worker took an activity's task. Refused if another one has it.
    TaskStarted {
        /// Which task.
        task: TaskId,
        /// The worker's name, if it gave one.
        worker: Option<String>,
    },
    /// The task is still being worked on.
    Heartbeat {
        /// Which task.
        task: TaskId,
    },
    /// A Map Run ended well.
    MapRunSucceeded {
        /// Which.
        run: TaskId,
        /// What it gives its state.
        output: Data,
    },
    /// A Map Run failed.
    MapRunFailed {
        /// Which.
        run: TaskId,
        /// Error name.
        error: String,
        /// Cause.
        cause: String,
    },
    /// Time went on: everything due at [`Env::now`] happens. Also goes on with what a bounded decision left.
    Clock,
    /// Somebody stops the execution.
    Stop {
        /// Error name of their choice.
        error: Option<String>,
        /// Cause of their choice.
        cause: Option<String>,
    },
    /// Go on from the failed state.
    Redrive,
}

/// What a decision did, and what the outside is asked to do.
#[derive(Debug, Clone, Default)]
pub struct Decision {
    /// To be journalled, in this order, before any command runs.
    pub entries: Vec<Entry>,
    /// To be done after the entries are durable.
    pub commands: Vec<Command>,
    /// The decision reached its bound: journal, then decide again with [`Signal::Clock`] at once.
    pub more: bool,
}

/// An effect that a decision asks for.
#[derive(Debug, Clone)]
pub enum Command {
    /// Run this task; answer with `TaskSucceeded`, `TaskFailed` or `TaskSubmitted`. May be asked again after a crash.
    RunTask(TaskRequest),
    /// The task's answer is not wanted any more.
    CancelTask(TaskId),
    /// Run this Map Run, or let it go on; answer with `MapRunSucceeded` or `MapRunFailed`. May be asked again after a crash.
    StartMapRun(Box<MapRun>),
    /// The Map Run has ended; if not well, children that still run are to be stopped.
    EndMapRun(TaskId, MapRunStatus),
}

/// A task to be run.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskRequest {
    /// Id of the task's scheduled event.
    pub task: TaskId,
    /// Name of the state.
    pub state: String,
    /// What to call.
    pub resource: Resource,
    /// With what: the evaluated Arguments or Parameters.
    pub parameters: Data,
    /// The token, if the state waits for one or works through an activity.
    pub token: Option<String>,
    /// `TimeoutSeconds`, counted from the scheduled event. The interpreter keeps this clock; a runner may use it to give up early.
    pub timeout: Option<u64>,
    /// `HeartbeatSeconds`; kept by the interpreter too.
    pub heartbeat: Option<u64>,
    /// `Credentials`, evaluated: `{"RoleArn": …}`.
    pub credentials: Option<Data>,
}

/// A signal that cannot be taken. The execution is as it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum Refusal {
    /// The execution was started before.
    #[error("the execution has already started")]
    AlreadyStarted,
    /// No such task was ever scheduled.
    #[error("the execution has no task {0}")]
    TaskUnknown(TaskId),
    /// The task ended before: answered, failed, timed out or aborted.
    #[error("task {0} has ended")]
    TaskClosed(TaskId),
    /// The execution has ended, or has not begun.
    #[error("the execution is not running")]
    NotRunning,
    /// Execution and definition do not belong together; make the execution anew from its journal.
    #[error("{reason}")]
    Corrupt {
        /// What does not fit.
        reason: String,
    },
    /// The execution cannot be redriven.
    #[error("the execution cannot be redriven: {reason}")]
    NotRedrivable {
        /// Why not, in AWS's words where it has some.
        reason: String,
    },
}

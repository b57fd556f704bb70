//! The state of one run. Made only by [`evolve`](crate::evolve) from entries; read by everybody.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::entry::BranchId;
use crate::event::Failure;
use crate::model::{ScopeId, StateId};
use crate::{Data, MapRun, Millis, TaskId, TaskRequest};

/// What the context object says of an execution; fixed when it starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// ARN of the execution.
    pub execution_arn: String,
    /// Its name.
    pub name: String,
    /// The state machine's role.
    pub role_arn: String,
    /// ARN of the state machine.
    pub state_machine_arn: String,
    /// Its name.
    pub state_machine_name: String,
    /// ARN of the version that was started, if one was named or an alias chose one.
    pub version_arn: Option<String>,
    /// ARN of the alias that was started.
    pub alias_arn: Option<String>,
    /// The keeper's own number for the execution: it is written into task tokens, so that a token finds its execution.
    pub key: u64,
}

impl Identity {
    /// The region in the execution's ARN.
    pub(crate) fn region(&self) -> Arc<str> {
        self.execution_arn
            .split(':')
            .nth(3)
            .unwrap_or_default()
            .into()
    }
}

/// Where an execution stands. AWS's `ExecutionStatus`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "AWS's words")]
pub enum Status {
    Running,
    Succeeded,
    Failed,
    TimedOut,
    Aborted,
}

impl Status {
    /// As AWS writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "RUNNING",
            Self::Succeeded => "SUCCEEDED",
            Self::Failed => "FAILED",
            Self::TimedOut => "TIMED_OUT",
            Self::Aborted => "ABORTED",
        }
    }
}

/// One run of a definition.
#[derive(Debug, Clone, PartialEq)]
pub struct Execution {
    pub(crate) identity: Arc<Identity>,
    pub(crate) region: Arc<str>,
    pub(crate) status: Status,
    pub(crate) started_at: Millis,
    pub(crate) stopped_at: Option<Millis>,
    pub(crate) input: Option<Data>,
    pub(crate) output: Option<Data>,
    pub(crate) failure: Failure,
    pub(crate) last_event_id: u64,
    pub(crate) redrive_count: u32,
    pub(crate) redriven_at: Option<Millis>,
    pub(crate) branches: BTreeMap<BranchId, Branch>,
    pub(crate) next_branch: u32,
    /// Open tasks and the branch each belongs to.
    pub(crate) tasks: BTreeMap<TaskId, BranchId>,
    /// Map Runs that go on, and the branch each belongs to.
    pub(crate) map_runs: BTreeMap<TaskId, BranchId>,
    /// Branches that can go on without waiting for anything.
    pub(crate) runnable: BTreeSet<BranchId>,
    /// Timers; each branch has at most one, the earliest of its own.
    pub(crate) timers: BTreeSet<(Millis, BranchId)>,
    /// When the machine's `TimeoutSeconds` is over.
    pub(crate) deadline: Option<Millis>,
}

/// One line of states: the top level, a Parallel branch, or a Map iteration.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Branch {
    pub(crate) parent: Option<Parent>,
    pub(crate) scope: ScopeId,
    /// The event that the next one of this branch follows.
    pub(crate) previous: u64,
    pub(crate) variables: BTreeMap<Arc<str>, Data>,
    pub(crate) position: Position,
    pub(crate) timer: Option<Millis>,
}

/// Where a branch hangs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Parent {
    pub(crate) branch: BranchId,
    /// Which branch or iteration of the parent's state.
    pub(crate) index: u32,
    /// The item of a Map iteration, for the context object.
    pub(crate) item: Option<Data>,
}

/// Where a branch stands.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Position {
    /// About to enter a state.
    Ready { state: StateId, input: Data },
    /// In a state.
    In(Box<Active>),
    /// At its end.
    Done { output: Data },
}

/// A state that was entered and not left.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Active {
    pub(crate) state: StateId,
    pub(crate) input: Data,
    pub(crate) entered: u64,
    pub(crate) entered_at: Millis,
    /// The event that the entered event followed.
    pub(crate) before: u64,
    /// How often each retrier was used.
    pub(crate) retries: Vec<u32>,
    /// The chosen transition, where the state alone does not decide it.
    pub(crate) goto: Option<StateId>,
    /// Nonce of the token of the task about to be scheduled.
    pub(crate) nonce: Option<u128>,
    /// The state's Map Run: the one that goes on, or one that a redrive would let go on.
    pub(crate) run: Option<Box<MapRun>>,
    pub(crate) phase: Phase,
}

/// What an entered state is doing.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Phase {
    /// Deciding; never seen between two decisions.
    Entered,
    /// To be done again after a redrive.
    Again,
    /// Waiting for its time.
    Waiting,
    /// Waiting to be tried again.
    RetryWait,
    /// Waiting for a task.
    Task(Box<Task>),
    /// Waiting for branches or iterations.
    Fork(Box<Fork>),
    /// Waiting for a Map Run.
    MapRun,
}

/// An open task.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Task {
    pub(crate) request: TaskRequest,
    pub(crate) nonce: Option<u128>,
    /// Somebody has it: its request went out, or a worker took it.
    pub(crate) submitted: bool,
    /// Time of the timeout.
    pub(crate) deadline: Option<Millis>,
    /// Time at which the task has been silent for too long.
    pub(crate) silence: Option<Millis>,
}

/// Running branches or iterations.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fork {
    /// Those that run now, by index.
    pub(crate) running: BTreeMap<u32, BranchId>,
    /// Those that failed or were aborted; they stay as they were, for a redrive.
    pub(crate) stopped: BTreeMap<u32, BranchId>,
    /// Results by index; `None` for what has not ended, or was tolerated as failed.
    pub(crate) results: Vec<Option<Data>>,
    /// Inputs of iterations that have not begun, in order (Map only).
    pub(crate) pending: std::collections::VecDeque<(u32, Data)>,
    /// Most iterations at once; 0 is no limit.
    pub(crate) limit: u32,
    /// Iterations that failed.
    pub(crate) failed: u32,
    /// Failures above which a Map state fails.
    pub(crate) tolerated: u32,
    /// Event that a joining event follows.
    pub(crate) joined: u64,
}

impl Execution {
    /// A run that has no entries yet.
    pub fn new(identity: Identity) -> Self {
        Self {
            region: identity.region(),
            identity: Arc::new(identity),
            status: Status::Running,
            started_at: 0,
            stopped_at: None,
            input: None,
            output: None,
            failure: Failure::default(),
            last_event_id: 0,
            redrive_count: 0,
            redriven_at: None,
            branches: BTreeMap::new(),
            next_branch: 0,
            tasks: BTreeMap::new(),
            map_runs: BTreeMap::new(),
            runnable: BTreeSet::new(),
            timers: BTreeSet::new(),
            deadline: None,
        }
    }

    /// Who it is.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Where it stands.
    pub fn status(&self) -> Status {
        self.status
    }

    /// When it started; `None` before [`Signal::Start`](crate::Signal::Start).
    pub fn started_at(&self) -> Option<Millis> {
        self.input.as_ref().map(|_| self.started_at)
    }

    /// When it ended.
    pub fn stopped_at(&self) -> Option<Millis> {
        self.stopped_at
    }

    /// Its input; `None` before it started.
    pub fn input(&self) -> Option<&Data> {
        self.input.as_ref()
    }

    /// Its output, if it succeeded.
    pub fn output(&self) -> Option<&Data> {
        self.output.as_ref()
    }

    /// The error it failed with.
    pub fn error(&self) -> Option<&str> {
        self.failure.error.as_deref()
    }

    /// The cause it failed with.
    pub fn cause(&self) -> Option<&str> {
        self.failure.cause.as_deref()
    }

    /// Id of its last history event.
    pub fn last_event_id(&self) -> u64 {
        self.last_event_id
    }

    /// How often it was redriven.
    pub fn redrive_count(&self) -> u32 {
        self.redrive_count
    }

    /// When it was last redriven.
    pub fn redriven_at(&self) -> Option<Millis> {
        self.redriven_at
    }

    /// When it wants to hear [`Signal::Clock`](crate::Signal::Clock): at once (0) if a bounded decision left something to do.
    pub fn next_due(&self) -> Option<Millis> {
        if self.status != Status::Running {
            return None;
        }
        if !self.runnable.is_empty() {
            return Some(0);
        }
        let timer = self.timers.first().map(|(due, _)| *due);
        timer.into_iter().chain(self.deadline).min()
    }

    /// Tasks that have not ended and that somebody has to run (again, after a crash): not those that wait for their token, nor
    /// activities that a worker has taken; but those that wait for a job, though it was started.
    pub fn tasks(&self) -> impl Iterator<Item = &TaskRequest> {
        self.tasks
            .values()
            .filter_map(|branch| self.task_of(*branch))
            .filter(|task| !task.submitted || task.request.resource.waits_for_job())
            .map(|task| &task.request)
    }

    /// Every task that has not ended, submitted ones too.
    pub fn open_tasks(&self) -> impl Iterator<Item = &TaskRequest> {
        self.tasks
            .values()
            .filter_map(|branch| self.task_of(*branch))
            .map(|task| &task.request)
    }

    /// Whether the task is open and its token has this nonce. The comparison does not depend on where they differ.
    pub fn awaits(&self, task: TaskId, nonce: u128) -> bool {
        let open = self
            .tasks
            .get(&task)
            .and_then(|branch| self.task_of(*branch))
            .and_then(|task| task.nonce);
        open.is_some_and(|known| (known ^ nonce) == 0)
    }

    pub(crate) fn task_of(&self, branch: BranchId) -> Option<&Task> {
        match &self.branches.get(&branch)?.position {
            Position::In(active) => match &active.phase {
                Phase::Task(task) => Some(task),
                _ => None,
            },
            _ => None,
        }
    }

    pub(crate) fn active(&self, branch: BranchId) -> Option<&Active> {
        match &self.branches.get(&branch)?.position {
            Position::In(active) => Some(active),
            _ => None,
        }
    }

    /// The variable as this branch sees it: its own, or an outer one.
    pub(crate) fn variable(&self, branch: BranchId, name: &str) -> Option<&Data> {
        let mut at = self.branches.get(&branch)?;
        loop {
            if let Some(data) = at.variables.get(name) {
                return Some(data);
            }
            at = self.branches.get(&at.parent.as_ref()?.branch)?;
        }
    }

    /// Every variable that a branch sees; an inner one hides an outer one of the same name.
    pub(crate) fn variables(&self, branch: BranchId) -> Vec<(Arc<str>, Data)> {
        let mut visible: Vec<(Arc<str>, Data)> = Vec::new();
        let mut at = self.branches.get(&branch);
        while let Some(branch) = at {
            for (name, data) in &branch.variables {
                if !visible.iter().any(|(known, _)| known == name) {
                    visible.push((name.clone(), data.clone()));
                }
            }
            at = branch
                .parent
                .as_ref()
                .and_then(|parent| self.branches.get(&parent.branch));
        }
        visible
    }

    /// Whether a branch still goes on: neither it nor one around it was stopped or forgotten.
    pub(crate) fn is_live(&self, branch: BranchId) -> bool {
        let mut at = branch;
        loop {
            let Some(branch) = self.branches.get(&at) else {
                return false;
            };
            let Some(parent) = &branch.parent else {
                return true;
            };
            let runs = self
                .fork(parent.branch)
                .and_then(|fork| fork.running.get(&parent.index));
            if runs != Some(&at) {
                return false;
            }
            at = parent.branch;
        }
    }
}

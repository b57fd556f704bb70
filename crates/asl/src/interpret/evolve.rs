//! The only writer of an [`Execution`]: applies one entry. Used live and in recovery.
//!
//! It checks that the entry fits (a journal of another execution or definition is refused), and decides nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::fork;
use crate::entry::{BranchId, Entry, Kind, Note, Recorded};
use crate::error_name::{DATA_LIMIT_EXCEEDED, ITEM_READER_FAILED, QUERY_EVALUATION_ERROR, RUNTIME};
use crate::event::Event;
use crate::execution::{Active, Branch, Execution, Parent, Phase, Position, Status, Task};
use crate::model::{Definition, Next};
use crate::{Data, Millis, Resource, TaskId, TaskRequest, TaskToken};

/// An entry that does not fit the execution it was applied to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("journal entry does not fit its execution: {reason}")]
pub struct IllegalEntry {
    /// What does not fit.
    pub reason: String,
}

pub(crate) fn illegal<T>(reason: impl Into<String>) -> Result<T, IllegalEntry> {
    Err(IllegalEntry {
        reason: reason.into(),
    })
}

/// Applies one entry.
///
/// # Errors
/// The entry does not continue this execution of this definition.
pub fn evolve(
    definition: &Definition,
    execution: &mut Execution,
    entry: &Entry,
) -> Result<(), IllegalEntry> {
    match &entry.0 {
        Kind::Event(recorded) => {
            if recorded.id != execution.last_event_id + 1 {
                return illegal(format!(
                    "event {} after event {}",
                    recorded.id, execution.last_event_id
                ));
            }
            execution.last_event_id = recorded.id;
            apply_event(definition, execution, recorded)
        }
        Kind::Note { b, note } => apply_note(definition, execution, *b, note),
    }
}

fn apply_event(
    definition: &Definition,
    execution: &mut Execution,
    recorded: &Recorded,
) -> Result<(), IllegalEntry> {
    let Recorded { id, at, branch, .. } = *recorded;
    match &recorded.event {
        Event::ExecutionStarted { input, .. } => {
            execution.started_at = at;
            execution.input = Some(input.clone());
            execution.deadline = definition.timeout_seconds.map(|seconds| after(at, seconds));
            let root = definition.root();
            let ready = Position::Ready {
                state: definition.scope(root).start_at,
                input: input.clone(),
            };
            execution.add_branch(Branch {
                parent: None,
                scope: root,
                previous: 0,
                variables: BTreeMap::new(),
                position: ready,
                timer: None,
            });
            return Ok(());
        }
        Event::ExecutionSucceeded { output } => {
            execution.output = Some(output.clone());
            return end(execution, Status::Succeeded, at);
        }
        Event::ExecutionFailed(failure) => {
            execution.failure = failure.clone();
            return end(execution, Status::Failed, at);
        }
        Event::ExecutionAborted(failure) => {
            execution.failure = failure.clone();
            return end(execution, Status::Aborted, at);
        }
        Event::ExecutionTimedOut(failure) => {
            execution.failure = failure.clone();
            return end(execution, Status::TimedOut, at);
        }
        Event::ExecutionRedriven { redrive_count } => {
            return super::redrive::revive(definition, execution, id, *redrive_count, at);
        }
        Event::StateEntered { name, .. } => enter(definition, execution, branch, recorded, name)?,
        Event::StateExited {
            output, assigned, ..
        } => {
            exit(definition, execution, branch, output, assigned)?;
            if fork::ends_parallel_branch(definition, execution, branch) {
                return fork::join(execution, branch, id, Some(id), true);
            }
        }
        Event::TaskScheduled { .. } => schedule(definition, execution, recorded)?,
        Event::TaskSubmitted { .. }
        | Event::TaskStarted {
            resource: Resource::Activity { .. },
            ..
        } => execution.task_mut(branch)?.submitted = true,
        Event::TaskSucceeded { .. }
        | Event::TaskFailed { .. }
        | Event::TaskSubmitFailed { .. }
        | Event::TaskTimedOut { .. } => {
            execution.close_task(branch);
        }
        Event::ParallelStateStarted => fork::begin(execution, branch, id)?,
        // A Distributed Map has no branches here.
        Event::MapStateStarted { .. } => {
            if execution.fork(branch).is_some() {
                fork::begin(execution, branch, id)?;
            }
        }
        Event::MapRunStarted { .. } => open_map_run(execution, branch, Some(TaskId(id)))?,
        Event::MapRunRedriven { redrive_count, .. } => {
            open_map_run(execution, branch, None)?;
            if let Some(run) = &mut execution.active_mut(branch)?.run {
                run.redrives = *redrive_count;
            }
        }
        Event::MapRunSucceeded => {
            execution.close_map_run(branch);
            execution.active_mut(branch)?.run = None;
        }
        Event::MapRunFailed(failure) => {
            execution.close_map_run(branch);
            // A redrive begins such a run anew.
            let anew = [
                ITEM_READER_FAILED,
                DATA_LIMIT_EXCEEDED,
                RUNTIME,
                QUERY_EVALUATION_ERROR,
            ];
            if anew
                .iter()
                .any(|name| failure.error.as_deref() == Some(name))
            {
                execution.active_mut(branch)?.run = None;
            }
        }
        Event::MapRunAborted => execution.close_map_run(branch),
        Event::MapIterationSucceeded { .. }
        | Event::MapIterationFailed { .. }
        | Event::MapIterationAborted { .. } => {
            return fork::iteration_ended(execution, branch, recorded);
        }
        Event::EvaluationFailed { .. }
        | Event::TaskStarted { .. }
        | Event::StateAborted { .. }
        | Event::MapIterationStarted { .. }
        | Event::ParallelStateSucceeded
        | Event::ParallelStateFailed
        | Event::MapStateSucceeded
        | Event::MapStateFailed => {}
    }
    if advances(&recorded.event) {
        execution.branch_mut(branch)?.previous = id;
    }
    Ok(())
}

/// Whether the next event of the same branch follows this one. AWS lets what comes after a join follow what the join followed.
fn advances(event: &Event) -> bool {
    !matches!(
        event,
        Event::ParallelStateSucceeded
            | Event::MapStateSucceeded
            | Event::MapRunSucceeded
            | Event::MapRunAborted
            | Event::StateAborted { .. }
    )
}

fn apply_note(
    definition: &Definition,
    execution: &mut Execution,
    branch: BranchId,
    note: &Note,
) -> Result<(), IllegalEntry> {
    match note {
        Note::WaitUntil { due } => {
            execution.active_mut(branch)?.phase = Phase::Waiting;
            execution.set_timer(branch, Some(*due));
        }
        Note::RetryAt { retrier, due } => {
            fork::drop_children(execution, branch);
            let active = execution.active_mut(branch)?;
            let retries = definition.state(active.state).retry.len();
            active.retries.resize(retries, 0);
            match active.retries.get_mut(*retrier as usize) {
                Some(count) => *count += 1,
                None => return illegal(format!("retrier {retrier} of {retries}")),
            }
            active.phase = Phase::RetryWait;
            execution.set_timer(branch, Some(*due));
        }
        Note::Retrying => {
            fork::drop_children(execution, branch);
            execution.runnable.remove(&branch);
            execution.active_mut(branch)?.phase = Phase::Entered;
            execution.set_timer(branch, None);
        }
        Note::Goto { next } => {
            let scope = execution.branch_mut(branch)?.scope;
            let Some(target) = definition.scope(scope).find(next) else {
                return illegal(format!("no state {next}"));
            };
            execution.active_mut(branch)?.goto = Some(target);
        }
        Note::Token { nonce } => execution.active_mut(branch)?.nonce = Some(*nonce),
        Note::Heartbeat { at } => {
            let task = execution.task_mut(branch)?;
            task.silence = task.request.heartbeat.map(|seconds| after(*at, seconds));
            let due = task.due();
            execution.set_timer(branch, due);
        }
        Note::Fork { input } => fork::prepare_parallel(definition, execution, branch, input)?,
        Note::MapOver {
            items,
            limit,
            tolerated,
        } => fork::prepare_map(execution, branch, items, *limit, *tolerated)?,
        Note::MapRun(run) => execution.active_mut(branch)?.run = Some(run.clone()),
        Note::Iteration { index, input } => {
            fork::add_iteration(definition, execution, branch, *index, input)?
        }
        Note::Closed { after } => fork::join(execution, branch, *after, Some(*after), false)?,
    }
    Ok(())
}

fn enter(
    definition: &Definition,
    execution: &mut Execution,
    id: BranchId,
    recorded: &Recorded,
    name: &str,
) -> Result<(), IllegalEntry> {
    let branch = execution.branch_mut(id)?;
    let before = branch.previous;
    let Position::Ready { state, input } = &branch.position else {
        return illegal(format!(
            "{name} entered, but the branch is not between states"
        ));
    };
    if &*definition.state(*state).name != name {
        return illegal(format!(
            "{name} entered, but {} is next",
            definition.state(*state).name
        ));
    }
    branch.position = Position::In(Box::new(Active {
        state: *state,
        input: input.clone(),
        entered: recorded.id,
        entered_at: recorded.at,
        before,
        retries: Vec::new(),
        goto: None,
        nonce: None,
        run: None,
        phase: Phase::Entered,
    }));
    execution.runnable.remove(&id);
    Ok(())
}

fn exit(
    definition: &Definition,
    execution: &mut Execution,
    id: BranchId,
    output: &Data,
    assigned: &[(Arc<str>, Data)],
) -> Result<(), IllegalEntry> {
    fork::drop_children(execution, id);
    execution.set_timer(id, None);
    let branch = execution.branch_mut(id)?;
    let Position::In(active) = &branch.position else {
        return illegal("a state exited that was not entered");
    };
    let next = active
        .goto
        .map_or(definition.state(active.state).next, Next::State);
    branch.variables.extend(assigned.iter().cloned());
    match next {
        Next::State(state) => {
            branch.position = Position::Ready {
                state,
                input: output.clone(),
            };
            execution.runnable.insert(id);
        }
        Next::End => {
            branch.position = Position::Done {
                output: output.clone(),
            }
        }
        Next::Nowhere => return illegal("a state exited that chose no transition"),
    }
    Ok(())
}

fn schedule(
    definition: &Definition,
    execution: &mut Execution,
    recorded: &Recorded,
) -> Result<(), IllegalEntry> {
    let Event::TaskScheduled {
        resource,
        parameters,
        timeout_in_seconds,
        heartbeat_in_seconds,
        credentials,
        ..
    } = &recorded.event
    else {
        return illegal("not a scheduled task");
    };
    let (task, key) = (TaskId(recorded.id), execution.identity.key);
    let active = execution.active_mut(recorded.branch)?;
    let nonce = active.nonce.take();
    let open = Task {
        request: TaskRequest {
            task,
            state: definition.state(active.state).name.to_string(),
            resource: resource.clone(),
            parameters: parameters.clone(),
            token: nonce.map(|nonce| {
                TaskToken {
                    execution: key,
                    task,
                    nonce,
                }
                .encode()
            }),
            timeout: *timeout_in_seconds,
            heartbeat: *heartbeat_in_seconds,
            credentials: credentials.clone(),
        },
        nonce,
        submitted: false,
        deadline: timeout_in_seconds.map(|seconds| after(recorded.at, seconds)),
        silence: heartbeat_in_seconds.map(|seconds| after(recorded.at, seconds)),
    };
    let due = open.due();
    active.phase = Phase::Task(Box::new(open));
    execution.tasks.insert(task, recorded.branch);
    execution.set_timer(recorded.branch, due);
    Ok(())
}

/// The state waits for its Map Run; `id` is that of a new one.
fn open_map_run(
    execution: &mut Execution,
    branch: BranchId,
    id: Option<TaskId>,
) -> Result<(), IllegalEntry> {
    let active = execution.active_mut(branch)?;
    let Some(run) = &mut active.run else {
        return illegal("a Map Run started that was not planned");
    };
    run.id = id.unwrap_or(run.id);
    let id = run.id;
    active.phase = Phase::MapRun;
    execution.map_runs.insert(id, branch);
    Ok(())
}

fn end(execution: &mut Execution, status: Status, at: Millis) -> Result<(), IllegalEntry> {
    execution.status = status;
    execution.stopped_at = Some(at);
    execution.tasks.clear();
    execution.map_runs.clear();
    execution.runnable.clear();
    execution.timers.clear();
    execution.deadline = None;
    Ok(())
}

/// A time some seconds later; a hostile number of seconds ends at the end of time.
pub(super) fn after(at: Millis, seconds: u64) -> Millis {
    at.saturating_add(
        i64::try_from(seconds)
            .unwrap_or(i64::MAX)
            .saturating_mul(1000),
    )
}

impl Task {
    /// The earlier of timeout and missed heartbeat.
    pub(crate) fn due(&self) -> Option<Millis> {
        self.deadline.into_iter().chain(self.silence).min()
    }
}

impl Execution {
    pub(crate) fn add_branch(&mut self, branch: Branch) -> BranchId {
        let id = BranchId(self.next_branch);
        self.next_branch += 1;
        if matches!(branch.position, Position::Ready { .. }) {
            self.runnable.insert(id);
        }
        self.branches.insert(id, branch);
        id
    }

    pub(crate) fn branch_mut(&mut self, id: BranchId) -> Result<&mut Branch, IllegalEntry> {
        self.branches.get_mut(&id).ok_or_else(|| IllegalEntry {
            reason: format!("no branch {}", id.0),
        })
    }

    pub(crate) fn active_mut(&mut self, id: BranchId) -> Result<&mut Active, IllegalEntry> {
        match &mut self.branch_mut(id)?.position {
            Position::In(active) => Ok(active),
            _ => illegal(format!("branch {} is not in a state", id.0)),
        }
    }

    fn task_mut(&mut self, id: BranchId) -> Result<&mut Task, IllegalEntry> {
        match &mut self.active_mut(id)?.phase {
            Phase::Task(task) => Ok(task),
            _ => illegal(format!("branch {} has no open task", id.0)),
        }
    }

    fn close_task(&mut self, id: BranchId) {
        let Some(task) = self.task_of(id).map(|task| task.request.task) else {
            return;
        };
        self.tasks.remove(&task);
        self.set_timer(id, None);
        if let Ok(active) = self.active_mut(id) {
            active.phase = Phase::Entered;
        }
    }

    /// A branch does not go on; it stays where it is.
    pub(crate) fn close_branch(&mut self, id: BranchId) {
        self.close_task(id);
        self.close_map_run(id);
        self.set_timer(id, None);
        self.runnable.remove(&id);
    }

    pub(crate) fn set_timer(&mut self, id: BranchId, due: Option<Millis>) {
        let Some(branch) = self.branches.get_mut(&id) else {
            return;
        };
        let old = std::mem::replace(&mut branch.timer, due);
        if let Some(old) = old {
            self.timers.remove(&(old, id));
        }
        if let Some(due) = due {
            self.timers.insert((due, id));
        }
    }

    /// Where a branch hangs.
    pub(crate) fn parent(&self, id: BranchId) -> Option<&Parent> {
        self.branches.get(&id)?.parent.as_ref()
    }
}

//! Redrive: a failed, timed-out or aborted execution goes on from where it failed.
//! Source: "Restarting state machine executions with redrive".
//!
//! Finished branches keep their results; failed and aborted ones go on from the state they were in; a state is done again
//! from its beginning, with its retries and timeouts at zero.

use super::Run;
use super::evolve::{IllegalEntry, after, illegal};
use super::run::MOST_EVENTS;
use crate::entry::BranchId;
use crate::event::{Event, Failure};
use crate::execution::{Execution, Fork, Phase, Position, Status};
use crate::model::Definition;
use crate::{Millis, Refusal};

impl Execution {
    /// Whether [`Signal::Redrive`](crate::Signal::Redrive) would be taken now. How long ago the execution ended is the caller's affair.
    ///
    /// # Errors
    /// Why not, in AWS's words (`redriveStatusReason`).
    pub fn redrivable(&self) -> Result<(), String> {
        self.status.redrivable(self.last_event_id)
    }
}

impl Status {
    /// [`Execution::redrivable`] for an execution of which only the status and the number of events are known.
    ///
    /// # Errors
    /// Why not, in AWS's words (`redriveStatusReason`).
    pub fn redrivable(self, events: u64) -> Result<(), String> {
        match self {
            Status::Running | Status::Succeeded => Err(format!(
                "Execution is {} and cannot be redriven",
                self.as_str()
            )),
            // It would fail again at once. AWS draws the line at 24,999, as it ends executions at 25,000.
            _ if events >= MOST_EVENTS => Err("Execution history event limit exceeded".to_owned()),
            Status::Failed | Status::TimedOut | Status::Aborted => Ok(()),
        }
    }
}

impl Run<'_> {
    pub(super) fn redrive(&mut self) -> Result<(), Refusal> {
        self.execution
            .redrivable()
            .map_err(|reason| Refusal::NotRedrivable { reason })?;
        let previous = self.execution.last_event_id;
        let redrive_count = self.execution.redrive_count + 1;
        self.event_after(
            BranchId::ROOT,
            previous,
            Event::ExecutionRedriven { redrive_count },
        )?;
        Ok(())
    }
}

/// Applies [`Event::ExecutionRedriven`].
pub(super) fn revive(
    definition: &Definition,
    execution: &mut Execution,
    event: u64,
    redrive_count: u32,
    at: Millis,
) -> Result<(), IllegalEntry> {
    if execution.redrivable().is_err() {
        return illegal("an execution was redriven that cannot be");
    }
    execution.status = Status::Running;
    execution.stopped_at = None;
    execution.failure = Failure::default();
    execution.redrive_count = redrive_count;
    execution.redriven_at = Some(at);
    execution.deadline = definition.timeout_seconds.map(|seconds| after(at, seconds));
    revive_branch(execution, BranchId::ROOT, event)
}

fn revive_branch(execution: &mut Execution, id: BranchId, event: u64) -> Result<(), IllegalEntry> {
    execution.set_timer(id, None);
    let branch = execution.branch_mut(id)?;
    branch.previous = event;
    let active = match &mut branch.position {
        Position::In(active) => active,
        Position::Ready { .. } => {
            execution.runnable.insert(id);
            return Ok(());
        }
        Position::Done { .. } => return Ok(()),
    };
    active.retries.clear();
    let children: Vec<BranchId> = match &mut active.phase {
        Phase::Fork(fork) if !fork.is_complete() => {
            let stopped = std::mem::take(&mut fork.stopped);
            fork.running.extend(stopped);
            fork.failed = 0;
            fork.joined = event;
            fork.running.values().copied().collect()
        }
        phase => {
            *phase = Phase::Again;
            execution.runnable.insert(id);
            return Ok(());
        }
    };
    let more = execution.fork(id).is_some_and(Fork::wants_to_start);
    if more {
        execution.runnable.insert(id);
    }
    for child in children {
        revive_branch(execution, child, event)?;
    }
    Ok(())
}

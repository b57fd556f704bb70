//! Parallel states, and how a branch's failure ends its siblings (Map states too).

use serde_json::Value;

use super::fault::{Fault, Outcome};
use super::{Run, Step};
use crate::entry::{BranchId, Note};
use crate::event::{Event, Failure, StateKind};
use crate::execution::Phase;
use crate::model::{Kind, State};
use crate::{Command, Data, MapRunStatus, error_name};

impl Run<'_> {
    pub(super) fn parallel(&mut self, branch: BranchId, state: &State) -> Outcome {
        let input = self.arguments(branch, state)?;
        self.note(branch, Note::Fork { input })?;
        self.event(branch, Event::ParallelStateStarted)?;
        Ok(())
    }

    /// A branch came to its end and was joined: if it was the last, the state goes on.
    pub(super) fn join_parallel(&mut self, branch: BranchId) -> Step {
        let output = match self.execution.fork(branch) {
            Some(fork) if fork.is_joined() => results(&fork.results),
            _ => return Ok(()),
        };
        self.event(branch, Event::ParallelStateSucceeded)?;
        let state = self.state(branch)?;
        let outcome = super::exit::limit(state, &output)
            .and_then(|()| self.exit_with(branch, state, &output));
        self.settle(branch, outcome)
    }

    /// A branch or iteration failed for good.
    pub(super) fn branch_failed(&mut self, child: BranchId, failure: Failure) -> Step {
        let Some(parent) = self.execution.parent(child).cloned() else {
            return super::evolve::illegal("the top level has no parent");
        };
        let cause = self
            .execution
            .branches
            .get(&child)
            .map_or(0, |branch| branch.previous);
        let state = self.state(parent.branch)?;
        let own = self.abortable(child);
        let is_map = matches!(state.kind, Kind::Map(_));
        if is_map {
            self.event_after(
                child,
                cause,
                Event::MapIterationFailed {
                    name: state.name.clone(),
                    index: parent.index,
                },
            )?;
        } else {
            self.note(child, Note::Closed { after: cause })?;
        }
        if is_map
            && self
                .execution
                .fork(parent.branch)
                .is_some_and(|fork| fork.failed <= fork.tolerated)
        {
            return self.join_map(parent.branch);
        }
        if let Some(kind) = own {
            self.event_after(parent.branch, cause, Event::StateAborted { kind })?;
        }
        self.settle(parent.branch, Err(Fault::Failed(failure)))
    }

    /// Aborts what still runs below a state, each with AWS's events; `cause` is the event they all follow.
    pub(super) fn abort_children(&mut self, parent: BranchId, cause: u64) -> Step {
        let Some(fork) = self.execution.fork(parent) else {
            return Ok(());
        };
        let running: Vec<(u32, BranchId)> = fork
            .running
            .iter()
            .map(|(index, child)| (*index, *child))
            .collect();
        let state = self.state(parent)?;
        for (index, child) in running {
            self.abort_children(child, cause)?;
            let own = self.abortable(child);
            if let Some(task) = self.execution.task_of(child).map(|task| task.request.task) {
                self.commands.push(Command::CancelTask(task));
            }
            let run = self.execution.active(child).and_then(|active| {
                matches!(active.phase, Phase::MapRun)
                    .then(|| active.run.as_ref().map(|run| run.id))?
            });
            if let Some(run) = run {
                self.commands
                    .push(Command::EndMapRun(run, MapRunStatus::Aborted));
                self.event_after(child, cause, Event::MapRunAborted)?;
            }
            if matches!(state.kind, Kind::Map(_)) {
                self.event_after(
                    child,
                    cause,
                    Event::MapIterationAborted {
                        name: state.name.clone(),
                        index,
                    },
                )?;
            } else {
                self.note(child, Note::Closed { after: cause })?;
            }
            if let Some(kind) = own {
                self.event_after(parent, cause, Event::StateAborted { kind })?;
            }
        }
        Ok(())
    }

    /// The kind of the state a branch is in, if AWS writes that it was aborted.
    fn abortable(&self, branch: BranchId) -> Option<StateKind> {
        let active = self.execution.active(branch)?;
        let kind = self.definition.state(active.state).kind.state_kind();
        matches!(
            kind,
            StateKind::Task | StateKind::Wait | StateKind::Parallel | StateKind::Map
        )
        .then_some(kind)
    }

    /// Writes that a Parallel or Map state failed. An error at run time ends the execution without it.
    pub(super) fn fork_failed(&mut self, branch: BranchId, failure: &Failure) -> Step {
        if failure.error.as_deref() == Some(error_name::RUNTIME) {
            return Ok(());
        }
        match self.state(branch)?.kind {
            Kind::Parallel(_) => self.event(branch, Event::ParallelStateFailed).map(|_| ()),
            Kind::Map(_) => self.event(branch, Event::MapStateFailed).map(|_| ()),
            _ => Ok(()),
        }
    }
}

/// The results of branches or iterations, in order; a tolerated failure is missing.
pub(super) fn results(results: &[Option<Data>]) -> Data {
    Data::new(Value::Array(
        results
            .iter()
            .flatten()
            .map(|data| data.value().clone())
            .collect(),
    ))
}

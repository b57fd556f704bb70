//! Branches go on until they wait.

use super::fault::Outcome;
use super::{Run, Step};
use crate::entry::BranchId;
use crate::error_name;
use crate::event::{Event, Failure};
use crate::execution::{Active, Phase, Position};
use crate::interpret::IllegalEntry;
use crate::interpret::evolve::illegal;
use crate::model::{Kind, State};

/// AWS ends an execution at 25,000 events. What follows from one state must still fit.
pub(super) const MOST_EVENTS: u64 = 24_980;

impl Run<'_> {
    /// Lets every branch go on that can, up to the bound.
    pub(super) fn go_on(&mut self) -> Step {
        while let Some(branch) = self.execution.runnable.first().copied() {
            if self.is_full() {
                return Ok(());
            }
            if self.execution.last_event_id >= MOST_EVENTS {
                return self.too_long();
            }
            match self.execution.active(branch).map(|active| &active.phase) {
                None => self.enter(branch)?,
                Some(Phase::Again) => {
                    if self.active(branch)?.run.is_some() {
                        self.redrive_map_run(branch)?;
                    } else {
                        self.retried(branch)?;
                    }
                }
                Some(_) => self.start_iteration(branch)?,
            }
        }
        Ok(())
    }

    fn too_long(&mut self) -> Step {
        self.cancel_all();
        let cause = "The execution reached the maximum number of history events (25000).";
        let failure = Failure::new(error_name::RUNTIME, cause);
        self.event(BranchId::ROOT, Event::ExecutionFailed(failure))
            .map(|_| ())
    }

    fn enter(&mut self, branch: BranchId) -> Step {
        let Some(Position::Ready { state, input }) =
            self.execution.branches.get(&branch).map(|b| &b.position)
        else {
            return illegal("a branch cannot enter a state");
        };
        let (state, input) = (self.definition.state(*state), input.clone());
        self.event(
            branch,
            Event::StateEntered {
                kind: state.kind.state_kind(),
                name: state.name.clone(),
                input,
            },
        )?;
        self.execute(branch)
    }

    /// Does what the entered state does, for the first time or again.
    pub(super) fn execute(&mut self, branch: BranchId) -> Step {
        let outcome = self.perform(branch);
        self.settle(branch, outcome)
    }

    /// What the state's kind does; what fails is still to be settled.
    pub(super) fn perform(&mut self, branch: BranchId) -> Outcome {
        let state = self.state(branch)?;
        match &state.kind {
            Kind::Pass(pass) => self.pass(branch, state, pass),
            Kind::Succeed => self.succeed(branch, state),
            Kind::Fail(fail) => self.fail(branch, state, fail),
            Kind::Wait(wait) => self.wait(branch, wait),
            Kind::Choice(choice) => self.choose(branch, state, choice),
            Kind::Task(task) => self.task(branch, state, task),
            Kind::Parallel(_) => self.parallel(branch, state),
            Kind::Map(map) => self.map(branch, state, map),
        }
    }
}

impl<'a> Run<'a> {
    /// The state a branch is in.
    pub(super) fn state(&self, branch: BranchId) -> Result<&'a State, IllegalEntry> {
        let definition = self.definition;
        self.active(branch)
            .map(|active| definition.state(active.state))
    }

    pub(super) fn active(&self, branch: BranchId) -> Result<&Active, IllegalEntry> {
        match self.execution.active(branch) {
            Some(active) => Ok(active),
            None => illegal(format!("branch {} is not in a state", branch.0)),
        }
    }
}

//! Where each signal leads.

use std::collections::BTreeSet;

use super::fault::Fault;
use super::{IllegalEntry, Run, Step};
use crate::entry::{BranchId, Note};
use crate::event::{Event, Failure};
use crate::execution::Phase;
use crate::model::Kind;
use crate::{Data, MapRunStatus, Millis, Refusal, Resource, Signal, TaskId, error_name};

impl From<IllegalEntry> for Refusal {
    fn from(entry: IllegalEntry) -> Self {
        Self::Corrupt {
            reason: entry.reason,
        }
    }
}

impl Run<'_> {
    pub(super) fn take(&mut self, signal: Signal) -> Result<(), Refusal> {
        if let Signal::Start { input } = signal {
            return self.start(input);
        }
        if self.execution.input.is_none() {
            return Err(Refusal::NotRunning);
        }
        if let Signal::Redrive = signal {
            return self.redrive();
        }
        if self.is_over() {
            return match signal {
                Signal::TaskSucceeded { task, .. }
                | Signal::TaskFailed { task, .. }
                | Signal::TaskTimedOut { task, .. }
                | Signal::Heartbeat { task } => Err(self.no_task(task)),
                Signal::MapRunSucceeded { run, .. } | Signal::MapRunFailed { run, .. } => {
                    Err(self.no_task(run))
                }
                // A response that comes after the end changes nothing.
                Signal::TaskSubmitted { .. } => Ok(()),
                _ => Err(Refusal::NotRunning),
            };
        }
        match signal {
            Signal::TaskSucceeded { task, output } => self.succeeded(task, output),
            Signal::TaskFailed { task, error, cause } => self.failed(task, error, cause),
            Signal::TaskTimedOut { task, with } => self.timed_out(task, &with),
            Signal::TaskSubmitted { task, output } => self.submitted(task, output),
            Signal::TaskStarted { task, worker } => {
                let (branch, resource) = self.open(task)?;
                let taken = self
                    .execution
                    .task_of(branch)
                    .is_some_and(|open| open.submitted);
                if taken || !matches!(resource, Resource::Activity { .. }) {
                    return Err(Refusal::TaskClosed(task));
                }
                self.event(branch, Event::TaskStarted { resource, worker })?;
                Ok(())
            }
            Signal::Heartbeat { task } => {
                let (branch, _) = self.open(task)?;
                Ok(self.note(branch, Note::Heartbeat { at: self.env.now })?)
            }
            Signal::MapRunSucceeded { run, output } => {
                let branch = self.open_map_run(run)?;
                Ok(self.map_run_succeeded(branch, run, &output)?)
            }
            Signal::MapRunFailed { run, error, cause } => {
                let branch = self.open_map_run(run)?;
                Ok(self.map_run_failed(branch, run, Failure::new(error, cause))?)
            }
            Signal::Clock => Ok(self.clock()?),
            Signal::Stop { error, cause } => Ok(self.stop(Failure { error, cause })?),
            Signal::Start { .. } | Signal::Redrive => Ok(()),
        }
    }

    fn start(&mut self, input: Data) -> Result<(), Refusal> {
        if self.execution.input.is_some() {
            return Err(Refusal::AlreadyStarted);
        }
        let role_arn = self.execution.identity.role_arn.clone();
        self.event(BranchId::ROOT, Event::ExecutionStarted { input, role_arn })?;
        Ok(())
    }

    fn open(&self, task: TaskId) -> Result<(BranchId, Resource), Refusal> {
        let branch = self
            .execution
            .tasks
            .get(&task)
            .copied()
            .ok_or_else(|| self.no_task(task))?;
        let open = self
            .execution
            .task_of(branch)
            .ok_or_else(|| self.no_task(task))?;
        Ok((branch, open.request.resource.clone()))
    }

    fn open_map_run(&self, run: TaskId) -> Result<BranchId, Refusal> {
        let branch = self.execution.map_runs.get(&run).copied();
        branch.ok_or_else(|| self.no_task(run))
    }

    fn no_task(&self, task: TaskId) -> Refusal {
        if task.0 > self.execution.last_event_id {
            Refusal::TaskUnknown(task)
        } else {
            Refusal::TaskClosed(task)
        }
    }

    fn succeeded(&mut self, task: TaskId, output: Data) -> Result<(), Refusal> {
        let (branch, resource) = self.open(task)?;
        self.event(
            branch,
            Event::TaskSucceeded {
                resource,
                output: output.clone(),
            },
        )?;
        let outcome = self.task_succeeded(branch, &output);
        Ok(self.settle(branch, outcome)?)
    }

    fn failed(&mut self, task: TaskId, error: String, cause: String) -> Result<(), Refusal> {
        let (branch, resource) = self.open(task)?;
        let failure = Failure::new(error, cause);
        self.event(
            branch,
            Event::TaskFailed {
                resource,
                failure: failure.clone(),
            },
        )?;
        Ok(self.settle(branch, Err(Fault::Failed(failure)))?)
    }

    fn timed_out(&mut self, task: TaskId, with: &[TaskId]) -> Result<(), Refusal> {
        self.open(task)?;
        // In the order in which they were scheduled, whichever of them was reported first.
        let tasks: BTreeSet<TaskId> = with.iter().copied().chain([task]).collect();
        let branches = tasks.into_iter().filter_map(|task| self.open(task).ok());
        let branches: Vec<BranchId> = branches.map(|(branch, _)| branch).collect();
        Ok(self.out_of_time(&branches, None)?)
    }

    fn submitted(&mut self, task: TaskId, output: Data) -> Result<(), Refusal> {
        let Ok((branch, resource)) = self.open(task) else {
            return if task.0 > self.execution.last_event_id {
                Err(Refusal::TaskUnknown(task))
            } else {
                Ok(())
            };
        };
        if self
            .execution
            .task_of(branch)
            .is_some_and(|open| !open.submitted)
        {
            self.event(branch, Event::TaskSubmitted { resource, output })?;
        }
        Ok(())
    }

    /// Everything that is due happens, the earliest first.
    fn clock(&mut self) -> Step {
        while !self.is_over() && !self.is_full() {
            let timer = self
                .execution
                .timers
                .first()
                .copied()
                .filter(|(due, _)| *due <= self.env.now);
            let deadline = self
                .execution
                .deadline
                .filter(|deadline| *deadline <= self.env.now);
            match (timer, deadline) {
                (None, None) => break,
                (None, Some(_)) => self.time_out()?,
                (Some((due, _)), Some(deadline)) if deadline <= due => self.time_out()?,
                (Some((due, branch)), _) => self.fire(branch, due)?,
            }
        }
        Ok(())
    }

    fn fire(&mut self, branch: BranchId, due: Millis) -> Step {
        match &self.active(branch)?.phase {
            Phase::Waiting => {
                let outcome = self.waited(branch);
                self.settle(branch, outcome)
            }
            Phase::RetryWait => self.retried(branch),
            Phase::Task(_) => self.tasks_timed_out(due),
            Phase::Entered | Phase::Again | Phase::Fork(_) | Phase::MapRun => {
                super::evolve::illegal("a timer of a state that waits for no time")
            }
        }
    }

    /// Tasks whose time is over at the same moment end together.
    fn tasks_timed_out(&mut self, due: Millis) -> Step {
        let at_once = |(time, branch): &(Millis, BranchId)| (*time == due).then_some(*branch);
        let branches: Vec<BranchId> = self.execution.timers.iter().map_while(at_once).collect();
        self.out_of_time(&branches, Some(due))
    }

    /// All are written as timed out before the first of them has consequences. At `due` a task whose deadline is later has missed
    /// its heartbeat; without it, whoever runs the tasks says so.
    fn out_of_time(&mut self, branches: &[BranchId], due: Option<Millis>) -> Step {
        let mut timed_out = Vec::new();
        for &branch in branches {
            let Some(task) = self.execution.task_of(branch) else {
                continue;
            };
            let late = |due| task.deadline.is_none_or(|deadline| deadline > due);
            let silent = due.is_some_and(late);
            let (id, resource) = (task.request.task, task.request.resource.clone());
            let failure = Failure::named(error_name::TIMEOUT);
            self.commands.push(crate::Command::CancelTask(id));
            self.event(
                branch,
                Event::TaskTimedOut {
                    resource,
                    failure: failure.clone(),
                },
            )?;
            let fault = match silent {
                true => Fault::Silent,
                false => Fault::Failed(failure),
            };
            timed_out.push((branch, fault));
        }
        for (branch, fault) in timed_out {
            // A sibling's failure may have aborted it, or ended everything.
            if !self.is_over() && self.execution.is_live(branch) {
                self.settle(branch, Err(fault))?;
            }
        }
        Ok(())
    }

    /// The machine's `TimeoutSeconds` are over.
    fn time_out(&mut self) -> Step {
        self.cancel_all();
        self.event(
            BranchId::ROOT,
            Event::ExecutionTimedOut(Failure::named(error_name::TIMEOUT)),
        )
        .map(|_| ())
    }

    fn stop(&mut self, failure: Failure) -> Step {
        self.cancel_all();
        // AWS lets a stop follow nothing while the execution is still in its first state; no recording shows another case.
        let active = self.execution.active(BranchId::ROOT);
        let previous = self
            .execution
            .branches
            .get(&BranchId::ROOT)
            .map_or(0, |root| root.previous);
        let previous = match active {
            Some(active)
                if active.entered == previous
                    && matches!(self.definition.state(active.state).kind, Kind::Wait(_)) =>
            {
                active.before
            }
            _ => previous,
        };
        self.event_after(BranchId::ROOT, previous, Event::ExecutionAborted(failure))
            .map(|_| ())
    }

    pub(super) fn cancel_all(&mut self) {
        self.commands.extend(
            self.execution
                .tasks
                .keys()
                .map(|task| crate::Command::CancelTask(*task)),
        );
        self.commands.extend(
            self.execution
                .map_runs
                .keys()
                .map(|run| crate::Command::EndMapRun(*run, MapRunStatus::Aborted)),
        );
    }
}

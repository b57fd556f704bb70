//! Task states.

use rand::RngExt;

use super::Run;
use super::fault::{Fault, Outcome};
use crate::entry::{BranchId, Note};
use crate::event::Event;
use crate::execution::Phase;
use crate::model::{State, TaskState};
use crate::{Command, Data, Resource, TaskId, TaskToken};

/// The longest timeout AWS takes.
const MOST_SECONDS: u64 = 99_999_999;

impl Run<'_> {
    /// Schedules the task.
    pub(super) fn task(&mut self, branch: BranchId, state: &State, task: &TaskState) -> Outcome {
        let with_token = task.resource.has_token();
        let nonce = with_token.then(|| self.random.random::<u128>());
        let id = TaskId(self.execution.last_event_id + 1);
        let token = nonce.map(|nonce| {
            TaskToken {
                execution: self.execution.identity.key,
                task: id,
                nonce,
            }
            .encode()
        });

        let raw = self.active(branch)?.input.clone();
        let input = self.effective_input(branch, state, &raw)?;
        let lens = self.lens(branch)?.with_input(&input).with_token(token);
        let timeout = task
            .timeout
            .as_ref()
            .map(|amount| lens.amount(amount, "TimeoutSeconds"))
            .transpose()?;
        let heartbeat = task
            .heartbeat
            .as_ref()
            .map(|amount| lens.amount(amount, "HeartbeatSeconds"))
            .transpose()?;
        for (seconds, field) in [(timeout, "TimeoutSeconds"), (heartbeat, "HeartbeatSeconds")] {
            if seconds.is_some_and(|seconds| seconds == 0 || seconds > MOST_SECONDS) {
                return Err(Fault::runtime(format!(
                    "{field} must be between 1 and {MOST_SECONDS}."
                )));
            }
        }
        let parameters = super::exit::arguments(&lens, state)?;
        super::exit::limit(state, &parameters)?;
        let credentials = task
            .credentials
            .as_ref()
            .map(|template| lens.template(template, "Credentials"))
            .transpose()?;

        if let Some(nonce) = nonce {
            self.note(branch, Note::Token { nonce })?;
        }
        let resource = task.resource.clone();
        let region = self.execution.region.clone();
        self.event(
            branch,
            Event::TaskScheduled {
                resource: resource.clone(),
                region,
                parameters,
                timeout_in_seconds: timeout,
                heartbeat_in_seconds: heartbeat,
                credentials,
            },
        )?;
        if !matches!(resource, Resource::Activity { .. }) {
            self.event(
                branch,
                Event::TaskStarted {
                    resource,
                    worker: None,
                },
            )?;
        }
        if let Phase::Task(open) = &self.active(branch)?.phase {
            let request = open.request.clone();
            self.commands.push(Command::RunTask(request));
        }
        Ok(())
    }

    /// The task succeeded; its event is written.
    pub(super) fn task_succeeded(&mut self, branch: BranchId, output: &Data) -> Outcome {
        let state = self.state(branch)?;
        super::exit::limit(state, output)?;
        self.exit_with(branch, state, output)
    }
}

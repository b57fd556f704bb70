//! What an execution's history says of its tasks. Mocks choose by it, so that they choose the same after a restart.

use std::collections::BTreeMap;

use asl::{Entry, Event, Pattern, Resource, StateKind, TaskId};
use engine::{Engine, ExecutionError, Page};

use super::TestCase;
use super::runner::is_timeout;

/// The events of an execution.
pub(super) struct Past(BTreeMap<u64, Entry>);

impl Past {
    pub(super) async fn of(engine: &Engine, execution: &str) -> Result<Past, ExecutionError> {
        let all = Page {
            max: usize::MAX - 1,
            token: None,
        };
        let history = engine.executions().history(execution, false, all).await?;
        let entries = history.items.into_iter();
        Ok(Past(
            entries
                .filter_map(|entry| Some((entry.id()?, entry)))
                .collect(),
        ))
    }

    /// How often tasks of this state were scheduled before this one.
    pub(super) fn attempt_of(&self, state: &str, task: TaskId) -> u64 {
        let earlier = self.0.range(..task.0).filter(|(_, entry)| {
            matches!(entry.event(), Some(Event::TaskScheduled { .. }))
                && self.state_of(entry) == Some(state)
        });
        earlier.count() as u64
    }

    /// The tasks whose mocks say that they time out, and whose time is over when that of `task` is: they were scheduled at the
    /// same moment for as long. Tasks that wait after their request are left alone: theirs has to be answered first.
    pub(super) fn timed_out_with(&self, task: TaskId, states: &TestCase) -> Vec<TaskId> {
        let deadline = |entry: &Entry| match entry.event() {
            Some(Event::TaskScheduled {
                resource,
                timeout_in_seconds,
                ..
            }) if !waits(resource) => {
                Some((entry.history()?.heading().timestamp, (*timeout_in_seconds)?))
            }
            _ => None,
        };
        let Some(due) = self.0.get(&task.0).and_then(deadline) else {
            return Vec::new();
        };
        let times_out = |id: TaskId, entry: &Entry| {
            let state = self.state_of(entry)?;
            let response = states.get(state)?.of_attempt(self.attempt_of(state, id))?;
            is_timeout(response).then_some(id)
        };
        self.0
            .iter()
            .filter(|(id, entry)| **id != task.0 && deadline(entry) == Some(due))
            .filter_map(|(id, entry)| times_out(TaskId(*id), entry))
            .collect()
    }

    /// The state that an event belongs to: the one that was entered last on the way to it.
    fn state_of<'a>(&'a self, entry: &'a Entry) -> Option<&'a str> {
        let mut at = entry;
        loop {
            if let Some(Event::StateEntered {
                kind: StateKind::Task,
                name,
                ..
            }) = at.event()
            {
                return Some(name);
            }
            at = self.0.get(&at.history()?.heading().previous_event_id)?;
        }
    }
}

/// Whether a task goes on after its request was answered.
fn waits(resource: &Resource) -> bool {
    matches!(resource, Resource::Integration { pattern, .. } if *pattern != Pattern::RequestResponse)
}

//! When executions must hear of the clock: one time for each, and one sleep for all.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::Millis;

#[derive(Debug, Default)]
pub(crate) struct Timers {
    state: Mutex<State>,
    /// The earliest time came closer.
    sooner: Notify,
}

#[derive(Debug, Default)]
struct State {
    by_time: BTreeSet<(Millis, u64)>,
    by_execution: HashMap<u64, Millis>,
}

impl Timers {
    /// Sets when an execution is due, in place of what was set before.
    pub(crate) fn set(&self, execution: u64, due: Option<Millis>) {
        let mut state = self.state();
        let earliest = state.by_time.first().copied();
        if let Some(old) = state.by_execution.remove(&execution) {
            state.by_time.remove(&(old, execution));
        }
        if let Some(due) = due {
            state.by_execution.insert(execution, due);
            state.by_time.insert((due, execution));
            if earliest.is_none_or(|(earliest, _)| due < earliest) {
                self.sooner.notify_one();
            }
        }
    }

    /// Sets when an execution is due unless that is set.
    pub(crate) fn arm(&self, execution: u64, due: Option<Millis>) {
        if !self.state().by_execution.contains_key(&execution) {
            self.set(execution, due);
        }
    }

    /// Takes out all that are due.
    pub(crate) fn take_due(&self, now: Millis) -> Vec<u64> {
        let mut state = self.state();
        let later = state.by_time.split_off(&(now.saturating_add(1), 0));
        let due = std::mem::replace(&mut state.by_time, later);
        let due: Vec<u64> = due.into_iter().map(|(_, execution)| execution).collect();
        for execution in &due {
            state.by_execution.remove(execution);
        }
        due
    }

    pub(crate) fn earliest(&self) -> Option<Millis> {
        self.state().by_time.first().map(|(due, _)| *due)
    }

    /// Completes when the earliest time may have come closer since the last call.
    pub(crate) async fn sooner(&self) {
        self.sooner.notified().await;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_each_execution_one_time() {
        let timers = Timers::default();
        timers.set(1, Some(10));
        timers.set(2, Some(5));
        timers.set(1, Some(20));
        timers.set(3, Some(7));
        timers.set(3, None);
        assert_eq!(timers.earliest(), Some(5));
        assert_eq!(timers.take_due(5), [2]);
        assert!(timers.take_due(19).is_empty());
        assert_eq!(timers.take_due(20), [1]);
        assert_eq!(timers.earliest(), None);
    }
}

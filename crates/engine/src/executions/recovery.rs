//! Going on: at start, after a failed write, and whenever the clock says so.

use std::sync::Arc;

use asl::Signal;
use futures::StreamExt as _;

use super::advance::{Found, SignalError};
use super::{Shared, store};
use crate::StorageError;

/// Executions read or woken at the same time.
const AT_ONCE: usize = 16;
/// When an execution could not go on because of the store, it is tried again after this long, in milliseconds.
const RETRY_AFTER: i64 = 1000;

impl Shared {
    /// Arms the timers and runs the tasks that the last process left.
    pub(crate) fn resume(self: &Arc<Self>) -> Result<(), StorageError> {
        let (due, effects) = self
            .journal
            .read_now(|db| Ok((store::due(db)?, store::with_effects(db)?)))?;
        if !due.is_empty() || !effects.is_empty() {
            tracing::info!(
                timers = due.len(),
                tasks_of = effects.len(),
                "going on with the executions of the last run"
            );
        }
        for (at, id) in due {
            self.timers.set(id, Some(at));
        }
        let shared = Arc::clone(self);
        self.spawn(async move {
            futures::stream::iter(effects)
                .for_each_concurrent(AT_ONCE, |id| shared.recover(id))
                .await;
        });
        self.end_left_jobs()?;
        let shared = Arc::clone(self);
        self.spawn(async move { shared.keep_time().await });
        let shared = Arc::clone(self);
        self.spawn(async move { shared.stop_left_children().await });
        if let Some(retain) = self.retain {
            let shared = Arc::clone(self);
            self.spawn(async move { shared.keep_pruning(retain).await });
        }
        Ok(())
    }

    /// Arms the timer and runs the open tasks of one execution, as the journal has it.
    pub(crate) async fn recover(self: &Arc<Self>, id: u64) {
        loop {
            match self.live(id).await {
                Ok(Some(Found::Live(live))) => {
                    let (tasks, map_runs): (Vec<_>, Vec<_>) = {
                        let state = live.state();
                        self.timers.set(id, state.due);
                        // What is decided but not on disk yet runs after its own commit.
                        let stands = |id: asl::TaskId| id.0 <= state.stored;
                        let execution = &state.execution;
                        let tasks = execution.tasks().filter(|task| stands(task.task));
                        let map_runs = execution.map_runs().filter(|run| stands(run.id));
                        (tasks.cloned().collect(), map_runs.cloned().collect())
                    };
                    map_runs
                        .into_iter()
                        .for_each(|run| self.run_map(&live, run));
                    tasks
                        .into_iter()
                        .for_each(|task| self.run_task(&live, task));
                    return;
                }
                Ok(Some(Found::Ended) | None) | Err(StorageError::Closed) => return,
                Err(StorageError::Corrupt(reason)) => {
                    match self.give_up(id, &reason).await {
                        Ok(()) | Err(StorageError::Closed) => return,
                        Err(error @ StorageError::Corrupt(_)) => {
                            tracing::error!(execution = id, reason, %error, "an execution can be neither read nor ended");
                            return;
                        }
                        Err(error) => {
                            tracing::warn!(execution = id, reason, %error, "an execution that cannot be read could not be ended; trying again");
                        }
                    }
                    self.clock.sleep_until(self.clock.now() + RETRY_AFTER).await;
                }
                Err(error) => {
                    tracing::warn!(execution = id, %error, "an execution could not be read; trying again");
                    self.clock.sleep_until(self.clock.now() + RETRY_AFTER).await;
                }
            }
        }
    }

    /// Tells executions when their time has come. Sleeps until the earliest; no more.
    async fn keep_time(self: &Arc<Self>) {
        loop {
            let due = self.timers.take_due(self.clock.now());
            if !due.is_empty() {
                let shared = Arc::clone(self);
                self.spawn(async move {
                    futures::stream::iter(due)
                        .for_each_concurrent(AT_ONCE, |id| shared.wake(id))
                        .await;
                });
            }
            match self.timers.earliest() {
                Some(earliest) => tokio::select! {
                    () = self.clock.sleep_until(earliest) => {}
                    () = self.timers.sooner() => {}
                },
                None => self.timers.sooner().await,
            }
        }
    }

    async fn wake(self: &Arc<Self>, id: u64) {
        match self.signal(id, Signal::Clock).await {
            Ok(())
            | Err(SignalError::Ended | SignalError::Unknown)
            | Err(SignalError::Storage(StorageError::Closed)) => {}
            Err(SignalError::Refused(refusal)) => {
                tracing::error!(execution = id, %refusal, "an execution does not take the time")
            }
            Err(SignalError::Storage(StorageError::Corrupt(error))) => {
                tracing::error!(
                    execution = id,
                    error,
                    "an execution can be neither read nor ended"
                );
            }
            Err(SignalError::Storage(error)) => {
                tracing::warn!(execution = id, %error, "an execution could not go on in time; trying again");
                self.timers.set(id, Some(self.clock.now() + RETRY_AFTER));
            }
        }
    }
}

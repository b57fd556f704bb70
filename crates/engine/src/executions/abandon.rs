//! Jobs that nobody waits for any more: what a `.sync` task has started goes on when the task is stopped, times out, or fails for
//! another reason than its job, so it must be stopped too, and a crash in between must not let it go.
//!
//! The transition that ends such a task stores a document with what is needed to find its job; after the commit, and after the
//! task's run is over, the runner ends the job and the document goes. What a process leaves of them the next one does.

use std::sync::Arc;

use asl::{Data, Resource, Signal, TaskId};
use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};

use super::Shared;
use crate::StorageError;

/// The kind of the documents, by [`AbandonedTask::effect`].
const DOCUMENT: &str = "abandoned_tasks";

/// When a job could not be ended, it is tried again after this long, in milliseconds; after twice as long each time, up to
/// [`RETRY_AT_LEAST_EVERY`].
const RETRY_AFTER: i64 = 1000;

/// In milliseconds.
const RETRY_AT_LEAST_EVERY: i64 = 60_000;

/// A `.sync` task that ended before its job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AbandonedTask {
    /// The execution that had asked.
    pub execution_arn: String,
    /// The task.
    pub task: TaskId,
    /// What it had called.
    pub resource: Resource,
    /// With what.
    pub parameters: Data,
}

impl AbandonedTask {
    /// As [`crate::TaskRun::effect`] of the task.
    #[must_use]
    pub fn effect(&self) -> String {
        super::dispatch::effect(&self.execution_arn, self.task)
    }
}

/// The tasks of an execution that have a job, or may have one.
pub(super) fn with_jobs(execution: &asl::Execution) -> Vec<AbandonedTask> {
    let with_job = execution
        .tasks()
        .filter(|task| task.resource.waits_for_job());
    with_job
        .map(|task| AbandonedTask {
            execution_arn: execution.identity().execution_arn.clone(),
            task: task.task,
            resource: task.resource.clone(),
            parameters: task.parameters.clone(),
        })
        .collect()
}

/// The task that this signal ends because its job has ended.
pub(super) fn ends_with_job(
    signal: &Signal,
    job_failed: impl FnOnce(TaskId) -> bool,
) -> Option<TaskId> {
    match signal {
        Signal::TaskSucceeded { task, .. } => Some(*task),
        Signal::TaskFailed { task, .. } => job_failed(*task).then_some(*task),
        _ => None,
    }
}

/// Those that a decision ended before their job.
pub(super) fn left(
    mut before: Vec<AbandonedTask>,
    after: &asl::Execution,
    with_job: Option<TaskId>,
) -> Vec<AbandonedTask> {
    if !before.is_empty() {
        let running = after.status() == asl::Status::Running;
        let stays = |task| running && after.tasks().any(|it| it.task == task);
        before.retain(|it| Some(it.task) != with_job && !stays(it.task));
    }
    before
}

/// Part of storing a transition.
pub(super) fn store(db: &Connection, tasks: &[AbandonedTask]) -> Result<(), StorageError> {
    for task in tasks {
        let json = serde_json::to_string(task)
            .map_err(|error| StorageError::corrupt("a task to store", error))?;
        db.prepare_cached(
            "insert or replace into documents (kind, key, json) values (?1, ?2, ?3)",
        )?
        .execute(params![DOCUMENT, task.effect(), json])?;
    }
    Ok(())
}

fn all(db: &Connection) -> Result<Vec<String>, StorageError> {
    let mut query = db.prepare("select json from documents where kind = ?1")?;
    let rows = query.query_map([DOCUMENT], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

impl Shared {
    /// At start: jobs that the last process had yet to end.
    pub(super) fn end_left_jobs(self: &Arc<Self>) -> Result<(), StorageError> {
        for json in self.journal.read_now(all)? {
            match serde_json::from_str(&json) {
                Ok(task) => self.end_job(task),
                Err(error) => tracing::error!(%error, json, "a nested job cannot be ended"),
            }
        }
        Ok(())
    }

    /// Has a job ended, however often it takes. One that cannot be read is left to the next start.
    pub(super) fn end_job(self: &Arc<Self>, task: AbandonedTask) {
        let Some((_, runner)) = self.started.get() else {
            return;
        };
        let (shared, runner) = (Arc::clone(self), Arc::clone(runner));
        self.spawn(async move {
            let effect = task.effect();
            let mut pause = RETRY_AFTER;
            while let Err(error) = runner.abandon(task.clone()).await {
                if matches!(error, StorageError::Corrupt(_)) {
                    tracing::error!(task = effect, %error, "a job cannot be ended; end it yourself if it still runs");
                    return;
                }
                tracing::warn!(task = effect, %error, "a job could not be ended; trying again");
                let clock = &shared.clock;
                clock.sleep_until(clock.now() + pause).await;
                pause = (pause * 2).min(RETRY_AT_LEAST_EVERY);
            }
            let done = shared.journal.write(move |db| {
                db.prepare_cached("delete from documents where kind = ?1 and key = ?2")?
                    .execute(params![DOCUMENT, effect])?;
                Ok(())
            });
            if let Err(error) = done.await {
                tracing::debug!(%error, "the next start looks at an ended job again");
            }
        });
    }
}

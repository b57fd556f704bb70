//! Map Runs as the API sees them: described, listed, changed.

use asl::{Limits, MapRunStatus, Status};

use super::inspect::{read_token, write_token};
use super::map_run_store::{self as rows, MapRunRow};
use super::{Executions, Page, Paged};
use crate::{ExecutionError, Millis, StorageError};

/// Why an action on a Map Run did not happen.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum MapRunError {
    /// There is none of this ARN.
    #[error("Resource not found: '{arn}'")]
    NotFound {
        /// The one asked for.
        arn: String,
    },
    /// It has ended.
    #[error("Map Run '{arn}' is not running")]
    NotRunning {
        /// The one asked for.
        arn: String,
    },
    /// The store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// A Map Run as `ListMapRuns` shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct MapRunSummary {
    /// Its ARN.
    pub arn: String,
    /// ARN of the execution that started it.
    pub execution_arn: String,
    /// ARN of its children's state machine: the parent's, with the label.
    pub state_machine_arn: String,
    /// When it was started.
    pub started: Millis,
    /// When it ended.
    pub stopped: Option<Millis>,
}

/// A Map Run as `DescribeMapRun` shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct MapRunDescription {
    /// What lists show too.
    pub summary: MapRunSummary,
    /// Where it stands.
    pub status: MapRunStatus,
    /// How many at once, and how many may fail.
    pub limits: Limits,
    /// Its items.
    pub items: ChildCounts,
    /// Its children.
    pub executions: ChildCounts,
    /// How often it was redriven.
    pub redrives: u32,
    /// When last.
    pub redriven: Option<Millis>,
}

/// How many there are of each status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ChildCounts {
    /// Not started.
    pub pending: u64,
    /// Running.
    pub running: u64,
    /// Succeeded.
    pub succeeded: u64,
    /// Failed.
    pub failed: u64,
    /// Timed out.
    pub timed_out: u64,
    /// Stopped.
    pub aborted: u64,
    /// All.
    pub total: u64,
    /// Whose results were written.
    pub results_written: u64,
    /// Unsuccessful ones that wait for the redrive that has begun.
    pub pending_redrive: u64,
}

impl ChildCounts {
    fn add(&mut self, status: Status, count: u64) {
        *match status {
            Status::Running => &mut self.running,
            Status::Succeeded => &mut self.succeeded,
            Status::Failed => &mut self.failed,
            Status::TimedOut => &mut self.timed_out,
            Status::Aborted => &mut self.aborted,
        } += count;
    }

    fn close(&mut self, total: Option<u64>) {
        let started = self.running + self.succeeded + self.failed + self.timed_out + self.aborted;
        self.total = total.unwrap_or(started).max(started);
        self.pending = self.total - started;
    }
}

impl Executions {
    /// `DescribeMapRun`.
    ///
    /// # Errors
    /// No such run, or the store failed.
    pub async fn describe_map_run(&self, arn: &str) -> Result<MapRunDescription, MapRunError> {
        let row = self.map_run_row(arn).await?;
        let id = row.id;
        let since = row.awaits_redrives_of();
        let counts = self.shared.journal.read(move |db| {
            Ok((
                rows::counts(db, id)?,
                rows::pending_redrives(db, id, since)?,
            ))
        });
        let (counts, pending) = counts.await?;
        let (mut executions, mut items) = (ChildCounts::default(), ChildCounts::default());
        for (status, count, of_items) in counts {
            executions.add(status, count);
            items.add(status, of_items);
        }
        executions.close(row.executions.map(u64::from));
        items.close(row.items);
        (executions.pending_redrive, items.pending_redrive) = pending;
        executions.results_written = row.written;
        items.results_written = row.written_items;
        Ok(MapRunDescription {
            summary: self.map_run_summary(&row).await?,
            status: row.status,
            limits: row.limits,
            items,
            executions,
            redrives: row.redrives,
            redriven: row.redriven,
        })
    }

    /// `ListMapRuns`: the runs of an execution, newest first.
    ///
    /// # Errors
    /// A bad ARN or page token, no such execution, or the store failed.
    pub async fn list_map_runs(
        &self,
        execution_arn: &str,
        page: Page,
    ) -> Result<Paged<MapRunSummary>, ExecutionError> {
        let (key, _) = self.key_of(execution_arn).await?;
        let before = match page.token {
            Some(token) => i64::try_from(read_token(&token)?.0)
                .map_err(|_| ExecutionError::InvalidPageToken)?,
            None => i64::MAX,
        };
        let limit = page.max.saturating_add(1);
        let found = self
            .shared
            .journal
            .read(move |db| rows::of_execution(db, key, before, limit));
        let mut found = found.await?;
        let more = found.len() > page.max;
        found.truncate(page.max);
        let next = found
            .last()
            .filter(|_| more)
            .map(|last| write_token(last.id.unsigned_abs(), 0));
        let mut items = Vec::with_capacity(found.len());
        for row in &found {
            items.push(self.map_run_summary(row).await?);
        }
        Ok(Paged { items, next })
    }

    /// `UpdateMapRun`: a running Map Run goes on within these limits; `None` leaves one as it is. Durable on return.
    ///
    /// # Errors
    /// No such run, it has ended, or the store failed.
    pub async fn update_map_run(
        &self,
        arn: &str,
        change: impl FnOnce(&mut Limits),
    ) -> Result<(), MapRunError> {
        let row = self.map_run_row(arn).await?;
        if row.status != MapRunStatus::Running {
            return Err(MapRunError::NotRunning {
                arn: arn.to_owned(),
            });
        }
        let mut limits = row.limits;
        change(&mut limits);
        let id = row.id;
        let stored = self
            .shared
            .journal
            .write(move |db| rows::set_limits(db, id, limits));
        stored.await?;
        self.shared.map_runs.update(id, limits);
        Ok(())
    }

    /// The execution that a child belongs to, through all its parents: the one that somebody started. Itself, if it is no child.
    ///
    /// # Errors
    /// A bad ARN, no such execution, or the store failed.
    pub async fn origin(&self, execution_arn: &str) -> Result<String, ExecutionError> {
        let mut arn = execution_arn.to_owned();
        loop {
            let (_, summary) = self.key_of(&arn).await?;
            let Some(run) = summary.map_run else {
                return Ok(arn);
            };
            let row = self.map_run_row(&run).await.map_err(|error| match error {
                MapRunError::Storage(error) => error,
                error => StorageError::Corrupt(error.to_string()),
            })?;
            arn = self.arn_of(row.execution).await?;
        }
    }

    pub(crate) async fn map_run_row(&self, arn: &str) -> Result<MapRunRow, MapRunError> {
        let wanted = arn.to_owned();
        let found = self
            .shared
            .journal
            .read(move |db| rows::by_arn(db, &wanted));
        found.await?.ok_or_else(|| MapRunError::NotFound {
            arn: arn.to_owned(),
        })
    }

    async fn map_run_summary(&self, row: &MapRunRow) -> Result<MapRunSummary, StorageError> {
        // `arn:…:mapRun:MACHINE/LABEL:ID`
        let machine = row.arn.split(':').nth(6).unwrap_or_default();
        Ok(MapRunSummary {
            arn: row.arn.clone(),
            execution_arn: self.arn_of(row.execution).await?,
            state_machine_arn: self.shared.place.state_machine(machine),
            started: row.started,
            stopped: row.stopped,
        })
    }
}

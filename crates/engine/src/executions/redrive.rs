//! Going on after the end: AWS's RedriveExecution.

use std::sync::Arc;

use asl::{Refusal, Signal};

use super::advance::SignalError;
use super::{ExecutionSummary, Executions, Shared, damage, store};
use crate::{ExecutionError, Millis, StorageError};

const DAY: Millis = 24 * 60 * 60 * 1000;

/// An execution can be redriven for so long after its end.
const PERIOD: Millis = 14 * DAY;

/// An execution, redrives included, can run for so long.
const LONGEST: Millis = 365 * DAY;

/// AWS has no such case, so the words are ours.
const CUT: &str = "Part of the execution's history is lost";

impl Executions {
    /// `RedriveExecution`: an execution that failed, timed out or was stopped goes on from where it did; when. Durable on
    /// return. It keeps the definition it was started with.
    ///
    /// # Errors
    /// A bad ARN, no such execution, one that cannot be redriven, or the store failed.
    pub async fn redrive(&self, arn: &str) -> Result<Millis, ExecutionError> {
        let shared = &self.shared;
        let (key, _) = self.key_of(arn).await?;
        // Held until the commit: whoever redrives the same execution meanwhile waits, and finds it running.
        let _reading = shared.cache.reading(key).await;
        let (_, summary) = self.key_of(arn).await?;
        if let Some(reason) = self.not_redrivable(&summary).await? {
            return Err(ExecutionError::ExecutionNotRedrivable { reason });
        }
        shared.revive(key).await
    }

    /// Why [`Executions::redrive`] would be refused now, in the words of AWS's `redriveStatusReason`; `None` if it would not.
    ///
    /// # Errors
    /// The store failed.
    pub async fn not_redrivable(
        &self,
        summary: &ExecutionSummary,
    ) -> Result<Option<String>, StorageError> {
        let shared = &self.shared;
        let Some(stopped) = summary.stopped else {
            return Ok(summary.status.redrivable(0).err());
        };
        // The machine of a Map Run's children is its parent's with a label.
        if summary.map_run.is_none() {
            let machine = shared.machines.describe(&summary.state_machine_arn);
            if !machine.is_ok_and(|machine| machine.revision.machine == summary.machine) {
                return Ok(Some("State machine is in DELETING status".to_owned()));
            }
        }
        let key = summary.key;
        let known = shared
            .journal
            .read(move |db| Ok((store::last_event(db, key)?, damage::is_cut(db, key)?)));
        let (events, cut) = known.await?;
        if let Err(reason) = summary.status.redrivable(events) {
            return Ok(Some(reason));
        }
        if cut {
            return Ok(Some(CUT.to_owned()));
        }
        let now = shared.clock.now();
        let reason = if now - summary.started > LONGEST {
            Some("Execution has exceeded the max execution time")
        } else if now - stopped > PERIOD {
            Some("Execution redrivable period exceeded")
        } else {
            None
        };
        Ok(reason.map(str::to_owned))
    }
}

impl Shared {
    /// Redrives an execution that has ended; when. Whoever calls holds the right to read it.
    pub(crate) async fn revive(self: &Arc<Self>, key: u64) -> Result<Millis, ExecutionError> {
        let stored = self.journal.read(move |db| {
            let cut = damage::is_cut(db, key)?;
            Ok((store::load(db, key)?, cut))
        });
        let (stored, cut) = stored.await?;
        if cut {
            let reason = CUT.to_owned();
            return Err(ExecutionError::ExecutionNotRedrivable { reason });
        }
        let stored = stored.ok_or_else(|| {
            StorageError::Corrupt(format!("execution {key} is gone before its redrive"))
        })?;
        let live = self.rebuild(key, stored).await?;
        // The copy of its earlier life may not have been given up yet.
        if let Some(ended) = self.cache.get(key) {
            self.cache.remove(&ended);
        }
        let live = self.cache.insert(live);
        let decided = self.decide(&live, &mut live.state(), Signal::Redrive);
        let commit = decided.map_err(|error| {
            self.cache.remove(&live);
            match error {
                SignalError::Refused(Refusal::NotRedrivable { reason }) => {
                    ExecutionError::ExecutionNotRedrivable { reason }
                }
                SignalError::Storage(error) => error.into(),
                error => StorageError::Corrupt(format!("a redrive was refused: {error:?}")).into(),
            }
        })?;
        if let Some(commit) = commit {
            commit.await?;
        }
        let redriven = live.state().execution.redriven_at();
        Ok(redriven.unwrap_or_else(|| self.clock.now()))
    }
}

//! Forgetting executions that ended long ago: their records and results go, and nobody finds them any more.
//!
//! Their names go later: as on AWS, a name may be used again 90 days after its execution ended, so that a repeated
//! StartExecution does not do something twice. Until then a row without records stands for it; every query for readers leaves those
//! rows out.
//!
//! It runs in the background in small transactions, which other writers share as they share each other's.
//! Source: "Step Functions API Reference", StartExecution, `name`.

use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, params};

use super::{Shared, damage, store};
use crate::{Millis, StorageError};

/// How long a name is kept after its execution ended.
const NAMES_KEPT: Millis = 90 * DAY;
const DAY: Millis = 86_400_000;

/// How long after a look the next one comes.
const EVERY: Millis = 3_600_000;
/// After a failure.
const RETRY_AFTER: Millis = 60_000;

/// Executions looked up at once, and records removed by one transaction: about a millisecond of the writer.
const BATCH: u32 = 100;
const RECORDS: u32 = 500;

impl Shared {
    /// Prunes again and again, whatever ended longer ago than `retain`.
    pub(crate) async fn keep_pruning(self: &Arc<Self>, retain: Duration) {
        let retain = Millis::try_from(retain.as_millis()).unwrap_or(Millis::MAX);
        loop {
            let pause = match self.prune(retain).await {
                Ok(0) => EVERY,
                Ok(pruned) => {
                    tracing::info!(pruned, "executions that ended long ago were removed");
                    EVERY
                }
                Err(StorageError::Closed) => return,
                Err(error) => {
                    tracing::warn!(%error, "old executions could not be removed; trying again");
                    RETRY_AFTER
                }
            };
            self.clock.sleep_until(self.clock.now() + pause).await;
        }
    }

    /// How many were pruned.
    async fn prune(&self, retain: Millis) -> Result<u64, StorageError> {
        let now = self.clock.now();
        let (ended, named) = (now.saturating_sub(retain), now.saturating_sub(NAMES_KEPT));
        let (mut pruned, mut after) = (0, 0);
        loop {
            let found = self
                .journal
                .read(move |db| old(db, after, ended, named))
                .await?;
            let Some(last) = found.last() else {
                while self.journal.write(forget_map_runs).await? > 0 {}
                return Ok(pruned);
            };
            after = last.id;
            pruned += found.iter().filter(|it| it.has_records).count() as u64;
            let ids: Vec<i64> = found.iter().map(|it| it.id).collect();
            self.journal.write(move |db| strip(db, &ids)).await?;
            for it in &found {
                let id = it.id;
                while self.journal.write(move |db| remove_records(db, id)).await? > 0 {}
            }
            let forgotten: Vec<i64> = found
                .iter()
                .filter(|it| it.nameless)
                .map(|it| it.id)
                .collect();
            if !forgotten.is_empty() {
                self.journal.write(move |db| forget(db, &forgotten)).await?;
            }
        }
    }
}

struct Old {
    id: i64,
    has_records: bool,
    /// Its name is free again.
    nameless: bool,
}

/// The next with something to remove. What an earlier process did not finish is among them: records of an execution that has
/// none by its row.
fn old(
    db: &Connection,
    after: i64,
    ended: Millis,
    named: Millis,
) -> Result<Vec<Old>, StorageError> {
    let mut query = db.prepare_cached(
        "select id, records > 0, stopped < ?3 from executions where id > ?1 and stopped < max(?2, ?3) \
         and (stopped < ?3 or records > 0 and stopped < ?2 or records = 0 and exists \
             (select 1 from records where records.id between executions.id << ?4 and (executions.id + 1) << ?4)) \
         and status <> 'RUNNING' order by id limit ?5",
    )?;
    let parameters = params![after, ended, named, store::RECORD_BITS, BATCH];
    let rows = query.query_map(parameters, |row| {
        Ok(Old {
            id: row.get(0)?,
            has_records: row.get(1)?,
            nameless: row.get(2)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Takes executions out of everybody's sight, with their results.
fn strip(db: &Connection, ids: &[i64]) -> Result<(), StorageError> {
    let mut update = db.prepare_cached(
        "update executions set records = 0, next_due = null, effects = 0, output = null, error = null, cause = null, \
         version_arn = null, alias_arn = null where id = ?1 and status <> 'RUNNING'",
    )?;
    for id in ids {
        update.execute([id])?;
        damage::forget(db, *id)?;
    }
    Ok(())
}

/// Removes some records of an execution that was stripped; how many.
fn remove_records(db: &Connection, id: i64) -> Result<usize, StorageError> {
    // Redriven between the look and here: it stays.
    let mut delete = db.prepare_cached(
        "delete from records where id in (select records.id from records join executions on executions.id = ?1 \
         where executions.records = 0 and records.id between ?1 << ?2 and (?1 + 1) << ?2 limit ?3)",
    )?;
    Ok(delete.execute(params![id, store::RECORD_BITS, RECORDS])?)
}

/// Removes some Map Runs whose executions and children are all forgotten, so that nothing is left that names them; how many.
fn forget_map_runs(db: &Connection) -> Result<usize, StorageError> {
    let mut delete = db.prepare_cached(
        "delete from map_runs where id in (select id from map_runs \
         where not exists (select 1 from executions where executions.id = map_runs.execution) \
         and not exists (select 1 from executions where executions.map_run = map_runs.id) limit ?1)",
    )?;
    Ok(delete.execute([BATCH])?)
}

fn forget(db: &Connection, ids: &[i64]) -> Result<(), StorageError> {
    let mut delete = db.prepare_cached("delete from executions where id = ?1 and records = 0")?;
    for id in ids {
        delete.execute([id])?;
    }
    Ok(())
}

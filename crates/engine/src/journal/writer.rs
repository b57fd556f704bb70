//! The writer: drain, run, commit, tell. One thread owns the only writing connection.

use std::sync::atomic::Ordering;
use std::sync::mpsc::Receiver;

use rusqlite::{Connection, TransactionBehavior};

use super::Counters;
use super::checkpoint::{Checkpoints, checkpoint};
use super::group::Group;
use crate::StorageError;
use crate::lock::DirectoryLock;

/// A batch is bounded, so that the first waiter does not wait for the last of a flood.
const LARGEST_BATCH: usize = 1024;

/// Runs until all senders are gone and the channel is empty.
pub(crate) fn run(
    mut connection: Connection,
    mut checkpoints: Checkpoints,
    waiting: &Receiver<Box<dyn Group>>,
    counters: &Counters,
    lock: DirectoryLock,
) {
    let mut batch = Vec::new();
    while let Ok(first) = waiting.recv() {
        batch.push(first);
        batch.extend(waiting.try_iter().take(LARGEST_BATCH - 1));
        if commit(&mut connection, &mut batch, counters).is_ok() {
            for group in batch.drain(..) {
                group.resolve(Ok(()));
            }
        } else {
            one_by_one(&mut connection, &mut batch, counters);
        }
        checkpoints.after_commit(&connection);
    }
    checkpoints.stop();
    // SQLite moves the log into the database on close; only then may the next process have the directory.
    if let Err((_, error)) = connection.close() {
        tracing::warn!(%error, "the engine database was not closed cleanly; the next start recovers it");
    }
    drop(lock);
}

/// Finds the group that spoils a batch: the others still commit, in their order.
fn one_by_one(connection: &mut Connection, batch: &mut Vec<Box<dyn Group>>, counters: &Counters) {
    let mut log_is_moved = false;
    for group in batch.drain(..) {
        let mut alone = [group];
        let mut outcome = commit(connection, &mut alone, counters);
        if matches!(outcome, Err(StorageError::Full)) && !log_is_moved {
            // On a small disk it may be our own log that takes the room; moved into the database, it begins anew.
            log_is_moved = true;
            checkpoint(connection);
            outcome = commit(connection, &mut alone, counters);
        }
        if let Err(error) = &outcome {
            counters.failures.fetch_add(1, Ordering::Relaxed);
            tracing::warn!(%error, "a group was not written");
        }
        let [group] = alone;
        group.resolve(outcome);
    }
}

/// One transaction around all groups.
fn commit(
    connection: &mut Connection,
    groups: &mut [Box<dyn Group>],
    counters: &Counters,
) -> Result<(), StorageError> {
    // The transaction rolls back when it is dropped, also if SQLite has not done so itself.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for group in &mut *groups {
        group.run(&transaction)?;
    }
    transaction.commit()?;
    counters.commits.fetch_add(1, Ordering::Relaxed);
    counters.groups.fetch_add(
        u64::try_from(groups.len()).unwrap_or(u64::MAX),
        Ordering::Relaxed,
    );
    Ok(())
}

//! What a receiver does with its messages: delete them, or change when they are visible again.

use std::sync::Arc;

use super::backlog::Held;
use super::receipt::Receipt;
use super::{QueueError, Queues, store};
use crate::StorageError;

impl Queues {
    /// Deletes messages by their receipt handles, together; one answer for each, in order. Durable on return.
    ///
    /// A handle of an older delivery, or of a message that is gone, succeeds without an effect, as in SQS.
    ///
    /// # Errors
    /// There is no such queue, or the store failed: then none is deleted.
    pub async fn delete_messages(
        &self,
        name: &str,
        handles: &[String],
    ) -> Result<Vec<Result<(), QueueError>>, QueueError> {
        let live = self.live(name)?;
        let receipts: Vec<_> = handles
            .iter()
            .map(|handle| Receipt::decode(handle))
            .collect();
        let commit = {
            let mut backlog = live.backlog();
            let gone: Vec<Held> = receipts
                .iter()
                .flatten()
                .filter_map(|receipt| backlog.delete(receipt))
                .collect();
            let seqs: Vec<u64> = gone.iter().map(|held| held.message.seq).collect();
            let restored = Arc::clone(&live);
            let undo = move |outcome: &Result<(), StorageError>| {
                if outcome.is_err() {
                    gone.into_iter()
                        .for_each(|held| restored.backlog().insert(held));
                    restored.changed.notify_one();
                }
            };
            (!seqs.is_empty()).then(|| {
                let delete = move |db: &rusqlite::Connection| {
                    seqs.iter()
                        .try_for_each(|seq| store::delete_message(db, *seq))
                };
                self.shared.journal.submit(delete, undo)
            })
        };
        if let Some(commit) = commit {
            commit.await?;
        }
        Ok(receipts
            .into_iter()
            .map(|receipt| receipt.map(drop))
            .collect())
    }

    /// Sets when messages are visible again, in seconds from now; one answer for each, in order. Durable on return.
    ///
    /// # Errors
    /// There is no such queue, or the store failed: then nothing is changed.
    pub async fn change_visibility(
        &self,
        name: &str,
        changes: &[(String, u32)],
    ) -> Result<Vec<Result<(), QueueError>>, QueueError> {
        let live = self.live(name)?;
        let now = self.shared.clock.now();
        let mut answers = Vec::with_capacity(changes.len());
        let commit = {
            let mut backlog = live.backlog();
            let mut changed = Vec::new();
            for (handle, seconds) in changes {
                answers.push(check(handle, *seconds).and_then(|receipt| {
                    let states =
                        backlog.change_visibility(now, &receipt, i64::from(*seconds) * 1000);
                    changed.push(states.ok_or(QueueError::MessageNotInflight)?);
                    Ok(())
                }));
            }
            let (before, after): (Vec<Held>, Vec<Held>) = changed.into_iter().unzip();
            let changing = Arc::clone(&live);
            let settle = move |outcome: &Result<(), StorageError>| {
                if outcome.is_err() {
                    let mut backlog = changing.backlog();
                    // Not those that have been received or deleted since.
                    before.into_iter().for_each(|held| backlog.restore(held));
                }
                changing.changed.notify_one();
            };
            (!after.is_empty()).then(|| {
                let record = move |db: &rusqlite::Connection| {
                    after
                        .iter()
                        .try_for_each(|held| store::record_delivery(db, held))
                };
                self.shared.journal.submit(record, settle)
            })
        };
        if let Some(commit) = commit {
            commit.await?;
        }
        Ok(answers)
    }
}

fn check(handle: &str, seconds: u32) -> Result<Receipt, QueueError> {
    if seconds > 43_200 {
        return Err(QueueError::InvalidParameterValue {
            name: "VisibilityTimeout",
            value: seconds.to_string(),
            reason: "Must be >= 0 and <= 43200.".to_owned(),
        });
    }
    Receipt::decode(handle)
}

//! Sending: one durable write, visible to receivers after its commit.

use std::sync::Arc;

use uuid::Uuid;

use super::backlog::{Held, Message, Place};
use super::store::{self, MessageRow};
use super::{Live, NewMessage, QueueError, Queues, Sent};
use crate::StorageError;

/// What the transaction found.
enum Written {
    Stored(Vec<Sent>),
    QueueGone { queue: i64 },
}

impl Queues {
    /// Whether the queue would take this message; for callers that answer for each message of a batch.
    ///
    /// # Errors
    /// As [`Queues::send`].
    pub fn check(&self, name: &str, message: &NewMessage) -> Result<(), QueueError> {
        message.check(self.live(name)?.maximum_message_size())
    }

    /// Sends messages to one queue: all or none. Durable on return; the answers are in the order of the messages.
    ///
    /// # Errors
    /// There is no such queue, a message is too long or has characters SQS refuses, or the store failed.
    pub async fn send(
        &self,
        name: &str,
        messages: Vec<NewMessage>,
    ) -> Result<Vec<Sent>, QueueError> {
        let live = self.live(name)?;
        self.store(
            messages
                .into_iter()
                .map(|message| (Arc::clone(&live), message))
                .collect(),
        )
        .await
    }

    /// Sends messages to several queues: all or none (an SNS publication). Durable on return.
    ///
    /// # Errors
    /// As [`Queues::send`].
    pub async fn publish(
        &self,
        messages: Vec<(String, NewMessage)>,
    ) -> Result<Vec<Sent>, QueueError> {
        let with_queue = |(name, message): (String, NewMessage)| Ok((self.live(&name)?, message));
        let messages = messages
            .into_iter()
            .map(with_queue)
            .collect::<Result<_, QueueError>>()?;
        self.store(messages).await
    }

    async fn store(&self, messages: Vec<(Arc<Live>, NewMessage)>) -> Result<Vec<Sent>, QueueError> {
        for (live, message) in &messages {
            message.check(live.maximum_message_size())?;
        }
        let (lives, rows): (Vec<_>, Vec<_>) = messages
            .into_iter()
            .map(|(live, message)| self.row(live, message))
            .unzip();
        let rows = Arc::new(rows);
        let shown = Arc::clone(&rows);
        let names: Vec<_> = lives
            .iter()
            .map(|live| (live.id, live.queue.name.clone()))
            .collect();
        let named = |id| {
            names
                .into_iter()
                .find(|(queue, _)| *queue == id)
                .map(|(_, name)| name)
                .unwrap_or_default()
        };
        let show = move |outcome: &Result<Written, StorageError>| {
            if let Ok(Written::Stored(sent)) = outcome {
                for ((live, row), sent) in lives.iter().zip(shown.iter()).zip(sent) {
                    if sent.fresh {
                        live.backlog().insert(row.held.clone());
                        live.changed.notify_one();
                    }
                }
            }
        };
        let written = self
            .shared
            .journal
            .submit(move |db| write(db, &rows), show)
            .await?;
        match written {
            Written::Stored(sent) => Ok(sent),
            Written::QueueGone { queue } => {
                Err(QueueError::QueueDoesNotExist { name: named(queue) })
            }
        }
    }

    fn row(&self, live: Arc<Live>, new: NewMessage) -> (Arc<Live>, MessageRow) {
        let now = self.shared.clock.now();
        let delay = new.delay.unwrap_or_else(|| live.configuration().delay);
        let available = now.saturating_add(i64::from(delay) * 1000);
        let body: Arc<str> = new.body.into();
        let message = Message {
            seq: self.shared.next_seq(),
            queue: live.id,
            id: Uuid::new_v4(),
            body: self.shared.room.keep(Arc::clone(&body)),
            attributes: Arc::new(new.attributes),
            system: Arc::new(new.system),
            sent: now,
            dead_letter_source: None,
        };
        let held = Held {
            message: Arc::new(message),
            receives: 0,
            carried: 0,
            first_received: None,
            place: if delay == 0 {
                Place::Visible
            } else {
                Place::Delayed(available)
            },
        };
        let row = MessageRow {
            held,
            body,
            available,
            effect: new.effect,
        };
        (live, row)
    }
}

fn write(db: &rusqlite::Connection, rows: &[MessageRow]) -> Result<Written, StorageError> {
    // All rows of a send are of one queue, so this looks once; nothing has been inserted when it says no.
    let mut known: Vec<i64> = Vec::with_capacity(1);
    for row in rows {
        if !known.contains(&row.held.message.queue) {
            if !store::queue_exists(db, row.held.message.queue)? {
                return Ok(Written::QueueGone {
                    queue: row.held.message.queue,
                });
            }
            known.push(row.held.message.queue);
        }
    }
    let mut sent = Vec::with_capacity(rows.len());
    for row in rows {
        let first = store::insert_message(db, row)?;
        let id = first.unwrap_or(row.held.message.id);
        sent.push(Sent {
            message_id: id.to_string(),
            fresh: first.is_none(),
        });
    }
    Ok(Written::Stored(sent))
}

impl Live {
    fn maximum_message_size(&self) -> usize {
        usize::try_from(self.configuration().maximum_message_size).unwrap_or(usize::MAX)
    }
}

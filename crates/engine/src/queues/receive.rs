//! Receiving, with long polling by notification and the way to the dead-letter queue.
//!
//! Receivers that find nothing wait for `changed` or for the next hidden message to become visible, whichever is first.
//! Of those that wait at least one knows the current time of that: everybody who changes the queue or stops waiting wakes
//! one more. So no timer runs for a queue that nobody waits for.

use std::collections::HashMap;
use std::sync::Arc;

use super::backlog::{Held, Message, Place, Taken};
use super::{Live, QueueError, Queues, Receive, Received, store};
use crate::{Millis, StorageError};

/// Hands the watch over to another receiver when this one leaves, however it leaves.
struct Watch<'a>(&'a Live);

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        let backlog = self.0.backlog();
        if backlog.has_visible() || backlog.next_due().is_some() {
            self.0.changed.notify_one();
        }
    }
}

/// The caller's `wait` and `visibility` in range.
fn check(request: &Receive) -> Result<(), QueueError> {
    let invalid = |name, value: u64, reason: &str| {
        Err(QueueError::InvalidParameterValue {
            name,
            value: value.to_string(),
            reason: reason.to_owned(),
        })
    };
    match request {
        Receive {
            max: max @ (0 | 11..),
            ..
        } => invalid(
            "MaxNumberOfMessages",
            u64::try_from(*max).unwrap_or(u64::MAX),
            "Must be between 1 and 10, if provided.",
        ),
        Receive {
            wait: Some(wait @ 21..),
            ..
        } => invalid(
            "WaitTimeSeconds",
            u64::from(*wait),
            "Must be >= 0 and <= 20, if provided.",
        ),
        Receive {
            visibility: Some(visibility @ 43_201..),
            ..
        } => invalid(
            "VisibilityTimeout",
            u64::from(*visibility),
            "Must be >= 0 and <= 43200, if provided.",
        ),
        _ => Ok(()),
    }
}

impl Queues {
    /// Receives messages, waiting for the first if there is none. The deliveries are durable on return: they count even if
    /// the caller is killed with the answer in hand. Dropping the future loses no message.
    ///
    /// # Errors
    /// There is no such queue (also if it is deleted while waiting), a parameter is out of range, or the store failed.
    pub async fn receive(&self, name: &str, request: Receive) -> Result<Vec<Received>, QueueError> {
        check(&request)?;
        let live = self.live(name)?;
        let seconds = request.wait.unwrap_or_else(|| live.configuration().wait);
        let deadline = self
            .shared
            .clock
            .now()
            .saturating_add(i64::from(seconds) * 1000);
        let _watch = Watch(&live);
        loop {
            let mut changed = std::pin::pin!(live.changed.notified());
            changed.as_mut().enable();
            self.expire(&live);
            let received = self.take(&live, &request).await?;
            if !received.is_empty() {
                return Ok(received);
            }
            let now = self.shared.clock.now();
            if now >= deadline || self.shared.closing.is_cancelled() {
                return Ok(received);
            }
            // Looked up before the queue's lock is taken: no lock is ever held inside another.
            if self
                .find(name)
                .is_none_or(|found| !Arc::ptr_eq(&found, &live))
            {
                return Err(QueueError::QueueDoesNotExist {
                    name: name.to_owned(),
                });
            }
            let due = live.backlog().next_due();
            let wake = due.map_or(deadline, |due| due.min(deadline));
            tokio::select! {
                () = changed => {}
                () = self.shared.clock.sleep_until(wake) => {}
                () = self.shared.closing.cancelled() => {}
            }
        }
    }

    /// Takes what is visible, and makes it durable.
    async fn take(&self, live: &Arc<Live>, request: &Receive) -> Result<Vec<Received>, QueueError> {
        loop {
            let configuration = live.configuration();
            let visibility =
                i64::from(request.visibility.unwrap_or(configuration.visibility)) * 1000;
            // A policy whose queue is gone cannot move anything: the messages go on being delivered.
            let target = configuration.redrive.as_ref().and_then(|redrive| {
                let target = self.find(&redrive.target.name)?;
                Some((target, redrive.max_receive_count))
            });
            let now = self.shared.clock.now();
            let limit = target.as_ref().map(|(_, limit)| *limit);
            let commit = {
                let mut backlog = live.backlog();
                let taken = backlog.take(now, request.max, visibility, limit);
                if taken.deliveries.is_empty() && taken.dead.is_empty() {
                    return Ok(Vec::new());
                }
                self.record(
                    live,
                    target.map(|(target, _)| target),
                    taken,
                    request.in_process,
                )
            };
            let deliveries = commit.await?;
            let received = self.with_bodies(&deliveries, now).await?;
            if !received.is_empty() {
                return Ok(received);
            }
            // Only dead letters so far, or all were deleted meanwhile: look again.
        }
    }

    /// The deliveries with their texts, read where they are not in memory. Without those that were deleted meanwhile.
    async fn with_bodies(
        &self,
        deliveries: &[Held],
        now: Millis,
    ) -> Result<Vec<Received>, QueueError> {
        let stored: Vec<u64> = deliveries
            .iter()
            .filter(|held| held.message.body.text().is_none())
            .map(|held| held.message.seq)
            .collect();
        let bodies = match stored.is_empty() {
            true => HashMap::new(),
            false => {
                let read = move |db: &rusqlite::Connection| store::bodies(db, &stored);
                self.shared.journal.read(read).await?
            }
        };
        let body = |held: &Held| {
            let kept = held.message.body.text();
            kept.or_else(|| bodies.get(&held.message.seq)).cloned()
        };
        Ok(deliveries
            .iter()
            .filter_map(|held| Some(received(held, body(held)?, now)))
            .collect())
    }

    /// Submits a take; called with the queue locked, so that the journal has the order of the queue.
    fn record(
        &self,
        live: &Arc<Live>,
        target: Option<Arc<Live>>,
        taken: Taken,
        in_process: bool,
    ) -> crate::journal::Commit<Arc<Vec<Held>>> {
        let deliveries = Arc::new(taken.deliveries);
        let to = target.as_ref().map_or(live.id, |target| target.id);
        let letters = Arc::new(
            taken
                .dead
                .iter()
                .map(|held| dead_letter(held, live, to))
                .collect::<Vec<_>>(),
        );
        let (live, undo) = (Arc::clone(live), Arc::clone(&deliveries));
        let moved = Arc::clone(&letters);
        let settle = move |outcome: &Result<Arc<Vec<Held>>, StorageError>| match outcome {
            Ok(_) => {
                if let Some(target) = target {
                    for held in moved.iter() {
                        target.backlog().insert(held.clone());
                        target.changed.notify_one();
                    }
                }
            }
            Err(_) => {
                let mut backlog = live.backlog();
                undo.iter().for_each(|delivery| backlog.untake(delivery));
                taken.dead.into_iter().for_each(|held| backlog.insert(held));
                live.changed.notify_one();
            }
        };
        let write = move |db: &rusqlite::Connection| {
            deliveries.iter().try_for_each(|held| {
                if in_process {
                    store::record_delivery_until_restart(db, held)
                } else {
                    store::record_delivery(db, held)
                }
            })?;
            letters
                .iter()
                .try_for_each(|held| store::move_message(db, held))?;
            Ok(Arc::clone(&deliveries))
        };
        self.shared.journal.submit(write, settle)
    }
}

/// The message as its dead-letter queue holds it: same id, same time of sending, and where it comes from.
/// Source: "Amazon SQS Developer Guide", dead-letter queues.
fn dead_letter(held: &Held, source: &Live, queue: i64) -> Held {
    let dead_letter_source = Some(source.queue.arn.to_string().into());
    let message = Message {
        queue,
        dead_letter_source,
        ..(*held.message).clone()
    };
    Held {
        message: Arc::new(message),
        carried: held.receives,
        place: Place::Visible,
        ..held.clone()
    }
}

fn received(held: &Held, body: Arc<str>, now: Millis) -> Received {
    Received {
        message_id: held.message.id.to_string(),
        receipt_handle: held.receipt().encode(),
        body,
        attributes: Arc::clone(&held.message.attributes),
        sent: held.message.sent,
        first_received: held.first_received.unwrap_or(now),
        receive_count: held.receives,
        dead_letter_source: held.message.dead_letter_source.clone(),
        system: Arc::clone(&held.message.system),
    }
}

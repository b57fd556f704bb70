//! Queues with the semantics of SQS standard queues, durable.
//!
//! A queue's messages are in memory (`backlog`; their texts as far as there is room, `body`) and in the journal (`store`). Sending becomes visible in memory after its
//! commit; receiving, deleting and changing visibility change memory first, under the queue's lock and together with the
//! hand-over to the journal, and are undone if the commit fails. So memory and journal see the same order, and nothing is
//! answered before it is durable.
//!
//! After a restart a message that was in flight stays in flight until its visibility ends, with its receive count and a
//! receipt handle that is still good. Retention is applied whenever a queue is touched.
//!
//! Knows no wire format: no URLs, batch limits or checksums. Start with [`Queues`]; `receive` has the long polling.

mod acknowledge;
mod attributes;
mod backlog;
mod body;
mod error;
mod message;
mod receipt;
mod receive;
mod send;
mod store;

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use self::attributes::Configuration;
pub use self::attributes::{Attributes, RedrivePolicy};
use self::backlog::Backlog;
pub use self::backlog::Counts;
use self::body::Room;
pub use self::error::QueueError;
pub use self::message::{
    AttributeValue, MessageAttribute, MessageAttributes, NewMessage, Receive, Received, Sent,
};
pub(crate) use self::store::TABLES;
use crate::arn::{Place, QueueArn};
use crate::clock::Clock;
use crate::journal::Journal;
use crate::{Millis, StorageError};

/// A queue, as it is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queue {
    /// Its name.
    pub name: String,
    /// Its ARN.
    pub arn: QueueArn,
}

/// All queues. Cheap to clone.
#[derive(Clone)]
pub struct Queues {
    shared: Arc<Shared>,
}

struct Shared {
    journal: Arc<Journal>,
    clock: Arc<dyn Clock>,
    place: Place,
    /// Ends all waiting.
    closing: CancellationToken,
    queues: RwLock<BTreeMap<String, Arc<Live>>>,
    /// Creating, configuring and deleting happen one after the other.
    administration: tokio::sync::Mutex<()>,
    last_seq: AtomicU64,
    /// For the texts of messages.
    room: Arc<Room>,
}

/// A queue at work.
struct Live {
    id: i64,
    queue: Queue,
    created: Millis,
    configuration: RwLock<(Arc<Configuration>, Millis)>,
    backlog: Mutex<Backlog>,
    /// Something became visible, or will sooner than known: one waiting receiver should look.
    changed: Notify,
}

impl Live {
    fn configuration(&self) -> Arc<Configuration> {
        Arc::clone(
            &self
                .configuration
                .read()
                .unwrap_or_else(PoisonError::into_inner)
                .0,
        )
    }

    fn backlog(&self) -> MutexGuard<'_, Backlog> {
        self.backlog.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queues {
    /// Loads what the journal holds.
    pub(crate) fn load(
        journal: Arc<Journal>,
        clock: Arc<dyn Clock>,
        place: Place,
        closing: CancellationToken,
    ) -> Result<Queues, StorageError> {
        let (rows, last_seq) =
            journal.read_now(|db| Ok((store::load_queues(db)?, store::last_seq(db)?)))?;
        let room = Arc::<Room>::default();
        let mut queues = BTreeMap::new();
        let mut by_id = HashMap::new();
        for row in rows {
            let configuration = Configuration::parse(row.attributes).map_err(|error| {
                StorageError::corrupt(&format!("attributes of queue {}", row.name), error)
            })?;
            let live = Arc::new(Live {
                id: row.id,
                queue: Queue {
                    arn: place.queue(&row.name),
                    name: row.name.clone(),
                },
                created: row.created,
                configuration: RwLock::new((Arc::new(configuration), row.modified)),
                backlog: Mutex::default(),
                changed: Notify::new(),
            });
            by_id.insert(row.id, Arc::clone(&live));
            queues.insert(row.name, live);
        }
        journal.read_now(|db| {
            store::load_messages(db, &room, |queue, held| {
                if let Some(live) = by_id.get(&queue) {
                    live.backlog().insert(held);
                }
            })
        })?;
        // Submitted before any message, so it runs before any message's number is given again.
        drop(journal.write(store::sweep));
        let shared = Shared {
            journal,
            clock,
            place,
            closing,
            queues: RwLock::new(queues),
            administration: tokio::sync::Mutex::new(()),
            last_seq: AtomicU64::new(last_seq),
            room,
        };
        Ok(Queues {
            shared: Arc::new(shared),
        })
    }

    /// `CreateQueue`: makes a queue, or answers with the one of that name if it has the attributes asked for. Durable on return.
    ///
    /// # Errors
    /// A bad name or attribute, a queue of that name with other attributes, or the store failed.
    pub async fn create(&self, name: &str, attributes: Attributes) -> Result<Queue, QueueError> {
        check_name(name)?;
        let configuration = Configuration::parse(attributes)?;
        let _alone = self.shared.administration.lock().await;
        if let Some(live) = self.find(name) {
            return match live.configuration().differs_from(&configuration) {
                Some(attribute) => Err(QueueError::QueueNameExists { attribute }),
                None => Ok(live.queue.clone()),
            };
        }
        self.check_target(&configuration)?;
        let queue = Queue {
            name: name.to_owned(),
            arn: self.shared.place.queue(name),
        };
        let now = self.shared.clock.now();
        let (row, attributes) = (name.to_owned(), configuration.given.clone());
        let shared = Arc::clone(&self.shared);
        let made = queue.clone();
        let publish = move |outcome: &Result<i64, StorageError>| {
            if let Ok(id) = *outcome {
                let live = Live {
                    id,
                    created: now,
                    configuration: RwLock::new((Arc::new(configuration), now)),
                    backlog: Mutex::default(),
                    changed: Notify::new(),
                    queue: made,
                };
                shared
                    .write_queues()
                    .insert(live.queue.name.clone(), Arc::new(live));
            }
        };
        self.shared
            .journal
            .submit(
                move |db| store::insert_queue(db, &row, &attributes, now),
                publish,
            )
            .await?;
        Ok(queue)
    }

    /// The queue of this name (`GetQueueUrl`).
    ///
    /// # Errors
    /// There is none.
    pub fn get(&self, name: &str) -> Result<Queue, QueueError> {
        Ok(self.live(name)?.queue.clone())
    }

    /// All queues whose name starts so, by name.
    #[must_use]
    pub fn list(&self, prefix: &str) -> Vec<Queue> {
        let queues = self
            .shared
            .queues
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        let from = queues.range(prefix.to_owned()..);
        from.take_while(|(name, _)| name.starts_with(prefix))
            .map(|(_, live)| live.queue.clone())
            .collect()
    }

    /// Queues whose redrive policy names this one (`ListDeadLetterSourceQueues`).
    ///
    /// # Errors
    /// There is no queue of this name.
    pub fn dead_letter_sources(&self, name: &str) -> Result<Vec<Queue>, QueueError> {
        let target = self.live(name)?.queue.arn.clone();
        let queues = self
            .shared
            .queues
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        let points_here = |live: &&Arc<Live>| {
            live.configuration()
                .redrive
                .as_ref()
                .is_some_and(|redrive| redrive.target == target)
        };
        Ok(queues
            .values()
            .filter(points_here)
            .map(|live| live.queue.clone())
            .collect())
    }

    /// Removes a queue with its messages. Durable on return.
    ///
    /// # Errors
    /// There is no queue of this name, or the store failed.
    pub async fn delete(&self, name: &str) -> Result<(), QueueError> {
        let _alone = self.shared.administration.lock().await;
        let live = self.live(name)?;
        let shared = Arc::clone(&self.shared);
        let name = name.to_owned();
        let id = live.id;
        let forget = move |outcome: &Result<(), StorageError>| {
            if outcome.is_ok() {
                shared.write_queues().remove(&name);
                live.backlog().clear();
                // Whoever waits for a message finds the queue gone.
                live.changed.notify_waiters();
            }
        };
        self.shared
            .journal
            .submit(move |db| store::delete_queue(db, id), forget)
            .await?;
        Ok(())
    }

    /// Removes all messages. Durable on return.
    ///
    /// # Errors
    /// There is no queue of this name, or the store failed.
    pub async fn purge(&self, name: &str) -> Result<(), QueueError> {
        let live = self.live(name)?;
        let id = live.id;
        let empty = move |outcome: &Result<(), StorageError>| {
            if outcome.is_ok() {
                live.backlog().clear();
            }
        };
        self.shared
            .journal
            .submit(move |db| store::purge(db, id), empty)
            .await?;
        Ok(())
    }

    /// All attributes (`GetQueueAttributes` with `All`): what was set, the defaults, and what is counted.
    ///
    /// # Errors
    /// There is no queue of this name.
    pub fn attributes(&self, name: &str) -> Result<Attributes, QueueError> {
        let live = self.live(name)?;
        let (configuration, modified) = live
            .configuration
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let counts = self.counts_of(&live);
        let mut shown = configuration.shown();
        let counted = [
            ("QueueArn", live.queue.arn.to_string()),
            ("CreatedTimestamp", (live.created / 1000).to_string()),
            ("LastModifiedTimestamp", (modified / 1000).to_string()),
            ("ApproximateNumberOfMessages", counts.visible.to_string()),
            (
                "ApproximateNumberOfMessagesNotVisible",
                counts.in_flight.to_string(),
            ),
            (
                "ApproximateNumberOfMessagesDelayed",
                counts.delayed.to_string(),
            ),
        ];
        shown.extend(counted.map(|(name, value)| (name.to_owned(), value)));
        Ok(shown)
    }

    /// Sets some attributes, leaves the others (`SetQueueAttributes`). Durable on return.
    ///
    /// # Errors
    /// There is no queue of this name, a bad attribute, or the store failed.
    pub async fn set_attributes(&self, name: &str, changes: Attributes) -> Result<(), QueueError> {
        let _alone = self.shared.administration.lock().await;
        let live = self.live(name)?;
        let configuration = live.configuration().with(changes)?;
        self.check_target(&configuration)?;
        let now = self.shared.clock.now();
        let (id, attributes) = (live.id, configuration.given.clone());
        let adopt = move |outcome: &Result<(), StorageError>| {
            if outcome.is_ok() {
                *live
                    .configuration
                    .write()
                    .unwrap_or_else(PoisonError::into_inner) = (Arc::new(configuration), now);
            }
        };
        self.shared
            .journal
            .submit(
                move |db| store::update_queue(db, id, &attributes, now),
                adopt,
            )
            .await?;
        Ok(())
    }

    /// How many messages a queue holds.
    ///
    /// # Errors
    /// There is no queue of this name.
    pub fn counts(&self, name: &str) -> Result<Counts, QueueError> {
        Ok(self.counts_of(&*self.live(name)?))
    }

    /// Age of the oldest message; `None` if the queue is empty (`ApproximateAgeOfOldestMessage`).
    ///
    /// # Errors
    /// There is no queue of this name.
    pub fn oldest_age(&self, name: &str) -> Result<Option<Duration>, QueueError> {
        let oldest = self.live(name)?.backlog().oldest();
        let age = |sent: Millis| {
            Duration::from_millis(
                self.shared
                    .clock
                    .now()
                    .saturating_sub(sent)
                    .max(0)
                    .unsigned_abs(),
            )
        };
        Ok(oldest.map(age))
    }

    fn counts_of(&self, live: &Live) -> Counts {
        self.expire(live);
        live.backlog().counts(self.shared.clock.now())
    }

    /// Drops what is older than the retention period.
    fn expire(&self, live: &Live) {
        let retention = i64::from(live.configuration().retention) * 1000;
        let mut backlog = live.backlog();
        let expired = backlog.expire(self.shared.clock.now().saturating_sub(retention));
        if !expired.is_empty() {
            // Nobody waits for this: should it fail, they expire again after the next start.
            drop(self.shared.journal.write(move |db| {
                expired
                    .iter()
                    .try_for_each(|seq| store::delete_message(db, *seq))
            }));
        }
    }

    fn find(&self, name: &str) -> Option<Arc<Live>> {
        self.shared
            .queues
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(name)
            .cloned()
    }

    fn live(&self, name: &str) -> Result<Arc<Live>, QueueError> {
        self.find(name)
            .ok_or_else(|| QueueError::QueueDoesNotExist {
                name: name.to_owned(),
            })
    }

    fn check_target(&self, configuration: &Configuration) -> Result<(), QueueError> {
        match &configuration.redrive {
            Some(redrive)
                if self
                    .find(&redrive.target.name)
                    .is_none_or(|live| live.queue.arn != redrive.target) =>
            {
                Err(QueueError::InvalidParameterValue {
                    name: "RedrivePolicy",
                    value: configuration
                        .given
                        .get("RedrivePolicy")
                        .cloned()
                        .unwrap_or_default(),
                    reason: "Dead letter target does not exist.".to_owned(),
                })
            }
            _ => Ok(()),
        }
    }
}

impl Shared {
    fn write_queues(&self) -> std::sync::RwLockWriteGuard<'_, BTreeMap<String, Arc<Live>>> {
        self.queues.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn next_seq(&self) -> u64 {
        self.last_seq.fetch_add(1, Ordering::Relaxed) + 1
    }
}

fn check_name(name: &str) -> Result<(), QueueError> {
    if name.ends_with(".fifo") {
        return Err(QueueError::UnsupportedOperation(
            "FIFO queues are not supported; use a standard queue.".to_owned(),
        ));
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.is_empty() || name.len() > 80 || !name.chars().all(allowed) {
        return Err(QueueError::InvalidParameterValue {
            name: "QueueName",
            value: name.to_owned(),
            reason: "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length.".to_owned(),
        });
    }
    Ok(())
}

//! The messages of one queue, in memory: who is visible, in flight, delayed. Pure: it is told the time and does no input or
//! output, so a model can check it. The journal holds the same facts; `receive` and its neighbours keep the two in step.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use uuid::Uuid;

use super::body::Body;
use super::message::MessageAttributes;
use super::receipt::Receipt;
use crate::Millis;

/// What does not change about a message while it is in one queue.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Message {
    /// Its place in the order of all messages; never given twice.
    pub(crate) seq: u64,
    /// Row id of the queue.
    pub(crate) queue: i64,
    pub(crate) id: Uuid,
    pub(crate) body: Body,
    pub(crate) attributes: Arc<MessageAttributes>,
    pub(crate) system: Arc<BTreeMap<String, String>>,
    pub(crate) sent: Millis,
    /// ARN of the queue it was moved from.
    pub(crate) dead_letter_source: Option<Arc<str>>,
}

/// A message and what has happened to it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Held {
    pub(crate) message: Arc<Message>,
    /// Receives in all queues.
    pub(crate) receives: u32,
    /// Of those, the ones in queues before this one: they do not count against its redrive policy.
    pub(crate) carried: u32,
    pub(crate) first_received: Option<Millis>,
    pub(crate) place: Place,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Visible,
    /// Sent, not to be seen before this time.
    Delayed(Millis),
    /// Received, visible again at this time.
    InFlight(Millis),
}

impl Held {
    pub(crate) fn receipt(&self) -> Receipt {
        Receipt {
            seq: self.message.seq,
            queue: self.message.queue,
            receives: self.receives,
            id: self.message.id,
        }
    }
}

/// What a receive took out of the visible messages.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    /// Now in flight, in the order of sending.
    pub(crate) deliveries: Vec<Held>,
    /// Received too often: no longer in this queue.
    pub(crate) dead: Vec<Held>,
}

/// Approximate counts, as AWS calls them; here they are exact.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// `ApproximateNumberOfMessages`.
    pub visible: usize,
    /// `ApproximateNumberOfMessagesNotVisible`.
    pub in_flight: usize,
    /// `ApproximateNumberOfMessagesDelayed`.
    pub delayed: usize,
}

#[derive(Debug, Default)]
pub(crate) struct Backlog {
    messages: BTreeMap<u64, Held>,
    visible: BTreeSet<u64>,
    in_flight: BTreeSet<(Millis, u64)>,
    delayed: BTreeSet<(Millis, u64)>,
}

/// Dead letters moved by one receive: bounds its transaction.
const DEAD_AT_ONCE: usize = 100;

impl Backlog {
    /// Adds a message, or puts one back as it was.
    pub(crate) fn insert(&mut self, held: Held) {
        let seq = held.message.seq;
        self.remove(seq);
        self.index(seq, held.place);
        self.messages.insert(seq, held);
    }

    /// Takes up to `max` messages for `visibility` milliseconds. With a limit, messages that were received so often in this
    /// queue leave it.
    pub(crate) fn take(
        &mut self,
        now: Millis,
        max: usize,
        visibility: Millis,
        limit: Option<u32>,
    ) -> Taken {
        self.surface(now);
        let mut taken = Taken::default();
        while taken.deliveries.len() < max && taken.dead.len() < DEAD_AT_ONCE {
            let Some(seq) = self.visible.first().copied() else {
                break;
            };
            let Some(held) = self.messages.get_mut(&seq) else {
                break;
            };
            if limit.is_some_and(|limit| held.receives - held.carried >= limit) {
                taken.dead.extend(self.remove(seq));
                continue;
            }
            held.receives = held.receives.saturating_add(1);
            held.first_received.get_or_insert(now);
            held.place = Place::InFlight(now.saturating_add(visibility));
            taken.deliveries.push(held.clone());
            self.visible.remove(&seq);
            self.index(seq, Place::InFlight(now.saturating_add(visibility)));
        }
        taken
    }

    /// Undoes a delivery that could not be stored, unless the message has been received again since.
    pub(crate) fn untake(&mut self, delivery: &Held) {
        let seq = delivery.message.seq;
        if self
            .messages
            .get(&seq)
            .is_some_and(|held| held.receives == delivery.receives)
        {
            let receives = delivery.receives.saturating_sub(1);
            let first_received = delivery.first_received.filter(|_| receives > 0);
            self.insert(Held {
                receives,
                first_received,
                place: Place::Visible,
                ..delivery.clone()
            });
        }
    }

    /// Removes the message if the receipt is of its latest delivery.
    pub(crate) fn delete(&mut self, receipt: &Receipt) -> Option<Held> {
        self.latest(receipt)?;
        self.remove(receipt.seq)
    }

    /// Lets the message be visible again after `visibility` milliseconds; the state before and after, if it is in flight and
    /// the receipt is of its latest delivery.
    pub(crate) fn change_visibility(
        &mut self,
        now: Millis,
        receipt: &Receipt,
        visibility: Millis,
    ) -> Option<(Held, Held)> {
        self.surface(now);
        let before = self.latest(receipt)?.clone();
        if !matches!(before.place, Place::InFlight(_)) {
            return None;
        }
        let after = Held {
            place: Place::InFlight(now.saturating_add(visibility)),
            ..before.clone()
        };
        self.insert(after.clone());
        Some((before, after))
    }

    /// Puts a message back to an earlier state of the same delivery, if it is still there and was not received again.
    pub(crate) fn restore(&mut self, before: Held) {
        if self.latest(&before.receipt()).is_some() {
            self.insert(before);
        }
    }

    /// Removes the messages sent at or before `before`.
    pub(crate) fn expire(&mut self, before: Millis) -> Vec<u64> {
        let mut expired = Vec::new();
        while let Some((seq, held)) = self.messages.first_key_value()
            && held.message.sent <= before
        {
            let seq = *seq;
            self.remove(seq);
            expired.push(seq);
        }
        expired
    }

    pub(crate) fn clear(&mut self) {
        *self = Backlog::default();
    }

    pub(crate) fn counts(&mut self, now: Millis) -> Counts {
        self.surface(now);
        Counts {
            visible: self.visible.len(),
            in_flight: self.in_flight.len(),
            delayed: self.delayed.len(),
        }
    }

    /// When the oldest message was sent.
    pub(crate) fn oldest(&self) -> Option<Millis> {
        self.messages
            .first_key_value()
            .map(|(_, held)| held.message.sent)
    }

    /// When the next hidden message becomes visible.
    pub(crate) fn next_due(&self) -> Option<Millis> {
        [&self.in_flight, &self.delayed]
            .into_iter()
            .filter_map(|hidden| hidden.first())
            .map(|(due, _)| *due)
            .min()
    }

    pub(crate) fn has_visible(&self) -> bool {
        !self.visible.is_empty()
    }

    fn latest(&self, receipt: &Receipt) -> Option<&Held> {
        self.messages
            .get(&receipt.seq)
            .filter(|held| held.receipt() == *receipt)
    }

    /// Makes visible what is due.
    fn surface(&mut self, now: Millis) {
        for hidden in [&mut self.in_flight, &mut self.delayed] {
            while let Some((due, seq)) = hidden.first().copied()
                && due <= now
            {
                hidden.pop_first();
                if let Some(held) = self.messages.get_mut(&seq) {
                    held.place = Place::Visible;
                    self.visible.insert(seq);
                }
            }
        }
    }

    fn remove(&mut self, seq: u64) -> Option<Held> {
        let held = self.messages.remove(&seq)?;
        match held.place {
            Place::Visible => self.visible.remove(&seq),
            Place::Delayed(due) => self.delayed.remove(&(due, seq)),
            Place::InFlight(due) => self.in_flight.remove(&(due, seq)),
        };
        Some(held)
    }

    fn index(&mut self, seq: u64, place: Place) {
        match place {
            Place::Visible => self.visible.insert(seq),
            Place::Delayed(due) => self.delayed.insert((due, seq)),
            Place::InFlight(due) => self.in_flight.insert((due, seq)),
        };
    }
}

#[cfg(test)]
mod model;

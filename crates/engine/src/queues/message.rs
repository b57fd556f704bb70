//! Messages as callers give them and get them.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::QueueError;
use crate::Millis;

/// Message attributes by name.
pub type MessageAttributes = BTreeMap<String, MessageAttribute>;

/// A typed attribute that travels beside the body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageAttribute {
    /// `String`, `Number` or `Binary`, perhaps with a label after a dot.
    pub data_type: String,
    /// The value.
    pub value: AttributeValue,
}

/// The value of a [`MessageAttribute`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum AttributeValue {
    /// Of data types `String` and `Number`.
    String(String),
    /// Of data type `Binary`.
    Binary(Vec<u8>),
}

/// A message to be sent.
#[derive(Debug, Clone, Default)]
pub struct NewMessage {
    /// The text.
    pub body: String,
    /// At most ten; the wire layer checks their names and types.
    pub attributes: MessageAttributes,
    /// What the wire layer keeps beside the message and shows again: `SenderId`, `AWSTraceHeader`, `MessageGroupId`.
    pub system: BTreeMap<String, String>,
    /// `DelaySeconds`, instead of the queue's.
    pub delay: Option<u32>,
    /// Makes a repeated send harmless: while a message with this effect exists in any queue, another one is not made and
    /// the answer names the first. For sends that may run again after a crash.
    pub effect: Option<String>,
}

impl NewMessage {
    /// A message with a body and nothing else.
    pub fn new(body: impl Into<String>) -> NewMessage {
        NewMessage {
            body: body.into(),
            ..NewMessage::default()
        }
    }

    /// Bytes that count against the limit: body, attribute names, types and values.
    #[must_use]
    pub fn size(&self) -> usize {
        let attribute = |(name, attribute): (&String, &MessageAttribute)| {
            let value = match &attribute.value {
                AttributeValue::String(text) => text.len(),
                AttributeValue::Binary(bytes) => bytes.len(),
            };
            name.len() + attribute.data_type.len() + value
        };
        self.body.len() + self.attributes.iter().map(attribute).sum::<usize>()
    }

    pub(crate) fn check(&self, limit: usize) -> Result<(), QueueError> {
        if self.body.is_empty() {
            return Err(QueueError::InvalidParameterValue {
                name: "MessageBody",
                value: String::new(),
                reason: "Message body must have at least one character.".to_owned(),
            });
        }
        if let Some(delay) = self.delay.filter(|delay| *delay > 900) {
            return Err(QueueError::InvalidParameterValue {
                name: "DelaySeconds",
                value: delay.to_string(),
                reason: "DelaySeconds must be >= 0 and <= 900.".to_owned(),
            });
        }
        if self.size() > limit {
            return Err(QueueError::MessageTooLong { limit });
        }
        if self.body.contains(not_allowed) {
            return Err(QueueError::InvalidMessageContents);
        }
        Ok(())
    }
}

/// SQS allows the characters that XML allows.
fn not_allowed(c: char) -> bool {
    matches!(c, '\0'..='\x08' | '\x0b' | '\x0c' | '\x0e'..='\x1f' | '\u{fffe}' | '\u{ffff}')
}

/// A message that is on the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// The id receivers see.
    pub message_id: String,
    /// False if the message was there before (see [`NewMessage::effect`]).
    pub fresh: bool,
}

/// How to receive.
#[derive(Debug, Clone, Copy)]
pub struct Receive {
    /// At most so many messages; AWS allows ten.
    pub max: usize,
    /// `WaitTimeSeconds`; `None` takes the queue's.
    pub wait: Option<u32>,
    /// `VisibilityTimeout` in seconds; `None` takes the queue's.
    pub visibility: Option<u32>,
    /// The receiver lives in this process and ends with it: after a restart its messages are visible at once, as nobody
    /// is left who could delete them. The receive counts all the same.
    pub in_process: bool,
}

impl Default for Receive {
    fn default() -> Self {
        Receive {
            max: 1,
            wait: None,
            visibility: None,
            in_process: false,
        }
    }
}

/// A message handed to a receiver.
#[derive(Debug, Clone)]
pub struct Received {
    /// The id given when it was sent.
    pub message_id: String,
    /// Names this delivery, for deleting it or changing its visibility.
    pub receipt_handle: String,
    /// The text.
    pub body: Arc<str>,
    /// As sent.
    pub attributes: Arc<MessageAttributes>,
    /// `SentTimestamp`; a dead letter keeps the first.
    pub sent: Millis,
    /// `ApproximateFirstReceiveTimestamp`.
    pub first_received: Millis,
    /// `ApproximateReceiveCount`, across all queues.
    pub receive_count: u32,
    /// `DeadLetterQueueSourceArn`: the queue it came from, in a dead-letter queue.
    pub dead_letter_source: Option<Arc<str>>,
    /// As sent.
    pub system: Arc<BTreeMap<String, String>>,
}

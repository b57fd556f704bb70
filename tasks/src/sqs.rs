//! Batches from SQS and their partial answers, as Lambda's event-source mapping passes them.
//!
//! Our own types and not `aws_lambda_events`' because the registry needs their schemas, and because a
//! record without a field we do not use must not fail the batch.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An event: up to ten messages of one queue.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub struct Batch {
    /// The messages.
    #[serde(rename = "Records")]
    pub records: Vec<Record>,
}

/// One message.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// Names it in the answer.
    pub message_id: String,
    /// What was sent.
    pub body: String,
    /// The queue's ARN.
    #[serde(rename = "eventSourceARN")]
    pub event_source_arn: String,
}

impl Record {
    /// Whether the message comes from a dead-letter queue: others have tried and failed.
    pub fn is_from_dlq(&self) -> bool {
        self.event_source_arn.ends_with("_dlq")
    }
}

/// The messages that must come again; all others are deleted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BatchAnswer {
    /// One for each such message.
    pub batch_item_failures: Vec<ItemFailure>,
}

/// A message that must come again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ItemFailure {
    /// Its message id.
    pub item_identifier: String,
}

impl BatchAnswer {
    /// Asks for this message again.
    pub fn again(&mut self, message_id: String) {
        self.batch_item_failures.push(ItemFailure {
            item_identifier: message_id,
        });
    }
}

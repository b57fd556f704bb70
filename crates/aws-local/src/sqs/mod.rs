//! Amazon SQS (awsJson1.0) over the engine's queues. Standard queues only.
//!
//! Knows the wire: names, limits and errors of the API. What a queue does is the engine's business. One file per family of
//! actions; the table in [`Sqs::call`] is the list of what there is.
//!
//! Source: Amazon SQS API Reference.

mod acknowledge;
mod attributes;
mod batch;
mod error;
mod message;
mod queues;
mod receive;
mod send;
mod tags;

use engine::{Documents, Queues};
use futures::{FutureExt, future::BoxFuture};

use crate::protocol::json::{JsonError, JsonRequest, JsonService};

pub use send::{SendMessageRequest, SendMessageResult};

/// What stands before the action in `X-Amz-Target`.
pub const TARGET: &str = "AmazonSQS";

/// The service.
#[derive(Clone)]
pub struct Sqs {
    queues: Queues,
    documents: Documents,
    account: String,
}

impl Sqs {
    /// A service over an engine's queues; tags are kept as documents.
    pub fn new(queues: Queues, documents: Documents, account: impl Into<String>) -> Sqs {
        Sqs {
            queues,
            documents,
            account: account.into(),
        }
    }

    /// The URL under which a client that reached us at `base_url` finds a queue.
    pub fn url(&self, base_url: &str, name: &str) -> String {
        format!("{base_url}/{}/{name}", self.account)
    }

    /// The name in a queue URL of any host.
    pub(crate) fn name_in<'a>(&self, url: Option<&'a str>) -> Result<&'a str, JsonError> {
        let url = url
            .filter(|url| !url.is_empty())
            .ok_or_else(|| error::missing("QueueUrl"))?;
        let mut parts = url.trim_end_matches('/').rsplit('/');
        match (parts.next(), parts.next()) {
            (Some(name), Some(account)) if account == self.account && !name.is_empty() => Ok(name),
            (Some(_), Some(account))
                if account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit()) =>
            {
                Err(error::queue_does_not_exist())
            }
            _ => Err(error::invalid_address(url)),
        }
    }
}

impl JsonService for Sqs {
    fn call<'a>(
        &'a self,
        action: &'a str,
        request: JsonRequest,
    ) -> BoxFuture<'a, Result<Vec<u8>, JsonError>> {
        async move {
            match action {
                "SendMessage" => self.send_message(&request).await,
                "SendMessageBatch" => self.send_message_batch(&request).await,
                "ReceiveMessage" => self.receive_message(&request).await,
                "DeleteMessage" => self.delete_message(&request).await,
                "DeleteMessageBatch" => self.delete_message_batch(&request).await,
                "ChangeMessageVisibility" => self.change_message_visibility(&request).await,
                "ChangeMessageVisibilityBatch" => {
                    self.change_message_visibility_batch(&request).await
                }
                "CreateQueue" => self.create_queue(&request).await,
                "DeleteQueue" => self.delete_queue(&request).await,
                "GetQueueUrl" => self.get_queue_url(&request),
                "ListQueues" => self.list_queues(&request),
                "PurgeQueue" => self.purge_queue(&request).await,
                "ListDeadLetterSourceQueues" => self.list_dead_letter_source_queues(&request),
                "GetQueueAttributes" => self.get_queue_attributes(&request),
                "SetQueueAttributes" => self.set_queue_attributes(&request).await,
                "TagQueue" => self.tag_queue(&request).await,
                "UntagQueue" => self.untag_queue(&request).await,
                "ListQueueTags" => self.list_queue_tags(&request).await,
                "AddPermission"
                | "RemovePermission"
                | "StartMessageMoveTask"
                | "CancelMessageMoveTask"
                | "ListMessageMoveTasks" => Err(error::unsupported(action)),
                _ => Err(JsonError::unknown_operation(&format!("{TARGET}.{action}"))),
            }
        }
        .boxed()
    }
}

//! SendMessage, SendMessageBatch.

use engine::NewMessage;
use serde::{Deserialize, Serialize};

use super::{
    Sqs, batch, error,
    message::{self, WireAttributes},
};
use crate::{
    attributes::{AttributeValue, md5_of_attributes, md5_of_text},
    protocol::json::{JsonError, JsonRequest, answer},
};

/// All messages of a batch together, as one message.
const BATCH_BYTES: usize = 1_048_576;

/// `SendMessageRequest`; also what a `sqs:sendMessage` task of a state machine takes.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SendMessageRequest {
    queue_url: Option<String>,
    #[serde(flatten)]
    content: Content,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Content {
    message_body: Option<String>,
    delay_seconds: Option<i64>,
    message_attributes: Option<WireAttributes>,
    message_system_attributes: Option<WireAttributes>,
    message_group_id: Option<String>,
    message_deduplication_id: Option<String>,
}

/// `SendMessageResult`.
#[derive(Debug, Serialize)]
pub struct SendMessageResult {
    /// Of the body.
    #[serde(rename = "MD5OfMessageBody")]
    pub md5_of_message_body: String,
    /// Of the message attributes, if there are any.
    #[serde(
        rename = "MD5OfMessageAttributes",
        skip_serializing_if = "Option::is_none"
    )]
    pub md5_of_message_attributes: Option<String>,
    /// Of the system attributes, if there are any.
    #[serde(
        rename = "MD5OfMessageSystemAttributes",
        skip_serializing_if = "Option::is_none"
    )]
    pub md5_of_message_system_attributes: Option<String>,
    /// The id that receivers will see.
    #[serde(rename = "MessageId")]
    pub message_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SendMessageBatchRequest {
    queue_url: Option<String>,
    #[serde(default)]
    entries: Vec<SendMessageBatchRequestEntry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SendMessageBatchRequestEntry {
    id: Option<String>,
    #[serde(flatten)]
    content: Content,
}

impl batch::Entry for SendMessageBatchRequestEntry {
    fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }
}

#[derive(Serialize)]
struct SendMessageBatchResultEntry {
    #[serde(rename = "Id")]
    id: String,
    #[serde(flatten)]
    result: SendMessageResult,
}

/// A checked message and the part of its answer that is known before it is sent.
struct Ready {
    message: NewMessage,
    result: SendMessageResult,
}

impl Content {
    fn ready(self) -> Result<Ready, JsonError> {
        let body = self
            .message_body
            .filter(|body| !body.is_empty())
            .ok_or_else(|| error::missing("MessageBody"))?;
        let delay = self
            .delay_seconds
            .map(|delay| {
                u32::try_from(delay)
                    .ok()
                    .filter(|delay| *delay <= 900)
                    .ok_or_else(|| {
                        error::value(
                            "DelaySeconds",
                            delay,
                            "DelaySeconds must be >= 0 and <= 900.",
                        )
                    })
            })
            .transpose()?;
        if let Some(id) = self.message_deduplication_id {
            return Err(error::value(
                "MessageDeduplicationId",
                id,
                "The request include parameter that is not valid for this queue type.",
            ));
        }
        if let Some(id) = self
            .message_group_id
            .as_ref()
            .filter(|id| id.is_empty() || id.len() > 128)
        {
            return Err(error::value(
                "MessageGroupId",
                id,
                "MessageGroupId can only include 1 to 128 characters.",
            ));
        }
        let attributes = message::read(self.message_attributes)?;
        let trace_header = message::trace_header(self.message_system_attributes)?;
        let result = SendMessageResult {
            md5_of_message_body: md5_of_text(&body),
            md5_of_message_attributes: md5_of_attributes(&attributes),
            md5_of_message_system_attributes: trace_header
                .as_ref()
                .and_then(|header| md5_of_attributes([(&"AWSTraceHeader".to_owned(), header)])),
            message_id: String::new(),
        };
        let trace_header = trace_header.and_then(|header| match header.value {
            AttributeValue::String(text) => Some(text),
            AttributeValue::Binary(_) => None,
        });
        let system = [
            ("AWSTraceHeader", trace_header),
            ("MessageGroupId", self.message_group_id),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect();
        let message = NewMessage {
            body,
            attributes,
            system,
            delay,
            ..NewMessage::default()
        };
        Ok(Ready { message, result })
    }
}

impl Sqs {
    pub(super) async fn send_message(&self, request: &JsonRequest) -> Result<Vec<u8>, JsonError> {
        answer(&self.send(request.parse()?, None).await?)
    }

    /// Sends one message; acknowledged when it is on the disk. `effect` makes a repeated call harmless, see
    /// [`NewMessage::effect`].
    ///
    /// # Errors
    /// Those of the API action.
    pub async fn send(
        &self,
        request: SendMessageRequest,
        effect: Option<String>,
    ) -> Result<SendMessageResult, JsonError> {
        let name = self.name_in(request.queue_url.as_deref())?;
        let ready = request.content.ready()?;
        let message = NewMessage {
            effect,
            ..ready.message
        };
        let sent = self
            .queues
            .send(name, vec![message])
            .await
            .map_err(error::from_engine)?
            .pop()
            .ok_or_else(JsonError::internal)?;
        Ok(SendMessageResult {
            message_id: sent.message_id,
            ..ready.result
        })
    }

    pub(super) async fn send_message_batch(
        &self,
        request: &JsonRequest,
    ) -> Result<Vec<u8>, JsonError> {
        let SendMessageBatchRequest { queue_url, entries } = request.parse()?;
        let name = self.name_in(queue_url.as_deref())?;
        self.queues.get(name).map_err(error::from_engine)?;
        batch::check(&entries, "SendMessageBatchRequestEntry")?;

        let mut total = 0;
        let mut outcomes = Vec::with_capacity(entries.len());
        let mut messages = Vec::with_capacity(entries.len());
        for entry in entries {
            let id = batch::id_of(&entry);
            let ready = entry.content.ready().and_then(|ready| {
                total += ready.message.size();
                self.queues
                    .check(name, &ready.message)
                    .map_err(error::from_engine)?;
                Ok(ready)
            });
            outcomes.push((
                id.clone(),
                ready.map(|ready| {
                    messages.push(ready.message);
                    SendMessageBatchResultEntry {
                        id,
                        result: ready.result,
                    }
                }),
            ));
        }
        if total > BATCH_BYTES {
            return Err(error::modelled(
                "BatchRequestTooLong",
                format!(
                    "Batch requests cannot be longer than {BATCH_BYTES} bytes. You have sent {total} bytes."
                ),
            ));
        }
        // The good ones are one durable write, so that ten messages cost one commit.
        let sent = self
            .queues
            .send(name, messages)
            .await
            .map_err(error::from_engine)?;
        let good = outcomes
            .iter_mut()
            .filter_map(|(_, outcome)| outcome.as_mut().ok());
        for (entry, sent) in good.zip(sent) {
            entry.result.message_id = sent.message_id;
        }
        batch::respond(outcomes)
    }
}

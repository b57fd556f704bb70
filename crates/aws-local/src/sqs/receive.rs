//! ReceiveMessage.

use std::collections::BTreeMap;

use engine::{Receive, Received};
use serde::{Deserialize, Serialize};

use super::{
    Sqs, error,
    message::{self, WireAttribute},
};
use crate::{
    attributes::{md5_of_attributes, md5_of_text},
    protocol::json::{JsonError, JsonRequest, answer},
};

/// The sender we name: locally nobody is told apart.
const SENDER_ID: &str = "AIDALOCALLOCALLOCAL00";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ReceiveMessageRequest {
    queue_url: Option<String>,
    /// The older name of `MessageSystemAttributeNames`.
    #[serde(default)]
    attribute_names: Option<Vec<String>>,
    #[serde(default)]
    message_system_attribute_names: Option<Vec<String>>,
    #[serde(default)]
    message_attribute_names: Option<Vec<String>>,
    max_number_of_messages: Option<i64>,
    visibility_timeout: Option<i64>,
    wait_time_seconds: Option<i64>,
    receive_request_attempt_id: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ReceiveMessageResult {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    messages: Vec<Message>,
}

#[derive(Serialize)]
struct Message {
    #[serde(rename = "MessageId")]
    message_id: String,
    #[serde(rename = "ReceiptHandle")]
    receipt_handle: String,
    #[serde(rename = "MD5OfBody")]
    md5_of_body: String,
    #[serde(rename = "Body")]
    body: String,
    #[serde(rename = "Attributes", skip_serializing_if = "BTreeMap::is_empty")]
    attributes: BTreeMap<&'static str, String>,
    #[serde(
        rename = "MD5OfMessageAttributes",
        skip_serializing_if = "Option::is_none"
    )]
    md5_of_message_attributes: Option<String>,
    #[serde(
        rename = "MessageAttributes",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    message_attributes: BTreeMap<String, WireAttribute>,
}

impl Sqs {
    pub(super) async fn receive_message(
        &self,
        request: &JsonRequest,
    ) -> Result<Vec<u8>, JsonError> {
        let request: ReceiveMessageRequest = request.parse()?;
        let name = self.name_in(request.queue_url.as_deref())?;
        if let Some(id) = request.receive_request_attempt_id {
            return Err(error::value(
                "ReceiveRequestAttemptId",
                id,
                "The request include parameter that is not valid for this queue type.",
            ));
        }
        let wanted = Wanted::new(
            [
                request.attribute_names,
                request.message_system_attribute_names,
            ]
            .into_iter()
            .flatten()
            .flatten()
            .collect(),
            request.message_attribute_names.unwrap_or_default(),
        )?;
        let receive = Receive {
            max: number(
                "MaxNumberOfMessages",
                request.max_number_of_messages,
                1..=10,
                "Must be between 1 and 10, if provided.",
            )?
            .map_or(1, |max| max as usize),
            wait: number(
                "WaitTimeSeconds",
                request.wait_time_seconds,
                0..=20,
                "Must be >= 0 and <= 20, if provided.",
            )?,
            visibility: number(
                "VisibilityTimeout",
                request.visibility_timeout,
                0..=43_200,
                "Must be >= 0 and <= 43200, if provided.",
            )?,
            in_process: false,
        };
        let messages = self
            .queues
            .receive(name, receive)
            .await
            .map_err(error::from_engine)?
            .into_iter()
            .map(|received| wanted.of(received))
            .collect();
        answer(&ReceiveMessageResult { messages })
    }
}

/// An optional number in its range.
pub(super) fn number(
    name: &str,
    given: Option<i64>,
    range: std::ops::RangeInclusive<i64>,
    reason: &str,
) -> Result<Option<u32>, JsonError> {
    given
        .map(|number| {
            u32::try_from(number)
                .ok()
                .filter(|_| range.contains(&number))
                .ok_or_else(|| error::value(name, number, reason))
        })
        .transpose()
}

/// Which attributes the receiver asked for.
struct Wanted {
    system: Vec<String>,
    message: Vec<String>,
}

const SYSTEM: [&str; 10] = [
    "All",
    "SenderId",
    "SentTimestamp",
    "ApproximateReceiveCount",
    "ApproximateFirstReceiveTimestamp",
    "AWSTraceHeader",
    "DeadLetterQueueSourceArn",
    "SequenceNumber",
    "MessageDeduplicationId",
    "MessageGroupId",
];

impl Wanted {
    fn new(system: Vec<String>, message: Vec<String>) -> Result<Wanted, JsonError> {
        match system.iter().find(|name| !SYSTEM.contains(&name.as_str())) {
            Some(unknown) => Err(error::modelled(
                "InvalidAttributeName",
                format!("Unknown Attribute {unknown}."),
            )),
            None => Ok(Wanted { system, message }),
        }
    }

    fn of(&self, received: Received) -> Message {
        let system = [
            ("SenderId", Some(SENDER_ID.to_owned())),
            ("SentTimestamp", Some(received.sent.to_string())),
            (
                "ApproximateReceiveCount",
                Some(received.receive_count.to_string()),
            ),
            (
                "ApproximateFirstReceiveTimestamp",
                Some(received.first_received.to_string()),
            ),
            (
                "DeadLetterQueueSourceArn",
                received.dead_letter_source.as_deref().map(str::to_owned),
            ),
            (
                "AWSTraceHeader",
                received.system.get("AWSTraceHeader").cloned(),
            ),
            (
                "MessageGroupId",
                received.system.get("MessageGroupId").cloned(),
            ),
        ];
        let selected = received
            .attributes
            .iter()
            .filter(|(name, _)| self.wants_attribute(name));
        Message {
            md5_of_body: md5_of_text(&received.body),
            attributes: system
                .into_iter()
                .filter(|(name, _)| {
                    self.system
                        .iter()
                        .any(|wanted| wanted == "All" || wanted == name)
                })
                .filter_map(|(name, value)| Some((name, value?)))
                .collect(),
            md5_of_message_attributes: md5_of_attributes(selected.clone()),
            message_attributes: selected
                .map(|(name, attribute)| (name.clone(), message::write(attribute)))
                .collect(),
            message_id: received.message_id,
            receipt_handle: received.receipt_handle,
            body: received.body.to_string(),
        }
    }

    /// A name, `All`, `.*`, or a prefix as in `bar.*`.
    fn wants_attribute(&self, name: &str) -> bool {
        self.message
            .iter()
            .any(|wanted| match wanted.strip_suffix(".*") {
                Some(prefix) => name.starts_with(prefix),
                None => wanted == "All" || wanted == name,
            })
    }
}

//! The event a function gets for a batch of messages.
//!
//! Source: AWS Lambda developer guide, "Using Lambda with Amazon SQS", example message event.

use std::collections::BTreeMap;

use base64::{Engine, prelude::BASE64_STANDARD};
use engine::{AttributeValue, MessageAttribute, QueueArn, Received};
use serde::Serialize;

use crate::attributes::{md5_of_attributes, md5_of_text};

/// Who sent a message whose sender is not known: locally nobody is told apart.
const UNKNOWN_SENDER: &str = "AIDALOCALLOCALLOCAL00";

#[derive(Serialize)]
struct Event<'a> {
    #[serde(rename = "Records")]
    records: Vec<Record<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Record<'a> {
    message_id: &'a str,
    receipt_handle: &'a str,
    body: &'a str,
    attributes: BTreeMap<&'a str, String>,
    message_attributes: BTreeMap<&'a str, Attribute<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    md5_of_message_attributes: Option<String>,
    md5_of_body: String,
    event_source: &'static str,
    #[serde(rename = "eventSourceARN")]
    event_source_arn: &'a str,
    aws_region: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Attribute<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    string_value: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    binary_value: Option<String>,
    string_list_values: [(); 0],
    binary_list_values: [(); 0],
    data_type: &'a str,
}

/// The JSON text of the event.
pub(super) fn event(queue: &QueueArn, messages: &[Received]) -> Result<Vec<u8>, serde_json::Error> {
    let arn = queue.to_string();
    let records = messages
        .iter()
        .map(|message| record(message, &arn, &queue.region))
        .collect();
    serde_json::to_vec(&Event { records })
}

fn record<'a>(message: &'a Received, arn: &'a str, region: &'a str) -> Record<'a> {
    let mut attributes: BTreeMap<&str, String> = message
        .system
        .iter()
        .map(|(name, value)| (name.as_str(), value.clone()))
        .collect();
    attributes.insert("ApproximateReceiveCount", message.receive_count.to_string());
    attributes.insert("SentTimestamp", message.sent.to_string());
    attributes.insert(
        "ApproximateFirstReceiveTimestamp",
        message.first_received.to_string(),
    );
    attributes
        .entry("SenderId")
        .or_insert_with(|| UNKNOWN_SENDER.to_owned());
    if let Some(source) = &message.dead_letter_source {
        attributes.insert("DeadLetterQueueSourceArn", source.to_string());
    }
    Record {
        message_id: &message.message_id,
        receipt_handle: &message.receipt_handle,
        body: &message.body,
        attributes,
        message_attributes: message
            .attributes
            .iter()
            .map(|(name, value)| (name.as_str(), attribute(value)))
            .collect(),
        md5_of_message_attributes: md5_of_attributes(message.attributes.iter()),
        md5_of_body: md5_of_text(&message.body),
        event_source: "aws:sqs",
        event_source_arn: arn,
        aws_region: region,
    }
}

fn attribute(attribute: &MessageAttribute) -> Attribute<'_> {
    let (string_value, binary_value) = match &attribute.value {
        AttributeValue::String(text) => (Some(text.as_str()), None),
        AttributeValue::Binary(bytes) => (None, Some(BASE64_STANDARD.encode(bytes))),
    };
    Attribute {
        string_value,
        binary_value,
        string_list_values: [],
        binary_list_values: [],
        data_type: &attribute.data_type,
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, sync::Arc};

    use engine::{AttributeValue, MessageAttribute, QueueArn, Received};

    #[test]
    fn the_event_is_that_of_aws() {
        let attribute = |data_type: &str, value| MessageAttribute {
            data_type: data_type.to_owned(),
            value,
        };
        let message = Received {
            message_id: "059f36b4-87a3-44ab-83d2-661975830a7d".to_owned(),
            receipt_handle: "AQEB".to_owned(),
            body: "도너츠".into(),
            attributes: Arc::new(BTreeMap::from([
                (
                    "b".to_owned(),
                    attribute("Binary", AttributeValue::Binary(vec![1, 2, 3])),
                ),
                (
                    "s".to_owned(),
                    attribute("String", AttributeValue::String("v".to_owned())),
                ),
            ])),
            sent: 1_545_082_649_183,
            first_received: 1_545_082_649_185,
            receive_count: 1,
            dead_letter_source: None,
            system: Arc::new(BTreeMap::from([("SenderId".to_owned(), "AIDA".to_owned())])),
        };
        let queue = QueueArn::parse("arn:aws:sqs:us-east-2:123456789012:my-queue").unwrap();
        let event = String::from_utf8(super::event(&queue, &[message]).unwrap()).unwrap();
        let expected = concat!(
            r#"{"Records":[{"messageId":"059f36b4-87a3-44ab-83d2-661975830a7d","receiptHandle":"AQEB","body":"도너츠","#,
            r#""attributes":{"ApproximateFirstReceiveTimestamp":"1545082649185","ApproximateReceiveCount":"1","#,
            r#""SenderId":"AIDA","SentTimestamp":"1545082649183"},"#,
            r#""messageAttributes":{"b":{"binaryValue":"AQID","stringListValues":[],"binaryListValues":[],"dataType":"Binary"},"#,
            r#""s":{"stringValue":"v","stringListValues":[],"binaryListValues":[],"dataType":"String"}},"#,
            r#""md5OfMessageAttributes":"MD5","md5OfBody":"ac544e618c274603fa0f640664f9dc35","#,
            r#""eventSource":"aws:sqs","eventSourceARN":"arn:aws:sqs:us-east-2:123456789012:my-queue","awsRegion":"us-east-2"}]}"#
        );
        let digest = event.split("md5OfMessageAttributes\":\"").nth(1).unwrap()[..32].to_owned();
        assert_eq!(event.replace(&digest, "MD5"), expected);
    }
}

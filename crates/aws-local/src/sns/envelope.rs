//! The JSON document in which a queue finds a notification that is not delivered raw.
//!
//! Source: Amazon SNS developer guide, "Fanout to Amazon SQS queues" and "Amazon SNS message and JSON formats". AWS writes it
//! over several lines with spaces around the colons, and so do we. It is not signed here: `Signature` says so.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::attributes::{AttributeValue, MessageAttributes};

/// What an envelope says.
pub(super) struct Envelope<'a> {
    pub(super) message_id: &'a str,
    pub(super) topic_arn: &'a str,
    pub(super) subject: Option<&'a str>,
    pub(super) message: &'a str,
    /// RFC 3339 with milliseconds.
    pub(super) timestamp: &'a str,
    pub(super) attributes: &'a MessageAttributes,
    /// Where this endpoint is reached.
    pub(super) base_url: &'a str,
    pub(super) subscription_arn: &'a str,
}

impl Envelope<'_> {
    pub(super) fn text(&self) -> String {
        let base = self.base_url;
        let mut members: Vec<(&str, String)> = vec![
            ("Type", quote("Notification")),
            ("MessageId", quote(self.message_id)),
            ("TopicArn", quote(self.topic_arn)),
        ];
        if let Some(subject) = self.subject {
            members.push(("Subject", quote(subject)));
        }
        members.extend([
            ("Message", quote(self.message)),
            ("Timestamp", quote(self.timestamp)),
            ("SignatureVersion", quote("1")),
            ("Signature", quote("bm90IHNpZ25lZA==")),
            (
                "SigningCertURL",
                quote(&format!("{base}/SimpleNotificationService.pem")),
            ),
            (
                "UnsubscribeURL",
                quote(&format!(
                    "{base}/?Action=Unsubscribe&SubscriptionArn={}",
                    self.subscription_arn
                )),
            ),
        ]);
        if !self.attributes.is_empty() {
            let entries: Vec<String> = self
                .attributes
                .iter()
                .map(|(name, attribute)| {
                    let value = match &attribute.value {
                        AttributeValue::String(text) => text.clone(),
                        AttributeValue::Binary(bytes) => STANDARD.encode(bytes),
                    };
                    let pair = json!({"Type": attribute.data_type, "Value": value});
                    format!("    {} : {pair}", quote(name))
                })
                .collect();
            members.push((
                "MessageAttributes",
                format!("{{\n{}\n  }}", entries.join(",\n")),
            ));
        }
        let lines: Vec<String> = members
            .into_iter()
            .map(|(name, value)| format!("  \"{name}\" : {value}"))
            .collect();
        format!("{{\n{}\n}}", lines.join(",\n"))
    }
}

fn quote(text: &str) -> String {
    Value::String(text.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attributes::MessageAttribute;

    #[test]
    fn an_envelope_is_written_as_aws_writes_it() {
        let attributes = MessageAttributes::from([
            (
                "MessageAttributeProductId".to_owned(),
                MessageAttribute {
                    data_type: "String".to_owned(),
                    value: AttributeValue::String("CP-502101".to_owned()),
                },
            ),
            (
                "b".to_owned(),
                MessageAttribute {
                    data_type: "Binary".to_owned(),
                    value: AttributeValue::Binary(vec![1, 2]),
                },
            ),
        ]);
        let text = Envelope {
            message_id: "id-1",
            topic_arn: "arn:t",
            subject: Some("도너츠 재고 부족"),
            message: "{\"a\":1}\n",
            timestamp: "2026-01-02T03:04:05.678Z",
            attributes: &attributes,
            base_url: "http://h:1",
            subscription_arn: "arn:t:s",
        }
        .text();
        assert_eq!(
            text,
            r#"{
  "Type" : "Notification",
  "MessageId" : "id-1",
  "TopicArn" : "arn:t",
  "Subject" : "도너츠 재고 부족",
  "Message" : "{\"a\":1}\n",
  "Timestamp" : "2026-01-02T03:04:05.678Z",
  "SignatureVersion" : "1",
  "Signature" : "bm90IHNpZ25lZA==",
  "SigningCertURL" : "http://h:1/SimpleNotificationService.pem",
  "UnsubscribeURL" : "http://h:1/?Action=Unsubscribe&SubscriptionArn=arn:t:s",
  "MessageAttributes" : {
    "MessageAttributeProductId" : {"Type":"String","Value":"CP-502101"},
    "b" : {"Type":"Binary","Value":"AQI="}
  }
}"#
        );
        assert!(serde_json::from_str::<Value>(&text).is_ok());
    }
}

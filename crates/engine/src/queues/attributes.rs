//! Queue attributes: checked once when they are set, kept as given, typed for use.
//!
//! Source of names, ranges and defaults: "Amazon SQS API Reference", `SetQueueAttributes`.

use std::collections::BTreeMap;

use serde_json::Value;

use super::QueueError;
use crate::arn::QueueArn;

/// Attribute names and values, as AWS writes them.
pub type Attributes = BTreeMap<String, String>;

/// Where messages go that nobody manages to handle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedrivePolicy {
    /// The dead-letter queue.
    pub target: QueueArn,
    /// Receives after which the next one moves the message away; 1 to 1,000.
    pub max_receive_count: u32,
}

/// What a queue's attributes mean. Times in seconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Configuration {
    /// What was set, for showing and comparing.
    pub(crate) given: Attributes,
    pub(crate) delay: u32,
    pub(crate) maximum_message_size: u32,
    pub(crate) retention: u32,
    pub(crate) wait: u32,
    pub(crate) visibility: u32,
    pub(crate) redrive: Option<RedrivePolicy>,
}

/// Numbers: name, default, least, most. AWS raised the message limit to 1 MiB in 2025.
const NUMBERS: [(&str, u32, u32, u32); 5] = [
    ("DelaySeconds", 0, 0, 900),
    ("MaximumMessageSize", 1_048_576, 1_024, 1_048_576),
    ("MessageRetentionPeriod", 345_600, 60, 1_209_600),
    ("ReceiveMessageWaitTimeSeconds", 0, 0, 20),
    ("VisibilityTimeout", 30, 0, 43_200),
];

/// Kept and returned, without effect here.
const KEPT: [&str; 4] = [
    "Policy",
    "KmsMasterKeyId",
    "KmsDataKeyReusePeriodSeconds",
    "SqsManagedSseEnabled",
];

impl Configuration {
    /// Reads attributes. An empty value removes an optional one, as AWS does.
    pub(crate) fn parse(mut given: Attributes) -> Result<Configuration, QueueError> {
        given.retain(|name, value| {
            !value.is_empty() || NUMBERS.iter().any(|number| number.0 == name)
        });
        for (name, value) in &given {
            check(name, value)?;
        }
        let number = |index: usize| {
            let (name, default, ..) = NUMBERS[index];
            given
                .get(name)
                .and_then(|value| value.parse().ok())
                .unwrap_or(default)
        };
        Ok(Configuration {
            delay: number(0),
            maximum_message_size: number(1),
            retention: number(2),
            wait: number(3),
            visibility: number(4),
            redrive: given
                .get("RedrivePolicy")
                .map(|text| redrive_policy(text))
                .transpose()?,
            given,
        })
    }

    /// The same queue with some attributes set anew.
    pub(crate) fn with(&self, changes: Attributes) -> Result<Configuration, QueueError> {
        let mut given = self.given.clone();
        given.extend(changes);
        Configuration::parse(given)
    }

    /// As `GetQueueAttributes` shows them, defaults included.
    pub(crate) fn shown(&self) -> Attributes {
        let mut shown: Attributes = NUMBERS
            .iter()
            .map(|(name, default, ..)| ((*name).to_owned(), default.to_string()))
            .collect();
        shown.insert("SqsManagedSseEnabled".to_owned(), "true".to_owned());
        shown.extend(self.given.clone());
        shown
    }

    /// The first of `wanted` that this queue has with another value.
    pub(crate) fn differs_from(&self, wanted: &Configuration) -> Option<String> {
        let (ours, theirs) = (self.shown(), wanted.shown());
        wanted
            .given
            .keys()
            .find(|name| ours.get(*name) != theirs.get(*name))
            .cloned()
    }
}

fn check(name: &str, value: &str) -> Result<(), QueueError> {
    let invalid = |reason: String| QueueError::InvalidAttributeValue {
        name: name.to_owned(),
        reason,
    };
    if let Some((_, _, least, most)) = NUMBERS.iter().find(|number| number.0 == name) {
        return match value.parse::<u32>() {
            Ok(number) if (*least..=*most).contains(&number) => Ok(()),
            _ => Err(invalid(format!(
                "{name} must be a whole number from {least} to {most}."
            ))),
        };
    }
    match name {
        "RedrivePolicy" => redrive_policy(value).map(drop),
        "RedriveAllowPolicy" => match serde_json::from_str::<Value>(value) {
            Ok(Value::Object(_)) => Ok(()),
            _ => Err(invalid("it must be a JSON object.".to_owned())),
        },
        "FifoQueue" if value == "false" => Ok(()),
        "FifoQueue"
        | "ContentBasedDeduplication"
        | "DeduplicationScope"
        | "FifoThroughputLimit" => Err(QueueError::UnsupportedOperation(
            "FIFO queues are not supported; use a standard queue.".to_owned(),
        )),
        kept if KEPT.contains(&kept) => Ok(()),
        unknown => Err(QueueError::InvalidAttributeName(unknown.to_owned())),
    }
}

/// `{"deadLetterTargetArn":"…","maxReceiveCount":5}`; AWS takes the count as a string too.
fn redrive_policy(text: &str) -> Result<RedrivePolicy, QueueError> {
    let invalid = |reason: &str| QueueError::InvalidParameterValue {
        name: "RedrivePolicy",
        value: text.to_owned(),
        reason: reason.to_owned(),
    };
    let policy: Value = serde_json::from_str(text)
        .map_err(|_| invalid("Redrive policy is not a valid JSON map."))?;
    let target = policy
        .get("deadLetterTargetArn")
        .and_then(Value::as_str)
        .ok_or_else(|| {
            invalid("Redrive policy does not contain mandatory attribute: deadLetterTargetArn.")
        })?;
    let target =
        QueueArn::parse(target).ok_or_else(|| invalid("Invalid value for deadLetterTargetArn."))?;
    let count = match policy.get("maxReceiveCount") {
        Some(Value::Number(count)) => count.as_u64(),
        Some(Value::String(count)) => count.parse().ok(),
        Some(_) => None,
        None => {
            return Err(invalid(
                "Redrive policy does not contain mandatory attribute: maxReceiveCount.",
            ));
        }
    };
    let max_receive_count = count
        .and_then(|count| u32::try_from(count).ok())
        .filter(|count| (1..=1000).contains(count))
        .ok_or_else(|| invalid("Invalid value for maxReceiveCount: it must be from 1 to 1000."))?;
    Ok(RedrivePolicy {
        target,
        max_receive_count,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(name: &str, value: &str) -> Result<Configuration, QueueError> {
        Configuration::parse([(name.to_owned(), value.to_owned())].into())
    }

    #[test]
    fn reads_numbers_in_their_range() {
        assert_eq!(parse("VisibilityTimeout", "120").unwrap().visibility, 120);
        for (name, value) in [
            ("VisibilityTimeout", "43201"),
            ("DelaySeconds", "-1"),
            ("MessageRetentionPeriod", ""),
            ("DelaySeconds", "1.5"),
        ] {
            assert!(
                matches!(
                    parse(name, value),
                    Err(QueueError::InvalidAttributeValue { .. })
                ),
                "{name}={value}"
            );
        }
        assert!(
            matches!(parse("Colour", "red"), Err(QueueError::InvalidAttributeName(name)) if name == "Colour")
        );
        assert!(matches!(
            parse("FifoQueue", "true"),
            Err(QueueError::UnsupportedOperation(_))
        ));
    }

    #[test]
    fn reads_the_redrive_policy_with_a_number_or_a_string() {
        for count in ["3", "\"3\""] {
            let text = format!(
                r#"{{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:d","maxReceiveCount":{count}}}"#
            );
            let policy = parse("RedrivePolicy", &text).unwrap().redrive.unwrap();
            assert_eq!(
                (policy.target.name.as_str(), policy.max_receive_count),
                ("d", 3)
            );
        }
        for text in [
            "[]",
            "x",
            r#"{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:d","maxReceiveCount":0}"#,
        ] {
            assert!(
                matches!(
                    parse("RedrivePolicy", text),
                    Err(QueueError::InvalidParameterValue { .. })
                ),
                "{text}"
            );
        }
        assert_eq!(parse("RedrivePolicy", "").unwrap().redrive, None);
    }
}

//! Attributes of topics and subscriptions: which there are, and what those of a subscription mean.

use std::collections::BTreeMap;

use engine::QueueArn;
use serde_json::Value;

use super::filter::{FilterPolicy, Scope};
use crate::protocol::query::QueryError;

/// Names and values as they were set.
pub(super) type Attributes = BTreeMap<String, String>;

/// What a subscription's attributes mean.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct SubscriptionSettings {
    pub(super) filter: Option<FilterPolicy>,
    pub(super) raw: bool,
    pub(super) dead_letter: Option<QueueArn>,
}

impl SubscriptionSettings {
    /// Reads attributes; the filter's scope is read before the filter.
    pub(super) fn parse(attributes: &Attributes) -> Result<SubscriptionSettings, QueryError> {
        let mut scope = Scope::default();
        let mut settings = SubscriptionSettings {
            filter: None,
            raw: false,
            dead_letter: None,
        };
        for (name, value) in attributes {
            match name.as_str() {
                "FilterPolicyScope" => {
                    scope = Scope::parse(value).ok_or_else(|| {
                        QueryError::invalid_parameter(format!(
                            "FilterPolicyScope: Invalid value [{value}]. Please use either MessageBody or MessageAttributes"
                        ))
                    })?;
                }
                "RawMessageDelivery" => {
                    settings.raw = match value.to_ascii_lowercase().as_str() {
                        "true" => true,
                        "false" => false,
                        _ => {
                            return Err(QueryError::invalid_parameter(format!(
                                "Attributes Reason: RawMessageDelivery: Invalid value [{value}]. Must be true or false."
                            )));
                        }
                    };
                }
                "RedrivePolicy" => settings.dead_letter = Some(dead_letter(value)?),
                "DeliveryPolicy" => check_json("DeliveryPolicy", value)?,
                "FilterPolicy" | "SubscriptionRoleArn" => {}
                _ => return Err(QueryError::invalid_parameter("AttributeName")),
            }
        }
        if let Some(policy) = attributes.get("FilterPolicy") {
            let policy = FilterPolicy::parse(policy, scope)
                .map_err(|error| QueryError::invalid_parameter(format!("FilterPolicy: {error}")))?;
            settings.filter = Some(policy);
        }
        Ok(settings)
    }
}

fn dead_letter(text: &str) -> Result<QueueArn, QueryError> {
    let invalid = |reason: &str| QueryError::invalid_parameter(format!("RedrivePolicy: {reason}"));
    let policy: Value = serde_json::from_str(text).map_err(|_| invalid("failed to parse JSON."))?;
    let arn = policy
        .get("deadLetterTargetArn")
        .and_then(Value::as_str)
        .ok_or_else(|| invalid("deadLetterTargetArn is missing."))?;
    QueueArn::parse(arn).ok_or_else(|| invalid("deadLetterTargetArn is an invalid arn."))
}

/// Checks an attribute of a topic. All are kept and returned; only the name matters here.
pub(super) fn check_topic_attribute(name: &str, value: &str) -> Result<(), QueryError> {
    const PLAIN: [&str; 4] = [
        "KmsMasterKeyId",
        "TracingConfig",
        "DataProtectionPolicy",
        "SignatureVersion",
    ];
    const FEEDBACK: [&str; 3] = [
        "SuccessFeedbackRoleArn",
        "SuccessFeedbackSampleRate",
        "FailureFeedbackRoleArn",
    ];
    match name {
        "DisplayName" if value.chars().count() > 100 => {
            Err(QueryError::invalid_parameter("DisplayName"))
        }
        "DisplayName" => Ok(()),
        "Policy" | "DeliveryPolicy" => check_json(name, value),
        "FifoTopic" if value == "false" => Ok(()),
        "FifoTopic" | "ContentBasedDeduplication" | "FifoThroughputScope" | "ArchivePolicy" => {
            Err(QueryError::invalid_parameter(format!(
                "{name} Reason: FIFO topics are not supported by this endpoint. Use a standard topic."
            )))
        }
        name if PLAIN.contains(&name) || FEEDBACK.iter().any(|suffix| name.ends_with(suffix)) => {
            Ok(())
        }
        _ => Err(QueryError::invalid_parameter("AttributeName")),
    }
}

fn check_json(name: &str, value: &str) -> Result<(), QueryError> {
    match serde_json::from_str(value) {
        Ok(Value::Object(_)) => Ok(()),
        _ if value.is_empty() => Ok(()),
        _ => Err(QueryError::invalid_parameter(format!(
            "{name}: failed to parse JSON."
        ))),
    }
}

//! A message to be published: what a request says, checked, and what each subscription makes of it.

use axum::http::StatusCode;
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::store::{Protocol, Subscription};
use crate::{
    attributes::{self, MessageAttributes, build},
    protocol::query::{Form, QueryError},
};

/// Message and attributes together, in bytes.
pub(super) const LIMIT: usize = 262_144;

/// `PublishInput` before it is checked; also what a `sns:publish` task of a state machine takes, with the attributes apart.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PublicationRequest {
    /// The text.
    pub message: Option<String>,
    /// At most 100 characters, no control characters.
    pub subject: Option<String>,
    /// `json` for a text per protocol.
    pub message_structure: Option<String>,
    /// For fair queues: passed on with the message, without effect.
    pub message_group_id: Option<String>,
    /// Of FIFO topics only.
    pub message_deduplication_id: Option<String>,
    /// Checked one by one as they are built.
    #[serde(skip)]
    pub attributes: MessageAttributes,
}

/// A message that may be published.
#[derive(Debug, Clone)]
pub struct Publication {
    message: Text,
    pub(super) subject: Option<String>,
    pub(super) attributes: MessageAttributes,
    pub(super) group: Option<String>,
    /// A random UUID; subscribers of all protocols see the same.
    pub message_id: String,
    /// Makes a repeated publication harmless, see [`NewMessage::effect`].
    pub effect: Option<String>,
}

#[derive(Debug, Clone)]
enum Text {
    Same(String),
    PerProtocol(serde_json::Map<String, Value>),
}

impl PublicationRequest {
    /// Reads a message from the parameters that start with `prefix`.
    pub(super) fn read(form: &Form, prefix: &str) -> Result<PublicationRequest, QueryError> {
        let text = |name: &str| form.get(&format!("{prefix}{name}")).map(str::to_owned);
        let mut attributes = MessageAttributes::new();
        for entry in form.numbered(&format!("{prefix}MessageAttributes.entry")) {
            let part = |name: &str| form.get(&format!("{entry}.{name}")).map(str::to_owned);
            let name = part("Name").unwrap_or_default();
            let binary = part("Value.BinaryValue")
                .map(|text| STANDARD.decode(text))
                .transpose()
                .map_err(|_| {
                    invalid_attribute(format!(
                        "BinaryValue of the message attribute '{name}' is not base64."
                    ))
                })?;
            let attribute = build(
                &name,
                part("Value.DataType"),
                part("Value.StringValue"),
                binary,
            )
            .map_err(|fault| invalid_attribute(fault.to_string()))?;
            attributes.insert(name, attribute);
        }
        Ok(PublicationRequest {
            message: text("Message"),
            subject: text("Subject"),
            message_structure: text("MessageStructure"),
            message_group_id: text("MessageGroupId"),
            message_deduplication_id: text("MessageDeduplicationId"),
            attributes,
        })
    }

    /// Checks the message by itself; whether the topic exists is asked when it is published.
    ///
    /// # Errors
    /// Those of the API action.
    pub fn check(self) -> Result<Publication, QueryError> {
        let invalid = |what: &str| Err(QueryError::invalid_parameter(what));
        let message = self.message.unwrap_or_default();
        if message.is_empty() {
            return invalid("Empty message");
        }
        // Current documentation: UTF-8 text without line breaks or control characters.
        if let Some(subject) = &self.subject
            && (subject.is_empty()
                || subject.chars().count() > 100
                || subject.contains(char::is_control))
        {
            return invalid("Subject");
        }
        if self.message_deduplication_id.is_some() {
            return invalid(
                "MessageDeduplicationId Reason: The request includes MessageDeduplicationId parameter that is not valid for this topic type",
            );
        }
        if self
            .message_group_id
            .as_ref()
            .is_some_and(|id| id.is_empty() || id.len() > 128)
        {
            return invalid(
                "MessageGroupId Reason: MessageGroupId can only include 1 to 128 characters",
            );
        }
        if message.len() + attributes::size(&self.attributes) > LIMIT {
            return invalid("Message too long");
        }
        if attributes::first_forbidden(&message).is_some() {
            return invalid("Message Reason: it contains characters that are not allowed");
        }
        let text = match self.message_structure.as_deref() {
            None => Text::Same(message),
            Some("json") => Text::PerProtocol(per_protocol(&message)?),
            Some(_) => return invalid("MessageStructure"),
        };
        Ok(Publication {
            message: text,
            subject: self.subject,
            attributes: self.attributes,
            group: self.message_group_id,
            message_id: Uuid::new_v4().to_string(),
            effect: None,
        })
    }
}

fn per_protocol(message: &str) -> Result<serde_json::Map<String, Value>, QueryError> {
    let Ok(Value::Object(texts)) = serde_json::from_str(message) else {
        return Err(QueryError::invalid_parameter(
            "Message Structure - JSON message body failed to parse",
        ));
    };
    if !texts.get("default").is_some_and(Value::is_string) {
        return Err(QueryError::invalid_parameter(
            "Message Structure - No default entry in JSON message body",
        ));
    }
    Ok(texts)
}

impl Publication {
    pub(super) fn text_for(&self, protocol: Protocol) -> &str {
        match &self.message {
            Text::Same(text) => text,
            Text::PerProtocol(texts) => texts
                .get(protocol.name())
                .and_then(Value::as_str)
                .or_else(|| texts.get("default").and_then(Value::as_str))
                .unwrap_or_default(),
        }
    }

    pub(super) fn is_for(&self, subscription: &Subscription) -> bool {
        subscription.settings.filter.as_ref().is_none_or(|filter| {
            filter.accepts(
                &self.attributes,
                self.text_for(subscription.record.protocol),
            )
        })
    }
}

/// `ParameterValueInvalid`, the code of message attributes.
pub(crate) fn invalid_attribute(message: impl Into<String>) -> QueryError {
    QueryError::new(StatusCode::BAD_REQUEST, "ParameterValueInvalid", message)
}

//! Message attributes in the shape of the SQS API.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};

use super::error;
use crate::{
    attributes::{AttributeValue, MessageAttribute, MessageAttributes, build},
    protocol::json::JsonError,
};

/// `MessageAttributeValue`.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct WireAttribute {
    #[serde(skip_serializing_if = "Option::is_none")]
    string_value: Option<String>,
    /// Base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    binary_value: Option<String>,
    data_type: Option<String>,
    #[serde(default, skip_serializing)]
    string_list_values: Option<Vec<String>>,
    #[serde(default, skip_serializing)]
    binary_list_values: Option<Vec<String>>,
}

/// As requests carry them.
pub(super) type WireAttributes = BTreeMap<String, WireAttribute>;

const MOST: usize = 10;

/// Checks and converts a message's attributes.
pub(super) fn read(attributes: Option<WireAttributes>) -> Result<MessageAttributes, JsonError> {
    let attributes = attributes.unwrap_or_default();
    if attributes.len() > MOST {
        return Err(error::parameter(format!(
            "Number of message attributes [{}] exceeds the allowed maximum [{MOST}].",
            attributes.len()
        )));
    }
    attributes
        .into_iter()
        .map(|(name, attribute)| {
            let lists = [&attribute.string_list_values, &attribute.binary_list_values];
            if lists.into_iter().flatten().any(|list| !list.is_empty()) {
                return Err(error::parameter(format!(
                    "Message attribute list values in the message attribute '{name}' are not supported."
                )));
            }
            let binary = attribute
                .binary_value
                .map(|text| STANDARD.decode(text))
                .transpose()
                .map_err(|_| JsonError::serialization(format!("BinaryValue of '{name}' is not base64")))?;
            let built = build(&name, attribute.data_type, attribute.string_value, binary)
                .map_err(|fault| error::parameter(fault.to_string()))?;
            Ok((name, built))
        })
        .collect()
}

/// The wire form of one attribute.
pub(super) fn write(attribute: &MessageAttribute) -> WireAttribute {
    let (string_value, binary_value) = match &attribute.value {
        AttributeValue::String(text) => (Some(text.clone()), None),
        AttributeValue::Binary(bytes) => (None, Some(STANDARD.encode(bytes))),
    };
    WireAttribute {
        string_value,
        binary_value,
        data_type: Some(attribute.data_type.clone()),
        ..WireAttribute::default()
    }
}

/// `MessageSystemAttributes`: only `AWSTraceHeader` exists.
pub(super) fn trace_header(
    attributes: Option<WireAttributes>,
) -> Result<Option<MessageAttribute>, JsonError> {
    let mut found = None;
    for (name, attribute) in attributes.unwrap_or_default() {
        if name != "AWSTraceHeader" || attribute.data_type.as_deref() != Some("String") {
            return Err(error::parameter(format!(
                "Message system attribute name '{name}' is invalid: only AWSTraceHeader of type String is supported."
            )));
        }
        let built = build(
            "TraceHeader",
            attribute.data_type,
            attribute.string_value,
            None,
        )
        .map_err(|fault| error::parameter(fault.to_string()))?;
        found = Some(built);
    }
    Ok(found)
}

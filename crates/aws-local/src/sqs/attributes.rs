//! GetQueueAttributes, SetQueueAttributes.

use engine::Attributes;
use serde::{Deserialize, Serialize};

use super::{Sqs, error};
use crate::protocol::json::{JsonError, JsonRequest, answer, no_content};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetQueueAttributesRequest {
    queue_url: Option<String>,
    #[serde(default)]
    attribute_names: Option<Vec<String>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct GetQueueAttributesResult {
    #[serde(skip_serializing_if = "Attributes::is_empty")]
    attributes: Attributes,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SetQueueAttributesRequest {
    queue_url: Option<String>,
    attributes: Option<Attributes>,
}

/// What may be asked for. Those that a queue does not have are left out of the answer.
const NAMES: [&str; 22] = [
    "All",
    "Policy",
    "VisibilityTimeout",
    "MaximumMessageSize",
    "MessageRetentionPeriod",
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "CreatedTimestamp",
    "LastModifiedTimestamp",
    "QueueArn",
    "ApproximateNumberOfMessagesDelayed",
    "DelaySeconds",
    "ReceiveMessageWaitTimeSeconds",
    "RedrivePolicy",
    "FifoQueue",
    "ContentBasedDeduplication",
    "KmsMasterKeyId",
    "KmsDataKeyReusePeriodSeconds",
    "DeduplicationScope",
    "FifoThroughputLimit",
    "RedriveAllowPolicy",
    "SqsManagedSseEnabled",
];

impl Sqs {
    pub(super) fn get_queue_attributes(&self, request: &JsonRequest) -> Result<Vec<u8>, JsonError> {
        let request: GetQueueAttributesRequest = request.parse()?;
        let name = self.name_in(request.queue_url.as_deref())?;
        let mut attributes = self.queues.attributes(name).map_err(error::from_engine)?;
        let wanted = request.attribute_names.unwrap_or_default();
        if let Some(unknown) = wanted.iter().find(|name| !NAMES.contains(&name.as_str())) {
            return Err(error::modelled(
                "InvalidAttributeName",
                format!("Unknown Attribute {unknown}."),
            ));
        }
        attributes.retain(|name, _| {
            wanted
                .iter()
                .any(|wanted| wanted == "All" || wanted == name)
        });
        answer(&GetQueueAttributesResult { attributes })
    }

    pub(super) async fn set_queue_attributes(
        &self,
        request: &JsonRequest,
    ) -> Result<Vec<u8>, JsonError> {
        let request: SetQueueAttributesRequest = request.parse()?;
        let name = self.name_in(request.queue_url.as_deref())?;
        let attributes = request
            .attributes
            .filter(|attributes| !attributes.is_empty())
            .ok_or_else(|| error::missing("Attribute.Name"))?;
        if let Some(name) = attributes.keys().find(|name| *name == "FifoQueue") {
            return Err(error::modelled(
                "InvalidAttributeName",
                format!("Unknown Attribute {name}."),
            ));
        }
        self.queues
            .set_attributes(name, attributes)
            .await
            .map_err(error::from_engine)?;
        no_content()
    }
}

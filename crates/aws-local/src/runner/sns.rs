//! `sns:publish` and `sns:publish.waitForTaskToken`.

use std::collections::BTreeMap;

use engine::{TaskOutcome, TaskRun};
use futures::{FutureExt, future::BoxFuture};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{
    Integration, action_of, called, cause, failed, metadata::with_metadata, not_startable,
    parameters,
};
use crate::{
    attributes::build,
    protocol::{new_request_id, query::QueryError},
    sns::{NAMESPACE, PublicationRequest, Sns, invalid_attribute},
};

/// Codes whose exception has another name than the code with `Exception` behind it; codes that the SDK behind Step Functions
/// does not know are `AmazonSNSException`.
const NAMED: [(&str, &str); 4] = [
    ("NotFound", "NotFoundException"),
    ("InvalidParameter", "InvalidParameterException"),
    ("ParameterValueInvalid", "InvalidParameterValueException"),
    ("InternalFailure", "InternalErrorException"),
];

/// Publishes for Task states.
pub struct SnsIntegration {
    sns: Sns,
    public_url: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Publish {
    topic_arn: Option<String>,
    target_arn: Option<String>,
    #[serde(default)]
    message_attributes: Option<BTreeMap<String, Attribute>>,
    #[serde(flatten)]
    request: PublicationRequest,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Attribute {
    data_type: Option<String>,
    string_value: Option<String>,
    /// Base64.
    binary_value: Option<String>,
}

impl SnsIntegration {
    /// Over the service; `public_url` goes into the links of notifications.
    pub fn new(sns: Sns, public_url: impl Into<String>) -> SnsIntegration {
        SnsIntegration {
            sns,
            public_url: public_url.into(),
        }
    }
}

impl Integration for SnsIntegration {
    fn run(&self, task: TaskRun) -> BoxFuture<'static, TaskOutcome> {
        let (sns, public_url) = (self.sns.clone(), self.public_url.clone());
        async move {
            publish(&sns, &public_url, &task)
                .await
                .unwrap_or_else(|failure| failure)
        }
        .boxed()
    }

    fn supports(&self, resource: &asl::Resource) -> Result<(), String> {
        super::only(resource, "publish", super::AT_ONCE)
    }
}

async fn publish(sns: &Sns, public_url: &str, task: &TaskRun) -> Result<TaskOutcome, TaskOutcome> {
    let (action, waits) = action_of(task)?;
    if action != "publish" {
        return Err(failed(
            "States.Runtime",
            format!("SNS has no action {action} for tasks."),
        ));
    }
    if task.request.parameters.value().get("Message").is_none() {
        return Err(not_startable(
            task,
            "The field 'Message' is required but was missing",
        ));
    }
    let given: Publish = parameters(task, &["Message"])?;
    let Some(topic) = given.topic_arn.or(given.target_arn) else {
        return Err(not_startable(
            task,
            "The field 'TopicArn' is required but was missing",
        ));
    };
    let request_id = new_request_id();
    let refuse = |error: QueryError| failure(&error, &request_id);

    let mut request = given.request;
    for (name, attribute) in given.message_attributes.unwrap_or_default() {
        let attribute = read(&name, attribute).map_err(refuse)?;
        request.attributes.insert(name, attribute);
    }
    let mut publication = request.check().map_err(refuse)?;
    publication.effect = Some(task.effect());
    let message_id = publication.message_id.clone();
    sns.publish(&topic, vec![publication], public_url)
        .await
        .map_err(refuse)?;

    let length = length_of_answer(&message_id, &request_id);
    let answer = Map::from_iter([("MessageId".to_owned(), Value::String(message_id))]);
    Ok(called(
        with_metadata(answer, &request_id, "text/xml", length),
        waits,
    ))
}

fn read(name: &str, attribute: Attribute) -> Result<engine::MessageAttribute, QueryError> {
    let binary = attribute
        .binary_value
        .map(|text| base64::Engine::decode(&base64::engine::general_purpose::STANDARD, text))
        .transpose()
        .map_err(|_| {
            invalid_attribute(format!(
                "BinaryValue of the message attribute '{name}' is not base64."
            ))
        })?;
    build(name, attribute.data_type, attribute.string_value, binary)
        .map_err(|fault| invalid_attribute(fault.to_string()))
}

/// AWS indents its XML, so its answer is longer than ours.
pub(crate) fn length_of_answer(message_id: &str, request_id: &str) -> usize {
    format!(
        "<PublishResponse xmlns=\"{NAMESPACE}\">\n  <PublishResult>\n    <MessageId>{message_id}</MessageId>\n  </PublishResult>\n  \
         <ResponseMetadata>\n    <RequestId>{request_id}</RequestId>\n  </ResponseMetadata>\n</PublishResponse>\n"
    )
    .len()
}

fn failure(error: &QueryError, request_id: &str) -> TaskOutcome {
    let name = NAMED
        .iter()
        .find(|(code, _)| *code == error.code)
        .map_or("AmazonSNSException", |(_, name)| name);
    failed(
        format!("SNS.{name}"),
        cause(
            &error.message,
            "AmazonSNS",
            error.status.as_u16(),
            &error.code,
            request_id,
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_recorded_answer_has_294_bytes() {
        let id = new_request_id();
        assert_eq!(length_of_answer(&id, &id), 294);
    }
}

//! CreateTopic, DeleteTopic, ListTopics, GetTopicAttributes, SetTopicAttributes.

use std::sync::Arc;

use serde::Serialize;
use serde_json::json;

use super::{
    Sns, check_arn, not_found, page,
    settings::{Attributes, check_topic_attribute},
    store::Topic,
    tags,
};
use crate::protocol::query::{Entries, Form, Members, QueryError, result};

#[derive(Serialize)]
struct TopicArn {
    #[serde(rename = "TopicArn")]
    topic_arn: String,
}

impl Sns {
    pub(super) async fn create_topic(&self, form: &Form) -> Result<String, QueryError> {
        let name = form.required("Name")?;
        let valid = (1..=256).contains(&name.len())
            && name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
        if name.ends_with(".fifo") {
            check_topic_attribute("FifoTopic", "true")?;
        }
        if !valid {
            return Err(QueryError::invalid_parameter("Topic Name"));
        }
        let mut attributes: Attributes = form.map("Attributes").into_iter().collect();
        for (name, value) in &attributes {
            check_topic_attribute(name, value)?;
        }
        attributes.remove("FifoTopic");
        let tags = tags::read(form)?;
        let arn = self.topic_arn(name);

        let _alone = self.store.alone().await;
        let existing = self.store.read().topics.get(&arn).cloned();
        match existing {
            Some(topic) => {
                let differs =
                    |(name, value): (&String, &String)| topic.attributes.get(name) != Some(value);
                if attributes.iter().any(differs) {
                    return Err(QueryError::invalid_parameter(
                        "Attributes Reason: Topic already exists with different attributes",
                    ));
                }
                if !tags.is_empty() && tags != topic.tags {
                    return Err(QueryError::invalid_parameter(
                        "Tags Reason: Topic already exists with different tags",
                    ));
                }
            }
            None => self
                .store
                .put_topic(Topic {
                    arn: arn.clone(),
                    attributes,
                    tags,
                })
                .await
                .map_err(|error| QueryError::storage(&error))?,
        }
        result("CreateTopic", &TopicArn { topic_arn: arn })
    }

    /// Succeeds also where there is no such topic, as AWS.
    pub(super) async fn delete_topic(&self, form: &Form) -> Result<String, QueryError> {
        let arn = form.required("TopicArn")?;
        check_arn("TopicArn", arn)?;
        let _alone = self.store.alone().await;
        self.store
            .delete_topic(arn)
            .await
            .map_err(|error| QueryError::storage(&error))?;
        Ok(String::new())
    }

    pub(super) fn list_topics(&self, form: &Form) -> Result<String, QueryError> {
        #[derive(Serialize)]
        #[serde(rename_all = "PascalCase")]
        struct ListTopicsResult {
            topics: Members<TopicArn>,
            #[serde(skip_serializing_if = "Option::is_none")]
            next_token: Option<String>,
        }
        let state = self.store.read();
        let arns = state.topics.keys().map(|arn| {
            (
                arn.clone(),
                TopicArn {
                    topic_arn: arn.clone(),
                },
            )
        });
        let (topics, next_token) = page(form, arns);
        let topics = topics.into_iter().collect();
        result("ListTopics", &ListTopicsResult { topics, next_token })
    }

    pub(super) fn get_topic_attributes(&self, form: &Form) -> Result<String, QueryError> {
        let topic = self.topic_in(form, "TopicArn")?;
        let confirmed = self.store.read().subscriptions_of(&topic.arn).count();
        let name = topic.arn.rsplit(':').next().unwrap_or_default();
        let mut attributes: Attributes = [
            ("TopicArn", topic.arn.clone()),
            ("Owner", self.account.clone()),
            ("DisplayName", String::new()),
            ("SubscriptionsConfirmed", confirmed.to_string()),
            ("SubscriptionsPending", "0".to_owned()),
            ("SubscriptionsDeleted", "0".to_owned()),
            ("Policy", self.default_policy(&self.topic_arn(name))),
            ("EffectiveDeliveryPolicy", default_delivery_policy()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
        attributes.extend(topic.attributes.clone());
        answer_attributes("GetTopicAttributes", attributes)
    }

    pub(super) async fn set_topic_attributes(&self, form: &Form) -> Result<String, QueryError> {
        let name = form.required("AttributeName")?;
        let value = form.get("AttributeValue").unwrap_or_default();
        check_topic_attribute(name, value)?;
        let _alone = self.store.alone().await;
        let mut topic = Topic::clone(&*self.topic_in(form, "TopicArn")?);
        topic.attributes.insert(name.to_owned(), value.to_owned());
        self.store
            .put_topic(topic)
            .await
            .map_err(|error| QueryError::storage(&error))?;
        Ok(String::new())
    }

    /// The topic that a parameter names.
    pub(super) fn topic_in(&self, form: &Form, parameter: &str) -> Result<Arc<Topic>, QueryError> {
        let arn = form.required(parameter)?;
        check_arn(parameter, arn)?;
        self.topic(arn)
    }

    pub(super) fn topic(&self, arn: &str) -> Result<Arc<Topic>, QueryError> {
        let topic = self.store.read().topics.get(arn).cloned();
        topic.ok_or_else(|| not_found("Topic"))
    }

    /// What AWS gives a topic that none was set for: everything for its owner.
    fn default_policy(&self, arn: &str) -> String {
        let actions = [
            "GetTopicAttributes",
            "SetTopicAttributes",
            "AddPermission",
            "RemovePermission",
            "DeleteTopic",
            "Subscribe",
            "ListSubscriptionsByTopic",
            "Publish",
        ]
        .map(|action| format!("SNS:{action}"));
        json!({
            "Version": "2008-10-17",
            "Id": "__default_policy_ID",
            "Statement": [{
                "Sid": "__default_statement_ID",
                "Effect": "Allow",
                "Principal": {"AWS": "*"},
                "Action": actions,
                "Resource": arn,
                "Condition": {"StringEquals": {"AWS:SourceOwner": self.account}},
            }],
        })
        .to_string()
    }
}

/// `GetTopicAttributes` and `GetSubscriptionAttributes` answer alike.
pub(super) fn answer_attributes(
    action: &str,
    attributes: Attributes,
) -> Result<String, QueryError> {
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct GetAttributesResult {
        attributes: Entries,
    }
    let attributes = attributes.into_iter().collect();
    result(action, &GetAttributesResult { attributes })
}

fn default_delivery_policy() -> String {
    json!({"http": {
        "defaultHealthyRetryPolicy": {
            "minDelayTarget": 20, "maxDelayTarget": 20, "numRetries": 3, "numMaxDelayRetries": 0,
            "numNoDelayRetries": 0, "numMinDelayRetries": 0, "backoffFunction": "linear",
        },
        "disableSubscriptionOverrides": false,
        "defaultRequestPolicy": {"headerContentType": "text/plain; charset=UTF-8"},
    }})
    .to_string()
}

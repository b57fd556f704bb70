//! Subscribe, Unsubscribe, ListSubscriptions, ListSubscriptionsByTopic, Get- and SetSubscriptionAttributes.

use std::sync::Arc;

use engine::QueueArn;
use serde::Serialize;
use uuid::Uuid;

use super::{
    Sns, check_arn, not_found, page,
    settings::{Attributes, SubscriptionSettings},
    store::{Protocol, Subscription, SubscriptionRecord},
    topics::answer_attributes,
};
use crate::protocol::query::{Form, Members, QueryError, result};

/// Attributes that an empty value removes.
const REMOVABLE: [&str; 3] = ["FilterPolicy", "RedrivePolicy", "DeliveryPolicy"];

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ListedSubscription {
    subscription_arn: String,
    owner: String,
    protocol: &'static str,
    endpoint: String,
    topic_arn: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ListSubscriptionsResult {
    subscriptions: Members<ListedSubscription>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

impl Sns {
    /// The same endpoint again gives the subscription it has; mail addresses need no confirmation here.
    pub(super) async fn subscribe(&self, form: &Form) -> Result<String, QueryError> {
        #[derive(Serialize)]
        #[serde(rename_all = "PascalCase")]
        struct SubscribeResult<'a> {
            subscription_arn: &'a str,
        }
        let topic = self.topic_in(form, "TopicArn")?;
        let protocol = protocol(form.required("Protocol")?)?;
        let endpoint = form.required("Endpoint")?;
        check_endpoint(protocol, endpoint)?;
        let mut attributes: Attributes = form.map("Attributes").into_iter().collect();
        attributes.retain(|name, value| !(value.is_empty() && REMOVABLE.contains(&name.as_str())));
        let settings = SubscriptionSettings::parse(&attributes)?;

        let _alone = self.store.alone().await;
        let existing = self
            .store
            .read()
            .subscriptions_of(&topic.arn)
            .find(|subscription| {
                subscription.record.protocol == protocol && subscription.record.endpoint == endpoint
            })
            .cloned();
        let arn = match existing {
            Some(subscription) if attributes.is_empty() || subscription.settings == settings => {
                subscription.record.arn.clone()
            }
            Some(_) => {
                return Err(QueryError::invalid_parameter(
                    "Attributes Reason: Subscription already exists with different attributes",
                ));
            }
            None => {
                let arn = format!("{}:{}", topic.arn, Uuid::new_v4());
                let record = SubscriptionRecord {
                    arn: arn.clone(),
                    topic_arn: topic.arn.clone(),
                    protocol,
                    endpoint: endpoint.to_owned(),
                    attributes,
                };
                self.put(Subscription { record, settings }).await?;
                arn
            }
        };
        result(
            "Subscribe",
            &SubscribeResult {
                subscription_arn: &arn,
            },
        )
    }

    /// Succeeds also where there is no such subscription, as AWS.
    pub(super) async fn unsubscribe(&self, form: &Form) -> Result<String, QueryError> {
        let arn = form.required("SubscriptionArn")?;
        check_arn("SubscriptionArn", arn)?;
        let _alone = self.store.alone().await;
        self.store
            .delete_subscription(arn)
            .await
            .map_err(|error| QueryError::storage(&error))?;
        Ok(String::new())
    }

    pub(super) fn list_subscriptions(&self, form: &Form) -> Result<String, QueryError> {
        let all: Vec<_> = self.store.read().subscriptions.values().cloned().collect();
        self.list("ListSubscriptions", form, all)
    }

    pub(super) fn list_subscriptions_by_topic(&self, form: &Form) -> Result<String, QueryError> {
        let topic = self.topic_in(form, "TopicArn")?;
        let of_topic: Vec<_> = self
            .store
            .read()
            .subscriptions_of(&topic.arn)
            .cloned()
            .collect();
        self.list("ListSubscriptionsByTopic", form, of_topic)
    }

    pub(super) fn get_subscription_attributes(&self, form: &Form) -> Result<String, QueryError> {
        let subscription = self.subscription_in(form)?;
        let SubscriptionRecord {
            arn,
            topic_arn,
            protocol,
            endpoint,
            attributes,
        } = &subscription.record;
        let mut shown: Attributes = [
            ("SubscriptionArn", arn.clone()),
            ("TopicArn", topic_arn.clone()),
            ("Protocol", protocol.name().to_owned()),
            ("Endpoint", endpoint.clone()),
            ("Owner", self.account.clone()),
            ("ConfirmationWasAuthenticated", "true".to_owned()),
            ("PendingConfirmation", "false".to_owned()),
            ("RawMessageDelivery", "false".to_owned()),
            (
                "SubscriptionPrincipal",
                format!("arn:aws:iam::{}:root", self.account),
            ),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
        if attributes.contains_key("FilterPolicy") {
            shown.insert(
                "FilterPolicyScope".to_owned(),
                "MessageAttributes".to_owned(),
            );
        }
        shown.extend(attributes.clone());
        answer_attributes("GetSubscriptionAttributes", shown)
    }

    pub(super) async fn set_subscription_attributes(
        &self,
        form: &Form,
    ) -> Result<String, QueryError> {
        let name = form.required("AttributeName")?;
        let value = form.get("AttributeValue").unwrap_or_default();
        let _alone = self.store.alone().await;
        let subscription = self.subscription_in(form)?;
        let mut record = subscription.record.clone();
        if value.is_empty() && REMOVABLE.contains(&name) {
            record.attributes.remove(name);
        } else {
            record.attributes.insert(name.to_owned(), value.to_owned());
        }
        let settings = SubscriptionSettings::parse(&record.attributes)?;
        self.put(Subscription { record, settings }).await?;
        Ok(String::new())
    }

    async fn put(&self, subscription: Subscription) -> Result<(), QueryError> {
        self.store
            .put_subscription(subscription)
            .await
            .map_err(|error| QueryError::storage(&error))
    }

    fn subscription_in(&self, form: &Form) -> Result<Arc<Subscription>, QueryError> {
        let arn = form.required("SubscriptionArn")?;
        check_arn("SubscriptionArn", arn)?;
        let subscription = self.store.read().subscriptions.get(arn).cloned();
        subscription.ok_or_else(|| not_found("Subscription"))
    }

    fn list(
        &self,
        action: &str,
        form: &Form,
        subscriptions: Vec<Arc<Subscription>>,
    ) -> Result<String, QueryError> {
        let listed = subscriptions.into_iter().map(|subscription| {
            let record = &subscription.record;
            let listed = ListedSubscription {
                subscription_arn: record.arn.clone(),
                owner: self.account.clone(),
                protocol: record.protocol.name(),
                endpoint: record.endpoint.clone(),
                topic_arn: record.topic_arn.clone(),
            };
            (record.arn.clone(), listed)
        });
        let (subscriptions, next_token) = page(form, listed);
        let subscriptions = subscriptions.into_iter().collect();
        result(
            action,
            &ListSubscriptionsResult {
                subscriptions,
                next_token,
            },
        )
    }
}

fn protocol(name: &str) -> Result<Protocol, QueryError> {
    match name {
        "sqs" => Ok(Protocol::Sqs),
        "email" => Ok(Protocol::Email),
        "http" | "https" | "email-json" | "sms" | "application" | "lambda" | "firehose" => {
            Err(QueryError::invalid_parameter(format!(
                "Protocol Reason: {name} is not supported by this endpoint. Use sqs or email."
            )))
        }
        other => Err(QueryError::invalid_parameter(format!(
            "Amazon SNS does not support this protocol string: {other}"
        ))),
    }
}

fn check_endpoint(protocol: Protocol, endpoint: &str) -> Result<(), QueryError> {
    match protocol {
        Protocol::Sqs if endpoint.ends_with(".fifo") => Err(QueryError::invalid_parameter(
            "Invalid parameter: Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS topics",
        )),
        Protocol::Sqs if QueueArn::parse(endpoint).is_none() => {
            Err(QueryError::invalid_parameter("SQS endpoint ARN"))
        }
        Protocol::Email if !is_mail_address(endpoint) => {
            Err(QueryError::invalid_parameter("Email address"))
        }
        Protocol::Sqs | Protocol::Email => Ok(()),
    }
}

fn is_mail_address(text: &str) -> bool {
    text.split_once('@').is_some_and(|(user, domain)| {
        !user.is_empty() && !domain.is_empty() && !domain.contains('@')
    }) && !text.contains(|c: char| c.is_whitespace() || c.is_control())
}

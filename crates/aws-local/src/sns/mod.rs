//! Amazon SNS (AWS Query, XML) with deliveries into queues and mails. Standard topics only.
//!
//! Topics and subscriptions are durable documents, held in memory for publishing ([`store`]). One file per family of actions;
//! the table in [`Sns::act`] is the list of what there is. [`filter`] decides which message a subscription gets,
//! [`envelope`] how it looks.
//!
//! Source: Amazon SNS API Reference.

mod delivery;
mod envelope;
mod filter;
mod publication;
mod publish;
mod settings;
mod store;
mod subscriptions;
mod tags;
mod topics;

use std::sync::Arc;

use axum::{http::StatusCode, response::Response};
use engine::{Documents, Queues, StorageError};

use crate::{
    outbox::Outbox,
    protocol::{
        query::{self, Form, QueryError},
        shielded,
    },
};

pub use filter::{FilterPolicy, PolicyError, Scope};
pub(crate) use publication::invalid_attribute;
pub use publication::{Publication, PublicationRequest};

/// The namespace of the answers, which contains the API's version.
pub const NAMESPACE: &str = "http://sns.amazonaws.com/doc/2010-03-31/";

/// The service. Cheap to clone.
#[derive(Clone)]
pub struct Sns {
    store: Arc<store::Store>,
    queues: Queues,
    outbox: Outbox,
    region: String,
    account: String,
}

impl Sns {
    /// A service over an engine's queues, with the topics and subscriptions that the documents hold.
    ///
    /// # Errors
    /// The documents cannot be read.
    pub async fn open(
        documents: Documents,
        queues: Queues,
        outbox: Outbox,
        region: impl Into<String>,
        account: impl Into<String>,
    ) -> Result<Sns, StorageError> {
        Ok(Sns {
            store: Arc::new(store::Store::open(documents).await?),
            queues,
            outbox,
            region: region.into(),
            account: account.into(),
        })
    }

    /// Answers one request; a panic is an `InternalFailure`.
    pub async fn serve(&self, form: Form, base_url: &str, request_id: &str) -> Response {
        let Some(action) = form.get("Action") else {
            return missing_action().into_response(NAMESPACE, request_id);
        };
        match shielded(request_id, self.act(action, &form, base_url)).await {
            Some(Ok(result)) => query::success(NAMESPACE, action, &result, request_id),
            Some(Err(error)) => {
                tracing::debug!(
                    request_id,
                    action,
                    code = error.code,
                    message = error.message,
                    "refused"
                );
                error.into_response(NAMESPACE, request_id)
            }
            None => QueryError::internal().into_response(NAMESPACE, request_id),
        }
    }

    /// Carries out one action; the text is its `<ActionResult>` element.
    async fn act(&self, action: &str, form: &Form, base_url: &str) -> Result<String, QueryError> {
        match action {
            "Publish" => self.publish_action(form, base_url).await,
            "PublishBatch" => self.publish_batch(form, base_url).await,
            "CreateTopic" => self.create_topic(form).await,
            "DeleteTopic" => self.delete_topic(form).await,
            "ListTopics" => self.list_topics(form),
            "GetTopicAttributes" => self.get_topic_attributes(form),
            "SetTopicAttributes" => self.set_topic_attributes(form).await,
            "Subscribe" => self.subscribe(form).await,
            "Unsubscribe" => self.unsubscribe(form).await,
            "ListSubscriptions" => self.list_subscriptions(form),
            "ListSubscriptionsByTopic" => self.list_subscriptions_by_topic(form),
            "GetSubscriptionAttributes" => self.get_subscription_attributes(form),
            "SetSubscriptionAttributes" => self.set_subscription_attributes(form).await,
            "TagResource" => self.tag_resource(form).await,
            "UntagResource" => self.untag_resource(form).await,
            "ListTagsForResource" => self.list_tags_for_resource(form),
            other => Err(QueryError::invalid_action(other)),
        }
    }

    fn topic_arn(&self, name: &str) -> String {
        format!("arn:aws:sns:{}:{}:{name}", self.region, self.account)
    }
}

fn missing_action() -> QueryError {
    QueryError::new(
        StatusCode::BAD_REQUEST,
        "MissingAction",
        "The request is missing an action or a required parameter: Action.",
    )
}

fn not_found(what: &str) -> QueryError {
    QueryError::new(
        StatusCode::NOT_FOUND,
        "NotFound",
        format!("{what} does not exist"),
    )
}

/// Checks the form of an ARN of this service; what it names may still not exist.
fn check_arn(parameter: &str, arn: &str) -> Result<(), QueryError> {
    let elements = arn.split(':').count();
    if elements < 6 {
        return Err(QueryError::invalid_parameter(format!(
            "{parameter} Reason: An ARN must have at least 6 elements, not {elements}"
        )));
    }
    if !arn.starts_with("arn:aws:sns:") {
        return Err(QueryError::invalid_parameter(format!(
            "{parameter} Reason: {arn} is not the ARN of an SNS resource"
        )));
    }
    Ok(())
}

/// The page of a list after `NextToken`, which is the key of the last item of the page before; 100 items, as AWS.
fn page<T>(form: &Form, items: impl Iterator<Item = (String, T)>) -> (Vec<T>, Option<String>) {
    const PAGE: usize = 100;
    let after = form.get("NextToken").unwrap_or_default().to_owned();
    let mut rest = items.filter(|(key, _)| *key > after);
    let page: Vec<(String, T)> = rest.by_ref().take(PAGE).collect();
    let more = rest.next().is_some();
    let token = page.last().filter(|_| more).map(|(key, _)| key.clone());
    (page.into_iter().map(|(_, item)| item).collect(), token)
}

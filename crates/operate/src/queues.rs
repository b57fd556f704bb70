//! Queues as their attributes tell them. Nothing is received.

use std::collections::HashMap;

use aws_sdk_sqs::types::QueueAttributeName;
use serde::Serialize;
use serde_json::Value;

use crate::connection::Connection;
use crate::error::{OperateError, refused};

/// A queue. Counts are SQS's own and approximate.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Queue {
    /// Its URL.
    pub url: String,
    /// The name at the end of the URL.
    pub name: String,
    /// Messages that can be received now.
    pub visible: u64,
    /// Messages that somebody has received and not yet deleted.
    pub in_flight: u64,
    /// Messages that are not visible yet.
    pub delayed: u64,
    /// How long a message is kept.
    pub kept_seconds: u64,
    /// How long a received message is hidden.
    pub visibility_seconds: u64,
    /// The name of the queue that takes messages nobody could handle.
    pub dead_letters: Option<String>,
    /// After how many receives they go there.
    pub receives: Option<u64>,
}

/// The name at the end of a queue's URL or ARN.
pub fn name_of(url: &str) -> &str {
    let end = url.rsplit('/').next().unwrap_or(url);
    end.rsplit(':').next().unwrap_or(end)
}

/// URLs of all queues.
pub async fn urls(at: &Connection) -> Result<Vec<String>, OperateError> {
    let mut pages = at
        .sqs
        .list_queues()
        .max_results(1_000)
        .into_paginator()
        .items()
        .send();
    let mut urls = Vec::new();
    while let Some(url) = pages.next().await {
        urls.push(url.map_err(refused("list the queues"))?);
    }
    Ok(urls)
}

/// One queue; `None` if it is gone.
pub async fn read(at: &Connection, url: &str) -> Result<Option<Queue>, OperateError> {
    let request = at
        .sqs
        .get_queue_attributes()
        .queue_url(url)
        .attribute_names(QueueAttributeName::All);
    match request
        .send()
        .await
        .map_err(refused(format!("read the queue {}", name_of(url))))
    {
        Ok(answer) => Ok(Some(Queue::of(url, &answer.attributes.unwrap_or_default()))),
        Err(error)
            if error
                .code()
                .is_some_and(|c| c.contains("NonExistentQueue") || c == "QueueDoesNotExist") =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

impl Queue {
    fn of(url: &str, attributes: &HashMap<QueueAttributeName, String>) -> Queue {
        let number = |name| {
            attributes
                .get(&name)
                .and_then(|v| v.parse().ok())
                .unwrap_or(0)
        };
        let policy: Value = attributes
            .get(&QueueAttributeName::RedrivePolicy)
            .and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or_default();
        let target = policy.get("deadLetterTargetArn").and_then(Value::as_str);
        // AWS takes it as a number or as a text, and gives back what it took.
        let receives = policy
            .get("maxReceiveCount")
            .and_then(|n| n.as_u64().or_else(|| n.as_str()?.parse().ok()));
        Queue {
            url: url.to_owned(),
            name: name_of(url).to_owned(),
            visible: number(QueueAttributeName::ApproximateNumberOfMessages),
            in_flight: number(QueueAttributeName::ApproximateNumberOfMessagesNotVisible),
            delayed: number(QueueAttributeName::ApproximateNumberOfMessagesDelayed),
            kept_seconds: number(QueueAttributeName::MessageRetentionPeriod),
            visibility_seconds: number(QueueAttributeName::VisibilityTimeout),
            dead_letters: target.map(|arn| name_of(arn).to_owned()),
            receives,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_is_read_from_its_attributes() {
        let attributes = HashMap::from([
            (
                QueueAttributeName::ApproximateNumberOfMessages,
                "3".to_owned(),
            ),
            (
                QueueAttributeName::RedrivePolicy,
                r#"{"deadLetterTargetArn":"arn:aws:sqs:r:0:a_dlq","maxReceiveCount":"5"}"#
                    .to_owned(),
            ),
        ]);
        let queue = Queue::of("http://h/0/a", &attributes);
        assert_eq!((queue.name.as_str(), queue.visible), ("a", 3));
        assert_eq!(
            (queue.dead_letters.as_deref(), queue.receives),
            (Some("a_dlq"), Some(5))
        );
    }
}

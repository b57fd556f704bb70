//! CreateQueue, DeleteQueue, GetQueueUrl, ListQueues, PurgeQueue, ListDeadLetterSourceQueues.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use engine::{Attributes, Queue};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Sqs, error, receive::number, tags::Tags};
use crate::protocol::json::{JsonError, JsonRequest, answer, no_content};

#[derive(Deserialize)]
struct CreateQueueRequest {
    #[serde(rename = "QueueName")]
    queue_name: Option<String>,
    #[serde(rename = "Attributes", default)]
    attributes: Option<Attributes>,
    /// Lower case in AWS's model.
    #[serde(default)]
    tags: Option<Tags>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetQueueUrlRequest {
    queue_name: Option<String>,
    #[serde(rename = "QueueOwnerAWSAccountId")]
    owner: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct QueueRequest {
    queue_url: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListRequest {
    queue_url: Option<String>,
    queue_name_prefix: Option<String>,
    next_token: Option<String>,
    max_results: Option<i64>,
}

const PAGE: usize = 1000;

impl Sqs {
    pub(super) async fn create_queue(&self, request: &JsonRequest) -> Result<Vec<u8>, JsonError> {
        let CreateQueueRequest {
            queue_name,
            attributes,
            tags,
        } = request.parse()?;
        let name = queue_name.ok_or_else(|| error::missing("QueueName"))?;
        let attributes = attributes.unwrap_or_default();
        let fifo = attributes
            .get("FifoQueue")
            .is_some_and(|value| value == "true");
        if fifo || name.ends_with(".fifo") {
            return Err(error::value(
                "QueueName",
                name,
                "FIFO queues are not supported by this endpoint. Use a standard queue.",
            ));
        }
        let existed = self.queues.get(&name).is_ok();
        let queue = self
            .queues
            .create(&name, attributes)
            .await
            .map_err(error::from_engine)?;
        if let Some(tags) = tags.filter(|tags| !existed && !tags.is_empty()) {
            self.put_tags(&queue.name, tags).await?;
        }
        answer(&json!({ "QueueUrl": self.url(&request.base_url, &queue.name) }))
    }

    pub(super) async fn delete_queue(&self, request: &JsonRequest) -> Result<Vec<u8>, JsonError> {
        let given: QueueRequest = request.parse()?;
        let name = self.name_in(given.queue_url.as_deref())?;
        self.queues.delete(name).await.map_err(error::from_engine)?;
        self.drop_tags(name).await?;
        no_content()
    }

    pub(super) fn get_queue_url(&self, request: &JsonRequest) -> Result<Vec<u8>, JsonError> {
        let given: GetQueueUrlRequest = request.parse()?;
        let name = given
            .queue_name
            .ok_or_else(|| error::missing("QueueName"))?;
        if given.owner.is_some_and(|owner| owner != self.account) {
            return Err(error::queue_does_not_exist());
        }
        let queue = self.queues.get(&name).map_err(error::from_engine)?;
        answer(&json!({ "QueueUrl": self.url(&request.base_url, &queue.name) }))
    }

    pub(super) async fn purge_queue(&self, request: &JsonRequest) -> Result<Vec<u8>, JsonError> {
        let given: QueueRequest = request.parse()?;
        let name = self.name_in(given.queue_url.as_deref())?;
        self.queues.purge(name).await.map_err(error::from_engine)?;
        no_content()
    }

    pub(super) fn list_queues(&self, request: &JsonRequest) -> Result<Vec<u8>, JsonError> {
        #[derive(Serialize)]
        #[serde(rename_all = "PascalCase")]
        struct ListQueuesResult {
            #[serde(skip_serializing_if = "Vec::is_empty")]
            queue_urls: Vec<String>,
            #[serde(skip_serializing_if = "Option::is_none")]
            next_token: Option<String>,
        }
        let given: ListRequest = request.parse()?;
        let queues = self
            .queues
            .list(given.queue_name_prefix.as_deref().unwrap_or_default());
        let (queue_urls, next_token) = self.page(&request.base_url, queues, &given)?;
        answer(&ListQueuesResult {
            queue_urls,
            next_token,
        })
    }

    pub(super) fn list_dead_letter_source_queues(
        &self,
        request: &JsonRequest,
    ) -> Result<Vec<u8>, JsonError> {
        /// Lower case `queueUrls` in AWS's model.
        #[derive(Serialize)]
        struct ListDeadLetterSourceQueuesResult {
            #[serde(rename = "queueUrls")]
            queue_urls: Vec<String>,
            #[serde(rename = "NextToken", skip_serializing_if = "Option::is_none")]
            next_token: Option<String>,
        }
        let given: ListRequest = request.parse()?;
        let name = self.name_in(given.queue_url.as_deref())?;
        let queues = self
            .queues
            .dead_letter_sources(name)
            .map_err(error::from_engine)?;
        let (queue_urls, next_token) = self.page(&request.base_url, queues, &given)?;
        answer(&ListDeadLetterSourceQueuesResult {
            queue_urls,
            next_token,
        })
    }

    /// The page after the token, which is the last name of the page before it. Without `MaxResults` AWS gives no token.
    fn page(
        &self,
        base_url: &str,
        queues: Vec<Queue>,
        given: &ListRequest,
    ) -> Result<(Vec<String>, Option<String>), JsonError> {
        let max = number(
            "MaxResults",
            given.max_results,
            1..=1000,
            "Must be between 1 and 1000, if provided.",
        )?;
        let after = match given.next_token.as_deref() {
            None => String::new(),
            Some(token) => URL_SAFE_NO_PAD
                .decode(token)
                .ok()
                .and_then(|bytes| String::from_utf8(bytes).ok())
                .ok_or_else(|| {
                    error::value("NextToken", token, "It is not a token of this list.")
                })?,
        };
        let limit = max.map_or(PAGE, |max| max as usize);
        let mut rest = queues.into_iter().filter(|queue| queue.name > after);
        let page: Vec<Queue> = rest.by_ref().take(limit).collect();
        let more = max.is_some() && rest.next().is_some();
        let token = page
            .last()
            .filter(|_| more)
            .map(|queue| URL_SAFE_NO_PAD.encode(&queue.name));
        let urls = page
            .iter()
            .map(|queue| self.url(base_url, &queue.name))
            .collect();
        Ok((urls, token))
    }
}

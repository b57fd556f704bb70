//! TagQueue, UntagQueue, ListQueueTags. Tags have no meaning here; they are kept so that tools which set them work.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Sqs, error};
use crate::protocol::json::{JsonError, JsonRequest, answer, no_content};

/// Values by key.
pub(super) type Tags = BTreeMap<String, String>;

/// Documents of this kind hold a queue's tags under its name.
const KIND: &str = "sqs-tags";

const MOST: usize = 50;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TagsRequest {
    queue_url: Option<String>,
    tags: Option<Tags>,
    tag_keys: Option<Vec<String>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ListQueueTagsResult {
    #[serde(skip_serializing_if = "Tags::is_empty")]
    tags: Tags,
}

impl Sqs {
    pub(super) async fn tag_queue(&self, request: &JsonRequest) -> Result<Vec<u8>, JsonError> {
        let request: TagsRequest = request.parse()?;
        let name = self.existing(request.queue_url.as_deref())?;
        let given = request.tags.ok_or_else(|| error::missing("Tags"))?;
        let mut tags = self.tags_of(name).await?;
        tags.extend(given);
        self.put_tags(name, tags).await?;
        no_content()
    }

    pub(super) async fn untag_queue(&self, request: &JsonRequest) -> Result<Vec<u8>, JsonError> {
        let request: TagsRequest = request.parse()?;
        let name = self.existing(request.queue_url.as_deref())?;
        let keys = request.tag_keys.ok_or_else(|| error::missing("TagKeys"))?;
        let mut tags = self.tags_of(name).await?;
        tags.retain(|key, _| !keys.contains(key));
        self.put_tags(name, tags).await?;
        no_content()
    }

    pub(super) async fn list_queue_tags(
        &self,
        request: &JsonRequest,
    ) -> Result<Vec<u8>, JsonError> {
        let request: TagsRequest = request.parse()?;
        let name = self.existing(request.queue_url.as_deref())?;
        let tags = self.tags_of(name).await?;
        answer(&ListQueueTagsResult { tags })
    }

    pub(super) async fn put_tags(&self, name: &str, tags: Tags) -> Result<(), JsonError> {
        if tags.len() > MOST {
            return Err(error::parameter(format!(
                "Too many tags added for queue {name}."
            )));
        }
        let valid = |key: &String, value: &String| {
            (1..=128).contains(&key.chars().count()) && value.chars().count() <= 256
        };
        if let Some((key, _)) = tags.iter().find(|(key, value)| !valid(key, value)) {
            return Err(error::value(
                "Tags",
                key,
                "A key has 1 to 128 characters, a value at most 256.",
            ));
        }
        self.documents
            .put(KIND, name, &tags)
            .await
            .map_err(|error| error::from_storage(&error))
    }

    pub(super) async fn drop_tags(&self, name: &str) -> Result<(), JsonError> {
        self.documents
            .delete(KIND, name)
            .await
            .map(drop)
            .map_err(|error| error::from_storage(&error))
    }

    async fn tags_of(&self, name: &str) -> Result<Tags, JsonError> {
        let tags = self.documents.get(KIND, name).await;
        Ok(tags
            .map_err(|error| error::from_storage(&error))?
            .unwrap_or_default())
    }

    fn existing<'a>(&self, url: Option<&'a str>) -> Result<&'a str, JsonError> {
        let name = self.name_in(url)?;
        self.queues.get(name).map_err(error::from_engine)?;
        Ok(name)
    }
}

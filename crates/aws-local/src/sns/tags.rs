//! TagResource, UntagResource, ListTagsForResource. Tags have no meaning here; they are kept so that tools which set them work.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use serde::Serialize;

use super::{Sns, check_arn, store::Topic};
use crate::protocol::query::{Form, Members, QueryError, result};

const MOST: usize = 50;

/// `Tags.member.N.Key` and `.Value`.
pub(super) fn read(form: &Form) -> Result<BTreeMap<String, String>, QueryError> {
    form.numbered("Tags.member")
        .iter()
        .map(|prefix| {
            let key = form.required(&format!("{prefix}.Key"))?;
            let value = form.get(&format!("{prefix}.Value")).unwrap_or_default();
            Ok((key.to_owned(), value.to_owned()))
        })
        .collect()
}

impl Sns {
    pub(super) async fn tag_resource(&self, form: &Form) -> Result<String, QueryError> {
        let given = read(form)?;
        self.change_tags(form, |tags| tags.extend(given)).await?;
        result("TagResource", &())
    }

    pub(super) async fn untag_resource(&self, form: &Form) -> Result<String, QueryError> {
        let keys = form.list("TagKeys");
        self.change_tags(form, |tags| {
            tags.retain(|key, _| !keys.contains(&key.as_str()))
        })
        .await?;
        result("UntagResource", &())
    }

    pub(super) fn list_tags_for_resource(&self, form: &Form) -> Result<String, QueryError> {
        #[derive(Serialize)]
        #[serde(rename_all = "PascalCase")]
        struct Tag {
            key: String,
            value: String,
        }
        #[derive(Serialize)]
        #[serde(rename_all = "PascalCase")]
        struct ListTagsForResourceResult {
            tags: Members<Tag>,
        }
        let topic = self.tagged(form)?;
        let tags = topic
            .tags
            .iter()
            .map(|(key, value)| Tag {
                key: key.clone(),
                value: value.clone(),
            })
            .collect();
        result("ListTagsForResource", &ListTagsForResourceResult { tags })
    }

    async fn change_tags(
        &self,
        form: &Form,
        change: impl FnOnce(&mut BTreeMap<String, String>),
    ) -> Result<(), QueryError> {
        let _alone = self.store.alone().await;
        let mut topic = self.tagged(form)?;
        change(&mut topic.tags);
        if topic.tags.len() > MOST {
            return Err(QueryError::new(
                StatusCode::BAD_REQUEST,
                "TagLimitExceeded",
                "Could not complete request: tag quota of per resource exceeded",
            ));
        }
        self.store
            .put_topic(topic)
            .await
            .map_err(|error| QueryError::storage(&error))
    }

    fn tagged(&self, form: &Form) -> Result<Topic, QueryError> {
        let arn = form.required("ResourceArn")?;
        check_arn("ResourceArn", arn)?;
        let topic = self.store.read().topics.get(arn).cloned();
        topic.map(|topic| Topic::clone(&topic)).ok_or_else(|| {
            QueryError::new(
                StatusCode::NOT_FOUND,
                "ResourceNotFound",
                "Resource does not exist",
            )
        })
    }
}

//! `TagResource`, `UntagResource`, `ListTagsForResource`: tags of state machines and activities.

use serde::{Deserialize, Serialize};

use super::validate::{ARN, Check, TAG_KEY, TAG_VALUE};
use super::{Answer, StepFunctions, arn, error};
use crate::protocol::json::{JsonError, answer, no_content};

/// The documents: resource ARN → its tags in the order they were first set.
const DOCUMENTS: &str = "states.tags";

/// The most tags a resource can have.
const MOST: usize = 50;

/// `Tag`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Tag {
    key: String,
    value: String,
}

/// `Tag` as requests carry it.
#[derive(Debug, Deserialize)]
pub(super) struct TagMember {
    key: Option<String>,
    value: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TagResource {
    resource_arn: Option<String>,
    tags: Option<Vec<TagMember>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UntagResource {
    resource_arn: Option<String>,
    tag_keys: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListTagsForResource {
    resource_arn: Option<String>,
}

#[derive(Debug, Serialize)]
struct TagList {
    tags: Vec<Tag>,
}

/// Checks the `tags` of a request.
pub(super) fn check(check: &mut Check, tags: Option<Vec<TagMember>>) -> Vec<Tag> {
    let mut checked = Vec::new();
    for (place, tag) in (1..).zip(tags.unwrap_or_default()) {
        let key = check.text(&format!("tags.{place}.member.key"), tag.key, TAG_KEY);
        let value = check.text(&format!("tags.{place}.member.value"), tag.value, TAG_VALUE);
        checked.push(Tag {
            key: key.unwrap_or_default(),
            value: value.unwrap_or_default(),
        });
    }
    checked
}

/// Puts tags over others: a key that is there gets the new value, and keeps its place.
pub(super) fn merge(tags: &mut Vec<Tag>, new: Vec<Tag>) {
    for tag in new {
        match tags.iter_mut().find(|old| old.key == tag.key) {
            Some(old) => old.value = tag.value,
            None => tags.push(tag),
        }
    }
}

/// The step that stores the tags of a resource.
pub(super) fn put(arn: &str, tags: &[Tag]) -> Result<engine::Change, JsonError> {
    if tags.len() > MOST {
        return Err(error::too_many_tags(arn));
    }
    engine::Change::put(DOCUMENTS, arn, &tags).map_err(|error| error::storage(&error))
}

/// The step that removes the tags of a resource.
pub(super) fn delete(arn: &str) -> engine::Change {
    engine::Change::delete(DOCUMENTS, arn)
}

impl StepFunctions {
    pub(super) async fn tag_resource(&self, request: TagResource) -> Answer {
        let mut rules = Check::default();
        let resource = rules.required("resourceArn", request.resource_arn, ARN);
        if request.tags.is_none() {
            rules.missing("tags");
        }
        let new = check(&mut rules, request.tags);
        rules.done()?;
        let _alone = self.administration.lock().await;
        self.check_taggable(&resource).await?;
        let mut tags = self.tags(&resource).await?;
        merge(&mut tags, new);
        self.change(vec![put(&resource, &tags)?]).await?;
        no_content()
    }

    pub(super) async fn untag_resource(&self, request: UntagResource) -> Answer {
        let mut rules = Check::default();
        let resource = rules.required("resourceArn", request.resource_arn, ARN);
        if request.tag_keys.is_none() {
            rules.missing("tagKeys");
        }
        let mut keys = Vec::new();
        for (place, key) in (1..).zip(request.tag_keys.unwrap_or_default()) {
            keys.extend(rules.text(&format!("tagKeys.{place}.member"), Some(key), TAG_KEY));
        }
        rules.done()?;
        let _alone = self.administration.lock().await;
        self.check_taggable(&resource).await?;
        let mut tags = self.tags(&resource).await?;
        tags.retain(|tag| !keys.contains(&tag.key));
        self.change(vec![put(&resource, &tags)?]).await?;
        no_content()
    }

    pub(super) async fn list_tags_for_resource(&self, request: ListTagsForResource) -> Answer {
        let mut rules = Check::default();
        let resource = rules.required("resourceArn", request.resource_arn, ARN);
        rules.done()?;
        self.check_taggable(&resource).await?;
        let tags = self.tags(&resource).await?;
        answer(&TagList { tags })
    }

    async fn tags(&self, resource: &str) -> Result<Vec<Tag>, JsonError> {
        Ok(self
            .document(DOCUMENTS, resource)
            .await?
            .unwrap_or_default())
    }

    /// Only state machines (not their versions or aliases) and activities have tags.
    async fn check_taggable(&self, resource: &str) -> Result<(), JsonError> {
        let exists = match arn::kind(resource)? {
            "stateMachine" => self.machine(resource).is_ok(),
            "activity" => self.activity(resource).await?.is_some(),
            _ => false,
        };
        if exists {
            Ok(())
        } else {
            Err(error::tagged_resource_not_found(resource))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_value_of_a_key_counts() {
        let tag = |key: &str, value: &str| Tag {
            key: key.into(),
            value: value.into(),
        };
        let mut tags = vec![tag("a", "1")];
        merge(&mut tags, vec![tag("b", "1"), tag("a", "2"), tag("b", "3")]);
        assert_eq!(tags, [tag("a", "2"), tag("b", "3")]);
    }
}

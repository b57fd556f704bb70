//! `CreateActivity`, `DescribeActivity`, `ListActivities`, `DeleteActivity`.
//!
//! An activity is a name under which workers ask for tasks.

use engine::{Documents, StorageError};
use serde::{Deserialize, Serialize};

use super::configuration::{Encryption, EncryptionMember};
use super::page::Asked;
use super::tags::{self, TagMember};
use super::validate::{self, ARN, Check, NAME, PAGE_TOKEN};
use super::{Answer, StepFunctions, arn, error, seconds};
use crate::protocol::json::{JsonError, answer, no_content};

/// The documents: activity ARN → activity.
const DOCUMENTS: &str = "states.activity";

/// An activity.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Activity {
    name: String,
    created: asl::Millis,
    encryption: Encryption,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CreateActivity {
    name: Option<String>,
    tags: Option<Vec<TagMember>>,
    encryption_configuration: Option<EncryptionMember>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Created<'a> {
    activity_arn: &'a str,
    creation_date: f64,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NamedActivity {
    activity_arn: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Described {
    activity_arn: String,
    creation_date: f64,
    encryption_configuration: Encryption,
    name: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListActivities {
    max_results: Option<i64>,
    next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ActivityList {
    activities: Vec<Listed>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    activity_arn: String,
    creation_date: f64,
    name: String,
}

impl StepFunctions {
    /// Idempotent: the same name answers with the first creation, as long as the encryption is the same.
    pub(super) async fn create_activity(&self, request: CreateActivity) -> Answer {
        let mut check = Check::default();
        let name = check.required("name", request.name, NAME);
        let tags = tags::check(&mut check, request.tags);
        let encryption = request
            .encryption_configuration
            .map(|member| member.check(&mut check))
            .unwrap_or_default();
        check.done()?;
        if !validate::is_name(&name) {
            return Err(error::invalid_name(&name));
        }
        encryption.check_rules()?;
        let arn = format!(
            "arn:aws:states:{}:{}:activity:{name}",
            self.engine.region(),
            self.engine.account()
        );
        let _alone = self.administration.lock().await;
        if let Some(old) = self.activity(&arn).await? {
            if old.encryption != encryption {
                return Err(error::activity_already_exists(&arn));
            }
            return answer(&Created {
                activity_arn: &arn,
                creation_date: seconds(old.created),
            });
        }
        let activity = Activity {
            name,
            created: self.engine.now(),
            encryption,
        };
        let mut merged = Vec::new();
        tags::merge(&mut merged, tags);
        let steps = vec![
            super::put(DOCUMENTS, &arn, &activity)?,
            tags::put(&arn, &merged)?,
        ];
        self.change(steps).await?;
        answer(&Created {
            activity_arn: &arn,
            creation_date: seconds(activity.created),
        })
    }

    pub(super) async fn describe_activity(&self, request: NamedActivity) -> Answer {
        let arn = request.check()?;
        let activity = self
            .activity(&arn)
            .await?
            .ok_or_else(|| error::activity_does_not_exist(&arn))?;
        answer(&Described {
            activity_arn: arn,
            creation_date: seconds(activity.created),
            encryption_configuration: activity.encryption,
            name: activity.name,
        })
    }

    pub(super) async fn list_activities(&self, request: ListActivities) -> Answer {
        let mut check = Check::default();
        let asked = Asked::check(
            &mut check,
            request.max_results,
            request.next_token,
            PAGE_TOKEN,
        );
        check.done()?;
        let page = asked.of(&["ListActivities"])?;
        let all = self.engine.documents().list::<Activity>(DOCUMENTS).await;
        let all = all.map_err(|error| error::storage(&error))?;
        let (activities, next_token) = page.cut(all, |(arn, _)| arn.clone());
        let listed = |(activity_arn, activity): (String, Activity)| Listed {
            activity_arn,
            creation_date: seconds(activity.created),
            name: activity.name,
        };
        answer(&ActivityList {
            activities: activities.into_iter().map(listed).collect(),
            next_token,
        })
    }

    /// Idempotent: there may be no such activity.
    pub(super) async fn delete_activity(&self, request: NamedActivity) -> Answer {
        let arn = request.check()?;
        let _alone = self.administration.lock().await;
        self.change(vec![
            engine::Change::delete(DOCUMENTS, &arn),
            tags::delete(&arn),
        ])
        .await?;
        no_content()
    }

    pub(super) async fn activity(&self, arn: &str) -> Result<Option<Activity>, JsonError> {
        self.document(DOCUMENTS, arn).await
    }
}

/// Whether there is such an activity.
pub(super) async fn exists(documents: &Documents, arn: &str) -> Result<bool, StorageError> {
    let found: Option<Activity> = documents.get(DOCUMENTS, arn).await?;
    Ok(found.is_some())
}

impl NamedActivity {
    fn check(self) -> Result<String, JsonError> {
        let mut check = Check::default();
        let arn = check.required("activityArn", self.activity_arn, ARN);
        check.done()?;
        arn::activity(&arn)?;
        Ok(arn)
    }
}

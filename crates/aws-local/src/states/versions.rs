//! `PublishStateMachineVersion`, `ListStateMachineVersions`, `DeleteStateMachineVersion`: numbered, immutable names of revisions.
//!
//! A version is a document that names a revision; the revision's content is kept by the engine.

use serde::{Deserialize, Serialize};

use super::arn::{MachineArn, Qualifier};
use super::page::Asked;
use super::validate::{ARN, Check, DESCRIPTION, LONG_ARN, PAGE_TOKEN};
use super::{Answer, StepFunctions, error, seconds};
use crate::protocol::json::{JsonError, answer, no_content};

/// The documents: machine ARN and number → version.
const DOCUMENTS: &str = "states.version";

/// The most versions a state machine can have.
const MOST: usize = 1000;

/// A published version.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Version {
    pub(super) number: u64,
    /// The id of the revision it names.
    pub(super) revision: String,
    pub(super) description: Option<String>,
    pub(super) created: asl::Millis,
}

/// What the wire remembers of a state machine, beside what the engine knows.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Publication {
    /// Whether it was created with `publish`: part of what makes a repeated creation the same.
    pub(super) published: bool,
    /// The `versionDescription` of its creation.
    pub(super) description: Option<String>,
    /// Numbers are not given twice, also if a version is deleted.
    pub(super) last_number: u64,
}

/// The documents: machine ARN → publication.
const PUBLICATIONS: &str = "states.publication";

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PublishStateMachineVersion {
    state_machine_arn: Option<String>,
    revision_id: Option<String>,
    description: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Published {
    creation_date: f64,
    state_machine_version_arn: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListStateMachineVersions {
    state_machine_arn: Option<String>,
    next_token: Option<String>,
    max_results: Option<i64>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct VersionList {
    state_machine_versions: Vec<Published>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DeleteStateMachineVersion {
    state_machine_version_arn: Option<String>,
}

impl Version {
    pub(super) fn arn(&self, machine: &str) -> String {
        format!("{machine}:{}", self.number)
    }

    fn published(&self, machine: &str) -> Published {
        Published {
            creation_date: seconds(self.created),
            state_machine_version_arn: self.arn(machine),
        }
    }
}

/// The step that remembers how a machine was created.
pub(super) fn put_publication(
    machine: &str,
    published: bool,
    description: Option<&str>,
) -> Result<engine::Change, JsonError> {
    let publication = Publication {
        published,
        description: description.map(str::to_owned),
        last_number: 0,
    };
    super::put(PUBLICATIONS, machine, &publication)
}

/// Keys sort as the numbers do, the newest first.
fn key(machine: &str, number: u64) -> String {
    format!("{machine}:{:020}", u64::MAX - number)
}

impl StepFunctions {
    pub(super) async fn publish_state_machine_version(
        &self,
        request: PublishStateMachineVersion,
    ) -> Answer {
        let mut check = Check::default();
        let arn = check.required("stateMachineArn", request.state_machine_arn, ARN);
        let description = check.text("description", request.description, DESCRIPTION);
        check.done()?;
        let machine = MachineArn::unqualified(&arn)?.machine;
        let _alone = self.administration.lock().await;
        let current = self.machine(&machine)?.revision.revision_id.clone();
        if let Some(wanted) = request.revision_id.filter(|wanted| *wanted != current) {
            return Err(error::conflict(format!(
                "Failed to publish the State Machine version for revision {wanted}. The current State Machine revision is {current}."
            )));
        }
        let version = self.publish(&machine, current, description).await?;
        answer(&version.published(&machine))
    }

    pub(super) async fn list_state_machine_versions(
        &self,
        request: ListStateMachineVersions,
    ) -> Answer {
        let mut check = Check::default();
        let arn = check.required("stateMachineArn", request.state_machine_arn, ARN);
        let asked = Asked::check(
            &mut check,
            request.max_results,
            request.next_token,
            PAGE_TOKEN,
        );
        check.done()?;
        let machine = MachineArn::unqualified(&arn)?.machine;
        let page = asked.of(&["ListStateMachineVersions", &machine])?;
        let (versions, next_token) = page.cut(self.versions(&machine).await?, |version| {
            key("", version.number)
        });
        answer(&VersionList {
            state_machine_versions: versions
                .iter()
                .map(|version| version.published(&machine))
                .collect(),
            next_token,
        })
    }

    pub(super) async fn delete_state_machine_version(
        &self,
        request: DeleteStateMachineVersion,
    ) -> Answer {
        let mut check = Check::default();
        let arn = check.required(
            "stateMachineVersionArn",
            request.state_machine_version_arn,
            LONG_ARN,
        );
        check.done()?;
        let arn = MachineArn::parse(&arn)?;
        let Qualifier::Version(number) = arn.qualifier else {
            return Err(error::invalid_arn(format!(
                "Resource type not valid in this context: {}",
                arn.qualifier
            )));
        };
        let _alone = self.administration.lock().await;
        let mut pointing: Vec<String> = self
            .aliases(&arn.machine)
            .await?
            .into_iter()
            .filter(|alias| alias.routes_to(&arn.text))
            .map(|alias| alias.name)
            .collect();
        pointing.sort_unstable();
        if !pointing.is_empty() {
            return Err(error::conflict(format!(
                "Version to be deleted must not be referenced by an alias. Current list of aliases referencing this version: [{}]",
                pointing.join(", ")
            )));
        }
        self.change(vec![engine::Change::delete(
            DOCUMENTS,
            &key(&arn.machine, number),
        )])
        .await?;
        no_content()
    }

    /// Names the current revision by a new version, or answers with the version that names it already. The caller is the
    /// only administrator.
    pub(super) async fn publish(
        &self,
        machine: &str,
        revision: String,
        description: Option<String>,
    ) -> Result<Version, JsonError> {
        let versions = self.versions(machine).await?;
        if let Some(version) = versions.iter().find(|version| version.revision == revision) {
            return Ok(version.clone());
        }
        if versions.len() >= MOST {
            return Err(error::service_quota_exceeded(format!(
                "The maximum number of versions of a state machine is {MOST}; delete one that is not used"
            )));
        }
        let mut publication = self.publication(machine).await?.unwrap_or_default();
        publication.last_number += 1;
        let version = Version {
            number: publication.last_number,
            revision,
            description,
            created: self.engine.now(),
        };
        let steps = vec![
            super::put(DOCUMENTS, &key(machine, version.number), &version)?,
            super::put(PUBLICATIONS, machine, &publication)?,
        ];
        self.change(steps).await?;
        Ok(version)
    }

    /// One version of a machine.
    pub(super) async fn version(
        &self,
        machine: &str,
        number: u64,
    ) -> Result<Option<Version>, JsonError> {
        self.document(DOCUMENTS, &key(machine, number)).await
    }

    /// The versions of a machine, the newest first.
    pub(super) async fn versions(&self, machine: &str) -> Result<Vec<Version>, JsonError> {
        self.documents_of(DOCUMENTS, machine).await
    }

    pub(super) async fn publication(
        &self,
        machine: &str,
    ) -> Result<Option<Publication>, JsonError> {
        self.document(PUBLICATIONS, machine).await
    }

    /// The steps that forget all versions of a machine.
    pub(super) async fn forget_versions(
        &self,
        machine: &str,
    ) -> Result<Vec<engine::Change>, JsonError> {
        let mut steps = vec![engine::Change::delete(PUBLICATIONS, machine)];
        for version in self.versions(machine).await? {
            steps.push(engine::Change::delete(
                DOCUMENTS,
                &key(machine, version.number),
            ));
        }
        Ok(steps)
    }
}

//! `CreateStateMachine`, `UpdateStateMachine`, `DeleteStateMachine`, `DescribeStateMachine`, `ListStateMachines`.

use std::sync::Arc;

use engine::{INITIAL_REVISION, Machine, MachineChanges, MachineError, NewMachine, Revision};
use serde::{Deserialize, Serialize};

use super::arn::{self, MachineArn, Qualifier};
use super::configuration::{Configuration, Members};
use super::definition::{self, Kind};
use super::page::Asked;
use super::tags::{self, TagMember};
use super::validate::{self, ARN, Check, DEFINITION, DESCRIPTION, NAME, PAGE_TOKEN};
use super::versions::{Version, put_publication};
use super::{Answer, StepFunctions, error, seconds};
use crate::protocol::json::{JsonError, answer, no_content};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CreateStateMachine {
    name: Option<String>,
    definition: Option<String>,
    role_arn: Option<String>,
    r#type: Option<String>,
    #[serde(flatten)]
    configuration: Members,
    tags: Option<Vec<TagMember>>,
    publish: Option<bool>,
    version_description: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Created {
    creation_date: f64,
    state_machine_arn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    state_machine_version_arn: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UpdateStateMachine {
    state_machine_arn: Option<String>,
    definition: Option<String>,
    role_arn: Option<String>,
    #[serde(flatten)]
    configuration: Members,
    publish: Option<bool>,
    version_description: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Updated {
    #[serde(skip_serializing_if = "Option::is_none")]
    revision_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state_machine_version_arn: Option<String>,
    update_date: f64,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DeleteStateMachine {
    state_machine_arn: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListStateMachines {
    max_results: Option<i64>,
    next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct MachineList {
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
    state_machines: Vec<Listed>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    creation_date: f64,
    name: String,
    state_machine_arn: String,
    r#type: Kind,
}

impl StepFunctions {
    /// Idempotent: the same name, definition, type, configuration, `publish` and `versionDescription` answer with the first
    /// creation; another role or other tags make no difference (and are not taken over).
    pub(super) async fn create_state_machine(&self, request: CreateStateMachine) -> Answer {
        let mut check = Check::default();
        let name = check.required("name", request.name, NAME);
        let text = check.required("definition", request.definition, DEFINITION);
        let role = check.required("roleArn", request.role_arn, ARN);
        let kind = Kind::check(&mut check, request.r#type);
        let changes = request.configuration.check(&mut check);
        let tags = tags::check(&mut check, request.tags);
        let description = check.text(
            "versionDescription",
            request.version_description,
            DESCRIPTION,
        );
        check.done()?;
        let publish = published(request.publish, description.as_deref())?;
        if !validate::is_name(&name) {
            return Err(error::invalid_name(&name));
        }
        arn::role(&role)?;
        changes.check_rules()?;
        self.accept(&name, &text, kind)?;

        let _alone = self.administration.lock().await;
        let new = NewMachine {
            settings: changes.apply(Configuration::default()).settings()?,
            name: name.clone(),
            definition: text,
            role_arn: role,
            kind: kind.into(),
        };
        let machine = self
            .engine
            .machines()
            .create(new)
            .await
            .map_err(|error| failure(error, &name))?;
        match self.publication(&machine.arn).await? {
            Some(first) if (first.published, &first.description) != (publish, &description) => {
                return Err(error::state_machine_already_exists(&machine.arn));
            }
            Some(_) => {}
            // New; or its creation was cut off here and nobody was told of it.
            None => {
                let mut merged = Vec::new();
                tags::merge(&mut merged, tags);
                self.change(vec![
                    tags::put(&machine.arn, &merged)?,
                    put_publication(&machine.arn, publish, description.as_deref())?,
                ])
                .await?;
            }
        }
        let version = if publish {
            Some(
                self.publish(
                    &machine.arn,
                    machine.revision.revision_id.clone(),
                    description,
                )
                .await?
                .arn(&machine.arn),
            )
        } else {
            None
        };
        answer(&Created {
            creation_date: seconds(machine.created),
            state_machine_arn: machine.arn,
            state_machine_version_arn: version,
        })
    }

    pub(super) async fn update_state_machine(&self, request: UpdateStateMachine) -> Answer {
        let mut check = Check::default();
        let arn = check.required("stateMachineArn", request.state_machine_arn, ARN);
        let text = check.text("definition", request.definition, DEFINITION);
        let role = check.text("roleArn", request.role_arn, ARN);
        let changes = request.configuration.check(&mut check);
        let description = check.text(
            "versionDescription",
            request.version_description,
            DESCRIPTION,
        );
        check.done()?;
        let publish = published(request.publish, description.as_deref())?;
        let arn = MachineArn::unqualified(&arn)?.machine;
        if text.is_none() && role.is_none() && changes.is_empty() {
            return Err(error::missing_required_parameter(
                "Either the definition, the role ARN, the LoggingConfiguration, or the TracingConfiguration must be specified",
            ));
        }
        if let Some(role) = &role {
            arn::role(role)?;
        }
        changes.check_rules()?;
        let _alone = self.administration.lock().await;
        let machine = self.machine(&arn)?;
        if let Some(text) = &text {
            self.accept(&machine.name, text, machine.kind.into())?;
        }
        let settings = if changes.is_empty() {
            None
        } else {
            let current = Configuration::of(&machine.revision)?;
            Some(changes.apply(current).settings()?)
        };
        let changes = MachineChanges {
            definition: text,
            role_arn: role,
            settings,
        };
        let updated = self
            .engine
            .machines()
            .update(&arn, changes)
            .await
            .map_err(|error| failure(error, &arn))?;
        let version = if publish {
            Some(
                self.publish(&arn, updated.revision_id.clone(), description)
                    .await?
                    .arn(&arn),
            )
        } else {
            None
        };
        answer(&Updated {
            revision_id: shown_revision(&updated.revision_id),
            state_machine_version_arn: version,
            update_date: seconds(updated.updated),
        })
    }

    /// Deletes a machine with its versions, aliases and tags. Idempotent: there may be no such machine.
    pub(super) async fn delete_state_machine(&self, request: DeleteStateMachine) -> Answer {
        let mut check = Check::default();
        let text = check.required("stateMachineArn", request.state_machine_arn, ARN);
        check.done()?;
        let arn = MachineArn::parse(&text)?;
        if arn.qualifier != Qualifier::None {
            return Err(error::invalid_arn(format!(
                "Resource type not valid in this context: {}",
                arn.qualifier
            )));
        }
        let _alone = self.administration.lock().await;
        let mut steps = self.forget_versions(&arn.machine).await?;
        steps.extend(self.forget_aliases(&arn.machine).await?);
        steps.push(tags::delete(&arn.machine));
        self.change(steps).await?;
        match self.engine.machines().delete(&arn.machine).await {
            // Of another account or region: nothing of ours.
            Ok(()) | Err(MachineError::InvalidArn { .. }) => no_content(),
            Err(error) => Err(failure(error, &arn.machine)),
        }
    }

    pub(super) fn list_state_machines(&self, request: ListStateMachines) -> Answer {
        let mut check = Check::default();
        let asked = Asked::check(
            &mut check,
            request.max_results,
            request.next_token,
            PAGE_TOKEN,
        );
        check.done()?;
        let page = asked.of(&["ListStateMachines"])?;
        let (machines, next_token) = page.cut(self.engine.machines().list(), |machine| {
            machine.name.clone()
        });
        let listed = |machine: Machine| Listed {
            creation_date: seconds(machine.created),
            name: machine.name,
            state_machine_arn: machine.arn,
            r#type: machine.kind.into(),
        };
        answer(&MachineList {
            next_token,
            state_machines: machines.into_iter().map(listed).collect(),
        })
    }

    /// The machine of this ARN.
    pub(super) fn machine(&self, arn: &str) -> Result<Machine, JsonError> {
        self.engine
            .machines()
            .describe(arn)
            .map_err(|error| failure(error, arn))
    }

    /// The revision that a version names.
    pub(super) async fn revision(
        &self,
        machine: &str,
        version: &Version,
    ) -> Result<Arc<Revision>, JsonError> {
        let revision = self
            .engine
            .machines()
            .revision(machine, &version.revision)
            .await;
        revision.map_err(|error| failure(error, machine))
    }
}

/// AWS shows no id for what a machine was created with.
pub(super) fn shown_revision(revision_id: &str) -> Option<String> {
    (revision_id != INITIAL_REVISION).then(|| revision_id.to_owned())
}

/// The engine's refusal in AWS's words.
pub(super) fn failure(error: MachineError, arn: &str) -> JsonError {
    match error {
        // The form was checked before, so what the engine does not know is of another region or account.
        MachineError::InvalidArn { .. } | MachineError::StateMachineDoesNotExist { .. } => {
            error::state_machine_does_not_exist(arn)
        }
        MachineError::RevisionDoesNotExist { .. } => error::resource_not_found(),
        MachineError::InvalidName { name } => error::invalid_name(&name),
        MachineError::InvalidDefinition { diagnostics } => {
            error::invalid_definition(definition::errors(&diagnostics))
        }
        MachineError::StateMachineAlreadyExists { arn } => {
            error::state_machine_already_exists(&arn)
        }
        MachineError::Storage(error) => error::storage(&error),
        error => super::unnamed(&error),
    }
}

/// Whether to publish a version; only then it can have a description.
fn published(publish: Option<bool>, description: Option<&str>) -> Result<bool, JsonError> {
    let publish = publish.unwrap_or_default();
    if description.is_some() && !publish {
        return Err(error::unfit(
            "MISSING_REQUIRED_PARAMETER",
            "Version description can only be set when publish is true",
        ));
    }
    Ok(publish)
}

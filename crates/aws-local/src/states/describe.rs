//! `DescribeStateMachine`, `DescribeStateMachineForExecution`.

use std::collections::BTreeMap;
use std::sync::Arc;

use engine::StoredDefinition;
use serde::{Deserialize, Serialize};

use super::arn::{self, MachineArn, Qualifier};
use super::configuration::Configuration;
use super::definition::Kind;
use super::machines::shown_revision;
use super::validate::{ARN, Check};
use super::{Answer, StepFunctions, error, executions, seconds};
use crate::protocol::json::answer;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DescribeStateMachine {
    state_machine_arn: Option<String>,
    included_data: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Described {
    creation_date: f64,
    definition: Arc<str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(flatten)]
    configuration: Configuration,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    revision_id: Option<String>,
    role_arn: String,
    state_machine_arn: String,
    status: &'static str,
    r#type: Kind,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    variable_references: BTreeMap<String, Vec<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DescribeStateMachineForExecution {
    execution_arn: Option<String>,
    included_data: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct DescribedForExecution {
    definition: Arc<str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    map_run_arn: Option<String>,
    #[serde(flatten)]
    configuration: Configuration,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    revision_id: Option<String>,
    role_arn: String,
    state_machine_arn: String,
    update_date: f64,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    variable_references: BTreeMap<String, Vec<String>>,
}

impl StepFunctions {
    pub(super) async fn describe_state_machine(&self, request: DescribeStateMachine) -> Answer {
        let mut check = Check::default();
        let text = check.required("stateMachineArn", request.state_machine_arn, ARN);
        let data = IncludedData::check(&mut check, request.included_data);
        check.done()?;
        let arn = MachineArn::parse(&text)?;
        let machine = self
            .machine(&arn.machine)
            .map_err(|_| error::state_machine_does_not_exist(&text))?;
        let (revision, created, description) = match arn.qualifier {
            Qualifier::None => (Arc::clone(&machine.revision), machine.created, None),
            Qualifier::Version(number) => {
                let version = self.version(&arn.machine, number).await?;
                let version = version.ok_or_else(|| error::state_machine_does_not_exist(&text))?;
                (
                    self.revision(&arn.machine, &version).await?,
                    version.created,
                    version.description,
                )
            }
            Qualifier::Alias(_) => return Err(error::state_machine_does_not_exist(&text)),
        };
        let definition = self.engine.machines().definition(&revision).await;
        let definition =
            ShownDefinition::of(definition.map_err(|error| error::storage(&error))?, data);
        answer(&Described {
            creation_date: seconds(created),
            definition: definition.text,
            description,
            configuration: Configuration::of(&revision)?,
            name: machine.name,
            revision_id: shown_revision(&revision.revision_id),
            role_arn: revision.role_arn.clone(),
            state_machine_arn: text,
            status: "ACTIVE",
            r#type: machine.kind.into(),
            variable_references: definition.variable_references,
        })
    }

    pub(super) async fn describe_state_machine_for_execution(
        &self,
        request: DescribeStateMachineForExecution,
    ) -> Answer {
        let mut check = Check::default();
        let arn = check.required("executionArn", request.execution_arn, ARN);
        let data = IncludedData::check(&mut check, request.included_data);
        check.done()?;
        arn::execution(&arn)?;
        self.refuse_express_child(&arn).await?;
        let failure = |error| executions::failure(error, &arn);
        let found = self.engine.executions().definition_for(&arn).await;
        let (revision, definition) = found.map_err(failure)?;
        let described = self.engine.executions().describe(&arn).await;
        let map_run_arn = described.map_err(failure)?.summary.map_run;
        let label = map_run_arn.as_deref().and_then(map_run_label);
        let definition = ShownDefinition::of(definition, data);
        answer(&DescribedForExecution {
            definition: definition.text,
            label,
            map_run_arn,
            configuration: Configuration::of(&revision)?,
            name: revision.state_machine_name.clone(),
            revision_id: shown_revision(&revision.revision_id),
            role_arn: revision.role_arn.clone(),
            state_machine_arn: revision.state_machine_arn.clone(),
            update_date: seconds(revision.created),
            variable_references: definition.variable_references,
        })
    }
}

/// The label in `…:mapRun:MACHINE/LABEL:ID`.
fn map_run_label(arn: &str) -> Option<String> {
    let machine = arn.split(':').nth(6)?;
    machine.split_once('/').map(|(_, label)| label.to_owned())
}

/// `IncludedData`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum IncludedData {
    AllData,
    MetadataOnly,
}

impl IncludedData {
    pub(super) fn check(check: &mut Check, value: Option<String>) -> IncludedData {
        let read = |word: &str| match word {
            "ALL_DATA" => Some(IncludedData::AllData),
            "METADATA_ONLY" => Some(IncludedData::MetadataOnly),
            _ => None,
        };
        check
            .word("includedData", value, read, "ALL_DATA, METADATA_ONLY")
            .unwrap_or(IncludedData::AllData)
    }
}

struct ShownDefinition {
    text: Arc<str>,
    variable_references: BTreeMap<String, Vec<String>>,
}

impl ShownDefinition {
    fn of(definition: StoredDefinition, data: IncludedData) -> ShownDefinition {
        match data {
            IncludedData::AllData => ShownDefinition {
                text: definition.text,
                variable_references: definition.parsed.variable_references(),
            },
            IncludedData::MetadataOnly => ShownDefinition {
                text: Arc::from("{}"),
                variable_references: BTreeMap::new(),
            },
        }
    }
}

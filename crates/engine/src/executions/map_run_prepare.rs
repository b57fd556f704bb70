//! Before a Map Run's first child: its items are read, the inputs made, and the children found that there are already.

use std::sync::Arc;

use asl::{ChildInput, Env, Failure, MapItem, MapRun, Source, Status, error_name};
use sha2::{Digest as _, Sha256};

use super::Shared;
use super::advance::Found;
use super::map_run_children::{Child, Children, child_name};
use super::map_run_store::{self as rows, MapRunRow};
use crate::machines::RevisionRow;
use crate::{INITIAL_REVISION, MachineKind, Revision, StorageError};

impl Shared {
    /// Reads the items, makes the children's inputs, and finds the children that there are already.
    pub(super) async fn prepare(
        self: &Arc<Self>,
        execution: u64,
        definition: &Arc<asl::Definition>,
        run: &MapRun,
        row: &MapRunRow,
    ) -> Result<Result<(Children, Arc<Revision>), Failure>, StorageError> {
        let items = match self.items(run).await {
            Ok(items) => items,
            Err(failure) => return Ok(Err(failure)),
        };
        let total_items = items.len() as u64;
        let inputs = match self.inputs(execution, definition, run, row, items).await? {
            Ok(inputs) => inputs,
            Err(failure) => return Ok(Err(failure)),
        };
        if let Some(large) = inputs
            .iter()
            .find(|child| child.input.len() > asl::PAYLOAD_LIMIT)
        {
            let cause = format!(
                "The input of a child workflow execution has {} bytes, which exceeds the maximum of {}.",
                large.input.len(),
                asl::PAYLOAD_LIMIT
            );
            return Ok(Err(Failure::new(error_name::DATA_LIMIT_EXCEEDED, cause)));
        }
        let Ok(number) = u32::try_from(inputs.len()) else {
            let cause = "The dataset has too many items.";
            return Ok(Err(Failure::new(error_name::ITEM_READER_FAILED, cause)));
        };
        let revision = match row.revision {
            Some(revision) => revision,
            None => {
                self.begin_children(execution, definition, run, row, number, total_items)
                    .await?
            }
        };
        let revision = self.machines.revision_by_key(revision).await?;
        let id = row.id;
        let known = self.journal.read(move |db| rows::children(db, id)).await?;
        let mut states = vec![Child::Pending; inputs.len()];
        for child in known {
            let Some(state) = states.get_mut(child.index as usize) else {
                continue;
            };
            *state = match child.status {
                Status::Running => Child::Running,
                Status::Succeeded => Child::Succeeded,
                _ if run.express => {
                    let latest = child_name(&row.arn, child.index, row.redrives);
                    match child.name == latest {
                        true => Child::Failed,
                        false => Child::Unsuccessful(child.id),
                    }
                }
                _ if row
                    .redriven
                    .is_some_and(|at| child.redriven.is_none_or(|own| own < at)) =>
                {
                    Child::Unsuccessful(child.id)
                }
                _ => Child::Failed,
            };
        }
        Ok(Ok((
            Children::new(inputs, states, total_items, run.express),
            revision,
        )))
    }

    async fn items(&self, run: &MapRun) -> Result<Vec<MapItem>, Failure> {
        match (&run.source, run.source.state_items(), self.started.get()) {
            (_, Some(items), _) => Ok(items),
            (Source::Dataset(dataset), None, Some((_, runner))) => {
                runner.read_items(dataset.clone()).await
            }
            _ => Err(Failure::new(
                error_name::ITEM_READER_FAILED,
                "Attempting to map over non-iterable node.",
            )),
        }
    }

    async fn inputs(
        self: &Arc<Self>,
        execution: u64,
        definition: &Arc<asl::Definition>,
        run: &MapRun,
        row: &MapRunRow,
        items: Vec<MapItem>,
    ) -> Result<Result<Vec<ChildInput>, Failure>, StorageError> {
        // The same time and randomness whenever it is asked again.
        let env = Env {
            now: row.started,
            seed: Sha256::digest(run.arn.as_bytes()).into(),
        };
        let Some(Found::Live(live)) = self.live(execution).await? else {
            return Ok(Ok(Vec::new()));
        };
        let state = live.state().execution.clone();
        let (definition, id) = (Arc::clone(definition), run.id);
        let selected = tokio::task::spawn_blocking(move || {
            asl::map_run_children(&definition, &state, id, &items, &env)
        });
        Ok(selected.await.unwrap_or_else(|_| {
            let cause = "The items could not be selected because of an internal error.";
            Err(Failure::new(error_name::RUNTIME, cause))
        }))
    }

    /// The run's numbers, and the machine that its children belong to. Its key.
    async fn begin_children(
        &self,
        execution: u64,
        definition: &asl::Definition,
        run: &MapRun,
        row: &MapRunRow,
        number: u32,
        items: u64,
    ) -> Result<i64, StorageError> {
        let parent = self
            .journal
            .read(move |db| super::store::load(db, execution));
        let parent = parent.await?.ok_or_else(|| {
            StorageError::Corrupt(format!("the execution of {} is missing", run.arn))
        })?;
        let parent = self.machines.revision_by_key(parent.revision).await?;
        let text = definition
            .states()
            .find_map(|(_, state)| match state.kind() {
                asl::model::Kind::Map(map) => {
                    let distributed = map.distributed.as_ref()?;
                    (asl::map_run_label(state, distributed) == run.label)
                        .then(|| distributed.child.to_string())
                }
                _ => None,
            });
        let text = text
            .ok_or_else(|| StorageError::Corrupt(format!("the state of {} is missing", run.arn)))?;
        let machine = format!("{}/{}", parent.state_machine_name, run.label);
        let kind = if run.express {
            MachineKind::Express
        } else {
            MachineKind::Standard
        };
        let revision = RevisionRow {
            revision_id: INITIAL_REVISION.to_owned(),
            definition: text,
            role_arn: parent.role_arn.clone(),
            settings: parent.settings.clone(),
            created: row.started,
        };
        let id = row.id;
        let begun = self
            .journal
            .write(move |db| rows::begin(db, id, &machine, kind, &revision, number, items));
        begun.await
    }
}

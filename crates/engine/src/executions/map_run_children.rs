//! The children of a Map Run: which wait, which run, and how one is started or redriven.

use std::collections::VecDeque;
use std::sync::Arc;

use asl::{ChildInput, ChildOutcome, Data, Status};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use sha2::{Digest as _, Sha256};

use super::Shared;
use super::map_run_store::{ChildOf, MapRunRow};
use super::store::{Birth, Inserted};
use crate::{ExecutionError, Revision, StartError, StorageError};

/// Where a child stands, as its run sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Child {
    /// To be started.
    Pending,
    /// To be redriven, or started anew: its number.
    Unsuccessful(u64),
    Running,
    Succeeded,
    Failed,
}

/// The children of one run.
pub(super) struct Children {
    pub(super) inputs: Vec<ChildInput>,
    states: Vec<Child>,
    /// Unsuccessful ones are started anew, as new executions.
    express: bool,
    pub(super) waiting: VecDeque<u32>,
    pub(super) running: u64,
    pub(super) failed_items: u64,
    pub(super) total_items: u64,
}

pub(super) type Start = BoxFuture<'static, Result<(u32, Option<Status>), StorageError>>;

impl Shared {
    async fn start_child(
        self: Arc<Self>,
        birth: Birth,
        revision: Arc<Revision>,
        definition: Arc<asl::Definition>,
        input: Data,
    ) -> Result<Option<Status>, StorageError> {
        let name = birth.name.clone();
        match self.begin(birth, revision, definition, input).await {
            Ok(Inserted::New) => Ok(None),
            Ok(Inserted::Existing { .. }) => Err(StorageError::Corrupt(format!(
                "the child {name} of a Map Run exists and belongs to no run"
            ))),
            Err(StartError::Storage(error)) => Err(error),
            Err(error) => Err(StorageError::corrupt("a child of a Map Run", error)),
        }
    }

    async fn redrive_child(self: Arc<Self>, id: u64) -> Result<Option<Status>, StorageError> {
        let _reading = self.cache.reading(id).await;
        match self.revive(id).await {
            Ok(_) => Ok(None),
            Err(ExecutionError::Storage(error)) => Err(error),
            // It has too many events, for instance: it stays failed.
            Err(_) => Ok(Some(Status::Failed)),
        }
    }
}

impl Children {
    pub(super) fn new(
        inputs: Vec<ChildInput>,
        states: Vec<Child>,
        total_items: u64,
        express: bool,
    ) -> Children {
        let mut children = Children {
            inputs,
            states,
            express,
            waiting: VecDeque::new(),
            running: 0,
            failed_items: 0,
            total_items,
        };
        for (index, state) in (0..).zip(&children.states) {
            match state {
                Child::Pending | Child::Unsuccessful(_) => children.waiting.push_back(index),
                Child::Running => children.running += 1,
                Child::Succeeded => {}
                Child::Failed => {
                    children.failed_items += u64::from(children.inputs[index as usize].items);
                }
            }
        }
        children
    }

    /// Starts, or redrives, the next child that waits.
    pub(super) fn next(
        &mut self,
        shared: &Arc<Shared>,
        row: &MapRunRow,
        revision: &Arc<Revision>,
        definition: &Arc<asl::Definition>,
    ) -> Option<Start> {
        let index = self.waiting.pop_front()?;
        let child = &self.inputs[index as usize];
        let state = std::mem::replace(&mut self.states[index as usize], Child::Running);
        self.running += 1;
        let shared = Arc::clone(shared);
        let earlier = match state {
            Child::Unsuccessful(id) => Some(id),
            _ => None,
        };
        if let Some(id) = earlier.filter(|_| !self.express) {
            return Some(async move { Ok((index, shared.redrive_child(id).await?)) }.boxed());
        }
        let birth = Birth {
            machine: revision.machine,
            revision: revision.key,
            name: child_name(&row.arn, index, self.starts(row)),
            version_arn: None,
            alias_arn: None,
            started: shared.clock.now(),
            child: Some(ChildOf {
                run: row.id,
                index,
                items: child.items,
            }),
            replaces: earlier,
        };
        let (revision, definition) = (Arc::clone(revision), Arc::clone(definition));
        let input = child.input.clone();
        Some(
            async move {
                let ended = shared
                    .start_child(birth, revision, definition, input)
                    .await?;
                Ok((index, ended))
            }
            .boxed(),
        )
    }

    /// How many times children of this name may have been started before: names of Express children differ by redrive.
    fn starts(&self, row: &MapRunRow) -> u32 {
        if self.express { row.redrives } else { 0 }
    }

    /// Heard perhaps twice: from the row, and from whoever ended it.
    pub(super) fn ended(&mut self, index: u32, status: Status) {
        let Some(state) = self.states.get_mut(index as usize) else {
            return;
        };
        if *state != Child::Running {
            return;
        }
        self.running -= 1;
        if status == Status::Succeeded {
            *state = Child::Succeeded;
        } else {
            *state = Child::Failed;
            self.failed_items += u64::from(self.inputs[index as usize].items);
        }
    }
}

/// A child's name: a UUID that the run and the place determine, and the redrive that started it anew.
pub(super) fn child_name(run: &str, index: u32, redrive: u32) -> String {
    let text = match redrive {
        0 => format!("{run}#{index}"),
        redrive => format!("{run}#{index}#{redrive}"),
    };
    let digest = Sha256::digest(text.as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    uuid::Builder::from_random_bytes(bytes)
        .into_uuid()
        .to_string()
}

/// A child that was never started.
pub(super) fn pending(child: &ChildInput, name: String) -> ChildOutcome {
    ChildOutcome {
        execution_arn: String::new(),
        name,
        state_machine_arn: String::new(),
        status: None,
        input: child.input.clone(),
        output: None,
        error: None,
        cause: None,
        started: None,
        stopped: None,
        redrives: 0,
    }
}

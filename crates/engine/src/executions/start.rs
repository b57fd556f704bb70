//! Starting an execution: its first decision and its row are one commit.

use std::sync::Arc;

use asl::{Data, Signal};
use uuid::Uuid;

use super::advance::{next_due, transition};
use super::live::Live;
use super::store::{self, Birth, Inserted};
use super::{Executions, Shared};
use crate::{Millis, Revision, StartError, StorageError};

/// What to start.
#[derive(Debug, Clone)]
pub struct StartRequest {
    /// ARN of the state machine, without version or alias.
    pub machine_arn: String,
    /// Id of the revision to run; `None`: the current one.
    pub revision: Option<String>,
    /// ARN of the version that chose the revision, for showing.
    pub version_arn: Option<String>,
    /// ARN of the alias that chose it, for showing.
    pub alias_arn: Option<String>,
    /// Its name; `None`: a new UUID.
    pub name: Option<String>,
    /// Its input.
    pub input: Data,
}

impl StartRequest {
    /// The current revision of a machine, under a new name.
    pub fn new(machine_arn: impl Into<String>, input: Data) -> StartRequest {
        let machine_arn = machine_arn.into();
        StartRequest {
            machine_arn,
            revision: None,
            version_arn: None,
            alias_arn: None,
            name: None,
            input,
        }
    }
}

/// An execution that runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    /// Its ARN.
    pub arn: String,
    /// When it was started.
    pub started: Millis,
}

impl Executions {
    /// `StartExecution`. The execution is durable on return. The same name and input as a running execution's answer with
    /// that one.
    ///
    /// # Errors
    /// No such machine or revision, a bad name or input, another execution of that name, or the store failed.
    pub async fn start(&self, request: StartRequest) -> Result<Started, StartError> {
        let StartRequest {
            machine_arn,
            revision,
            version_arn,
            alias_arn,
            name,
            input,
        } = request;
        let shared = &self.shared;
        let revision = match revision {
            None => shared.machines.describe(&machine_arn)?.revision,
            Some(revision_id) => shared.machines.revision(&machine_arn, &revision_id).await?,
        };
        let name = match name {
            Some(name) if crate::arn::is_name(&name) => name,
            Some(name) => return Err(StartError::InvalidName { name }),
            // Version 7: ascending, so that the index of names grows at its end.
            None => Uuid::now_v7().to_string(),
        };
        if input.len() > asl::PAYLOAD_LIMIT {
            let reason = format!(
                "the input has {} bytes, at most {} are allowed",
                input.len(),
                asl::PAYLOAD_LIMIT
            );
            return Err(StartError::InvalidExecutionInput { reason });
        }
        let definition = shared.machines.definition(&revision).await?.parsed;
        let arn = shared.place.execution(&revision.state_machine_name, &name);
        let birth = Birth {
            machine: revision.machine,
            revision: revision.key,
            name,
            version_arn,
            alias_arn,
            started: shared.clock.now(),
            child: None,
            replaces: None,
        };
        let started = birth.started;
        match shared
            .begin(birth, revision, definition, input.clone())
            .await?
        {
            Inserted::New => Ok(Started { arn, started }),
            Inserted::Existing {
                id,
                running: true,
                started,
            } if self.input_of(id).await?.as_ref() == Some(&input) => Ok(Started { arn, started }),
            Inserted::Existing { .. } => Err(StartError::ExecutionAlreadyExists { arn }),
        }
    }
}

impl Shared {
    /// Makes the execution's row and its first record, unless there is one of that name.
    pub(crate) async fn begin(
        self: &Arc<Self>,
        birth: Birth,
        revision: Arc<Revision>,
        definition: Arc<asl::Definition>,
        input: Data,
    ) -> Result<Inserted, StartError> {
        let id = self.next_id();
        let identity = self.identity(
            id,
            &birth.name,
            &revision,
            birth.version_arn.clone(),
            birth.alias_arn.clone(),
        );
        let mut execution = asl::Execution::new(identity);
        let env = asl::Env {
            now: birth.started,
            ..self.env()
        };
        let decision = asl::decide(&definition, &mut execution, Signal::Start { input }, &env)
            .map_err(|refusal| StorageError::corrupt("a new execution", refusal))?;
        let next_due = next_due(&execution, decision.more, env.now);
        let transition = transition(id, 1, &decision, &execution, next_due, env.now)?;
        let live = Arc::new(Live::new(
            id,
            revision,
            definition,
            execution,
            1,
            next_due,
            birth.child,
        ));
        let shared = Arc::clone(self);
        let commands = decision.commands;
        let adopt = move |outcome: &Result<Inserted, StorageError>| {
            if let Ok(Inserted::New) = outcome {
                let ended = shared.ended(&live, &live.state().execution);
                if ended.is_none() {
                    // Somebody may have found the row before this and gone on with it: then theirs are the copy and the time.
                    shared.cache.insert(Arc::clone(&live));
                    shared.timers.arm(id, next_due);
                }
                shared.stored(&live, commands, ended);
            }
        };
        Ok(self
            .journal
            .submit(move |db| store::insert(db, &birth, &transition), adopt)
            .await?)
    }
}

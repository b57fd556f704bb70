//! Step Functions over awsJson1.0: `AWSStepFunctions.*`.
//!
//! Each file holds one family of actions: the requests and answers as types, the checks with AWS's errors, and the call of
//! the engine. A request is read once ([`JsonRequest::parse`]), checked once ([`validate`]), and handed on as plain values.
//! What only the wire knows (versions, aliases, tags, activities) are documents of the engine.
//!
//! Must not know: how an execution goes on. Start at [`StepFunctions::dispatch`]; [`machines`] and [`executions`] are the
//! families that matter most.
//!
//! Differs from AWS on purpose:
//! - Express executions are journalled like all others (see [`sync`]).
//! - Every change is visible at once. A deleted machine is gone at once, and its running executions go on to their end; AWS
//!   shows it as `DELETING` and ends them. Either way they cannot be redriven.
//! - Roles are checked for their form only. Logging, tracing and encryption are kept and shown, without effect.
//! - The name of an execution is taken as long as its history is kept, not for 90 days. Page tokens do not expire.
//!
//! Source: AWS Step Functions API reference; where recorded answers differ from it, those.

mod activities;
mod aliases;
mod arn;
mod configuration;
mod definition;
mod describe;
mod error;
mod executions;
mod history;
mod machines;
mod map_runs;
mod mocked;
mod page;
mod redrive;
mod sync;
mod tags;
mod tasks;
mod test_state;
mod validate;
mod versions;
mod workers;

use std::sync::{Arc, OnceLock};

use engine::{Change, Engine};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use self::workers::Offers;
use crate::mock::Mocks;
use crate::protocol::json::{JsonError, JsonRequest, JsonService};
use crate::runner::Runner;

/// The prefix of `X-Amz-Target`.
pub const TARGET: &str = "AWSStepFunctions";

/// An action's answer: JSON text, or one of AWS's errors.
type Answer = Result<Vec<u8>, JsonError>;

/// The most documents of one state machine and kind: versions.
const MOST_DOCUMENTS: usize = 1001;

/// The service.
pub struct StepFunctions {
    engine: Engine,
    offers: Offers,
    mocks: Arc<Mocks>,
    /// Who calls services: for a state that is tried alone, and to know what definitions can ask for.
    tasks: OnceLock<Runner>,
    /// Actions that change machines, versions, aliases, tags or activities happen one after the other.
    administration: tokio::sync::Mutex<()>,
    /// So do redrives.
    redrives: tokio::sync::Mutex<()>,
}

impl JsonService for StepFunctions {
    fn call<'a>(&'a self, action: &'a str, request: JsonRequest) -> BoxFuture<'a, Answer> {
        async move { self.dispatch(action, &request).await }.boxed()
    }
}

impl StepFunctions {
    /// The service over an open engine.
    #[must_use]
    pub fn new(engine: Engine) -> StepFunctions {
        StepFunctions {
            offers: Offers::new(engine.documents().clone()),
            engine,
            mocks: Arc::default(),
            tasks: OnceLock::new(),
            administration: tokio::sync::Mutex::default(),
            redrives: tokio::sync::Mutex::default(),
        }
    }

    /// With test cases that executions can be started as; the engine's runner must be these mocks' own.
    #[must_use]
    pub fn with_mocks(self, mocks: Arc<Mocks>) -> StepFunctions {
        StepFunctions { mocks, ..self }
    }

    /// Tells who calls services: `TestState` needs it, and definitions that call others are refused. Only the first one counts.
    pub fn call_services_with(&self, runner: Runner) {
        let _ = self.tasks.set(runner);
    }

    /// Where a runner leaves the tasks of activities.
    #[must_use]
    pub fn offers(&self) -> Offers {
        self.offers.clone()
    }

    async fn dispatch(&self, action: &str, request: &JsonRequest) -> Answer {
        match action {
            "CreateStateMachine" => self.create_state_machine(request.parse()?).await,
            "UpdateStateMachine" => self.update_state_machine(request.parse()?).await,
            "DeleteStateMachine" => self.delete_state_machine(request.parse()?).await,
            "DescribeStateMachine" => self.describe_state_machine(request.parse()?).await,
            "DescribeStateMachineForExecution" => {
                self.describe_state_machine_for_execution(request.parse()?)
                    .await
            }
            "ListStateMachines" => self.list_state_machines(request.parse()?),
            "ValidateStateMachineDefinition" => {
                self.validate_state_machine_definition(request.parse()?)
            }

            "PublishStateMachineVersion" => {
                self.publish_state_machine_version(request.parse()?).await
            }
            "ListStateMachineVersions" => self.list_state_machine_versions(request.parse()?).await,
            "DeleteStateMachineVersion" => {
                self.delete_state_machine_version(request.parse()?).await
            }

            "CreateStateMachineAlias" => self.create_state_machine_alias(request.parse()?).await,
            "UpdateStateMachineAlias" => self.update_state_machine_alias(request.parse()?).await,
            "DescribeStateMachineAlias" => {
                self.describe_state_machine_alias(request.parse()?).await
            }
            "ListStateMachineAliases" => self.list_state_machine_aliases(request.parse()?).await,
            "DeleteStateMachineAlias" => self.delete_state_machine_alias(request.parse()?).await,

            "StartExecution" => self.start_execution(request.parse()?).await,
            "StartSyncExecution" => self.start_sync_execution(request.parse()?).await,
            "DescribeExecution" => self.describe_execution(request.parse()?).await,
            "ListExecutions" => self.list_executions(request.parse()?).await,
            "StopExecution" => self.stop_execution(request.parse()?).await,
            "RedriveExecution" => self.redrive_execution(request.parse()?).await,
            "GetExecutionHistory" => self.get_execution_history(request.parse()?).await,

            "DescribeMapRun" => self.describe_map_run(request.parse()?).await,
            "ListMapRuns" => self.list_map_runs(request.parse()?).await,
            "UpdateMapRun" => self.update_map_run(request.parse()?).await,

            "SendTaskSuccess" => self.send_task_success(request.parse()?).await,
            "SendTaskFailure" => self.send_task_failure(request.parse()?).await,
            "SendTaskHeartbeat" => self.send_task_heartbeat(request.parse()?).await,

            "CreateActivity" => self.create_activity(request.parse()?).await,
            "DescribeActivity" => self.describe_activity(request.parse()?).await,
            "ListActivities" => self.list_activities(request.parse()?).await,
            "DeleteActivity" => self.delete_activity(request.parse()?).await,

            "GetActivityTask" => self.get_activity_task(request.parse()?).await,

            "TestState" => self.test_state(request.parse()?).await,

            "TagResource" => self.tag_resource(request.parse()?).await,
            "UntagResource" => self.untag_resource(request.parse()?).await,
            "ListTagsForResource" => self.list_tags_for_resource(request.parse()?).await,

            _ => Err(JsonError::unknown_operation(&format!("{TARGET}.{action}"))),
        }
    }

    /// One document.
    async fn document<T: DeserializeOwned>(
        &self,
        kind: &str,
        key: &str,
    ) -> Result<Option<T>, JsonError> {
        let document = self.engine.documents().get(kind, key).await;
        document.map_err(|error| error::storage(&error))
    }

    /// The documents of one state machine: those whose keys are its ARN, a colon and more; in the order of their keys.
    async fn documents_of<T: DeserializeOwned>(
        &self,
        kind: &str,
        machine: &str,
    ) -> Result<Vec<T>, JsonError> {
        let prefix = format!("{machine}:");
        let page = self
            .engine
            .documents()
            .page(kind, Some(&prefix), MOST_DOCUMENTS)
            .await;
        let documents = page.map_err(|error| error::storage(&error))?;
        let own = documents
            .into_iter()
            .take_while(|(key, _)| key.starts_with(&prefix));
        Ok(own.map(|(_, document)| document).collect())
    }

    /// Does all the steps or none; durable on return.
    async fn change(&self, steps: Vec<Change>) -> Result<(), JsonError> {
        let changed = self.engine.documents().change(steps).await;
        changed.map(|_| ()).map_err(|error| error::storage(&error))
    }
}

/// The step that stores a document.
fn put(kind: &str, key: &str, document: &impl Serialize) -> Result<Change, JsonError> {
    Change::put(kind, key, document).map_err(|error| error::storage(&error))
}

/// An error of the engine that this version has no name for.
fn unnamed(error: &dyn std::error::Error) -> JsonError {
    tracing::error!(%error, "an error of the engine without a name in AWS");
    JsonError::internal()
}

/// A time as AWS's JSON has it: seconds since 1970.
#[expect(
    clippy::cast_precision_loss,
    reason = "milliseconds of this millennium fit a double's 53 bits"
)]
fn seconds(time: asl::Millis) -> f64 {
    time as f64 / 1000.0
}

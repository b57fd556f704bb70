//! Task states call services: this is who they call. The engine hands over a task, the [`Runner`] finds the service's
//! [`Integration`], which calls the same code that the wire calls — without the wire.
//!
//! A task may be run twice for the same id, after a crash: integrations pass [`TaskRun::effect`] on, so that the second
//! run finds what the first has done.
//!
//! Source: AWS Step Functions developer guide, "Integrating optimized services with Step Functions".

pub mod aws_sdk;
mod lambda;
pub(crate) mod metadata;
pub mod sns;
pub mod sqs;
pub mod states;

use std::{collections::BTreeMap, sync::Arc};

use asl::{Data, Dataset, Failure, MapItem, Pattern, Resource, error_name};
use engine::{AbandonedTask, Results, StorageError, TaskOutcome, TaskRun, TaskRunner};
use futures::{FutureExt, future::BoxFuture};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{map_run, s3::S3};

const NO_S3: &str = "This endpoint has no S3.";

/// A service that Task states can call.
pub trait Integration: Send + Sync + 'static {
    /// Calls the service. Never panics for anything that a definition or an input can contain.
    fn run(&self, task: TaskRun) -> BoxFuture<'static, TaskOutcome>;

    /// Ends the job of a `.sync` task that ended before it; see [`TaskRunner::abandon`].
    fn abandon(&self, _task: AbandonedTask) -> BoxFuture<'static, Result<(), StorageError>> {
        async { Ok(()) }.boxed()
    }

    /// Whether it can do what a resource asks for; if not, what to do about it. A definition with another resource is refused.
    fn supports(&self, resource: &Resource) -> Result<(), String> {
        let _ = resource;
        Ok(())
    }
}

/// All integrations, by the service's name in the ARN of the resource. A function's own ARN counts as `lambda`.
#[derive(Clone, Default)]
pub struct Runner {
    integrations: BTreeMap<&'static str, Arc<dyn Integration>>,
    s3: Option<S3>,
}

impl Runner {
    /// With the place of Map Runs' items and results.
    #[must_use]
    pub fn with_s3(self, s3: S3) -> Runner {
        Runner {
            s3: Some(s3),
            ..self
        }
    }

    /// Adds a service, or replaces it.
    #[must_use]
    pub fn with(mut self, service: &'static str, integration: Arc<dyn Integration>) -> Runner {
        self.integrations.insert(service, integration);
        self
    }

    /// Whether a task can call a resource; if not, what to do about it.
    ///
    /// # Errors
    /// It cannot.
    pub fn supports(&self, resource: &Resource) -> Result<(), String> {
        self.find(resource)?.supports(resource)
    }

    fn find(&self, resource: &Resource) -> Result<&Arc<dyn Integration>, String> {
        let service = match resource {
            Resource::Lambda { .. } => "lambda",
            Resource::Activity { .. } => "activity",
            Resource::Integration { service, .. } if service.starts_with("aws-sdk:") => "aws-sdk",
            Resource::Integration { service, .. } => service,
        };
        self.integrations.get(service).ok_or_else(|| {
            let known: Vec<&str> = self.integrations.keys().copied().collect();
            format!(
                "The service {service} cannot be called by tasks of this endpoint. It has: {}.",
                known.join(", ")
            )
        })
    }
}

impl TaskRunner for Runner {
    fn run(&self, task: TaskRun) -> BoxFuture<'static, TaskOutcome> {
        match self.find(&task.request.resource) {
            Ok(integration) => integration.run(task),
            Err(cause) => async move { failed("States.TaskFailed", cause) }.boxed(),
        }
    }

    fn abandon(&self, task: AbandonedTask) -> BoxFuture<'static, Result<(), StorageError>> {
        match self.find(&task.resource) {
            Ok(integration) => integration.abandon(task),
            // Then nothing was started either.
            Err(_) => async { Ok(()) }.boxed(),
        }
    }

    fn read_items(&self, dataset: Dataset) -> BoxFuture<'static, Result<Vec<MapItem>, Failure>> {
        let s3 = self.s3.clone();
        async move {
            match &s3 {
                Some(s3) => map_run::read_items(s3, &dataset).await,
                None => Err(Failure::new(error_name::ITEM_READER_FAILED, NO_S3)),
            }
        }
        .boxed()
    }

    fn write_results(&self, results: Results) -> BoxFuture<'static, Result<Data, Failure>> {
        let s3 = self.s3.clone();
        async move {
            match &s3 {
                Some(s3) => map_run::write_results(s3, &results).await,
                None => Err(Failure::new(error_name::RESULT_WRITER_FAILED, NO_S3)),
            }
        }
        .boxed()
    }
}

/// Whether a resource is this action in one of these patterns.
fn only(resource: &Resource, known: &str, patterns: &[Pattern]) -> Result<(), String> {
    match resource {
        Resource::Integration {
            action, pattern, ..
        } if &**action == known && patterns.contains(pattern) => Ok(()),
        _ => {
            let suffixes: Vec<String> = patterns
                .iter()
                .map(|pattern| format!("{known}{}", pattern.suffix()))
                .collect();
            Err(format!("Tasks can call {} of it.", suffixes.join(", ")))
        }
    }
}

/// The patterns of services that answer at once.
const AT_ONCE: &[Pattern] = &[Pattern::RequestResponse, Pattern::WaitForTaskToken];

/// The action and whether the task waits for its token; an error for patterns that messaging services do not have.
fn action_of(task: &TaskRun) -> Result<(&str, bool), TaskOutcome> {
    match &task.request.resource {
        Resource::Integration {
            action,
            pattern: Pattern::RequestResponse,
            ..
        } => Ok((action, false)),
        Resource::Integration {
            action,
            pattern: Pattern::WaitForTaskToken,
            ..
        } => Ok((action, true)),
        other => Err(failed(
            "States.Runtime",
            format!("The resource {other} is not one that this service has."),
        )),
    }
}

/// The call was made: the task ends with its answer, or waits for its token.
fn called(answer: Value, waits: bool) -> TaskOutcome {
    let answer = Data::new(answer);
    if waits {
        TaskOutcome::Submitted(answer)
    } else {
        TaskOutcome::Succeeded(answer)
    }
}

fn failed(error: impl Into<String>, cause: impl Into<String>) -> TaskOutcome {
    TaskOutcome::Failed {
        error: error.into(),
        cause: cause.into(),
    }
}

/// Reads parameters; text members that hold JSON instead of text are written as text first, as Step Functions does.
fn parameters<T: DeserializeOwned>(task: &TaskRun, texts: &[&str]) -> Result<T, TaskOutcome> {
    let mut parameters = task.request.parameters.value().clone();
    for text in texts {
        match parameters.get_mut(*text) {
            None | Some(Value::String(_)) => {}
            Some(value) => *value = Value::String(value.to_string()),
        }
    }
    serde_json::from_value(parameters).map_err(|error| not_startable(task, &error.to_string()))
}

/// The error for parameters that are not those of the call.
fn not_startable(task: &TaskRun, reason: &str) -> TaskOutcome {
    failed(
        "States.Runtime",
        format!(
            "An error occurred while executing the state '{}'. The Parameters '{}' could not be used to start the Task: [{reason}]",
            task.request.state,
            task.request.parameters.text()
        ),
    )
}

/// AWS's cause of a refused call.
fn cause(message: &str, service: &str, status: u16, code: &str, request_id: &str) -> String {
    format!(
        "{message} (Service: {service}; Status Code: {status}; Error Code: {code}; Request ID: {request_id}; Proxy: null)"
    )
}

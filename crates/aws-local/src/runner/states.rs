//! Executions started by executions: `states:startExecution`, `.sync`, `.sync:2` and `.waitForTaskToken`.
//!
//! The request is the wire's own `StartExecution`. A task that waits for its child (`.sync`) tells what was answered
//! ([`TaskRun::submitted`]) and goes on until the child has ended; if nobody wants its outcome any more, the run ends and the
//! child is stopped ([`Integration::abandon`]), also after a crash in between.
//! After a restart it runs again and finds the child that it started: by a name that is made from the task, or by a note
//! taken before the child was started under a name of the definition's choice.
//!
//! Source: developer guide, "Start a new AWS Step Functions state machine from a running execution"; recorded histories.

use std::sync::Arc;
use std::time::Duration;

use asl::{Data, Pattern, Resource};
use engine::{AbandonedTask, Engine, ExecutionError, StorageError, TaskOutcome, TaskRun};
use futures::{FutureExt, future::BoxFuture};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use tokio::sync::broadcast::{Receiver, error::RecvError};

use super::metadata::with_metadata;
use super::{Integration, cause, failed, not_startable};
use crate::protocol::json::{CONTENT_TYPE, JsonError, JsonRequest, JsonService as _};
use crate::protocol::new_request_id;
use crate::states::StepFunctions;

/// The kind of the documents that say which task started an execution.
const DOCUMENT: &str = "states.child";

/// How often a child is looked at before its task fails as that does not work, and the pause after the first time.
const TRIES: u32 = 9;
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// Starts executions for Task states.
pub struct StatesIntegration {
    nesting: Arc<Nesting>,
}

struct Nesting {
    engine: Engine,
    service: Arc<StepFunctions>,
}

impl StatesIntegration {
    /// Over the service and its engine.
    pub fn new(engine: Engine, service: Arc<StepFunctions>) -> StatesIntegration {
        StatesIntegration {
            nesting: Arc::new(Nesting { engine, service }),
        }
    }
}

impl Integration for StatesIntegration {
    fn run(&self, task: TaskRun) -> BoxFuture<'static, TaskOutcome> {
        let nesting = Arc::clone(&self.nesting);
        async move { nesting.run(&task).await.unwrap_or_else(|failure| failure) }.boxed()
    }

    fn abandon(&self, task: AbandonedTask) -> BoxFuture<'static, Result<(), StorageError>> {
        let nesting = Arc::clone(&self.nesting);
        async move { nesting.stop_child(&task).await }.boxed()
    }

    fn supports(&self, resource: &Resource) -> Result<(), String> {
        let all = [
            Pattern::RequestResponse,
            Pattern::WaitForTaskToken,
            Pattern::Sync,
            Pattern::Sync2,
        ];
        super::only(resource, "startExecution", &all)
    }
}

impl Nesting {
    async fn run(&self, task: &TaskRun) -> Result<TaskOutcome, TaskOutcome> {
        let pattern = match &task.request.resource {
            Resource::Integration {
                action, pattern, ..
            } if &**action == "startExecution" => *pattern,
            other => {
                let cause = format!("The resource {other} is not one that this service has.");
                return Err(failed("States.Runtime", cause));
            }
        };
        let request_id = new_request_id();
        let refuse = |error: JsonError| failure(&error, &request_id);
        let started = match self.child_of(task).await.map_err(refuse)? {
            Some(child) => child,
            None => match self.start(task).await? {
                Ok(child) => child,
                // It may be the one that an earlier run of this task started, and has ended since.
                Err(error) if error.shape() == "ExecutionAlreadyExists" => {
                    let own = self.unnamed_child_of(task).await.map_err(refuse)?;
                    own.ok_or_else(|| refuse(error))?
                }
                Err(error) => return Err(refuse(error)),
            },
        };
        let response = response(&started, &request_id);
        match pattern {
            Pattern::RequestResponse => Ok(TaskOutcome::Succeeded(response)),
            Pattern::WaitForTaskToken => Ok(TaskOutcome::Submitted(response)),
            Pattern::Sync | Pattern::Sync2 => {
                task.submitted(response).await;
                let ended = self.end_of(task, &started.arn).await.map_err(refuse)?;
                Ok(outcome(ended, pattern == Pattern::Sync2))
            }
        }
    }

    /// Starts the child. An outer error is the task's own mistake, an inner one the service's refusal.
    async fn start(&self, task: &TaskRun) -> Result<Result<StartedChild, JsonError>, TaskOutcome> {
        let given = task.request.parameters.value();
        let text = |name: &str| given.get(name).and_then(Value::as_str);
        let Some(machine) = text("StateMachineArn") else {
            let missing = "The field 'StateMachineArn' is required but was missing";
            return Err(not_startable(task, missing));
        };
        let mut noted = false;
        let mut request = json!({ "stateMachineArn": machine, "name": name_of(&task.effect()) });
        match given.get("Input") {
            None | Some(Value::Null) => {}
            Some(Value::String(input)) => request["input"] = input.as_str().into(),
            Some(input) => request["input"] = input.to_string().into(),
        }
        if let Some(name) = text("Name") {
            request["name"] = name.into();
            match self.note_if_new(task, execution_arn(machine, name)).await {
                Ok(is_new) => noted = is_new,
                Err(error) => return Ok(Err(error)),
            }
        }
        if let Some(header) = text("TraceHeader") {
            request["traceHeader"] = header.into();
        }
        let started = self.call("StartExecution", &request).await;
        if noted && matches!(&started, Err(error) if !error.status.is_server_error()) {
            // Refused, perhaps as somebody else has taken the name meanwhile: that one is not this task's.
            let documents = self.engine.documents();
            let forgotten = documents.delete(DOCUMENT, &task.effect()).await;
            if let Err(error) = forgotten {
                return Ok(Err(unnoted(&error)));
            }
        }
        Ok(started.map(|answer| {
            let seconds = answer["startDate"].as_f64().unwrap_or_default();
            StartedChild {
                arn: answer["executionArn"]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned(),
                at: milliseconds(seconds),
            }
        }))
    }

    /// Notes that this task is about to start an execution; false if that is there already, for it cannot become this task's.
    async fn note_if_new(&self, task: &TaskRun, arn: String) -> Result<bool, JsonError> {
        match self.described(&arn).await {
            Err(error) if error.shape() == "ExecutionDoesNotExist" => {
                let documents = self.engine.documents();
                let noted = documents.put(DOCUMENT, &task.effect(), &arn).await;
                noted.map(|()| true).map_err(|error| unnoted(&error))
            }
            // Whether it is there is not known.
            Err(error) if error.status.is_server_error() => Err(error),
            // The start will be refused with the reason.
            Ok(_) | Err(_) => Ok(false),
        }
    }

    /// The child that an earlier run of this task started under a name of the definition's choice.
    async fn child_of(&self, task: &TaskRun) -> Result<Option<StartedChild>, JsonError> {
        if task.request.parameters.value().get("Name").is_none() {
            return Ok(None);
        }
        let noted = self.engine.documents().get(DOCUMENT, &task.effect()).await;
        match noted.map_err(|error| unnoted(&error))? {
            Some(arn) => self.there(arn).await,
            None => Ok(None),
        }
    }

    /// The child that an earlier run of this task started under the name that is made from the task.
    async fn unnamed_child_of(&self, task: &TaskRun) -> Result<Option<StartedChild>, JsonError> {
        let given = task.request.parameters.value();
        let machine = given.get("StateMachineArn").and_then(Value::as_str);
        match machine {
            Some(machine) if given.get("Name").is_none() => {
                let arn = execution_arn(machine, &name_of(&task.effect()));
                self.there(arn).await
            }
            _ => Ok(None),
        }
    }

    /// An execution, if it is there. An error: that is not known.
    async fn there(&self, arn: String) -> Result<Option<StartedChild>, JsonError> {
        match self.described(&arn).await {
            Ok(described) => Ok(Some(StartedChild {
                at: milliseconds(described["startDate"].as_f64().unwrap_or_default()),
                arn,
            })),
            Err(error) if error.status.is_server_error() => Err(error),
            Err(_) => Ok(None),
        }
    }

    /// Waits for the end of a child; `DescribeExecution`'s answer. After an error the child may still run.
    async fn end_of(&self, task: &TaskRun, child: &str) -> Result<Value, JsonError> {
        let mut ended = self.engine.executions().ended();
        loop {
            let described = patiently(FIRST_PAUSE, || self.described(child));
            let described = tokio::select! {
                described = described => described?,
                // Nobody hears this: the task has ended, or the engine is closing.
                () = task.cancelled.cancelled() => return Err(JsonError::internal()),
            };
            if described["status"] != "RUNNING" {
                return Ok(described);
            }
            tokio::select! {
                heard = hear(&mut ended, child) => heard?,
                () = task.cancelled.cancelled() => return Err(JsonError::internal()),
            }
        }
    }

    /// Stops the child of a task, if it started one that still runs.
    async fn stop_child(&self, task: &AbandonedTask) -> Result<(), StorageError> {
        let given = task.parameters.value();
        let effect = task.effect();
        let child = if given.get("Name").is_some() {
            self.engine.documents().get(DOCUMENT, &effect).await?
        } else {
            let machine = given.get("StateMachineArn").and_then(Value::as_str);
            machine.map(|machine| execution_arn(machine, &name_of(&effect)))
        };
        let Some(child): Option<String> = child else {
            return Ok(());
        };
        match self.engine.executions().stop(&child, None, None).await {
            Ok(_) => Ok(()),
            Err(ExecutionError::Storage(error)) => Err(error),
            // It was never started, or has been pruned.
            Err(_) => Ok(()),
        }
    }

    async fn described(&self, execution: &str) -> Result<Value, JsonError> {
        self.call("DescribeExecution", &json!({ "executionArn": execution }))
            .await
    }

    async fn call(&self, action: &str, request: &Value) -> Result<Value, JsonError> {
        let request = JsonRequest {
            body: request.to_string().into(),
            base_url: String::new(),
            request_id: new_request_id(),
        };
        let answer = self.service.call(action, request).await?;
        serde_json::from_slice(&answer).map_err(|_| JsonError::internal())
    }
}

fn unnoted(error: &StorageError) -> JsonError {
    tracing::warn!(%error, "which task starts a nested execution could not be noted, or read");
    JsonError::internal()
}

/// Asks again while the service fails, each time after twice as long a pause.
async fn patiently<T, F>(mut pause: Duration, mut ask: impl FnMut() -> F) -> Result<T, JsonError>
where
    F: Future<Output = Result<T, JsonError>>,
{
    for _ in 1..TRIES {
        match ask().await {
            Err(error) if error.status.is_server_error() => tokio::time::sleep(pause).await,
            answer => return answer,
        }
        pause *= 2;
    }
    ask().await
}

async fn hear(ended: &mut Receiver<engine::Ended>, child: &str) -> Result<(), JsonError> {
    loop {
        match ended.recv().await {
            Ok(ended) if ended.arn != child => {}
            // This one; or some were missed, so look again.
            Ok(_) | Err(RecvError::Lagged(_)) => return Ok(()),
            Err(RecvError::Closed) => return Err(JsonError::internal()),
        }
    }
}

/// A child that runs, and since when.
pub(crate) struct StartedChild {
    pub(crate) arn: String,
    pub(crate) at: asl::Millis,
}

/// What Step Functions shows of `StartExecution`'s answer.
pub(crate) fn response(started: &StartedChild, request_id: &str) -> Data {
    // The service writes the time in seconds, Step Functions shows it in milliseconds.
    let on_the_wire = json!({ "executionArn": started.arn, "startDate": started.at / 1000 });
    // AWS's seconds have a fraction and an exponent: 1.700000000123E9.
    let length = on_the_wire.to_string().len() + 6;
    let mut answer = Map::new();
    answer.insert("ExecutionArn".to_owned(), started.arn.as_str().into());
    answer.insert("StartDate".to_owned(), started.at.into());
    Data::new(with_metadata(answer, request_id, CONTENT_TYPE, length))
}

/// How a child's end ends the task that waits for it.
fn outcome(described: Value, parsed: bool) -> TaskOutcome {
    let succeeded = described["status"] == "SUCCEEDED";
    let mut shown = in_pascal_case(described);
    for (name, value) in shown.iter_mut() {
        if name.ends_with("Date")
            && let Some(seconds) = value.as_f64()
        {
            *value = milliseconds(seconds).into();
        }
        if parsed
            && matches!(name.as_str(), "Input" | "Output")
            && let Some(Ok(data)) = value.as_str().map(serde_json::from_str)
        {
            *value = data;
        }
    }
    let shown = Value::Object(shown);
    if succeeded {
        TaskOutcome::Succeeded(Data::new(shown))
    } else {
        TaskOutcome::JobFailed {
            error: "States.TaskFailed".to_owned(),
            cause: shown.to_string(),
        }
    }
}

/// Members of an answer in the case that Step Functions writes them in; payloads in it are texts and stay as they are.
fn in_pascal_case(value: Value) -> Map<String, Value> {
    let Value::Object(members) = value else {
        return Map::new();
    };
    let members = members.into_iter().map(|(name, value)| {
        let value = match value {
            Value::Object(_) => Value::Object(in_pascal_case(value)),
            value => value,
        };
        (pascal_case(&name), value)
    });
    members.collect()
}

/// `executionArn` → `ExecutionArn`.
pub(crate) fn pascal_case(name: &str) -> String {
    let mut characters = name.chars();
    let first = characters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(characters).collect()
}

/// The ARN of an execution by its name, and its machine, which may be named by a version or an alias.
fn execution_arn(machine: &str, name: &str) -> String {
    let mut parts: Vec<&str> = machine.split(':').take(7).collect();
    if let Some(kind) = parts.get_mut(5) {
        *kind = "execution";
    }
    parts.push(name);
    parts.join(":")
}

/// The name of a child that the definition leaves without one: the same each time the task is run.
fn name_of(effect: &str) -> String {
    let digest = Sha256::digest(effect);
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    uuid::Builder::from_random_bytes(bytes)
        .into_uuid()
        .to_string()
}

fn milliseconds(seconds: f64) -> asl::Millis {
    #[expect(clippy::cast_possible_truncation, reason = "a time of this millennium")]
    let milliseconds = (seconds * 1000.0).round() as asl::Millis;
    milliseconds
}

fn failure(error: &JsonError, request_id: &str) -> TaskOutcome {
    let shape = error.shape();
    let name = shape.strip_suffix("Exception").unwrap_or(shape);
    failed(
        format!("StepFunctions.{name}Exception"),
        cause(
            &error.message,
            "AWSStepFunctions",
            error.status.as_u16(),
            shape,
            request_id,
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn asked(errors: usize, error: JsonError) -> (usize, Result<usize, JsonError>) {
        let mut asked = 0;
        let answer = patiently(Duration::ZERO, || {
            asked += 1;
            let answer = if asked > errors {
                Ok(asked)
            } else {
                Err(error.clone())
            };
            async { answer }
        });
        let answer = answer.await;
        (asked, answer)
    }

    #[tokio::test]
    async fn a_service_that_fails_is_asked_again_and_a_refusal_is_taken() {
        assert_eq!(asked(3, JsonError::internal()).await, (4, Ok(4)));
        let (times, answer) = asked(100, JsonError::internal()).await;
        assert_eq!((times, answer), (9, Err(JsonError::internal())));
        let refusal = JsonError::serialization(String::new());
        assert_eq!(asked(3, refusal.clone()).await, (1, Err(refusal)));
    }
}

//! Finds parked tasks: in the histories of running executions, never by receiving messages, so that looking takes
//! nothing away from anybody.
//!
//! A task is parked while its execution waits in a `sqs:sendMessage.waitForTaskToken` to a queue whose name ends in
//! `_dlq`, with a message that says what failed. The definition writes that message; see `workflows/reorder`.

use aws_sdk_sfn::types::ExecutionStatus;
use futures::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::connection::{AT_ONCE, Connection};
use crate::error::OperateError;
use crate::events::{self, Event};
use crate::filter::{Filter, ParkedFilter};
use crate::timeline::{self, Row, short_name};
use crate::{find, list};

/// How the queues that tasks park in are named.
const PARKING: &str = "_dlq";
const SEND_AND_WAIT: &str = "sqs:sendMessage.waitForTaskToken";

/// A task that failed for good and waits for an operator.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Parked {
    /// The execution's name.
    pub execution: String,
    /// The execution's ARN.
    pub execution_arn: String,
    /// The name of its state machine.
    pub state_machine: String,
    /// The task in whose DLQ it waits, such as `request_factory`.
    pub task: String,
    /// The state that failed.
    pub state: String,
    /// The error it failed with.
    pub error: String,
    /// The error's cause, as the task gave it.
    pub cause: String,
    /// Retries that were made before it was given up.
    pub retries: u64,
    /// What the state failed with.
    pub input: Value,
    /// When it was parked.
    pub since: Timestamp,
    /// The product that the execution is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product: Option<String>,
    /// The queue that holds its message.
    pub queue_url: String,
    /// The state that waits.
    pub parked_in: String,
    /// The command that runs it again.
    pub replay: String,
    /// The command that gives it up.
    pub discard: String,
    /// Whoever has the token can answer it, so it is never shown.
    #[serde(skip)]
    pub token: String,
}

/// The part of the message that this reads.
#[derive(Deserialize)]
struct Message {
    token: String,
    failed: Failed,
}

#[derive(Deserialize)]
struct Failed {
    state: String,
    input: Value,
    #[serde(default)]
    error: String,
    #[serde(default)]
    cause: String,
    #[serde(default)]
    retries: u64,
}

impl Parked {
    /// The parked tasks of a running execution; `events` is its whole history.
    pub fn find(execution_arn: &str, events: &[Event]) -> Vec<Parked> {
        let product = events
            .first()
            .and_then(|e| e.input.as_ref())
            .and_then(product);
        timeline::rows(events)
            .iter()
            .filter_map(|row| Parked::read(execution_arn, product.clone(), row))
            .collect()
    }

    pub(crate) fn read(execution_arn: &str, product: Option<String>, row: &Row) -> Option<Parked> {
        let task = row
            .open_task
            .as_ref()
            .filter(|t| t.resource == SEND_AND_WAIT)?;
        let queue_url = task.parameters.get("QueueUrl")?.as_str()?;
        let name = short_name(queue_url).strip_suffix(PARKING)?;
        let body = task.parameters.get("MessageBody")?;
        let message: Message = match body {
            Value::String(text) => serde_json::from_str(text).ok()?,
            body => Message::deserialize(body).ok()?,
        };
        let execution = short_name(execution_arn).to_owned();
        Some(Parked {
            replay: format!("restock dlq replay {execution} --task {name}"),
            discard: format!("restock dlq discard {execution} --task {name}"),
            execution,
            execution_arn: execution_arn.to_owned(),
            state_machine: find::machine_of(execution_arn).to_owned(),
            task: name.to_owned(),
            state: message.failed.state,
            error: message.failed.error,
            cause: message.failed.cause,
            retries: message.failed.retries,
            input: message.failed.input,
            since: task.since,
            product,
            queue_url: queue_url.to_owned(),
            parked_in: row.state.clone(),
            token: message.token,
        })
    }

    /// `task` is the DLQ's name without `_dlq`, with or without the prefix of an installation (`prod-request_factory`).
    pub fn is_of_task(&self, task: &str) -> bool {
        let rest = self.task.strip_suffix(task);
        rest.is_some_and(|prefix| prefix.is_empty() || prefix.ends_with('-'))
    }

    fn matches(&self, filter: &ParkedFilter) -> bool {
        filter
            .task
            .as_deref()
            .is_none_or(|task| self.is_of_task(task))
            && filter
                .product
                .as_ref()
                .is_none_or(|p| self.product.as_ref() == Some(p))
    }
}

/// The product that an execution is about.
pub fn product(input: &Value) -> Option<String> {
    input.get("product_id")?.as_str().map(str::to_owned)
}

/// Every parked task that the filter leaves, oldest first.
pub async fn list(at: &Connection, filter: &ParkedFilter) -> Result<Vec<Parked>, OperateError> {
    let running = Filter {
        machine: filter.machine.clone(),
        status: vec![ExecutionStatus::Running],
        ..Filter::default()
    };
    let executions = list::executions(at, &running, usize::MAX).await?.found;
    let arns = executions.into_iter().map(|e| e.execution_arn);
    let mut parked: Vec<Parked> = stream::iter(arns)
        .map(async |arn| of(at, &arn).await)
        .buffer_unordered(AT_ONCE)
        .try_concat()
        .await?;
    parked.retain(|p| p.matches(filter));
    parked.sort_by(|a, b| (a.since, &a.execution, &a.task).cmp(&(b.since, &b.execution, &b.task)));
    Ok(parked)
}

/// The parked tasks of one execution.
pub async fn of(at: &Connection, execution_arn: &str) -> Result<Vec<Parked>, OperateError> {
    let events = events::history(at, execution_arn).await?;
    Ok(Parked::find(execution_arn, &events))
}

/// The parked tasks that a verb names: of the given executions, or all that the filter leaves.
pub async fn choose(
    at: &Connection,
    executions: &[String],
    filter: &ParkedFilter,
) -> Result<Vec<Parked>, OperateError> {
    if executions.is_empty() {
        return list(at, filter).await;
    }
    let mut chosen = Vec::new();
    for name in executions {
        let arn = find::execution(at, name, filter.machine.as_deref()).await?;
        let mut found = of(at, &arn).await?;
        found.retain(|p| p.matches(filter));
        if found.is_empty() {
            let with = match &filter.task {
                Some(task) => format!(" of task {task}"),
                None => String::new(),
            };
            let execution = short_name(&arn).to_owned();
            return Err(OperateError::NotParked { execution, with });
        }
        chosen.extend(found);
    }
    Ok(chosen)
}

//! `sqs:sendMessage` and `sqs:sendMessage.waitForTaskToken`.

use engine::{TaskOutcome, TaskRun};
use futures::{FutureExt, future::BoxFuture};
use serde_json::Value;

use super::{
    Integration, action_of, called, cause, failed, metadata::with_metadata, not_startable,
    parameters,
};
use crate::{
    protocol::{
        json::{CONTENT_TYPE, JsonError},
        new_request_id,
    },
    sqs::{SendMessageRequest, Sqs},
};

/// Errors that the SDK behind Step Functions knows by name; all others are `AmazonSQSException`.
const NAMED: [&str; 3] = [
    "QueueDoesNotExist",
    "InvalidMessageContents",
    "UnsupportedOperation",
];

/// Sends messages for Task states.
pub struct SqsIntegration {
    sqs: Sqs,
}

impl SqsIntegration {
    /// Over the service.
    pub fn new(sqs: Sqs) -> SqsIntegration {
        SqsIntegration { sqs }
    }
}

impl Integration for SqsIntegration {
    fn run(&self, task: TaskRun) -> BoxFuture<'static, TaskOutcome> {
        let sqs = self.sqs.clone();
        async move { send(&sqs, &task).await.unwrap_or_else(|failure| failure) }.boxed()
    }

    fn supports(&self, resource: &asl::Resource) -> Result<(), String> {
        super::only(resource, "sendMessage", super::AT_ONCE)
    }
}

async fn send(sqs: &Sqs, task: &TaskRun) -> Result<TaskOutcome, TaskOutcome> {
    let (action, waits) = action_of(task)?;
    if action != "sendMessage" {
        return Err(failed(
            "States.Runtime",
            format!("SQS has no action {action} for tasks."),
        ));
    }
    for field in ["QueueUrl", "MessageBody"] {
        if task.request.parameters.value().get(field).is_none() {
            return Err(not_startable(
                task,
                &format!("The field '{field}' is required but was missing"),
            ));
        }
    }
    let request: SendMessageRequest = parameters(task, &["MessageBody"])?;
    let request_id = new_request_id();
    let sent = sqs.send(request, Some(task.effect())).await;
    let sent = sent.map_err(|error| failure(&error, &request_id))?;
    match serde_json::to_value(sent) {
        Ok(Value::Object(answer)) => {
            let length = Value::Object(answer.clone()).to_string().len();
            Ok(called(
                with_metadata(answer, &request_id, CONTENT_TYPE, length),
                waits,
            ))
        }
        _ => Err(failure(&JsonError::internal(), &request_id)),
    }
}

fn failure(error: &JsonError, request_id: &str) -> TaskOutcome {
    let shape = error.shape();
    let name = if NAMED.contains(&shape) {
        shape
    } else {
        "AmazonSQS"
    };
    let code = error.query_code.as_deref().unwrap_or(shape);
    failed(
        format!("SQS.{name}Exception"),
        cause(
            &error.message,
            "AmazonSQS",
            error.status.as_u16(),
            code,
            request_id,
        ),
    )
}

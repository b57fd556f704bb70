//! Answering task tokens: success, failure, heartbeat, each to what the caller can act on.
//!
//! A token that Step Functions does not know, or whose task no longer waits, is closed for good; every
//! other error may pass and is worth repeating. A closed token never proves that the work was done.

use aws_sdk_sfn::{
    error::{ProvideErrorMetadata, SdkError},
    operation::RequestId,
};
use serde::Serialize;
use shop::token::Closed;

use crate::{app::App, error::Common};

/// Answers a task with its output. Returns why the token is closed now.
pub(crate) async fn succeed(
    app: &App,
    token: &str,
    output: &impl Serialize,
) -> Result<Closed, Common> {
    let output =
        serde_json::to_string(output).map_err(|error| Common::InvalidInput(error.to_string()))?;
    let send = app.step_functions().await.send_task_success();
    let sent = send.task_token(token).output(output).send().await;
    closed("SendTaskSuccess", sent)
}

/// Fails a task under a declared error name. Returns why the token is closed now.
pub(crate) async fn fail(
    app: &App,
    token: &str,
    name: &str,
    cause: &str,
) -> Result<Closed, Common> {
    let send = app.step_functions().await.send_task_failure();
    let sent = send.task_token(token).error(name).cause(cause).send().await;
    closed("SendTaskFailure", sent)
}

/// Whether a task still waits for its token; counts as a heartbeat.
pub(crate) async fn still_waits(app: &App, token: &str) -> Result<bool, Common> {
    let send = app.step_functions().await.send_task_heartbeat();
    let sent = send.task_token(token).send().await;
    Ok(closed("SendTaskHeartbeat", sent)? == Closed::Accepted)
}

fn closed<T, E>(action: &'static str, sent: Result<T, SdkError<E>>) -> Result<Closed, Common>
where
    T: RequestId,
    E: std::error::Error + ProvideErrorMetadata + 'static,
{
    let error = match sent {
        Ok(_) => return Ok(Closed::Accepted),
        Err(error) => error,
    };
    match error.code() {
        Some("TaskTimedOut") => Ok(Closed::TimedOut),
        Some("TaskDoesNotExist") => Ok(Closed::Unknown),
        Some("InvalidToken") => Ok(Closed::Invalid),
        _ => Err(Common::aws("Step Functions", action, &error)),
    }
}

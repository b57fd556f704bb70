//! Answering task tokens: success, failure, heartbeat, each to what the caller can act on.
//!
//! A token that Step Functions does not know, or whose task no longer waits, is closed for good; every
//! other error may pass and is worth repeating. A closed token never proves that the work was done.

use aws_sdk_sfn::{
    error::{ProvideErrorMetadata, SdkError},
    operation::RequestId,
};
use serde::Serialize;
use shop::{
    arrival::Arrival,
    token::{self, Closed},
};

use crate::{app::App, await_callback::Delivered, error::Common};

/// How long one sender has the answering of a token to itself, in milliseconds: longer than a Lambda of ours lives, less
/// than what the sweep leaves alone.
const LEASE: i64 = 30_000;

/// What became of a delivery that was offered to a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Offered {
    /// Its execution has it now.
    Taken,
    /// Its execution does not wait any more.
    Declined,
    /// Another sender answers, or has answered it.
    ByAnother,
}

/// Offers a delivery to whoever waits with this token, and closes the token. Of two who offer, one does it.
pub(crate) async fn offer(
    app: &App,
    token_id: &str,
    token: &str,
    arrival: &Arrival,
) -> Result<Offered, Common> {
    let warehouse = app.warehouse()?;
    if !token::take(warehouse, token_id, LEASE).await? {
        return Ok(Offered::ByAnother);
    }
    let closed = match succeed(app, token, &Delivered::from(arrival)).await {
        Ok(closed) => closed,
        Err(error) => {
            token::give_back(warehouse, token_id).await?;
            return Err(error);
        }
    };
    token::close(warehouse, token_id, closed).await?;
    Ok(match closed {
        Closed::Accepted => Offered::Taken,
        Closed::TimedOut | Closed::Unknown | Closed::Invalid => Offered::Declined,
    })
}

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

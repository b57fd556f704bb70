//! Answers parked tasks: a replay is `SendTaskSuccess` with where to go on and with what, a discard is
//! `SendTaskFailure` with the error the task had.

use serde_json::{Value, json};

use crate::ahead;
use crate::connection::Connection;
use crate::error::{OperateError, refused};
use crate::parked::Parked;

/// Step Functions' limits: output in bytes, cause in characters, error in characters.
const OUTPUT_LIMIT: usize = 262_144;
const CAUSE_LIMIT: usize = 32_768;
const ERROR_LIMIT: usize = 256;

/// What became of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answered {
    /// Somebody waited for it.
    Taken,
    /// Nobody waits for it any more: it was answered, timed out, or its execution ended.
    Stale,
}

/// AWS's errors for a token that nobody waits for.
pub fn is_stale(error: &OperateError) -> bool {
    matches!(
        error.code(),
        Some("TaskTimedOut" | "TaskDoesNotExist" | "InvalidToken")
    )
}

/// Where a replay goes on, and with what.
#[derive(Clone, Debug, PartialEq)]
pub struct Replay {
    /// The state to go on with, in the scope of the one that failed.
    pub state: String,
    /// That state's input.
    pub input: Value,
}

impl Replay {
    /// `state` and `input` where the operator chose them, else those of the failure.
    pub fn of(parked: &Parked, state: Option<&str>, input: Option<&Value>) -> Replay {
        Replay {
            state: state.unwrap_or(&parked.state).to_owned(),
            input: input.unwrap_or(&parked.input).clone(),
        }
    }

    /// Sends it.
    pub async fn send(&self, at: &Connection, parked: &Parked) -> Result<Answered, OperateError> {
        let output = json!({ "state": self.state, "input": self.input }).to_string();
        if output.len() > OUTPUT_LIMIT {
            return Err(OperateError::Data(format!(
                "the input is too large: {} bytes with its envelope, and Step Functions takes {OUTPUT_LIMIT}",
                output.len()
            )));
        }
        let request = at
            .sfn
            .send_task_success()
            .task_token(&parked.token)
            .output(output);
        settled(
            request
                .send()
                .await
                .map_err(refused(format!("replay {}", parked.execution))),
        )
    }
}

/// Fails the execution with the task's own error; a reason is added to the cause.
pub async fn discard(
    at: &Connection,
    parked: &Parked,
    reason: Option<&str>,
) -> Result<Answered, OperateError> {
    let cause = match reason {
        Some(reason) if parked.cause.is_empty() => format!("discarded: {reason}"),
        Some(reason) => format!("{} (discarded: {reason})", parked.cause),
        None => parked.cause.clone(),
    };
    let request = at
        .sfn
        .send_task_failure()
        .task_token(&parked.token)
        .error(shorten(&parked.error, ERROR_LIMIT))
        .cause(shorten(&cause, CAUSE_LIMIT));
    settled(
        request
            .send()
            .await
            .map_err(refused(format!("discard {}", parked.execution))),
    )
}

fn settled<T>(answer: Result<T, OperateError>) -> Result<Answered, OperateError> {
    match answer {
        Ok(_) => Ok(Answered::Taken),
        Err(error) if is_stale(&error) => Ok(Answered::Stale),
        Err(error) => Err(error),
    }
}

fn shorten(text: &str, limit: usize) -> String {
    text.chars().take(limit).collect()
}

/// Whether the parked task can go on at `state`, by the definition its execution runs.
pub async fn check_state(
    at: &Connection,
    parked: &Parked,
    state: &str,
) -> Result<(), OperateError> {
    ahead::check_resumable(
        &definition(at, &parked.execution_arn).await?,
        &parked.parked_in,
        state,
    )
}

/// The definition that an execution runs.
pub async fn definition(
    at: &Connection,
    execution_arn: &str,
) -> Result<asl::Definition, OperateError> {
    let described = at
        .sfn
        .describe_state_machine_for_execution()
        .execution_arn(execution_arn)
        .send()
        .await;
    let described =
        described.map_err(refused(format!("read the definition of {execution_arn}")))?;
    ahead::parse(&described.definition)
}

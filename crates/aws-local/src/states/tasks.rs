//! `SendTaskSuccess`, `SendTaskFailure`, `SendTaskHeartbeat`: answers to task tokens.

use asl::Data;
use engine::TokenError;
use serde::Deserialize;

use super::validate::{CAUSE, Check, ERROR, PAYLOAD, TASK_TOKEN};
use super::{Answer, StepFunctions, error};
use crate::protocol::json::{JsonError, no_content};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SendTaskSuccess {
    task_token: Option<String>,
    output: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SendTaskFailure {
    task_token: Option<String>,
    error: Option<String>,
    cause: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SendTaskHeartbeat {
    task_token: Option<String>,
}

impl StepFunctions {
    pub(super) async fn send_task_success(&self, request: SendTaskSuccess) -> Answer {
        let mut check = Check::default();
        let token = check.required("taskToken", request.task_token, TASK_TOKEN);
        let output = check.required("output", request.output, PAYLOAD);
        check.done()?;
        let output = Data::parse(&output)
            .map_err(|found| error::invalid_output(asl::json_mistake(&output, &found)))?;
        self.engine
            .executions()
            .succeed(&token, output)
            .await
            .map_err(failure)?;
        no_content()
    }

    pub(super) async fn send_task_failure(&self, request: SendTaskFailure) -> Answer {
        let mut check = Check::default();
        let token = check.required("taskToken", request.task_token, TASK_TOKEN);
        let name = check.text("error", request.error, ERROR);
        let cause = check.text("cause", request.cause, CAUSE);
        check.done()?;
        let (name, cause) = (name.unwrap_or_default(), cause.unwrap_or_default());
        self.engine
            .executions()
            .fail(&token, name, cause)
            .await
            .map_err(failure)?;
        no_content()
    }

    pub(super) async fn send_task_heartbeat(&self, request: SendTaskHeartbeat) -> Answer {
        let mut check = Check::default();
        let token = check.required("taskToken", request.task_token, TASK_TOKEN);
        check.done()?;
        self.engine
            .executions()
            .heartbeat(&token)
            .await
            .map_err(failure)?;
        no_content()
    }
}

/// The engine's refusal in AWS's words.
pub(super) fn failure(error: TokenError) -> JsonError {
    match error {
        TokenError::InvalidToken => error::invalid_token(),
        TokenError::TaskDoesNotExist => error::task_does_not_exist(),
        TokenError::TaskTimedOut => error::task_timed_out(),
        TokenError::Storage(error) => error::storage(&error),
        error => super::unnamed(&error),
    }
}

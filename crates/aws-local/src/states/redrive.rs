//! `RedriveExecution`: an execution that did not succeed goes on from where it failed.
//!
//! The engine decides whether and how; this file keeps the client tokens, so that a repeated request is answered like the
//! first one and redrives nothing. There is no `ExecutionLimitExceeded`: any number of executions may run.
//!
//! Source: API reference, `RedriveExecution`; which message `ExecutionNotRedrivable` has is not documented, so it is the
//! execution's `redriveStatusReason`.

use asl::Millis;
use engine::ExecutionSummary;
use serde::{Deserialize, Serialize};

use super::executions::failure;
use super::validate::{ARN, CLIENT_TOKEN, Check};
use super::{Answer, StepFunctions, arn, error, seconds};
use crate::protocol::json::{JsonError, answer};

/// The client tokens of an execution, by its ARN.
const TOKENS: &str = "states.redrive";

/// So many of an execution's tokens are remembered, …
const MOST_TOKENS: usize = 10;

/// … each for so long after its first use.
const TOKEN_PERIOD: Millis = 15 * 60 * 1000;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RedriveExecution {
    execution_arn: Option<String>,
    client_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Redriven {
    redrive_date: f64,
}

/// A client token. It is stored before its redrive happens: that has happened once the execution's count has reached
/// `redrive`, also if the process was killed in between.
#[derive(Debug, Serialize, Deserialize)]
struct Token {
    token: String,
    first_used: Millis,
    redrive: u32,
    /// When that redrive was; absent while it is the execution's last one, which knows it itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    date: Option<Millis>,
}

impl StepFunctions {
    pub(super) async fn redrive_execution(&self, request: RedriveExecution) -> Answer {
        let mut check = Check::default();
        let arn = check.required("executionArn", request.execution_arn, ARN);
        let token = check.text("clientToken", request.client_token, CLIENT_TOKEN);
        check.done()?;
        arn::execution(&arn)?;
        // One after the other: what is decided here about tokens holds until the redrive is done.
        let _order = self.redrives.lock().await;
        let executions = self.engine.executions();
        let described = executions.describe(&arn).await;
        let summary = described.map_err(|error| failure(error, &arn))?.summary;
        let mut tokens: Vec<Token> = self.document(TOKENS, &arn).await?.unwrap_or_default();
        if let Some(date) = answered(&tokens, token.as_deref(), &summary, self.engine.now()) {
            return redriven(date);
        }
        if summary.map_run.is_some() {
            let reason = "Child workflow executions are redriven by redriving the execution that started their Map Run";
            return Err(error::execution_not_redrivable(reason));
        }
        let reason = executions.not_redrivable(&summary).await;
        if let Some(reason) = reason.map_err(|error| error::storage(&error))? {
            return Err(error::execution_not_redrivable(&reason));
        }
        self.remember(&mut tokens, token, &summary).await?;
        let date = executions.redrive(&arn).await;
        redriven(date.map_err(|error| failure(error, &arn))?)
    }

    /// Stores the tokens of the redrives that were, and of the one that is about to be.
    async fn remember(
        &self,
        tokens: &mut Vec<Token>,
        token: Option<String>,
        summary: &ExecutionSummary,
    ) -> Result<(), JsonError> {
        let now = self.engine.now();
        let known = !tokens.is_empty();
        tokens.retain(|token| token.is_valid(now) && token.redrive <= summary.redrives);
        for token in tokens.iter_mut() {
            token.date = token.date.or(summary.redriven);
        }
        tokens.extend(token.map(|token| Token {
            token,
            first_used: now,
            redrive: summary.redrives + 1,
            date: None,
        }));
        tokens.drain(..tokens.len().saturating_sub(MOST_TOKENS));
        if !known && tokens.is_empty() {
            return Ok(());
        }
        let stored = super::put(TOKENS, &summary.arn, tokens)?;
        self.change(vec![stored]).await
    }
}

impl Token {
    fn is_valid(&self, now: Millis) -> bool {
        now - self.first_used < TOKEN_PERIOD
    }
}

/// When the redrive was that this token stands for, if it happened.
fn answered(
    tokens: &[Token],
    token: Option<&str>,
    summary: &ExecutionSummary,
    now: Millis,
) -> Option<Millis> {
    let used = tokens.iter().find(|used| Some(&*used.token) == token)?;
    let happened = used.is_valid(now) && used.redrive <= summary.redrives;
    used.date.or(summary.redriven).filter(|_| happened)
}

fn redriven(date: Millis) -> Answer {
    answer(&Redriven {
        redrive_date: seconds(date),
    })
}

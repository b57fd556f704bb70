//! Answers to task tokens.

use asl::{Data, Signal, TaskToken};

use super::Executions;
use super::advance::SignalError;
use crate::TokenError;

impl Executions {
    /// `SendTaskSuccess`. Durable on return.
    ///
    /// # Errors
    /// A bad token, a task that has ended, or the store failed.
    pub async fn succeed(&self, token: &str, output: Data) -> Result<(), TokenError> {
        self.answer(token, |token| Signal::TaskSucceeded {
            task: token.task,
            output,
        })
        .await
    }

    /// `SendTaskFailure`. Durable on return.
    ///
    /// # Errors
    /// As [`Executions::succeed`].
    pub async fn fail(&self, token: &str, error: String, cause: String) -> Result<(), TokenError> {
        self.answer(token, |token| Signal::TaskFailed {
            task: token.task,
            error,
            cause,
        })
        .await
    }

    /// `SendTaskHeartbeat`. Durable on return.
    ///
    /// # Errors
    /// As [`Executions::succeed`].
    pub async fn heartbeat(&self, token: &str) -> Result<(), TokenError> {
        self.answer(token, |token| Signal::Heartbeat { task: token.task })
            .await
    }

    /// A worker took an activity's task (`GetActivityTask`). Durable on return; after it the task is not offered again.
    ///
    /// # Errors
    /// As [`Executions::succeed`]: then the worker must not get it.
    pub async fn task_started(
        &self,
        token: &str,
        worker: Option<String>,
    ) -> Result<(), TokenError> {
        self.answer(token, |token| Signal::TaskStarted {
            task: token.task,
            worker,
        })
        .await
    }

    async fn answer(
        &self,
        token: &str,
        signal: impl FnOnce(&TaskToken) -> Signal,
    ) -> Result<(), TokenError> {
        let token = TaskToken::decode(token).map_err(|_| TokenError::InvalidToken)?;
        let signal = signal(&token);
        let is_open = |execution: &asl::Execution| {
            if execution.awaits(token.task, token.nonce) {
                Ok(())
            } else {
                Err(SignalError::Ended)
            }
        };
        let mut outcome = self
            .shared
            .signal_if(token.execution, signal.clone(), is_open)
            .await;
        if matches!(outcome, Err(SignalError::Ended | SignalError::Refused(_))) {
            // What closed the token may have been decided and not be on disk yet. The refusal is an answer too: it waits
            // for the commit, and is asked for again, as a failed commit opens the token once more.
            let all_before = self.shared.journal.submit(|_| Ok(()), |_| {});
            all_before.await.map_err(TokenError::Storage)?;
            outcome = self
                .shared
                .signal_if(token.execution, signal, is_open)
                .await;
        }
        match outcome {
            Ok(()) => Ok(()),
            Err(SignalError::Unknown) => Err(TokenError::TaskDoesNotExist),
            Err(SignalError::Ended | SignalError::Refused(_)) => Err(TokenError::TaskTimedOut),
            Err(SignalError::Storage(error)) => Err(TokenError::Storage(error)),
        }
    }
}

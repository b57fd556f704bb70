//! One invocation: what the caller asks, what the process is given, what the caller gets.

use std::sync::Arc;

use bytes::Bytes;
use thiserror::Error;
use tokio::{sync::oneshot, time::Duration};

/// The only version of any function.
pub const LATEST: &str = "$LATEST";

/// What a caller asks of a function.
#[derive(Debug, Clone, Default)]
pub struct Invoke {
    /// The event, JSON text; passed through untouched.
    pub payload: Bytes,
    /// `X-Amz-Client-Context`, already decoded to JSON text.
    pub client_context: Option<String>,
    /// `X-Amzn-Trace-Id` of the caller.
    pub trace_id: Option<String>,
    /// Whether the answer brings the last 4 KiB of the invocation's log.
    pub tail: bool,
    /// How long to wait for a free process; `None`: as long as it takes.
    pub wait: Option<Duration>,
}

impl Invoke {
    /// An invocation with this event that waits for a process as long as it takes.
    pub fn new(payload: impl Into<Bytes>) -> Invoke {
        Invoke {
            payload: payload.into(),
            ..Invoke::default()
        }
    }
}

/// The function ran, or was tried.
#[derive(Debug, Clone)]
pub struct InvokeAnswer {
    /// The invocation's id, as the function and its log know it.
    pub request_id: Arc<str>,
    /// What ran: always [`LATEST`].
    pub executed_version: &'static str,
    /// The function's answer, or its error.
    pub result: Result<Bytes, FunctionError>,
    /// The end of the log, if asked for.
    pub log_tail: Option<Vec<u8>>,
}

/// The function failed: `X-Amz-Function-Error: Unhandled` on AWS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionError {
    /// `{"errorType", "errorMessage", …}`, JSON text.
    pub payload: Bytes,
    /// How it failed.
    pub kind: FailureKind,
}

/// How a function failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// The handler answered with an error.
    Handler,
    /// It ran out of time.
    TimedOut,
    /// Its process ended in the middle.
    Exited,
    /// Its process did not come up.
    Init,
}

/// Why a function could not be invoked at all.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum InvokeError {
    /// The name is malformed.
    #[error("{0:?} names no function: use NAME, NAME:QUALIFIER or the function's ARN")]
    InvalidName(String),
    /// No such function, version or alias; holds the ARN, with its qualifier.
    #[error("Function not found: {0}")]
    NotFound(String),
    /// No process became free in time.
    #[error("Rate Exceeded.")]
    TooManyRequests,
    /// The service is shutting down; the invocation may have run.
    #[error("the Lambda service is shutting down")]
    Stopped,
}

/// What a process is told.
#[derive(Debug)]
pub(super) struct Event {
    pub(super) request_id: Arc<str>,
    pub(super) invoked_arn: Arc<str>,
    pub(super) payload: Bytes,
    pub(super) client_context: Option<String>,
    pub(super) trace_id: Option<String>,
}

/// How an invocation ended.
#[derive(Debug)]
pub(super) enum Outcome {
    Returned(Bytes),
    Failed(FunctionError),
    Stopped,
}

/// The way back to the caller.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) sender: oneshot::Sender<Finished>,
    pub(super) tail: bool,
}

impl Reply {
    /// Whether nobody waits any more.
    pub(super) fn is_abandoned(&self) -> bool {
        self.sender.is_closed()
    }

    /// An abandoned reply is dropped quietly.
    pub(super) fn send(self, outcome: Outcome, log_tail: Option<Vec<u8>>) {
        let _ = self.sender.send(Finished { outcome, log_tail });
    }
}

#[derive(Debug)]
pub(super) struct Finished {
    pub(super) outcome: Outcome,
    pub(super) log_tail: Option<Vec<u8>>,
}

/// An invocation on its way to a process.
#[derive(Debug)]
pub(super) struct Invocation {
    pub(super) event: Event,
    pub(super) reply: Reply,
}

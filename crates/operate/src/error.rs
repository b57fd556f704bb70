//! Why something could not be read or changed.

use std::error::Error;

use aws_sdk_sfn::config::http::HttpResponse;
use aws_sdk_sfn::error::{ProvideErrorMetadata, SdkError};
use thiserror::Error;

/// Why something could not be read or changed.
#[derive(Debug, Error)]
pub enum OperateError {
    /// Nobody answered at all.
    #[error(
        "cannot {what}: no answer ({why}). Is `restock up` running there? Another address: --endpoint-url"
    )]
    Unreachable {
        /// What was attempted.
        what: String,
        /// What the network said.
        why: String,
    },
    /// Something answered, and not as AWS does.
    #[error(
        "cannot {what}: what answers there does not speak AWS's protocols. The AWS endpoint is in the banner of `restock up`: \
         --endpoint-url"
    )]
    NotAws {
        /// What was attempted.
        what: String,
    },
    /// The service answered, and said no.
    #[error("cannot {what}: {}{why}", code.as_ref().map(|c| format!("{c}: ")).unwrap_or_default())]
    Refused {
        /// What was attempted.
        what: String,
        /// AWS's error code.
        code: Option<String>,
        /// AWS's message.
        why: String,
    },
    /// No such state machine.
    #[error("there is no state machine {name}. There are {known}")]
    NoMachine {
        /// What was asked for.
        name: String,
        /// The names there are.
        known: String,
    },
    /// No such execution.
    #[error("no state machine has an execution named {name}. `restock executions list` shows them")]
    NoExecution {
        /// What was asked for.
        name: String,
    },
    /// A name is unique only within its state machine.
    #[error("several state machines have an execution named {name}; give the ARN: {arns}")]
    ManyExecutions {
        /// What was asked for.
        name: String,
        /// The ARNs that have this name.
        arns: String,
    },
    /// There is nothing left to stop.
    #[error("{execution} has ended already: {status}; nothing was changed")]
    Ended {
        /// The execution's name.
        execution: String,
        /// How it ended.
        status: String,
    },
    /// Something that was given or read is not as it must be.
    #[error("{0}")]
    Data(String),
    /// The execution does not wait for an operator.
    #[error(
        "{execution} has no parked task{with}. `restock executions show {execution}` says where it stands"
    )]
    NotParked {
        /// The execution's name.
        execution: String,
        /// What else was asked for, with a space in front, or nothing.
        with: String,
    },
    /// A parked task goes on only where its definition leads.
    #[error("{state} cannot be resumed from {park}: {why}. It can go on at {resumable}")]
    NotResumable {
        /// The state that was asked for.
        state: String,
        /// The state that waits.
        park: String,
        /// Why not.
        why: String,
        /// The states it can go on at.
        resumable: String,
    },
    /// The fork cannot start there.
    #[error("cannot fork from {state}: {why}")]
    NotForkable {
        /// The state that was asked for.
        state: String,
        /// Why not.
        why: String,
    },
    /// Something could not be written as JSON.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
}

impl OperateError {
    /// AWS's error code, if AWS answered with one.
    pub fn code(&self) -> Option<&str> {
        match self {
            OperateError::Refused { code, .. } => code.as_deref(),
            _ => None,
        }
    }
}

/// Turns the SDK's error into ours; `what` is what was attempted ("list executions").
pub fn refused<E>(what: impl Into<String>) -> impl FnOnce(SdkError<E, HttpResponse>) -> OperateError
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let what = what.into();
    move |error| match &error {
        // AWS names every error that it answers with.
        SdkError::ServiceError(service)
            if service.err().code().is_none() && service.err().message().is_none() =>
        {
            unnamed(what, service.raw().status().as_u16())
        }
        SdkError::ResponseError(answer) => unnamed(what, answer.raw().status().as_u16()),
        SdkError::ServiceError(service) => OperateError::Refused {
            what,
            code: service.err().code().map(str::to_owned),
            why: match service.err().message() {
                Some(message) => message.to_owned(),
                None => chain(service.err()),
            },
        },
        SdkError::DispatchFailure(_) | SdkError::TimeoutError(_) => OperateError::Unreachable {
            what,
            why: chain(&error),
        },
        _ => OperateError::Refused {
            what,
            code: None,
            why: chain(&error),
        },
    }
}

/// An answer without an error that AWS names. A server that is something else answers politely or does not know the way;
/// AWS itself, or a proxy before it, may be in trouble.
fn unnamed(what: String, status: u16) -> OperateError {
    match status {
        200..=399 | 404 | 405 => OperateError::NotAws { what },
        _ => OperateError::Refused {
            what,
            code: None,
            why: format!(
                "the answer was HTTP status {status} and names no error. AWS or something on the way there may be \
                 overloaded or refuse the request; try again later"
            ),
        },
    }
}

/// An error and its causes in one line.
fn chain(error: &dyn Error) -> String {
    let mut texts = vec![error.to_string()];
    let mut cause = error.source();
    while let Some(inner) = cause {
        texts.push(inner.to_string());
        cause = inner.source();
    }
    texts.dedup();
    texts.join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_no_aws_would_answer_is_said_to_be_none() {
        let told = |status| unnamed("list".to_owned(), status).to_string();
        for status in [200, 302, 404, 405] {
            let told = told(status);
            assert!(told.contains("does not speak AWS's protocols"), "{told}");
        }
        for status in [403, 413, 500, 503] {
            let told = told(status);
            assert!(told.contains(&format!("HTTP status {status}")), "{told}");
            assert!(!told.contains("restock up"), "{told}");
        }
    }
}

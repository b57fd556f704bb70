//! How a task fails: by a declared name, which is what `Retry` and `Catch` of a definition match.
//!
//! Each task owns a closed enum; [`declare_errors!`](crate::declare_errors) gives every variant its name
//! once, for Step Functions and for the static checks alike. What can befall every task is in
//! [`Common`]. A Rust type path must never become an error name: no `Retry` would match it.
//!
//! The texts end up as the `Cause` in histories and logs, which operators read and clients do not;
//! they still hold no secret.

use lambda_runtime::Diagnostic;

use crate::config::ConfigError;

/// An error with a declared name.
pub trait TaskError: std::error::Error {
    /// Every name this task adds to [`Common`]'s.
    const NAMES: &'static [&'static str];

    /// The name of this error, as a definition's `ErrorEquals` spells it.
    fn name(&self) -> &'static str;
}

/// Failures that any task may have.
#[derive(Debug, thiserror::Error)]
pub enum Common {
    /// The event is not what the task's input schema describes. Retrying cannot help.
    #[error("the input does not fit the task's schema: {0}")]
    InvalidInput(String),
    /// A setting is missing or wrong.
    #[error(transparent)]
    Misconfigured(#[from] ConfigError),
    /// A bug: the handler panicked.
    #[error("the handler panicked: {0}")]
    Panicked(String),
    /// The warehouse database is locked, gone or refuses us. Worth a retry.
    #[error("the warehouse database did not answer: {0}")]
    Warehouse(String),
    /// An AWS service did not answer, throttled us or failed. Worth a retry.
    #[error("{service} did not do {action}: {why}")]
    Aws {
        /// The service as its documentation writes it (`SNS`).
        service: &'static str,
        /// The action (`Publish`).
        action: &'static str,
        /// What the SDK reported.
        why: String,
    },
}

impl Common {
    /// An AWS call that failed, with everything the SDK knows about why.
    pub fn aws<E: std::error::Error + 'static>(
        service: &'static str,
        action: &'static str,
        error: &E,
    ) -> Self {
        Self::Aws {
            service,
            action,
            why: aws_sdk_sns::error::DisplayErrorContext(error).to_string(),
        }
    }
}

impl From<shop::Error> for Common {
    /// What a caller did not turn into an error of its own: the database's state, or a bug.
    fn from(error: shop::Error) -> Self {
        match error {
            shop::Error::Invalid { .. } | shop::Error::NotFound { .. } => {
                Self::InvalidInput(error.to_string())
            }
            other => Self::Warehouse(with_sources(&other)),
        }
    }
}

/// An error and all its causes in one line.
pub fn with_sources(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

impl TaskError for Common {
    const NAMES: &'static [&'static str] = &[
        "Task.InvalidInput",
        "Task.Misconfigured",
        "Task.Panicked",
        "Warehouse.Unavailable",
        "Aws.Unavailable",
    ];

    fn name(&self) -> &'static str {
        match self {
            Self::InvalidInput(_) => "Task.InvalidInput",
            Self::Misconfigured(_) => "Task.Misconfigured",
            Self::Panicked(_) => "Task.Panicked",
            Self::Warehouse(_) => "Warehouse.Unavailable",
            Self::Aws { .. } => "Aws.Unavailable",
        }
    }
}

/// Names the variants of a task's closed error enum and wires [`Common`] into it.
///
/// The enum must have a variant `Common(#[from] Common)`.
#[macro_export]
macro_rules! declare_errors {
    ($error:ident { $($variant:ident => $name:literal),+ $(,)? }) => {
        impl $crate::error::TaskError for $error {
            const NAMES: &'static [&'static str] = &[$($name),+];

            fn name(&self) -> &'static str {
                match self {
                    $(Self::$variant { .. } => $name,)+
                    Self::Common(common) => common.name(),
                }
            }
        }

        impl From<$crate::config::ConfigError> for $error {
            fn from(error: $crate::config::ConfigError) -> Self {
                Self::Common(error.into())
            }
        }

        impl From<shop::Error> for $error {
            fn from(error: shop::Error) -> Self {
                Self::Common(error.into())
            }
        }
    };
}

/// A failed task as Lambda reports it: `errorType` is the declared name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The declared name.
    pub name: &'static str,
    /// The explanation.
    pub message: String,
}

impl<E: TaskError> From<E> for Failure {
    fn from(error: E) -> Self {
        Self {
            name: error.name(),
            message: error.to_string(),
        }
    }
}

impl From<Failure> for Diagnostic {
    fn from(failure: Failure) -> Self {
        Self {
            error_type: failure.name.to_owned(),
            error_message: failure.message,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lambda_reports_the_declared_name_and_not_a_type_path() {
        let failure = Failure::from(Common::Warehouse("database is locked".into()));
        let diagnostic = Diagnostic::from(failure);
        assert_eq!(diagnostic.error_type, "Warehouse.Unavailable");
        assert_eq!(
            diagnostic.error_message,
            "the warehouse database did not answer: database is locked"
        );
    }
}

//! The mock of a `TestState` request: read, and checked against the state and the API of its service.

use asl::model::Kind;
use asl::trial::Trial;
use asl::{Data, Failure};
use serde::Deserialize;
use serde_json::Value;

use crate::models::{self, Strictness};
use crate::protocol::json::JsonError;
use crate::states::error;
use crate::states::validate::{CAUSE, Check, ERROR, PAYLOAD};

/// `MockInput`
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MockMember {
    result: Option<String>,
    error_output: Option<ErrorMember>,
    field_validation_mode: Option<String>,
}

#[derive(Debug, Deserialize)]
struct ErrorMember {
    error: Option<String>,
    cause: Option<String>,
}

/// A mock whose members are within their bounds.
#[derive(Debug)]
pub(super) struct Bounded {
    result: Option<String>,
    error: Option<Failure>,
    strictness: Option<Strictness>,
}

/// What a mock says.
#[derive(Debug)]
pub(super) struct Mock {
    outcome: Outcome,
    /// `None`: the result is not held against the service's API.
    strictness: Option<Strictness>,
}

#[derive(Debug)]
pub(super) enum Outcome {
    Result(Data),
    Error(Failure),
}

impl MockMember {
    pub(super) fn check(self, check: &mut Check) -> Bounded {
        let mode = check.word(
            "mock.fieldValidationMode",
            self.field_validation_mode,
            |word| match word {
                "STRICT" => Some(Some(Strictness::Strict)),
                "PRESENT" => Some(Some(Strictness::Present)),
                "NONE" => Some(None),
                _ => None,
            },
            "PRESENT, STRICT, NONE",
        );
        Bounded {
            result: check.text("mock.result", self.result, PAYLOAD),
            error: self.error_output.map(|output| Failure {
                error: check.text("mock.errorOutput.error", output.error, ERROR),
                cause: check.text("mock.errorOutput.cause", output.cause, CAUSE),
            }),
            strictness: mode.unwrap_or(Some(Strictness::Strict)),
        }
    }
}

impl Mock {
    pub(super) fn read(given: Bounded) -> Result<Mock, JsonError> {
        let outcome = match (given.result, given.error) {
            (Some(result), None) => Outcome::Result(
                Data::parse(&result)
                    .map_err(|_| error::validation("Mocked result must be valid JSON."))?,
            ),
            (None, Some(failure)) if failure.error.is_none() => {
                return Err(error::validation(
                    "The field 'error' must be specified in the mocked error output.",
                ));
            }
            (None, Some(failure)) => Outcome::Error(failure),
            _ => {
                return Err(error::validation(
                    "A test mock should have only one of the following fields: [result, errorOutput].",
                ));
            }
        };
        Ok(Mock {
            outcome,
            strictness: given.strictness,
        })
    }

    pub(super) fn outcome(&self) -> &Outcome {
        &self.outcome
    }

    /// Whether the result is one that the state can have.
    pub(super) fn check_result(&self, trial: &Trial) -> Result<(), JsonError> {
        let state = trial.state();
        let Outcome::Result(result) = &self.outcome else {
            return Ok(());
        };
        match state.kind() {
            Kind::Map(_) | Kind::Parallel(_) => match (result.value(), trial.writes_results()) {
                (Value::Array(_), false) | (Value::Object(_), true) => Ok(()),
                (_, false) => Err(error::validation("Mocked result must be an array.")),
                (_, true) => Err(error::validation("Mocked result must be a JSON object.")),
            },
            Kind::Task(task) => {
                let Some(strictness) = self.strictness else {
                    return Ok(());
                };
                let found = models::check(&task.resource, result.value(), strictness);
                found.map_err(|mistake| {
                    error::validation(format!("Mock result schema validation error: {mistake}"))
                })
            }
            _ => Ok(()),
        }
    }
}

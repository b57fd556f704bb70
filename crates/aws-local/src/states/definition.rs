//! Definitions as the wire sees them: checked for a type of state machine, and `ValidateStateMachineDefinition`.

use asl::{Code, Diagnostic, Severity};
use engine::MachineKind;
use serde::{Deserialize, Serialize};

use super::validate::{Check, DEFINITION};
use super::{Answer, StepFunctions, error};
use crate::protocol::json::{JsonError, answer};
use crate::runner::Runner;

/// `StateMachineType`
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum Kind {
    #[default]
    Standard,
    Express,
}

impl Kind {
    /// Checks the `type` of a request.
    pub(super) fn check(check: &mut Check, value: Option<String>) -> Kind {
        check
            .word("type", value, Kind::read, "STANDARD, EXPRESS")
            .unwrap_or_default()
    }

    fn read(word: &str) -> Option<Kind> {
        match word {
            "STANDARD" => Some(Kind::Standard),
            "EXPRESS" => Some(Kind::Express),
            _ => None,
        }
    }
}

impl From<MachineKind> for Kind {
    fn from(kind: MachineKind) -> Kind {
        match kind {
            MachineKind::Standard => Kind::Standard,
            MachineKind::Express => Kind::Express,
        }
    }
}

impl From<Kind> for MachineKind {
    fn from(kind: Kind) -> MachineKind {
        match kind {
            Kind::Standard => MachineKind::Standard,
            Kind::Express => MachineKind::Express,
        }
    }
}

/// All that is to be said about a definition for a state machine of this type, whose tasks are called by this runner.
fn diagnose(text: &str, kind: Kind, runner: Option<&Runner>) -> Vec<Diagnostic> {
    let asl::Parsed {
        definition,
        mut diagnostics,
    } = asl::parse(text);
    let Some(definition) = definition else {
        return diagnostics;
    };
    if kind == Kind::Express {
        diagnostics.extend(definition.express_diagnostics());
    }
    for (_, state) in definition.states() {
        let (Some(runner), asl::model::Kind::Task(task)) = (runner, state.kind()) else {
            continue;
        };
        if let Err(help) = runner.supports(&task.resource) {
            let (pointer, line) = state.place();
            diagnostics.push(Diagnostic {
                severity: Severity::Error,
                code: Code::Unsupported,
                pointer: format!("{pointer}/Resource"),
                line,
                message: format!(
                    "The resource provided {} is not recognized. {help}",
                    task.resource
                ),
                help: Some(help),
            });
        }
    }
    diagnostics
}

impl StepFunctions {
    /// Refuses a definition that has errors. What a mocked state machine calls need not exist.
    pub(super) fn accept(&self, name: &str, text: &str, kind: Kind) -> Result<(), JsonError> {
        let runner = self.tasks.get().filter(|_| !self.mocks.has_machine(name));
        let errors = errors(&diagnose(text, kind, runner));
        if errors.is_empty() {
            Ok(())
        } else {
            Err(error::invalid_definition(errors))
        }
    }
}

/// The errors among diagnostics, in AWS's form: `CODE: message at /place`.
pub(super) fn errors(diagnostics: &[Diagnostic]) -> String {
    let errors: Vec<String> = diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.severity == Severity::Error)
        .map(ToString::to_string)
        .collect();
    errors.join(", ")
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ValidateStateMachineDefinition {
    definition: Option<String>,
    r#type: Option<String>,
    severity: Option<String>,
    max_results: Option<i64>,
}

#[derive(Debug, Serialize)]
struct Validation {
    result: &'static str,
    diagnostics: Vec<Finding>,
    truncated: bool,
}

/// `ValidateStateMachineDefinitionDiagnostic`
#[derive(Debug, Serialize)]
struct Finding {
    severity: &'static str,
    code: &'static str,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<String>,
}

/// The most diagnostics in one answer.
const MOST: usize = 100;

impl StepFunctions {
    pub(super) fn validate_state_machine_definition(
        &self,
        request: ValidateStateMachineDefinition,
    ) -> Answer {
        let mut check = Check::default();
        let text = check.required("definition", request.definition, DEFINITION);
        let kind = Kind::check(&mut check, request.r#type);
        let least = check
            .word(
                "severity",
                request.severity,
                |word| match word {
                    "ERROR" => Some(Severity::Error),
                    "WARNING" => Some(Severity::Warning),
                    _ => None,
                },
                "ERROR, WARNING",
            )
            .unwrap_or(Severity::Error);
        let limit = check.number("maxResults", request.max_results, 0, 100);
        check.done()?;
        let limit = limit
            .and_then(|limit| usize::try_from(limit).ok())
            .filter(|limit| *limit > 0)
            .unwrap_or(MOST);
        let mut found = diagnose(&text, kind, self.tasks.get());
        let failed = found
            .iter()
            .any(|diagnostic| diagnostic.severity == Severity::Error);
        found.retain(|diagnostic| diagnostic.severity >= least);
        let truncated = found.len() > limit;
        found.truncate(limit);
        answer(&Validation {
            result: if failed { "FAIL" } else { "OK" },
            diagnostics: found.into_iter().map(Finding::from).collect(),
            truncated,
        })
    }
}

impl From<Diagnostic> for Finding {
    fn from(diagnostic: Diagnostic) -> Finding {
        Finding {
            severity: match diagnostic.severity {
                Severity::Error => "ERROR",
                Severity::Warning => "WARNING",
            },
            code: diagnostic.code.as_str(),
            message: diagnostic.message,
            location: Some(diagnostic.pointer).filter(|pointer| !pointer.is_empty()),
        }
    }
}

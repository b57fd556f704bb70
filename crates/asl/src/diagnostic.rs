//! What is wrong with a definition, said so that its author can mend it.

use std::fmt;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The definition is usable.
    Warning,
    /// The definition is refused.
    Error,
}

/// What kind of mistake. The first group are AWS's codes (API reference, `ValidateStateMachineDefinitionDiagnostic`), the last two
/// are ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Code {
    /// The text is not JSON.
    InvalidJsonDescription,
    /// A field is missing, unknown, of the wrong type or has a bad value.
    SchemaValidationFailed,
    /// `Resource` is none.
    InvalidResource,
    /// A state's name is empty or too long.
    InvalidStateName,
    /// `Label` of a Map has characters that it must not have, or too many.
    InvalidLabelName,
    /// Two Map states have the same `Label`.
    DuplicateLabelName,
    /// `Next`, `StartAt` or `Default` names a state that does not exist, or no transition leads to a state.
    MissingTransitionTarget,
    /// A definition above AWS's size limit.
    DefinitionTooLarge,
    /// Valid, but this interpreter cannot run it; refused rather than run wrongly.
    Unsupported,
    /// Valid, but it does not fit what it calls, or reads what is never there. Found by [`data_flow`](crate::data_flow) alone.
    DataFlow,
}

impl Code {
    /// The code as AWS writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidJsonDescription => "INVALID_JSON_DESCRIPTION",
            Self::SchemaValidationFailed => "SCHEMA_VALIDATION_FAILED",
            Self::InvalidResource => "INVALID_RESOURCE",
            Self::InvalidStateName => "INVALID_STATE_NAME",
            Self::InvalidLabelName => "INVALID_LABEL_NAME",
            Self::DuplicateLabelName => "DUPLICATE_LABEL_NAME",
            Self::MissingTransitionTarget => "MISSING_TRANSITION_TARGET",
            Self::DefinitionTooLarge => "DEFINITION_TOO_LARGE",
            Self::Unsupported => "UNSUPPORTED",
            Self::DataFlow => "DATA_FLOW",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One finding in a definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Error or warning.
    pub severity: Severity,
    /// Kind of mistake.
    pub code: Code,
    /// Where: a JSON pointer, as AWS writes it (`/States/A/Next`, `/` for the whole); empty if AWS names no place.
    pub pointer: String,
    /// Line of that place in the text, from 1.
    pub line: u32,
    /// What is wrong, in AWS's words where they are known.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl fmt::Display for Diagnostic {
    /// AWS's form inside `InvalidDefinition` errors: `CODE: message at /pointer`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)?;
        if self.pointer.starts_with('/') {
            write!(f, " at {}", self.pointer)
        } else {
            Ok(())
        }
    }
}

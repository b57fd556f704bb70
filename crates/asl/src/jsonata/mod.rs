//! JSONata expressions, parsed once and kept in the definition.
//!
//! The language itself is `jsonata-core`'s; here is what Step Functions adds and takes away: `$states`, variables, its extra
//! functions, no `$eval`, time and randomness from outside, limits.

mod convert;
mod functions;
mod guard;
mod session;

use std::fmt;
use std::sync::Arc;

use jsonata_core::ast::AstNode;

pub(crate) use functions::{digest, uuid};
pub(crate) use guard::guarded;
pub(crate) use session::Session;

/// Whether Step Functions adds this function, or answers it itself.
pub(crate) fn is_own_function(name: &str) -> bool {
    functions::NAMES.contains(&name)
}

/// A parsed expression. The evaluator's values are not `Send`, its syntax trees are: so the tree is what we keep.
#[derive(Clone)]
pub struct Jsonata {
    source: Arc<str>,
    pub(crate) ast: Arc<AstNode>,
    shortcut: Option<Shortcut>,
    needs: Needs,
}

/// What has to be bound for an expression; what is not needed costs nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Needs {
    /// Payloads and variables.
    Data,
    /// The context object and the functions of Step Functions too.
    Everything,
}

impl Needs {
    /// By the words in the source: a word in a string or comment may make it more than needed, never less.
    fn of(source: &str) -> Self {
        // `$states` other than with a named member can reach anything.
        let named = ["$states.input", "$states.result", "$states.errorOutput"];
        let states = source.matches("$states").count();
        let plain = named
            .iter()
            .map(|member| source.matches(member).count())
            .sum::<usize>();
        let calls = functions::NAMES
            .iter()
            .any(|name| source.contains(&format!("${name}")));
        if states > plain || calls {
            Self::Everything
        } else {
            Self::Data
        }
    }
}

/// Expressions that name a payload as a whole: it is shared instead of copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shortcut {
    /// `$states.input`
    Input,
    /// `$states.result`
    Result,
}

impl Jsonata {
    /// Parses the text between `{%` and `%}`.
    ///
    /// # Errors
    /// The message of the parser.
    pub(crate) fn parse(source: &str) -> Result<Self, String> {
        let source = source.trim();
        let mut ast =
            jsonata_core::parser::parse(source).map_err(|error| error.display_message())?;
        let needs = if guard::guard(&mut ast) {
            Needs::Everything
        } else {
            Needs::of(source)
        };
        let shortcut = match source {
            "$states.input" => Some(Shortcut::Input),
            "$states.result" => Some(Shortcut::Result),
            _ => None,
        };
        Ok(Self {
            source: source.into(),
            ast: Arc::new(ast),
            shortcut,
            needs,
        })
    }

    /// The expression without its delimiters.
    pub fn source(&self) -> &str {
        &self.source
    }

    pub(crate) fn needs(&self) -> Needs {
        self.needs
    }

    pub(crate) fn shortcut(&self) -> Option<Shortcut> {
        self.shortcut
    }
}

impl fmt::Debug for Jsonata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{% {} %}}", self.source)
    }
}

/// Why an expression gave no value.
#[derive(Debug)]
pub(crate) enum EvaluationError {
    /// It gave `undefined`.
    Undefined,
    /// It gave a function or a regular expression.
    Unsupported,
    /// It failed; the evaluator's message.
    Threw(String),
}

impl EvaluationError {
    /// AWS's text for it.
    pub(crate) fn message(&self, source: &str, field: &str) -> String {
        let expression =
            format!("The JSONata expression '{source}' specified for the field '{field}'");
        match self {
            Self::Undefined => format!("{expression} returned nothing (undefined)."),
            Self::Unsupported => format!("{expression} returned an unsupported result type."),
            Self::Threw(message) => {
                format!("{expression} threw an error during evaluation. {message}")
            }
        }
    }
}

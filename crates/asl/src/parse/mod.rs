//! Text to [`Definition`]: everything that can be wrong is found here, once, and reported together.
//!
//! [`parse`] checks the text (`text.rs`), then the machine and its scopes (`machine.rs`), then each state (`state.rs` and one file
//! per kind). After this folder nobody looks at the definition's JSON again.

mod choice;
mod distributed;
mod express;
mod fields;
mod machine;
mod map;
mod recovery;
mod scope_rules;
mod state;
mod task;
mod template;
mod text;
mod wait;

use std::sync::Arc;

use serde_json::Value;

use crate::model::{Definition, QueryLanguage, Scope, State};
use crate::{Code, Diagnostic, Severity};

/// What [`parse`] found.
#[derive(Debug)]
pub struct Parsed {
    /// The definition; `Some` exactly if no diagnostic is an error.
    pub definition: Option<Definition>,
    /// Everything found, in the order of the text where it can be told.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads a definition: Amazon States Language as JSON text.
pub fn parse(text: &str) -> Parsed {
    let mut diagnostics = Vec::new();
    let definition = match text::read(text, &mut diagnostics) {
        Some((value, lines)) => {
            let mut builder = Builder {
                lines,
                diagnostics: &mut diagnostics,
                scopes: Vec::new(),
                states: Vec::new(),
            };
            builder.machine(text, &value)
        }
        None => None,
    };
    let refused = diagnostics
        .iter()
        .any(|diagnostic| diagnostic.severity == Severity::Error);
    Parsed {
        definition: definition.filter(|_| !refused),
        diagnostics,
    }
}

/// The line of a place in a text that was parsed before.
pub(crate) fn line_of(text: &str, pointer: &str) -> u32 {
    text::read(text, &mut Vec::new()).map_or(1, |(_, lines)| lines.of(pointer))
}

/// A definition in the making.
struct Builder<'a> {
    lines: text::Lines,
    diagnostics: &'a mut Vec<Diagnostic>,
    scopes: Vec<Option<Scope>>,
    states: Vec<Option<State>>,
}

impl Builder<'_> {
    fn error(&mut self, code: Code, pointer: &str, message: impl Into<String>, help: Option<&str>) {
        let line = self.lines.of(pointer);
        self.diagnostics.push(Diagnostic {
            severity: Severity::Error,
            code,
            pointer: if pointer.is_empty() {
                "/".to_owned()
            } else {
                pointer.to_owned()
            },
            line,
            message: message.into(),
            help: help.map(str::to_owned),
        });
    }

    /// A mistake against the language's schema: by far the most frequent kind.
    fn schema(&mut self, pointer: &str, message: impl Into<String>) {
        self.error(Code::SchemaValidationFailed, pointer, message, None);
    }

    fn unsupported(&mut self, pointer: &str, message: impl Into<String>, help: &str) {
        self.error(Code::Unsupported, pointer, message, Some(help));
    }

    fn machine(&mut self, text: &str, value: &Value) -> Option<Definition> {
        let root = self.fields(value, "")?;
        let query_language = self.query_language(&root, None);
        let timeout_seconds = self.whole(&root, "TimeoutSeconds", 1, 99_999_999);
        let comment = self.string(&root, "Comment").map(str::to_owned);
        if let Some(version) = self.string(&root, "Version")
            && version != "1.0"
        {
            self.schema("/Version", "Version must be '1.0'");
        }
        self.scope(&root, query_language);
        self.known(
            &root,
            &[
                "Comment",
                "StartAt",
                "States",
                "TimeoutSeconds",
                "Version",
                "QueryLanguage",
            ],
        );
        self.check_variables();
        self.check_labels();
        self.check_express_children();
        let scopes = std::mem::take(&mut self.scopes)
            .into_iter()
            .collect::<Option<Vec<_>>>()?;
        let states = std::mem::take(&mut self.states)
            .into_iter()
            .collect::<Option<Vec<_>>>()?;
        Some(Definition {
            source: Arc::from(text),
            comment,
            timeout_seconds,
            query_language,
            scopes,
            states,
        })
    }

    fn query_language(
        &mut self,
        fields: &fields::Fields<'_>,
        outer: Option<QueryLanguage>,
    ) -> QueryLanguage {
        match self.string(fields, "QueryLanguage") {
            None => outer.unwrap_or(QueryLanguage::JsonPath),
            Some("JSONPath") => QueryLanguage::JsonPath,
            Some("JSONata") => QueryLanguage::Jsonata,
            Some(other) => {
                self.schema(
                    &fields.at("QueryLanguage"),
                    format!("Unsupported query language '{other}'; choose 'JSONata' or 'JSONPath'"),
                );
                outer.unwrap_or(QueryLanguage::JsonPath)
            }
        }
    }
}

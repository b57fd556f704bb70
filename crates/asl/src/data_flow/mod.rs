//! What can be known of a workflow's data before it runs: where it reads what is never there, hands a task what its contract
//! refuses, or waits for an error that nothing has.
//!
//! [`check`] follows the data from the execution's input through every state, by the contracts of
//! what the states call. It complains only of what can never be right: what a way through the workflow may give is there, and
//! what comes from outside without a contract is anything, and so is what it is joined with. Only what an operator answers
//! ([`Shape::Alike`]) is taken to be like what the workflow makes itself. Expressions in JSONata are followed; of JSONPath
//! states only the names of variables and errors are, and what they give is not known.
//!
//! It must not know where contracts come from. Start reading at [`Contracts`].

mod expression;
mod shape;
mod walk;

use std::collections::BTreeSet;

pub use shape::Shape;

use crate::model::{Definition, State};
use crate::{Code, Diagnostic, Severity, parse};

/// What a Task state's call takes and gives.
#[derive(Debug, Clone)]
pub struct Contract {
    /// Whom it calls, for messages: `check_stock`.
    pub name: String,
    /// The argument that it takes (`Payload`), and its shape; none where nothing is known.
    pub takes: Option<(String, Shape)>,
    /// The task's whole result.
    pub gives: Shape,
    /// Every error name that it may fail with, besides those of Step Functions itself (`States.…`). A name that ends with
    /// `*` stands for all that begin so. None where they are not known.
    pub errors: Option<BTreeSet<String>>,
}

/// What a definition may rely on.
pub struct Contracts<'a> {
    /// The execution's input.
    pub input: Shape,
    /// The contract of a Task state; none where nothing is known of what it calls.
    pub task: &'a dyn Fn(&State) -> Option<Contract>,
}

/// Everything in a definition that can never be right, in the order of the text.
pub fn check(definition: &Definition, contracts: &Contracts<'_>) -> Vec<Diagnostic> {
    let findings = walk::findings(definition, contracts);
    let mut diagnostics: Vec<_> = findings
        .into_iter()
        .map(|finding| Diagnostic {
            severity: Severity::Error,
            code: Code::DataFlow,
            line: parse::line_of(definition.source(), &finding.pointer),
            pointer: finding.pointer,
            message: finding.message,
            help: Some(finding.help),
        })
        .collect();
    diagnostics.sort_by_key(|diagnostic| diagnostic.line);
    diagnostics
}

#[cfg(test)]
mod tests;

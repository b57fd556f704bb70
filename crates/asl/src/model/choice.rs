//! Choice states.

use super::{Assignments, Dynamic, StateId, Template};
use crate::Data;
use crate::jsonpath::PathExpression;

/// Chooses the next state.
#[derive(Debug)]
pub struct ChoiceState {
    /// `Choices`, tried in order.
    pub choices: Vec<ChoiceRule>,
    /// `Default`.
    pub default: Option<StateId>,
}

/// One element of `Choices`.
#[derive(Debug)]
pub struct ChoiceRule {
    /// When it applies.
    pub condition: Condition,
    /// `Next`.
    pub next: StateId,
    /// `Output` (JSONata states only).
    pub output: Option<Template>,
    /// `Assign`.
    pub assign: Assignments,
}

/// When a rule applies.
#[derive(Debug)]
pub enum Condition {
    /// `Condition`, a JSONata expression.
    Jsonata(Dynamic),
    /// `Condition`, the literal `true` or `false`.
    Constant(bool),
    /// A JSONPath comparison.
    Compare(Box<Comparison>),
    /// `And`
    And(Vec<Condition>),
    /// `Or`
    Or(Vec<Condition>),
    /// `Not`
    Not(Box<Condition>),
}

/// `Variable` with one operator.
#[derive(Debug)]
pub struct Comparison {
    /// `Variable`
    pub variable: PathExpression,
    /// The operator's field name, such as `NumericLessThanPath`; kept for messages.
    pub operator: &'static str,
    /// What it compares with.
    pub operand: Operand,
}

/// The right side of a comparison.
#[derive(Debug)]
pub enum Operand {
    /// Written in the definition.
    Literal(Data),
    /// A path (operators that end in `Path`).
    Path(PathExpression),
}

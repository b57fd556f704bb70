//! How a state's input becomes its arguments, and its result its output.

use std::sync::Arc;

use crate::Data;
use crate::jsonata::Jsonata;
use crate::jsonpath::PathExpression;

/// An expression that is evaluated when the state runs.
#[derive(Debug, Clone)]
pub enum Dynamic {
    /// `{% … %}`
    Jsonata(Jsonata),
    /// A JSONPath, variable reference, context path or intrinsic function call.
    Path(PathExpression),
}

/// JSON with expressions in it.
#[derive(Debug, Clone)]
pub enum Template {
    /// No expression inside: shared, never rebuilt.
    Literal(Data),
    /// One expression; its value takes this place.
    Dynamic(Dynamic),
    /// An object with an expression somewhere inside.
    Object(Vec<(String, Template)>),
    /// An array with an expression somewhere inside.
    Array(Vec<Template>),
}

/// `Assign`: variables and what they become; empty if absent.
pub type Assignments = Vec<(Arc<str>, Template)>;

/// A whole number, written or computed.
#[derive(Debug, Clone)]
pub enum Amount {
    /// Written in the definition.
    Literal(u64),
    /// Computed.
    Dynamic(Dynamic),
}

/// A percentage, written or computed.
#[derive(Debug, Clone)]
pub enum Share {
    /// Written in the definition: 0 to 100.
    Literal(f64),
    /// Computed.
    Dynamic(Dynamic),
}

/// A text, written or computed.
#[derive(Debug, Clone)]
pub enum Text {
    /// Written in the definition.
    Literal(String),
    /// Computed.
    Dynamic(Dynamic),
}

/// `InputPath` and `OutputPath`.
#[derive(Debug, Clone)]
pub enum PathField {
    /// Absent, or `$`: the whole.
    Whole,
    /// `null`: an empty object.
    Null,
    /// A path.
    Path(PathExpression),
}

/// `ResultPath`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResultPath {
    /// Absent, or `$`: the result replaces the input.
    Replace,
    /// `null`: the result is dropped.
    Discard,
    /// A reference path: where the result goes into the input.
    Insert(Vec<crate::jsonpath::Step>),
}

/// The data flow of a state, in its query language.
#[derive(Debug)]
pub enum Flow {
    /// InputPath, Parameters, ResultSelector, ResultPath, OutputPath.
    JsonPath(Box<JsonPathFlow>),
    /// Arguments, Output.
    Jsonata(Box<JsonataFlow>),
}

/// The data flow of a JSONPath state.
#[derive(Debug)]
pub struct JsonPathFlow {
    /// `InputPath`
    pub input_path: PathField,
    /// `Parameters`
    pub parameters: Option<Template>,
    /// `ResultSelector`
    pub result_selector: Option<Template>,
    /// `ResultPath`
    pub result_path: ResultPath,
    /// `OutputPath`
    pub output_path: PathField,
    /// `Assign`
    pub assign: Assignments,
}

/// The data flow of a JSONata state.
#[derive(Debug)]
pub struct JsonataFlow {
    /// `Arguments`
    pub arguments: Option<Template>,
    /// `Output`
    pub output: Option<Template>,
    /// `Assign`
    pub assign: Assignments,
}

impl Flow {
    /// The state's `Assign`.
    pub fn assign(&self) -> &Assignments {
        match self {
            Self::JsonPath(flow) => &flow.assign,
            Self::Jsonata(flow) => &flow.assign,
        }
    }
}

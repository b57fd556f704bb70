//! The shape of what a JSONata expression gives, and what it reads that can never be there.
//!
//! Follows the syntax tree once, without evaluating anything. What it does not know gives [`Shape::Unknown`].

use std::collections::BTreeMap;
use std::sync::Arc;

use jsonata_core::ast::{AstNode, BinaryOp, PathStep, Stage, UnaryOp};

use super::shape::{Member, Shape};
use crate::jsonata::guarded;

/// Variables of the workflow, and what they may be.
pub(super) type Variables = BTreeMap<Arc<str>, Shape>;

/// One thing that can never be there: what, and what to do.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Trouble {
    pub message: String,
    pub help: String,
}

/// The shape of an expression's value where `$states` has this shape.
pub(super) fn shape(ast: &AstNode, states: &Shape, variables: &Variables) -> (Shape, Vec<Trouble>) {
    let mut reader = Reader {
        states,
        variables,
        locals: Vec::new(),
        item: None,
        depth: 0,
        troubles: Vec::new(),
    };
    let shape = reader.read(ast);
    (shape, reader.troubles)
}

struct Reader<'a> {
    states: &'a Shape,
    variables: &'a Variables,
    locals: Vec<(String, Shape)>,
    /// What names are looked up in; a Step Functions expression begins with nothing.
    item: Option<Shape>,
    depth: usize,
    troubles: Vec<Trouble>,
}

/// What nests deeper in an expression is not read: nobody writes it, and the stack is not endless.
const DEEPEST: usize = 200;

impl Reader<'_> {
    fn read(&mut self, node: &AstNode) -> Shape {
        if self.depth == DEEPEST {
            return Shape::Unknown;
        }
        self.depth += 1;
        let shape = self.read_one(node);
        self.depth -= 1;
        shape
    }

    fn read_one(&mut self, node: &AstNode) -> Shape {
        match node {
            AstNode::String(_) => Shape::text(),
            AstNode::Number(_) => Shape::number(),
            AstNode::Boolean(_) => Shape::truth(),
            AstNode::Null => Shape::null(),
            AstNode::Variable(name) => self.variable(name),
            AstNode::Name(name) => self.name(name),
            AstNode::Path { steps } => self.path(steps),
            AstNode::Binary { op, lhs, rhs } => self.binary(*op, lhs, rhs),
            AstNode::Unary { op, operand } => {
                self.read(operand);
                match op {
                    UnaryOp::Negate => Shape::number(),
                    UnaryOp::Not => Shape::truth(),
                }
            }
            AstNode::Function { name, args, .. } => self.function(name, args),
            AstNode::Call { procedure, args } => {
                self.read(procedure);
                self.all(args);
                Shape::Unknown
            }
            AstNode::Lambda { params, body, .. } => {
                let before = self.locals.len();
                let bound = params.iter().map(|name| (name.clone(), Shape::Unknown));
                self.locals.extend(bound);
                self.inside(Shape::Unknown, |reader| reader.read(body));
                self.locals.truncate(before);
                Shape::Unknown
            }
            AstNode::Array(items) | AstNode::ArrayGroup(items) => {
                let items = items.iter().map(|item| self.read(item)).collect();
                Shape::tuple(items)
            }
            AstNode::Object(pairs) => self.object(pairs),
            AstNode::ObjectTransform { input, pattern } => {
                let item = self.read(input).element(None);
                self.inside(item, |reader| reader.object(pattern));
                Shape::Unknown
            }
            AstNode::Block(items) => {
                let before = self.locals.len();
                let last = self.all(items);
                self.locals.truncate(before);
                last.unwrap_or(Shape::Unknown)
            }
            AstNode::Conditional {
                condition,
                then_branch,
                else_branch,
            } => {
                self.read(condition);
                let then = self.read(then_branch);
                match else_branch {
                    Some(other) => then.either(self.read(other)),
                    None => then,
                }
            }
            AstNode::FunctionApplication(inner) => self.read(inner),
            AstNode::Sort { input, terms } => {
                let sorted = self.read(input);
                self.inside(sorted.element(None), |reader| {
                    for (term, _) in terms {
                        reader.read(term);
                    }
                });
                sorted
            }
            AstNode::Transform {
                location,
                update,
                delete,
            } => {
                self.inside(Shape::Unknown, |reader| {
                    reader.read(location);
                    reader.read(update);
                    delete.iter().for_each(|delete| {
                        reader.read(delete);
                    });
                });
                Shape::Unknown
            }
            AstNode::Undefined
            | AstNode::Placeholder
            | AstNode::Regex { .. }
            | AstNode::ParentVariable(_)
            | AstNode::Wildcard
            | AstNode::Descendant
            | AstNode::Parent(_) => Shape::Unknown,
        }
    }

    /// Reads all; the shape of the last.
    fn all(&mut self, nodes: &[AstNode]) -> Option<Shape> {
        nodes.iter().map(|node| self.read(node)).last()
    }

    /// Reads something whose names are looked up in `item`.
    fn inside<T>(&mut self, item: Shape, read: impl FnOnce(&mut Self) -> T) -> T {
        let outer = self.item.replace(item);
        let result = read(self);
        self.item = outer;
        result
    }

    fn variable(&mut self, name: &str) -> Shape {
        match name {
            "" => return self.item.clone().unwrap_or(Shape::Unknown),
            "$" => return Shape::Unknown,
            "states" => return self.states.clone(),
            _ => {}
        }
        if let Some((_, shape)) = self.locals.iter().rev().find(|(local, _)| local == name) {
            return shape.clone();
        }
        if let Some(shape) = self.variables.get(name) {
            return shape.clone();
        }
        if !is_function(name) {
            self.troubles.push(unassigned(name, self.variables));
        }
        Shape::Unknown
    }

    /// A name that begins an expression.
    fn name(&mut self, name: &str) -> Shape {
        match self.item.clone() {
            Some(item) => self.step(&item, name, "the value"),
            None => {
                self.troubles.push(Trouble {
                    message: format!("It reads {name} of nothing"),
                    help: format!("Say of what: $states.input.{name}, or '{name}' for a text."),
                });
                Shape::Unknown
            }
        }
    }

    fn path(&mut self, steps: &[PathStep]) -> Shape {
        let before = self.locals.len();
        let mut text = String::new();
        let mut shape = None::<Shape>;
        for step in steps {
            let bound = step.focus.iter().chain(&step.index_var);
            self.locals
                .extend(bound.map(|name| (name.clone(), Shape::Unknown)));
            let mut next = match (&step.node, &shape) {
                (AstNode::Name(name) | AstNode::String(name), Some(shape)) => {
                    let shape = shape.clone();
                    self.step(&shape, name, &text)
                }
                (node, None) => self.read(node),
                (node, Some(shape)) => {
                    let item = shape.element(None);
                    self.inside(item, |reader| reader.read(node))
                }
            };
            match &step.node {
                AstNode::Variable(name) => text.push_str(&format!("${name}")),
                AstNode::Name(name) if text.is_empty() => text.push_str(name),
                AstNode::Name(name) => text.push_str(&format!(".{name}")),
                _ => text.push_str("(…)"),
            }
            for stage in &step.stages {
                match stage {
                    Stage::Filter(condition) => next = self.filter(&next, condition, &mut text),
                    Stage::Index(name) => self.locals.push((name.clone(), Shape::number())),
                    Stage::KeepArray => next = Shape::Unknown,
                }
            }
            shape = Some(next);
        }
        self.locals.truncate(before);
        shape.unwrap_or(Shape::Unknown)
    }

    fn filter(&mut self, of: &Shape, condition: &AstNode, text: &mut String) -> Shape {
        if let AstNode::Number(at) = condition {
            text.push_str(&format!("[{at}]"));
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "whole and not negative, as just compared; what is too large is out of reach"
            )]
            let at = (*at >= 0.0 && at.fract() == 0.0).then_some(*at as usize);
            return of.element(at);
        }
        text.push_str("[…]");
        self.inside(of.element(None), |reader| reader.read(condition));
        // Some of the elements, or one.
        of.clone().join(of.element(None))
    }

    fn step(&mut self, of: &Shape, name: &str, text: &str) -> Shape {
        match of.member(name) {
            Member::Found(shape) => shape,
            Member::Missing(could) => {
                self.troubles.push(Trouble {
                    message: format!("It reads {text}.{name}, which is never there"),
                    help: match could.is_empty() {
                        true => format!("{text} has no members."),
                        false => format!("{text} may have: {}.", list(could)),
                    },
                });
                Shape::Unknown
            }
        }
    }

    fn binary(&mut self, op: BinaryOp, lhs: &AstNode, rhs: &AstNode) -> Shape {
        if let (BinaryOp::ColonEqual, AstNode::Variable(name)) = (op, lhs) {
            // A function may call itself.
            let at = self.locals.len();
            self.locals.push((name.clone(), Shape::Unknown));
            let shape = self.read(rhs);
            if let Some(local) = self.locals.get_mut(at) {
                local.1 = shape.clone();
            }
            return shape;
        }
        let left = self.read(lhs);
        let right = self.read(rhs);
        match op {
            BinaryOp::Add
            | BinaryOp::Subtract
            | BinaryOp::Multiply
            | BinaryOp::Divide
            | BinaryOp::Modulo => Shape::number(),
            BinaryOp::Equal
            | BinaryOp::NotEqual
            | BinaryOp::LessThan
            | BinaryOp::LessThanOrEqual
            | BinaryOp::GreaterThan
            | BinaryOp::GreaterThanOrEqual
            | BinaryOp::And
            | BinaryOp::Or
            | BinaryOp::In => Shape::truth(),
            BinaryOp::Concatenate => Shape::text(),
            BinaryOp::Range => Shape::array(Shape::number()),
            BinaryOp::Coalesce | BinaryOp::Default => left.either(right),
            BinaryOp::ColonEqual
            | BinaryOp::FocusBind
            | BinaryOp::IndexBind
            | BinaryOp::ChainPipe => Shape::Unknown,
        }
    }

    fn function(&mut self, name: &str, args: &[AstNode]) -> Shape {
        if let Some(inner) = guarded(name, args) {
            return self.read(inner);
        }
        let local = self.locals.iter().any(|(local, _)| local == name);
        if !is_function(name) && !local && !self.variables.contains_key(name) {
            self.troubles.push(Trouble {
                message: format!("It calls ${name}, and there is no such function"),
                help: "See the functions of JSONata, and those that Step Functions adds."
                    .to_owned(),
            });
        }
        if name == "exists" {
            // Whoever asks whether it is there knows that it may not be.
            let known = self.troubles.len();
            self.all(args);
            self.troubles.truncate(known);
            return Shape::truth();
        }
        if let ("merge", [AstNode::Array(items)]) = (name, args) {
            let items: Vec<_> = items.iter().map(|item| self.read(item)).collect();
            return Shape::merge(&items);
        }
        if let ("sift", [of, function]) = (name, args) {
            // Some of the members.
            let of = self.read(of);
            self.read(function);
            return Shape::merge(&[of]);
        }
        self.all(args);
        match name {
            "string" | "substring" | "substringBefore" | "substringAfter" | "uppercase"
            | "lowercase" | "trim" | "pad" | "join" | "replace" | "now" | "uuid" | "fromMillis"
            | "base64encode" | "base64decode" | "formatNumber" | "formatInteger" | "hash"
            | "type" => Shape::text(),
            "number" | "abs" | "floor" | "ceil" | "round" | "power" | "sqrt" | "random"
            | "millis" | "toMillis" | "sum" | "average" | "count" | "length" | "parseInteger" => {
                Shape::number()
            }
            "boolean" | "not" | "contains" => Shape::truth(),
            _ => Shape::Unknown,
        }
    }

    fn object(&mut self, pairs: &[(AstNode, AstNode)]) -> Shape {
        let mut members = Vec::new();
        let mut computed = false;
        for (key, value) in pairs {
            let value = self.read(value);
            match key {
                AstNode::String(name) => members.push((name.clone(), value)),
                key => {
                    self.read(key);
                    computed = true;
                }
            }
        }
        match computed {
            true => Shape::Unknown,
            false => Shape::object(members),
        }
    }
}

/// A variable that no state before assigns.
pub(super) fn unassigned(name: &str, variables: &Variables) -> Trouble {
    let assigned = variables.keys().map(|name| format!("${name}"));
    Trouble {
        message: format!("It reads ${name}, which no state before this one assigns"),
        help: match variables.is_empty() {
            true => "Give it with Assign in a state before, or read the input.".to_owned(),
            false => format!("Assigned by then: {}.", list(assigned)),
        },
    }
}

fn list(names: impl IntoIterator<Item = impl Into<String>>) -> String {
    let names: Vec<String> = names.into_iter().map(Into::into).collect();
    names.join(", ")
}

/// JSONata's own functions and those of Step Functions. Source: "Function library" of JSONata's documentation.
fn is_function(name: &str) -> bool {
    matches!(
        name,
        "string"
            | "length"
            | "substring"
            | "substringBefore"
            | "substringAfter"
            | "uppercase"
            | "lowercase"
            | "trim"
            | "pad"
            | "contains"
            | "split"
            | "join"
            | "match"
            | "replace"
            | "base64encode"
            | "base64decode"
            | "encodeUrlComponent"
            | "encodeUrl"
            | "decodeUrlComponent"
            | "decodeUrl"
            | "number"
            | "abs"
            | "floor"
            | "ceil"
            | "round"
            | "power"
            | "sqrt"
            | "formatNumber"
            | "formatBase"
            | "formatInteger"
            | "parseInteger"
            | "sum"
            | "max"
            | "min"
            | "average"
            | "boolean"
            | "not"
            | "exists"
            | "count"
            | "append"
            | "sort"
            | "reverse"
            | "shuffle"
            | "distinct"
            | "zip"
            | "keys"
            | "lookup"
            | "spread"
            | "merge"
            | "sift"
            | "each"
            | "error"
            | "assert"
            | "type"
            | "fromMillis"
            | "toMillis"
            | "map"
            | "filter"
            | "single"
            | "reduce"
    ) || crate::jsonata::is_own_function(name)
}

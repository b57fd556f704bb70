//! Keeps expressions from growing values without bound inside a single step, where the evaluator's own limits do not look.
//!
//! A text can be doubled forty times, an object can hold itself twice forty times over: small in memory, until somebody writes
//! it out; and a value that nests itself in a loop gets deeper than any stack. So what writes out, repeats or compares is given its operands through a function of ours that refuses what is too
//! large. Only the syntax tree is changed, once, when a definition is parsed; expressions that cannot grow anything stay as
//! they are.

use std::cell::RefCell;
use std::rc::Rc;

use jsonata_core::ast::{AstNode, BinaryOp, Stage};
use jsonata_core::evaluator::{Evaluator, EvaluatorError, HostFnResult};
use jsonata_core::value::JValue;

/// The most characters and values that an operand, or what is made of it, may have. Far more than a payload.
const LARGEST: usize = 4 << 20;

/// The most levels that such a value may nest: more than a text that is read can, and few enough to be followed down.
const DEEPEST: usize = 200;

/// So many variables can be bound in an expression without functions before its values are watched.
const FEW_VARIABLES: usize = 16;

/// Refuses a value that is too large.
const BOUNDED: &str = "restock:bounded";
/// Remembers how many places in a value something will be written to …
const PLACES: &str = "restock:places";
/// … and refuses it if it is too large for them.
const FITTING: &str = "restock:fitting";

/// Puts an expression's dangerous operands under guard; whether there were any.
pub(super) fn guard(ast: &mut AstNode) -> bool {
    let mut census = Census::default();
    census.count(ast);
    let mut guard = Guard {
        grows: census.functions || census.variables > FEW_VARIABLES,
        placed: false,
    };
    guard.visit(ast);
    guard.placed
}

/// What is under guard, if this call is a guard's: whoever reads an expression for its meaning looks there.
pub(crate) fn guarded<'a>(function: &str, args: &'a [AstNode]) -> Option<&'a AstNode> {
    match args {
        [inner] if [BOUNDED, PLACES, FITTING].contains(&function) => Some(inner),
        _ => None,
    }
}

/// Whether a value is too large or too deep to be written out. Stops as soon as it is, so that neither it nor what goes on
/// with the value follows it down until the stack ends.
pub(super) fn is_large(value: &JValue) -> bool {
    fn walk(value: &JValue, left: usize, depth: usize) -> Option<usize> {
        let left = left.checked_sub(1)?;
        match value {
            JValue::String(text) => left.checked_sub(text.len()),
            JValue::Array(items) => {
                let depth = depth.checked_sub(1)?;
                items
                    .iter()
                    .try_fold(left, |left, item| walk(item, left, depth))
            }
            JValue::Object(members) => {
                let depth = depth.checked_sub(1)?;
                members.iter().try_fold(left, |left, (name, member)| {
                    walk(member, left.checked_sub(name.len())?, depth)
                })
            }
            _ => Some(left),
        }
    }
    walk(value, LARGEST, DEEPEST).is_none()
}

pub(super) fn register(evaluator: &mut Evaluator) {
    let places = Rc::new(RefCell::new(Vec::new()));
    let noted = Rc::clone(&places);
    let bounded = |args: &[JValue]| checked(first(args));
    let note = move |args: &[JValue]| {
        let value = first(args);
        noted.borrow_mut().push(match &value {
            JValue::Array(items) => items.len(),
            JValue::String(text) => text.len() + 1,
            _ => 1,
        });
        checked(value)
    };
    let fitting = move |args: &[JValue]| {
        let value = first(args);
        let places = places.borrow_mut().pop().unwrap_or(1);
        match &value {
            JValue::String(text) if text.len().saturating_mul(places) > LARGEST => refuse(),
            _ => Ok(value),
        }
    };
    // Fails only for names of built-in functions.
    let done = [
        evaluator.register_fn_override(BOUNDED, bounded),
        evaluator.register_fn_override(PLACES, note),
        evaluator.register_fn_override(FITTING, fitting),
    ];
    debug_assert!(done.iter().all(Result::is_ok));
}

fn first(args: &[JValue]) -> JValue {
    args.first().cloned().unwrap_or(JValue::Undefined)
}

fn checked(value: JValue) -> HostFnResult {
    if is_large(&value) {
        refuse()
    } else {
        Ok(value)
    }
}

fn refuse() -> HostFnResult {
    Err(EvaluatorError::EvaluationError(format!(
        "A value with more than {LARGEST} characters and members, or more than {DEEPEST} levels, is too large to go on with"
    )))
}

/// What an expression has that can make values grow.
#[derive(Default)]
struct Census {
    functions: bool,
    variables: usize,
}

impl Census {
    fn count(&mut self, node: &mut AstNode) {
        match node {
            AstNode::Lambda { .. } => self.functions = true,
            AstNode::Binary {
                op: BinaryOp::ColonEqual,
                ..
            } => self.variables += 1,
            _ => {}
        }
        each_child(node, &mut |child| self.count(child));
    }
}

struct Guard {
    /// Whether values can grow from step to step.
    grows: bool,
    placed: bool,
}

impl Guard {
    fn visit(&mut self, node: &mut AstNode) {
        each_child(node, &mut |child| self.visit(child));
        match node {
            AstNode::Function { name, args, .. } => match (name.as_str(), args.as_mut_slice()) {
                ("join", [places, text]) | ("replace", [places, _, text, ..]) => {
                    self.wrap(places, PLACES);
                    self.wrap(text, FITTING);
                }
                ("string" | "distinct", [value, ..]) if self.grows => self.wrap(value, BOUNDED),
                _ => {}
            },
            AstNode::Binary {
                op: BinaryOp::ChainPipe,
                lhs,
                rhs,
            } => match &mut **rhs {
                AstNode::Function { name, args, .. } => {
                    match (name.as_str(), args.as_mut_slice()) {
                        ("join", [text]) | ("replace", [_, text, ..]) => {
                            self.wrap(lhs, PLACES);
                            self.wrap(text, FITTING);
                        }
                        _ if self.grows => self.wrap(lhs, BOUNDED),
                        _ => {}
                    }
                }
                _ if self.grows && !matches!(**lhs, AstNode::Lambda { .. }) => {
                    self.wrap(lhs, BOUNDED);
                }
                _ => {}
            },
            AstNode::Binary {
                op: BinaryOp::Concatenate | BinaryOp::Equal | BinaryOp::NotEqual | BinaryOp::In,
                lhs,
                rhs,
            } if self.grows => {
                self.wrap(lhs, BOUNDED);
                self.wrap(rhs, BOUNDED);
            }
            _ => {}
        }
    }

    fn wrap(&mut self, node: &mut AstNode, function: &str) {
        let literal = matches!(
            node,
            AstNode::String(_) | AstNode::Number(_) | AstNode::Boolean(_) | AstNode::Null
        );
        if literal && function == BOUNDED || matches!(node, AstNode::Placeholder) {
            return;
        }
        let inner = std::mem::replace(node, AstNode::Null);
        *node = AstNode::Function {
            name: function.to_owned(),
            args: vec![inner],
            is_builtin: true,
        };
        self.placed = true;
    }
}

fn each_child(node: &mut AstNode, act: &mut dyn FnMut(&mut AstNode)) {
    match node {
        AstNode::String(_)
        | AstNode::Name(_)
        | AstNode::Number(_)
        | AstNode::Boolean(_)
        | AstNode::Null
        | AstNode::Undefined
        | AstNode::Placeholder
        | AstNode::Regex { .. }
        | AstNode::Variable(_)
        | AstNode::ParentVariable(_)
        | AstNode::Wildcard
        | AstNode::Descendant
        | AstNode::Parent(_) => {}
        AstNode::Path { steps } => {
            for step in steps {
                act(&mut step.node);
                for stage in &mut step.stages {
                    if let Stage::Filter(filter) = stage {
                        act(filter);
                    }
                }
            }
        }
        AstNode::Binary { lhs, rhs, .. } => {
            act(lhs);
            act(rhs);
        }
        AstNode::Unary { operand: inner, .. }
        | AstNode::Lambda { body: inner, .. }
        | AstNode::FunctionApplication(inner) => act(inner),
        AstNode::Function { args: nodes, .. }
        | AstNode::Array(nodes)
        | AstNode::Block(nodes)
        | AstNode::ArrayGroup(nodes) => nodes.iter_mut().for_each(act),
        AstNode::Call { procedure, args } => {
            act(procedure);
            args.iter_mut().for_each(act);
        }
        AstNode::Object(members) => each_member(members, act),
        AstNode::ObjectTransform { input, pattern } => {
            act(input);
            each_member(pattern, act);
        }
        AstNode::Conditional {
            condition,
            then_branch,
            else_branch,
        } => {
            act(condition);
            act(then_branch);
            else_branch.iter_mut().for_each(|node| act(node));
        }
        AstNode::Sort { input, terms } => {
            act(input);
            terms.iter_mut().for_each(|(term, _)| act(term));
        }
        AstNode::Transform {
            location,
            update,
            delete,
        } => {
            act(location);
            act(update);
            delete.iter_mut().for_each(|node| act(node));
        }
    }
}

fn each_member(members: &mut [(AstNode, AstNode)], act: &mut dyn FnMut(&mut AstNode)) {
    for (name, member) in members {
        act(name);
        act(member);
    }
}

#[cfg(test)]
mod tests {
    use jsonata_core::evaluator::Evaluator;
    use jsonata_core::value::JValue;

    use super::{guard, register};

    /// A guarded expression and the same one unguarded give the same.
    #[test]
    fn nothing_else_changes() {
        let evaluate = |source: &str, guarded: bool| {
            let mut ast = jsonata_core::parser::parse(source).unwrap();
            assert!(!guarded || guard(&mut ast), "{source}");
            let mut evaluator = Evaluator::default();
            register(&mut evaluator);
            let value = evaluator.evaluate(&ast, &JValue::Undefined);
            value
                .map(|value| value.to_json_string().unwrap_or_default())
                .map_err(|error| error.to_string())
        };
        for source in [
            "$join(['a', 'b'], '-')",
            "$join('a', '-')",
            "$join(['a'], $none)",
            "$join($none, '-')",
            "$join([1], '-')",
            "$join($join(['a', 'b'], ','), $join(['c'], ';'))",
            "['a', 'b'] ~> $join('-')",
            "$map(['b', 'c'], $join(?, '-'))",
            "$replace('abcb', /b/, 'x')",
            "$replace('abcb', 'b', 'x', 1)",
            "$replace('abc', /b/, function($m) { $m.match & '!' })",
            "'abc' ~> $replace('b', '$0')",
            "$replace(1, 'b', 'c')",
            "$replace($none, 'b', 'c')",
            "$replace('b', 'b', $none)",
            "function() { $string($none) }()",
            "function() { $distinct($none) }()",
            "function() { $none = $none or 1 in $none }()",
            "{'a': {'b': 'x'}}.a.($replace(b, 'x', 'y'))",
            "['x', 'y'].$replace($, 'x', 'z')",
            "['x', 'y'].(function($v) { $v & $string() }($))",
            "$map([1, 2], function($v) { $v & '-' & $string($v = 1) })",
            "$map([1], function($v) { $none & $v & null & true & {'a': [1]} })",
            "function($x) { $string($x, true) }({'a': 1})",
            "(function($x) { $x & 1 } ~> function($y) { $y & 2 })(3)",
            "($up := $uppercase ~> function($x) { $x & '!' }; $up('a'))",
            "($f := $map(?, function($x) { $x & 'q' }); ['a'] ~> $f)",
            "$filter([{'n': 1}, {'n': 2}], function($v) { $v.n = 2 }).n ~> $string()",
            "$filter([[1], [2]], function($v) { $v in [[1]] or $v != [1] })",
            "$reduce([1..5], function($a, $b) { $distinct([$a, $b])[0] & '' })",
            "{'a': 1} ~> |$|{'b': function() { 1 }() & ''}|",
            "$sort([3, 1], function($l, $r) { $string($l) > $string($r) })",
        ] {
            assert_eq!(evaluate(source, true), evaluate(source, false), "{source}");
        }
    }

    #[test]
    fn what_cannot_grow_is_left_alone() {
        for source in [
            "$states.input.a & '-' & $states.input.b",
            "$string($states.input)",
            "($a := 1; $b := 2; $a = $b)",
            "$sum($states.input.items.price)",
        ] {
            assert!(
                !guard(&mut jsonata_core::parser::parse(source).unwrap()),
                "{source}"
            );
        }
    }
}

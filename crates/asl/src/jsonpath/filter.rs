//! Filters: `[?(@.price < 10)]`.

use std::cell::Cell;

use regex::Regex;
use serde_json::Value;

use super::{Selector, query};

/// A condition on one element.
#[derive(Debug, Clone)]
pub(crate) enum Filter {
    /// All of them. Lists, for what is long must not be deep.
    And(Vec<Filter>),
    Or(Vec<Filter>),
    Not(Box<Filter>),
    /// The path finds something.
    Exists(Operand),
    Compare(Operand, Comparator, Operand),
    /// `=~`: the pattern matches the whole text.
    Matches(Operand, Regex),
}

#[derive(Debug, Clone)]
pub(crate) enum Operand {
    Literal(Value),
    /// From the element: `@`.
    Element(Vec<Selector>),
    /// From the whole input: `$`.
    Root(Vec<Selector>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    /// Is an element of.
    In,
    NotIn,
    /// Has as an element or as a part.
    Contains,
    /// Has so many elements or characters.
    Size,
    /// Has none (`true`) or some (`false`).
    Empty,
    /// Every element is in the other list.
    SubsetOf,
    AnyOf,
    NoneOf,
}

impl Filter {
    pub(super) fn holds(&self, element: &Value, root: &Value, steps: &Cell<usize>) -> bool {
        match self {
            Self::And(all) => all.iter().all(|one| one.holds(element, root, steps)),
            Self::Or(any) => any.iter().any(|one| one.holds(element, root, steps)),
            Self::Not(inner) => !inner.holds(element, root, steps),
            Self::Exists(operand) => operand.value(element, root, steps).is_some(),
            Self::Compare(left, comparator, right) => {
                let left = left.value(element, root, steps);
                let right = right.value(element, root, steps);
                pay(steps, |most| comparator.work(left, right, most))
                    && compare(left, *comparator, right)
            }
            Self::Matches(operand, pattern) => match operand.value(element, root, steps) {
                Some(Value::String(text)) => pay(steps, |_| text.len()) && pattern.is_match(text),
                Some(value @ (Value::Number(_) | Value::Bool(_))) => {
                    pattern.is_match(&value.to_string())
                }
                _ => false,
            },
        }
    }
}

impl Operand {
    fn value<'v>(
        &'v self,
        element: &'v Value,
        root: &'v Value,
        steps: &Cell<usize>,
    ) -> Option<&'v Value> {
        let (selectors, from) = match self {
            Self::Literal(value) => return Some(value),
            Self::Element(selectors) => (selectors, element),
            Self::Root(selectors) => (selectors, root),
        };
        query::follow(selectors, from, root, steps).first().copied()
    }
}

impl Comparator {
    /// How much of two values is looked at to compare them, by far the most; no more than `most` is counted.
    fn work(self, left: Option<&Value>, right: Option<&Value>, most: usize) -> usize {
        let weight = |value: Option<&Value>| value.map_or(1, |value| weight(value, most));
        match self {
            Self::SubsetOf | Self::AnyOf | Self::NoneOf => {
                weight(left).saturating_mul(weight(right))
            }
            Self::In | Self::NotIn => weight(right),
            Self::Contains | Self::Size | Self::Empty => weight(left),
            Self::Equal
            | Self::NotEqual
            | Self::Less
            | Self::LessOrEqual
            | Self::Greater
            | Self::GreaterOrEqual => match (left, right) {
                (Some(Value::Array(a)), Some(Value::Array(b))) if a.len() == b.len() => {
                    weight(left)
                }
                (Some(Value::Object(a)), Some(Value::Object(b))) if a.len() == b.len() => {
                    weight(left)
                }
                (Some(Value::String(a)), Some(Value::String(b))) => a.len().min(b.len()),
                _ => 1,
            },
        }
    }
}

/// How many characters and elements a value has, counted up to a bound.
fn weight(value: &Value, most: usize) -> usize {
    let sum = |so_far: usize, value: &Value| match so_far < most {
        true => so_far + weight(value, most - so_far),
        false => so_far,
    };
    match value {
        Value::String(text) => 1 + text.len(),
        Value::Array(items) => items.iter().fold(1, sum),
        Value::Object(members) => members.values().fold(1, sum),
        _ => 1,
    }
}

/// Comparing is quick: so many characters or elements are one step.
const AT_ONCE: usize = 16;

/// Takes some work off the steps that are left, before it is done; whether they were enough.
fn pay(steps: &Cell<usize>, work: impl FnOnce(usize) -> usize) -> bool {
    let left = steps.get();
    let price = match left {
        0 => 0,
        _ => work(left.saturating_mul(AT_ONCE)) / AT_ONCE,
    };
    steps.set(left.saturating_sub(price));
    steps.get() > 0
}

fn compare(left: Option<&Value>, comparator: Comparator, right: Option<&Value>) -> bool {
    let order = match (left, right) {
        (Some(Value::Number(left)), Some(Value::Number(right))) => {
            left.as_f64().partial_cmp(&right.as_f64())
        }
        (Some(Value::String(left)), Some(Value::String(right))) => Some(left.cmp(right)),
        _ => None,
    };
    let equal = match (left, right) {
        (Some(Value::Number(_)), Some(Value::Number(_))) => {
            order.is_some_and(std::cmp::Ordering::is_eq)
        }
        (Some(left), Some(right)) => left == right,
        (None, None) => true,
        _ => false,
    };
    match comparator {
        Comparator::Equal => equal,
        Comparator::NotEqual => !equal,
        Comparator::Less => order.is_some_and(std::cmp::Ordering::is_lt),
        Comparator::LessOrEqual => order.is_some_and(std::cmp::Ordering::is_le),
        Comparator::Greater => order.is_some_and(std::cmp::Ordering::is_gt),
        Comparator::GreaterOrEqual => order.is_some_and(std::cmp::Ordering::is_ge),
        Comparator::In => is_in(left, right),
        Comparator::NotIn => !is_in(left, right),
        Comparator::Contains => match (left, right) {
            (Some(Value::String(text)), Some(Value::String(part))) => text.contains(part),
            (list, element) => is_in(element, list),
        },
        Comparator::Size => {
            right.and_then(Value::as_u64).is_some() && size(left) == right.and_then(Value::as_u64)
        }
        Comparator::Empty => {
            size(left).is_some_and(|size| Some(size == 0) == right.and_then(Value::as_bool))
        }
        Comparator::SubsetOf => each(left, right).is_some_and(|mut found| found.all(|is| is)),
        Comparator::AnyOf => each(left, right).is_some_and(|mut found| found.any(|is| is)),
        Comparator::NoneOf => each(left, right).is_some_and(|mut found| !found.any(|is| is)),
    }
}

fn is_in(element: Option<&Value>, list: Option<&Value>) -> bool {
    matches!((element, list), (Some(element), Some(Value::Array(items))) if items.contains(element))
}

fn size(value: Option<&Value>) -> Option<u64> {
    let size = match value? {
        Value::Array(items) => items.len(),
        Value::String(text) => text.chars().count(),
        _ => return None,
    };
    u64::try_from(size).ok()
}

/// For each element of a list, whether it is in the other.
fn each<'v>(
    list: Option<&'v Value>,
    other: Option<&'v Value>,
) -> Option<impl Iterator<Item = bool> + 'v> {
    let (list, other) = (list?.as_array()?, other?.as_array()?);
    Some(list.iter().map(|element| other.contains(element)))
}

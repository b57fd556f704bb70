//! Filters: `[?(@.price < 10)]`.

use serde_json::Value;

use super::{Selector, query};

/// A condition on one element.
#[derive(Debug, Clone)]
pub(crate) enum Filter {
    And(Box<Filter>, Box<Filter>),
    Or(Box<Filter>, Box<Filter>),
    Not(Box<Filter>),
    /// The path finds something.
    Exists(Operand),
    Compare(Operand, Comparator, Operand),
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
    In,
}

impl Filter {
    pub(super) fn holds(&self, element: &Value, root: &Value) -> bool {
        match self {
            Self::And(left, right) => left.holds(element, root) && right.holds(element, root),
            Self::Or(left, right) => left.holds(element, root) || right.holds(element, root),
            Self::Not(inner) => !inner.holds(element, root),
            Self::Exists(operand) => operand.value(element, root).is_some(),
            Self::Compare(left, comparator, right) => compare(
                left.value(element, root),
                *comparator,
                right.value(element, root),
            ),
        }
    }
}

impl Operand {
    fn value<'v>(&'v self, element: &'v Value, root: &'v Value) -> Option<&'v Value> {
        let (selectors, from) = match self {
            Self::Literal(value) => return Some(value),
            Self::Element(selectors) => (selectors, element),
            Self::Root(selectors) => (selectors, root),
        };
        let mut found = vec![from];
        for selector in selectors {
            let mut next = Vec::new();
            for value in found {
                query::select(selector, value, root, &mut next);
            }
            found = next;
        }
        found.first().copied()
    }
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
        Comparator::In => {
            matches!((left, right), (Some(left), Some(Value::Array(items))) if items.contains(left))
        }
    }
}

//! The comparison operators of JSONPath Choice states.

use std::cmp::Ordering;

use jiff::Timestamp;
use serde_json::Value;

use super::fault::{Fault, Outcome};
use super::lens::Lens;
use crate::Data;
use crate::jsonpath::{Form, PathExpression};
use crate::model::{Comparison, Operand};

impl Lens<'_> {
    pub(super) fn compare(&self, comparison: &Comparison) -> Outcome<bool> {
        let found = self.seek(&comparison.variable)?;
        if comparison.operator == "IsPresent" {
            return Ok(
                matches!(&comparison.operand, Operand::Literal(wanted) if *wanted.value() == Value::Bool(found.is_some())),
            );
        }
        let Some(left) = found else {
            return Err(Fault::runtime(format!(
                "Invalid path '{}': The choice state's condition path references an invalid value.",
                comparison.variable.text()
            )));
        };
        let right = match &comparison.operand {
            Operand::Literal(data) => data.clone(),
            Operand::Path(path) => match self.seek(path)? {
                Some(data) => data,
                None => {
                    return Err(Fault::runtime(format!(
                        "Invalid path '{}': The choice state's condition path references an invalid value.",
                        path.text()
                    )));
                }
            },
        };
        Ok(holds(comparison.operator, left.value(), right.value()))
    }

    fn seek(&self, expression: &PathExpression) -> Outcome<Option<Data>> {
        match expression.form() {
            Form::Path(path) => self.find(path),
            Form::Call(_) => self.path(expression, "Variable").map(Some),
        }
    }
}

/// Values of the wrong type compare as unequal; nothing is converted.
fn holds(operator: &str, left: &Value, right: &Value) -> bool {
    let is = |is: bool| right.as_bool() == Some(is);
    match operator {
        "IsNull" => return is(left.is_null()),
        "IsNumeric" => return is(left.is_number()),
        "IsString" => return is(left.is_string()),
        "IsBoolean" => return is(left.is_boolean()),
        "IsTimestamp" => return is(time(left).is_some()),
        "BooleanEquals" => return left.is_boolean() && left == right,
        "StringMatches" => {
            return matches!((left.as_str(), right.as_str()), (Some(text), Some(pattern)) if glob(text, pattern));
        }
        _ => {}
    }
    let (order, relation) = if let Some(relation) = operator.strip_prefix("String") {
        (
            left.as_str()
                .zip(right.as_str())
                .map(|(left, right)| left.cmp(right)),
            relation,
        )
    } else if let Some(relation) = operator.strip_prefix("Numeric") {
        (numbers(left, right), relation)
    } else if let Some(relation) = operator.strip_prefix("Timestamp") {
        (
            time(left)
                .zip(time(right))
                .map(|(left, right)| left.cmp(&right)),
            relation,
        )
    } else {
        (None, "")
    };
    order.is_some_and(|order| match relation {
        "Equals" => order == Ordering::Equal,
        "LessThan" => order == Ordering::Less,
        "GreaterThan" => order == Ordering::Greater,
        "LessThanEquals" => order != Ordering::Greater,
        "GreaterThanEquals" => order != Ordering::Less,
        _ => false,
    })
}

fn numbers(left: &Value, right: &Value) -> Option<Ordering> {
    match (left.as_i64(), right.as_i64()) {
        (Some(left), Some(right)) => Some(left.cmp(&right)),
        _ => left
            .as_number()?
            .as_f64()?
            .partial_cmp(&right.as_number()?.as_f64()?),
    }
}

fn time(value: &Value) -> Option<Timestamp> {
    let text = value.as_str()?;
    super::wait::parse_timestamp(text)?;
    text.parse().ok()
}

/// `*` stands for any characters, `\*` and `\\` for themselves. Runs in time proportional to text × pattern.
fn glob(text: &str, pattern: &str) -> bool {
    let mut tokens = Vec::new();
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        tokens.push(match character {
            '\\' => characters.next(),
            '*' => None,
            _ => Some(character),
        });
    }
    let text: Vec<char> = text.chars().collect();
    let (mut at, mut token, mut star) = (0, 0, None);
    while at < text.len() {
        if token < tokens.len() && tokens[token] == Some(text[at]) {
            at += 1;
            token += 1;
        } else if token < tokens.len() && tokens[token].is_none() {
            star = Some((token, at));
            token += 1;
        } else if let Some((star_token, star_at)) = star {
            token = star_token + 1;
            at = star_at + 1;
            star = Some((star_token, at));
        } else {
            return false;
        }
    }
    tokens[token..].iter().all(Option::is_none)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs() {
        for (text, pattern, expected) in [
            ("foo23.log", "foo*.log", true),
            ("zebra.log", "*.log", true),
            ("foobar.zebra", "foo*.*", true),
            ("a*b", r"a\*b", true),
            ("axb", r"a\*b", false),
            ("", "*", true),
            ("a", "", false),
            ("aaaaaaaaaaaaaaaaaaaaaaaab", "*a*a*a*a*a*a*c", false),
        ] {
            assert_eq!(glob(text, pattern), expected, "{text} {pattern}");
        }
    }
}

//! The policy's structure and the rules it must keep.

use serde_json::{Map, Value};

use super::condition::Condition;

/// What a policy is applied to; `FilterPolicyScope`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scope {
    /// The message attributes. No nesting.
    #[default]
    MessageAttributes,
    /// The message, read as a JSON object.
    MessageBody,
}

impl Scope {
    /// Reads the attribute's value.
    pub fn parse(text: &str) -> Option<Scope> {
        match text {
            "MessageAttributes" => Some(Scope::MessageAttributes),
            "MessageBody" => Some(Scope::MessageBody),
            _ => None,
        }
    }

    /// The attribute's value.
    pub fn name(self) -> &'static str {
        match self {
            Scope::MessageAttributes => "MessageAttributes",
            Scope::MessageBody => "MessageBody",
        }
    }
}

/// Why a policy is refused; the text follows AWS's `InvalidParameter` message after `FilterPolicy: `.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct PolicyError(String);

impl PolicyError {
    pub(super) fn new(message: impl Into<String>) -> PolicyError {
        PolicyError(message.into())
    }

    pub(super) fn range() -> PolicyError {
        PolicyError::new("Value must be between -1.0E9 and 1.0E9, inclusive")
    }
}

/// A checked policy.
#[derive(Debug, Clone, PartialEq)]
pub struct FilterPolicy {
    pub(super) scope: Scope,
    pub(super) root: Group,
}

/// Keys joined by AND; each `$or` adds alternatives of which one must hold.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Group {
    pub(super) keys: Vec<(String, Rule)>,
    pub(super) alternatives: Vec<Vec<Group>>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Rule {
    AnyOf(Vec<Condition>),
    Nested(Group),
}

impl FilterPolicy {
    const MAX_BYTES: usize = 256 * 1024;
    const MAX_KEYS: usize = 5;
    const MAX_COMBINATIONS: usize = 150;

    /// Reads and checks a policy. `{}` accepts everything.
    pub fn parse(text: &str, scope: Scope) -> Result<FilterPolicy, PolicyError> {
        if text.len() > Self::MAX_BYTES {
            return Err(PolicyError::new(
                "Filter policy must not be larger than 256 KB",
            ));
        }
        let members = match serde_json::from_str(text) {
            Ok(Value::Object(members)) => members,
            Ok(_) => return Err(PolicyError::new("Filter policy must be a JSON object")),
            Err(error) => return Err(PolicyError::new(format!("failed to parse JSON. {error}"))),
        };
        let root = Group::parse(&members, scope)?;
        if root.leaves() > Self::MAX_KEYS {
            return Err(PolicyError::new(
                "Filter policy can not have more than 5 keys",
            ));
        }
        if root.combinations(1) > Self::MAX_COMBINATIONS {
            return Err(PolicyError::new("Filter policy is too complex"));
        }
        Ok(FilterPolicy { scope, root })
    }
}

impl Group {
    fn parse(members: &Map<String, Value>, scope: Scope) -> Result<Group, PolicyError> {
        let mut group = Group::default();
        for (key, value) in members {
            match value {
                Value::Array(choices) if key == "$or" && is_alternatives(choices) => {
                    let groups = choices
                        .iter()
                        .filter_map(Value::as_object)
                        .map(|members| Group::parse(members, scope))
                        .collect::<Result<_, _>>()?;
                    group.alternatives.push(groups);
                }
                Value::Array(tests) if tests.is_empty() => {
                    return Err(PolicyError::new("Empty arrays are not allowed"));
                }
                Value::Array(tests) => {
                    let tests = tests
                        .iter()
                        .map(Condition::parse)
                        .collect::<Result<_, _>>()?;
                    group.keys.push((key.clone(), Rule::AnyOf(tests)));
                }
                Value::Object(_) if scope == Scope::MessageAttributes => {
                    return Err(PolicyError::new(
                        "Filter policy scope MessageAttributes does not support nested filter policy",
                    ));
                }
                Value::Object(nested) if nested.is_empty() => {
                    return Err(PolicyError::new("Empty objects are not allowed"));
                }
                Value::Object(nested) => {
                    let nested = Group::parse(nested, scope)?;
                    group.keys.push((key.clone(), Rule::Nested(nested)));
                }
                _ => {
                    return Err(PolicyError::new(format!(
                        "\"{key}\" must be an object or an array"
                    )));
                }
            }
        }
        Ok(group)
    }

    /// Keys that hold an array. Of alternatives the longest counts.
    fn leaves(&self) -> usize {
        let own: usize = self
            .keys
            .iter()
            .map(|(_, rule)| match rule {
                Rule::AnyOf(_) => 1,
                Rule::Nested(group) => group.leaves(),
            })
            .sum();
        let chosen: usize = self
            .alternatives
            .iter()
            .map(|groups| groups.iter().map(Group::leaves).max().unwrap_or(0))
            .sum();
        own + chosen
    }

    /// Values of each array multiplied, each array weighed by its depth; alternatives add up.
    fn combinations(&self, depth: usize) -> usize {
        let own = self
            .keys
            .iter()
            .map(|(_, rule)| match rule {
                Rule::AnyOf(tests) => tests.len().saturating_mul(depth),
                Rule::Nested(group) => group.combinations(depth + 1),
            })
            .fold(1, usize::saturating_mul);
        self.alternatives
            .iter()
            .map(|groups| {
                groups
                    .iter()
                    .map(|group| group.combinations(depth))
                    .fold(0, usize::saturating_add)
            })
            .fold(own, usize::saturating_mul)
    }
}

/// AWS reads `$or` as an operator when it holds at least two objects; otherwise it is a key like any other.
fn is_alternatives(choices: &[Value]) -> bool {
    choices.len() >= 2
        && choices.iter().all(|choice| {
            choice
                .as_object()
                .is_some_and(|members| !members.is_empty())
        })
}

//! One execution as the list knows it.

use std::sync::Arc;

use aws_sdk_sfn::types::{ExecutionListItem, ExecutionStatus};
use serde_json::Value;

/// How an execution stands: its status, except that [`Status::Parked`] is told apart from what really runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Status {
    /// For Step Functions it runs; it waits for an operator.
    Parked,
    Running,
    Failed,
    TimedOut,
    Aborted,
    Succeeded,
}

/// Every status, in the order in which an operator cares.
pub(crate) const STATUSES: [Status; 6] = [
    Status::Parked,
    Status::Running,
    Status::Failed,
    Status::TimedOut,
    Status::Aborted,
    Status::Succeeded,
];

impl Status {
    pub(crate) fn read(status: &ExecutionStatus) -> Status {
        match status {
            ExecutionStatus::Failed => Status::Failed,
            ExecutionStatus::TimedOut => Status::TimedOut,
            ExecutionStatus::Aborted => Status::Aborted,
            ExecutionStatus::Succeeded => Status::Succeeded,
            // Pending redrives and whatever AWS may add are on their way.
            _ => Status::Running,
        }
    }

    /// AWS's word, and ours for what AWS does not tell apart.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Status::Parked => "PARKED",
            Status::Running => "RUNNING",
            Status::Failed => "FAILED",
            Status::TimedOut => "TIMED_OUT",
            Status::Aborted => "ABORTED",
            Status::Succeeded => "SUCCEEDED",
        }
    }

    pub(crate) fn parse(word: &str) -> Option<Status> {
        STATUSES
            .into_iter()
            .find(|s| s.word().eq_ignore_ascii_case(word))
    }

    /// It has not ended.
    pub(crate) fn is_running(self) -> bool {
        matches!(self, Status::Running | Status::Parked)
    }

    /// It ended, and not well.
    pub(crate) fn is_bad(self) -> bool {
        matches!(self, Status::Failed | Status::TimedOut | Status::Aborted)
    }
}

/// An execution as the list knows it. Times are milliseconds since 1970.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Item {
    pub arn: Arc<str>,
    pub machine: Arc<str>,
    pub status: Status,
    pub started: i64,
    pub stopped: Option<i64>,
    pub redrives: i32,
    /// What waits for an operator, in words; with [`Status::Parked`] only.
    pub parked: Option<Arc<str>>,
    /// What DescribeExecution told, once somebody asked.
    pub described: Option<Arc<Described>>,
}

/// What the list itself does not tell.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Described {
    /// What the execution is about: `product_id` and the like, from its input.
    pub keys: Vec<Key>,
    pub error: Option<String>,
    pub cause: Option<String>,
}

/// A business key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    /// `product`, `customer`
    pub name: String,
    pub value: String,
}

/// Members of an input that name what it is about, the most telling first. Others that end in `_id` follow.
const TELLING: [&str; 2] = ["product_id", "customer_id"];
/// Most keys of one execution.
const KEYS: usize = 4;
/// Longest key, in characters.
const LONGEST: usize = 80;

impl Item {
    pub(crate) fn read(machine: &Arc<str>, listed: &ExecutionListItem) -> Item {
        Item {
            arn: listed.execution_arn.as_str().into(),
            machine: machine.clone(),
            status: Status::read(&listed.status),
            started: listed.start_date.to_millis().unwrap_or_default(),
            stopped: listed.stop_date.and_then(|at| at.to_millis().ok()),
            redrives: listed.redrive_count.unwrap_or(0),
            parked: None,
            described: None,
        }
    }

    /// Its name: the end of the ARN.
    pub(crate) fn name(&self) -> &str {
        name_of(&self.arn)
    }

    /// Everything that a search looks at, in lower case: the name, the keys, the errors. Made when the item changes, so that
    /// a search copies nothing.
    pub(super) fn searched(&self) -> Box<str> {
        let mut text = self.name().to_lowercase();
        let mut add = |part: &str| {
            // What is searched for has no line breaks, so that nothing is found across two parts.
            text.push('\n');
            text.push_str(&part.to_lowercase());
        };
        if let Some(described) = &self.described {
            described.keys.iter().for_each(|key| add(&key.value));
            described.error.as_deref().map(&mut add);
        }
        self.parked.as_deref().map(&mut add);
        text.into()
    }
}

/// The name at the end of an execution's ARN.
pub(crate) fn name_of(arn: &str) -> &str {
    arn.rsplit(':').next().unwrap_or(arn)
}

/// What an input is about.
pub(crate) fn keys(input: &Value) -> Vec<Key> {
    let Some(members) = input.as_object() else {
        return Vec::new();
    };
    let text = |value: &Value| match value {
        Value::String(text) if !text.is_empty() && text.chars().count() <= LONGEST => {
            Some(text.clone())
        }
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let telling = TELLING
        .iter()
        .filter_map(|name| members.get_key_value(*name));
    let others = members
        .iter()
        .filter(|(name, _)| name.ends_with("_id") && !TELLING.contains(&name.as_str()));
    telling
        .chain(others)
        .filter_map(|(name, value)| {
            Some(Key {
                name: name.trim_end_matches("_id").to_owned(),
                value: text(value)?,
            })
        })
        .take(KEYS)
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_input_s_keys_are_the_telling_ones_first() {
        for (input, expected) in [
            (
                json!({"reorder_id": "r1", "quantity": 3, "product_id": "CP-1"}),
                "product=CP-1 reorder=r1",
            ),
            (json!({"customer_id": 7, "order_id": ""}), "customer=7"),
            (json!({"a": {"product_id": "CP-1"}}), ""),
            (json!([1]), ""),
            (json!({"long_id": "x".repeat(81)}), ""),
        ] {
            let told: Vec<_> = keys(&input)
                .into_iter()
                .map(|k| format!("{}={}", k.name, k.value))
                .collect();
            assert_eq!(told.join(" "), expected, "{input}");
        }
    }
}

//! How close two histories are.

use serde_json::{Map, Value, json};

use crate::case::Case;
use crate::difference::{Difference, are_equal, differences};
use crate::normal::normal;
use crate::placeholders::Placeholders;
use crate::tree;

/// How close an answer or a history is to the recorded one; each level includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// Nothing fits.
    Different,
    /// The end fits: status, output, error name; of an answer, its error code or its main members.
    Outcome,
    /// The same events of the same states in the same order.
    Flow,
    /// Everything but marks such as `inputDetails` and the role.
    WithoutMarks,
    /// Every field of every event, timestamps aside.
    Exact,
}

const MARKS: [&str; 6] = [
    "inputDetails",
    "outputDetails",
    "stateMachineVersionArn",
    "stateMachineAliasArn",
    "roleArn",
    "parametersDetails",
];

/// Compares events as `GetExecutionHistory` answers them.
pub(crate) fn compare(
    case: &Case,
    expected: &[Value],
    mut actual: Vec<Value>,
) -> (Level, Vec<Difference>) {
    actual.sort_by_key(|event| event["id"].as_i64());
    let actual: Vec<Value> = actual.iter().map(normal).collect();
    let found = match at_level(case, expected, &actual, Level::Exact) {
        Ok(()) => return (Level::Exact, Vec::new()),
        Err(found) => found,
    };
    for level in [Level::WithoutMarks, Level::Flow] {
        if at_level(case, expected, &actual, level).is_ok() {
            return (level, found);
        }
    }
    let ends = are_equal(
        &outcome(expected),
        &outcome(&actual),
        &mut Placeholders::of(case),
    );
    let level = if ends {
        Level::Outcome
    } else {
        Level::Different
    };
    (level, found)
}

fn at_level(
    case: &Case,
    expected: &[Value],
    actual: &[Value],
    level: Level,
) -> Result<(), Vec<Difference>> {
    let reduced = |events: &[Value]| -> Vec<Value> {
        events.iter().map(|event| reduce(event, level)).collect()
    };
    let (e, a) = (reduced(expected), reduced(actual));
    let found = differences(&json!(e), &json!(a), &mut Placeholders::of(case));
    let relabelled = || {
        tree::has_branches(expected)
            && e.len() == a.len()
            && tree::same(&e, &a, &mut Placeholders::of(case))
    };
    if found.is_empty() || relabelled() {
        Ok(())
    } else {
        Err(found)
    }
}

/// The details of an event, and the name of the member they are in.
fn details(event: &Value) -> Option<(&String, &Map<String, Value>)> {
    event.as_object()?.iter().find_map(|(name, member)| {
        let details = member.as_object()?;
        name.ends_with("EventDetails").then_some((name, details))
    })
}

/// An event without what a level does not look at.
fn reduce(event: &Value, level: Level) -> Value {
    if level == Level::Flow {
        let of = |name: &str| details(event).and_then(|(_, details)| details.get(name));
        return json!({
            "id": event["id"], "previousEventId": event["previousEventId"], "type": event["type"],
            "name": of("name"), "index": of("index"),
        });
    }
    let mut reduced = event.clone();
    if let Some(members) = reduced.as_object_mut() {
        members.shift_remove("timestamp");
        if level == Level::WithoutMarks
            && let Some((name, details)) = details(event)
        {
            let mut details = details.clone();
            details.retain(|member, _| !MARKS.contains(&member.as_str()));
            if details.is_empty() {
                members.shift_remove(name);
            } else {
                members.insert(name.clone(), Value::Object(details));
            }
        }
    }
    reduced
}

/// How an execution ended, by its last event.
fn outcome(events: &[Value]) -> Value {
    let ends = [
        "ExecutionSucceeded",
        "ExecutionFailed",
        "ExecutionAborted",
        "ExecutionTimedOut",
    ];
    let last = events.iter().rev().find(|event| {
        event["type"]
            .as_str()
            .is_some_and(|kind| ends.contains(&kind))
    });
    let of = |name: &str| {
        let (_, details) = details(last?)?;
        details.get(name)
    };
    json!({ "status": last.map(|event| &event["type"]), "output": of("output"), "error": of("error") })
}

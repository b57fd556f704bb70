//! Histories of branches that ran at the same time: equal if one is the other with other ids.
//!
//! Events hang from the event they name as previous. A history is then a tree, and two are equal if the trees are, whatever
//! the order of branches. What joins branches may name any of them as previous; it is hung from what started them.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::difference::are_equal;
use crate::placeholders::Placeholders;

/// The order of siblings is tried out, up to so many times.
const TRIES: u32 = 20_000;

/// Whether the history has branches.
pub(crate) fn has_branches(events: &[Value]) -> bool {
    events
        .iter()
        .any(|event| matches!(kind(event), "MapStateStarted" | "ParallelStateStarted"))
}

/// Whether two histories are equal up to their ids.
pub(crate) fn same(expected: &[Value], actual: &[Value], placeholders: &mut Placeholders) -> bool {
    let (expected, actual) = (Tree::of(expected), Tree::of(actual));
    let mut tries = TRIES;
    same_below(&expected, &actual, (0, 0), placeholders, &mut tries)
}

struct Tree<'a> {
    children: BTreeMap<i64, Vec<&'a Value>>,
}

fn kind(event: &Value) -> &str {
    event["type"].as_str().unwrap_or_default()
}

fn number(event: &Value, field: &str) -> i64 {
    event[field].as_i64().unwrap_or(-1)
}

/// The start that an event of this type joins.
fn joins(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "MapStateSucceeded" | "MapStateFailed" | "MapStateAborted" => "MapStateStarted",
        "ParallelStateSucceeded" | "ParallelStateFailed" | "ParallelStateAborted" => {
            "ParallelStateStarted"
        }
        "MapRunSucceeded" | "MapRunFailed" | "MapRunAborted" => "MapRunStarted",
        _ => return None,
    })
}

impl<'a> Tree<'a> {
    fn of(events: &'a [Value]) -> Tree<'a> {
        let by_id: BTreeMap<i64, &Value> = events
            .iter()
            .map(|event| (number(event, "id"), event))
            .collect();
        let mut children: BTreeMap<i64, Vec<&Value>> = BTreeMap::new();
        for event in events {
            let parent = match joins(kind(event)) {
                Some(start) => started(&by_id, event, start),
                None => None,
            };
            let parent = parent.unwrap_or_else(|| number(event, "previousEventId"));
            children.entry(parent).or_default().push(event);
        }
        Tree { children }
    }

    fn below(&self, id: i64) -> &[&'a Value] {
        self.children.get(&id).map_or(&[], Vec::as_slice)
    }
}

/// The start that a joining event belongs to: the nearest one behind it that no other event has joined.
fn started(by_id: &BTreeMap<i64, &Value>, event: &Value, start: &str) -> Option<i64> {
    let mut depth = 0;
    let mut at = by_id.get(&number(event, "previousEventId"));
    // Ids fall on the way back in every history that is one; the bound is for those that are not.
    for _ in 0..by_id.len() {
        let before = at?;
        if joins(kind(before)) == Some(start) {
            depth += 1;
        } else if kind(before) == start {
            if depth == 0 {
                return Some(number(before, "id"));
            }
            depth -= 1;
        }
        at = by_id.get(&number(before, "previousEventId"));
    }
    None
}

/// What siblings must share to be candidates for each other.
fn group(event: &Value) -> (String, String, String) {
    let details = event.as_object().and_then(|members| {
        members
            .iter()
            .find(|(name, _)| name.ends_with("EventDetails"))
    });
    let details = details.map_or(event, |(_, details)| details);
    (
        kind(event).to_owned(),
        details["name"].to_string(),
        details["index"].to_string(),
    )
}

fn without_ids(event: &Value) -> Value {
    let mut event = event.clone();
    if let Some(members) = event.as_object_mut() {
        members.shift_remove("id");
        members.shift_remove("previousEventId");
    }
    event
}

fn same_event(expected: &Value, actual: &Value, placeholders: &mut Placeholders) -> bool {
    are_equal(&without_ids(expected), &without_ids(actual), placeholders)
}

fn same_below(
    expected: &Tree<'_>,
    actual: &Tree<'_>,
    (mut from, mut to): (i64, i64),
    placeholders: &mut Placeholders,
    tries: &mut u32,
) -> bool {
    loop {
        match (expected.below(from), actual.below(to)) {
            ([], []) => return true,
            ([e], [a]) => {
                if !same_event(e, a, placeholders) {
                    return false;
                }
                (from, to) = (number(e, "id"), number(a, "id"));
            }
            (e, a) if e.len() == a.len() => {
                let mut rest: Vec<&Value> = a.to_vec();
                let mut e: Vec<&Value> = e.to_vec();
                e.sort_by_key(|event| group(event));
                return pair(expected, actual, &e, &mut rest, placeholders, tries);
            }
            _ => return false,
        }
    }
}

/// Finds for the first of the siblings an equal one among the rest, then for the others.
fn pair(
    expected: &Tree<'_>,
    actual: &Tree<'_>,
    siblings: &[&Value],
    rest: &mut Vec<&Value>,
    placeholders: &mut Placeholders,
    tries: &mut u32,
) -> bool {
    let Some((first, others)) = siblings.split_first() else {
        return rest.is_empty();
    };
    for at in 0..rest.len() {
        if group(first) != group(rest[at]) {
            continue;
        }
        if *tries == 0 {
            return false;
        }
        *tries -= 1;
        let bound = placeholders.bound();
        let candidate = rest.remove(at);
        let ids = (number(first, "id"), number(candidate, "id"));
        if same_event(first, candidate, placeholders)
            && same_below(expected, actual, ids, placeholders, tries)
            && pair(expected, actual, others, rest, placeholders, tries)
        {
            return true;
        }
        rest.insert(at, candidate);
        placeholders.forget_since(bound);
    }
    false
}

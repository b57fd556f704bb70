//! What lies ahead of a state in its definition: which tasks run (again), which states can be reached at all, where a
//! parked task may go on.

use std::collections::BTreeSet;

use asl::model::{Dynamic, Flow, Kind, Next, ScopeId, StateId, Template};
use asl::{Definition, Resource};
use serde::Serialize;

use crate::error::OperateError;
use crate::timeline::short_name;

/// Arguments that name what a task calls.
const TARGETS: [&str; 4] = ["FunctionName", "QueueUrl", "TopicArn", "StateMachineArn"];

/// A task that will run, or may.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Effect {
    /// The state.
    pub state: String,
    /// `lambda:invoke request_factory`
    pub calls: String,
    /// It ran before and begins anew; the others follow if all goes well.
    pub again: bool,
}

/// A definition that Step Functions took must parse here too.
pub fn parse(text: &str) -> Result<Definition, OperateError> {
    let parsed = asl::parse(text);
    parsed.definition.ok_or_else(|| {
        let told: Vec<_> = parsed.diagnostics.iter().map(ToString::to_string).collect();
        OperateError::Data(format!(
            "the definition cannot be read: {}",
            told.join("; ")
        ))
    })
}

/// The state of this name; names are unique in a definition.
pub fn find(definition: &Definition, name: &str) -> Option<StateId> {
    definition
        .states()
        .find(|(_, state)| state.name() == name)
        .map(|(id, _)| id)
}

/// The Lambda function that a definition hands its input to as it is, before anything else: what that function takes is
/// what an execution is started with.
pub fn takes_input(definition: &Definition) -> Option<String> {
    let root = definition.scope(definition.root());
    let state = definition.state(root.start_at());
    let (Kind::Task(task), Flow::Jsonata(flow)) = (state.kind(), state.flow()) else {
        return None;
    };
    let Some(arguments @ Template::Object(members)) = flow.arguments.as_ref() else {
        return None;
    };
    let is_lambda = matches!(&task.resource, Resource::Integration { service, .. } if service.as_ref() == "lambda");
    let is_whole = members.iter().any(|(name, value)| {
        name == "Payload"
            && matches!(value, Template::Dynamic(Dynamic::Jsonata(payload)) if payload.source() == "$states.input")
    });
    let function = target(arguments).filter(|_| is_lambda && is_whole)?;
    Some(short_name(&function).to_owned())
}

/// The tasks that run from these states on if nothing fails, in the order of the text.
pub fn effects(definition: &Definition, from: &[StateId]) -> Vec<Effect> {
    let mut seen = BTreeSet::new();
    for start in from {
        follow(definition, *start, false, &mut seen);
        let mut scope = definition.state(*start).scope();
        // When the branch ends, the states after its Parallel or Map come.
        while let Some((around, state)) = around(definition, scope) {
            seen.insert(around);
            if let Next::State(next) = state.next() {
                follow(definition, next, false, &mut seen);
            }
            scope = state.scope();
        }
    }
    let mut in_order = Vec::new();
    lay_out(definition, definition.root(), &mut in_order);
    let ahead = in_order.into_iter().filter(|id| seen.contains(id));
    ahead
        .filter_map(|id| {
            let state = definition.state(id);
            match state.kind() {
                Kind::Task(task) => Some(Effect {
                    state: state.name().to_owned(),
                    calls: calls(&task.resource, state.flow()),
                    again: from.contains(&id),
                }),
                _ => None,
            }
        })
        .collect()
}

/// The states in the order of the text, what is inside a state right after it.
fn lay_out(definition: &Definition, scope: ScopeId, order: &mut Vec<StateId>) {
    for id in definition.scope(scope).states() {
        order.push(*id);
        for inside in definition.state(*id).scopes() {
            lay_out(definition, *inside, order);
        }
    }
}

/// Top-level states that cannot be reached from `start` by any transition, `Catch` included.
pub fn unreachable(definition: &Definition, start: StateId) -> Vec<String> {
    let mut seen = BTreeSet::new();
    follow(definition, start, true, &mut seen);
    let top = definition.scope(definition.root()).states().iter();
    top.filter(|id| !seen.contains(id))
        .map(|id| definition.state(*id).name().to_owned())
        .collect()
}

/// Collects what can be reached from `start` in its scope and inside.
fn follow(definition: &Definition, start: StateId, with_catch: bool, seen: &mut BTreeSet<StateId>) {
    let mut ahead = vec![start];
    while let Some(id) = ahead.pop() {
        if !seen.insert(id) {
            continue;
        }
        let state = definition.state(id);
        if let Next::State(next) = state.next() {
            ahead.push(next);
        }
        if let Kind::Choice(choice) = state.kind() {
            ahead.extend(
                choice
                    .choices
                    .iter()
                    .map(|rule| rule.next)
                    .chain(choice.default),
            );
        }
        if with_catch {
            ahead.extend(state.catchers().iter().map(|catcher| catcher.next));
        }
        ahead.extend(
            state
                .scopes()
                .iter()
                .map(|scope| definition.scope(*scope).start_at()),
        );
    }
}

/// The Parallel or Map state that has this scope inside.
fn around(definition: &Definition, scope: ScopeId) -> Option<(StateId, &asl::model::State)> {
    definition
        .states()
        .find(|(_, state)| state.scopes().contains(&scope))
}

/// Where a parked task may go on: the states its `Resume…` choice knows, or the one that follows.
pub fn resumable(definition: &Definition, park: &str) -> Vec<String> {
    let Some(park) = find(definition, park) else {
        return Vec::new();
    };
    let Next::State(resume) = definition.state(park).next() else {
        return Vec::new();
    };
    let targets = match definition.state(resume).kind() {
        Kind::Choice(choice) => choice.choices.iter().map(|rule| rule.next).collect(),
        _ => vec![resume],
    };
    let mut names: Vec<String> = Vec::new();
    for id in targets {
        let name = definition.state(id).name();
        if !names.iter().any(|n| n == name) {
            names.push(name.to_owned());
        }
    }
    names
}

/// Refuses a state that the parked task cannot go on at, and says why.
pub fn check_resumable(
    definition: &Definition,
    park: &str,
    state: &str,
) -> Result<(), OperateError> {
    let resumable = resumable(definition, park);
    if resumable.iter().any(|name| name == state) {
        return Ok(());
    }
    let scope = |name: &str| find(definition, name).map(|id| definition.state(id).scope());
    let why = match (scope(state), scope(park)) {
        (None, _) => "the definition has no such state",
        (Some(theirs), Some(ours)) if theirs != ours => {
            "it is in another scope (branch) of the definition"
        }
        _ => "the definition has no way back to it",
    };
    Err(OperateError::NotResumable {
        state: state.to_owned(),
        park: park.to_owned(),
        why: why.to_owned(),
        resumable: resumable.join(", "),
    })
}

/// What a task calls, and with which target where its arguments name one: `lambda:invoke check_stock`.
pub fn calls(resource: &Resource, flow: &Flow) -> String {
    let (service, arguments) = match (resource, flow) {
        (Resource::Lambda { arn } | Resource::Activity { arn }, _) => {
            return short_name(arn).to_owned();
        }
        (
            Resource::Integration {
                service,
                action,
                pattern,
                ..
            },
            flow,
        ) => (
            format!("{service}:{action}{}", pattern.suffix()),
            match flow {
                Flow::Jsonata(flow) => flow.arguments.as_ref(),
                Flow::JsonPath(flow) => flow.parameters.as_ref(),
            },
        ),
    };
    match arguments.and_then(target) {
        Some(target) => format!("{service} {}", short_name(&target)),
        None => service,
    }
}

/// What the arguments name, where they name it outright.
fn target(arguments: &Template) -> Option<String> {
    let literal = |value: &serde_json::Value| {
        TARGETS
            .iter()
            .find_map(|key| value.get(key)?.as_str().map(str::to_owned))
    };
    match arguments {
        Template::Literal(data) => literal(data.value()),
        Template::Object(members) => members.iter().find_map(|(name, value)| match value {
            Template::Literal(data) if TARGETS.contains(&name.as_str()) => {
                data.value().as_str().map(str::to_owned)
            }
            _ => None,
        }),
        Template::Dynamic(_) | Template::Array(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition with plain names in the place of ARNs and URLs.
    fn reorder() -> Definition {
        let mut text = include_str!("../../../workflows/reorder/reorder.asl.json").to_owned();
        while let Some(start) = text.find("${") {
            let end = start + text[start..].find('}').unwrap();
            let name = text[start + 2..end].to_owned();
            let value = ["function_arn_", "queue_url_", "topic_arn_"]
                .iter()
                .find_map(|kind| name.strip_prefix(kind))
                .unwrap_or("60");
            text.replace_range(start..=end, value);
        }
        parse(&text).unwrap()
    }

    fn check(from: &[&str], expected: &[&str]) {
        let definition = reorder();
        let from: Vec<_> = from
            .iter()
            .map(|name| find(&definition, name).unwrap())
            .collect();
        let told: Vec<_> = effects(&definition, &from)
            .into_iter()
            .map(|e| format!("{}{} {}", if e.again { "!" } else { "" }, e.state, e.calls))
            .collect();
        assert_eq!(told, expected);
    }

    #[test]
    fn effects_follow_the_branch_and_what_comes_after_it() {
        check(
            &["IncreaseStock"],
            &[
                "!IncreaseStock lambda:invoke increase_stock",
                "EmailAdsResume sqs:sendMessage.waitForTaskToken ads_queue",
            ],
        );
        check(
            &["EmailAdsResume"],
            &["!EmailAdsResume sqs:sendMessage.waitForTaskToken ads_queue"],
        );
        check(
            &["CheckStock"],
            &[
                "!CheckStock lambda:invoke check_stock",
                "EmailAdsStop sqs:sendMessage.waitForTaskToken ads_queue",
                "RequestFactory lambda:invoke request_factory",
                "AwaitCallback lambda:invoke.waitForTaskToken await_callback",
                "IncreaseStock lambda:invoke increase_stock",
                "EmailAdsResume sqs:sendMessage.waitForTaskToken ads_queue",
            ],
        );
    }

    #[test]
    fn the_first_task_says_what_an_execution_is_started_with() {
        assert_eq!(takes_input(&reorder()).as_deref(), Some("check_stock"));
        let other = r#"{"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}}"#;
        assert_eq!(takes_input(&parse(other).unwrap()), None);
    }

    #[test]
    fn what_a_start_does_not_reach_is_named() {
        let definition = reorder();
        let from = |name| unreachable(&definition, find(&definition, name).unwrap());
        // CheckStock can be reached through ResumeReorder, and from there everything.
        assert_eq!(from("EmailAdsResume"), Vec::<String>::new());
        assert_eq!(from("Replenished").len(), 8);
    }

    #[test]
    fn a_parked_task_goes_on_in_its_own_scope_only() {
        let definition = reorder();
        assert_eq!(
            resumable(&definition, "ParkFactory"),
            ["RequestFactory", "AwaitCallback", "IncreaseStock"]
        );
        for (state, expected) in [
            ("RequestFactory", None),
            ("CheckStock", Some("another scope")),
            ("AlertFactory", Some("no way back")),
            ("Nowhere", Some("no such state")),
        ] {
            let told = check_resumable(&definition, "ParkFactory", state)
                .err()
                .map(|e| e.to_string());
            match expected {
                None => assert_eq!(told, None, "{state}"),
                Some(part) => assert!(
                    told.as_deref().is_some_and(|t| t.contains(part)),
                    "{state}: {told:?}"
                ),
            }
        }
    }
}

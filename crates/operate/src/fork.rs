//! Forks an execution: a new one that starts in the middle, with an edited input.
//!
//! No action of Step Functions starts in the middle. So the fork runs a temporary state machine `<name>-fork-<id>`: the
//! execution's own definition with another `StartAt`, without the states that cannot be reached from there (AWS refuses
//! those), with the same role, and with a Pass state in front that restores the variables. It is linked to its origin by
//! tags, by its comment, and by names.

use std::collections::HashMap;

use asl::Definition;
use aws_sdk_sfn::operation::describe_state_machine_for_execution::DescribeStateMachineForExecutionOutput;
use aws_sdk_sfn::types::{LogLevel, StateMachineType, Tag};
use serde_json::{Map, Value, json};

use crate::ahead::{self, Effect};
use crate::connection::Connection;
use crate::error::{OperateError, refused};
use crate::events::{self, Event};
use crate::lineage::Lineage;
use crate::timeline::short_name;

/// The Pass state that restores variables.
const RESTORE: &str = "RestoreVariables";
/// Longest name of a state machine or an execution.
const NAME_LIMIT: usize = 80;

/// Everything a fork needs, read and checked, with nothing changed yet.
#[derive(Debug)]
pub struct Plan {
    /// ARN of the execution that is forked.
    pub origin: String,
    /// The state that the fork starts with.
    pub from: String,
    /// The input the state last had in the origin; absent if the origin never entered it.
    pub had: Option<Value>,
    /// The tasks that run if nothing fails.
    pub effects: Vec<Effect>,
    /// Names of the variables that are restored.
    pub variables: Vec<String>,
    /// Name of the temporary state machine.
    pub machine: String,
    execution: String,
    definition: String,
    described: DescribeStateMachineForExecutionOutput,
}

/// What was made.
#[derive(Debug)]
pub struct Forked {
    /// The temporary state machine; it stays until somebody deletes it.
    pub machine_arn: String,
    /// The fork.
    pub execution_arn: String,
}

impl Plan {
    /// `origin` is an execution's ARN, `from` one of its top-level states.
    pub async fn make(at: &Connection, origin: &str, from: &str) -> Result<Plan, OperateError> {
        let described = at
            .sfn
            .describe_state_machine_for_execution()
            .execution_arn(origin)
            .send()
            .await;
        let described = described.map_err(refused(format!("read the definition of {origin}")))?;
        let parsed = ahead::parse(&described.definition)?;
        check_top_level(&parsed, from)?;
        let events = events::history(at, origin).await?;
        let entered = last_entered(&events, from);
        let variables = variables(&events, entered)?;
        let start = ahead::find(&parsed, from).into_iter().collect::<Vec<_>>();
        let id = &uuid::Uuid::new_v4().simple().to_string()[..8];
        let comment = format!("Fork of {origin}, from {from}");
        Ok(Plan {
            origin: origin.to_owned(),
            from: from.to_owned(),
            had: entered.and_then(|i| events[i].input.clone()),
            effects: ahead::effects(&parsed, &start),
            definition: definition(&parsed, from, &variables, &comment)?,
            variables: variables.into_iter().map(|(name, _)| name).collect(),
            machine: fork_name(&described.name, id),
            execution: fork_name(short_name(origin), id),
            described,
        })
    }

    /// Makes the temporary state machine and starts the fork.
    pub async fn start(&self, at: &Connection, input: &Value) -> Result<Forked, OperateError> {
        let mut create = at
            .sfn
            .create_state_machine()
            .name(&self.machine)
            .definition(&self.definition)
            .role_arn(&self.described.role_arn)
            .r#type(StateMachineType::Standard)
            .tags(tag("restock:fork-of", &self.origin))
            .tags(tag("restock:fork-from", &self.from));
        if let Some(logging) = self.described.logging_configuration.clone()
            && logging
                .level
                .as_ref()
                .is_some_and(|level| *level != LogLevel::Off)
        {
            create = create.logging_configuration(logging);
        }
        if let Some(tracing) = self
            .described
            .tracing_configuration
            .clone()
            .filter(|t| t.enabled)
        {
            create = create.tracing_configuration(tracing);
        }
        let created = create
            .send()
            .await
            .map_err(refused(format!("make the state machine {}", self.machine)))?;
        let start = at
            .sfn
            .start_execution()
            .state_machine_arn(&created.state_machine_arn)
            .name(&self.execution)
            .input(input.to_string());
        let started = start
            .send()
            .await
            .map_err(refused(format!("start the fork {}", self.execution)))?;
        Ok(Forked {
            machine_arn: created.state_machine_arn,
            execution_arn: started.execution_arn,
        })
    }
}

fn tag(key: &str, value: &str) -> Tag {
    Tag::builder().key(key).value(value).build()
}

/// `<name>-fork-<id>`, the name shortened where it must be.
fn fork_name(name: &str, id: &str) -> String {
    let end = format!("-fork-{id}");
    let keep: String = name.chars().take(NAME_LIMIT - end.len()).collect();
    format!("{keep}{end}")
}

/// The states that a fork may start with: those of the top level.
pub fn starts(definition: &Definition) -> Vec<&str> {
    let root = definition.scope(definition.root());
    root.states()
        .iter()
        .map(|id| definition.state(*id).name())
        .collect()
}

fn check_top_level(definition: &Definition, from: &str) -> Result<(), OperateError> {
    let root = definition.scope(definition.root());
    if root.find(from).is_some() {
        return Ok(());
    }
    let names = starts(definition);
    let why = match ahead::find(definition, from) {
        Some(_) => "it is inside a Parallel or a Map; a fork starts at the top level",
        None => "the definition has no such state",
    };
    Err(OperateError::NotForkable {
        state: from.to_owned(),
        why: format!("{why}. There are {}", names.join(", ")),
    })
}

fn last_entered(events: &[Event], state: &str) -> Option<usize> {
    events
        .iter()
        .rposition(|e| e.kind.ends_with("StateEntered") && e.state.as_deref() == Some(state))
}

/// The top level's variables as they were when the event at `until` happened, or at the end.
fn variables(events: &[Event], until: Option<usize>) -> Result<Vec<(String, Value)>, OperateError> {
    let lineage = Lineage::trace(events);
    let mut variables: Map<String, Value> = Map::new();
    let before = until.unwrap_or(events.len());
    for (event, visit) in events.iter().zip(&lineage.of).take(before) {
        let is_top = visit.is_some_and(|v| lineage.visits[v].parent.is_none());
        if !is_top || !event.kind.ends_with("StateExited") {
            continue;
        }
        if event.truncated && event.assigned.is_empty() {
            return Err(OperateError::NotForkable {
                state: event.state.clone().unwrap_or_default(),
                why: "the history does not show the variables it assigned (they are too large)"
                    .to_owned(),
            });
        }
        variables.extend(event.assigned.clone());
    }
    Ok(variables.into_iter().collect())
}

/// The fork's definition.
fn definition(
    parsed: &Definition,
    from: &str,
    variables: &[(String, Value)],
    comment: &str,
) -> Result<String, OperateError> {
    // The text is edited, not interpreted: what a state says stays as it was written.
    let mut text: Value = serde_json::from_str(parsed.source())?;
    let start = ahead::find(parsed, from);
    let dropped = start
        .map(|start| ahead::unreachable(parsed, start))
        .unwrap_or_default();
    let first = if variables.is_empty() { from } else { RESTORE };
    let Some(machine) = text.as_object_mut() else {
        return Err(OperateError::Data(
            "the definition is not an object".to_owned(),
        ));
    };
    machine.insert("StartAt".to_owned(), first.into());
    machine.insert("Comment".to_owned(), comment.into());
    if let Some(states) = machine.get_mut("States").and_then(Value::as_object_mut) {
        states.retain(|name, _| !dropped.contains(name));
        if !variables.is_empty() {
            states.insert(RESTORE.to_owned(), restore(from, variables));
        }
    }
    Ok(text.to_string())
}

/// A JSONata state whatever the machine's language: only there can every value be written as a literal.
fn restore(next: &str, variables: &[(String, Value)]) -> Value {
    let assign: HashMap<&str, Value> = variables
        .iter()
        .map(|(name, value)| (name.as_str(), literal(value)))
        .collect();
    json!({
        "Type": "Pass",
        "QueryLanguage": "JSONata",
        "Comment": "Variables as they were in the execution this was forked from",
        "Assign": assign,
        "Next": next,
    })
}

/// A text that looks like an expression becomes an expression that gives the text.
fn literal(value: &Value) -> Value {
    match value {
        Value::String(text) if text.trim_start().starts_with("{%") => {
            // JSONata writes strings as JSON does.
            Value::String(format!("{{% {} %}}", Value::String(text.clone())))
        }
        Value::Array(items) => items.iter().map(literal).collect(),
        Value::Object(members) => members
            .iter()
            .map(|(k, v)| (k.clone(), literal(v)))
            .collect(),
        plain => plain.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MACHINE: &str = r#"{"StartAt":"A","States":{
        "A":{"Type":"Pass","Assign":{"count":1},"Next":"B"},
        "B":{"Type":"Choice","Choices":[{"Variable":"$.x","IsPresent":true,"Next":"C"}],"Default":"D"},
        "C":{"Type":"Succeed"},"D":{"Type":"Fail"}}}"#;

    fn fork(from: &str, variables: &[(String, Value)]) -> Value {
        let parsed = ahead::parse(MACHINE).unwrap();
        let text = definition(&parsed, from, variables, "Fork of x, from y").unwrap();
        ahead::parse(&text).expect("a fork is a valid definition");
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn a_fork_has_another_start_and_only_what_it_reaches() {
        for (from, expected) in [
            ("A", vec!["A", "B", "C", "D"]),
            ("B", vec!["B", "C", "D"]),
            ("C", vec!["C"]),
        ] {
            let made = fork(from, &[]);
            assert_eq!(made["StartAt"], from);
            let states: Vec<_> = made["States"].as_object().unwrap().keys().collect();
            assert_eq!(states, expected, "{from}");
        }
    }

    #[test]
    fn variables_are_restored_in_front_literally() {
        let odd = json!({"text": "{% $count %}", "list": [1, "{%x%}"], "plain": "a"});
        let made = fork("B", &[("odd".to_owned(), odd.clone())]);
        assert_eq!(made["StartAt"], RESTORE);
        // Run it: the variable must come out as it went in.
        let mut machine = made;
        machine["States"][RESTORE]["Next"] = json!("Show");
        machine["States"] = json!({
            RESTORE: machine["States"][RESTORE],
            "Show": {"Type": "Pass", "QueryLanguage": "JSONata", "Output": "{% $odd %}", "End": true},
        });
        assert_eq!(output(&machine.to_string()), odd);
    }

    /// What a definition without tasks gives: one decision.
    fn output(text: &str) -> Value {
        let definition = ahead::parse(text).unwrap();
        let mut execution = asl::Execution::new(asl::Identity {
            execution_arn: "arn:aws:states:us-east-1:000000000000:execution:m:e".to_owned(),
            name: "e".to_owned(),
            role_arn: "arn:aws:iam::000000000000:role/r".to_owned(),
            state_machine_arn: "arn:aws:states:us-east-1:000000000000:stateMachine:m".to_owned(),
            state_machine_name: "m".to_owned(),
            version_arn: None,
            alias_arn: None,
            key: 1,
        });
        let start = asl::Signal::Start {
            input: asl::Data::empty(),
        };
        let env = asl::Env {
            now: 0,
            seed: [0; 32],
        };
        asl::decide(&definition, &mut execution, start, &env).unwrap();
        execution.output().unwrap().value().clone()
    }

    #[test]
    fn names_stay_within_the_limit() {
        assert_eq!(fork_name("reorder", "12345678"), "reorder-fork-12345678");
        assert_eq!(fork_name(&"x".repeat(90), "12345678").len(), NAME_LIMIT);
    }

    #[test]
    fn the_last_assignment_before_the_state_counts() {
        let event = |id: i64, kind: &str, state: &str, assigned: Value| Event {
            id,
            previous_id: id - 1,
            kind: kind.to_owned(),
            state: Some(state.to_owned()),
            assigned: assigned.as_object().cloned().unwrap_or_default(),
            ..Event::default()
        };
        let events = [
            event(1, "PassStateEntered", "A", Value::Null),
            event(2, "PassStateExited", "A", json!({"n": 1, "m": true})),
            event(3, "PassStateEntered", "B", Value::Null),
            event(4, "PassStateExited", "B", json!({"n": 2})),
            event(5, "PassStateEntered", "C", Value::Null),
            event(6, "PassStateExited", "C", json!({"n": 3})),
        ];
        let at = |state| variables(&events, last_entered(&events, state)).unwrap();
        assert_eq!(
            at("B"),
            [("n".to_owned(), json!(1)), ("m".to_owned(), json!(true))]
        );
        assert_eq!(
            at("C"),
            [("n".to_owned(), json!(2)), ("m".to_owned(), json!(true))]
        );
        assert_eq!(
            at("D"),
            [("n".to_owned(), json!(3)), ("m".to_owned(), json!(true))]
        );
    }
}

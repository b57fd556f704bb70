//! A given context object: what it may contain.
//!
//! Source: recorded answers; developer guide, "Accessing execution data from the Context object".

use asl::Data;
use asl::model::{Kind, State};
use serde_json::{Map, Value};

use crate::protocol::json::JsonError;
use crate::states::error;

/// The JSON types of members.
#[derive(Clone, Copy)]
enum Type {
    Text,
    Number,
    Any,
}

type Members = &'static [(&'static str, Type)];

/// The parts of the context object and their members.
const PARTS: [(&str, Members); 4] = [
    (
        "Execution",
        &[
            ("Id", Type::Text),
            ("Input", Type::Any),
            ("Name", Type::Text),
            ("RoleArn", Type::Text),
            ("StartTime", Type::Text),
            ("RedriveCount", Type::Number),
            ("RedriveTime", Type::Text),
        ],
    ),
    (
        "State",
        &[
            ("EnteredTime", Type::Text),
            ("Name", Type::Text),
            ("RetryCount", Type::Number),
        ],
    ),
    ("StateMachine", &[("Id", Type::Text), ("Name", Type::Text)]),
    ("Task", &[("Token", Type::Text)]),
];

/// Reads and checks a context object for a state.
pub(super) fn read(text: &str, state: &State) -> Result<Data, JsonError> {
    let data = Data::parse(text).map_err(|error| refuse(format!("{error}")))?;
    let Value::Object(parts) = data.value() else {
        return Err(refuse("Context object must be a JSON object"));
    };
    for (name, part) in parts {
        if name == "Map" {
            return Err(refuse(
                "'Map' field is not supported when mocking a Context object",
            ));
        }
        let known = PARTS.iter().find(|(known, _)| known == name);
        let (_, members) = known.ok_or_else(|| not_allowed(name))?;
        match part {
            Value::Object(part) => check(name, part, members)?,
            _ => return Err(refuse(format!("{name} must be an object"))),
        }
    }
    if parts.contains_key("Task") && !has_token(state) {
        return Err(refuse(
            "Context object contains 'Task' when state is not a Task state with a '.sync' or '.waitForTaskToken' service integration pattern",
        ));
    }
    Ok(data)
}

fn check(part: &str, members: &Map<String, Value>, known: Members) -> Result<(), JsonError> {
    for (name, value) in members {
        let found = known.iter().find(|(known, _)| known == name);
        let (_, kind) = found.ok_or_else(|| not_allowed(name))?;
        let (fits, wanted) = match kind {
            Type::Text => (value.is_string(), "a string"),
            Type::Number => (value.is_number(), "a number"),
            Type::Any => (true, ""),
        };
        if !fits {
            return Err(refuse(format!("{part}.{name} must be {wanted}")));
        }
    }
    Ok(())
}

fn has_token(state: &State) -> bool {
    match state.kind() {
        Kind::Task(task) => task.resource.has_token(),
        _ => false,
    }
}

fn not_allowed(name: &str) -> JsonError {
    refuse(format!("Field '{name}' is not allowed"))
}

fn refuse(reason: impl std::fmt::Display) -> JsonError {
    error::validation(format!("Invalid Context object provided: {reason}"))
}

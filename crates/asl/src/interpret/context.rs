//! The context object: what a state may know of its execution. Source: "Accessing execution data from the Context object".

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::lens::Lens;
use crate::Millis;
use crate::model::Kind;

/// The whole context object.
pub(super) fn object(lens: &Lens<'_>) -> Value {
    if let Some(given) = &lens.context {
        return given.value().clone();
    }
    let identity = lens.execution.identity();
    let mut context = Map::new();
    let mut execution = json!({
        "Id": identity.execution_arn,
        "Input": lens.execution.input().map(crate::Data::value),
        "StartTime": iso(lens.execution.started_at),
        "Name": identity.name,
        "RoleArn": identity.role_arn,
    });
    // Express executions cannot be redriven.
    if !identity.execution_arn.contains(":express:") {
        execution["RedriveCount"] = lens.execution.redrive_count().into();
    }
    if let Some(at) = lens.execution.redriven_at() {
        execution["RedriveTime"] = iso(at).into();
    }
    context.insert("Execution".into(), execution);
    context.insert(
        "StateMachine".into(),
        json!({ "Id": identity.state_machine_arn, "Name": identity.state_machine_name }),
    );
    if let Some(active) = lens.execution.active(lens.branch) {
        let mut state = json!({ "Name": &*lens.state.name, "EnteredTime": iso(active.entered_at) });
        if matches!(
            lens.state.kind,
            Kind::Task(_) | Kind::Parallel(_) | Kind::Map(_)
        ) {
            let retries: u32 = active.retries.iter().sum();
            state["RetryCount"] = retries.into();
        }
        context.insert("State".into(), state);
    }
    if let Some(token) = &lens.token {
        context.insert("Task".into(), json!({ "Token": token }));
    }
    let own = lens
        .item
        .as_ref()
        .map(|item| (item.index, item.value.clone()));
    if let Some((index, value)) = own.or_else(|| enclosing_item(lens)) {
        let mut item = json!({ "Index": index, "Value": value.value() });
        if let Some(own) = &lens.item {
            for (name, text) in [("Key", &own.key), ("Source", &own.source)] {
                if let Some(text) = text {
                    item[name] = text.as_str().into();
                }
            }
        }
        context.insert("Map".into(), json!({ "Item": item }));
    }
    Value::Object(context)
}

/// The item of the innermost Map iteration around the state.
fn enclosing_item(lens: &Lens<'_>) -> Option<(u32, crate::Data)> {
    let mut at = lens.execution.branches.get(&lens.branch)?;
    loop {
        let parent = at.parent.as_ref()?;
        if let Some(item) = &parent.item {
            return Some((parent.index, item.clone()));
        }
        at = lens.execution.branches.get(&parent.branch)?;
    }
}

/// A time as the context object writes it: `2025-01-02T03:04:05.678Z`.
pub(crate) fn iso(at: Millis) -> String {
    Timestamp::from_millisecond(at).map_or_else(
        |_| at.to_string(),
        |time| time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
    )
}

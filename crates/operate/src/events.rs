//! An execution's history as plain values: one flat shape for every kind of event, in place of the SDK's thirty.

use aws_sdk_sfn::types::HistoryEvent;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::connection::Connection;
use crate::error::{OperateError, refused};
use crate::{lineage, when};

/// One history event. What an event does not have is absent.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Event {
    /// AWS's number of the event, from 1.
    pub id: i64,
    /// The event that this one follows; 0 for none.
    pub previous_id: i64,
    /// When it happened.
    pub at: Timestamp,
    /// AWS's `HistoryEventType`, such as `TaskScheduled`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The state it belongs to; AWS's history says so only for some events, the rest is inferred.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// The iteration of a Map.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index: Option<i32>,
    /// `sqs:sendMessage.waitForTaskToken`, or the ARN of a function or an activity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// What a state, a function or the execution was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<Value>,
    /// What an integration was called with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameters: Option<Value>,
    /// What a state, a function or the execution gave.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<Value>,
    /// Variables that the state assigned when it was left.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub assigned: Map<String, Value>,
    /// The name of the error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The error's cause, often JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// How long the task may take.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_seconds: Option<i64>,
    /// AWS left a payload out because it is too large; what is here is not the whole.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub truncated: bool,
}

/// Reads the whole history, oldest first, and says of each event which state it belongs to.
pub async fn history(at: &Connection, execution: &str) -> Result<Vec<Event>, OperateError> {
    let mut pages = at
        .sfn
        .get_execution_history()
        .execution_arn(execution)
        .max_results(1_000)
        .into_paginator()
        .items()
        .send();
    let mut events = Vec::new();
    while let Some(event) = pages.next().await {
        let event = event.map_err(refused(format!("read the history of {execution}")))?;
        events.push(Event::read(&event));
    }
    lineage::name_states(&mut events);
    Ok(events)
}

/// The newest event of a history, without its data: enough to know whether anything is new. One call.
pub async fn newest(at: &Connection, execution: &str) -> Result<Option<Event>, OperateError> {
    let page = at
        .sfn
        .get_execution_history()
        .execution_arn(execution)
        .reverse_order(true)
        .include_execution_data(false)
        .max_results(1)
        .send()
        .await
        .map_err(refused(format!("read the history of {execution}")))?;
    Ok(page.events.first().map(Event::read))
}

/// Goes on with a history whose beginning was read before: the calls are as many as what is new, not as the whole. Where
/// what was read is no beginning of it any more (an endpoint of one's own can lose the last events in a crash), it is read
/// anew.
pub async fn extend(
    at: &Connection,
    execution: &str,
    events: &mut Vec<Event>,
) -> Result<(), OperateError> {
    let Some(last) = events.last() else {
        *events = history(at, execution).await?;
        return Ok(());
    };
    let mut pages = at
        .sfn
        .get_execution_history()
        .execution_arn(execution)
        .reverse_order(true)
        .max_results(100)
        .into_paginator()
        .items()
        .send();
    let mut new = Vec::new();
    let mut goes_on = false;
    while let Some(event) = pages.next().await {
        let event = event.map_err(refused(format!("read the history of {execution}")))?;
        if event.id <= last.id {
            goes_on = last.is_same(&Event::read(&event));
            break;
        }
        new.push(Event::read(&event));
    }
    if !goes_on {
        *events = history(at, execution).await?;
        return Ok(());
    }
    if !new.is_empty() {
        events.extend(new.into_iter().rev());
        lineage::name_states(events);
    }
    Ok(())
}

/// The payload in the first of the named details that are there.
macro_rules! first {
    ($event:ident, $get:ident: $($details:ident),+) => {
        None$(.or_else(|| $event.$details.as_ref().and_then(|d| d.$get.as_ref())))+
    };
}

/// Error and cause of the named details.
macro_rules! failure {
    ($event:ident, $flat:ident: $($details:ident),+) => {
        $(if let Some(details) = &$event.$details {
            $flat.error = details.error.clone();
            $flat.cause = details.cause.clone();
        })+
    };
}

impl Event {
    /// They are one event of one history; their data are not looked at, since a look may leave them out.
    fn is_same(&self, other: &Event) -> bool {
        let of = |e: &Event| (e.id, e.previous_id, e.at);
        of(self) == of(other) && self.kind == other.kind
    }

    fn read(event: &HistoryEvent) -> Event {
        let mut flat = Event {
            id: event.id,
            previous_id: event.previous_event_id,
            at: when::timestamp(&event.timestamp),
            kind: event.r#type.as_str().to_owned(),
            ..Event::default()
        };
        flat.read_payloads(event);
        flat.read_task(event);
        flat.read_names(event);
        flat.read_failure(event);
        flat
    }

    fn read_payloads(&mut self, event: &HistoryEvent) {
        let input: Option<&String> = first!(event, input:
            state_entered_event_details, execution_started_event_details,
            lambda_function_scheduled_event_details, activity_scheduled_event_details);
        let output: Option<&String> = first!(event, output:
            state_exited_event_details, execution_succeeded_event_details, task_succeeded_event_details,
            task_submitted_event_details, lambda_function_succeeded_event_details, activity_succeeded_event_details);
        self.input = input.map(|text| json(text));
        self.output = output.map(|text| json(text));
        let exited = event.state_exited_event_details.as_ref();
        let assigned = exited.and_then(|d| d.assigned_variables.as_ref());
        let mut assigned: Vec<_> = assigned.into_iter().flatten().collect();
        assigned.sort();
        self.assigned = assigned
            .into_iter()
            .map(|(name, text)| (name.clone(), json(text)))
            .collect();
        self.truncated = [
            event
                .state_entered_event_details
                .as_ref()
                .and_then(|d| d.input_details.as_ref())
                .map(|d| d.truncated),
            exited
                .and_then(|d| d.output_details.as_ref())
                .map(|d| d.truncated),
            exited
                .and_then(|d| d.assigned_variables_details.as_ref())
                .map(|d| d.truncated),
        ]
        .contains(&Some(true));
    }

    fn read_task(&mut self, event: &HistoryEvent) {
        if let Some(details) = &event.task_scheduled_event_details {
            self.resource = Some(format!("{}:{}", details.resource_type, details.resource));
            self.parameters = Some(json(&details.parameters));
            self.timeout_seconds = details.timeout_in_seconds;
        }
        if let Some(details) = &event.lambda_function_scheduled_event_details {
            self.resource = Some(details.resource.clone());
            self.timeout_seconds = details.timeout_in_seconds;
        }
        if let Some(details) = &event.activity_scheduled_event_details {
            self.resource = Some(details.resource.clone());
            self.timeout_seconds = details.timeout_in_seconds;
        }
    }

    fn read_names(&mut self, event: &HistoryEvent) {
        let iteration = [
            &event.map_iteration_started_event_details,
            &event.map_iteration_succeeded_event_details,
            &event.map_iteration_failed_event_details,
            &event.map_iteration_aborted_event_details,
        ]
        .into_iter()
        .find_map(Option::as_ref);
        self.index = iteration.map(|d| d.index);
        self.state = first!(event, name: map_iteration_started_event_details, map_iteration_succeeded_event_details,
            map_iteration_failed_event_details, map_iteration_aborted_event_details)
            .cloned()
            .or_else(|| event.state_entered_event_details.as_ref().map(|d| d.name.clone()))
            .or_else(|| event.state_exited_event_details.as_ref().map(|d| d.name.clone()))
            .or_else(|| event.evaluation_failed_event_details.as_ref().map(|d| d.state.clone()));
    }

    fn read_failure(&mut self, event: &HistoryEvent) {
        failure!(event, self: task_failed_event_details, task_start_failed_event_details,
            task_submit_failed_event_details, task_timed_out_event_details,
            lambda_function_failed_event_details, lambda_function_schedule_failed_event_details,
            lambda_function_start_failed_event_details, lambda_function_timed_out_event_details,
            activity_failed_event_details, activity_schedule_failed_event_details, activity_timed_out_event_details,
            map_run_failed_event_details, evaluation_failed_event_details,
            execution_failed_event_details, execution_aborted_event_details, execution_timed_out_event_details);
    }

    /// A task was handed out, of whatever family.
    pub fn is_scheduled(&self) -> bool {
        matches!(
            self.kind.as_str(),
            "TaskScheduled" | "LambdaFunctionScheduled" | "ActivityScheduled"
        )
    }

    /// An attempt at the state's work failed.
    pub fn is_failure(&self) -> bool {
        matches!(
            self.kind.as_str(),
            "TaskFailed"
                | "TaskStartFailed"
                | "TaskSubmitFailed"
                | "TaskTimedOut"
                | "LambdaFunctionFailed"
                | "LambdaFunctionScheduleFailed"
                | "LambdaFunctionStartFailed"
                | "LambdaFunctionTimedOut"
                | "ActivityFailed"
                | "ActivityScheduleFailed"
                | "ActivityTimedOut"
                | "EvaluationFailed"
                | "ParallelStateFailed"
                | "MapStateFailed"
                | "MapRunFailed"
        )
    }

    /// An attempt at the state's work succeeded.
    pub fn is_success(&self) -> bool {
        matches!(
            self.kind.as_str(),
            "TaskSucceeded" | "LambdaFunctionSucceeded" | "ActivitySucceeded"
        )
    }
}

/// A payload as JSON; what AWS cut off stays text.
fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
}

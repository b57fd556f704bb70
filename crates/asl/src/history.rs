//! Events in the JSON of AWS's `GetExecutionHistory`.

use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::entry::Recorded;
use crate::event::{Event, Failure};
use crate::{Data, Millis, Resource};

/// A view of an event; serializes to exactly AWS's JSON, `timestamp` as seconds since 1970 with fraction.
#[derive(Debug, Clone, Copy)]
pub struct HistoryEvent<'a> {
    recorded: &'a Recorded,
    include_data: bool,
}

/// Type and identity of an event without its details, for those who only page or search.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heading {
    /// AWS's event type, such as `TaskStateEntered`.
    pub event_type: String,
    /// Event id.
    pub id: u64,
    /// Id of the event that led to this one; 0 for none.
    pub previous_event_id: u64,
    /// When.
    pub timestamp: Millis,
}

impl<'a> HistoryEvent<'a> {
    pub(crate) fn new(recorded: &'a Recorded) -> Self {
        Self {
            recorded,
            include_data: true,
        }
    }

    /// Leaves out inputs and outputs, as `includeExecutionData: false` asks for.
    #[must_use]
    pub fn without_data(self) -> Self {
        Self {
            include_data: false,
            ..self
        }
    }

    /// Type, ids and time.
    pub fn heading(&self) -> Heading {
        let Recorded {
            id,
            previous,
            at,
            ref event,
            ..
        } = *self.recorded;
        Heading {
            event_type: type_name(event),
            id,
            previous_event_id: previous,
            timestamp: at,
        }
    }

    /// The typed event.
    pub fn event(&self) -> &'a Event {
        &self.recorded.event
    }

    fn details(&self) -> Option<(&'static str, Value)> {
        let mut details = Details {
            map: Map::new(),
            include_data: self.include_data,
        };
        let key = details.fill(&self.recorded.event)?;
        Some((key, Value::Object(details.map)))
    }
}

impl Serialize for HistoryEvent<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let details = self.details();
        let mut map = serializer.serialize_map(None)?;
        #[expect(
            clippy::cast_precision_loss,
            reason = "milliseconds of this millennium fit a double's 53 bits"
        )]
        map.serialize_entry("timestamp", &(self.recorded.at as f64 / 1000.0))?;
        map.serialize_entry("type", &type_name(&self.recorded.event))?;
        map.serialize_entry("id", &self.recorded.id)?;
        map.serialize_entry("previousEventId", &self.recorded.previous)?;
        if let Some((key, value)) = details {
            map.serialize_entry(key, &value)?;
        }
        map.end()
    }
}

/// The prefix of a task's events.
fn family(resource: &Resource) -> &'static str {
    match resource {
        Resource::Lambda { .. } => "LambdaFunction",
        Resource::Activity { .. } => "Activity",
        Resource::Integration { .. } => "Task",
    }
}

fn type_name(event: &Event) -> String {
    let plain = match event {
        Event::StateEntered { kind, .. } => return format!("{}StateEntered", kind.name()),
        Event::StateExited { kind, .. } => return format!("{}StateExited", kind.name()),
        Event::StateAborted { kind } => return format!("{}StateAborted", kind.name()),
        Event::TaskScheduled { resource, .. } => return format!("{}Scheduled", family(resource)),
        Event::TaskStarted { resource, .. } => return format!("{}Started", family(resource)),
        Event::TaskSucceeded { resource, .. } => return format!("{}Succeeded", family(resource)),
        Event::TaskFailed { resource, .. } => return format!("{}Failed", family(resource)),
        Event::TaskTimedOut { resource, .. } => return format!("{}TimedOut", family(resource)),
        Event::TaskSubmitted { .. } => "TaskSubmitted",
        Event::TaskSubmitFailed { .. } => "TaskSubmitFailed",
        Event::ExecutionStarted { .. } => "ExecutionStarted",
        Event::ExecutionSucceeded { .. } => "ExecutionSucceeded",
        Event::ExecutionFailed(_) => "ExecutionFailed",
        Event::ExecutionAborted(_) => "ExecutionAborted",
        Event::ExecutionTimedOut(_) => "ExecutionTimedOut",
        Event::ExecutionRedriven { .. } => "ExecutionRedriven",
        Event::EvaluationFailed { .. } => "EvaluationFailed",
        Event::ParallelStateStarted => "ParallelStateStarted",
        Event::ParallelStateSucceeded => "ParallelStateSucceeded",
        Event::ParallelStateFailed => "ParallelStateFailed",
        Event::MapStateStarted { .. } => "MapStateStarted",
        Event::MapStateSucceeded => "MapStateSucceeded",
        Event::MapStateFailed => "MapStateFailed",
        Event::MapRunStarted { .. } => "MapRunStarted",
        Event::MapRunSucceeded => "MapRunSucceeded",
        Event::MapRunFailed(_) => "MapRunFailed",
        Event::MapRunAborted => "MapRunAborted",
        Event::MapRunRedriven { .. } => "MapRunRedriven",
        Event::MapIterationStarted { .. } => "MapIterationStarted",
        Event::MapIterationSucceeded { .. } => "MapIterationSucceeded",
        Event::MapIterationFailed { .. } => "MapIterationFailed",
        Event::MapIterationAborted { .. } => "MapIterationAborted",
    };
    plain.to_owned()
}

/// Builds the `…EventDetails` object.
struct Details {
    map: Map<String, Value>,
    include_data: bool,
}

impl Details {
    fn set(&mut self, key: &str, value: impl Into<Value>) {
        self.map.insert(key.to_owned(), value.into());
    }

    /// A payload as string, with AWS's marker that it is whole.
    fn data(&mut self, key: &str, data: &Data) {
        if self.include_data {
            self.set(key, data.text());
        }
        self.set(
            &format!("{key}Details"),
            json!({ "truncated": !self.include_data }),
        );
    }

    fn failure(&mut self, failure: &Failure) {
        for (key, value) in [("error", &failure.error), ("cause", &failure.cause)] {
            if let Some(value) = value {
                self.set(key, value.as_str());
            }
        }
    }

    /// `resource` and `resourceType` of a `Task…` event.
    fn resource(&mut self, resource: &Resource) {
        if let Resource::Integration {
            service,
            action,
            pattern,
            ..
        } = resource
        {
            self.set("resourceType", service.as_ref());
            self.set("resource", format!("{action}{}", pattern.suffix()));
        }
    }

    fn seconds(&mut self, timeout: Option<u64>, heartbeat: Option<u64>) {
        if let Some(seconds) = timeout {
            self.set("timeoutInSeconds", seconds);
        }
        if let Some(seconds) = heartbeat {
            self.set("heartbeatInSeconds", seconds);
        }
    }

    fn fill(&mut self, event: &Event) -> Option<&'static str> {
        Some(match event {
            Event::ExecutionStarted { input, role_arn } => {
                self.data("input", input);
                self.set("roleArn", role_arn.as_str());
                "executionStartedEventDetails"
            }
            Event::ExecutionSucceeded { output } => {
                self.data("output", output);
                "executionSucceededEventDetails"
            }
            Event::ExecutionFailed(failure) => {
                self.failure(failure);
                "executionFailedEventDetails"
            }
            Event::ExecutionAborted(failure) => {
                self.failure(failure);
                "executionAbortedEventDetails"
            }
            Event::ExecutionTimedOut(failure) => {
                self.failure(failure);
                "executionTimedOutEventDetails"
            }
            Event::ExecutionRedriven { redrive_count } => {
                self.set("redriveCount", *redrive_count);
                "executionRedrivenEventDetails"
            }
            Event::StateEntered { name, input, .. } => {
                self.set("name", name.as_ref());
                self.data("input", input);
                "stateEnteredEventDetails"
            }
            Event::StateExited {
                name,
                output,
                assigned,
                ..
            } => {
                self.set("name", name.as_ref());
                self.data("output", output);
                self.assigned(assigned);
                "stateExitedEventDetails"
            }
            Event::EvaluationFailed {
                state,
                failure,
                location,
            } => {
                self.failure(failure);
                if let Some(location) = location {
                    self.set("location", location.as_str());
                }
                self.set("state", state.as_ref());
                "evaluationFailedEventDetails"
            }
            Event::MapStateStarted { length } => {
                self.set("length", *length);
                "mapStateStartedEventDetails"
            }
            Event::MapRunStarted { arn } => {
                self.set("mapRunArn", arn.as_str());
                "mapRunStartedEventDetails"
            }
            Event::MapRunFailed(failure) => {
                self.failure(failure);
                "mapRunFailedEventDetails"
            }
            Event::MapRunRedriven { arn, redrive_count } => {
                self.set("mapRunArn", arn.as_str());
                self.set("redriveCount", *redrive_count);
                "mapRunRedrivenEventDetails"
            }
            Event::MapIterationStarted { name, index } => {
                self.iteration(name, *index, "mapIterationStartedEventDetails")
            }
            Event::MapIterationSucceeded { name, index } => {
                self.iteration(name, *index, "mapIterationSucceededEventDetails")
            }
            Event::MapIterationFailed { name, index } => {
                self.iteration(name, *index, "mapIterationFailedEventDetails")
            }
            Event::MapIterationAborted { name, index } => {
                self.iteration(name, *index, "mapIterationAbortedEventDetails")
            }
            Event::StateAborted { .. }
            | Event::ParallelStateStarted
            | Event::ParallelStateSucceeded
            | Event::ParallelStateFailed
            | Event::MapStateSucceeded
            | Event::MapStateFailed
            | Event::MapRunSucceeded
            | Event::MapRunAborted => return None,
            task => return self.task(task),
        })
    }

    fn task(&mut self, event: &Event) -> Option<&'static str> {
        let (resource, step) = match event {
            Event::TaskScheduled {
                resource,
                region,
                parameters,
                timeout_in_seconds,
                heartbeat_in_seconds,
                credentials,
            } => {
                if matches!(resource, Resource::Integration { .. }) {
                    self.set("region", region.as_ref());
                    // AWS shows the parameters even where it leaves out payloads, but they may hold secrets just the same.
                    if self.include_data {
                        self.set("parameters", parameters.text());
                    }
                } else {
                    self.set("resource", resource.to_string());
                    self.data("input", parameters);
                }
                self.seconds(*timeout_in_seconds, *heartbeat_in_seconds);
                if let Some(role) = credentials.as_ref().and_then(|c| c.value().get("RoleArn")) {
                    self.set("taskCredentials", json!({ "roleArn": role }));
                }
                (resource, Step::Scheduled)
            }
            Event::TaskStarted { resource, worker } => {
                if let Resource::Activity { .. } = resource
                    && let Some(worker) = worker
                {
                    self.set("workerName", worker.as_str());
                }
                (resource, Step::Started)
            }
            Event::TaskSubmitted { resource, output } => {
                self.data("output", output);
                (resource, Step::Submitted)
            }
            Event::TaskSucceeded { resource, output } => {
                self.data("output", output);
                (resource, Step::Succeeded)
            }
            Event::TaskFailed { resource, failure } => {
                self.failure(failure);
                (resource, Step::Failed)
            }
            Event::TaskSubmitFailed { resource, failure } => {
                self.failure(failure);
                (resource, Step::SubmitFailed)
            }
            Event::TaskTimedOut { resource, failure } => {
                self.failure(failure);
                (resource, Step::TimedOut)
            }
            _ => return None,
        };
        self.resource(resource);
        step.key(resource)
    }

    fn assigned(&mut self, assigned: &[(std::sync::Arc<str>, Data)]) {
        if assigned.is_empty() {
            return;
        }
        if self.include_data {
            let variables: Map<String, Value> = assigned
                .iter()
                .map(|(name, data)| (name.to_string(), data.text().into()))
                .collect();
            self.set("assignedVariables", variables);
        }
        self.set(
            "assignedVariablesDetails",
            json!({ "truncated": !self.include_data }),
        );
    }

    fn iteration(&mut self, name: &str, index: u32, key: &'static str) -> &'static str {
        self.set("name", name);
        self.set("index", index);
        key
    }
}

/// The steps of a task, for the names of their details.
enum Step {
    Scheduled,
    Started,
    Submitted,
    Succeeded,
    Failed,
    SubmitFailed,
    TimedOut,
}

impl Step {
    fn key(&self, resource: &Resource) -> Option<&'static str> {
        Some(match (resource, self) {
            (Resource::Integration { .. }, Self::Scheduled) => "taskScheduledEventDetails",
            (Resource::Integration { .. }, Self::Started) => "taskStartedEventDetails",
            (Resource::Integration { .. }, Self::Succeeded) => "taskSucceededEventDetails",
            (Resource::Integration { .. }, Self::Failed) => "taskFailedEventDetails",
            (Resource::Integration { .. }, Self::TimedOut) => "taskTimedOutEventDetails",
            (_, Self::Submitted) => "taskSubmittedEventDetails",
            (_, Self::SubmitFailed) => "taskSubmitFailedEventDetails",
            (Resource::Lambda { .. }, Self::Scheduled) => "lambdaFunctionScheduledEventDetails",
            (Resource::Lambda { .. }, Self::Started) => return None,
            (Resource::Lambda { .. }, Self::Succeeded) => "lambdaFunctionSucceededEventDetails",
            (Resource::Lambda { .. }, Self::Failed) => "lambdaFunctionFailedEventDetails",
            (Resource::Lambda { .. }, Self::TimedOut) => "lambdaFunctionTimedOutEventDetails",
            (Resource::Activity { .. }, Self::Scheduled) => "activityScheduledEventDetails",
            (Resource::Activity { .. }, Self::Started) => "activityStartedEventDetails",
            (Resource::Activity { .. }, Self::Succeeded) => "activitySucceededEventDetails",
            (Resource::Activity { .. }, Self::Failed) => "activityFailedEventDetails",
            (Resource::Activity { .. }, Self::TimedOut) => "activityTimedOutEventDetails",
        })
    }
}

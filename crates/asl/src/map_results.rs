//! What a Map Run's children have come to, in the forms that `ResultWriter` knows. Source: "ResultWriter".

use serde_json::{Map, Value, json};

use crate::interpret::iso;
use crate::model::{ResultFormat, Transformation};
use crate::{Data, Millis, Status};

/// A child of a Map Run, as its results show it.
#[derive(Debug, Clone, PartialEq)]
pub struct ChildOutcome {
    /// Its ARN.
    pub execution_arn: String,
    /// Its name.
    pub name: String,
    /// ARN of its state machine: the parent's, with the label.
    pub state_machine_arn: String,
    /// How it ended; `None`: it was never started.
    pub status: Option<Status>,
    /// Its input.
    pub input: Data,
    /// Its output, if it succeeded.
    pub output: Option<Data>,
    /// Error name, if it has one.
    pub error: Option<String>,
    /// Cause, if it has one.
    pub cause: Option<String>,
    /// When it was started.
    pub started: Option<Millis>,
    /// When it ended.
    pub stopped: Option<Millis>,
    /// How often it was redriven.
    pub redrives: u32,
}

impl ChildOutcome {
    /// Everything that is known of it: the form of `"Transformation": "NONE"`.
    fn whole(&self) -> Value {
        let included = json!({ "Included": true });
        let mut shown = Map::new();
        let mut set = |name: &str, value: Value| {
            shown.insert(name.to_owned(), value);
        };
        if let Some(cause) = &self.cause {
            set("Cause", cause.as_str().into());
        }
        if let Some(error) = &self.error {
            set("Error", error.as_str().into());
        }
        set("ExecutionArn", self.execution_arn.as_str().into());
        set("Input", self.input.text().into());
        set("InputDetails", included.clone());
        set("Name", self.name.as_str().into());
        if let Some(output) = &self.output {
            set("Output", output.text().into());
            set("OutputDetails", included);
        }
        if let Some(status) = self.status {
            set("RedriveCount", self.redrives.into());
            match status {
                Status::Succeeded | Status::Running => {
                    set("RedriveStatus", "NOT_REDRIVABLE".into());
                    let reason = format!("Execution is {} and cannot be redriven", status.as_str());
                    set("RedriveStatusReason", reason.into());
                }
                Status::Failed | Status::TimedOut | Status::Aborted => {
                    set("RedriveStatus", "REDRIVABLE_BY_MAP_RUN".into());
                }
            }
        }
        if let Some(started) = self.started {
            set("StartDate", iso(started).into());
        }
        set("StateMachineArn", self.state_machine_arn.as_str().into());
        let status = self.status.map_or("PENDING", Status::as_str);
        set("Status", status.into());
        if let Some(stopped) = self.stopped {
            set("StopDate", iso(stopped).into());
        }
        Value::Object(shown)
    }
}

/// The results in a form; what did not succeed is shown whole in every form.
pub fn map_results(format: ResultFormat, outcomes: &[ChildOutcome]) -> Vec<Value> {
    let mut results = Vec::with_capacity(outcomes.len());
    for outcome in outcomes {
        match (&outcome.output, format.transformation) {
            (Some(output), Transformation::Compact) => results.push(output.value().clone()),
            (Some(output), Transformation::Flatten) => match output.value() {
                Value::Array(elements) => results.extend(elements.iter().cloned()),
                other => results.push(other.clone()),
            },
            (Some(_), Transformation::None) | (None, _) => results.push(outcome.whole()),
        }
    }
    results
}

/// The text of results: a JSON array, or a JSON value a line.
pub fn map_results_text(format: ResultFormat, outcomes: &[ChildOutcome]) -> String {
    let results = map_results(format, outcomes);
    if format.lines {
        let mut text = String::new();
        for result in results {
            text.push_str(&result.to_string());
            text.push('\n');
        }
        text
    } else {
        Value::Array(results).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(status: Status, output: Option<Value>) -> ChildOutcome {
        ChildOutcome {
            execution_arn: "arn".to_owned(),
            name: "n".to_owned(),
            state_machine_arn: "machine".to_owned(),
            status: Some(status),
            input: Data::new(json!({"a": 1})),
            output: output.map(Data::new),
            error: None,
            cause: None,
            started: Some(0),
            stopped: Some(1500),
            redrives: 0,
        }
    }

    #[test]
    fn each_form() {
        let outcomes = [
            outcome(Status::Succeeded, Some(json!([1, 2]))),
            outcome(Status::Succeeded, Some(json!(3))),
        ];
        let check = |transformation, lines, expected: &str| {
            let format = ResultFormat {
                transformation,
                lines,
            };
            assert_eq!(map_results_text(format, &outcomes), expected);
        };
        check(Transformation::Compact, false, "[[1,2],3]");
        check(Transformation::Flatten, false, "[1,2,3]");
        check(Transformation::Flatten, true, "1\n2\n3\n");
        let whole = map_results(
            ResultFormat {
                transformation: Transformation::None,
                lines: false,
            },
            &outcomes[1..],
        );
        assert_eq!(
            whole[0],
            json!({"ExecutionArn": "arn", "Input": "{\"a\":1}", "InputDetails": {"Included": true}, "Name": "n",
                "Output": "3", "OutputDetails": {"Included": true}, "RedriveCount": 0, "RedriveStatus": "NOT_REDRIVABLE",
                "RedriveStatusReason": "Execution is SUCCEEDED and cannot be redriven", "StartDate": "1970-01-01T00:00:00.000Z",
                "StateMachineArn": "machine", "Status": "SUCCEEDED", "StopDate": "1970-01-01T00:00:01.500Z"})
        );
    }

    #[test]
    fn a_failure_is_shown_whole() {
        let format = ResultFormat {
            transformation: Transformation::Compact,
            lines: false,
        };
        let failed = map_results(format, &[outcome(Status::Failed, None)]);
        assert_eq!(failed[0]["RedriveStatus"], "REDRIVABLE_BY_MAP_RUN");
    }
}

//! What an execution did and where it stands: one row for each stay in a state.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::events::Event;
use crate::lineage::{Lineage, is_fork};

/// How a stay in a state ended, or that it has not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It is there now.
    Running,
    /// A failed attempt is to be repeated.
    Retrying,
    /// It was left as it should be.
    Succeeded,
    /// It failed, and a `Catch` took over.
    Caught,
    /// It failed, and nothing took over.
    Failed,
    /// Ended because something else did: a sibling branch, or the whole execution.
    Aborted,
}

/// One stay in a state.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// The state's name.
    pub state: String,
    /// Its type: `Task`, `Choice`, ….
    #[serde(rename = "type")]
    pub kind: String,
    /// How many Parallel or Map states are around it.
    pub depth: usize,
    /// When it was entered.
    pub entered: Timestamp,
    /// When it was left; absent while it is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left: Option<Timestamp>,
    /// How often its task was handed out.
    pub attempts: u32,
    /// How it ended, or that it has not.
    pub outcome: Outcome,
    /// The last error, also where a later attempt succeeded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// That error's cause.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// What has to happen before it goes on, where it has not been left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waits_for: Option<String>,
    /// What it was entered with.
    pub input: Value,
    /// Its task that waits for an answer.
    #[serde(skip)]
    pub open_task: Option<OpenTask>,
}

/// A task that was handed out and has not been answered.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenTask {
    /// Such as `sqs:sendMessage.waitForTaskToken`.
    pub resource: String,
    /// What it was called with. A task token in it must not be shown.
    pub parameters: Value,
    /// When it was handed out.
    pub since: Timestamp,
    /// How long it may take.
    pub timeout_seconds: Option<i64>,
}

/// Rows in the order in which the states were entered.
pub fn rows(events: &[Event]) -> Vec<Row> {
    let lineage = Lineage::trace(events);
    let mut rows: Vec<Row> = Vec::new();
    for (i, (event, visit)) in events.iter().zip(&lineage.of).enumerate() {
        if event.kind.ends_with("StateEntered") {
            rows.push(entered(&lineage, event, rows.len()));
        } else if let Some(visit) = visit {
            end_failed(&mut rows, &lineage, &events[..i], event);
            rows[*visit].apply(event);
        } else {
            if event.kind == "ExecutionFailed" {
                blame(&mut rows, &lineage, &events[..i], event);
            }
            apply_to_all(&mut rows, event);
        }
    }
    for row in &mut rows {
        row.waits_for = row.waiting();
    }
    rows
}

fn entered(lineage: &Lineage, event: &Event, visit: usize) -> Row {
    let parents =
        std::iter::successors(lineage.visits[visit].parent, |v| lineage.visits[*v].parent);
    Row {
        state: lineage.visits[visit].name.clone(),
        kind: lineage.visits[visit].kind.clone(),
        depth: parents.count(),
        entered: event.at,
        left: None,
        attempts: 0,
        outcome: Outcome::Running,
        error: None,
        cause: None,
        waits_for: None,
        input: event.input.clone().unwrap_or_default(),
        open_task: None,
    }
}

/// A Fail state in a branch or an iteration has no event of its own: what it ends follows it.
fn end_failed(rows: &mut [Row], lineage: &Lineage, before: &[Event], event: &Event) {
    let ends = matches!(
        event.kind.as_str(),
        "MapIterationFailed" | "MapStateFailed" | "ParallelStateFailed" | "ParallelStateStarted"
    );
    let ended = ends.then(|| visit_before(lineage, before, event)).flatten();
    if let Some(row) = ended.and_then(|visit| rows.get_mut(visit))
        && row.is_open()
        && !is_fork(&row.kind)
    {
        row.end(event.at, Outcome::Failed);
    }
}

/// The visit of the event that this one follows.
fn visit_before(lineage: &Lineage, before: &[Event], event: &Event) -> Option<usize> {
    let at = before.iter().rposition(|e| e.id == event.previous_id)?;
    lineage.of[at]
}

/// A state that fails without an event of its own, as a Choice whose path leads nowhere, is the one whose event the
/// execution's failure follows. The states around it fail with it.
fn blame(rows: &mut [Row], lineage: &Lineage, before: &[Event], failure: &Event) {
    let visit = visit_before(lineage, before, failure);
    let around = std::iter::successors(visit, |v| lineage.visits[*v].parent);
    for (i, visit) in around.enumerate() {
        let row = &mut rows[visit];
        // An abort is written before the failure that caused it.
        if row.is_open() || row.outcome == Outcome::Aborted {
            row.end(row.left.unwrap_or(failure.at), Outcome::Failed);
            if i == 0 && row.error.is_none() {
                row.error = failure.error.clone();
                row.cause = failure.cause.clone();
            }
        }
    }
}

/// What happens to the execution as a whole.
fn apply_to_all(rows: &mut [Row], event: &Event) {
    for row in rows {
        match event.kind.as_str() {
            "ExecutionFailed" | "ExecutionAborted" | "ExecutionTimedOut" if row.left.is_none() => {
                // A Fail state has no event of its own.
                let failed = row.outcome == Outcome::Retrying || row.kind == "Fail";
                row.end(
                    event.at,
                    if failed {
                        Outcome::Failed
                    } else {
                        Outcome::Aborted
                    },
                );
            }
            "ExecutionRedriven" if matches!(row.outcome, Outcome::Failed | Outcome::Aborted) => {
                row.left = None;
                row.outcome = Outcome::Running;
            }
            _ => {}
        }
    }
}

impl Row {
    fn apply(&mut self, event: &Event) {
        if event.is_scheduled() {
            self.attempts += 1;
            self.outcome = Outcome::Running;
            self.open_task = Some(OpenTask {
                resource: event.resource.clone().unwrap_or_default(),
                parameters: event.parameters.clone().unwrap_or_default(),
                since: event.at,
                timeout_seconds: event.timeout_seconds,
            });
        } else if event.is_failure() {
            self.open_task = None;
            self.outcome = Outcome::Retrying;
            // ParallelStateFailed repeats nothing; the branch has the error.
            if event.error.is_some() {
                self.error = event.error.clone();
                self.cause = event.cause.clone();
            }
        } else if event.is_success() {
            self.open_task = None;
            self.outcome = Outcome::Running;
        } else if event.kind.ends_with("StateExited") {
            let caught = self.outcome == Outcome::Retrying;
            self.end(
                event.at,
                if caught {
                    Outcome::Caught
                } else {
                    Outcome::Succeeded
                },
            );
        } else if event.kind.ends_with("StateAborted") {
            let failed = self.outcome == Outcome::Retrying;
            self.end(
                event.at,
                if failed {
                    Outcome::Failed
                } else {
                    Outcome::Aborted
                },
            );
        }
    }

    fn end(&mut self, at: Timestamp, outcome: Outcome) {
        self.left = Some(at);
        self.outcome = outcome;
        self.open_task = None;
    }

    /// Whether the execution is still in the state.
    pub fn is_open(&self) -> bool {
        self.left.is_none()
    }

    /// What has to happen before the state goes on.
    fn waiting(&self) -> Option<String> {
        if !self.is_open() {
            return None;
        }
        if let Some(task) = &self.open_task {
            return Some(task.awaited());
        }
        Some(match (self.outcome, self.kind.as_str()) {
            (Outcome::Retrying, _) => "the time of its next attempt".to_owned(),
            (_, "Wait") => "its time".to_owned(),
            (_, kind) if is_fork(kind) => "what is inside it".to_owned(),
            _ => "nothing; it is about to go on".to_owned(),
        })
    }
}

impl OpenTask {
    /// Whether somebody has to answer its token.
    pub fn waits_for_token(&self) -> bool {
        self.resource.ends_with(".waitForTaskToken")
    }

    /// The short name of the queue, function or topic that it was handed to, where the call names one.
    pub fn sent_to(&self) -> Option<&str> {
        ["QueueUrl", "FunctionName", "TopicArn"]
            .into_iter()
            .find_map(|key| self.parameters.get(key)?.as_str())
            .map(short_name)
    }

    fn awaited(&self) -> String {
        let target = self
            .sent_to()
            .map_or_else(String::new, |name| format!(" {name}"));
        if self.waits_for_token() {
            format!("an answer to its token, sent to{target}")
        } else {
            format!("{}{target}", self.resource)
        }
    }
}

/// The name at the end of a queue's URL, or in the ARN of a function or a topic.
pub fn short_name(name: &str) -> &str {
    let name = name.rsplit('/').next().unwrap_or(name);
    match name.split_once(":function:") {
        Some((_, function)) => function.split(':').next().unwrap_or(function),
        None => name.rsplit(':').next().unwrap_or(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_shortened_for_people() {
        for (name, expected) in [
            (
                "http://127.0.0.1:4566/000000000000/check_stock_dlq",
                "check_stock_dlq",
            ),
            (
                "arn:aws:lambda:us-east-1:000000000000:function:check_stock:live",
                "check_stock",
            ),
            (
                "arn:aws:lambda:us-east-1:000000000000:function:check_stock",
                "check_stock",
            ),
            (
                "arn:aws:sns:us-east-1:000000000000:ops_alerts",
                "ops_alerts",
            ),
            ("plain", "plain"),
        ] {
            assert_eq!(short_name(name), expected);
        }
    }

    fn outcomes(kinds: &[(&str, Option<&str>)]) -> Vec<Outcome> {
        let events: Vec<Event> = kinds
            .iter()
            .zip(1..)
            .map(|((kind, state), id)| Event {
                id,
                previous_id: id - 1,
                kind: (*kind).to_owned(),
                state: state.map(str::to_owned),
                ..Event::default()
            })
            .collect();
        rows(&events).into_iter().map(|row| row.outcome).collect()
    }

    #[test]
    fn a_row_says_how_its_state_ended() {
        let begin = [
            ("ExecutionStarted", None),
            ("TaskStateEntered", Some("A")),
            ("TaskScheduled", None),
        ];
        for (rest, expected) in [
            (vec![], Outcome::Running),
            (vec![("TaskFailed", None)], Outcome::Retrying),
            (
                vec![("TaskSucceeded", None), ("TaskStateExited", Some("A"))],
                Outcome::Succeeded,
            ),
            (
                vec![("TaskFailed", None), ("TaskStateExited", Some("A"))],
                Outcome::Caught,
            ),
            (
                vec![("TaskFailed", None), ("ExecutionFailed", None)],
                Outcome::Failed,
            ),
            (vec![("ExecutionAborted", None)], Outcome::Aborted),
            (
                vec![
                    ("TaskFailed", None),
                    ("ExecutionFailed", None),
                    ("ExecutionRedriven", None),
                    ("TaskScheduled", None),
                ],
                Outcome::Running,
            ),
        ] {
            let all: Vec<_> = begin.into_iter().chain(rest).collect();
            assert_eq!(outcomes(&all), [expected], "{all:?}");
        }
    }

    #[test]
    fn a_fail_state_ends_with_what_it_ends() {
        let kinds = [
            ("ExecutionStarted", None),
            ("ParallelStateEntered", Some("P")),
            ("ParallelStateStarted", None),
            ("FailStateEntered", Some("F")),
            ("ParallelStateStarted", None),
        ];
        assert_eq!(outcomes(&kinds), [Outcome::Running, Outcome::Failed]);
    }

    #[test]
    fn a_state_that_cannot_go_on_is_told_from_those_that_end_with_it() {
        let kinds = [
            ("ExecutionStarted", None, 0),
            ("ParallelStateEntered", Some("P"), 1),
            ("ParallelStateStarted", None, 2),
            ("WaitStateEntered", Some("W"), 3),
            ("ChoiceStateEntered", Some("C"), 3),
            ("WaitStateAborted", None, 5),
            ("ExecutionFailed", None, 5),
        ];
        let mut events: Vec<Event> = kinds
            .iter()
            .zip(1..)
            .map(|((kind, state, previous), id)| Event {
                id,
                previous_id: *previous,
                kind: (*kind).to_owned(),
                state: state.map(str::to_owned),
                ..Event::default()
            })
            .collect();
        events[6].error = Some("States.Runtime".to_owned());
        let told: Vec<_> = rows(&events)
            .into_iter()
            .map(|row| (row.state, row.outcome, row.error))
            .collect();
        let error = Some("States.Runtime".to_owned());
        assert_eq!(
            told,
            [
                ("P".to_owned(), Outcome::Failed, None),
                ("W".to_owned(), Outcome::Aborted, None),
                ("C".to_owned(), Outcome::Failed, error),
            ]
        );
    }
}

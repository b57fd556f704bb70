//! One execution as it is read: what Step Functions says of it, its history, its definition, and what follows from them.

mod paint;
mod spans;
mod watch;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use asl::Definition;
use aws_sdk_sfn::operation::describe_execution::DescribeExecutionOutput;
use jiff::Timestamp;
use operate::connection::Connection;
use operate::error::{OperateError, refused};
use operate::events::{self, Event};
use operate::lineage::Lineage;
use operate::parked::Parked;
use operate::timeline::{self, Row};
use operate::when;
use serde_json::Value;

use crate::fleet::Status;

pub(crate) use paint::{paint, sign};
pub(crate) use spans::{Span, SpanKind, spans};
pub(crate) use watch::Watchers;

/// Executions that are kept after they were looked at, and how many of their events all together.
const KEPT: usize = 32;
const KEPT_EVENTS: usize = 100_000;
/// How long the history of a running execution serves further looks.
const YOUNG: Duration = Duration::from_millis(500);

/// One execution.
#[derive(Debug)]
pub(crate) struct Run {
    pub arn: String,
    pub machine: String,
    pub status: Status,
    pub started: Timestamp,
    pub stopped: Option<Timestamp>,
    pub redrives: i32,
    pub input: Value,
    pub output: Option<Value>,
    pub error: Option<String>,
    pub cause: Option<String>,
    /// The definition it runs, or why that cannot be read.
    pub definition: Result<Arc<Definition>, String>,
    pub events: Vec<Event>,
    /// Why the history is not there.
    pub problem: Option<String>,
    pub lineage: Lineage,
    /// A row for each visit of the lineage.
    pub rows: Vec<Row>,
    pub parked: Vec<Parked>,
}

/// Executions that were looked at lately. What is closed does not change and is not read again.
#[derive(Debug, Default)]
pub(crate) struct Runs {
    kept: Mutex<VecDeque<Kept>>,
}

#[derive(Debug)]
struct Kept {
    run: Arc<Run>,
    read: Instant,
}

impl Runs {
    /// Reads an execution, or takes what is kept of it if that is still true.
    pub(crate) async fn load(&self, at: &Connection, arn: &str) -> Result<Arc<Run>, OperateError> {
        let told = at
            .sfn
            .describe_execution()
            .execution_arn(arn)
            .send()
            .await
            .map_err(refused(format!(
                "read the execution {}",
                crate::fleet::name_of(arn)
            )))?;
        if let Some(run) = self.kept(arn, &told) {
            return Ok(run);
        }
        let run = Arc::new(Run::read(at, arn, &told, self.before(arn)).await);
        self.keep(run.clone());
        Ok(run)
    }

    /// What was read of it the last time, however old: mostly a history only grows.
    fn before(&self, arn: &str) -> Option<Arc<Run>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let mut runs = kept.iter().map(|kept| &kept.run);
        runs.find(|run| run.arn == arn && run.problem.is_none())
            .cloned()
    }

    fn kept(&self, arn: &str, told: &DescribeExecutionOutput) -> Option<Arc<Run>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter()
            .find(|kept| {
                let run = &kept.run;
                let is_same = run.arn == arn
                    && run.problem.is_none()
                    && run.status == Status::read(&told.status)
                    && run.redrives == told.redrive_count.unwrap_or(0)
                    && run.stopped == told.stop_date.as_ref().map(when::timestamp);
                is_same && (!run.status.is_running() || kept.read.elapsed() < YOUNG)
            })
            .map(|kept| kept.run.clone())
    }

    fn keep(&self, run: Arc<Run>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|kept| kept.run.arn != run.arn);
        kept.push_front(Kept {
            run,
            read: Instant::now(),
        });
        let mut events = 0;
        kept.retain(|kept| {
            events += kept.run.events.len();
            events <= KEPT_EVENTS
        });
        kept.truncate(KEPT);
    }
}

impl Run {
    async fn read(
        at: &Connection,
        arn: &str,
        told: &DescribeExecutionOutput,
        before: Option<Arc<Run>>,
    ) -> Run {
        let (events, definition) = match before {
            // An execution keeps its definition.
            Some(run) if run.definition.is_ok() => {
                let mut events = run.events.clone();
                let result = events::extend(at, arn, &mut events).await;
                (result.map(|()| events), run.definition.clone())
            }
            _ => futures::join!(events::history(at, arn), read_definition(at, arn)),
        };
        let (events, problem) = match events {
            Ok(events) => (events, None),
            Err(error) => (Vec::new(), Some(error.to_string())),
        };
        let json = |text: &str| {
            serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
        };
        Run {
            arn: arn.to_owned(),
            machine: operate::find::machine_of(arn).to_owned(),
            status: Status::read(&told.status),
            started: when::timestamp(&told.start_date),
            stopped: told.stop_date.as_ref().map(when::timestamp),
            redrives: told.redrive_count.unwrap_or(0),
            input: told.input.as_deref().map(json).unwrap_or_default(),
            output: told.output.as_deref().map(json),
            error: told.error.clone(),
            cause: told.cause.clone(),
            definition,
            lineage: Lineage::trace(&events),
            rows: timeline::rows(&events),
            parked: if told.status == aws_sdk_sfn::types::ExecutionStatus::Running {
                Parked::find(arn, &events)
            } else {
                Vec::new()
            },
            problem,
            events,
        }
    }

    pub(crate) fn name(&self) -> &str {
        crate::fleet::name_of(&self.arn)
    }

    /// How it stands, for people: what waits for an operator only seems to run.
    pub(crate) fn standing(&self) -> Status {
        if self.status.is_running() && !self.parked.is_empty() {
            Status::Parked
        } else {
            self.status
        }
    }

    /// The parked task that waits in this row.
    pub(crate) fn parked_in(&self, row: &Row) -> Option<&Parked> {
        self.parked
            .iter()
            .find(|parked| row.is_open() && parked.parked_in == row.state)
    }

    /// The row an operator wants to see first: what went wrong, else where it stands, else where it ended.
    pub(crate) fn telling_row(&self) -> Option<usize> {
        use operate::timeline::Outcome;
        let last = |wanted: &dyn Fn(&Row) -> bool| self.rows.iter().rposition(wanted);
        let is_leaf = |row: &Row| !operate::lineage::is_fork(&row.kind);
        last(&|row| self.parked_in(row).is_some())
            .or_else(|| last(&|row| row.outcome == Outcome::Failed && is_leaf(row)))
            .or_else(|| last(&|row| row.is_open() && is_leaf(row)))
            .or_else(|| self.rows.len().checked_sub(1))
    }

    /// The events of a row.
    pub(crate) fn events_of(&self, row: usize) -> impl Iterator<Item = &Event> {
        self.events
            .iter()
            .zip(&self.lineage.of)
            .filter(move |(_, of)| **of == Some(row))
            .map(|(event, _)| event)
    }
}

/// The definition that an execution runs, with lines to point at.
async fn read_definition(at: &Connection, arn: &str) -> Result<Arc<Definition>, String> {
    let answer = at
        .sfn
        .describe_state_machine_for_execution()
        .execution_arn(arn)
        .send()
        .await
        .map_err(refused("read its definition"))
        .map_err(|error| error.to_string())?;
    parse(&answer.definition).map(Arc::new)
}

/// A definition in many lines, whatever its text was.
pub(crate) fn parse(text: &str) -> Result<Definition, String> {
    let text = match serde_json::from_str::<Value>(text) {
        Ok(value) if text.lines().count() < 4 => operate::diff::pretty(&value),
        _ => text.to_owned(),
    };
    operate::ahead::parse(&text).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests;

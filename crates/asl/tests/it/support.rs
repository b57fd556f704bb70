//! One helper for all: [`check`]. Every decision it makes is also rebuilt from its journal entries and compared.

use asl::{
    Command, Data, Definition, Entry, Env, Execution, Identity, MapRun, Refusal, Severity, Signal,
    Status, TaskId, TaskRequest,
};
use serde_json::{Value, json};

/// What happens to a run, in order.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    /// The oldest open task of this state succeeds with this JSON.
    Succeed(&'static str, &'static str),
    /// The oldest open task of this state fails with this error.
    Fail(&'static str, &'static str),
    /// The request of the oldest open task of this state went out.
    Submit(&'static str),
    /// The oldest open task of this state is still being worked on.
    Beat(&'static str),
    /// All open tasks are reported as out of time, by the last of them.
    TimeOut,
    /// The clock jumps to the next time something is due.
    Clock,
    /// The clock jumps by so many milliseconds.
    Sleep(i64),
    /// The oldest Map Run ends with this result.
    EndMapRun(&'static str),
    /// The oldest Map Run fails with this error.
    FailMapRun(&'static str),
    /// Somebody stops the execution.
    Stop,
    /// Somebody redrives it.
    Redrive,
}

/// A run with everything it wrote.
pub(crate) struct Run {
    pub(crate) definition: Definition,
    pub(crate) execution: Execution,
    pub(crate) journal: Vec<Entry>,
    pub(crate) open: Vec<TaskRequest>,
    pub(crate) map_runs: Vec<MapRun>,
    pub(crate) now: i64,
}

pub(crate) fn identity() -> Identity {
    let arn = |kind: &str| format!("arn:aws:states:us-east-1:000000000000:{kind}");
    Identity {
        execution_arn: arn("execution:m:run"),
        name: "run".into(),
        role_arn: "arn:aws:iam::000000000000:role/r".into(),
        state_machine_arn: arn("stateMachine:m"),
        state_machine_name: "m".into(),
        version_arn: None,
        alias_arn: None,
        key: 42,
    }
}

pub(crate) fn definition(text: &str) -> Definition {
    let parsed = asl::parse(text);
    parsed
        .definition
        .unwrap_or_else(|| panic!("refused: {:#?}", parsed.diagnostics))
}

impl Run {
    pub(crate) fn new(text: &str) -> Self {
        Self {
            definition: definition(text),
            execution: Execution::new(identity()),
            journal: Vec::new(),
            open: Vec::new(),
            map_runs: Vec::new(),
            now: 1_000_000,
        }
    }

    pub(crate) fn signal(&mut self, signal: Signal) -> Result<(), Refusal> {
        let mut signal = signal;
        loop {
            let env = Env {
                now: self.now,
                seed: [u8::try_from(self.journal.len() % 251).unwrap(); 32],
            };
            let before = self.execution.clone();
            let decision = match asl::decide(&self.definition, &mut self.execution, signal, &env) {
                Ok(decision) => decision,
                Err(refusal) => {
                    assert_eq!(self.execution, before, "a refusal changes nothing");
                    return Err(refusal);
                }
            };
            self.journal.extend(decision.entries);
            for command in decision.commands {
                match command {
                    Command::RunTask(request) => self.open.push(request),
                    Command::CancelTask(task) => self.open.retain(|open| open.task != task),
                    Command::StartMapRun(run) => self.map_runs.push(*run),
                    Command::EndMapRun(run, _) => self.map_runs.retain(|open| open.id != run),
                }
            }
            self.assert_rebuilt();
            if !decision.more {
                return Ok(());
            }
            signal = Signal::Clock;
        }
    }

    /// Folding [`asl::evolve`] over the journal, written and read, makes the same execution.
    fn assert_rebuilt(&self) {
        let journal = serde_json::to_string(&self.journal).unwrap();
        let journal: Vec<Entry> = serde_json::from_str(&journal).unwrap();
        let mut rebuilt = Execution::new(identity());
        for entry in &journal {
            asl::evolve(&self.definition, &mut rebuilt, entry).unwrap();
        }
        assert_eq!(rebuilt, self.execution);
        let outstanding: Vec<TaskId> = self.execution.open_tasks().map(|task| task.task).collect();
        let mut open: Vec<TaskId> = self.open.iter().map(|task| task.task).collect();
        open.sort_unstable();
        assert_eq!(
            outstanding, open,
            "commands and state agree on what is open"
        );
        let going_on: Vec<&MapRun> = self.execution.map_runs().collect();
        let wanted: Vec<&MapRun> = self.map_runs.iter().collect();
        assert_eq!(going_on, wanted, "and on the Map Runs");
    }

    fn task(&mut self, state: &str, end: bool) -> TaskId {
        let place = self.open.iter().position(|open| open.state == state);
        let place = place.unwrap_or_else(|| panic!("no open task of {state}"));
        if end {
            self.open.remove(place).task
        } else {
            self.open[place].task
        }
    }

    pub(crate) fn act(&mut self, act: &Act) -> Result<(), Refusal> {
        let signal = match act {
            Act::Succeed(state, output) => Signal::TaskSucceeded {
                task: self.task(state, true),
                output: Data::parse(output).unwrap(),
            },
            Act::Fail(state, error) => Signal::TaskFailed {
                task: self.task(state, true),
                error: (*error).into(),
                cause: "because".into(),
            },
            Act::Submit(state) => Signal::TaskSubmitted {
                task: self.task(state, false),
                output: Data::empty(),
            },
            Act::Beat(state) => Signal::Heartbeat {
                task: self.task(state, false),
            },
            Act::TimeOut => {
                let mut with: Vec<TaskId> = self.open.drain(..).map(|open| open.task).collect();
                let task = with.pop().expect("a task is open");
                Signal::TaskTimedOut { task, with }
            }
            Act::Clock => {
                self.now = self
                    .now
                    .max(self.execution.next_due().expect("something is due"));
                Signal::Clock
            }
            Act::Sleep(millis) => {
                self.now += millis;
                Signal::Clock
            }
            Act::EndMapRun(output) => Signal::MapRunSucceeded {
                run: self.map_runs.remove(0).id,
                output: Data::parse(output).unwrap(),
            },
            Act::FailMapRun(error) => Signal::MapRunFailed {
                run: self.map_runs.remove(0).id,
                error: (*error).into(),
                cause: "because".into(),
            },
            Act::Stop => Signal::Stop {
                error: Some("Stopped".into()),
                cause: None,
            },
            Act::Redrive => Signal::Redrive,
        };
        self.signal(signal)
    }

    pub(crate) fn events(&self) -> Vec<Value> {
        self.journal
            .iter()
            .filter_map(Entry::history)
            .map(|event| serde_json::to_value(event).unwrap())
            .collect()
    }

    /// The history, one event a line: `id<previous Type name or error or index`; then how the run stands.
    pub(crate) fn summary(&self) -> String {
        let mut lines: Vec<String> = self.events().iter().map(line).collect();
        let end = match self.execution.status() {
            Status::Succeeded => format!("SUCCEEDED {}", self.execution.output().unwrap().text()),
            Status::Running => "RUNNING".to_owned(),
            status => format!(
                "{} {} {}",
                status.as_str(),
                self.execution.error().unwrap_or("-"),
                self.execution.cause().unwrap_or("-")
            ),
        };
        lines.push(end);
        lines.join("\n")
    }
}

fn line(event: &Value) -> String {
    let details = event
        .as_object()
        .unwrap()
        .iter()
        .find(|(key, _)| key.ends_with("EventDetails"));
    let part = |key: &str| details.and_then(|(_, details)| details.get(key));
    let shown = match (part("name"), part("index"), part("error")) {
        (Some(name), Some(index), _) => format!(" {}[{index}]", name.as_str().unwrap()),
        (Some(name), ..) => format!(" {}", name.as_str().unwrap()),
        (None, _, Some(error)) => format!(" {}", error.as_str().unwrap()),
        _ => String::new(),
    };
    format!(
        "{}<{} {}{shown}",
        event["id"],
        event["previousEventId"],
        event["type"].as_str().unwrap()
    )
}

/// Runs a definition over an input and acts, and compares its history with the expected lines.
#[track_caller]
pub(crate) fn check(text: &str, input: &str, acts: &[Act], expected: &str) -> Run {
    let mut run = Run::new(text);
    run.signal(Signal::Start {
        input: Data::parse(input).unwrap(),
    })
    .unwrap();
    for act in acts {
        run.act(act)
            .unwrap_or_else(|refusal| panic!("{act:?}: {refusal}"));
    }
    let expected: Vec<&str> = expected
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    assert_eq!(run.summary(), expected.join("\n"), "\n{}\n", run.summary());
    run
}

/// The messages of a definition's errors, each with its place.
pub(crate) fn errors(text: &str) -> Vec<String> {
    let parsed = asl::parse(text);
    let errors = parsed
        .diagnostics
        .iter()
        .filter(|found| found.severity == Severity::Error);
    let errors: Vec<String> = errors
        .map(|found| format!("{}:{} {found}", found.line, found.code))
        .collect();
    assert_eq!(parsed.definition.is_none(), !errors.is_empty());
    errors
}

/// A machine of the given states, JSONata.
pub(crate) fn machine(start_at: &str, states: &Value) -> String {
    json!({ "QueryLanguage": "JSONata", "StartAt": start_at, "States": states }).to_string()
}

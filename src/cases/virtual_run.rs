//! Runs a definition on a clock of its own: time jumps to whatever is due next.
//!
//! Two runs of one case are the same to the last byte: time starts at a fixed moment, randomness comes from a counter,
//! and results come in the order of their calls unless the case delays them.

use std::collections::{BTreeMap, VecDeque};

use asl::{
    Command, Data, Definition, Entry, Env, Execution, Identity, Millis, Pattern, Resource, Signal,
    Status, TaskId, TaskRequest,
};
use operate::events::Event;
use serde_json::{Value, json};

use super::case::{Answer, Case, What};

/// 2026-01-01T00:00:00Z
const BEGIN: Millis = 1_767_225_600_000;
/// A case that takes more decisions goes round in circles.
const MOST_DECISIONS: u64 = 20_000;

/// What came of a run.
#[derive(Debug)]
pub(crate) struct Ran {
    pub status: Status,
    pub output: Option<Value>,
    pub error: Option<String>,
    pub cause: Option<String>,
    pub events: Vec<Event>,
    /// Arguments of every call, by state.
    pub calls: BTreeMap<String, Vec<Value>>,
    /// What kept the case from running as it was written.
    pub trouble: Vec<String>,
}

impl Ran {
    /// What AWS charges for: the start, every state that is entered, and every retry. Source: AWS Step Functions pricing,
    /// "Standard Workflows pricing details".
    pub(crate) fn transitions(&self) -> usize {
        let entered = |suffix: &str| {
            self.events
                .iter()
                .filter(|e| e.kind.ends_with(suffix))
                .count()
        };
        let calls: usize = self.calls.values().map(Vec::len).sum();
        let retries = calls.saturating_sub(entered("TaskStateEntered"));
        1 + entered("StateEntered") + retries
    }
}

/// Runs the case.
pub(crate) fn run(definition: &Definition, machine: &str, case: &Case) -> Ran {
    let mut run = Run::new(definition, machine, &case.tasks);
    let input = Data::new(case.input.clone());
    if let Err(trouble) = run
        .signal(Signal::Start { input })
        .and_then(|()| run.go_on_to_the_end())
    {
        run.trouble.push(trouble);
    }
    run.finish()
}

struct Run<'d> {
    definition: &'d Definition,
    execution: Execution,
    events: Vec<Event>,
    now: Millis,
    decisions: u64,
    scripts: BTreeMap<String, VecDeque<Answer>>,
    /// Signals to come, by time and then by the order in which they were asked for.
    coming: BTreeMap<(Millis, u64), (TaskId, Signal)>,
    asked: u64,
    calls: BTreeMap<String, Vec<Value>>,
    trouble: Vec<String>,
}

impl<'d> Run<'d> {
    fn new(
        definition: &'d Definition,
        machine: &str,
        tasks: &BTreeMap<String, Vec<Answer>>,
    ) -> Run<'d> {
        let spread = |answers: &Vec<Answer>| {
            answers
                .iter()
                .flat_map(|answer| std::iter::repeat_n(answer.clone(), answer.times))
                .collect()
        };
        Run {
            definition,
            execution: Execution::new(identity(machine)),
            events: Vec::new(),
            now: BEGIN,
            decisions: 0,
            scripts: tasks
                .iter()
                .map(|(state, answers)| (state.clone(), spread(answers)))
                .collect(),
            coming: BTreeMap::new(),
            asked: 0,
            calls: BTreeMap::new(),
            trouble: Vec::new(),
        }
    }

    fn go_on_to_the_end(&mut self) -> Result<(), String> {
        while self.execution.status() == Status::Running {
            let answer = self.coming.first_key_value().map(|(key, _)| *key);
            let clock = self.execution.next_due();
            match (answer, clock) {
                (Some(key), clock) if clock.is_none_or(|due| key.0 <= due) => {
                    self.now = self.now.max(key.0);
                    if let Some((_, signal)) = self.coming.remove(&key) {
                        self.signal(signal)?;
                    }
                }
                (_, Some(due)) => {
                    self.now = self.now.max(due);
                    self.signal(Signal::Clock)?;
                }
                _ => return Err("it waits for something that never comes".to_owned()),
            }
        }
        Ok(())
    }

    fn signal(&mut self, signal: Signal) -> Result<(), String> {
        let mut signal = signal;
        loop {
            self.decisions += 1;
            if self.decisions > MOST_DECISIONS {
                return Err(format!(
                    "it does not end: {MOST_DECISIONS} decisions were made"
                ));
            }
            let mut seed = [0; 32];
            seed[..8].copy_from_slice(&self.decisions.to_le_bytes());
            let env = Env {
                now: self.now,
                seed,
            };
            let decision = asl::decide(self.definition, &mut self.execution, signal, &env)
                .map_err(|e| e.to_string())?;
            self.events
                .extend(decision.entries.iter().filter_map(event));
            for command in decision.commands {
                match command {
                    Command::RunTask(request) => self.call(&request)?,
                    Command::CancelTask(task) => self.coming.retain(|_, (of, _)| *of != task),
                    Command::StartMapRun(_) => {
                        return Err("a Distributed Map starts executions of its own; cases cannot run it, try it with `restock up`".to_owned());
                    }
                    Command::EndMapRun(..) => {}
                }
            }
            if !decision.more {
                return Ok(());
            }
            signal = Signal::Clock;
        }
    }

    /// Takes the next result from the script.
    fn call(&mut self, request: &TaskRequest) -> Result<(), String> {
        let calls = self.calls.entry(request.state.clone()).or_default();
        calls.push(request.parameters.value().clone());
        let number = calls.len();
        let Some(answer) = self
            .scripts
            .get_mut(&request.state)
            .and_then(VecDeque::pop_front)
        else {
            return Err(format!(
                "{} was called {}, and the case has {} for it",
                request.state,
                times(number, "time"),
                times(number - 1, "result"),
            ));
        };
        let task = request.task;
        if request.resource.has_token() {
            let output = Data::empty();
            self.later(0, task, Signal::TaskSubmitted { task, output });
        }
        let signal = match answer.what {
            What::Return(value) => {
                let output = Data::new(response(&request.resource, value));
                Signal::TaskSucceeded { task, output }
            }
            What::Throw { error, cause } => Signal::TaskFailed { task, error, cause },
            What::Never => return Ok(()),
        };
        self.later(answer.after_seconds, task, signal);
        Ok(())
    }

    fn later(&mut self, seconds: u64, task: TaskId, signal: Signal) {
        let after = Millis::try_from(seconds.saturating_mul(1_000)).unwrap_or(Millis::MAX);
        self.asked += 1;
        self.coming
            .insert((self.now.saturating_add(after), self.asked), (task, signal));
    }

    fn finish(mut self) -> Ran {
        for (state, left) in self.scripts.iter().filter(|(_, left)| !left.is_empty()) {
            let verb = if left.len() == 1 { "was" } else { "were" };
            self.trouble.push(format!(
                "{} of {state} {verb} not used",
                times(left.len(), "result")
            ));
        }
        Ran {
            status: self.execution.status(),
            output: self.execution.output().map(|data| data.value().clone()),
            error: self.execution.error().map(str::to_owned),
            cause: self.execution.cause().map(str::to_owned),
            events: self.events,
            calls: self.calls,
            trouble: self.trouble,
        }
    }
}

fn times(count: usize, what: &str) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("{count} {what}{s}")
}

/// A result in the form in which the service answers Step Functions.
fn response(resource: &Resource, value: Value) -> Value {
    match resource {
        Resource::Integration {
            service,
            action,
            pattern: Pattern::RequestResponse,
            ..
        } if service.as_ref() == "lambda" && action.as_ref() == "invoke" => {
            json!({ "ExecutedVersion": "$LATEST", "Payload": value, "StatusCode": 200 })
        }
        _ => value,
    }
}

fn event(entry: &Entry) -> Option<Event> {
    use asl::Event as E;
    let event = entry.history()?;
    let heading = event.heading();
    let state = match event.event() {
        E::StateEntered { name, .. }
        | E::StateExited { name, .. }
        | E::EvaluationFailed { state: name, .. }
        | E::MapIterationStarted { name, .. }
        | E::MapIterationSucceeded { name, .. }
        | E::MapIterationFailed { name, .. }
        | E::MapIterationAborted { name, .. } => Some(name.to_string()),
        _ => None,
    };
    Some(Event {
        id: i64::try_from(heading.id).unwrap_or(i64::MAX),
        previous_id: i64::try_from(heading.previous_event_id).unwrap_or(i64::MAX),
        kind: heading.event_type,
        state,
        ..Event::default()
    })
}

fn identity(machine: &str) -> Identity {
    let arn = |kind: &str| format!("arn:aws:states:us-east-1:000000000000:{kind}:{machine}");
    Identity {
        execution_arn: format!("{}:case", arn("execution")),
        name: "case".to_owned(),
        role_arn: "arn:aws:iam::000000000000:role/case".to_owned(),
        state_machine_arn: arn("stateMachine"),
        state_machine_name: machine.to_owned(),
        version_arn: None,
        alias_arn: None,
        key: 1,
    }
}

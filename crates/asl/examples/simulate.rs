//! Runs definitions without a server: scripted task outcomes, a clock that jumps.
//!
//! Reads one JSON object a line from standard input, `{"definition": …, "input": …, "script": {"State": [outcome, …]}}`, and writes
//! one line each: `{"status": …, "output": …, "events": […]}`, or `{"diagnostics": […]}` if the definition was refused. An outcome is
//! `{"succeed": output}`, `{"fail": {"error": …, "cause": …}}` or `{"silence": true}`, each with `"submitted": output` if the
//! request itself was answered. `"until": n` stops when the history has n events.

use std::collections::{HashMap, VecDeque};
use std::io::{BufRead, Write};

use asl::{
    Command, Data, Decision, Definition, Env, Execution, Identity, Resource, Severity, Signal,
    Status, TaskRequest,
};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Case {
    definition: Value,
    input: Option<String>,
    #[serde(default)]
    script: HashMap<String, VecDeque<Outcome>>,
    until: Option<u64>,
}

#[derive(Deserialize)]
struct Outcome {
    succeed: Option<Value>,
    fail: Option<Fail>,
    submitted: Option<Value>,
    worker: Option<String>,
}

#[derive(Deserialize)]
struct Fail {
    error: Option<String>,
    cause: Option<String>,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let case: Case = serde_json::from_str(&line?)?;
        writeln!(out, "{}", run(case))?;
    }
    Ok(())
}

fn run(mut case: Case) -> Value {
    let text = match &case.definition {
        Value::String(text) => text.clone(),
        definition => definition.to_string(),
    };
    let parsed = asl::parse(&text);
    let Some(definition) = parsed.definition else {
        let diagnostics = parsed.diagnostics.iter().map(|found| {
            json!({ "severity": if found.severity == Severity::Error { "ERROR" } else { "WARNING" }, "code": found.code.as_str(),
                "location": found.pointer, "line": found.line, "message": found.message })
        });
        return json!({ "diagnostics": diagnostics.collect::<Vec<_>>() });
    };
    let input = match Data::parse(case.input.as_deref().unwrap_or("{}")) {
        Ok(input) => input,
        Err(error) => return json!({ "error": error.to_string() }),
    };
    let mut simulation = Simulation {
        definition,
        execution: Execution::new(identity()),
        now: 1_700_000_000_000,
        open: VecDeque::new(),
        events: Vec::new(),
    };
    match simulation.go(input, &mut case.script, case.until) {
        Ok(()) => {
            let execution = &simulation.execution;
            json!({ "status": execution.status().as_str(), "output": execution.output().map(Data::text), "events": simulation.events })
        }
        Err(error) => json!({ "error": error }),
    }
}

fn identity() -> Identity {
    let arn = |kind: &str| format!("arn:aws:states:us-east-1:111111111111:{kind}");
    Identity {
        execution_arn: arn("execution:machine:run"),
        name: "run".into(),
        role_arn: "arn:aws:iam::111111111111:role/test-sfn-role".into(),
        state_machine_arn: arn("stateMachine:machine"),
        state_machine_name: "machine".into(),
        version_arn: None,
        alias_arn: None,
        key: 1,
    }
}

struct Simulation {
    definition: Definition,
    execution: Execution,
    now: i64,
    open: VecDeque<TaskRequest>,
    events: Vec<Value>,
}

impl Simulation {
    fn go(
        &mut self,
        input: Data,
        script: &mut HashMap<String, VecDeque<Outcome>>,
        until: Option<u64>,
    ) -> Result<(), String> {
        self.signal(Signal::Start { input })?;
        while self.execution.status() == Status::Running
            && until.is_none_or(|n| self.execution.last_event_id() < n)
        {
            if let Some(request) = self.open.pop_front() {
                let outcome = script.get_mut(&request.state).and_then(VecDeque::pop_front);
                self.answer(&request, outcome)?;
            } else if let Some(due) = self.execution.next_due() {
                self.now = self.now.max(due);
                self.signal(Signal::Clock)?;
            } else {
                return Err("stuck: nothing is due and no task is open".to_owned());
            }
        }
        Ok(())
    }

    fn answer(&mut self, request: &TaskRequest, outcome: Option<Outcome>) -> Result<(), String> {
        let task = request.task;
        let Some(outcome) = outcome else {
            return Err(format!("no outcome left for {}", request.state));
        };
        if let Resource::Activity { .. } = request.resource
            && outcome.worker.is_some()
        {
            self.signal(Signal::TaskStarted {
                task,
                worker: outcome.worker,
            })?;
        }
        if let Some(submitted) = outcome.submitted {
            self.signal(Signal::TaskSubmitted {
                task,
                output: data(submitted),
            })?;
        }
        if let Some(output) = outcome.succeed {
            self.signal(Signal::TaskSucceeded {
                task,
                output: data(output),
            })?;
        } else if let Some(fail) = outcome.fail {
            self.signal(Signal::TaskFailed {
                task,
                error: fail.error.unwrap_or_default(),
                cause: fail.cause.unwrap_or_default(),
            })?;
        }
        Ok(())
    }

    fn signal(&mut self, signal: Signal) -> Result<(), String> {
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&self.execution.last_event_id().to_le_bytes());
        let env = Env {
            now: self.now,
            seed,
        };
        let decided = asl::decide(&self.definition, &mut self.execution, signal, &env);
        let Decision {
            entries, commands, ..
        } = decided.map_err(|refusal| refusal.to_string())?;
        for entry in &entries {
            if let Some(event) = entry.history() {
                self.events
                    .push(serde_json::to_value(event).map_err(|error| error.to_string())?);
            }
        }
        for command in commands {
            match command {
                Command::RunTask(request) => self.open.push_back(request),
                Command::CancelTask(task) => self.open.retain(|open| open.task != task),
                Command::StartMapRun(_) | Command::EndMapRun(..) => {
                    return Err("a Distributed Map needs an engine and cannot be simulated".into());
                }
            }
        }
        Ok(())
    }
}

fn data(value: Value) -> Data {
    match value {
        Value::String(text) => {
            Data::parse(&text).unwrap_or_else(|_| Data::new(Value::String(text)))
        }
        value => Data::new(value),
    }
}

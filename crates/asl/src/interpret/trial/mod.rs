//! One state, tried alone: what `TestState` does.
//!
//! A [`Trial`] is a state of a definition. [`Trial::begin`] puts a fresh execution into that state and lets the interpreter do
//! what it always does; what comes out is a [`Report`], with what each field of the state made of the data ([`Inspection`], in
//! `inspect.rs`). A Task stops at [`Progress::Task`]: whoever tries it calls the service, or has a result ready, and goes on
//! with [`Running::succeeded`] or [`Running::failed`].
//!
//! Must not know: where results come from, and what a request of `TestState` may contain.
//!
//! Source: API reference, `TestState`; recorded answers.

mod inspect;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};

pub use self::inspect::Inspection;
use super::fault::{Fault, Outcome};
use super::recovery::delay;
use super::{IllegalEntry, Run};
use crate::entry::{BranchId, Kind as EntryKind, Note};
use crate::event::{Event, Failure};
use crate::execution::{Active, Branch, Phase, Position};
use crate::model::{Flow, Kind, State, StateId};
use crate::{
    Command, Data, Definition, Diagnostic, Env, Execution, Identity, Millis, Refusal, Severity,
    TaskRequest, error_name,
};

/// The name of a state that comes without one.
pub const NAMELESS: &str = "StateName";

/// The only branch of a trial.
const BRANCH: BranchId = BranchId::ROOT;

/// A state to be tried.
#[derive(Debug)]
pub struct Trial {
    definition: Definition,
    state: StateId,
}

/// What a state is tried with.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The execution that the state finds itself in.
    pub identity: Identity,
    /// The state's input.
    pub input: Data,
    /// Variables by name.
    pub variables: BTreeMap<Arc<str>, Data>,
    /// The whole context object; made if absent.
    pub context: Option<Data>,
    /// What a Map's ItemReader has read.
    pub reader_data: Option<Data>,
}

/// How far a trial has come.
#[derive(Debug)]
pub enum Progress<'t> {
    /// It is over.
    Over(Box<Report>),
    /// A service is to be called.
    Task(Box<Running<'t>>, Box<TaskRequest>),
    /// A Wait state waits until this time.
    Wait(Box<Running<'t>>, Millis),
    /// A Parallel or Map state: its branches do not run in a trial, their result is to be given.
    Branches(Box<Running<'t>>),
}

/// A trial that waits for something.
#[derive(Debug)]
pub struct Running<'t> {
    trial: &'t Trial,
    execution: Execution,
    context: Option<Data>,
    inspection: Inspection,
    given: BTreeMap<Arc<str>, Data>,
}

/// How the state ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// It has an output.
    Succeeded,
    /// It failed, and nothing handles that.
    Failed,
    /// It failed and would be tried again.
    Retriable {
        /// Place in `Retry`.
        retrier: u32,
        /// After this many seconds.
        backoff: u64,
    },
    /// It failed, and a catcher took it.
    Caught {
        /// Place in `Catch`.
        catcher: u32,
    },
}

/// What came of a trial.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// How it ended.
    pub verdict: Verdict,
    /// Its output, if it has one.
    pub output: Option<Data>,
    /// Why it failed, if it did.
    pub failure: Option<Failure>,
    /// The state that follows.
    pub next: Option<String>,
    /// What happened to the data on the way.
    pub inspection: Inspection,
}

impl Trial {
    /// A state by itself, without a name; what it leads to need not exist.
    ///
    /// # Errors
    /// What is wrong with it; places begin with `/States/StateName`.
    pub fn of_state(text: &str) -> Result<Trial, Vec<Diagnostic>> {
        let Ok(Value::Object(state)) = serde_json::from_str(text) else {
            return Err(crate::parse(text).diagnostics);
        };
        let mut others = Map::new();
        for target in targets(&state).filter(|target| *target != NAMELESS) {
            others.insert(target.to_owned(), json!({ "Type": "Succeed" }));
        }
        let others: String = others
            .iter()
            .map(|(name, state)| format!(",{}:{state}", Value::from(name.as_str())))
            .collect();
        // In front of the state on its first line, so that lines stay what they are.
        Trial::of_machine(
            &format!("{{\"StartAt\":\"{NAMELESS}\",\"States\":{{\"{NAMELESS}\":{text}{others}}}}}"),
            NAMELESS,
        )
        .and_then(|trial| trial.ok_or_else(Vec::new))
    }

    /// A state of a state machine, at any depth; `None` if it has none of this name.
    ///
    /// # Errors
    /// What is wrong with the state machine.
    pub fn of_machine(text: &str, name: &str) -> Result<Option<Trial>, Vec<Diagnostic>> {
        let parsed = crate::parse(text);
        let Some(definition) = parsed.definition else {
            let mut errors = parsed.diagnostics;
            errors.retain(|found| found.severity == Severity::Error);
            return Err(errors);
        };
        let found = definition
            .states()
            .find(|(_, state)| state.name() == name)
            .map(|(id, _)| id);
        Ok(found.map(|state| Trial { definition, state }))
    }

    /// The state.
    pub fn state(&self) -> &State {
        self.definition.state(self.state)
    }

    /// Whether a state of this name is inside this one.
    pub fn has_inside(&self, name: &str) -> bool {
        let mut scopes = self.state().scopes().to_vec();
        while let Some(scope) = scopes.pop() {
            for id in self.definition.scope(scope).states() {
                let state = self.definition.state(*id);
                if state.name() == name {
                    return true;
                }
                scopes.extend(state.scopes());
            }
        }
        false
    }

    /// Whether the result is written to S3, so that a description of that takes the place of the items' results.
    pub fn writes_results(&self) -> bool {
        match self.state().kind() {
            Kind::Map(map) => map
                .distributed
                .as_ref()
                .and_then(|it| it.writer.as_ref())
                .is_some_and(|writer| writer.arguments.is_some()),
            _ => false,
        }
    }

    /// Enters the state.
    ///
    /// # Errors
    /// Never for a state of this definition; see [`Refusal::Corrupt`].
    pub fn begin(&self, setup: Setup, env: &Env) -> Result<Progress<'_>, Refusal> {
        let mut running = Running {
            trial: self,
            execution: self.execution(&setup, env),
            context: setup.context,
            inspection: Inspection::default(),
            given: setup.variables,
        };
        let state = self.state();
        let mut run = running.run(env);
        let inspected = inspect::before(&run, state, setup.reader_data.as_ref());
        let branches = matches!(state.kind, Kind::Parallel(_) | Kind::Map(_));
        let outcome = match inspected.fault {
            Some(fault) if branches => Err(fault),
            _ if branches => Ok(()),
            _ => run.perform(BRANCH),
        };
        let asked = run.commands.iter().find_map(|command| match command {
            Command::RunTask(request) => Some(request.clone()),
            _ => None,
        });
        // A time that is not in the future is over at once, and the state is left.
        let waits = match run.execution.active(BRANCH).map(|active| &active.phase) {
            Some(Phase::Waiting) => run.execution.next_due(),
            _ => None,
        };
        let mut inspection = inspected.inspection;
        match (outcome, asked, waits) {
            (Ok(()), Some(request), _) => {
                // The very parameters: a token in them is made but once.
                let parameters = Some(request.parameters.clone());
                match &state.flow {
                    Flow::JsonPath(_) => inspection.after_parameters = parameters,
                    Flow::Jsonata(flow) if flow.arguments.is_some() => {
                        inspection.after_arguments = parameters;
                    }
                    Flow::Jsonata(_) => {}
                }
                running.inspection = inspection;
                Ok(Progress::Task(Box::new(running), Box::new(request)))
            }
            (Ok(()), None, Some(due)) => {
                running.inspection = inspection;
                Ok(Progress::Wait(Box::new(running), due))
            }
            (Ok(()), None, None) if branches => {
                running.inspection = inspection;
                Ok(Progress::Branches(Box::new(running)))
            }
            (outcome, _, _) => {
                let ended = conclude(run, outcome, &self.definition)?;
                running.inspection = inspection;
                Ok(Progress::Over(Box::new(running.report(ended))))
            }
        }
    }

    /// An execution that has just entered the state.
    fn execution(&self, setup: &Setup, env: &Env) -> Execution {
        let mut execution = Execution::new(setup.identity.clone());
        execution.input = Some(setup.input.clone());
        execution.started_at = env.now;
        execution.add_branch(Branch {
            parent: None,
            scope: self.state().scope,
            previous: 0,
            variables: setup.variables.clone(),
            position: Position::In(Box::new(Active {
                state: self.state,
                input: setup.input.clone(),
                entered: 0,
                entered_at: env.now,
                before: 0,
                retries: Vec::new(),
                goto: None,
                nonce: None,
                run: None,
                phase: Phase::Entered,
            })),
            timer: None,
        });
        execution
    }
}

impl Running<'_> {
    fn run<'r>(&'r mut self, env: &'r Env) -> Run<'r> {
        let mut run = Run::new(&self.trial.definition, &mut self.execution, env);
        run.context = self.context.clone();
        run
    }

    /// How many items a Map runs over, if that is known.
    pub fn items(&self) -> Option<usize> {
        self.inspection.items
    }

    /// The execution that the state finds itself in.
    pub fn identity(&self) -> &Identity {
        self.execution.identity()
    }

    /// The failure of a Map of which so many items failed, if it sets a limit and they are more than that.
    pub fn exceeded(&self, failed: u64) -> Option<Failure> {
        let limits = self.inspection.map?;
        let is_limited = limits.tolerated_failure_count.is_some()
            || limits.tolerated_failure_percentage.is_some();
        let items = self.inspection.items.unwrap_or_default() as u64;
        (is_limited && !limits.tolerate(failed, items)).then(|| {
            Failure::new(
                error_name::EXCEED_TOLERATED_FAILURE_THRESHOLD,
                "The specified tolerated failure threshold was exceeded",
            )
        })
    }

    /// The Wait state's time has come.
    ///
    /// # Errors
    /// As of [`Trial::begin`].
    pub fn waited(mut self, env: &Env) -> Result<Report, Refusal> {
        let definition = &self.trial.definition;
        let mut run = self.run(env);
        let outcome = run.waited(BRANCH);
        let ended = conclude(run, outcome, definition)?;
        Ok(self.report(ended))
    }

    /// The service answered, or the branches ended: this is the result.
    ///
    /// # Errors
    /// As of [`Trial::begin`].
    pub fn succeeded(mut self, result: &Data, env: &Env) -> Result<Report, Refusal> {
        let definition = &self.trial.definition;
        let state = self.trial.state();
        let mut inspected = std::mem::take(&mut self.inspection);
        let mut run = self.run(env);
        run.execution.close_branch(BRANCH);
        inspect::after(&run, state, result, &mut inspected);
        let outcome =
            super::exit::limit(state, result).and_then(|()| run.exit_with(BRANCH, state, result));
        let ended = conclude(run, outcome, definition)?;
        self.inspection = inspected;
        Ok(self.report(ended))
    }

    /// It failed, after `used` retries of the retrier that takes this failure.
    ///
    /// # Errors
    /// As of [`Trial::begin`].
    pub fn failed(mut self, failure: Failure, used: u32, env: &Env) -> Result<Report, Refusal> {
        let definition = &self.trial.definition;
        let retriers = self.trial.state().retry.len();
        let run = self.run(env);
        run.execution.close_branch(BRANCH);
        if let Ok(active) = run.execution.active_mut(BRANCH) {
            active.retries = vec![used; retriers];
        }
        let ended = conclude(run, Err(Fault::Failed(failure)), definition)?;
        Ok(self.report(ended))
    }

    fn report(self, ended: Ended) -> Report {
        let Ended {
            verdict,
            output,
            failure,
            next,
            assigned,
        } = ended;
        let mut inspection = self.inspection;
        let mut variables = self.given;
        variables.extend(assigned);
        if !variables.is_empty() {
            let members = variables
                .iter()
                .map(|(name, data)| (name.to_string(), data.value().clone()));
            inspection.variables = Some(Data::new(Value::Object(members.collect())));
        }
        Report {
            verdict,
            output,
            failure,
            next,
            inspection,
        }
    }
}

/// What the entries of a trial say.
struct Ended {
    verdict: Verdict,
    output: Option<Data>,
    failure: Option<Failure>,
    next: Option<String>,
    assigned: Vec<(Arc<str>, Data)>,
}

/// Settles an outcome, and reads what was written.
fn conclude(
    mut run: Run<'_>,
    outcome: Outcome,
    definition: &Definition,
) -> Result<Ended, IllegalEntry> {
    let state = run.state(BRANCH).ok();
    let mut failure = None;
    if let Err(fault) = outcome {
        let silent = matches!(fault, Fault::Silent);
        let described = run.describe(BRANCH, fault)?;
        failure = Some(described.clone());
        run.recover(BRANCH, described, silent)?;
    }
    let mut ended = Ended {
        verdict: Verdict::Succeeded,
        output: None,
        failure: failure.clone(),
        next: None,
        assigned: Vec::new(),
    };
    if let (Some(failure), Some(state)) = (&failure, state) {
        let error = failure.error.as_deref().unwrap_or_default();
        let takes = |names: &[String]| error_name::matches(names, error);
        let catcher = state.catch.iter().position(|it| takes(&it.error_equals));
        ended.verdict = Verdict::Caught {
            catcher: index(catcher.unwrap_or_default()),
        };
    }
    for entry in &run.entries {
        match &entry.0 {
            EntryKind::Note {
                note: Note::RetryAt { retrier, .. },
                ..
            } => {
                let taken = state.and_then(|state| state.retry.get(*retrier as usize));
                let used = run.active(BRANCH)?.retries.get(*retrier as usize).copied();
                let used = used.unwrap_or(1).saturating_sub(1);
                let millis = taken.map_or(0, |retrier| delay(retrier, used, None));
                ended.verdict = Verdict::Retriable {
                    retrier: *retrier,
                    backoff: u64::try_from(millis / 1000).unwrap_or_default(),
                };
            }
            EntryKind::Event(recorded) => match &recorded.event {
                Event::StateExited {
                    output, assigned, ..
                } => {
                    ended.output = Some(output.clone());
                    ended.assigned.clone_from(assigned);
                }
                Event::ExecutionFailed(failure) => {
                    ended.verdict = Verdict::Failed;
                    ended.failure = Some(failure.clone());
                    ended.output = None;
                }
                _ => {}
            },
            EntryKind::Note { .. } => {}
        }
    }
    if let Some(Position::Ready { state, .. }) =
        run.execution.branches.get(&BRANCH).map(|at| &at.position)
    {
        ended.next = Some(definition.state(*state).name().to_owned());
    }
    Ok(ended)
}

fn index(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}

/// Every state that a state names as one to go on with.
fn targets(state: &Map<String, Value>) -> impl Iterator<Item = &str> {
    let listed = ["Choices", "Catch"].into_iter();
    let listed = listed.filter_map(|field| state.get(field)?.as_array());
    let nested = listed.flatten().filter_map(|element| element.get("Next"));
    let own = ["Next", "Default"].into_iter();
    own.filter_map(|field| state.get(field))
        .chain(nested)
        .filter_map(Value::as_str)
}

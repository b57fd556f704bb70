//! Answers tasks of mocked executions.

use std::collections::BTreeMap;
use std::sync::Arc;

use asl::{Data, Dataset, Entry, Event, Failure, MapItem, Pattern, Resource, StateKind, TaskId};
use engine::{
    AbandonedTask, Engine, ExecutionError, Page, Results, StorageError, TaskOutcome, TaskRun,
    TaskRunner,
};
use futures::FutureExt as _;
use futures::future::BoxFuture;

use super::{Mocks, Response, recall, response};

/// An error name that AWS writes as a timeout.
const TIMEOUT: &str = "States.Timeout";

/// Runs mocked tasks itself and hands every other task on.
pub struct MockRunner {
    mocks: Arc<Mocks>,
    engine: Engine,
    others: Arc<dyn TaskRunner>,
}

/// Why a mocked task could not be answered.
#[derive(Debug, thiserror::Error)]
enum Unanswered {
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error(transparent)]
    Execution(#[from] ExecutionError),
    #[error(
        "The mock configuration has no test case {test_case} for the state machine {machine} any more."
    )]
    Forgotten { machine: String, test_case: String },
    #[error(
        "The mock configuration has no response for attempt {attempt} of the state {state} in the test case {test_case}."
    )]
    NoResponse {
        state: String,
        test_case: String,
        attempt: u64,
    },
}

impl MockRunner {
    pub(super) fn new(mocks: Arc<Mocks>, engine: Engine, others: Arc<dyn TaskRunner>) -> Self {
        MockRunner {
            mocks,
            engine,
            others,
        }
    }
}

impl TaskRunner for MockRunner {
    fn run(&self, task: TaskRun) -> BoxFuture<'static, TaskOutcome> {
        let (mocks, engine) = (Arc::clone(&self.mocks), self.engine.clone());
        let others = Arc::clone(&self.others);
        async move {
            match choose(&mocks, &engine, &task).await {
                Ok(Some(response)) => answer(&engine, &task, response).await,
                Ok(None) => others.run(task).await,
                Err(error) => TaskOutcome::Failed {
                    error: "States.Runtime".to_owned(),
                    cause: error.to_string(),
                },
            }
        }
        .boxed()
    }

    /// A mocked task has no job; ending none is done at once.
    fn abandon(&self, task: AbandonedTask) -> BoxFuture<'static, Result<(), StorageError>> {
        self.others.abandon(task)
    }

    fn read_items(&self, dataset: Dataset) -> BoxFuture<'static, Result<Vec<MapItem>, Failure>> {
        self.others.read_items(dataset)
    }

    fn write_results(&self, results: Results) -> BoxFuture<'static, Result<Data, Failure>> {
        self.others.write_results(results)
    }
}

/// The response for this attempt of a mocked state.
async fn choose(
    mocks: &Mocks,
    engine: &Engine,
    task: &TaskRun,
) -> Result<Option<Response>, Unanswered> {
    let machine = task
        .state_machine_arn
        .rsplit(':')
        .next()
        .unwrap_or_default();
    // A child of a Map Run belongs to the test case of the execution that started it all.
    let (machine, origin) = match machine.split_once('/') {
        None => (machine, task.execution_arn.clone()),
        Some((machine, _label)) => {
            let origin = engine.executions().origin(&task.execution_arn).await?;
            (machine, origin)
        }
    };
    let Some(test_case) = recall(engine, &origin).await? else {
        return Ok(None);
    };
    let states = mocks.test_case(machine, &test_case);
    let states = states.ok_or_else(|| Unanswered::Forgotten {
        machine: machine.to_owned(),
        test_case: test_case.clone(),
    })?;
    let state = &task.request.state;
    let Some(responses) = states.get(state) else {
        return Ok(None);
    };
    let attempt = attempt_of(engine, &task.execution_arn, state, task.request.task).await?;
    let response = responses.of_attempt(attempt).cloned();
    response.map(Some).ok_or_else(|| Unanswered::NoResponse {
        state: state.clone(),
        test_case,
        attempt,
    })
}

/// How often tasks of this state were scheduled before this one: by the history, so that it is the same after a restart.
async fn attempt_of(
    engine: &Engine,
    execution: &str,
    state: &str,
    task: TaskId,
) -> Result<u64, ExecutionError> {
    let all = Page {
        max: usize::MAX - 1,
        token: None,
    };
    let history = engine.executions().history(execution, false, all).await?;
    let by_id: BTreeMap<u64, &Entry> = history
        .items
        .iter()
        .filter_map(|entry| Some((entry.id()?, entry)))
        .collect();
    let earlier = by_id.range(..task.0).filter(|(_, entry)| {
        matches!(entry.event(), Some(Event::TaskScheduled { .. }))
            && state_of(&by_id, entry) == Some(state)
    });
    Ok(earlier.count() as u64)
}

/// The state that an event belongs to: the one that was entered last on the way to it.
fn state_of<'a>(by_id: &BTreeMap<u64, &'a Entry>, entry: &'a Entry) -> Option<&'a str> {
    let mut at = entry;
    loop {
        if let Some(Event::StateEntered {
            kind: StateKind::Task,
            name,
            ..
        }) = at.event()
        {
            return Some(name);
        }
        at = by_id.get(&at.history()?.heading().previous_event_id)?;
    }
}

async fn answer(engine: &Engine, task: &TaskRun, response: Response) -> TaskOutcome {
    let timed_out = matches!(&response, Response::Throw { error, .. } if error == TIMEOUT);
    match &task.request.resource {
        Resource::Integration { pattern, .. } if *pattern != Pattern::RequestResponse => {
            task.submitted(response::to_request(task)).await;
        }
        Resource::Activity { .. } if !timed_out => {
            if let Some(token) = &task.request.token {
                // Refused if it was taken before a restart.
                let _ = engine.executions().task_started(token, None).await;
            }
        }
        _ => {}
    }
    match response {
        Response::Return(data) => TaskOutcome::Succeeded(result(&task.request.resource, data)),
        Response::Throw { .. } if timed_out => TaskOutcome::TimedOut,
        Response::Throw { error, cause } => TaskOutcome::Failed { error, cause },
    }
}

/// A function that is called by its ARN gives its payload alone.
fn result(resource: &Resource, data: Data) -> Data {
    match (resource, data.value().get("Payload")) {
        (Resource::Lambda { .. }, Some(payload)) => Data::new(payload.clone()),
        _ => data,
    }
}

//! Answers tasks of mocked executions.

use std::sync::Arc;

use asl::{Data, Dataset, Failure, MapItem, Pattern, Resource, TaskId};
use engine::{
    AbandonedTask, Engine, ExecutionError, Results, StorageError, TaskOutcome, TaskRun, TaskRunner,
};
use futures::FutureExt as _;
use futures::future::BoxFuture;

use super::past::Past;
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
                Ok(Some(chosen)) => answer(&engine, &task, chosen).await,
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
) -> Result<Option<Chosen>, Unanswered> {
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
    let history = Past::of(engine, &task.execution_arn).await?;
    let attempt = history.attempt_of(state, task.request.task);
    let response = responses.of_attempt(attempt).cloned();
    let response = response.ok_or_else(|| Unanswered::NoResponse {
        state: state.clone(),
        test_case,
        attempt,
    })?;
    let with = match is_timeout(&response) {
        true => history.timed_out_with(task.request.task, states),
        false => Vec::new(),
    };
    Ok(Some(Chosen { response, with }))
}

/// How a task is answered.
struct Chosen {
    response: Response,
    /// If it times out: the tasks that time out at the same moment.
    with: Vec<TaskId>,
}

pub(super) fn is_timeout(response: &Response) -> bool {
    matches!(response, Response::Throw { error, .. } if error == TIMEOUT)
}

async fn answer(engine: &Engine, task: &TaskRun, chosen: Chosen) -> TaskOutcome {
    let Chosen { response, with } = chosen;
    let timed_out = is_timeout(&response);
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
        Response::Throw { .. } if timed_out => TaskOutcome::TimedOut(with),
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

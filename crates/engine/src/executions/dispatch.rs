//! Running tasks: outside the engine, after the commit that asked for them, and perhaps twice.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use asl::{Data, Dataset, Failure, MapItem, Signal, TaskId, TaskRequest, error_name};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use tokio::sync::{Semaphore, SemaphorePermit, mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::Shared;
use super::abandon::AbandonedTask;
use super::advance::SignalError;
use super::live::Live;
use super::map_run::Results;
use crate::StorageError;

/// Does what tasks ask for: the layers above, with their services.
pub trait TaskRunner: Send + Sync + 'static {
    /// Runs a task. It is called again for a task whose outcome had not been recorded when the process ended, so what it does
    /// must bear repetition or use [`TaskRun::effect`]. A panic fails the task.
    fn run(&self, run: TaskRun) -> BoxFuture<'static, TaskOutcome>;

    /// Ends the job of a `.sync` task that ended before it, or may have: it was stopped, its time was over, or its run failed. The task's own run is over. Called
    /// again if it fails, or if the process ends; a job that has ended or never began is done.
    ///
    /// # Errors
    /// It did not work now.
    fn abandon(&self, _task: AbandonedTask) -> BoxFuture<'static, Result<(), StorageError>> {
        async { Ok(()) }.boxed()
    }

    /// Reads the items of a Distributed Map. Called again if the process ends before the Map Run does.
    ///
    /// # Errors
    /// What the Map Run fails with.
    fn read_items(&self, dataset: Dataset) -> BoxFuture<'static, Result<Vec<MapItem>, Failure>> {
        let bucket = dataset.arguments.text().to_owned();
        let cause = format!("There is nothing here that could read {bucket}.");
        async move { Err(Failure::new(error_name::ITEM_READER_FAILED, cause)) }.boxed()
    }

    /// Writes the results of a Distributed Map; answers with the state's result. May be called twice with the same.
    ///
    /// # Errors
    /// What the Map Run fails with.
    fn write_results(&self, results: Results) -> BoxFuture<'static, Result<Data, Failure>> {
        let cause = format!(
            "There is nothing here that could write to {}.",
            results.place.text()
        );
        async move { Err(Failure::new(error_name::RESULT_WRITER_FAILED, cause)) }.boxed()
    }
}

/// A task to be run.
#[derive(Debug, Clone)]
pub struct TaskRun {
    /// The execution that asks.
    pub execution_arn: String,
    /// Its state machine.
    pub state_machine_arn: String,
    /// What it asks for.
    pub request: TaskRequest,
    /// Cancelled when the outcome is not wanted any more: the task timed out, or the execution ended.
    pub cancelled: CancellationToken,
    /// Where [`TaskRun::submitted`] goes.
    pub submission: Submission,
}

/// Takes the response to the request of a task whose outcome comes later from the same run. The default one drops it.
#[derive(Debug, Clone, Default)]
pub struct Submission(Option<mpsc::Sender<Submitted>>);

type Submitted = (Data, oneshot::Sender<()>);

impl TaskRun {
    /// Names this one effect, the same each time it is run: for idempotency keys and [`crate::NewMessage::effect`].
    #[must_use]
    pub fn effect(&self) -> String {
        effect(&self.execution_arn, self.request.task)
    }

    /// The request of a `.waitForTaskToken` or `.sync` task went out, with this response; the runner goes on to its outcome.
    /// On return that is recorded.
    pub async fn submitted(&self, response: Data) {
        if let Some(sender) = &self.submission.0 {
            let (recorded, heard) = oneshot::channel();
            if sender.send((response, recorded)).await.is_ok() {
                // An error: the engine is closing, and nothing more will be recorded.
                let _ = heard.await;
            }
        }
    }
}

pub(super) fn effect(execution_arn: &str, task: TaskId) -> String {
    format!("{execution_arn}#{task}")
}

/// How running a task ended.
#[derive(Debug, Clone, PartialEq)]
pub enum TaskOutcome {
    /// It is done; this is its result.
    Succeeded(Data),
    /// The request of a `.waitForTaskToken` or `.sync` task went out, with this response; the answer comes by token.
    Submitted(Data),
    /// It failed with an error name that `Retry` and `Catch` see, and a cause.
    Failed {
        /// As in `Lambda.ServiceException`.
        error: String,
        /// Free text.
        cause: String,
    },
    /// The job of a `.sync` task has ended, and not well. With [`TaskOutcome::Failed`], or if its run panics, nobody knows what
    /// became of the job, so it is ended ([`TaskRunner::abandon`]).
    JobFailed {
        /// As in `States.TaskFailed`.
        error: String,
        /// Free text.
        cause: String,
    },
    /// Its time is over, before the interpreter's own clock says so, and at the same moment that of these of the execution.
    TimedOut(Vec<TaskId>),
    /// It lies where a worker will fetch it (an activity); everything else comes by token. After a restart it is run again,
    /// unless a worker has it.
    Offered,
}

/// The tasks that run.
pub(crate) struct Dispatch {
    permits: Semaphore,
    running: Mutex<HashMap<u64, HashMap<TaskId, Running>>>,
}

/// A run.
struct Running {
    cancelled: CancellationToken,
    /// Whether its job has failed by itself.
    job_failed: bool,
    /// To be done when it is over.
    abandoned: Option<AbandonedTask>,
}

impl Dispatch {
    pub(crate) fn new(most: usize) -> Dispatch {
        Dispatch {
            permits: Semaphore::new(most.clamp(1, Semaphore::MAX_PERMITS)),
            running: Mutex::default(),
        }
    }

    fn running(&self) -> MutexGuard<'_, HashMap<u64, HashMap<TaskId, Running>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A failed write of an outcome is tried again after this long: the disk may have room by then.
const RETRY_AFTER: i64 = 1000;

impl Shared {
    /// Starts a task unless it runs already. Before [`crate::Engine::start`] nothing runs: starting finds what is left to do.
    pub(crate) fn run_task(self: &Arc<Self>, live: &Arc<Live>, request: TaskRequest) {
        let Some((_, runner)) = self.started.get() else {
            return;
        };
        let cancelled = self.closing.child_token();
        {
            let mut running = self.dispatch.running();
            let tasks = running.entry(live.id).or_default();
            if tasks.contains_key(&request.task) {
                return;
            }
            let run = Running {
                cancelled: cancelled.clone(),
                job_failed: false,
                abandoned: None,
            };
            tasks.insert(request.task, run);
        }
        let (id, task) = (live.id, request.task);
        let (submission, mut submissions) = mpsc::channel::<Submitted>(1);
        let run = TaskRun {
            execution_arn: live.state().execution.identity().execution_arn.clone(),
            state_machine_arn: live.revision.state_machine_arn.clone(),
            request,
            cancelled: cancelled.clone(),
            submission: Submission(Some(submission)),
        };
        let (shared, runner) = (Arc::clone(self), Arc::clone(runner));
        self.spawn(async move {
            let permit = Mutex::new(None);
            let give_back = || drop(permit.lock().unwrap_or_else(PoisonError::into_inner).take());
            let outcome = shared.outcome(&*runner, run, id, &permit);
            tokio::pin!(outcome);
            let signal = loop {
                tokio::select! {
                    signal = &mut outcome => break signal,
                    Some((output, recorded)) = submissions.recv() => {
                        shared.deliver(id, task, Signal::TaskSubmitted { task, output }).await;
                        // From now on it waits for others, whose tasks may need the place.
                        give_back();
                        // Nobody hears it if the run was given up.
                        let _ = recorded.send(());
                    }
                }
            };
            give_back();
            // What a run says because it was told to end is not the task's outcome.
            if let Some(signal) = signal
                && !cancelled.is_cancelled()
            {
                shared.deliver(id, task, signal).await;
            }
            let mut running = shared.dispatch.running();
            let mut over = None;
            if let Some(tasks) = running.get_mut(&id) {
                over = tasks.remove(&task);
                if tasks.is_empty() {
                    running.remove(&id);
                }
            }
            drop(running);
            if let Some(abandoned) = over.and_then(|run| run.abandoned) {
                shared.end_job(abandoned);
            }
        });
    }

    /// Has a job ended once the run of its task, which may be about to begin it, is over.
    pub(crate) fn end_job_after_run(self: &Arc<Self>, id: u64, task: AbandonedTask) {
        let mut running = self.dispatch.running();
        let run = running
            .get_mut(&id)
            .and_then(|tasks| tasks.get_mut(&task.task));
        match run {
            Some(run) => run.abandoned = Some(task),
            None => {
                drop(running);
                self.end_job(task);
            }
        }
    }

    /// Whether the job of a task has failed by itself.
    pub(crate) fn job_failed(&self, id: u64, task: TaskId) -> bool {
        let running = self.dispatch.running();
        let run = running.get(&id).and_then(|tasks| tasks.get(&task));
        run.is_some_and(|run| run.job_failed)
    }

    pub(crate) fn cancel_task(&self, id: u64, task: TaskId) {
        if let Some(run) = self
            .dispatch
            .running()
            .get(&id)
            .and_then(|tasks| tasks.get(&task))
        {
            run.cancelled.cancel();
        }
    }

    pub(crate) fn cancel_tasks(&self, id: u64) {
        if let Some(tasks) = self.dispatch.running().get(&id) {
            tasks.values().for_each(|run| run.cancelled.cancel());
        }
    }

    async fn outcome<'s>(
        &'s self,
        runner: &dyn TaskRunner,
        run: TaskRun,
        id: u64,
        place: &Mutex<Option<SemaphorePermit<'s>>>,
    ) -> Option<Signal> {
        let task = run.request.task;
        let permit = tokio::select! {
            permit = self.dispatch.permits.acquire() => permit.ok()?,
            () = run.cancelled.cancelled() => return None,
        };
        *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(permit);
        let execution = run.execution_arn.clone();
        // Also a panic before the runner returns its future fails the task alone.
        let running = AssertUnwindSafe(async { runner.run(run).await }).catch_unwind();
        Some(match running.await {
            Ok(TaskOutcome::Succeeded(output)) => Signal::TaskSucceeded { task, output },
            Ok(TaskOutcome::Submitted(output)) => Signal::TaskSubmitted { task, output },
            Ok(TaskOutcome::Failed { error, cause }) => Signal::TaskFailed { task, error, cause },
            Ok(TaskOutcome::JobFailed { error, cause }) => {
                let mut running = self.dispatch.running();
                let run = running.get_mut(&id).and_then(|tasks| tasks.get_mut(&task));
                if let Some(run) = run {
                    run.job_failed = true;
                }
                Signal::TaskFailed { task, error, cause }
            }
            Ok(TaskOutcome::TimedOut(with)) => Signal::TaskTimedOut { task, with },
            Ok(TaskOutcome::Offered) => return None,
            Err(_) => {
                tracing::error!(%execution, %task, "the runner of a task panicked");
                let cause = "The task could not be run because of an internal error.".to_owned();
                Signal::TaskFailed {
                    task,
                    error: "States.TaskFailed".to_owned(),
                    cause,
                }
            }
        })
    }

    /// Gives the outcome to the execution, again and again if it cannot be stored: it must not be lost.
    pub(crate) async fn deliver(self: &Arc<Self>, id: u64, task: TaskId, signal: Signal) {
        loop {
            match self.signal(id, signal.clone()).await {
                Ok(()) => return,
                Err(SignalError::Storage(StorageError::Closed)) => return,
                Err(SignalError::Storage(error @ StorageError::Corrupt(_))) => {
                    tracing::error!(execution = id, %task, %error, "the outcome of a task was dropped");
                    return;
                }
                Err(SignalError::Storage(error)) => {
                    tracing::warn!(execution = id, %task, %error, "the outcome of a task could not be stored; trying again");
                    self.clock.sleep_until(self.clock.now() + RETRY_AFTER).await;
                }
                Err(SignalError::Unknown | SignalError::Ended | SignalError::Refused(_)) => {
                    tracing::debug!(execution = id, %task, "the outcome of a task came too late and was dropped");
                    return;
                }
            }
        }
    }
}

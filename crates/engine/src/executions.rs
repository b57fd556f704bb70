//! Executions: started, told what happens, looked at.
//!
//! An execution is a row and its records in the journal (`store`). What it does is decided by `asl`, under the execution's
//! lock; `advance` is the way of every signal: decide, store, and only then run the effects. Those in use are kept in memory
//! (`live`), the others are read from their records when something happens to them, so a waiting execution costs no more than
//! its place in `timers`.
//!
//! Start reading at `advance`; then `dispatch` (tasks) and `recovery` (what happens after a crash).

mod abandon;
mod advance;
mod damage;
mod dispatch;
mod error;
mod inspect;
mod live;
mod map_run;
mod map_run_children;
mod map_run_prepare;
mod map_run_store;
mod map_runs;
mod prune;
mod recovery;
mod redrive;
mod start;
mod store;
mod timers;
mod tokens;

use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use asl::{Data, Signal, Status};
use tokio::runtime::Handle;
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

pub use self::abandon::AbandonedTask;
use self::advance::SignalError;
use self::dispatch::Dispatch;
pub use self::dispatch::{Submission, TaskOutcome, TaskRun, TaskRunner};
pub use self::error::{ExecutionError, StartError, TokenError};
pub use self::inspect::{Description, ExecutionSummary, ListOf, Page, Paged};
use self::live::Cache;
use self::map_run::MapRuns;
pub use self::map_run::Results;
pub use self::map_runs::{ChildCounts, MapRunDescription, MapRunError, MapRunSummary};
pub use self::start::{StartRequest, Started};
pub(crate) use self::store::{TABLES, TO_VERSION_2};
use self::timers::Timers;
use crate::arn::Place;
use crate::clock::Clock;
use crate::journal::Journal;
use crate::{Machines, Millis, Revision, Settings, StorageError};

/// Tells that an execution has ended, after the commit.
#[derive(Debug, Clone)]
pub struct Ended {
    /// Its ARN.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// ARN of its state machine.
    pub state_machine_arn: String,
    /// How it ended.
    pub status: Status,
    /// When it was started.
    pub started: Millis,
    /// When it ended.
    pub stopped: Millis,
    /// Its input.
    pub input: Option<Data>,
    /// Its output, if it succeeded.
    pub output: Option<Data>,
    /// Error name, if it has one.
    pub error: Option<String>,
    /// Cause, if it has one.
    pub cause: Option<String>,
}

/// Ended executions that a slow listener may lag behind.
const ENDED_KEPT: usize = 1024;

/// All executions. Cheap to clone.
#[derive(Clone)]
pub struct Executions {
    shared: Arc<Shared>,
}

struct Shared {
    journal: Arc<Journal>,
    clock: Arc<dyn Clock>,
    place: Place,
    machines: Machines,
    /// Ends everything.
    closing: CancellationToken,
    cache: Cache,
    timers: Timers,
    dispatch: Dispatch,
    map_runs: MapRuns,
    ended: broadcast::Sender<Ended>,
    last_id: AtomicU64,
    /// How long executions are kept after their end; `None`: for ever.
    retain: Option<Duration>,
    /// Where to run things, and who runs tasks; empty before the engine is started.
    started: OnceLock<(Handle, Arc<dyn TaskRunner>)>,
}

impl Executions {
    pub(crate) fn load(
        journal: Arc<Journal>,
        machines: Machines,
        place: Place,
        closing: CancellationToken,
        settings: &Settings,
    ) -> Result<Executions, StorageError> {
        let last_id = journal.read_now(store::last_id)?;
        let shared = Shared {
            journal,
            clock: Arc::clone(&settings.clock),
            place,
            machines,
            closing,
            cache: Cache::new(settings.live_executions),
            timers: Timers::default(),
            dispatch: Dispatch::new(settings.max_running_tasks),
            map_runs: MapRuns::default(),
            ended: broadcast::Sender::new(ENDED_KEPT),
            last_id: AtomicU64::new(last_id),
            retain: settings.retain,
            started: OnceLock::new(),
        };
        Ok(Executions {
            shared: Arc::new(shared),
        })
    }

    /// Lets time pass and tasks run; goes on with what the last process left.
    pub(crate) fn run(&self, runner: Arc<dyn TaskRunner>) -> Result<(), StorageError> {
        if self
            .shared
            .started
            .set((Handle::current(), runner))
            .is_err()
        {
            tracing::warn!("the engine was started before; its first runner stays");
            return Ok(());
        }
        self.shared.resume()
    }

    /// Hears of executions that end, from now on. Best effort: whoever lags far behind misses some, and so does a restart.
    #[must_use]
    pub fn ended(&self) -> broadcast::Receiver<Ended> {
        self.shared.ended.subscribe()
    }

    /// `StopExecution`; when it stopped. An execution that has ended is left as it is. Durable on return.
    ///
    /// # Errors
    /// A bad ARN, no such execution, or the store failed.
    pub async fn stop(
        &self,
        arn: &str,
        error: Option<String>,
        cause: Option<String>,
    ) -> Result<Millis, ExecutionError> {
        let (key, _) = self.key_of(arn).await?;
        match self.shared.signal(key, Signal::Stop { error, cause }).await {
            Ok(()) => {}
            // The end may be decided and not on disk yet; what is written after it is.
            Err(SignalError::Ended | SignalError::Refused(_)) => {
                self.shared.journal.write(|_| Ok(())).await?;
            }
            Err(SignalError::Unknown) => {
                return Err(ExecutionError::ExecutionDoesNotExist {
                    arn: arn.to_owned(),
                });
            }
            Err(SignalError::Storage(error)) => return Err(error.into()),
        }
        let (_, summary) = self.key_of(arn).await?;
        Ok(summary.stopped.unwrap_or_else(|| self.shared.clock.now()))
    }
}

impl Shared {
    fn next_id(&self) -> u64 {
        self.last_id.fetch_add(1, Ordering::Relaxed) + 1
    }

    fn identity(
        &self,
        key: u64,
        name: &str,
        revision: &Revision,
        version_arn: Option<String>,
        alias_arn: Option<String>,
    ) -> asl::Identity {
        asl::Identity {
            execution_arn: self.place.execution(&revision.state_machine_name, name),
            name: name.to_owned(),
            role_arn: revision.role_arn.clone(),
            state_machine_arn: revision.state_machine_arn.clone(),
            state_machine_name: revision.state_machine_name.clone(),
            version_arn,
            alias_arn,
            key,
        }
    }

    /// Runs something in the background until it is done or the engine closes. Before the engine is started nothing runs.
    fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        if let Some((handle, _)) = self.started.get() {
            let closing = self.closing.clone();
            handle.spawn(async move {
                let _ = closing.run_until_cancelled(work).await;
            });
        }
    }
}

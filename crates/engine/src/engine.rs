//! The engine as a whole: opening, starting, ending.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::arn::Place;
use crate::clock::{Clock, SystemClock};
use crate::documents::Documents;
use crate::journal::{Journal, JournalStats};
use crate::queues::Queues;
use crate::{Executions, Machines, Millis, OpenError, StorageError, TaskRunner};

/// What can be chosen when an engine is opened.
#[derive(Clone)]
pub struct Settings {
    /// Region in all ARNs.
    pub region: String,
    /// Account in all ARNs.
    pub account: String,
    /// Where time comes from.
    pub clock: Arc<dyn Clock>,
    /// The largest size of the database; `None`: as large as the disk.
    pub max_database_bytes: Option<u64>,
    /// Tasks that run at the same time; others wait their turn.
    pub max_running_tasks: usize,
    /// How long executions are kept after their end, with their histories; `None`: for ever. Their names are refused for 90
    /// days in any case.
    pub retain: Option<Duration>,
    /// Executions kept in memory after their last transition; others are read from the journal when they go on.
    pub live_executions: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            region: "us-east-1".to_owned(),
            account: "000000000000".to_owned(),
            clock: Arc::new(SystemClock),
            max_database_bytes: None,
            max_running_tasks: 1024,
            retain: None,
            live_executions: 4096,
        }
    }
}

/// An open data directory. Cheap to clone; the directory is free again after [`Engine::shutdown`], or when the last clone is
/// dropped.
#[derive(Clone)]
pub struct Engine {
    parts: Arc<Parts>,
}

struct Parts {
    journal: Arc<Journal>,
    queues: Queues,
    documents: Documents,
    machines: Machines,
    executions: Executions,
    closing: CancellationToken,
    settings: Settings,
}

impl Engine {
    /// Opens a data directory, or makes it: `engine.db` with everything durable, `engine.lock` against a second process.
    /// Reads the store, so call it where blocking is right.
    ///
    /// # Errors
    /// The directory is in use, cannot be written, or holds something else.
    pub fn open(directory: &Path, settings: Settings) -> Result<Engine, OpenError> {
        let journal = Arc::new(Journal::open(directory, settings.max_database_bytes)?);
        let closing = CancellationToken::new();
        let place = Place {
            region: settings.region.clone(),
            account: settings.account.clone(),
        };
        let queues = Queues::load(
            Arc::clone(&journal),
            Arc::clone(&settings.clock),
            place.clone(),
            closing.clone(),
        )?;
        let machines = Machines::load(
            Arc::clone(&journal),
            Arc::clone(&settings.clock),
            place.clone(),
        )?;
        let executions = Executions::load(
            Arc::clone(&journal),
            machines.clone(),
            place,
            closing.clone(),
            &settings,
        )?;
        let documents = Documents::new(Arc::clone(&journal));
        Ok(Engine {
            parts: Arc::new(Parts {
                journal,
                queues,
                documents,
                machines,
                executions,
                closing,
                settings,
            }),
        })
    }

    /// The queues.
    #[must_use]
    pub fn queues(&self) -> &Queues {
        &self.parts.queues
    }

    /// Small facts of the layers above.
    #[must_use]
    pub fn documents(&self) -> &Documents {
        &self.parts.documents
    }

    /// The state machines.
    #[must_use]
    pub fn machines(&self) -> &Machines {
        &self.parts.machines
    }

    /// The executions.
    #[must_use]
    pub fn executions(&self) -> &Executions {
        &self.parts.executions
    }

    /// Lets time pass for executions and their tasks run, those of the last process first. Call it once, in a tokio runtime,
    /// when the runner's services are ready. Before it, executions can be started but go no further than their first task.
    ///
    /// # Errors
    /// The store failed.
    pub fn start(&self, runner: Arc<dyn TaskRunner>) -> Result<(), StorageError> {
        self.parts.executions.run(runner)
    }

    /// The region in all ARNs.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.parts.settings.region
    }

    /// The account in all ARNs.
    #[must_use]
    pub fn account(&self) -> &str {
        &self.parts.settings.account
    }

    /// The time by the engine's clock.
    #[must_use]
    pub fn now(&self) -> Millis {
        self.parts.settings.clock.now()
    }

    /// What the journal has done.
    #[must_use]
    pub fn journal_stats(&self) -> JournalStats {
        self.parts.journal.stats()
    }

    /// Ends all waiting and running, commits what was submitted, and frees the directory.
    pub async fn shutdown(&self) {
        self.parts.closing.cancel();
        let journal = Arc::clone(&self.parts.journal);
        if tokio::task::spawn_blocking(move || journal.close())
            .await
            .is_err()
        {
            tracing::warn!("the journal could not be closed in an orderly way");
        }
    }
}

impl Drop for Parts {
    fn drop(&mut self) {
        self.closing.cancel();
        // Tasks that still run may hold the journal; the directory is free all the same.
        self.journal.close();
    }
}

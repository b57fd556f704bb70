//! The journal: `engine.db`, and the one way to write it.
//!
//! Callers hand in *groups* (a closure that runs some statements). The writer thread collects all groups that wait, runs
//! them in one transaction, commits once and then tells everybody; so the cost of making a fact durable is shared by all
//! that are written at the same time. Nothing is acknowledged before its commit.
//!
//! A group may fail without harming the others: the batch is rolled back and its groups run again one by one.
//!
//! The journal knows nothing of queues or executions: the statements stand beside the functions that need them.
//! Start with [`Journal::submit`]; the thread behind it is in `writer`.

mod checkpoint;
mod group;
mod readers;
mod schema;
#[cfg(test)]
mod tests;
mod writer;

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;

use rusqlite::Connection;

use self::checkpoint::Checkpoints;
pub(crate) use self::group::{Commit, Outcome};
use self::group::{Group, Pending};
use self::readers::Readers;
use crate::lock::DirectoryLock;
use crate::{OpenError, StorageError};

/// What the journal has done since it was opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct JournalStats {
    /// Transactions committed; each costs one sync of the disk.
    pub commits: u64,
    /// Groups of facts those transactions carried.
    pub groups: u64,
    /// Groups that could not be written.
    pub failures: u64,
}

#[derive(Debug, Default)]
struct Counters {
    commits: AtomicU64,
    groups: AtomicU64,
    failures: AtomicU64,
}

/// The open store.
pub(crate) struct Journal {
    groups: Mutex<Option<mpsc::Sender<Box<dyn Group>>>>,
    readers: Arc<Readers>,
    counters: Arc<Counters>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl Journal {
    /// Opens or creates `engine.db` in `directory`, alone. `max_bytes` limits the file's size.
    pub(crate) fn open(directory: &Path, max_bytes: Option<u64>) -> Result<Journal, OpenError> {
        std::fs::create_dir_all(directory).map_err(|source| OpenError::Directory {
            directory: directory.to_owned(),
            source,
        })?;
        let lock = DirectoryLock::take(directory)?;
        let file = directory.join("engine.db");
        let connection = schema::open(&file, max_bytes)?;
        let checkpoints = Checkpoints::start(&file, &connection)?;
        let counters = Arc::new(Counters::default());
        let (groups, waiting) = mpsc::channel();
        let writer = std::thread::Builder::new()
            .name("journal".to_owned())
            .spawn({
                let counters = Arc::clone(&counters);
                // The writer holds the lock, so the directory is free exactly when the last commit is done.
                move || writer::run(connection, checkpoints, &waiting, &counters, lock)
            })
            .map_err(|source| OpenError::Directory {
                directory: directory.to_owned(),
                source,
            })?;
        Ok(Journal {
            groups: Mutex::new(Some(groups)),
            readers: Arc::new(Readers::new(file)),
            counters,
            writer: Mutex::new(Some(writer)),
        })
    }

    /// Hands a group to the writer. Groups run in the order of submission.
    ///
    /// `run` executes the statements. It may be called twice, when another group of the batch fails, and must then do the
    /// same again. `done` is called exactly once on the writer's thread, in the order of the commits and before the
    /// returned future completes: it carries the committed fact into memory, or undoes what memory was ahead. It runs
    /// even if the caller has gone away, must be short, and must not wait for the journal. Only a closed journal does not call
    /// it: callers may hold the locks that it takes, and memory is given up anyway.
    pub(crate) fn submit<T, R, D>(&self, run: R, done: D) -> Commit<T>
    where
        T: Send + 'static,
        R: FnMut(&Connection) -> Result<T, StorageError> + Send + 'static,
        D: FnOnce(&Outcome<T>) + Send + 'static,
    {
        let (group, commit) = Pending::new(run, done);
        if let Some(groups) = &*self.groups.lock().unwrap_or_else(PoisonError::into_inner) {
            // Refused only if the writer died; dropping the group tells the waiter `Closed`, as it does without a channel.
            let _ = groups.send(Box::new(group));
        }
        commit
    }

    /// [`Journal::submit`] for a fact that memory does not mirror.
    pub(crate) fn write<T, R>(&self, run: R) -> Commit<T>
    where
        T: Send + 'static,
        R: FnMut(&Connection) -> Result<T, StorageError> + Send + 'static,
    {
        self.submit(run, |_| {})
    }

    /// Runs a query on a connection of its own, off the async threads. It sees everything acknowledged so far.
    pub(crate) async fn read<T, Q>(&self, query: Q) -> Result<T, StorageError>
    where
        T: Send + 'static,
        Q: FnOnce(&Connection) -> Result<T, StorageError> + Send + 'static,
    {
        let readers = Arc::clone(&self.readers);
        match tokio::task::spawn_blocking(move || readers.with(query)).await {
            Ok(answer) => answer,
            Err(_) => Err(StorageError::Closed),
        }
    }

    /// [`Journal::read`] for start-up, where waiting is right.
    pub(crate) fn read_now<T>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T, StorageError>,
    ) -> Result<T, StorageError> {
        self.readers.with(query)
    }

    pub(crate) fn stats(&self) -> JournalStats {
        JournalStats {
            commits: self.counters.commits.load(Ordering::Relaxed),
            groups: self.counters.groups.load(Ordering::Relaxed),
            failures: self.counters.failures.load(Ordering::Relaxed),
        }
    }

    /// Commits what was submitted, refuses the rest and frees the directory. Waits for the writer.
    pub(crate) fn close(&self) {
        self.readers.close();
        drop(
            self.groups
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take(),
        );
        let writer = self
            .writer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(writer) = writer
            && writer.join().is_err()
        {
            tracing::error!(
                "the journal's writer ended with a panic; facts not yet acknowledged are lost"
            );
        }
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.close();
    }
}

//! Moving the log into the database, beside the writer instead of in it.
//!
//! SQLite would do it in the commit that finds the log long enough: everybody who waits for that commit waits while tens of
//! megabytes are copied and synced. Here a thread of its own copies while the writer goes on, and the writer is left with the
//! little that it wrote meanwhile: only it can see that the log is done with and begin it anew, which keeps the file small.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use rusqlite::{Connection, OpenFlags};

use crate::StorageError;

/// So many pages of the log (64 MiB) are worth a checkpoint: a page that is rewritten often reaches the database once
/// for each. A small database is content with fewer (from 16 MiB on), so that its log does not take many times its room: a
/// disk that the log has filled has none for the checkpoint either.
const PAGES: std::ops::RangeInclusive<i64> = 2048..=8192;
/// The log's length is looked at after so many commits.
const LOOK_EVERY: u32 = 4;

/// The writer's end.
pub(crate) struct Checkpoints {
    wake: SyncSender<()>,
    /// The thread has copied what there was; the writer shall do the rest.
    copied: Arc<AtomicBool>,
    thread: JoinHandle<()>,
    commits: u32,
}

impl Checkpoints {
    /// Starts the thread for a database that its `writer` has open.
    pub(crate) fn start(file: &Path, writer: &Connection) -> Result<Checkpoints, StorageError> {
        writer.pragma_update(None, "wal_autocheckpoint", 0)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(file, flags)?;
        // As the writer's: the log is synced before, the database after.
        connection.pragma_update(None, "synchronous", "full")?;
        let copied = Arc::new(AtomicBool::new(false));
        let (wake, woken) = sync_channel(1);
        let thread = std::thread::Builder::new()
            .name("checkpoint".to_owned())
            .spawn({
                let copied = Arc::clone(&copied);
                move || run(&connection, &woken, &copied)
            })
            .map_err(|error| StorageError::corrupt("a thread for checkpoints", error))?;
        Ok(Checkpoints {
            wake,
            copied,
            thread,
            commits: 0,
        })
    }

    /// After each commit, on the writer's connection.
    pub(crate) fn after_commit(&mut self, writer: &Connection) {
        if self.copied.swap(false, Ordering::Acquire) {
            checkpoint(writer);
            return;
        }
        self.commits = self.commits.wrapping_add(1);
        if self.commits.is_multiple_of(LOOK_EVERY) && waiting(writer) >= worth_it(writer) {
            // Full: it was woken before, and is at it.
            let _ = self.wake.try_send(());
        }
    }

    /// Waits for the thread. Afterwards the writer's is the last connection that writes.
    pub(crate) fn stop(self) {
        drop(self.wake);
        if self.thread.join().is_err() {
            tracing::error!("the thread for checkpoints ended with a panic");
        }
    }
}

fn run(connection: &Connection, woken: &Receiver<()>, copied: &AtomicBool) {
    while woken.recv().is_ok() {
        checkpoint(connection);
        copied.store(true, Ordering::Release);
    }
}

/// Copies what no reader needs in the log any more; waits for nobody.
pub(super) fn checkpoint(connection: &Connection) {
    if let Err(error) = connection.query_row("pragma wal_checkpoint(passive)", [], |_| Ok(())) {
        tracing::warn!(%error, "the engine's log could not be moved into the database and goes on growing; is there room on the disk?");
    }
}

/// How many pages of the log are to be moved: as many as the database has, within bounds.
fn worth_it(writer: &Connection) -> i64 {
    let pages = writer
        .prepare_cached("pragma page_count")
        .and_then(|mut query| query.query_row([], |row| row.get(0)));
    pages.unwrap_or(0).clamp(*PAGES.start(), *PAGES.end())
}

/// Pages of the log that are not in the database yet.
fn waiting(writer: &Connection) -> i64 {
    let counted = writer
        .prepare_cached("pragma wal_checkpoint(noop)")
        .and_then(|mut query| {
            query.query_row([], |row| Ok(row.get::<_, i64>(1)? - row.get::<_, i64>(2)?))
        });
    counted.unwrap_or(0)
}

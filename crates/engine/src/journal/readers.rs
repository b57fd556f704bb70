//! A small pool of read-only connections, made when first needed.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, OpenFlags};

use crate::StorageError;

/// More idle connections than this are closed: each has a page cache.
const KEPT: usize = 4;

pub(crate) struct Readers {
    file: PathBuf,
    /// `None` when closed.
    idle: Mutex<Option<Vec<Connection>>>,
}

impl Readers {
    pub(crate) fn new(file: PathBuf) -> Readers {
        Readers {
            file,
            idle: Mutex::new(Some(Vec::new())),
        }
    }

    /// Runs a query. All its statements see one state of the store.
    pub(crate) fn with<T>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T, StorageError>,
    ) -> Result<T, StorageError> {
        let idle = self.idle().as_mut().ok_or(StorageError::Closed)?.pop();
        let connection = match idle {
            Some(connection) => connection,
            None => self.connect()?,
        };
        let snapshot = connection.unchecked_transaction()?;
        let answer = query(&snapshot)?;
        drop(snapshot);
        if let Some(idle) = self.idle().as_mut()
            && idle.len() < KEPT
        {
            idle.push(connection);
        }
        Ok(answer)
    }

    /// Closes what is idle, refuses what comes. The last connection that closes cleans up the log: that is to be the writer's.
    pub(crate) fn close(&self) {
        self.idle().take();
    }

    fn idle(&self) -> MutexGuard<'_, Option<Vec<Connection>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn connect(&self) -> Result<Connection, StorageError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.file, flags)?;
        connection.set_prepared_statement_cache_capacity(64);
        Ok(connection)
    }
}

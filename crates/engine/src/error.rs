//! Errors that every part of the engine shares. Each part adds its own, named after AWS's.

use std::path::PathBuf;
use std::sync::Arc;

use rusqlite::ErrorCode;

/// Why a data directory could not be opened. Nothing in it has been changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Another process has it.
    #[error(
        "the data directory {directory} is in use by {holder}; stop that process or choose another directory",
        directory = directory.display(),
        holder = pid.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}")),
    )]
    InUse {
        /// The directory asked for.
        directory: PathBuf,
        /// The holder, if it has already written its id.
        pid: Option<u32>,
    },
    /// The directory cannot be made, read or written.
    #[error("the data directory {} cannot be used: {source}; check that it exists and may be written", directory.display())]
    Directory {
        /// The directory asked for.
        directory: PathBuf,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// `engine.db` was written by a newer version of this program.
    #[error("{} has schema version {found}, this program knows {known}; use the newer program", file.display())]
    Newer {
        /// The database file.
        file: PathBuf,
        /// Its version.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// `engine.db` is a database of something else.
    #[error("{} is not an engine database; move it away or choose another directory", file.display())]
    Foreign {
        /// The database file.
        file: PathBuf,
    },
    /// The database cannot be read or set up.
    #[error("the engine database cannot be opened: {0}")]
    Storage(#[from] StorageError),
}

/// Why the store did not take or give a fact. Whatever was being written has not happened.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum StorageError {
    /// No room: nothing was written, and writing works again as soon as there is room.
    #[error(
        "the disk or the engine database is full; nothing was changed; make room and try again"
    )]
    Full,
    /// The database cannot be written at the moment.
    #[error("the engine database cannot be written (read-only); nothing was changed")]
    ReadOnly,
    /// The engine is shutting down.
    #[error("the engine is shutting down")]
    Closed,
    /// The change was computed on a state that never reached the disk; it will be computed again on the real one.
    #[error("the change was based on a state that could not be stored")]
    Stale,
    /// A stored fact cannot be understood: a damaged file, or a fault of this program.
    #[error("the engine database holds something that cannot be read: {0}")]
    Corrupt(String),
    /// Anything else that SQLite reports.
    #[error("the engine database failed: {0}")]
    Sqlite(Arc<rusqlite::Error>),
}

impl From<rusqlite::Error> for StorageError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => StorageError::Full,
            Some(ErrorCode::ReadOnly) => StorageError::ReadOnly,
            Some(ErrorCode::DatabaseCorrupt) => StorageError::Corrupt(error.to_string()),
            // A row is not there, or a value is not of the type that it was written in.
            None if is_misread(&error) => StorageError::Corrupt(error.to_string()),
            _ => StorageError::Sqlite(Arc::new(error)),
        }
    }
}

fn is_misread(error: &rusqlite::Error) -> bool {
    use rusqlite::Error;
    matches!(
        error,
        Error::QueryReturnedNoRows
            | Error::FromSqlConversionFailure(..)
            | Error::IntegralValueOutOfRange(..)
            | Error::Utf8Error(..)
            | Error::InvalidColumnType(..)
    )
}

impl StorageError {
    /// A stored text that does not have the shape it was written in.
    pub(crate) fn corrupt(what: &str, error: impl std::fmt::Display) -> StorageError {
        StorageError::Corrupt(format!("{what}: {error}"))
    }
}

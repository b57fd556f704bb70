//! How `engine.db` is opened and set up. Each table's `create` stands with its owner; this is only the list.

use std::path::Path;

use rusqlite::{Connection, config::DbConfig};

use crate::{OpenError, StorageError, documents, executions, machines, queues};

/// Raise it with every change of the tables, and add the step from the version before.
const VERSION: i64 = 2;

/// SQLite's "application id" of our files: the letters `rstk`.
const APPLICATION: i64 = 0x7273_746b;

const TABLES: [&str; 4] = [
    documents::TABLES,
    queues::TABLES,
    machines::TABLES,
    executions::TABLES,
];

pub(crate) fn open(file: &Path, max_bytes: Option<u64>) -> Result<Connection, OpenError> {
    let connection = Connection::open(file).map_err(StorageError::from)?;
    match guard(&connection, file)? {
        Some(VERSION) => {}
        Some(found) => upgrade(&connection, found).map_err(StorageError::from)?,
        None => set_up(&connection).map_err(StorageError::from)?,
    }
    configure(&connection, max_bytes).map_err(StorageError::from)?;
    Ok(connection)
}

/// The version of the file if it is ours, `None` if it is new.
fn guard(connection: &Connection, file: &Path) -> Result<Option<i64>, OpenError> {
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let foreign = || OpenError::Foreign {
        file: file.to_owned(),
    };
    let application =
        pragma("application_id").map_err(|error| match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::NotADatabase) => foreign(),
            _ => StorageError::from(error).into(),
        })?;
    let version = pragma("user_version").map_err(StorageError::from)?;
    if application == 0 && version == 0 {
        let tables: i64 = connection
            .query_row("select count(*) from sqlite_schema", [], |row| row.get(0))
            .map_err(StorageError::from)?;
        return if tables == 0 {
            Ok(None)
        } else {
            Err(foreign())
        };
    }
    if application != APPLICATION {
        return Err(foreign());
    }
    if version > VERSION {
        return Err(OpenError::Newer {
            file: file.to_owned(),
            found: version,
            known: VERSION,
        });
    }
    Ok(Some(version))
}

/// Brings the tables of an older version up to date, all or nothing.
fn upgrade(connection: &Connection, found: i64) -> rusqlite::Result<()> {
    tracing::info!(
        from = found,
        to = VERSION,
        "the tables are brought up to date"
    );
    let transaction = connection.unchecked_transaction()?;
    if found < 2 {
        transaction.execute_batch(executions::TO_VERSION_2)?;
    }
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()
}

fn set_up(connection: &Connection) -> rusqlite::Result<()> {
    // Before the first table, or they have no effect.
    connection.pragma_update(None, "page_size", 8192)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    let transaction = connection.unchecked_transaction()?;
    for tables in TABLES {
        transaction.execute_batch(tables)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()
}

fn configure(connection: &Connection, max_bytes: Option<u64>) -> rusqlite::Result<()> {
    connection.pragma_update(None, "journal_mode", "wal")?;
    // FULL: a commit returns only when the log has been synced. Everything we promise rests on it.
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // What the log grew to in a burst is given back at the next checkpoint.
    connection.pragma_update(None, "journal_size_limit", 256 * 1024 * 1024)?;
    connection.pragma_update(None, "cache_size", -32 * 1024)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_prepared_statement_cache_capacity(128);
    if let Some(max_bytes) = max_bytes {
        let page: i64 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
        connection.query_row(
            &format!(
                "pragma max_page_count = {}",
                max_bytes / page.unsigned_abs().max(1)
            ),
            [],
            |_| Ok(()),
        )?;
    }
    Ok(())
}

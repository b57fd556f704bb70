//! The yardstick of everything durable here: what SQLite itself makes of this disk.

use std::time::{Duration, Instant};

use crate::OpenError;
use crate::StorageError;

/// Rows of so many bytes that one caller writes to a bare SQLite database in a second, durably, a hundred in a transaction. Blocks
/// for `time`.
///
/// # Errors
/// No temporary directory, or SQLite failed.
pub fn raw_rows(bytes: usize, time: Duration) -> Result<f64, OpenError> {
    const TOGETHER: u32 = 100;
    let directory = std::env::temp_dir().join(format!("restock-raw-{}", uuid::Uuid::new_v4()));
    let unusable = |source| OpenError::Directory {
        directory: directory.clone(),
        source,
    };
    std::fs::create_dir(&directory).map_err(unusable)?;
    let measured = insert(&directory.join("raw.db"), bytes, time, TOGETHER);
    std::fs::remove_dir_all(&directory).map_err(unusable)?;
    Ok(measured.map_err(StorageError::from)?)
}

fn insert(
    file: &std::path::Path,
    bytes: usize,
    time: Duration,
    together: u32,
) -> rusqlite::Result<f64> {
    let db = rusqlite::Connection::open(file)?;
    db.pragma_update(None, "journal_mode", "wal")?;
    db.pragma_update(None, "synchronous", "full")?;
    db.execute_batch("create table rows (id integer primary key, body text not null)")?;
    let body = "x".repeat(bytes);
    let (begin, mut count) = (Instant::now(), 0_u32);
    while begin.elapsed() < time {
        let transaction = db.unchecked_transaction()?;
        for _ in 0..together {
            transaction
                .prepare_cached("insert into rows (body) values (?1)")?
                .execute([&body])?;
        }
        transaction.commit()?;
        count += together;
    }
    Ok(f64::from(count) / begin.elapsed().as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves_nothing_behind() {
        assert!(raw_rows(10, Duration::from_millis(1)).unwrap() > 0.0);
    }
}

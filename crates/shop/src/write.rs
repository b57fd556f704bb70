//! The one door through which every write transaction goes.
//!
//! A transaction that may be refused because others hold a lock (SQLite's busy; MySQL's deadlock and lock
//! wait) was rolled back as a whole, so it is run again, a bounded number of times. What it does must
//! therefore depend on the database alone, and ids are made outside of it. A lost connection is never
//! answered that way: the commit may have happened.

use std::time::{Duration, Instant};

use sqlx::pool::PoolConnection;
use sqlx::{Any, AnyConnection};
use tokio::sync::OwnedMutexGuard;
use tokio::time::timeout;

use crate::db::{Db, Dialect};
use crate::error::{Error, Result};

/// How often one transaction is tried. With the pauses below, about 2 s besides the waiting for locks.
const TRIES: u32 = 10;

/// After how long no new try begins. One try may itself wait 5 s for a lock (see `db::session`): where
/// somebody holds on to it, whoever waits for us has no time for a second one.
const PATIENCE: Duration = Duration::from_secs(4);

/// How long a writer queues behind others of this process.
const QUEUE_TIMEOUT: Duration = Duration::from_secs(10);

/// Runs a block in a write transaction and commits it if the block is `Ok`; is the block's `Result`.
/// `what` names it in the log; `c` is the connection, `?` and `return` end the block.
///
/// A macro, because the compiler cannot prove that the future of an async closure is `Send`
/// (rust-lang/rust#110338), and every caller is a server that needs it.
macro_rules! transaction {
    ($db:expr, $what:literal, |$c:ident| $block:block) => {{
        let mut tries = $crate::write::Tries::new($what);
        loop {
            let outcome = match $crate::write::begin($db).await {
                Ok(mut transaction) => {
                    let result = async {
                        let $c: &mut sqlx::AnyConnection = transaction.connection()?;
                        $block
                    };
                    let result = result.await;
                    transaction.end(result).await
                }
                Err(error) => Err(error),
            };
            if let Some(settled) = tries.settle(outcome).await {
                break settled;
            }
        }
    }};
}
pub(crate) use transaction;

/// An open write transaction.
///
/// Not sqlx's own: when a caller is dropped at the wrong moment (its client hung up), that one can hand
/// a connection back to the pool with the transaction still open, and later readers on it see a database
/// of the past. Here a connection goes back only after its transaction has ended; any other is closed,
/// and the database rolls back.
pub(crate) struct Write {
    /// Present until the transaction has ended.
    connection: Option<PoolConnection<Any>>,
    /// Given up after the connection, as fields are dropped in this order.
    _turn: Option<OwnedMutexGuard<()>>,
}

/// Opens a write transaction.
pub(crate) async fn begin(db: &Db) -> Result<Write> {
    let (turn, statement) = match db.dialect {
        Dialect::Sqlite => {
            let turn = timeout(QUEUE_TIMEOUT, db.writer.clone().lock_owned()).await;
            let turn = turn.map_err(|_| Error::Unavailable(sqlx::Error::PoolTimedOut))?;
            // Takes the write lock at once. A deferred transaction that reads first cannot wait for it
            // later: its snapshot is old by then.
            (Some(turn), "begin immediate")
        }
        Dialect::MySql => (None, "start transaction"),
    };
    let mut write = Write {
        connection: Some(db.pool.acquire().await?),
        _turn: turn,
    };
    match write.run(statement).await {
        Ok(()) => Ok(write),
        Err(error @ Error::Busy(_)) => {
            // Nothing was opened, so the connection is as good as before.
            drop(write.connection.take());
            Err(error)
        }
        Err(error) => Err(error),
    }
}

impl Write {
    /// The connection that the transaction is open on.
    pub(crate) fn connection(&mut self) -> Result<&mut AnyConnection> {
        let connection = self.connection.as_deref_mut();
        connection.ok_or(Error::Fault(sqlx::Error::PoolClosed))
    }

    /// Commits after `Ok`, rolls back after `Err`.
    pub(crate) async fn end<T>(mut self, result: Result<T>) -> Result<T> {
        let ended = match &result {
            Ok(_) => self.run("commit").await,
            Err(_) => self.run("rollback").await,
        };
        match (ended, result) {
            (Ok(()), result) => {
                drop(self.connection.take());
                result
            }
            (Err(error), Ok(_)) => Err(error),
            (Err(rollback), Err(error)) => {
                tracing::debug!(error = %rollback, "rollback failed, the connection is closed");
                Err(error)
            }
        }
    }

    async fn run(&mut self, statement: &'static str) -> Result<()> {
        sqlx::raw_sql(statement).execute(self.connection()?).await?;
        Ok(())
    }
}

impl Drop for Write {
    fn drop(&mut self) {
        // Detached, it does not return to the pool; dropped, it is closed.
        drop(self.connection.take().map(PoolConnection::detach));
    }
}

/// Counts how often one transaction was tried, and since when.
pub(crate) struct Tries {
    what: &'static str,
    tried: u32,
    since: Instant,
}

impl Tries {
    pub(crate) fn new(what: &'static str) -> Self {
        Self {
            what,
            tried: 0,
            since: Instant::now(),
        }
    }

    /// The final outcome, or none after a pause where it shall be tried again.
    pub(crate) async fn settle<T>(&mut self, outcome: Result<T>) -> Option<Result<T>> {
        let Err(Error::Busy(error)) = outcome else {
            return Some(outcome);
        };
        self.tried += 1;
        if self.tried == TRIES || self.since.elapsed() > PATIENCE {
            tracing::warn!(what = self.what, %error, "transaction given up");
            return Some(Err(Error::Busy(error)));
        }
        tracing::debug!(what = self.what, %error, "transaction runs again");
        tokio::time::sleep(pause(self.tried)).await;
        None
    }
}

/// Exponential from 2 ms to 512 ms, of which a random half to whole is used, so that two who collided do
/// not meet again.
fn pause(tries: u32) -> Duration {
    let most = 2_u64 << tries.min(8);
    Duration::from_millis(rand::random_range(most / 2..=most))
}

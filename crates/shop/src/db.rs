//! The two databases and how a connection to each is set up.
//!
//! Both kinds are lazy: opening one checks its URL and connects to nothing, so that a process which
//! answers without a database starts without one.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::{AnyPool, ConnectOptions};
use tokio::sync::Mutex;

use crate::checkout::Till;
use crate::error::{Error, Result};

/// How long a caller waits for a connection before the database counts as unavailable.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// The warehouse: products, stock, orders, reorders. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Warehouse(pub(crate) Db, pub(crate) Till);

/// The customers' own database. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Customers(pub(crate) Db);

impl Warehouse {
    /// Opens `sqlite://FILE` or `mysql://…` with at most `connections` connections, none of them yet.
    /// An absent SQLite file is made on first use. Fails only where the URL cannot be used.
    pub fn open(url: &str, connections: u32) -> Result<Self> {
        Db::open(url, connections).map(|db| Self(db, Till::default()))
    }

    /// Brings the tables up to date; see `migrate`'s module documentation for what it refuses.
    pub async fn migrate(&self) -> Result<()> {
        crate::migrate::warehouse(&self.0).await
    }

    /// Number of the last migration this version knows.
    pub fn schema_version() -> i64 {
        crate::migrate::warehouse_version()
    }

    /// Adds the products of a first start where there are none.
    pub async fn seed(&self) -> Result<()> {
        crate::seed::warehouse(self).await
    }

    /// Closes every connection and waits until they are.
    pub async fn close(&self) {
        self.0.pool.close().await;
    }

    pub(crate) fn pool(&self) -> &AnyPool {
        &self.0.pool
    }
}

impl Customers {
    /// As [`Warehouse::open`].
    pub fn open(url: &str, connections: u32) -> Result<Self> {
        Db::open(url, connections).map(Self)
    }

    /// As [`Warehouse::migrate`].
    pub async fn migrate(&self) -> Result<()> {
        crate::migrate::customers(&self.0).await
    }

    /// As [`Warehouse::schema_version`].
    pub fn schema_version() -> i64 {
        crate::migrate::customers_version()
    }

    /// Adds the customers of a first start where there are none.
    pub async fn seed(&self) -> Result<()> {
        crate::seed::customers(self).await
    }

    /// Closes every connection and waits until they are.
    pub async fn close(&self) {
        self.0.pool.close().await;
    }

    pub(crate) fn pool(&self) -> &AnyPool {
        &self.0.pool
    }
}

/// Which of the two kinds of database this is. Only `db`, `write` and `migrate` may ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    MySql,
}

/// A pool and what writing through it needs.
#[derive(Debug, Clone)]
pub(crate) struct Db {
    pub(crate) pool: AnyPool,
    pub(crate) dialect: Dialect,
    /// SQLite has one writer at a time. Ours queue here, in order and asleep, rather than in SQLite's
    /// busy handler, which naps and is unfair; only other processes are met there.
    pub(crate) writer: Arc<Mutex<()>>,
}

impl Db {
    fn open(url: &str, connections: u32) -> Result<Self> {
        sqlx::any::install_default_drivers();
        let (dialect, url) = read_url(url)?;
        let options = AnyConnectOptions::from_str(&url)
            .map_err(|_| invalid_url("cannot be parsed"))?
            // Statements belong in no log: they hold customers' data.
            .disable_statement_logging();
        let pool = AnyPoolOptions::new()
            .max_connections(connections.max(1))
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .idle_timeout(Duration::from_secs(60))
            .after_connect(move |connection, _| {
                Box::pin(async move {
                    sqlx::raw_sql(session(dialect)).execute(connection).await?;
                    Ok(())
                })
            })
            .connect_lazy_with(options);
        Ok(Self {
            pool,
            dialect,
            writer: Arc::default(),
        })
    }

    /// Transactions about products of one lane had better be one. SQLite has one writer, whatever it writes; MySQL writes
    /// different products at the same time, and one whose lock is held up holds up no other.
    pub(crate) fn lane<'a>(&self, product_id: &'a str) -> &'a str {
        match self.dialect {
            Dialect::Sqlite => "",
            Dialect::MySql => product_id,
        }
    }
}

/// What every new connection is told.
fn session(dialect: Dialect) -> &'static str {
    match dialect {
        // FULL: a commit that was answered survives a power cut, also in WAL mode.
        Dialect::Sqlite => {
            "pragma busy_timeout = 5000; pragma journal_mode = wal; \
             pragma synchronous = full; pragma foreign_keys = on;"
        }
        // The server's default is 50 s, longer than any of our callers waits. Strict mode refuses what
        // does not fit a column instead of cutting it off.
        Dialect::MySql => {
            "set session innodb_lock_wait_timeout = 5, \
             session sql_mode = concat(@@sql_mode, ',STRICT_TRANS_TABLES')"
        }
    }
}

fn read_url(url: &str) -> Result<(Dialect, String)> {
    if url.starts_with("mysql:") || url.starts_with("mariadb:") {
        return Ok((Dialect::MySql, url.to_owned()));
    }
    if !url.starts_with("sqlite:") {
        return Err(invalid_url("must begin with sqlite: or mysql:"));
    }
    if cfg!(not(feature = "sqlite")) {
        return Err(invalid_url(
            "must begin with mysql: in this program, which was built without SQLite",
        ));
    }
    if url.contains(":memory:") || url.contains("mode=memory") {
        // Each connection would see a database of its own.
        return Err(invalid_url("must name a file, not memory"));
    }
    let separator = if url.contains('?') { '&' } else { '?' };
    let url = match url.contains("mode=") {
        true => url.to_owned(),
        false => format!("{url}{separator}mode=rwc"),
    };
    Ok((Dialect::Sqlite, url))
}

/// Without the URL itself, which may hold a password.
fn invalid_url(problem: &str) -> Error {
    Error::Invalid {
        field: "database_url",
        problem: problem.to_owned(),
    }
}

//! What can go wrong, in the caller's words.
//!
//! Policy: the text of an [`Error`] may be shown to a client. It never holds SQL, a URL, a path or what
//! the database said; that is in [`source`](std::error::Error::source), for the log. An API answers
//! `NotFound` with 404 (or what its contract says), `Invalid` with 400, `Conflict` with 409, and whatever
//! [`is_transient`](Error::is_transient) with 503 and `Retry-After`.

use std::fmt;

use sqlx::mysql::MySqlDatabaseError;

/// What this crate's functions return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why the shop did not do something. Unless the variant says otherwise, nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such row.
    #[error("there is no {entity} {id}")]
    NotFound {
        /// What was looked for.
        entity: Entity,
        /// Under which id.
        id: String,
    },
    /// An argument is outside its limits.
    #[error("{field} {problem}")]
    Invalid {
        /// The argument's name in this crate (`quantity`).
        field: &'static str,
        /// What is wrong with it, as the rest of a sentence that begins with the field.
        problem: String,
    },
    /// The idempotency key belongs to an earlier checkout that asked for something else.
    #[error("this idempotency key was used for a different order; use a new key for a new order")]
    KeyReused,
    /// Others kept the database busy for longer than we wait.
    #[error("the shop is busy, try again shortly")]
    Busy(#[source] sqlx::Error),
    /// The database is gone, full or read-only. If it went during a commit, the change may have been
    /// made: repeat the call with the same ids or key.
    #[error("the shop's database cannot be used at the moment, try again later")]
    Unavailable(#[source] sqlx::Error),
    /// The database's structure does not fit this program: which migrations, and what to do.
    #[error("{0}")]
    Schema(String),
    /// A statement failed for a reason that is our mistake.
    #[error("the shop made a mistake with its database; the log says which")]
    Fault(#[source] sqlx::Error),
}

/// A kind of row, for [`Error::NotFound`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entity {
    /// A row of `products`.
    Product,
    /// A row of `orders`.
    Order,
    /// A row of `reorders`.
    Reorder,
    /// A row of `attempts`.
    Attempt,
    /// A row of `arrivals`.
    Arrival,
    /// A row of `customers`.
    Customer,
}

impl fmt::Display for Entity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Product => "product",
            Self::Order => "order",
            Self::Reorder => "reorder",
            Self::Attempt => "attempt",
            Self::Arrival => "arrival",
            Self::Customer => "customer",
        })
    }
}

impl Entity {
    /// The error that says there is none with this id.
    pub(crate) fn missing(self, id: &str) -> Error {
        Error::NotFound {
            entity: self,
            id: id.to_owned(),
        }
    }
}

impl Error {
    /// Whether the same call may succeed later without anyone repairing anything here.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Busy(_) | Self::Unavailable(_))
    }

    /// Whether a row with this unique key exists already.
    pub(crate) fn is_unique_violation(&self) -> bool {
        self.database()
            .is_some_and(sqlx::error::DatabaseError::is_unique_violation)
    }

    /// Whether a row refers to a row that does not exist.
    pub(crate) fn is_foreign_key_violation(&self) -> bool {
        self.database()
            .is_some_and(sqlx::error::DatabaseError::is_foreign_key_violation)
    }

    /// A transient error once more, for another caller of the same transaction. Its cause is a copy in words.
    pub(crate) fn repeated(&self) -> Self {
        let words = |source: &sqlx::Error| sqlx::Error::AnyDriverError(source.to_string().into());
        match self {
            Self::Busy(source) => Self::Busy(words(source)),
            Self::Unavailable(source) | Self::Fault(source) => Self::Unavailable(words(source)),
            other => Self::Unavailable(sqlx::Error::AnyDriverError(other.to_string().into())),
        }
    }

    fn database(&self) -> Option<&dyn sqlx::error::DatabaseError> {
        match self {
            Self::Fault(source) => source.as_database_error(),
            _ => None,
        }
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        match Trouble::of(&error) {
            Trouble::Busy => Self::Busy(error),
            Trouble::Gone => Self::Unavailable(error),
            Trouble::Ours => Self::Fault(error),
        }
    }
}

enum Trouble {
    Busy,
    Gone,
    Ours,
}

impl Trouble {
    fn of(error: &sqlx::Error) -> Self {
        match error {
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::Protocol(_) => Self::Gone,
            sqlx::Error::Database(database) => {
                match database.try_downcast_ref::<MySqlDatabaseError>() {
                    Some(mysql) => Self::of_mysql(mysql.number()),
                    None => Self::of_sqlite(database.code().and_then(|code| code.parse().ok())),
                }
            }
            _ => Self::Ours,
        }
    }

    /// MySQL's and MariaDB's server error numbers.
    fn of_mysql(number: u16) -> Self {
        match number {
            // Lock wait timeout, deadlock, record changed since the snapshot (MariaDB).
            1205 | 1213 | 1020 => Self::Busy,
            // Too many connections, no such user/database or no rights (credentials rotate), shutting down,
            // read-only (a fail-over), disk full, query interrupted, connection killed.
            1040 | 1044 | 1045 | 1049 | 1053 | 1290 | 1792 | 1836 | 1021 | 1114 | 1317 | 1927 => {
                Self::Gone
            }
            _ => Self::Ours,
        }
    }

    /// SQLite's result codes; the low byte is the primary one.
    fn of_sqlite(code: Option<u32>) -> Self {
        match code.map(|code| code & 0xff) {
            // BUSY, LOCKED
            Some(5 | 6) => Self::Busy,
            // PERM, READONLY, IOERR, CORRUPT, FULL, CANTOPEN, NOTADB
            Some(3 | 8 | 10 | 11 | 13 | 14 | 26) => Self::Gone,
            _ => Self::Ours,
        }
    }
}

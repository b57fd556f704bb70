//! Tokens: who waits for an attempt's arrival. Owns the table `tokens`.
//!
//! To the shop a token is an opaque text that its owner can be called back with. Rows are added and
//! closed, never overwritten: an attempt may be waited for again after a replay. How waiting and arriving
//! meet is told in [`arrival`](crate::arrival). Where both sides see each other, two want to answer one token, and the
//! second would be told that nobody waits, which would look like a late arrival: so a token is [`take`]n before.

use sha2::{Digest, Sha256};
use sqlx::FromRow;

use crate::arrival::{self, Arrival};
use crate::db::Warehouse;
use crate::error::{Entity, Error, Result};
use crate::{id, write};

/// Someone who waits.
#[derive(Clone, PartialEq, Eq, FromRow)]
pub struct Token {
    /// Names it here; a digest of the token.
    pub token_id: String,
    /// The attempt that is waited for.
    pub attempt_id: String,
    /// The token itself. A secret: whoever has it can answer.
    pub token: String,
    /// When it was registered, in milliseconds since 1970 in UTC.
    pub opened_at: i64,
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Token")
            .field("token_id", &self.token_id)
            .field("attempt_id", &self.attempt_id)
            .field("opened_at", &self.opened_at)
            .finish_non_exhaustive()
    }
}

/// Why a token needs no answer any more. None of these proves that the arrival was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closed {
    /// Its owner took the answer.
    Accepted,
    /// Its owner has stopped waiting.
    TimedOut,
    /// Its owner does not exist (any more).
    Unknown,
    /// It is not a token.
    Invalid,
}

impl Closed {
    /// As the database writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::TimedOut => "timed_out",
            Self::Unknown => "unknown",
            Self::Invalid => "invalid",
        }
    }
}

/// What [`register`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registered {
    /// For [`close`].
    pub token_id: String,
    /// The arrival, if it was there already: the token can be answered at once. Whoever recorded the arrival may have
    /// seen this token as well and want to answer it too: [`take`] decides which of the two does.
    pub arrival: Option<Arrival>,
}

/// Commits a token, then looks whether the arrival is there already. Registering the same token again
/// changes nothing.
///
/// # Errors
/// `NotFound` for an unknown attempt.
pub async fn register(warehouse: &Warehouse, attempt_id: &str, token: &str) -> Result<Registered> {
    let digest = Sha256::digest(token.as_bytes());
    let token_id: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let inserted = write::transaction!(&warehouse.0, "token::register", |c| {
        sqlx::query(
            "insert into tokens (token_id, attempt_id, token, opened_at) values (?, ?, ?, ?)",
        )
        .bind(&token_id)
        .bind(attempt_id)
        .bind(token)
        .bind(id::now_ms())
        .execute(c)
        .await?;
        Ok(())
    });
    match inserted {
        Ok(()) => {}
        Err(error) if error.is_unique_violation() => {}
        Err(error) if error.is_foreign_key_violation() => {
            return Err(Entity::Attempt.missing(attempt_id));
        }
        Err(error) => return Err(error),
    }
    // After the commit, in a transaction of its own.
    let arrival = match arrival::get(warehouse, attempt_id).await {
        Ok(arrival) => Some(arrival),
        Err(Error::NotFound { .. }) => None,
        Err(error) => return Err(error),
    };
    Ok(Registered { token_id, arrival })
}

/// Takes the answering of an open token for `lease_ms` milliseconds. False where another has it, or it is closed: leave
/// it alone. One that crashes with it is followed by whoever comes after the lease.
pub async fn take(warehouse: &Warehouse, token_id: &str, lease_ms: i64) -> Result<bool> {
    let now = id::now_ms();
    write::transaction!(&warehouse.0, "token::take", |c| {
        let done = sqlx::query(
            "update tokens set answering_until = ? where token_id = ? and closed_at is null \
             and (answering_until is null or answering_until <= ?)",
        )
        .bind(now.saturating_add(lease_ms))
        .bind(token_id)
        .bind(now)
        .execute(c)
        .await?;
        Ok(done.rows_affected() == 1)
    })
}

/// Gives the answering back because the answer did not reach its owner: the next one may take it at once.
pub async fn give_back(warehouse: &Warehouse, token_id: &str) -> Result<()> {
    write::transaction!(&warehouse.0, "token::give_back", |c| {
        sqlx::query("update tokens set answering_until = null where token_id = ?")
            .bind(token_id)
            .execute(c)
            .await?;
        Ok(())
    })
}

/// Closes a token. The first reason stays.
pub async fn close(warehouse: &Warehouse, token_id: &str, reason: Closed) -> Result<()> {
    write::transaction!(&warehouse.0, "token::close", |c| {
        sqlx::query(
            "update tokens set closed_at = ?, close_reason = ? \
             where token_id = ? and closed_at is null",
        )
        .bind(id::now_ms())
        .bind(reason.as_str())
        .bind(token_id)
        .execute(c)
        .await?;
        Ok(())
    })
}

/// How many wait, and since when the one that waits longest does, in milliseconds since 1970 in UTC.
pub async fn waiting(warehouse: &Warehouse) -> Result<(i64, Option<i64>)> {
    let waiting =
        sqlx::query_as("select count(*), min(opened_at) from tokens where closed_at is null");
    Ok(waiting.fetch_one(warehouse.pool()).await?)
}

/// Who waits for this attempt, in order of registration.
pub async fn open_for(warehouse: &Warehouse, attempt_id: &str) -> Result<Vec<Token>> {
    let tokens = sqlx::query_as(
        "select token_id, attempt_id, token, opened_at from tokens \
         where attempt_id = ? and closed_at is null order by opened_at, token_id",
    )
    .bind(attempt_id)
    .fetch_all(warehouse.pool())
    .await?;
    Ok(tokens)
}

/// Whether someone who waited for this attempt took its arrival, and so counts it.
pub async fn taken(warehouse: &Warehouse, attempt_id: &str) -> Result<bool> {
    let taken: i64 = sqlx::query_scalar(
        "select count(*) from tokens where attempt_id = ? and close_reason = 'accepted'",
    )
    .bind(attempt_id)
    .fetch_one(warehouse.pool())
    .await?;
    Ok(taken > 0)
}

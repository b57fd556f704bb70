//! Mail to the advertising manager: which was sent. Owns the table `mails`.
//!
//! The mail service cannot be asked whether it sent something, so sending is [`claim`]ed before and
//! [`sent`] is noted after. A crash between the two leaves a claim that runs out; who claims it
//! then sends, and the manager may get that one mail twice. Nothing else sends twice.

use sqlx::FromRow;

use crate::db::Warehouse;
use crate::error::{Entity, Error, Result};
use crate::{id, write};

/// What the mail says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The product ran out: stop its ads.
    Stop,
    /// The product is back: its ads may go on.
    Resume,
}

impl Kind {
    /// As the database writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Resume => "resume",
        }
    }
}

/// Whether to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// Yes, and nobody else does until the claim runs out.
    Send,
    /// Another claim has not run out: look again later.
    Busy,
    /// No: it was sent.
    Sent {
        /// The mail service's id of it.
        message_id: String,
    },
}

#[derive(FromRow)]
struct Row {
    message_id: Option<String>,
}

/// Claims the sending of one mail for `lease_ms` milliseconds.
///
/// # Errors
/// `NotFound` for an unknown reorder.
pub async fn claim(
    warehouse: &Warehouse,
    reorder_id: &str,
    kind: Kind,
    lease_ms: i64,
) -> Result<Claim> {
    let now = id::now_ms();
    let until = now.saturating_add(lease_ms);
    let inserted: Result<()> = write::transaction!(&warehouse.0, "mail::claim", |c| {
        sqlx::query("insert into mails (reorder_id, kind, claimed_until) values (?, ?, ?)")
            .bind(reorder_id)
            .bind(kind.as_str())
            .bind(until)
            .execute(c)
            .await?;
        Ok(())
    });
    match inserted {
        Ok(()) => return Ok(Claim::Send),
        Err(error) if error.is_unique_violation() => {}
        Err(error) if error.is_foreign_key_violation() => {
            return Err(Entity::Reorder.missing(reorder_id));
        }
        Err(error) => return Err(error),
    }
    let taken: Result<bool> = write::transaction!(&warehouse.0, "mail::claim_again", |c| {
        let done = sqlx::query(
            "update mails set claimed_until = ? where reorder_id = ? and kind = ? \
             and message_id is null and claimed_until <= ?",
        )
        .bind(until)
        .bind(reorder_id)
        .bind(kind.as_str())
        .bind(now)
        .execute(c)
        .await?;
        Ok(done.rows_affected() == 1)
    });
    if taken? {
        return Ok(Claim::Send);
    }
    let row: Row = sqlx::query_as("select message_id from mails where reorder_id = ? and kind = ?")
        .bind(reorder_id)
        .bind(kind.as_str())
        .fetch_one(warehouse.pool())
        .await
        .map_err(Error::from)?;
    Ok(row
        .message_id
        .map_or(Claim::Busy, |message_id| Claim::Sent { message_id }))
}

/// Notes that the mail was sent. The first note stays.
pub async fn sent(
    warehouse: &Warehouse,
    reorder_id: &str,
    kind: Kind,
    message_id: &str,
) -> Result<()> {
    write::transaction!(&warehouse.0, "mail::sent", |c| {
        sqlx::query(
            "update mails set message_id = ?, sent_at = ? \
             where reorder_id = ? and kind = ? and message_id is null",
        )
        .bind(message_id)
        .bind(id::now_ms())
        .bind(reorder_id)
        .bind(kind.as_str())
        .execute(c)
        .await?;
        Ok(())
    })
}

/// Gives a claim back because the mail service did not take the mail: the next one may claim it at once.
pub async fn release(warehouse: &Warehouse, reorder_id: &str, kind: Kind) -> Result<()> {
    write::transaction!(&warehouse.0, "mail::release", |c| {
        sqlx::query(
            "update mails set claimed_until = 0 \
             where reorder_id = ? and kind = ? and message_id is null",
        )
        .bind(reorder_id)
        .bind(kind.as_str())
        .execute(c)
        .await?;
        Ok(())
    })
}

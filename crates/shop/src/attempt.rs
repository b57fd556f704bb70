//! Attempts: calls to the factory. Owns the table `attempts`.
//!
//! An attempt is committed before its call is made, so that a callback always finds it, whatever became
//! of the call: [`request`], then the call, then [`accept`] or [`fail`]. A call that timed out may still
//! be delivered, so each repetition is an attempt of its own, and two that deliver are two deliveries.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use crate::db::Warehouse;
use crate::error::{Entity, Result};
use crate::reorder::{self, Standing};
use crate::{arrival, id, product, write};

/// What became of the call, as far as the call itself told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// About to be made, or its answer was never seen.
    Requested,
    /// The factory said yes.
    Accepted,
    /// The factory said no, or the call failed. It may deliver all the same.
    Failed,
}

impl Status {
    /// As the database writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Accepted => "accepted",
            Self::Failed => "failed",
        }
    }
}

impl TryFrom<String> for Status {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        [Self::Requested, Self::Accepted, Self::Failed]
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or_else(|| format!("no attempt status is called {text}"))
    }
}

/// One call to the factory.
#[derive(Debug, Clone, PartialEq, Eq, FromRow, Serialize, JsonSchema)]
pub struct Attempt {
    /// Its id, `AT-…`, which is part of its callback URL.
    pub attempt_id: String,
    /// The reorder that it serves.
    pub reorder_id: String,
    /// What is asked for.
    pub product_id: String,
    /// How many.
    pub quantity: i64,
    /// What became of the call.
    #[sqlx(try_from = "String")]
    pub status: Status,
    /// The factory's own id of what it accepted.
    pub factory_reference: Option<String>,
    /// Why it failed.
    pub failure: Option<String>,
    /// When it was committed, in milliseconds since 1970 in UTC. Later than every earlier attempt of its reorder, also
    /// where the clock says otherwise.
    pub requested_at: i64,
    /// When it was accepted or failed.
    pub settled_at: Option<i64>,
}

/// Whether the factory may be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Yes: make the call for this attempt.
    Ask(Attempt),
    /// No need: an earlier attempt of this reorder was delivered. Go on with that one, which counts it if nobody has.
    Arrived {
        /// The delivered attempt.
        attempt_id: String,
    },
    /// No: the reorder lost its claim, and another one of the product is open.
    Superseded {
        /// The open one.
        by: String,
    },
}

/// How the failure of an attempt begins whose call was never made.
const NOT_CALLED: &str = "not called: ";

/// Commits a new attempt for a reorder that holds its claim, or can take it again, unless one of its earlier attempts was
/// delivered meanwhile.
///
/// Repeating and arriving meet like waiting and arriving do (see [`arrival`]): this commits its attempt, then looks for a
/// delivery of an earlier one; the receiver commits the delivery, then asks whether the attempt was [`repeated`]. So one
/// of them sees the other. Where both do, the delivery is counted once all the same, and the new attempt is not called.
pub async fn request(warehouse: &Warehouse, reorder_id: &str) -> Result<Request> {
    let request = commit(warehouse, reorder_id).await?;
    let Request::Ask(attempt) = &request else {
        return Ok(request);
    };
    // After the commit, in a transaction of its own.
    let Some(attempt_id) = arrival::first_of(warehouse, reorder_id).await? else {
        return Ok(request);
    };
    let failure = format!("{NOT_CALLED}attempt {attempt_id} had been delivered");
    fail(warehouse, &attempt.attempt_id, &failure).await?;
    Ok(Request::Arrived { attempt_id })
}

async fn commit(warehouse: &Warehouse, reorder_id: &str) -> Result<Request> {
    let product_id = reorder::get(warehouse, reorder_id).await?.product_id;
    let attempt_id = id::new("AT");
    write::transaction!(&warehouse.0, "attempt::request", |c| {
        let product = product::lock(c, &product_id).await?;
        let reorder = reorder::find(c, reorder_id).await?;
        // Mostly it is there before the attempt is made; the look after the commit is for what comes at the same time.
        if let Some(attempt_id) = arrival::find_first_of(c, reorder_id).await? {
            return Ok(Request::Arrived { attempt_id });
        }
        let reorder = match reorder::hold(c, &product, reorder).await? {
            Standing::Held(reorder) => reorder,
            Standing::Superseded { by } => return Ok(Request::Superseded { by }),
        };
        // Two in one millisecond, or a clock that was set back, must not change their order. The product's lock keeps
        // others from adding one meanwhile.
        let last: Option<i64> =
            sqlx::query_scalar("select max(requested_at) from attempts where reorder_id = ?")
                .bind(reorder_id)
                .fetch_one(&mut *c)
                .await?;
        let requested_at = last.map_or(id::now_ms(), |last| id::now_ms().max(last + 1));
        let attempt = Attempt {
            attempt_id: attempt_id.clone(),
            reorder_id: reorder.reorder_id,
            product_id: reorder.product_id,
            quantity: reorder.quantity,
            status: Status::Requested,
            factory_reference: None,
            failure: None,
            requested_at,
            settled_at: None,
        };
        sqlx::query(
            "insert into attempts (attempt_id, reorder_id, product_id, quantity, status, \
             requested_at) values (?, ?, ?, ?, ?, ?)",
        )
        .bind(&attempt.attempt_id)
        .bind(&attempt.reorder_id)
        .bind(&attempt.product_id)
        .bind(attempt.quantity)
        .bind(attempt.status.as_str())
        .bind(attempt.requested_at)
        .execute(c)
        .await?;
        Ok(Request::Ask(attempt))
    })
}

/// Notes that the factory accepted, with its own id if it gave one (cut off at 255 characters). Does
/// nothing to an attempt that was settled before.
pub async fn accept(
    warehouse: &Warehouse,
    attempt_id: &str,
    factory_reference: Option<&str>,
) -> Result<()> {
    let reference = factory_reference.map(|text| text.chars().take(255).collect::<String>());
    settle(warehouse, attempt_id, Status::Accepted, reference, None).await
}

/// Notes why the call failed (cut off at 2,000 characters). Does nothing to an attempt that was settled
/// before.
pub async fn fail(warehouse: &Warehouse, attempt_id: &str, failure: &str) -> Result<()> {
    let failure = Some(failure.chars().take(2_000).collect());
    settle(warehouse, attempt_id, Status::Failed, None, failure).await
}

async fn settle(
    warehouse: &Warehouse,
    attempt_id: &str,
    status: Status,
    reference: Option<String>,
    failure: Option<String>,
) -> Result<()> {
    let settled = write::transaction!(&warehouse.0, "attempt::settle", |c| {
        let done = sqlx::query(
            "update attempts set status = ?, factory_reference = ?, failure = ?, settled_at = ? \
             where attempt_id = ? and status = 'requested'",
        )
        .bind(status.as_str())
        .bind(reference.as_deref())
        .bind(failure.as_deref())
        .bind(id::now_ms())
        .bind(attempt_id)
        .execute(c)
        .await?;
        Ok(done.rows_affected() == 1)
    });
    if !settled? {
        // Settled before, or unknown?
        get(warehouse, attempt_id).await?;
    }
    Ok(())
}

/// The attempt with this id.
pub async fn get(warehouse: &Warehouse, attempt_id: &str) -> Result<Attempt> {
    let attempt = sqlx::query_as(
        "select attempt_id, reorder_id, product_id, quantity, status, factory_reference, failure, \
         requested_at, settled_at from attempts where attempt_id = ?",
    )
    .bind(attempt_id)
    .fetch_optional(warehouse.pool())
    .await?;
    attempt.ok_or_else(|| Entity::Attempt.missing(attempt_id))
}

/// The attempts of a reorder, oldest first.
pub async fn list(warehouse: &Warehouse, reorder_id: &str) -> Result<Vec<Attempt>> {
    let attempts = sqlx::query_as(
        "select attempt_id, reorder_id, product_id, quantity, status, factory_reference, failure, \
         requested_at, settled_at from attempts where reorder_id = ? \
         order by requested_at, attempt_id",
    )
    .bind(reorder_id)
    .fetch_all(warehouse.pool())
    .await?;
    Ok(attempts)
}

/// Whether its reorder has a later attempt that was called, or is about to be. Then the execution goes on with that one,
/// and nobody will come to wait for this one: who repeats a call does not know what became of it.
pub async fn repeated(warehouse: &Warehouse, attempt_id: &str) -> Result<bool> {
    let this = get(warehouse, attempt_id).await?;
    let later: i64 = sqlx::query_scalar(
        "select count(*) from attempts where reorder_id = ? and requested_at > ? \
         and (failure is null or failure not like ?)",
    )
    .bind(&this.reorder_id)
    .bind(this.requested_at)
    .bind(format!("{NOT_CALLED}%"))
    .fetch_one(warehouse.pool())
    .await?;
    Ok(later > 0)
}

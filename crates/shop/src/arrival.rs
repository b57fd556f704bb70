//! Arrivals: what the factory delivered, at most one per attempt. Owns the table `arrivals`.
//!
//! An arrival is first [`record`]ed, then whoever waits for it is told, then it is [`apply`]ed: counted
//! into the stock, once, however often and by whomever that is called. Where nobody waits, the receiver
//! applies it itself ([`apply_alone`]); what a crash left between is found by [`unapplied`]. What operations must hear of
//! an arrival is recorded with the count, and [`unreported`] finds what they have not heard of.
//!
//! Waiting and arriving meet like this, and on no database may either order lose the other: the waiter
//! commits its token, then looks for the arrival ([`token::register`](crate::token::register)); the
//! receiver commits the arrival, then looks for tokens. "Write mine, read the other's, commit" in one
//! transaction per side loses both where reads come from a snapshot (MySQL).

use schemars::JsonSchema;
use serde::Serialize;
use sqlx::{AnyConnection, FromRow};

use crate::db::Warehouse;
use crate::error::{Entity, Error, Result};
use crate::ledger::{self, Entry};
use crate::product::{self, Product};
use crate::reorder::{self, Reorder};
use crate::token::{self, Token};
use crate::{MAX_DELIVERY, attempt, id, write};

/// So many deliveries tell how long the factory takes.
const LAST: i64 = 10;

/// What came of an attempt.
#[derive(Debug, Clone, PartialEq, Eq, FromRow, Serialize, JsonSchema)]
pub struct Arrival {
    /// The attempt that was delivered; also the arrival's own id.
    pub attempt_id: String,
    /// The reorder of that attempt.
    pub reorder_id: String,
    /// What came.
    pub product_id: String,
    /// How many were asked for.
    pub asked: i64,
    /// How many came.
    pub delivered: i64,
    /// When, in milliseconds since 1970 in UTC.
    pub arrived_at: i64,
    /// When it was counted into the stock.
    pub applied_at: Option<i64>,
    /// What operations must hear of it besides its counts, in sentences.
    pub remark: Option<String>,
    /// When operations had heard of it, or when it was counted where there is nothing to tell.
    pub reported_at: Option<i64>,
}

impl Arrival {
    /// Items asked for that did not come.
    pub fn missing(&self) -> i64 {
        (self.asked - self.delivered).max(0)
    }

    /// Whether it is counted and operations have yet to hear of it.
    pub fn must_be_reported(&self) -> bool {
        self.applied_at.is_some() && self.reported_at.is_none()
    }
}

/// When the next delivery may be there, judged by the last ones of the same product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected {
    /// In milliseconds since 1970 in UTC; may be past.
    pub at: i64,
    /// The median time from request to delivery, in milliseconds.
    pub took: i64,
    /// Of so many deliveries.
    pub deliveries: usize,
}

/// What [`record`] did and found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// The arrival as it was first recorded.
    pub arrival: Arrival,
    /// Whether this call recorded it; false for a repeated callback, whose count is ignored.
    pub first: bool,
    /// Who waits for it. If none of them accepts, [`apply`].
    pub open_tokens: Vec<Token>,
}

/// What [`apply`] did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// The arrival, counted.
    pub arrival: Arrival,
    /// The product after this call.
    pub product: Product,
    /// Whether this call counted it; false where it was counted before.
    pub first: bool,
    /// The open reorder that the close of this arrival's reorder opened, because a customer's count is
    /// still unmet: start its execution. A repeated call returns it again while it is open.
    pub next: Option<Reorder>,
}

/// Commits a delivery of `delivered` items, 0 to [`MAX_DELIVERY`], then looks who waits for it.
///
/// # Errors
/// `NotFound` for an unknown attempt, `Invalid` for the count.
pub async fn record(warehouse: &Warehouse, attempt_id: &str, delivered: i64) -> Result<Recorded> {
    if !(0..=MAX_DELIVERY).contains(&delivered) {
        return Err(Error::Invalid {
            field: "delivered",
            problem: format!("must be from 0 to {MAX_DELIVERY}"),
        });
    }
    let attempt = attempt::get(warehouse, attempt_id).await?;
    let arrival = Arrival {
        attempt_id: attempt.attempt_id,
        reorder_id: attempt.reorder_id,
        product_id: attempt.product_id,
        asked: attempt.quantity,
        delivered,
        arrived_at: id::now_ms(),
        applied_at: None,
        remark: None,
        reported_at: None,
    };
    let inserted = write::transaction!(&warehouse.0, "arrival::record", |c| {
        sqlx::query(
            "insert into arrivals (attempt_id, reorder_id, product_id, asked, delivered, \
             arrived_at) values (?, ?, ?, ?, ?, ?)",
        )
        .bind(&arrival.attempt_id)
        .bind(&arrival.reorder_id)
        .bind(&arrival.product_id)
        .bind(arrival.asked)
        .bind(arrival.delivered)
        .bind(arrival.arrived_at)
        .execute(c)
        .await?;
        Ok(())
    });
    let (arrival, first) = match inserted {
        Ok(()) => (arrival, true),
        Err(error) if error.is_unique_violation() => (get(warehouse, attempt_id).await?, false),
        Err(error) => return Err(error),
    };
    // After the commit, in a transaction of its own.
    let open_tokens = token::open_for(warehouse, attempt_id).await?;
    Ok(Recorded {
        arrival,
        first,
        open_tokens,
    })
}

/// Counts a recorded arrival: ledger, stock, the close of its reorder and the opening of the next one
/// are one transaction. Idempotent.
///
/// # Errors
/// `NotFound` where no arrival was recorded for this attempt.
pub async fn apply(warehouse: &Warehouse, attempt_id: &str) -> Result<Applied> {
    count(warehouse, attempt_id, None).await
}

/// As [`apply`], where no execution takes the arrival: `why` is kept as what operations must hear of.
pub async fn apply_alone(warehouse: &Warehouse, attempt_id: &str, why: &str) -> Result<Applied> {
    count(warehouse, attempt_id, Some(why)).await
}

async fn count(warehouse: &Warehouse, attempt_id: &str, alone: Option<&str>) -> Result<Applied> {
    // What was asked for and what came never changes, so it may be read before the lock.
    let product_id = get(warehouse, attempt_id).await?.product_id;
    let next_id = id::new("RO");
    write::transaction!(&warehouse.0, "arrival::apply", |c| {
        let mut product = product::lock(c, &product_id).await?;
        let mut arrival = find(c, attempt_id).await?;
        let first = arrival.applied_at.is_none();
        if first {
            let now = id::now_ms();
            let delivered = arrival.delivered;
            let entry = Entry::Arrival {
                attempt_id,
                delivered,
            };
            ledger::insert(c, &[(&product_id, entry)]).await?;
            product::put(c, &product_id, delivered).await?;
            mark_applied(c, attempt_id, now).await?;
            arrival.applied_at = Some(now);
            let stock = product.stock + delivered;
            let given_up =
                reorder::close_arrived(c, &product, &arrival.reorder_id, &next_id, stock).await?;
            let remarks = [alone.map(str::to_owned), given_up.map(|it| it.to_string())];
            let remarks: Vec<_> = remarks.into_iter().flatten().collect();
            arrival.remark = (!remarks.is_empty()).then(|| remarks.join(" "));
            let silent = arrival.remark.is_none() && delivered == arrival.asked;
            arrival.reported_at = silent.then_some(now);
            note(c, &arrival).await?;
            product = product::find(c, &product_id).await?;
        }
        let next = reorder::successor(c, &arrival.reorder_id).await?;
        Ok(Applied {
            arrival,
            product,
            first,
            next,
        })
    })
}

/// The arrival of this attempt.
pub async fn get(warehouse: &Warehouse, attempt_id: &str) -> Result<Arrival> {
    let mut connection = warehouse.pool().acquire().await?;
    find(&mut connection, attempt_id).await
}

/// Arrivals recorded before `before_ms` that nobody counted, oldest first, at most `limit`: the sweep
/// applies each.
pub async fn unapplied(warehouse: &Warehouse, before_ms: i64, limit: i64) -> Result<Vec<Arrival>> {
    let arrivals = sqlx::query_as(
        "select attempt_id, reorder_id, product_id, asked, delivered, arrived_at, applied_at, remark, reported_at \
         from arrivals where applied_at is null and arrived_at < ? order by arrived_at limit ?",
    )
    .bind(before_ms)
    .bind(limit)
    .fetch_all(warehouse.pool())
    .await?;
    Ok(arrivals)
}

/// Arrivals counted before `before_ms` that operations have yet to hear of, oldest first, at most `limit`.
pub async fn unreported(warehouse: &Warehouse, before_ms: i64, limit: i64) -> Result<Vec<Arrival>> {
    let arrivals = sqlx::query_as(
        "select attempt_id, reorder_id, product_id, asked, delivered, arrived_at, applied_at, remark, reported_at \
         from arrivals where reported_at is null and applied_at < ? order by applied_at limit ?",
    )
    .bind(before_ms)
    .bind(limit)
    .fetch_all(warehouse.pool())
    .await?;
    Ok(arrivals)
}

/// Notes that operations have heard of it. The first note stays.
pub async fn reported(warehouse: &Warehouse, attempt_id: &str) -> Result<()> {
    write::transaction!(&warehouse.0, "arrival::reported", |c| {
        sqlx::query(
            "update arrivals set reported_at = ? where attempt_id = ? and reported_at is null",
        )
        .bind(id::now_ms())
        .bind(attempt_id)
        .execute(c)
        .await?;
        Ok(())
    })
}

/// When a delivery for this reorder may be there: its last request (now, where the factory is yet to be asked) and the
/// median time that the last [`LAST`] deliveries of the product took. None where it was never delivered.
///
/// # Errors
/// `NotFound` for an unknown reorder.
pub async fn expected(warehouse: &Warehouse, reorder_id: &str) -> Result<Option<Expected>> {
    let product_id = reorder::get(warehouse, reorder_id).await?.product_id;
    let mut took: Vec<i64> = sqlx::query_scalar(
        "select a.arrived_at - t.requested_at from arrivals a \
         join attempts t on t.attempt_id = a.attempt_id \
         where a.product_id = ? order by a.arrived_at desc limit ?",
    )
    .bind(&product_id)
    .bind(LAST)
    .fetch_all(warehouse.pool())
    .await?;
    took.sort_unstable();
    let Some(&median) = took.get(took.len() / 2) else {
        return Ok(None);
    };
    let asked = attempt::list(warehouse, reorder_id).await?;
    let asked_at = asked.last().map_or_else(id::now_ms, |it| it.requested_at);
    Ok(Some(Expected {
        at: asked_at + median.max(0),
        took: median.max(0),
        deliveries: took.len(),
    }))
}

/// The attempt of a reorder's first delivery, counted or not; one that was counted goes before one that was not.
pub(crate) async fn first_of(warehouse: &Warehouse, reorder_id: &str) -> Result<Option<String>> {
    let mut connection = warehouse.pool().acquire().await?;
    find_first_of(&mut connection, reorder_id).await
}

/// As [`first_of`], inside a transaction.
pub(crate) async fn find_first_of(
    c: &mut AnyConnection,
    reorder_id: &str,
) -> Result<Option<String>> {
    let attempt_id = sqlx::query_scalar(
        "select attempt_id from arrivals where reorder_id = ? \
         order by case when applied_at is null then 1 else 0 end, applied_at, arrived_at, attempt_id limit 1",
    )
    .bind(reorder_id)
    .fetch_optional(c)
    .await?;
    Ok(attempt_id)
}

async fn find(c: &mut AnyConnection, attempt_id: &str) -> Result<Arrival> {
    let arrival = sqlx::query_as(
        "select attempt_id, reorder_id, product_id, asked, delivered, arrived_at, applied_at, remark, reported_at \
         from arrivals where attempt_id = ?",
    )
    .bind(attempt_id)
    .fetch_optional(c)
    .await?;
    arrival.ok_or_else(|| Entity::Arrival.missing(attempt_id))
}

async fn mark_applied(c: &mut AnyConnection, attempt_id: &str, now: i64) -> Result<()> {
    sqlx::query("update arrivals set applied_at = ? where attempt_id = ?")
        .bind(now)
        .bind(attempt_id)
        .execute(c)
        .await?;
    Ok(())
}

async fn note(c: &mut AnyConnection, arrival: &Arrival) -> Result<()> {
    sqlx::query("update arrivals set remark = ?, reported_at = ? where attempt_id = ?")
        .bind(arrival.remark.as_deref())
        .bind(arrival.reported_at)
        .bind(&arrival.attempt_id)
        .execute(c)
        .await?;
    Ok(())
}

//! The outbox: sales that the world is to hear of. Owns the tables `outbox`, `outbox_lease` and `buyers`.
//!
//! A row is written in the transaction that takes the stock, so there is one exactly when there is a sale.
//! Whoever publishes (the relay) [`take`]s what is unpublished, publishes, and [`mark`]s it: a crash
//! between the two publishes once more, and nothing is lost. One relay at a time holds a short lease, which
//! each [`take`] renews; it must publish well within it, or another relay may go on meanwhile.
//!
//! Order: a customer's sales come in the order in which they were committed, whatever the clocks of the
//! machines that made them. Sales of different customers come by time.

use sqlx::{AnyConnection, FromRow};

use crate::db::Warehouse;
use crate::error::Result;
use crate::order::Order;
use crate::{id, write};

/// A sale to a customer.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Sale {
    /// The order, which is also the event's own id.
    pub order_id: String,
    /// What was bought.
    pub product_id: String,
    /// By whom. Need not exist.
    pub customer_id: String,
    /// Items of this order.
    pub quantity: i64,
    /// Items this customer has bought so far, this order included.
    pub total: i64,
    /// When, in milliseconds since 1970.
    pub sold_at: i64,
}

/// One who publishes, for as long as it has something to publish.
#[derive(Debug)]
pub struct Relay {
    id: String,
    lease_ms: i64,
}

/// What a relay may publish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// These, in this order, within the lease; none are left if it is empty.
    Sales(Vec<Sale>),
    /// Nothing: another relay is at it.
    Held {
        /// Until when it has the lease if it dies now, in milliseconds since 1970.
        until: i64,
    },
}

impl Relay {
    /// A new relay, whose leases last `lease_ms` milliseconds.
    pub fn new(lease_ms: i64) -> Self {
        let id = id::new("relay");
        Self { id, lease_ms }
    }
}

/// How many sales are unpublished. Takes no lock.
pub async fn waiting(warehouse: &Warehouse) -> Result<i64> {
    let waiting = sqlx::query_scalar("select count(*) from outbox where published_at is null");
    Ok(waiting.fetch_one(warehouse.pool()).await?)
}

/// When the oldest unpublished sale was made, in milliseconds since 1970 in UTC. Takes no lock.
pub async fn oldest(warehouse: &Warehouse) -> Result<Option<i64>> {
    let oldest = sqlx::query_scalar("select min(sold_at) from outbox where published_at is null");
    Ok(oldest.fetch_one(warehouse.pool()).await?)
}

/// The oldest unpublished sales, at most `most`. Takes or renews the lease.
pub async fn take(warehouse: &Warehouse, relay: &Relay, most: u32) -> Result<Taken> {
    let now = id::now_ms();
    write::transaction!(&warehouse.0, "outbox::take", |c| {
        // First, so that on MySQL the sales are read as of after the lease was had.
        let leased = sqlx::query(
            "update outbox_lease set holder = ?, leased_until = ? \
             where name = 'outbox' and (holder = ? or leased_until <= ?)",
        )
        .bind(&relay.id)
        .bind(now.saturating_add(relay.lease_ms))
        .bind(&relay.id)
        .bind(now)
        .execute(&mut *c)
        .await?;
        if leased.rows_affected() == 0 {
            let until = "select leased_until from outbox_lease where name = 'outbox'";
            let until = sqlx::query_scalar(until).fetch_one(c).await?;
            return Ok(Taken::Held { until });
        }
        let sales = sqlx::query_as(
            "select order_id, product_id, customer_id, quantity, total, sold_at from outbox \
             where published_at is null order by ordinal, order_id limit ?",
        )
        .bind(i64::from(most))
        .fetch_all(c)
        .await?;
        Ok(Taken::Sales(sales))
    })
}

/// Notes that these were published. Safe to repeat; the first time stands.
pub async fn mark(warehouse: &Warehouse, sales: &[Sale]) -> Result<()> {
    let now = id::now_ms();
    write::transaction!(&warehouse.0, "outbox::mark", |c| {
        for sale in sales {
            sqlx::query(
                "update outbox set published_at = ? where order_id = ? and published_at is null",
            )
            .bind(now)
            .bind(&sale.order_id)
            .execute(&mut *c)
            .await?;
        }
        Ok(())
    })
}

/// Gives up the lease, if this relay still has it.
pub async fn release(warehouse: &Warehouse, relay: &Relay) -> Result<()> {
    write::transaction!(&warehouse.0, "outbox::release", |c| {
        sqlx::query("update outbox_lease set leased_until = 0 where holder = ?")
            .bind(&relay.id)
            .execute(c)
            .await?;
        Ok(())
    })
}

/// Writes a sold order's row, if somebody can be said to have bought it. Part of the sale's transaction.
pub(crate) async fn record(c: &mut AnyConnection, order: &Order) -> Result<()> {
    let customer = order.customer_id.as_deref();
    // MySQL's comparison ignores trailing spaces, so such an id would count for another customer.
    let Some(customer_id) = customer.filter(|id| !id.is_empty() && !id.ends_with(' ')) else {
        return Ok(());
    };
    count(c, customer_id, order).await?;
    let (total, ordinal): (i64, i64) =
        sqlx::query_as("select bought, last_ordinal from buyers where customer_id = ?")
            .bind(customer_id)
            .fetch_one(&mut *c)
            .await?;
    sqlx::query(
        "insert into outbox (order_id, ordinal, product_id, customer_id, quantity, total, sold_at) \
         values (?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(&order.order_id)
    .bind(ordinal)
    .bind(&order.product_id)
    .bind(customer_id)
    .bind(order.quantity)
    .bind(total)
    .bind(order.created_at)
    .execute(c)
    .await?;
    Ok(())
}

/// Counts an order for its customer. From here to the end of the transaction the customer's row is ours.
async fn count(c: &mut AnyConnection, customer_id: &str, order: &Order) -> Result<()> {
    // Asked without a lock first: on MySQL an update that finds nothing locks the gap, and two of those
    // who then insert into it wait for each other.
    let known: i64 = sqlx::query_scalar("select count(*) from buyers where customer_id = ?")
        .bind(customer_id)
        .fetch_one(&mut *c)
        .await?;
    if known > 0 {
        return add(c, customer_id, order).await;
    }
    let inserted =
        sqlx::query("insert into buyers (customer_id, bought, last_ordinal) values (?, ?, ?)")
            .bind(customer_id)
            .bind(order.quantity)
            .bind(order.created_at)
            .execute(&mut *c)
            .await
            .map_err(crate::Error::from);
    match inserted {
        // The customer's first two orders, of different products, at the same time.
        Err(error) if error.is_unique_violation() => add(c, customer_id, order).await,
        other => other.map(drop),
    }
}

async fn add(c: &mut AnyConnection, customer_id: &str, order: &Order) -> Result<()> {
    sqlx::query(
        "update buyers set bought = bought + ?, \
         last_ordinal = case when last_ordinal < ? then ? else last_ordinal + 1 end \
         where customer_id = ?",
    )
    .bind(order.quantity)
    .bind(order.created_at)
    .bind(order.created_at)
    .bind(customer_id)
    .execute(c)
    .await?;
    Ok(())
}

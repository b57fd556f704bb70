//! Orders: the answers that customers got. Owns the table `orders`; [`checkout`](crate::checkout) has the
//! rules.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sqlx::{AnyConnection, FromRow};

use crate::db::Warehouse;
use crate::error::{Entity, Result};

/// How a checkout ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The items were taken out of the stock.
    Sold,
    /// There were too few; nothing was taken.
    Refused,
}

impl Outcome {
    /// As the database and the API write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sold => "sold",
            Self::Refused => "refused",
        }
    }
}

impl TryFrom<String> for Outcome {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            "sold" => Ok(Self::Sold),
            "refused" => Ok(Self::Refused),
            _ => Err(format!("no outcome is called {text}")),
        }
    }
}

/// An order, sold or refused. Never changes.
#[derive(Debug, Clone, PartialEq, Eq, FromRow, Serialize, JsonSchema)]
pub struct Order {
    /// Its id, `OR-…`.
    pub order_id: String,
    /// What was asked for.
    pub product_id: String,
    /// Who asked, if they said so.
    pub customer_id: Option<String>,
    /// On whose behalf, as the client wrote it.
    pub requester: Option<String>,
    /// Items asked for.
    pub quantity: i64,
    /// Sold or refused.
    #[sqlx(try_from = "String")]
    pub outcome: Outcome,
    /// The stock that the customer was told.
    pub remaining: i64,
    /// When, in milliseconds since 1970 in UTC.
    pub created_at: i64,
}

/// The order with this id.
pub async fn get(warehouse: &Warehouse, order_id: &str) -> Result<Order> {
    let order = sqlx::query_as(
        "select order_id, product_id, customer_id, requester, quantity, outcome, remaining, \
         created_at from orders where order_id = ?",
    )
    .bind(order_id)
    .fetch_optional(warehouse.pool())
    .await?;
    order.ok_or_else(|| Entity::Order.missing(order_id))
}

/// The latest `limit` orders, newest first: ids grow with time, so the primary key has their order.
pub async fn latest(warehouse: &Warehouse, limit: u32) -> Result<Vec<Order>> {
    let orders = sqlx::query_as(
        "select order_id, product_id, customer_id, requester, quantity, outcome, remaining, \
         created_at from orders order by order_id desc limit ?",
    )
    .bind(i64::from(limit))
    .fetch_all(warehouse.pool())
    .await?;
    Ok(orders)
}

/// The answer that was given under an idempotency key.
pub(crate) async fn by_key(warehouse: &Warehouse, key: &str) -> Result<Option<Order>> {
    let order = sqlx::query_as(
        "select order_id, product_id, customer_id, requester, quantity, outcome, remaining, \
         created_at from orders where idempotency_key = ?",
    )
    .bind(key)
    .fetch_optional(warehouse.pool())
    .await?;
    Ok(order)
}

/// Adds an order; a unique violation means that its key has an answer already.
pub(crate) async fn insert(c: &mut AnyConnection, order: &Order, key: Option<&str>) -> Result<()> {
    sqlx::query(
        "insert into orders (order_id, idempotency_key, product_id, customer_id, requester, \
         quantity, outcome, remaining, created_at) values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(&order.order_id)
    .bind(key)
    .bind(&order.product_id)
    .bind(order.customer_id.as_deref())
    .bind(order.requester.as_deref())
    .bind(order.quantity)
    .bind(order.outcome.as_str())
    .bind(order.remaining)
    .bind(order.created_at)
    .execute(c)
    .await?;
    Ok(())
}

//! Orders: the answers that customers got. Owns the table `orders`; [`checkout`](crate::checkout) has the
//! rules.

use std::collections::HashMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sqlx::{AnyConnection, FromRow, QueryBuilder};

use crate::db::Warehouse;
use crate::error::{Entity, Result};
use crate::many;

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

/// The answers that were given under these idempotency keys, by key.
pub(crate) async fn by_keys(
    c: &mut AnyConnection,
    keys: &[&str],
) -> Result<HashMap<String, Order>> {
    if keys.is_empty() {
        return Ok(HashMap::new());
    }
    let mut query = QueryBuilder::new(
        "select order_id, product_id, customer_id, requester, quantity, outcome, remaining, \
         created_at, idempotency_key from orders where idempotency_key in ",
    );
    many::push_list(&mut query, keys);
    let found: Vec<Keyed> = query.build_query_as().fetch_all(c).await?;
    Ok(found
        .into_iter()
        .map(|found| (found.idempotency_key, found.order))
        .collect())
}

/// Adds orders, each with its idempotency key; a unique violation means that one of the keys has an answer already.
pub(crate) async fn insert(c: &mut AnyConnection, orders: &[(&Order, Option<&str>)]) -> Result<()> {
    for piece in many::pieces(orders) {
        let mut query = QueryBuilder::new(
            "insert into orders (order_id, idempotency_key, product_id, customer_id, requester, \
             quantity, outcome, remaining, created_at) ",
        );
        query.push_values(piece, |mut row, (order, key)| {
            row.push_bind(order.order_id.clone())
                .push_bind(key.map(str::to_owned))
                .push_bind(order.product_id.clone())
                .push_bind(order.customer_id.clone())
                .push_bind(order.requester.clone())
                .push_bind(order.quantity)
                .push_bind(order.outcome.as_str())
                .push_bind(order.remaining)
                .push_bind(order.created_at);
        });
        query.build().execute(&mut *c).await?;
    }
    Ok(())
}

#[derive(FromRow)]
struct Keyed {
    idempotency_key: String,
    #[sqlx(flatten)]
    order: Order,
}

//! Customers, in a database of their own. Owns the table `customers`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use crate::db::Customers;
use crate::error::{Entity, Result};
use crate::{id, write};

/// What kind of customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CustomerType {
    /// Everyone at first.
    Normal,
    /// Bought in bulk.
    Vip,
}

impl CustomerType {
    /// As the database writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Vip => "vip",
        }
    }
}

impl TryFrom<String> for CustomerType {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            "normal" => Ok(Self::Normal),
            "vip" => Ok(Self::Vip),
            _ => Err(format!("no customer type is called {text}")),
        }
    }
}

/// A customer.
#[derive(Debug, Clone, PartialEq, Eq, FromRow, Serialize, JsonSchema)]
pub struct Customer {
    /// Its id, `CU-1`.
    pub customer_id: String,
    /// Its name.
    pub name: String,
    /// What kind.
    #[sqlx(rename = "type", try_from = "String")]
    #[serde(rename = "type")]
    pub kind: CustomerType,
    /// Since when it is a VIP, in milliseconds since 1970.
    pub vip_since: Option<i64>,
    /// The order that made it one.
    pub vip_order_id: Option<String>,
}

/// What became of an upgrade. The customer is a VIP either way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Upgrade {
    /// This order made it one: now, or in an earlier call.
    Upgraded(Customer),
    /// Another order had, and that stands.
    AlreadyVip(Customer),
}

/// The customer with this id.
pub async fn get(customers: &Customers, customer_id: &str) -> Result<Customer> {
    let customer: Option<Customer> = sqlx::query_as(
        "select customer_id, name, type, vip_since, vip_order_id from customers where customer_id = ?",
    )
    .bind(customer_id)
    .fetch_optional(customers.pool())
    .await?;
    customer
        // MySQL's comparison ignores trailing spaces.
        .filter(|customer| customer.customer_id == customer_id)
        .ok_or_else(|| Entity::Customer.missing(customer_id))
}

/// The latest `limit` customers who became a VIP, newest first.
pub async fn latest_vips(customers: &Customers, limit: u32) -> Result<Vec<Customer>> {
    let vips = sqlx::query_as(
        "select customer_id, name, type, vip_since, vip_order_id from customers where type = ? \
         order by vip_since desc, customer_id limit ?",
    )
    .bind(CustomerType::Vip.as_str())
    .bind(i64::from(limit))
    .fetch_all(customers.pool())
    .await?;
    Ok(vips)
}

/// Makes a normal customer a VIP, by this order. A VIP stays one, of the order that came first, however
/// often and in whatever order this is called.
///
/// # Errors
/// `NotFound` for an unknown customer.
pub async fn upgrade(customers: &Customers, customer_id: &str, order_id: &str) -> Result<Upgrade> {
    let mut customer = get(customers, customer_id).await?;
    if customer.kind == CustomerType::Normal {
        let now = id::now_ms();
        let _: () = write::transaction!(&customers.0, "customer::upgrade", |c| {
            sqlx::query(
                "update customers set type = ?, vip_since = ?, vip_order_id = ? \
                 where customer_id = ? and type = ?",
            )
            .bind(CustomerType::Vip.as_str())
            .bind(now)
            .bind(order_id)
            .bind(customer_id)
            .bind(CustomerType::Normal.as_str())
            .execute(c)
            .await?;
            Ok(())
        })?;
        customer = get(customers, customer_id).await?;
    }
    Ok(match customer.vip_order_id.as_deref() == Some(order_id) {
        true => Upgrade::Upgraded(customer),
        false => Upgrade::AlreadyVip(customer),
    })
}

/// Adds a customer of type normal. Returns false, and changes nothing, where its id exists.
pub async fn add(customers: &Customers, customer_id: &str, name: &str) -> Result<bool> {
    let added = write::transaction!(&customers.0, "customer::add", |c| {
        sqlx::query(
            "insert into customers (customer_id, name, type, created_at) values (?, ?, ?, ?)",
        )
        .bind(customer_id)
        .bind(name)
        .bind(CustomerType::Normal.as_str())
        .bind(id::now_ms())
        .execute(c)
        .await?;
        Ok(())
    });
    match added {
        Err(error) if error.is_unique_violation() => Ok(false),
        other => other.map(|()| true),
    }
}

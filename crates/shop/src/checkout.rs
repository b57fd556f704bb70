//! Checkout: a customer buys, or is refused because the stock is too small.
//!
//! A sale is one transaction: under the product's lock the items are taken, the order, the ledger entry and, where
//! a customer is named, the outbox's row are written beside it. Sales at the same time share one (`till`, `sell`). A refusal is two calls, because someone must hear of it first: [`place`] answers
//! [`Placement::Short`] and writes nothing, the caller announces the shortage, then [`refuse`] writes the
//! order. If the announcement fails there is no half-done order, and the customer may try again with the
//! same key. Announcing twice is harmless.
//!
//! One idempotency key has one answer, decided by a unique index, also between simultaneous requests.

mod sell;
mod till;

use self::sell::Request;
pub(crate) use self::till::Till;
use crate::db::Warehouse;
use crate::error::{Error, Result};
use crate::order::{self, Order, Outcome};
use crate::product::{self, Product};
use crate::{MAX_QUANTITY, id, write};

/// How often a checkout looks again when its key was answered by another process between its look and its sale.
const LOOKS: u32 = 5;

/// What a customer asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkout {
    /// What.
    pub product_id: String,
    /// How many: 1 to [`MAX_QUANTITY`].
    pub quantity: i64,
    /// Who, if they said so; at most 64 characters. Need not exist.
    pub customer_id: Option<String>,
    /// On whose behalf; at most 200 characters.
    pub requester: Option<String>,
    /// Repeats of a request carry the same key: 1 to 255 visible ASCII characters.
    pub idempotency_key: Option<String>,
}

impl Checkout {
    /// Whether this order answers the same request.
    fn asked_for(&self, order: &Order) -> bool {
        order.product_id == self.product_id
            && order.quantity == self.quantity
            && order.customer_id == self.customer_id
            && order.requester == self.requester
    }
}

/// What became of a checkout.
#[derive(Debug, Clone)]
pub enum Placement {
    /// It has its final answer.
    Answered(Answer),
    /// There are too few items, and nothing was written yet: announce it, then call [`refuse`].
    Short(Shortage),
}

/// The final answer to a checkout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The order as it was written.
    pub order: Order,
    /// The product as it was a moment ago; its stock may differ from what the order says remained.
    pub product: Product,
    /// Whether this answer had been given before, under the same key.
    pub replayed: bool,
}

/// A checkout that found too little stock.
#[derive(Debug, Clone)]
pub struct Shortage {
    /// The id that the refused order will have.
    pub order_id: String,
    /// What was asked for.
    pub checkout: Checkout,
    /// The product; its stock is what the customer will be told.
    pub product: Product,
}

/// Sells if there is enough. Safe to repeat with the same key; without a key every call is a new order. Needs a tokio
/// runtime; calls at the same time share a transaction.
///
/// # Errors
/// `NotFound` for an unknown product, `Invalid`, [`Error::KeyReused`], or a transient one.
pub async fn place(warehouse: &Warehouse, checkout: &Checkout) -> Result<Placement> {
    validate(checkout)?;
    let request = Request {
        checkout: checkout.clone(),
        order_id: id::new("OR"),
    };
    till::queue(warehouse, request).await
}

/// Writes the refused order after its shortage was announced. If the key was answered meanwhile, that
/// answer stands and is returned.
///
/// # Errors
/// [`Error::KeyReused`] or a transient one.
pub async fn refuse(warehouse: &Warehouse, shortage: &Shortage) -> Result<Answer> {
    let Shortage {
        order_id,
        checkout,
        product,
    } = shortage;
    let order = record(
        checkout,
        order_id,
        Outcome::Refused,
        product.stock,
        id::now_ms(),
    );
    let key = checkout.idempotency_key.as_deref();
    let written = write::transaction!(&warehouse.0, "checkout::refuse", |c| {
        order::insert(c, &[(&order, key)]).await
    });
    match written {
        Ok(()) => Ok(Answer {
            order,
            product: product.clone(),
            replayed: false,
        }),
        Err(error) if error.is_unique_violation() => {
            let first = match given(warehouse, checkout).await? {
                Some(order) => order,
                None => order::get(warehouse, order_id).await?,
            };
            replay(warehouse, first).await
        }
        Err(error) => Err(error),
    }
}

fn record(
    checkout: &Checkout,
    order_id: &str,
    outcome: Outcome,
    remaining: i64,
    created_at: i64,
) -> Order {
    Order {
        order_id: order_id.to_owned(),
        product_id: checkout.product_id.clone(),
        customer_id: checkout.customer_id.clone(),
        requester: checkout.requester.clone(),
        quantity: checkout.quantity,
        outcome,
        remaining,
        created_at,
    }
}

/// The answer that this checkout's key has, if it has one and it was for the same request.
async fn given(warehouse: &Warehouse, checkout: &Checkout) -> Result<Option<Order>> {
    let Some(key) = checkout.idempotency_key.as_deref() else {
        return Ok(None);
    };
    let mut connection = warehouse.pool().acquire().await?;
    match order::by_keys(&mut connection, &[key]).await?.remove(key) {
        Some(order) if !checkout.asked_for(&order) => Err(Error::KeyReused),
        found => Ok(found),
    }
}

async fn replay(warehouse: &Warehouse, order: Order) -> Result<Answer> {
    let product = product::get(warehouse, &order.product_id).await?;
    Ok(Answer {
        order,
        product,
        replayed: true,
    })
}

fn validate(checkout: &Checkout) -> Result<()> {
    let invalid = |field, problem: String| Err(Error::Invalid { field, problem });
    if !(1..=MAX_QUANTITY).contains(&checkout.quantity) {
        return invalid("quantity", format!("must be from 1 to {MAX_QUANTITY}"));
    }
    if let Some(key) = &checkout.idempotency_key
        && (key.is_empty() || key.len() > 255 || !key.bytes().all(|b| b.is_ascii_graphic()))
    {
        let problem = "must be 1 to 255 visible ASCII characters without spaces";
        return invalid("idempotency_key", problem.to_owned());
    }
    for (field, value, most) in [
        ("customer_id", &checkout.customer_id, 64),
        ("requester", &checkout.requester, 200),
    ] {
        if value.as_ref().is_some_and(|v| v.chars().count() > most) {
            return invalid(field, format!("must be at most {most} characters"));
        }
    }
    Ok(())
}

//! Checkout: a customer buys, or is refused because the stock is too small.
//!
//! A sale is one transaction: a conditional update takes the items, the order, the ledger entry and, where
//! a customer is named, the outbox's row are written beside it. A refusal is two calls, because someone must hear of it first: [`place`] answers
//! [`Placement::Short`] and writes nothing, the caller announces the shortage, then [`refuse`] writes the
//! order. If the announcement fails there is no half-done order, and the customer may try again with the
//! same key. Announcing twice is harmless.
//!
//! One idempotency key has one answer, decided by a unique index, also between simultaneous requests.

use sqlx::AnyConnection;

use crate::db::Warehouse;
use crate::error::{Error, Result};
use crate::ledger::{self, Entry};
use crate::order::{self, Order, Outcome};
use crate::outbox;
use crate::product::{self, Product};
use crate::{MAX_QUANTITY, id, write};

/// How often a checkout looks again when a delivery came between its look and its update.
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

/// Sells if there is enough. Safe to repeat with the same key; without a key every call is a new order.
///
/// # Errors
/// `NotFound` for an unknown product, `Invalid`, [`Error::KeyReused`], or a transient one.
pub async fn place(warehouse: &Warehouse, checkout: &Checkout) -> Result<Placement> {
    validate(checkout)?;
    let order_id = id::new("OR");
    for _ in 0..LOOKS {
        if let Some(order) = given(warehouse, checkout).await? {
            return Ok(Placement::Answered(replay(warehouse, order).await?));
        }
        // A plain look first: while the stock is empty, a crowd of refusals takes no lock.
        let product = product::get(warehouse, &checkout.product_id).await?;
        if product.stock < checkout.quantity {
            return Ok(Placement::Short(Shortage {
                order_id,
                checkout: checkout.clone(),
                product,
            }));
        }
        let sold = write::transaction!(&warehouse.0, "checkout::sell", |c| {
            sell(c, checkout, &order_id).await
        });
        match sold {
            Ok(Some(order)) => {
                let product = Product {
                    stock: order.remaining,
                    ..product
                };
                return Ok(Placement::Answered(Answer {
                    order,
                    product,
                    replayed: false,
                }));
            }
            // Others were faster: look again.
            Ok(None) => {}
            // The same key was answered meanwhile: its answer is found by the next look.
            Err(error) if checkout.idempotency_key.is_some() && error.is_unique_violation() => {}
            Err(error) => return Err(error),
        }
    }
    Err(Error::Busy(sqlx::Error::PoolTimedOut))
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
    let order = record(checkout, order_id, Outcome::Refused, product.stock);
    let key = checkout.idempotency_key.as_deref();
    let written = write::transaction!(&warehouse.0, "checkout::refuse", |c| {
        order::insert(c, &order, key).await
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

/// Takes the items and writes down the sale, or does nothing where there are too few. What must be
/// true exactly when an order was sold belongs into this transaction.
async fn sell(c: &mut AnyConnection, checkout: &Checkout, order_id: &str) -> Result<Option<Order>> {
    let left = product::take(c, &checkout.product_id, checkout.quantity).await?;
    let Some(left) = left else {
        return Ok(None);
    };
    let order = record(checkout, order_id, Outcome::Sold, left);
    order::insert(c, &order, checkout.idempotency_key.as_deref()).await?;
    let entry = Entry::Sale {
        order_id,
        quantity: order.quantity,
    };
    ledger::insert(c, &order.product_id, entry).await?;
    outbox::record(c, &order).await?;
    Ok(Some(order))
}

fn record(checkout: &Checkout, order_id: &str, outcome: Outcome, remaining: i64) -> Order {
    Order {
        order_id: order_id.to_owned(),
        product_id: checkout.product_id.clone(),
        customer_id: checkout.customer_id.clone(),
        requester: checkout.requester.clone(),
        quantity: checkout.quantity,
        outcome,
        remaining,
        created_at: id::now_ms(),
    }
}

/// The answer that this checkout's key has, if it has one and it was for the same request.
async fn given(warehouse: &Warehouse, checkout: &Checkout) -> Result<Option<Order>> {
    let Some(key) = &checkout.idempotency_key else {
        return Ok(None);
    };
    let Some(order) = order::by_key(warehouse, key).await? else {
        return Ok(None);
    };
    let same = order.product_id == checkout.product_id
        && order.quantity == checkout.quantity
        && order.customer_id == checkout.customer_id
        && order.requester == checkout.requester;
    if same {
        Ok(Some(order))
    } else {
        Err(Error::KeyReused)
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

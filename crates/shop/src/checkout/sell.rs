//! Several checkouts in one transaction: first come, first served.
//!
//! Each has its own order, ledger entry, outbox row and answer, exactly as if it had come alone; what they share are the
//! turns to the database and the commit.

use std::collections::{BTreeMap, HashMap};

use super::{Answer, Checkout, Placement, Shortage, record};
use crate::db::Warehouse;
use crate::error::{Entity, Error, Result};
use crate::ledger::{self, Entry};
use crate::order::{self, Order, Outcome};
use crate::product::{self, Product};
use crate::{id, outbox, write};

/// A checkout, and the id of the order that it becomes. The id is made once, before any transaction.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) checkout: Checkout,
    pub(super) order_id: String,
}

impl Request {
    fn key(&self) -> Option<&str> {
        self.checkout.idempotency_key.as_deref()
    }

    fn short(&self, product: Product) -> Placement {
        Placement::Short(Shortage {
            order_id: self.order_id.clone(),
            checkout: self.checkout.clone(),
            product,
        })
    }
}

/// Decides these requests; no two have the same key. An answer for each, in their order.
///
/// # Errors
/// Of the transaction as a whole: then nothing was sold, unless the database went during the commit.
pub(super) async fn sell(
    warehouse: &Warehouse,
    requests: &[Request],
) -> Result<Vec<Result<Placement>>> {
    let mut product_ids: Vec<&str> = requests
        .iter()
        .map(|it| it.checkout.product_id.as_str())
        .collect();
    product_ids.sort_unstable();
    product_ids.dedup();
    let keys: Vec<&str> = requests.iter().filter_map(Request::key).collect();

    // A plain look first: while the stock is empty, a crowd of refusals takes no lock.
    let (given, products) = {
        let mut connection = warehouse.pool().acquire().await?;
        let given = order::by_keys(&mut connection, &keys).await?;
        let products = product::find_all(&mut connection, &product_ids).await?;
        (given, products)
    };
    let mut answers: Vec<Option<Result<Placement>>> = requests
        .iter()
        .map(|request| decided(request, &given, &products))
        .collect();
    if answers.iter().all(Option::is_some) {
        return Ok(answers.into_iter().flatten().collect());
    }
    product_ids.retain(|id| products.contains_key(*id));

    let open: Vec<&Request> = requests
        .iter()
        .zip(&answers)
        .filter(|(_, answer)| answer.is_none())
        .map(|(request, _)| request)
        .collect();
    let placed = write::transaction!(&warehouse.0, "checkout::sell", |c| {
        let mut products = product::lock_all(c, &product_ids).await?;
        let placed = take(&open, &mut products)?;
        write(c, &open, &placed).await?;
        Ok(placed)
    })?;
    let mut placed = placed.into_iter().map(Ok);
    for answer in answers.iter_mut().filter(|answer| answer.is_none()) {
        *answer = placed.next();
    }
    Ok(answers.into_iter().flatten().collect())
}

/// The answer that needs no transaction: given before, of no product, or too much.
fn decided(
    request: &Request,
    given: &HashMap<String, Order>,
    products: &HashMap<String, Product>,
) -> Option<Result<Placement>> {
    let checkout = &request.checkout;
    let product = products.get(&checkout.product_id);
    if let Some(order) = request.key().and_then(|key| given.get(key)) {
        return Some(match product {
            Some(product) if checkout.asked_for(order) => Ok(Placement::Answered(Answer {
                order: order.clone(),
                product: product.clone(),
                replayed: true,
            })),
            _ => Err(Error::KeyReused),
        });
    }
    match product {
        None => Some(Err(Entity::Product.missing(&checkout.product_id))),
        Some(product) if product.stock < checkout.quantity => {
            Some(Ok(request.short(product.clone())))
        }
        Some(_) => None,
    }
}

/// Takes the items of each request out of the stock, in their order, where there are enough.
fn take(requests: &[&Request], products: &mut HashMap<String, Product>) -> Result<Vec<Placement>> {
    let now = id::now_ms();
    let mut placed = Vec::with_capacity(requests.len());
    for request in requests {
        let checkout = &request.checkout;
        let product = products.get_mut(&checkout.product_id);
        // It was there a moment ago.
        let product = product.ok_or_else(|| Entity::Product.missing(&checkout.product_id))?;
        placed.push(if product.stock < checkout.quantity {
            request.short(product.clone())
        } else {
            product.stock -= checkout.quantity;
            Placement::Answered(Answer {
                order: record(
                    checkout,
                    &request.order_id,
                    Outcome::Sold,
                    product.stock,
                    now,
                ),
                product: product.clone(),
                replayed: false,
            })
        });
    }
    Ok(placed)
}

/// Writes the sales down. What must be true exactly when an order was sold belongs into this transaction.
async fn write(
    c: &mut sqlx::AnyConnection,
    requests: &[&Request],
    placed: &[Placement],
) -> Result<()> {
    let sold: Vec<(&Order, Option<&str>)> = requests
        .iter()
        .zip(placed)
        .filter_map(|(request, placed)| match placed {
            Placement::Answered(answer) => Some((&answer.order, request.key())),
            Placement::Short(_) => None,
        })
        .collect();
    let mut taken: BTreeMap<&str, i64> = BTreeMap::new();
    for (order, _) in &sold {
        *taken.entry(&order.product_id).or_default() += order.quantity;
    }
    for (product_id, items) in taken {
        product::put(c, product_id, -items).await?;
    }
    order::insert(c, &sold).await?;
    let orders: Vec<&Order> = sold.into_iter().map(|(order, _)| order).collect();
    let entries: Vec<_> = orders.iter().map(|order| entry(order)).collect();
    ledger::insert(c, &entries).await?;
    outbox::record(c, &orders).await
}

fn entry(order: &Order) -> (&str, Entry<'_>) {
    let entry = Entry::Sale {
        order_id: &order.order_id,
        quantity: order.quantity,
    };
    (&order.product_id, entry)
}

//! The stock ledger: every change of stock, once. Owns the table `stock_ledger`.

use sqlx::AnyConnection;

use crate::error::Result;
use crate::id;

/// What changed the stock.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Entry<'a> {
    /// An order was sold.
    Sale { order_id: &'a str, quantity: i64 },
    /// An attempt's delivery was counted.
    Arrival { attempt_id: &'a str, delivered: i64 },
}

impl Entry<'_> {
    fn columns(&self) -> (&'static str, &str, i64) {
        match self {
            Self::Sale { order_id, quantity } => ("sale", order_id, -quantity),
            Self::Arrival {
                attempt_id,
                delivered,
            } => ("arrival", attempt_id, *delivered),
        }
    }
}

/// Adds an entry; a unique violation means that this order or attempt was counted already.
pub(crate) async fn insert(
    c: &mut AnyConnection,
    product_id: &str,
    entry: Entry<'_>,
) -> Result<()> {
    let (kind, source_id, amount) = entry.columns();
    sqlx::query(
        "insert into stock_ledger (kind, source_id, product_id, amount, created_at) \
         values (?, ?, ?, ?, ?)",
    )
    .bind(kind)
    .bind(source_id)
    .bind(product_id)
    .bind(amount)
    .bind(id::now_ms())
    .execute(c)
    .await?;
    Ok(())
}

//! The stock ledger: every change of stock, once. Owns the table `stock_ledger`.

use sqlx::{AnyConnection, QueryBuilder};

use crate::error::Result;
use crate::{id, many};

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

/// Adds entries, each of a product; a unique violation means that one of these orders or attempts was counted already.
pub(crate) async fn insert(c: &mut AnyConnection, entries: &[(&str, Entry<'_>)]) -> Result<()> {
    let now = id::now_ms();
    for piece in many::pieces(entries) {
        let mut query = QueryBuilder::new(
            "insert into stock_ledger (kind, source_id, product_id, amount, created_at) ",
        );
        query.push_values(piece, |mut row, (product_id, entry)| {
            let (kind, source_id, amount) = entry.columns();
            row.push_bind(kind)
                .push_bind(source_id.to_owned())
                .push_bind((*product_id).to_owned())
                .push_bind(amount)
                .push_bind(now);
        });
        query.build().execute(&mut *c).await?;
    }
    Ok(())
}

//! The stock ledger: every change of stock, once. Owns the table `stock_ledger`.

use sqlx::{AnyConnection, FromRow, QueryBuilder};

use crate::db::Warehouse;
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

/// An entry as it stands in the ledger.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Posting {
    /// `sale` or `arrival`.
    pub kind: String,
    /// The order or the attempt that changed the stock.
    pub source_id: String,
    /// Items; negative for a sale.
    pub amount: i64,
    /// When, in milliseconds since 1970 in UTC.
    pub created_at: i64,
}

/// The latest `limit` entries of a product, newest first. Orders' and attempts' ids grow with time, so that the
/// primary key has the order of each kind.
pub async fn latest(warehouse: &Warehouse, product_id: &str, limit: u32) -> Result<Vec<Posting>> {
    let mut postings: Vec<Posting> = Vec::new();
    for kind in ["sale", "arrival"] {
        let of_kind: Vec<Posting> = sqlx::query_as(
            "select kind, source_id, amount, created_at from stock_ledger \
             where kind = ? and product_id = ? order by source_id desc limit ?",
        )
        .bind(kind)
        .bind(product_id)
        .bind(i64::from(limit))
        .fetch_all(warehouse.pool())
        .await?;
        postings.extend(of_kind);
    }
    postings.sort_by(|a, b| (b.created_at, &b.source_id).cmp(&(a.created_at, &a.source_id)));
    postings.truncate(limit as usize);
    Ok(postings)
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

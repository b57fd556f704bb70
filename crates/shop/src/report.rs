//! The books: what was sold, what arrived, and whether the sums agree.

use serde::Serialize;
use sqlx::FromRow;

use crate::db::Warehouse;
use crate::error::Result;

/// The books of one product, all read at one moment.
#[derive(Debug, Clone, PartialEq, Eq, FromRow, Serialize)]
pub struct Balance {
    /// Which product.
    pub product_id: String,
    /// Items when it was added.
    pub initial: i64,
    /// Items in the warehouse.
    pub stock: i64,
    /// Sold orders.
    pub orders_sold: i64,
    /// Refused orders.
    pub orders_refused: i64,
    /// Items of sold orders.
    pub items_sold: i64,
    /// Items that the ledger took out of the stock.
    pub ledger_sold: i64,
    /// Deliveries recorded.
    pub arrivals: i64,
    /// Deliveries recorded and not counted yet.
    pub arrivals_waiting: i64,
    /// Deliveries in the ledger.
    pub arrivals_counted: i64,
    /// Items of recorded deliveries.
    pub items_arrived: i64,
    /// Items that the ledger put into the stock.
    pub ledger_arrived: i64,
    /// Reorders ever opened.
    pub reorders: i64,
    /// Reorders whose status is open.
    pub reorders_open: i64,
}

impl Balance {
    /// Every rule that these books break, as sentences; empty where all is well. An arrival that waits to
    /// be counted is named too: with nothing under way there is none.
    pub fn broken(&self) -> Vec<String> {
        let expected = self.initial - self.items_sold + self.items_arrived;
        let rules = [
            (
                self.stock == expected,
                "stock is not initial - sold + arrived",
            ),
            (self.stock >= 0, "stock is negative"),
            (
                self.items_sold == self.ledger_sold,
                "the ledger's sales are not the orders' sales",
            ),
            (self.arrivals_waiting == 0, "an arrival was not counted"),
            (
                self.arrivals == self.arrivals_counted && self.items_arrived == self.ledger_arrived,
                "an arrival was not counted exactly once",
            ),
            (self.reorders_open <= 1, "more than one reorder is open"),
        ];
        let broken = rules.iter().filter(|(holds, _)| !holds);
        broken
            .map(|(_, rule)| format!("product {}: {rule} ({self:?})", self.product_id))
            .collect()
    }
}

/// The books of every product, by id. One statement, so that all its figures are of one moment; it reads
/// whole tables, for people and tests rather than for every request, and has no indexes of its own.
pub async fn balances(warehouse: &Warehouse) -> Result<Vec<Balance>> {
    let balances = sqlx::query_as(
        "select p.product_id, p.initial_stock as initial, p.stock, \
         (select count(*) from orders o where o.product_id = p.product_id and o.outcome = 'sold') as orders_sold, \
         (select count(*) from orders o where o.product_id = p.product_id and o.outcome = 'refused') as orders_refused, \
         (select cast(coalesce(sum(o.quantity), 0) as signed) from orders o \
           where o.product_id = p.product_id and o.outcome = 'sold') as items_sold, \
         (select cast(coalesce(-sum(l.amount), 0) as signed) from stock_ledger l \
           where l.product_id = p.product_id and l.kind = 'sale') as ledger_sold, \
         (select count(*) from arrivals a where a.product_id = p.product_id) as arrivals, \
         (select count(*) from arrivals a where a.product_id = p.product_id and a.applied_at is null) as arrivals_waiting, \
         (select count(*) from stock_ledger l where l.product_id = p.product_id and l.kind = 'arrival') as arrivals_counted, \
         (select cast(coalesce(sum(a.delivered), 0) as signed) from arrivals a \
           where a.product_id = p.product_id) as items_arrived, \
         (select cast(coalesce(sum(l.amount), 0) as signed) from stock_ledger l \
           where l.product_id = p.product_id and l.kind = 'arrival') as ledger_arrived, \
         (select count(*) from reorders r where r.product_id = p.product_id) as reorders, \
         (select count(*) from reorders r where r.product_id = p.product_id and r.status = 'open') as reorders_open \
         from products p order by p.product_id",
    )
    .fetch_all(warehouse.pool())
    .await?;
    Ok(balances)
}

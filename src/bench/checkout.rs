//! Checkouts through the Sales API of a whole `restock up`: 50 clients, one product, each sale on the disk before its answer.

use std::time::{Duration, Instant};

use serde_json::json;
use shop::Warehouse;
use shop::checkout::{self, Checkout, Placement};
use shop::product::{self, NewProduct};

use super::load::{Client, Connection, LoadError, Outcome, load};
use super::{BenchError, Figure, Plan};
use crate::demo::Child;

const CLIENTS: usize = 50;
const PRODUCT: &str = "CP-bench";
/// More than anybody buys here.
const STOCK: i64 = 1_000_000_000;

pub(super) async fn measure(plan: Plan) -> Result<Vec<Figure>, BenchError> {
    let mut figures = on("SQLite", None, plan.time).await?;
    if let Some(url) = &plan.mysql_url {
        figures.extend(on("MySQL", Some(url), plan.time).await?);
    }
    Ok(figures)
}

async fn on(database: &str, url: Option<&str>, time: Duration) -> Result<Vec<Figure>, BenchError> {
    let folder = tempfile::tempdir()?;
    let child = Child::start(folder.path(), url, None).await?;
    let warehouse = Warehouse::open(child.warehouse_url(), 4)?;
    let product = NewProduct {
        product_id: PRODUCT,
        sku: PRODUCT,
        name: "bench",
        identifier: "FF-bench",
        manager_email: "bench@example.com",
        stock: STOCK,
        reorder_quantity: 1_000,
    };
    product::add(&warehouse, &product).await?;

    let (bare, alone) = bare_loop(&warehouse, time).await?;
    let (first, before) = (sold(&warehouse).await?, alone);
    if first != before {
        return Err(BenchError::Wrong(format!(
            "{before} sales were acknowledged, the books have {first}"
        )));
    }
    let outcome = load(
        child.api(),
        time,
        (0..CLIENTS).map(|n| Buyer { n, bought: 0 }).collect(),
    )
    .await?;
    let in_books = sold(&warehouse).await? - first;
    if in_books != i64::try_from(outcome.count).unwrap_or(i64::MAX) {
        let count = outcome.count;
        return Err(BenchError::Wrong(format!(
            "{count} sales were acknowledged, the books have {in_books}"
        )));
    }
    warehouse.close().await;
    child.stop().await?;
    Ok(figures(database, &outcome, bare))
}

fn figures(database: &str, outcome: &Outcome, bare: f64) -> Vec<Figure> {
    let name = |what: &str| format!("checkout on {database}, 50 clients: {what}");
    vec![
        Figure::new(name("sold"), outcome.rate(), "/s")
            .at_least(5_300.0)
            .beside("a bare loop of one sale a transaction", bare),
        Figure::millis(name("p50"), outcome.permille(500)),
        Figure::millis(name("p99"), outcome.permille(990)).at_most(50.0),
    ]
}

/// One caller, one sale after the other, without HTTP: sales a second, and how many.
async fn bare_loop(warehouse: &Warehouse, time: Duration) -> Result<(f64, i64), BenchError> {
    let (begin, mut count) = (Instant::now(), 0);
    while begin.elapsed() < time {
        let checkout = Checkout {
            product_id: PRODUCT.to_owned(),
            quantity: 1,
            customer_id: None,
            requester: None,
            idempotency_key: Some(format!("bare-{count}")),
        };
        match checkout::place(warehouse, &checkout).await? {
            Placement::Answered(_) => count += 1,
            Placement::Short(_) => return Err(BenchError::Wrong("a sale was refused".to_owned())),
        }
    }
    Ok((
        f64::from(count) / begin.elapsed().as_secs_f64(),
        count.into(),
    ))
}

/// Items sold, of books that hold.
async fn sold(warehouse: &Warehouse) -> Result<i64, BenchError> {
    let balances = shop::report::balances(warehouse).await?;
    let books = balances.iter().find(|it| it.product_id == PRODUCT);
    match books.map(|books| (books.broken().pop(), books.items_sold)) {
        Some((None, sold)) => Ok(sold),
        Some((Some(broken), _)) => Err(BenchError::Wrong(broken)),
        None => Err(BenchError::Wrong(
            "the product is not in the books".to_owned(),
        )),
    }
}

struct Buyer {
    n: usize,
    bought: u64,
}

impl Client for Buyer {
    async fn turn(&mut self, connection: &mut Connection) -> Result<u64, LoadError> {
        let key = format!("client-{}-{}", self.n, self.bought);
        let body = json!({"product_id": PRODUCT, "quantity": 1}).to_string();
        let headers = [
            ("content-type", "application/json"),
            ("idempotency-key", &key),
        ];
        connection.post("/checkout", &headers, body).await?;
        self.bought += 1;
        Ok(1)
    }
}

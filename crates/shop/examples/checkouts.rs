//! How many checkouts a second the shop takes from 50 clients that buy one product.
//!
//!     cargo run --release -p shop --example checkouts [DATABASE_URL] [SECONDS]
//!
//! Without a URL on a fresh SQLite file in the temporary directory; every answered sale is on disk. A
//! MySQL database must be empty.
#![allow(clippy::print_stdout, reason = "its output is its purpose")]

use std::time::{Duration, Instant};

use shop::checkout::{self, Checkout};
use shop::product::{self, NewProduct};
use shop::{Warehouse, report};

const CLIENTS: usize = 50;
const STOCK: i64 = 100_000_000;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let dir = tempfile::tempdir()?;
    let url = arguments
        .next()
        .unwrap_or_else(|| format!("sqlite://{}", dir.path().join("warehouse.db").display()));
    let seconds = arguments.next().map_or(Ok(5), |text| text.parse())?;
    let warehouse = Warehouse::open(&url, 16)?;
    warehouse.migrate().await?;
    let product = NewProduct {
        product_id: "CP-1",
        sku: "CP-1",
        name: "donut",
        identifier: "FF-1",
        manager_email: "ads@example.com",
        stock: STOCK,
        reorder_quantity: 1_000,
    };
    product::add(&warehouse, &product).await?;

    let end = Instant::now() + Duration::from_secs(seconds);
    let started = Instant::now();
    let clients: Vec<_> = (0..CLIENTS)
        .map(|client| tokio::spawn(buy_until(end, warehouse.clone(), client)))
        .collect();
    let mut waits = Vec::new();
    for client in clients {
        waits.extend(client.await??);
    }
    let elapsed = started.elapsed().as_secs_f64();
    waits.sort_unstable();
    let at = |percent: usize| waits[(waits.len() - 1) * percent / 100].as_secs_f64() * 1e3;
    println!(
        "{:.0} checkouts/s, p50 {:.1} ms, p99 {:.1} ms ({} in {elapsed:.1} s)",
        waits.len() as f64 / elapsed,
        at(50),
        at(99),
        waits.len(),
    );
    let balances = report::balances(&warehouse).await?;
    match balances.iter().find_map(|books| books.broken().pop()) {
        Some(complaint) => Err(complaint.into()),
        None => Ok(()),
    }
}

async fn buy_until(
    end: Instant,
    warehouse: Warehouse,
    client: usize,
) -> shop::Result<Vec<Duration>> {
    let mut waits = Vec::new();
    while Instant::now() < end {
        let checkout = Checkout {
            product_id: "CP-1".to_owned(),
            quantity: 1,
            customer_id: None,
            requester: None,
            idempotency_key: Some(format!("{client}-{}", waits.len())),
        };
        let started = Instant::now();
        checkout::place(&warehouse, &checkout).await?;
        waits.push(started.elapsed());
    }
    Ok(waits)
}

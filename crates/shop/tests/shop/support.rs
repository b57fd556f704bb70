//! One body, every database: [`check`] gives it a fresh, migrated warehouse each time.

use std::future::Future;

use shop::checkout::{self, Answer, Checkout, Placement};
use shop::product::{self, NewProduct, Product};
use shop::{Customers, Warehouse, report};

pub(crate) const DONUT: &str = "CP-1";

/// Connections per pool, as a busy API would have.
const CONNECTIONS: u32 = 12;

/// Runs `body` with a warehouse of one product with `stock` items, reordered by 100, on each database;
/// then checks the books.
pub(crate) async fn check<F: Future<Output = ()>>(stock: i64, body: impl Fn(Warehouse) -> F) {
    each(async |url| {
        let warehouse = Warehouse::open(&url, CONNECTIONS).unwrap();
        warehouse.migrate().await.unwrap();
        add_product(&warehouse, DONUT, stock).await;
        body(warehouse.clone()).await;
        assert_eq!(broken(&warehouse).await, Vec::<String>::new());
        warehouse.close().await;
    })
    .await;
}

/// Runs `body` with the URL of an empty database of each kind.
pub(crate) async fn each(body: impl AsyncFn(String)) {
    let dir = tempfile::tempdir().unwrap();
    println!("on SQLite:");
    body(format!("sqlite://{}", dir.path().join("shop.db").display())).await;

    let Ok(server) = std::env::var("RESTOCK_TEST_MYSQL_URL") else {
        return;
    };
    println!("on MariaDB:");
    let name = format!("shop_{}", uuid::Uuid::new_v4().simple());
    sql(
        &server,
        &format!("create database {name} character set utf8mb4 collate utf8mb4_bin"),
    )
    .await;
    body(format!("{}/{name}", server.trim_end_matches('/'))).await;
    // Not after a panic: there its pool is still open, and one may want to look into it.
    sql(&server, &format!("drop database {name}")).await;
}

/// Runs statements on a connection of its own.
pub(crate) async fn sql(url: &str, statements: &str) {
    use sqlx::Connection;
    sqlx::any::install_default_drivers();
    let mut connection = sqlx::AnyConnection::connect(url).await.unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(statements))
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
}

pub(crate) async fn add_product(warehouse: &Warehouse, product_id: &str, stock: i64) {
    let product = NewProduct {
        product_id,
        sku: "SKU",
        name: "donut",
        identifier: "FF-1",
        manager_email: "ads@example.com",
        stock,
        reorder_quantity: 100,
    };
    assert!(product::add(warehouse, &product).await.unwrap());
}

pub(crate) async fn donut(warehouse: &Warehouse) -> Product {
    product::get(warehouse, DONUT).await.unwrap()
}

/// A checkout of donuts without a key.
pub(crate) fn order(quantity: i64) -> Checkout {
    Checkout {
        product_id: DONUT.to_owned(),
        quantity,
        customer_id: None,
        requester: None,
        idempotency_key: None,
    }
}

pub(crate) fn keyed(quantity: i64, key: &str) -> Checkout {
    Checkout {
        idempotency_key: Some(key.to_owned()),
        ..order(quantity)
    }
}

/// A whole checkout: placed and, where the stock is too small, refused.
pub(crate) async fn buy(warehouse: &Warehouse, checkout: &Checkout) -> shop::Result<Answer> {
    match checkout::place(warehouse, checkout).await? {
        Placement::Answered(answer) => Ok(answer),
        Placement::Short(shortage) => checkout::refuse(warehouse, &shortage).await,
    }
}

/// The books' complaints.
pub(crate) async fn broken(warehouse: &Warehouse) -> Vec<String> {
    let balances = report::balances(warehouse).await.unwrap();
    balances.iter().flat_map(report::Balance::broken).collect()
}

pub(crate) async fn customers(url: &str) -> Customers {
    let customers = Customers::open(url, CONNECTIONS).unwrap();
    customers.migrate().await.unwrap();
    customers
}

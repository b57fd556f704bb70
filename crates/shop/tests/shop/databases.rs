//! Opening, migrating, seeding, and what a sick database looks like to a caller.

use std::error::Error as _;

use shop::customer::{self, CustomerType};
use shop::{Entity, Error, Warehouse, checkout, product};

use crate::support::{DONUT, add_product, broken, buy, customers, donut, each, order, sql};

#[tokio::test]
async fn a_url_that_cannot_be_used_is_refused_without_showing_it() {
    for url in [
        "",
        "postgres://u:secret@h/d",
        "warehouse.db",
        "sqlite::memory:",
        "mysql://u:secret@h:port/d",
    ] {
        let error = Warehouse::open(url, 1).unwrap_err();
        assert!(
            matches!(
                error,
                Error::Invalid {
                    field: "database_url",
                    ..
                }
            ),
            "{url}"
        );
        assert!(
            !format!("{error} {error:?}").contains("secret"),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn migrating_and_seeding_again_changes_nothing() {
    each(async |url| {
        let warehouse = Warehouse::open(&url, 2).unwrap();
        for _ in 0..2 {
            warehouse.migrate().await.unwrap();
            warehouse.seed().await.unwrap();
        }
        buy(
            &warehouse,
            &shop::checkout::Checkout {
                product_id: "CP-502101".to_owned(),
                ..order(3)
            },
        )
        .await
        .unwrap();
        warehouse.seed().await.unwrap();
        let products = product::list(&warehouse).await.unwrap();
        assert_eq!(products.len(), 1);
        assert_eq!(products[0].product_id, "CP-502101");
        assert_eq!(products[0].identifier, "FF-500293");
        assert_eq!((products[0].stock, products[0].initial_stock), (997, 1_000));
        warehouse.close().await;
    })
    .await;
}

#[tokio::test]
async fn several_processes_may_migrate_at_once() {
    each(async |url| {
        let all = (0..4).map(|_| {
            let url = url.clone();
            tokio::spawn(async move {
                let warehouse = Warehouse::open(&url, 1).unwrap();
                warehouse.migrate().await.unwrap();
                warehouse.seed().await.unwrap();
                warehouse.close().await;
            })
        });
        for task in futures::future::join_all(all).await {
            task.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn customers_start_as_normal() {
    each(async |url| {
        let customers = customers(&url).await;
        customers.seed().await.unwrap();
        customers.seed().await.unwrap();
        for id in ["CU-1", "CU-2"] {
            assert_eq!(
                customer::get(&customers, id).await.unwrap().kind,
                CustomerType::Normal
            );
        }
        assert!(!customer::add(&customers, "CU-1", "another").await.unwrap());
        let unknown = customer::get(&customers, "cu-1").await.unwrap_err();
        assert!(matches!(
            unknown,
            Error::NotFound {
                entity: Entity::Customer,
                ..
            }
        ));
        customers.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_newer_database_and_a_changed_migration_are_refused() {
    for (change, says) in [
        (
            "update _sqlx_migrations set version = 99 where version = 7",
            "newer version made it",
        ),
        (
            "update _sqlx_migrations set checksum = 'x' where version = 1",
            "must not change",
        ),
        (
            "update _sqlx_migrations set success = 0 where version = 7",
            "stopped half-way",
        ),
    ] {
        each(async |url| {
            let warehouse = Warehouse::open(&url, 1).unwrap();
            warehouse.migrate().await.unwrap();
            sql(&url, change).await;
            let error = warehouse.migrate().await.unwrap_err();
            assert!(
                matches!(&error, Error::Schema(text) if text.contains(says)),
                "{error}"
            );
            warehouse.close().await;
        })
        .await;
    }
}

#[tokio::test]
async fn a_mysql_database_that_does_not_exist_is_made_as_it_must_be() {
    each(async |url| {
        if url.starts_with("mysql:") {
            let absent = format!("{url}_new");
            for _ in 0..2 {
                let warehouse = Warehouse::open(&absent, 1).unwrap();
                warehouse.migrate().await.unwrap();
                assert_eq!(product::list(&warehouse).await.unwrap(), []);
                warehouse.close().await;
            }
            let name = absent.rsplit('/').next().unwrap();
            sql(&url, &format!("drop database {name}")).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_mysql_database_that_ignores_case_is_refused() {
    each(async |url| {
        if url.starts_with("mysql:") {
            sql(&url, "alter database collate utf8mb4_general_ci").await;
            let warehouse = Warehouse::open(&url, 1).unwrap();
            let error = warehouse.migrate().await.unwrap_err();
            assert!(
                matches!(&error, Error::Schema(text) if text.contains("utf8mb4_bin")),
                "{error}"
            );
            warehouse.close().await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_database_that_is_gone_is_unavailable_and_tells_nothing() {
    let closed_port = "mysql://root:secret@127.0.0.1:1/shop";
    for url in ["sqlite:///nowhere/at/all/shop.db", closed_port] {
        let warehouse = Warehouse::open(url, 1).unwrap();
        let error = buy(&warehouse, &order(1)).await.unwrap_err();
        assert!(
            error.is_transient() && matches!(error, Error::Unavailable(_)),
            "{error:?}"
        );
        assert!(error.source().is_some());
        assert!(!error.to_string().contains("nowhere") && !error.to_string().contains("127"));
    }
}

#[tokio::test]
async fn a_database_without_tables_is_our_fault_and_shows_no_sql() {
    each(async |url| {
        let warehouse = Warehouse::open(&url, 1).unwrap();
        let error = buy(&warehouse, &order(1)).await.unwrap_err();
        assert!(
            matches!(error, Error::Fault(_)) && !error.is_transient(),
            "{error:?}"
        );
        assert!(!error.to_string().contains("products"), "{error}");
        warehouse.close().await;
    })
    .await;
}

#[tokio::test]
async fn products_are_looked_up_exactly() {
    each(async |url| {
        let warehouse = Warehouse::open(&url, 2).unwrap();
        warehouse.migrate().await.unwrap();
        add_product(&warehouse, "CP-2", 7).await;
        add_product(&warehouse, "CP-1", 5).await;
        let ids: Vec<_> = product::list(&warehouse).await.unwrap();
        assert_eq!(
            ids.iter()
                .map(|p| p.product_id.as_str())
                .collect::<Vec<_>>(),
            ["CP-1", "CP-2"]
        );
        let product = product::get(&warehouse, "CP-2").await.unwrap();
        assert_eq!((product.stock, product.open_reorder), (7, None));
        for id in ["cp-2", "CP-2 ", "", "CP-3", "' or 1=1 --", "도넛"] {
            let error = product::get(&warehouse, id).await.unwrap_err();
            assert!(
                matches!(
                    error,
                    Error::NotFound {
                        entity: Entity::Product,
                        ..
                    }
                ),
                "{id}"
            );
        }
        warehouse.close().await;
    })
    .await;
}

/// Another program holds the lock and does not let go: the caller hears of it while it still listens.
#[tokio::test]
async fn a_lock_that_is_never_given_up_is_a_transient_error_and_changes_nothing() {
    each(async |url| {
        use sqlx::Connection;
        let warehouse = Warehouse::open(&url, 2).unwrap();
        warehouse.migrate().await.unwrap();
        add_product(&warehouse, DONUT, 5).await;

        let mut other = sqlx::AnyConnection::connect(&url).await.unwrap();
        let begin = match url.starts_with("sqlite") {
            true => "begin immediate",
            false => "start transaction",
        };
        for statement in [begin, "update products set stock = stock"] {
            sqlx::raw_sql(statement).execute(&mut other).await.unwrap();
        }
        let refused = checkout::place(&warehouse, &order(1)).await.unwrap_err();
        assert!(refused.is_transient(), "{refused:?}");
        sqlx::raw_sql("rollback").execute(&mut other).await.unwrap();
        assert_eq!(donut(&warehouse).await.stock, 5);
        buy(&warehouse, &order(1)).await.unwrap();
        assert_eq!(broken(&warehouse).await, Vec::<String>::new());
    })
    .await;
}

//! Many customers at the same time: they share transactions, and nobody can tell.

use std::collections::BTreeMap;

use futures::future::join_all;
use shop::checkout::{self, Checkout};
use shop::order::{self, Outcome};
use shop::outbox::{self, Relay, Taken};
use shop::{Error, Warehouse, product, report};

use crate::support::{DONUT, add_product, buy, check, donut, keyed, order, sql};

const PRODUCTS: [&str; 3] = [DONUT, "CP-2", "CP-3"];

/// What each client gets for its checkouts, all made at the same time.
async fn all(
    shop: &Warehouse,
    checkouts: impl IntoIterator<Item = Checkout>,
) -> Vec<shop::Result<checkout::Answer>> {
    let clients = checkouts.into_iter().map(|checkout| {
        let shop = shop.clone();
        tokio::spawn(async move { buy(&shop, &checkout).await })
    });
    let clients: Vec<_> = clients.collect();
    join_all(clients)
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect()
}

fn of(product: &str, quantity: i64, key: &str) -> Checkout {
    Checkout {
        product_id: product.to_owned(),
        ..keyed(quantity, key)
    }
}

/// Several products, more asked for than there is, every key used by three clients: each key sells once, each answer is
/// the state right after its own sale, and the ledger has exactly the sales.
#[tokio::test]
async fn a_crowd_gets_what_there_is_and_each_its_own_answer() {
    check(150, async |shop| {
        for product in &PRODUCTS[1..] {
            add_product(&shop, product, 150).await;
        }
        let keys = 0..180_usize;
        let checkouts = (0..3).flat_map(|_| keys.clone()).map(|n| {
            let quantity = 1 + i64::try_from(n % 7).unwrap();
            of(PRODUCTS[n % 3], quantity, &format!("k-{n}"))
        });
        let answers = all(&shop, checkouts).await;
        let mut by_key: BTreeMap<usize, Vec<_>> = BTreeMap::new();
        for (n, answer) in answers.into_iter().enumerate() {
            by_key.entry(n % 180).or_default().push(answer.unwrap());
        }
        let mut left: BTreeMap<String, Vec<(i64, i64)>> = BTreeMap::new();
        for (key, answers) in by_key {
            let first = &answers[0].order;
            assert!(answers.iter().all(|it| it.order == *first), "k-{key}");
            assert_eq!(answers.iter().filter(|it| !it.replayed).count(), 1);
            assert_eq!(order::get(&shop, &first.order_id).await.unwrap(), *first);
            match first.outcome {
                Outcome::Sold => left
                    .entry(first.product_id.clone())
                    .or_default()
                    .push((first.remaining, first.quantity)),
                Outcome::Refused => assert!(first.remaining < first.quantity),
            }
        }
        for product in PRODUCTS {
            // What the sales were told is a chain from the first stock to the last.
            let mut sales = left.remove(product).unwrap();
            sales.sort_unstable_by(|a, b| b.cmp(a));
            let mut stock = 150;
            for (remaining, quantity) in sales {
                stock -= quantity;
                assert_eq!(remaining, stock, "{product}");
            }
            let now = product::get(&shop, product).await.unwrap().stock;
            assert_eq!(now, stock, "{product}");
        }
    })
    .await;
}

/// One who asks for nonsense, in the middle of others, harms nobody.
#[tokio::test]
async fn the_innocent_are_served() {
    check(1_000, async |shop| {
        buy(&shop, &keyed(5, "taken")).await.unwrap();
        let checkouts = (0..60).map(|n| match n % 6 {
            0 => of("CP-unknown", 1, &format!("unknown-{n}")),
            1 => keyed(6, "taken"),
            2 => keyed(5_000, &format!("large-{n}")),
            _ => order(2),
        });
        for (n, answer) in all(&shop, checkouts).await.into_iter().enumerate() {
            match n % 6 {
                0 => assert!(matches!(answer, Err(Error::NotFound { .. })), "{answer:?}"),
                1 => assert!(matches!(answer, Err(Error::KeyReused)), "{answer:?}"),
                2 => assert_eq!(answer.unwrap().order.outcome, Outcome::Refused),
                _ => assert_eq!(answer.unwrap().order.outcome, Outcome::Sold),
            }
        }
        assert_eq!(donut(&shop).await.stock, 1_000 - 5 - 30 * 2);
    })
    .await;
}

/// Two processes, whose lanes know nothing of each other, and the same keys in both.
#[tokio::test]
async fn two_processes_sell_each_key_once() {
    crate::support::each(async |url| {
        let shops = [(); 2].map(|()| Warehouse::open(&url, 8).unwrap());
        shops[0].migrate().await.unwrap();
        add_product(&shops[0], DONUT, 1_000).await;
        let checkouts = || (0..80).map(|n| keyed(3, &format!("k-{n}")));
        let [here, there] = &shops;
        let (here, there) = tokio::join!(all(here, checkouts()), all(there, checkouts()));
        for (a, b) in here.into_iter().zip(there) {
            let (a, b) = (a.unwrap(), b.unwrap());
            assert_eq!(a.order, b.order);
            assert!(a.replayed != b.replayed, "one of the two sold it");
        }
        assert_eq!(donut(&shops[0]).await.stock, 1_000 - 80 * 3);
        let books = report::balances(&shops[0]).await.unwrap();
        assert_eq!(books[0].broken(), Vec::<String>::new());
        for shop in shops {
            shop.close().await;
        }
    })
    .await;
}

/// Sales to customers, new and known, several of one customer in a transaction: totals and ordinals rise by each.
#[tokio::test]
async fn a_crowd_of_customers_is_counted_sale_by_sale() {
    check(1_000, async |shop| {
        let customer = |n: usize| format!("CU-{}", n % 5);
        for round in 0..3 {
            let checkouts = (0..40).map(|n| Checkout {
                customer_id: Some(customer(n)),
                ..keyed(2, &format!("{round}-{n}"))
            });
            for answer in all(&shop, checkouts).await {
                answer.unwrap();
            }
        }
        let relay = Relay::new(3_600_000);
        let Taken::Sales(sales) = outbox::take(&shop, &relay, 1_000).await.unwrap() else {
            panic!("nobody else has the lease");
        };
        assert_eq!(sales.len(), 120);
        let mut totals: BTreeMap<String, Vec<i64>> = BTreeMap::new();
        for sale in sales {
            totals.entry(sale.customer_id).or_default().push(sale.total);
        }
        let expected: Vec<i64> = (1..=24).map(|n| n * 2).collect();
        for n in 0..5 {
            assert_eq!(totals[&customer(n)], expected, "{}", customer(n));
        }
    })
    .await;
}

/// A customer who hangs up while others are served before them has bought nothing; nobody else notices.
#[tokio::test]
async fn who_hangs_up_in_the_line_takes_nobody_along() {
    check(1_000, async |shop| {
        let clients: Vec<_> = (0..60)
            .map(|n| {
                let shop = shop.clone();
                tokio::spawn(async move { buy(&shop, &keyed(1, &format!("k-{n}"))).await })
            })
            .collect();
        for (n, client) in clients.iter().enumerate() {
            if n % 3 == 0 {
                client.abort();
            }
        }
        for (n, client) in clients.into_iter().enumerate() {
            match client.await {
                Ok(answer) => assert_eq!(answer.unwrap().order.outcome, Outcome::Sold),
                Err(error) => assert!(error.is_cancelled() && n % 3 == 0),
            }
        }
        // Those who hung up try again, and get what they asked for once.
        for n in 0..60 {
            let answer = buy(&shop, &keyed(1, &format!("k-{n}"))).await.unwrap();
            assert!(answer.replayed || n % 3 == 0);
        }
        assert_eq!(donut(&shop).await.stock, 1_000 - 60);
    })
    .await;
}

/// A row that the database refuses spoils the transaction of all; then each is served alone.
#[tokio::test]
async fn a_spoiled_transaction_is_repeated_one_by_one() {
    crate::support::each(async |url| {
        let shop = Warehouse::open(&url, 8).unwrap();
        shop.migrate().await.unwrap();
        add_product(&shop, DONUT, 1_000).await;
        let trap = match url.starts_with("sqlite") {
            true => {
                "create trigger trap before insert on orders when new.requester = 'trap' \
                     begin select raise(abort, 'trapped'); end"
            }
            false => {
                "create trigger trap before insert on orders for each row \
                      if new.requester = 'trap' then signal sqlstate '45000'; end if"
            }
        };
        sql(&url, trap).await;
        let checkouts = (0..50).map(|n| Checkout {
            requester: (n % 10 == 0).then(|| "trap".to_owned()),
            ..order(1)
        });
        for (n, answer) in all(&shop, checkouts).await.into_iter().enumerate() {
            match n % 10 {
                0 => assert!(matches!(answer, Err(Error::Fault(_))), "{answer:?}"),
                _ => assert_eq!(answer.unwrap().order.outcome, Outcome::Sold),
            }
        }
        assert_eq!(donut(&shop).await.stock, 1_000 - 45);
        let books = report::balances(&shop).await.unwrap();
        assert_eq!(books[0].broken(), Vec::<String>::new());
        shop.close().await;
    })
    .await;
}

//! Sales that the world hears of: one for each sale to a customer, in order, none lost, on both databases.

use std::collections::BTreeMap;

use futures::future::join_all;
use shop::checkout::Checkout;
use shop::outbox::{self, Relay, Sale, Taken};
use shop::{Warehouse, report};

use crate::support::{DONUT, add_product, buy, check, each, order, sql};

/// Longer than any test.
const LONG: i64 = 3_600_000;

fn by(customer_id: &str, quantity: i64) -> Checkout {
    Checkout {
        customer_id: Some(customer_id.to_owned()),
        ..order(quantity)
    }
}

async fn sold(shop: &Warehouse, checkout: &Checkout) -> String {
    buy(shop, checkout).await.unwrap().order.order_id
}

async fn take(shop: &Warehouse, relay: &Relay, most: u32) -> Vec<Sale> {
    match outbox::take(shop, relay, most).await.unwrap() {
        Taken::Sales(sales) => sales,
        held => panic!("{held:?}"),
    }
}

fn ids(sales: &[Sale]) -> Vec<&str> {
    sales.iter().map(|sale| sale.order_id.as_str()).collect()
}

#[tokio::test]
async fn a_sale_to_a_customer_is_published_once_and_in_order() {
    check(1_000, async |shop| {
        let mut expected = Vec::new();
        for (customer, quantity) in [("CU-1", 150), ("CU-2", 5), ("CU-1", 7), ("CU-1", 1)] {
            expected.push(sold(&shop, &by(customer, quantity)).await);
        }
        assert_eq!(outbox::waiting(&shop).await.unwrap(), 4);
        let relay = Relay::new(LONG);
        let first = take(&shop, &relay, 3).await;
        assert_eq!(ids(&first), expected[..3]);
        let told: Vec<_> = first
            .iter()
            .map(|sale| (sale.customer_id.as_str(), sale.quantity, sale.total))
            .collect();
        assert_eq!(told, [("CU-1", 150, 150), ("CU-2", 5, 5), ("CU-1", 7, 157)]);
        assert!(first.iter().all(|sale| sale.product_id == DONUT));

        // Taken is not published: a relay that died before it marked them left them as they were.
        assert_eq!(take(&shop, &relay, 3).await, first);
        outbox::mark(&shop, &first).await.unwrap();
        outbox::mark(&shop, &first).await.unwrap();
        let rest = take(&shop, &relay, 3).await;
        assert_eq!((ids(&rest), rest[0].total), (vec![&*expected[3]], 158));
        outbox::mark(&shop, &rest).await.unwrap();
        assert_eq!(take(&shop, &relay, 3).await, []);
        assert_eq!(outbox::waiting(&shop).await.unwrap(), 0);
    })
    .await;
}

#[tokio::test]
async fn what_is_not_a_sale_to_a_customer_is_not_published() {
    check(10, async |shop| {
        sold(&shop, &order(1)).await;
        sold(&shop, &by("", 1)).await;
        sold(&shop, &by("CU-1 ", 1)).await;
        buy(&shop, &by("CU-1", 11)).await.unwrap();
        assert_eq!(outbox::waiting(&shop).await.unwrap(), 0);

        let keyed = Checkout {
            idempotency_key: Some("k-1".to_owned()),
            ..by("CU-1", 2)
        };
        for _ in 0..3 {
            sold(&shop, &keyed).await;
        }
        let sales = take(&shop, &Relay::new(LONG), 9).await;
        assert_eq!((sales.len(), sales[0].total), (1, 2), "one key is one sale");
    })
    .await;
}

#[tokio::test]
async fn one_relay_at_a_time() {
    check(10, async |shop| {
        sold(&shop, &by("CU-1", 1)).await;
        let relays: Vec<_> = (0..12).map(|_| Relay::new(LONG)).collect();
        let taken = join_all(relays.iter().map(|relay| outbox::take(&shop, relay, 9))).await;
        let (winners, others): (Vec<_>, Vec<_>) = relays
            .iter()
            .zip(taken)
            .partition(|(_, taken)| matches!(taken, Ok(Taken::Sales(_))));
        assert_eq!((winners.len(), others.len()), (1, 11));
        for (_, held) in others {
            let until = shop::now_ms()..=shop::now_ms() + LONG;
            assert!(
                matches!(&held, Ok(Taken::Held { until: it }) if until.contains(it)),
                "{held:?}"
            );
        }

        let (winner, other) = (winners[0].0, Relay::new(LONG));
        outbox::release(&shop, &other).await.unwrap();
        let held = outbox::take(&shop, &other, 9).await.unwrap();
        assert!(
            matches!(held, Taken::Held { .. }),
            "nobody releases for another"
        );
        outbox::release(&shop, winner).await.unwrap();
        assert_eq!(take(&shop, &other, 9).await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_lease_that_ran_out_is_free_and_its_holder_hears_of_it() {
    check(10, async |shop| {
        sold(&shop, &by("CU-1", 1)).await;
        let (dead, next) = (Relay::new(0), Relay::new(LONG));
        assert_eq!(take(&shop, &dead, 9).await.len(), 1);
        assert_eq!(take(&shop, &next, 9).await.len(), 1);
        let held = outbox::take(&shop, &dead, 9).await.unwrap();
        assert!(matches!(held, Taken::Held { .. }));
        outbox::release(&shop, &dead).await.unwrap();
        let held = outbox::take(&shop, &dead, 9).await.unwrap();
        assert!(matches!(held, Taken::Held { .. }), "the new lease stands");
    })
    .await;
}

/// Relays and buyers at the same time, of several products: each sale once, each customer's in order.
#[tokio::test]
async fn a_crowd_is_published_in_each_customers_order() {
    check(10_000, async |shop| {
        const PRODUCTS: [&str; 3] = [DONUT, "CP-2", "CP-3"];
        const EACH: i64 = 12;
        for product in &PRODUCTS[1..] {
            add_product(&shop, product, 10_000).await;
        }
        let buying = (0..PRODUCTS.len() * 4).map(|n| {
            let shop = shop.clone();
            let checkout = Checkout {
                product_id: PRODUCTS[n % 3].to_owned(),
                ..by(["CU-1", "CU-2"][n % 2], 3)
            };
            tokio::spawn(async move {
                for _ in 0..EACH {
                    sold(&shop, &checkout).await;
                }
            })
        });
        let buying: Vec<_> = buying.collect();
        let mut published: BTreeMap<String, Vec<i64>> = BTreeMap::new();
        let mut seen = 0;
        while seen < 144 {
            let (relay, rival) = (Relay::new(LONG), Relay::new(LONG));
            let sales = take(&shop, &relay, 10).await;
            assert!(matches!(
                outbox::take(&shop, &rival, 10).await.unwrap(),
                Taken::Held { .. }
            ));
            outbox::mark(&shop, &sales).await.unwrap();
            outbox::release(&shop, &relay).await.unwrap();
            seen += sales.len();
            for sale in sales {
                published
                    .entry(sale.customer_id)
                    .or_default()
                    .push(sale.total);
            }
            tokio::task::yield_now().await;
        }
        for task in buying {
            task.await.unwrap();
        }
        assert_eq!(outbox::waiting(&shop).await.unwrap(), 0);
        // A customer's totals rise by its orders' 3 items, so each was counted once and came in its turn.
        let expected: Vec<i64> = (1..=72).map(|n| n * 3).collect();
        for customer in ["CU-1", "CU-2"] {
            assert_eq!(published[customer], expected, "{customer}");
        }
        let books = report::balances(&shop).await.unwrap();
        assert_eq!(books.iter().map(|b| b.items_sold).sum::<i64>(), 144 * 3);
    })
    .await;
}

/// A clock that goes back does not let a customer's later sale overtake.
#[tokio::test]
async fn clocks_that_disagree_do_not_reorder() {
    each(async |url| {
        let shop = Warehouse::open(&url, 2).unwrap();
        shop.migrate().await.unwrap();
        add_product(&shop, DONUT, 100).await;
        let first = sold(&shop, &by("CU-1", 1)).await;
        // As if the first sale had been made on a machine whose clock is an hour ahead.
        let ahead = "update outbox set ordinal = ordinal + 3600000; \
                     update buyers set last_ordinal = last_ordinal + 3600000";
        sql(&url, ahead).await;
        let second = sold(&shop, &by("CU-1", 1)).await;
        let other = sold(&shop, &by("CU-2", 1)).await;
        let sales = take(&shop, &Relay::new(LONG), 9).await;
        assert_eq!(ids(&sales), [&*other, &*first, &*second]);
        shop.close().await;
    })
    .await;
}

#[tokio::test]
async fn the_oldest_unpublished_sale_is_told() {
    check(1_000, async |shop| {
        assert_eq!(outbox::oldest(&shop).await.unwrap(), None);
        sold(&shop, &by("CU-1", 1)).await;
        sold(&shop, &by("CU-1", 2)).await;
        let relay = Relay::new(LONG);
        let sales = take(&shop, &relay, 9).await;
        let at = |sale: &Sale| Some(sale.sold_at);
        assert_eq!(outbox::oldest(&shop).await.unwrap(), at(&sales[0]));
        outbox::mark(&shop, &sales[..1]).await.unwrap();
        assert_eq!(outbox::oldest(&shop).await.unwrap(), at(&sales[1]));
        outbox::mark(&shop, &sales[1..]).await.unwrap();
        assert_eq!(outbox::oldest(&shop).await.unwrap(), None);
    })
    .await;
}

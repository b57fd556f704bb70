//! Selling and refusing: never oversold, one key one answer.

use std::collections::HashSet;

use futures::future::join_all;
use shop::checkout::{self, Checkout, Placement};
use shop::order::{self, Outcome};
use shop::{Entity, Error, MAX_QUANTITY, report};

use crate::support::{DONUT, buy, check, donut, keyed, order};

#[tokio::test]
async fn a_sale_takes_the_items_and_is_written_down() {
    check(10, async |shop| {
        let asked = Checkout {
            customer_id: Some("CU-1".to_owned()),
            requester: Some("김도넛".to_owned()),
            ..keyed(4, "k-1")
        };
        let answer = buy(&shop, &asked).await.unwrap();
        assert_eq!(answer.order.outcome, Outcome::Sold);
        assert_eq!(
            (
                answer.order.remaining,
                answer.product.stock,
                answer.replayed
            ),
            (6, 6, false)
        );
        assert_eq!(donut(&shop).await.stock, 6);
        assert_eq!(
            order::get(&shop, &answer.order.order_id).await.unwrap(),
            answer.order
        );
        assert_eq!(answer.order.requester.as_deref(), Some("김도넛"));
    })
    .await;
}

#[tokio::test]
async fn a_shortage_writes_nothing_until_it_is_refused() {
    check(3, async |shop| {
        let Placement::Short(shortage) = checkout::place(&shop, &order(4)).await.unwrap() else {
            panic!("four of three were sold");
        };
        let unknown = order::get(&shop, &shortage.order_id).await.unwrap_err();
        assert!(matches!(
            unknown,
            Error::NotFound {
                entity: Entity::Order,
                ..
            }
        ));
        let answer = checkout::refuse(&shop, &shortage).await.unwrap();
        assert_eq!(answer.order.outcome, Outcome::Refused);
        assert_eq!(
            (answer.order.remaining, answer.order.order_id.as_str()),
            (3, shortage.order_id.as_str())
        );
        // A repeated refusal is the same one, with or without a key.
        let again = checkout::refuse(&shop, &shortage).await.unwrap();
        assert_eq!((again.order, again.replayed), (answer.order, true));
        assert_eq!(donut(&shop).await.stock, 3);
        let books = report::balances(&shop).await.unwrap();
        assert_eq!((books[0].orders_sold, books[0].orders_refused), (0, 1));
    })
    .await;
}

#[tokio::test]
async fn fifty_customers_never_get_more_than_there_is() {
    check(100, async |shop| {
        let all = join_all((0..50).map(|n| {
            let shop = shop.clone();
            tokio::spawn(async move { buy(&shop, &order(1 + n % 5)).await.unwrap() })
        }))
        .await;
        let answers: Vec<_> = all
            .into_iter()
            .map(|answer| answer.unwrap().order)
            .collect();
        let sold: Vec<_> = answers
            .iter()
            .filter(|o| o.outcome == Outcome::Sold)
            .collect();
        let items: i64 = sold.iter().map(|o| o.quantity).sum();
        let left = donut(&shop).await.stock;
        assert_eq!(items + left, 100);
        // 150 items were asked for: someone was refused, and nobody who was could have been served.
        let refused = answers.iter().filter(|o| o.outcome == Outcome::Refused);
        assert!(
            refused
                .map(|o| (o.quantity, o.remaining))
                .all(|(asked, told)| asked > told && asked > left)
        );
        // Each sale saw a stock of its own.
        let told: HashSet<_> = sold.iter().map(|o| o.remaining).collect();
        assert_eq!(told.len(), sold.len());
    })
    .await;
}

#[tokio::test]
async fn one_key_has_one_answer_also_at_the_same_time() {
    check(100, async |shop| {
        for (key, quantity, outcome) in [
            ("sold", 3, Outcome::Sold),
            ("refused", 500, Outcome::Refused),
        ] {
            let all = join_all((0..20).map(|_| {
                let shop = shop.clone();
                tokio::spawn(async move { buy(&shop, &keyed(quantity, key)).await.unwrap() })
            }))
            .await;
            let answers: Vec<_> = all.into_iter().map(Result::unwrap).collect();
            assert!(
                answers
                    .iter()
                    .all(|a| a.order == answers[0].order && a.order.outcome == outcome)
            );
            assert_eq!(answers.iter().filter(|a| !a.replayed).count(), 1);
        }
        assert_eq!(donut(&shop).await.stock, 97);
    })
    .await;
}

#[tokio::test]
async fn the_first_answer_stands_when_the_stock_changes() {
    check(5, async |shop| {
        let Placement::Short(shortage) = checkout::place(&shop, &keyed(6, "k")).await.unwrap()
        else {
            panic!("six of five were sold");
        };
        // The same client asks again with another connection while ours announces the shortage; a
        // delivery comes in between, so the second attempt is sold.
        deliver(&shop, 10).await;
        let sold = buy(&shop, &keyed(6, "k")).await.unwrap();
        assert_eq!(sold.order.outcome, Outcome::Sold);
        let late = checkout::refuse(&shop, &shortage).await.unwrap();
        assert_eq!((late.order, late.replayed), (sold.order, true));
        assert_eq!(donut(&shop).await.stock, 9);
    })
    .await;
}

async fn deliver(shop: &shop::Warehouse, count: i64) {
    use shop::{arrival, attempt, reorder};
    let claim = reorder::claim(shop, DONUT, 1).await.unwrap();
    let attempt::Request::Ask(asked) = attempt::request(shop, &claim.reorder.reorder_id)
        .await
        .unwrap()
    else {
        panic!("the factory may not be asked");
    };
    arrival::record(shop, &asked.attempt_id, count)
        .await
        .unwrap();
    arrival::apply(shop, &asked.attempt_id).await.unwrap();
}

#[tokio::test]
async fn a_key_belongs_to_one_request() {
    check(100, async |shop| {
        buy(&shop, &keyed(3, "Key")).await.unwrap();
        let others = [
            keyed(4, "Key"),
            Checkout {
                customer_id: Some("CU-1".to_owned()),
                ..keyed(3, "Key")
            },
            Checkout {
                requester: Some("me".to_owned()),
                ..keyed(3, "Key")
            },
            Checkout {
                product_id: "CP-9".to_owned(),
                ..keyed(3, "Key")
            },
        ];
        for other in others {
            let error = buy(&shop, &other).await.unwrap_err();
            assert!(matches!(error, Error::KeyReused), "{other:?}: {error}");
        }
        // Keys differ in case.
        assert!(!buy(&shop, &keyed(3, "key")).await.unwrap().replayed);
        assert_eq!(donut(&shop).await.stock, 94);
    })
    .await;
}

#[tokio::test]
async fn bad_requests_are_refused_naming_the_field() {
    check(10, async |shop| {
        let long = |n: usize| Some("x".repeat(n));
        for (checkout, field) in [
            (order(0), "quantity"),
            (order(-1), "quantity"),
            (order(MAX_QUANTITY + 1), "quantity"),
            (keyed(1, ""), "idempotency_key"),
            (keyed(1, "two words"), "idempotency_key"),
            (keyed(1, "도넛"), "idempotency_key"),
            (keyed(1, &"k".repeat(256)), "idempotency_key"),
            (
                Checkout {
                    customer_id: long(65),
                    ..order(1)
                },
                "customer_id",
            ),
            (
                Checkout {
                    requester: long(201),
                    ..order(1)
                },
                "requester",
            ),
        ] {
            let error = buy(&shop, &checkout).await.unwrap_err();
            assert!(
                matches!(&error, Error::Invalid { field: f, .. } if *f == field),
                "{error}"
            );
        }
        let longest = Checkout {
            customer_id: long(64),
            requester: Some("도".repeat(200)),
            ..keyed(1, &"k".repeat(255))
        };
        buy(&shop, &longest).await.unwrap();
        let unknown = Checkout {
            product_id: "CP-9".to_owned(),
            ..order(1)
        };
        let error = buy(&shop, &unknown).await.unwrap_err();
        assert!(
            matches!(
                error,
                Error::NotFound {
                    entity: Entity::Product,
                    ..
                }
            ),
            "{error}"
        );
        assert_eq!(donut(&shop).await.stock, 9);
    })
    .await;
}

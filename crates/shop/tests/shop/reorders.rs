//! The one open reorder of a product: claimed, joined, checked, released, closed.

use std::collections::HashSet;

use futures::future::join_all;
use shop::attempt::{self, Request, Status as AttemptStatus};
use shop::reorder::{self, Check, Status};
use shop::{Entity, Error, MAX_QUANTITY, Warehouse, arrival};

use crate::support::{DONUT, add_product, buy, check, donut, each, order, sql};

async fn claim(shop: &Warehouse, count: i64) -> reorder::Claim {
    reorder::claim(shop, DONUT, count).await.unwrap()
}

async fn ask(shop: &Warehouse, reorder_id: &str) -> String {
    match attempt::request(shop, reorder_id).await.unwrap() {
        Request::Ask(attempt) => attempt.attempt_id,
        other => panic!("the factory may not be asked: {other:?}"),
    }
}

async fn deliver(shop: &Warehouse, attempt_id: &str, count: i64) -> arrival::Applied {
    arrival::record(shop, attempt_id, count).await.unwrap();
    arrival::apply(shop, attempt_id).await.unwrap()
}

async fn status(shop: &Warehouse, reorder_id: &str) -> Status {
    reorder::get(shop, reorder_id).await.unwrap().status
}

#[tokio::test]
async fn sixty_claims_have_one_winner_and_keep_the_largest_count() {
    check(0, async |shop| {
        let all = join_all((1..=60).map(|count| {
            let shop = shop.clone();
            tokio::spawn(async move { reorder::claim(&shop, DONUT, count * 10).await.unwrap() })
        }))
        .await;
        let claims: Vec<_> = all.into_iter().map(Result::unwrap).collect();
        assert_eq!(claims.iter().filter(|c| c.won).count(), 1);
        // All start the same execution with the same input.
        let starts: HashSet<_> = claims
            .iter()
            .map(|c| {
                (
                    c.reorder.execution_name(),
                    format!("{:?}", c.reorder.input()),
                )
            })
            .collect();
        assert_eq!(starts.len(), 1);
        let open = reorder::list_open(&shop).await.unwrap();
        assert_eq!(open.len(), 1);
        assert_eq!(open[0].wanted, 600);
        assert_eq!(
            donut(&shop).await.open_reorder,
            Some(open[0].reorder_id.clone())
        );
    })
    .await;
}

#[tokio::test]
async fn the_amount_is_the_larger_of_the_usual_and_the_unmet_and_never_changes() {
    for (first, quantity) in [(5, 100), (100, 100), (730, 730)] {
        check(0, async |shop| {
            let won = claim(&shop, first).await;
            assert_eq!(
                (won.won, won.reorder.quantity, won.reorder.wanted),
                (true, quantity, first)
            );
            assert_eq!(won.reorder.factory_id, "FF-1");
            for (count, wanted) in [(900, 900), (800, 900)] {
                let joined = claim(&shop, count).await;
                assert_eq!((joined.won, joined.reorder.wanted), (false, wanted));
                assert_eq!(joined.reorder.input(), won.reorder.input());
            }
            let name = won.reorder.execution_name();
            assert!(name.len() <= 80, "{name}");
            assert!(
                name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'),
                "{name}"
            );
        })
        .await;
    }
}

#[tokio::test]
async fn a_claim_needs_a_product_and_a_count() {
    check(0, async |shop| {
        let unknown = reorder::claim(&shop, "CP-9", 1).await.unwrap_err();
        assert!(matches!(
            unknown,
            Error::NotFound {
                entity: Entity::Product,
                ..
            }
        ));
        for count in [0, -1, MAX_QUANTITY + 1] {
            let error = reorder::claim(&shop, DONUT, count).await.unwrap_err();
            assert!(matches!(error, Error::Invalid { field: "count", .. }));
        }
        for error in [
            reorder::get(&shop, "RO-9").await.unwrap_err(),
            reorder::check(&shop, "RO-9").await.unwrap_err(),
            attempt::request(&shop, "RO-9").await.unwrap_err(),
            reorder::release_and_claim(&shop, "RO-9", 1)
                .await
                .unwrap_err(),
        ] {
            assert!(matches!(
                error,
                Error::NotFound {
                    entity: Entity::Reorder,
                    ..
                }
            ));
        }
    })
    .await;
}

#[tokio::test]
async fn check_closes_a_reorder_whose_stock_came_back() {
    check(50, async |shop| {
        let id = claim(&shop, 60).await.reorder.reorder_id;
        let Check::Short {
            stock,
            missing,
            reorder,
        } = reorder::check(&shop, &id).await.unwrap()
        else {
            panic!("60 of 50 are no shortage");
        };
        assert_eq!((stock, missing, reorder.wanted), (50, 10, 60));
        // Someone else's delivery.
        let attempt = ask(&shop, &id).await;
        let dead = reorder::release_and_claim(&shop, &id, 1)
            .await
            .unwrap()
            .reorder
            .reorder_id;
        deliver(&shop, &attempt, 15).await;
        for _ in 0..2 {
            assert_eq!(
                reorder::check(&shop, &dead).await.unwrap(),
                Check::InStock { stock: 65 }
            );
            assert_eq!(status(&shop, &dead).await, Status::InStock);
            assert_eq!(donut(&shop).await.open_reorder, None);
        }
        // Its answer stays although the stock is gone again.
        buy(&shop, &order(65)).await.unwrap();
        assert_eq!(
            reorder::check(&shop, &dead).await.unwrap(),
            Check::InStock { stock: 0 }
        );
        assert!(claim(&shop, 60).await.won);
    })
    .await;
}

#[tokio::test]
async fn a_dead_claim_is_replaced_once_and_keeps_what_was_wanted() {
    check(0, async |shop| {
        let dead = claim(&shop, 700).await.reorder.reorder_id;
        let all = join_all((0..30).map(|_| {
            let (shop, dead) = (shop.clone(), dead.clone());
            tokio::spawn(async move { reorder::release_and_claim(&shop, &dead, 10).await.unwrap() })
        }))
        .await;
        let claims: Vec<_> = all.into_iter().map(Result::unwrap).collect();
        assert_eq!(claims.iter().filter(|c| c.won).count(), 1);
        let next = &claims[0].reorder;
        assert!(
            claims
                .iter()
                .all(|c| c.reorder.reorder_id == next.reorder_id)
        );
        assert_eq!((next.quantity, next.wanted), (700, 700));
        assert_eq!(next.follows, Some(dead.clone()));
        assert_eq!(status(&shop, &dead).await, Status::Released);
    })
    .await;
}

#[tokio::test]
async fn a_reorder_that_lost_its_claim_takes_it_again_or_is_superseded() {
    check(0, async |shop| {
        let first = claim(&shop, 10).await.reorder.reorder_id;
        let second = reorder::release_and_claim(&shop, &first, 10)
            .await
            .unwrap()
            .reorder
            .reorder_id;
        let by = second.clone();
        assert_eq!(
            reorder::check(&shop, &first).await.unwrap(),
            Check::Superseded { by: by.clone() }
        );
        assert_eq!(
            attempt::request(&shop, &first).await.unwrap(),
            Request::Superseded { by }
        );
        // The other one is done: the claim is free.
        let attempt = ask(&shop, &second).await;
        deliver(&shop, &attempt, 10).await;
        buy(&shop, &order(10)).await.unwrap();
        let Check::Short { reorder, .. } = reorder::check(&shop, &first).await.unwrap() else {
            panic!("an empty stock is no shortage");
        };
        assert_eq!((reorder.status, reorder.closed_at), (Status::Open, None));
        assert_eq!(reorder::get(&shop, &first).await.unwrap(), reorder);
        assert_eq!(donut(&shop).await.open_reorder, Some(first.clone()));
        assert!(!claim(&shop, 10).await.won);
        ask(&shop, &first).await;
    })
    .await;
}

#[tokio::test]
async fn a_close_with_an_unmet_count_opens_the_next_reorder() {
    // (wanted at the claim, noted later, delivered, does another one follow, with which quantity)
    for (first, later, delivered, next) in [
        (60, 60, 100, None),
        (60, 100, 100, None),
        (60, 101, 100, Some(101)),
        (60, 60, 50, Some(100)),
        (60, 500, 60, Some(500)),
    ] {
        check(0, async |shop| {
            let id = claim(&shop, first).await.reorder.reorder_id;
            claim(&shop, later).await;
            let attempt = ask(&shop, &id).await;
            let applied = deliver(&shop, &attempt, delivered).await;
            assert_eq!(status(&shop, &id).await, Status::Arrived);
            assert_eq!(applied.next.as_ref().map(|n| n.quantity), next);
            assert_eq!(
                applied.product.open_reorder,
                applied.next.as_ref().map(|n| n.reorder_id.clone())
            );
            // A repeated call returns the follower again, so that a crash does not lose its start.
            let again = arrival::apply(&shop, &attempt).await.unwrap();
            assert_eq!((again.first, again.next), (false, applied.next));
        })
        .await;
    }
}

#[tokio::test]
async fn claims_beside_closes_lose_no_count() {
    check(0, async |shop| {
        for round in 1..=8 {
            let claimed = claim(&shop, 1).await.reorder;
            let attempt = ask(&shop, &claimed.reorder_id).await;
            arrival::record(&shop, &attempt, 5).await.unwrap();
            let wanted = 1_000 * round;
            let (applied, joined) = futures::join!(
                arrival::apply(&shop, &attempt),
                reorder::claim(&shop, DONUT, wanted)
            );
            applied.unwrap();
            joined.unwrap();
            // Whoever was first: someone is open for the large count.
            let open = reorder::list_open(&shop).await.unwrap();
            assert_eq!((open.len(), open[0].wanted), (1, wanted));
        }
    })
    .await;
}

#[tokio::test]
async fn attempts_are_settled_once() {
    check(0, async |shop| {
        let id = claim(&shop, 1).await.reorder.reorder_id;
        let (good, bad, silent) = (
            ask(&shop, &id).await,
            ask(&shop, &id).await,
            ask(&shop, &id).await,
        );
        attempt::accept(&shop, &good, Some(&"도".repeat(300)))
            .await
            .unwrap();
        attempt::fail(&shop, &good, "too late").await.unwrap();
        attempt::fail(&shop, &bad, &"5".repeat(5_000))
            .await
            .unwrap();
        attempt::accept(&shop, &bad, None).await.unwrap();
        let all = attempt::list(&shop, &id).await.unwrap();
        assert_eq!(all.len(), 3);
        let good = attempt::get(&shop, &good).await.unwrap();
        assert_eq!(
            (good.status, &good.failure),
            (AttemptStatus::Accepted, &None)
        );
        assert_eq!(good.factory_reference, Some("도".repeat(255)));
        let bad = attempt::get(&shop, &bad).await.unwrap();
        assert_eq!(
            (bad.status, bad.failure.unwrap().len()),
            (AttemptStatus::Failed, 2_000)
        );
        let silent = attempt::get(&shop, &silent).await.unwrap();
        assert_eq!(
            (silent.status, silent.settled_at, silent.quantity),
            (AttemptStatus::Requested, None, 100)
        );
        for error in [
            attempt::accept(&shop, "AT-9", None).await.unwrap_err(),
            attempt::fail(&shop, "AT-9", "").await.unwrap_err(),
            attempt::get(&shop, "AT-9").await.unwrap_err(),
        ] {
            assert!(matches!(
                error,
                Error::NotFound {
                    entity: Entity::Attempt,
                    ..
                }
            ));
        }
    })
    .await;
}

#[tokio::test]
async fn a_reorder_that_was_delivered_asks_nobody_again() {
    check(0, async |shop| {
        let id = claim(&shop, 1).await.reorder.reorder_id;
        let attempt_id = ask(&shop, &id).await;
        attempt::fail(&shop, &attempt_id, "timed out")
            .await
            .unwrap();
        deliver(&shop, &attempt_id, 100).await;
        let repeated = attempt::request(&shop, &id).await.unwrap();
        assert_eq!(repeated, Request::Arrived { attempt_id });
        assert_eq!(
            reorder::check(&shop, &id).await.unwrap(),
            Check::InStock { stock: 100 }
        );
    })
    .await;
}

#[tokio::test]
async fn a_reorder_and_what_follows_it_lead_back_to_the_refused_order() {
    check(0, async |shop| {
        let first = reorder::claim_for(&shop, DONUT, 150, "OR-1").await.unwrap();
        let joined = reorder::claim_for(&shop, DONUT, 200, "OR-2").await.unwrap();
        let second = reorder::release_and_claim(&shop, &first.reorder.reorder_id, 1)
            .await
            .unwrap();
        let id = ask(&shop, &second.reorder.reorder_id).await;
        arrival::record(&shop, &id, 10).await.unwrap();
        let third = arrival::apply(&shop, &id).await.unwrap().next.unwrap();
        for reorder in [&first.reorder, &joined.reorder, &second.reorder, &third] {
            assert_eq!(reorder.order_id.as_deref(), Some("OR-1"));
            assert_eq!(reorder.input().order_id.as_deref(), Some("OR-1"));
        }
    })
    .await;
}

#[tokio::test]
async fn a_delivery_that_nobody_counted_yet_keeps_the_factory_from_being_asked_again() {
    check(0, async |shop| {
        let id = claim(&shop, 1).await.reorder.reorder_id;
        let (first, second) = (ask(&shop, &id).await, ask(&shop, &id).await);
        arrival::record(&shop, &first, 100).await.unwrap();
        let again = attempt::request(&shop, &id).await.unwrap();
        let attempt_id = first.clone();
        assert_eq!(again, Request::Arrived { attempt_id });
        // Of two that were delivered it is the one that was counted.
        deliver(&shop, &second, 100).await;
        let again = attempt::request(&shop, &id).await.unwrap();
        let attempt_id = second.clone();
        assert_eq!(again, Request::Arrived { attempt_id });
        assert_eq!(attempt::list(&shop, &id).await.unwrap().len(), 2);
        arrival::apply(&shop, &first).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn attempts_keep_their_order_whatever_the_clock_says() {
    each(async |url| {
        let shop = Warehouse::open(&url, 8).unwrap();
        shop.migrate().await.unwrap();
        add_product(&shop, DONUT, 0).await;
        let id = claim(&shop, 1).await.reorder.reorder_id;
        let mut asked = vec![ask(&shop, &id).await];
        // As if the clock had been set back by an hour since; and some of these are in one millisecond.
        let later = "update attempts set requested_at = requested_at + 3600000";
        sql(&url, later).await;
        for _ in 0..20 {
            asked.push(ask(&shop, &id).await);
        }
        let all = attempt::list(&shop, &id).await.unwrap();
        let listed: Vec<_> = all.into_iter().map(|a| a.attempt_id).collect();
        assert_eq!(listed, asked);
        let (last, earlier) = asked.split_last().unwrap();
        for id in earlier {
            assert!(attempt::repeated(&shop, id).await.unwrap());
        }
        assert!(!attempt::repeated(&shop, last).await.unwrap());
        // At the same time.
        let together = (0..8).map(|_| {
            let (shop, id) = (shop.clone(), id.clone());
            tokio::spawn(async move { ask(&shop, &id).await })
        });
        for one in together.collect::<Vec<_>>() {
            one.await.unwrap();
        }
        let all = attempt::list(&shop, &id).await.unwrap();
        assert!(all.is_sorted_by(|a, b| a.requested_at < b.requested_at));
        shop.close().await;
    })
    .await;
}

#[tokio::test]
async fn an_attempt_that_was_not_called_repeats_nothing() {
    check(0, async |shop| {
        let id = claim(&shop, 1).await.reorder.reorder_id;
        let (first, second) = (ask(&shop, &id).await, ask(&shop, &id).await);
        let failure = format!("not called: attempt {first} had been delivered");
        attempt::fail(&shop, &second, &failure).await.unwrap();
        assert!(!attempt::repeated(&shop, &first).await.unwrap());
        let third = ask(&shop, &id).await;
        attempt::fail(&shop, &third, "HTTP 500").await.unwrap();
        assert!(attempt::repeated(&shop, &first).await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn repeating_and_arriving_at_the_same_time_see_each_other() {
    check(0, async |shop| {
        for _ in 0..30 {
            let id = claim(&shop, 100_000).await.reorder.reorder_id;
            let first = ask(&shop, &id).await;
            assert!(!attempt::repeated(&shop, &first).await.unwrap());
            let (again, seen) = tokio::join!(
                {
                    let (shop, id) = (shop.clone(), id.clone());
                    tokio::spawn(async move { attempt::request(&shop, &id).await.unwrap() })
                },
                {
                    let (shop, first) = (shop.clone(), first.clone());
                    tokio::spawn(async move {
                        arrival::record(&shop, &first, 100).await.unwrap();
                        attempt::repeated(&shop, &first).await.unwrap()
                    })
                }
            );
            match again.unwrap() {
                Request::Arrived { attempt_id } => assert_eq!(attempt_id, first),
                Request::Ask(later) => {
                    assert!(seen.unwrap(), "neither saw the other");
                    assert!(!attempt::repeated(&shop, &later.attempt_id).await.unwrap());
                }
                other => panic!("{other:?}"),
            }
            let called = attempt::list(&shop, &id).await.unwrap();
            for uncalled in &called[1..] {
                let told = uncalled.failure.as_deref();
                let not_called = told.is_some_and(|text| text.contains(&first));
                assert_eq!(
                    uncalled.status == AttemptStatus::Failed,
                    not_called,
                    "{told:?}"
                );
            }
            arrival::apply(&shop, &first).await.unwrap();
        }
        // Each close opened the next, as the count stayed unmet.
        assert_eq!(donut(&shop).await.stock, 3_000);
    })
    .await;
}

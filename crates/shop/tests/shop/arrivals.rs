//! Deliveries: each counted exactly once.

use futures::future::join_all;
use shop::attempt::{self, Request};
use shop::{Entity, Error, MAX_DELIVERY, Warehouse, arrival, now_ms, reorder, report};

use crate::support::{DONUT, check, donut};

/// Attempts of one reorder, which asks for 100.
async fn attempts(shop: &Warehouse, count: usize) -> Vec<String> {
    let claim = reorder::claim(shop, DONUT, 1).await.unwrap();
    let mut ids = Vec::new();
    for _ in 0..count {
        let Request::Ask(attempt) = attempt::request(shop, &claim.reorder.reorder_id)
            .await
            .unwrap()
        else {
            panic!("the factory may not be asked");
        };
        ids.push(attempt.attempt_id);
    }
    ids
}

#[tokio::test]
async fn an_arrival_counts_once_however_often_it_comes_and_is_applied() {
    check(7, async |shop| {
        let id = attempts(&shop, 1).await.remove(0);
        let first = arrival::record(&shop, &id, 100).await.unwrap();
        assert!(first.first && first.arrival.applied_at.is_none() && first.open_tokens.is_empty());
        let all = join_all((0..30).map(|n| {
            let (shop, id) = (shop.clone(), id.clone());
            tokio::spawn(async move {
                // A repeated callback, even with another count, changes nothing.
                let repeated = arrival::record(&shop, &id, 90 + n).await.unwrap();
                assert_eq!((repeated.first, repeated.arrival.delivered), (false, 100));
                arrival::apply(&shop, &id).await.unwrap()
            })
        }))
        .await;
        let applied: Vec<_> = all.into_iter().map(Result::unwrap).collect();
        assert_eq!(applied.iter().filter(|a| a.first).count(), 1);
        assert!(
            applied
                .iter()
                .all(|a| a.product.stock == 107 && a.arrival == applied[0].arrival)
        );
        assert!(applied[0].arrival.applied_at.is_some());
    })
    .await;
}

#[tokio::test]
async fn two_attempts_that_deliver_are_two_deliveries() {
    check(0, async |shop| {
        let ids = attempts(&shop, 3).await;
        join_all(ids.iter().map(async |id| {
            arrival::record(&shop, id, 100).await.unwrap();
            arrival::apply(&shop, id).await.unwrap();
        }))
        .await;
        assert_eq!(donut(&shop).await.stock, 300);
        let books = report::balances(&shop).await.unwrap();
        assert_eq!(
            (
                books[0].arrivals,
                books[0].arrivals_counted,
                books[0].reorders_open
            ),
            (3, 3, 0)
        );
    })
    .await;
}

#[tokio::test]
async fn what_came_is_counted_and_what_did_not_is_told() {
    for (delivered, missing) in [(100, 0), (99, 1), (0, 100), (130, 0)] {
        check(0, async |shop| {
            let id = attempts(&shop, 1).await.remove(0);
            arrival::record(&shop, &id, delivered).await.unwrap();
            let applied = arrival::apply(&shop, &id).await.unwrap();
            assert_eq!(
                (applied.arrival.asked, applied.arrival.missing()),
                (100, missing)
            );
            assert_eq!(applied.product.stock, delivered);
        })
        .await;
    }
}

#[tokio::test]
async fn unknown_attempts_and_impossible_counts_change_nothing() {
    check(5, async |shop| {
        let id = attempts(&shop, 1).await.remove(0);
        let unknown = arrival::record(&shop, "AT-9", 1).await.unwrap_err();
        assert!(matches!(
            unknown,
            Error::NotFound {
                entity: Entity::Attempt,
                ..
            }
        ));
        for count in [-1, MAX_DELIVERY + 1] {
            let error = arrival::record(&shop, &id, count).await.unwrap_err();
            assert!(matches!(
                error,
                Error::Invalid {
                    field: "delivered",
                    ..
                }
            ));
        }
        let unrecorded = arrival::apply(&shop, &id).await.unwrap_err();
        assert!(matches!(
            unrecorded,
            Error::NotFound {
                entity: Entity::Arrival,
                ..
            }
        ));
        assert_eq!(donut(&shop).await.stock, 5);
    })
    .await;
}

#[tokio::test]
async fn the_sweep_finds_what_nobody_counted() {
    check(0, async |shop| {
        let ids = attempts(&shop, 4).await;
        for id in &ids {
            arrival::record(&shop, id, 10).await.unwrap();
        }
        arrival::apply(&shop, &ids[0]).await.unwrap();
        let waiting = |before, limit| arrival::unapplied(&shop, before, limit);
        assert_eq!(waiting(now_ms() - 60_000, 10).await.unwrap(), []);
        let later = now_ms() + 60_000;
        assert_eq!(waiting(later, 2).await.unwrap().len(), 2);
        assert!(
            !crate::support::broken(&shop).await.is_empty(),
            "the books must name them"
        );
        for arrival in waiting(later, 10).await.unwrap() {
            assert!(ids[1..].contains(&arrival.attempt_id));
            arrival::apply(&shop, &arrival.attempt_id).await.unwrap();
        }
        assert_eq!(waiting(later, 10).await.unwrap(), []);
        assert_eq!(donut(&shop).await.stock, 40);
    })
    .await;
}

#[tokio::test]
async fn a_late_arrival_of_a_released_reorder_counts_and_leaves_the_open_one_alone() {
    check(0, async |shop| {
        let late = attempts(&shop, 1).await.remove(0);
        let dead = attempt::get(&shop, &late).await.unwrap().reorder_id;
        let open = reorder::release_and_claim(&shop, &dead, 1)
            .await
            .unwrap()
            .reorder;
        arrival::record(&shop, &late, 100).await.unwrap();
        let applied = arrival::apply(&shop, &late).await.unwrap();
        assert_eq!(applied.product.stock, 100);
        assert_eq!(applied.product.open_reorder, Some(open.reorder_id.clone()));
        // It is told as the follower, and starting it again does no harm.
        assert_eq!(applied.next, Some(open));
    })
    .await;
}

#[tokio::test]
async fn what_operations_must_hear_of_is_kept_until_they_have() {
    check(0, async |shop| {
        let ids = attempts(&shop, 4).await;
        let odd = async |before| {
            let found = arrival::unreported(&shop, before, 10).await.unwrap();
            found
                .into_iter()
                .map(|it| it.attempt_id)
                .collect::<Vec<_>>()
        };
        let later = now_ms() + 60_000;
        for (id, delivered) in ids.iter().zip([100, 70, 100, 100]) {
            arrival::record(&shop, id, delivered).await.unwrap();
        }
        assert_eq!(odd(later).await, [""; 0], "nothing is counted yet");
        let plain = arrival::apply(&shop, &ids[0]).await.unwrap().arrival;
        assert!(!plain.must_be_reported());
        let short = arrival::apply(&shop, &ids[1]).await.unwrap().arrival;
        assert!(short.must_be_reported() && short.remark.is_none());
        let late = arrival::apply_alone(&shop, &ids[2], "It was late.").await;
        let late = late.unwrap().arrival;
        assert_eq!(late.remark.as_deref(), Some("It was late."));
        // Who counts it again changes neither the count nor the remark.
        let again = arrival::apply_alone(&shop, &ids[2], "Again.")
            .await
            .unwrap();
        assert_eq!((again.first, again.arrival), (false, late));
        assert_eq!(odd(later).await, ids[1..3]);
        assert_eq!(odd(now_ms() - 60_000).await, [""; 0]);
        arrival::reported(&shop, &ids[1]).await.unwrap();
        arrival::reported(&shop, &ids[2]).await.unwrap();
        assert_eq!(odd(later).await, [""; 0]);
        arrival::apply(&shop, &ids[3]).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn the_last_deliveries_tell_when_the_next_may_be_there() {
    check(0, async |shop| {
        let ids = attempts(&shop, 3).await;
        let reorder_id = attempt::get(&shop, &ids[0]).await.unwrap().reorder_id;
        assert_eq!(arrival::expected(&shop, &reorder_id).await.unwrap(), None);
        for id in &ids {
            arrival::record(&shop, id, 100).await.unwrap();
            arrival::apply(&shop, id).await.unwrap();
        }
        let expected = arrival::expected(&shop, &reorder_id)
            .await
            .unwrap()
            .unwrap();
        let last = attempt::list(&shop, &reorder_id)
            .await
            .unwrap()
            .pop()
            .unwrap();
        assert_eq!(expected.deliveries, 3);
        assert_eq!(expected.at, last.requested_at + expected.took);
        // A reorder that has not asked yet is expected from now on.
        let next = reorder::claim(&shop, DONUT, 1_000).await.unwrap().reorder;
        let before = now_ms();
        let expected = arrival::expected(&shop, &next.reorder_id)
            .await
            .unwrap()
            .unwrap();
        assert!(expected.at >= before + expected.took);
        let unknown = arrival::expected(&shop, "RO-9").await.unwrap_err();
        assert!(matches!(unknown, Error::NotFound { .. }));
    })
    .await;
}

#[tokio::test]
async fn a_factory_that_is_always_short_is_not_asked_for_ever() {
    check(0, async |shop| {
        let mut open = reorder::claim(&shop, DONUT, 1_000).await.unwrap().reorder;
        let mut last = None;
        for round in 1.. {
            assert!(round < 20, "it goes on for ever");
            if round == 3 {
                // A customer who wants more is new demand.
                reorder::claim(&shop, DONUT, 2_000).await.unwrap();
            }
            let Request::Ask(asked) = attempt::request(&shop, &open.reorder_id).await.unwrap()
            else {
                panic!("the factory may not be asked");
            };
            arrival::record(&shop, &asked.attempt_id, 1).await.unwrap();
            let applied = arrival::apply(&shop, &asked.attempt_id).await.unwrap();
            match applied.next {
                Some(next) => open = next,
                None => {
                    assert_eq!(round, 2 + 5);
                    last = Some(applied);
                    break;
                }
            }
        }
        let last = last.unwrap();
        assert_eq!((last.product.stock, last.product.open_reorder), (7, None));
        let remark = last.arrival.remark.unwrap();
        assert!(remark.contains("still wants 2000"), "{remark}");
        // New demand begins anew.
        let claim = reorder::claim(&shop, DONUT, 1_000).await.unwrap();
        assert!(claim.won);
        let Request::Ask(asked) = attempt::request(&shop, &claim.reorder.reorder_id)
            .await
            .unwrap()
        else {
            panic!("the factory may not be asked");
        };
        arrival::record(&shop, &asked.attempt_id, 1).await.unwrap();
        let applied = arrival::apply(&shop, &asked.attempt_id).await.unwrap();
        assert!(applied.next.is_some() && applied.arrival.remark.is_none());
    })
    .await;
}

//! Waiting meets arriving, in either order, on both databases.

use shop::attempt::{self, Request};
use shop::token::{self, Closed};
use shop::{Entity, Error, Warehouse, arrival, reorder};

use crate::support::{DONUT, check};

async fn attempt(shop: &Warehouse) -> String {
    let claim = reorder::claim(shop, DONUT, 1).await.unwrap();
    match attempt::request(shop, &claim.reorder.reorder_id)
        .await
        .unwrap()
    {
        Request::Ask(attempt) => attempt.attempt_id,
        other => panic!("the factory may not be asked: {other:?}"),
    }
}

fn tokens(recorded: &arrival::Recorded) -> Vec<&str> {
    recorded
        .open_tokens
        .iter()
        .map(|t| t.token.as_str())
        .collect()
}

#[tokio::test]
async fn the_token_first() {
    check(0, async |shop| {
        let id = attempt(&shop).await;
        let token = "t".repeat(2_048);
        assert_eq!(
            token::register(&shop, &id, &token).await.unwrap().arrival,
            None
        );
        let recorded = arrival::record(&shop, &id, 1).await.unwrap();
        assert_eq!(tokens(&recorded), [token.as_str()]);
        assert!(
            !format!("{recorded:?}").contains("ttt"),
            "a token is a secret"
        );
        arrival::apply(&shop, &id).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn the_arrival_first() {
    check(0, async |shop| {
        let id = attempt(&shop).await;
        let recorded = arrival::record(&shop, &id, 1).await.unwrap();
        assert!(recorded.open_tokens.is_empty());
        let registered = token::register(&shop, &id, "t").await.unwrap();
        assert_eq!(registered.arrival, Some(recorded.arrival));
        arrival::apply(&shop, &id).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn both_at_once_never_miss_each_other() {
    check(0, async |shop| {
        for _ in 0..40 {
            let id = attempt(&shop).await;
            let (waiter, receiver) = (shop.clone(), shop.clone());
            let (for_waiter, for_receiver) = (id.clone(), id.clone());
            let (registered, recorded) = futures::join!(
                tokio::spawn(async move {
                    token::register(&waiter, &for_waiter, &for_waiter)
                        .await
                        .unwrap()
                }),
                tokio::spawn(
                    async move { arrival::record(&receiver, &for_receiver, 1).await.unwrap() }
                ),
            );
            let (registered, recorded) = (registered.unwrap(), recorded.unwrap());
            assert!(registered.arrival.is_some() || tokens(&recorded) == [id.as_str()]);
            arrival::apply(&shop, &id).await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn tokens_are_added_and_closed_and_never_overwritten() {
    check(0, async |shop| {
        let id = attempt(&shop).await;
        let first = token::register(&shop, &id, "first").await.unwrap();
        assert_eq!(token::register(&shop, &id, "first").await.unwrap(), first);
        token::register(&shop, &id, "second").await.unwrap();
        let other = attempt(&shop).await;
        token::register(&shop, &other, "other").await.unwrap();
        assert_eq!(token::open_for(&shop, &id).await.unwrap().len(), 2);
        for reason in [
            Closed::TimedOut,
            Closed::Accepted,
            Closed::Unknown,
            Closed::Invalid,
        ] {
            token::close(&shop, &first.token_id, reason).await.unwrap();
        }
        // A closed token stays closed when it is registered again.
        token::register(&shop, &id, "first").await.unwrap();
        let recorded = arrival::record(&shop, &id, 1).await.unwrap();
        assert_eq!(tokens(&recorded), ["second"]);
        arrival::apply(&shop, &id).await.unwrap();
        token::close(&shop, "no-such-token", Closed::Invalid)
            .await
            .unwrap();
        let error = token::register(&shop, "AT-9", "t").await.unwrap_err();
        assert!(
            matches!(
                error,
                Error::NotFound {
                    entity: Entity::Attempt,
                    ..
                }
            ),
            "{error:?}"
        );
    })
    .await;
}

#[tokio::test]
async fn of_many_who_want_to_answer_a_token_one_may() {
    check(0, async |shop| {
        let id = attempt(&shop).await;
        let token_id = token::register(&shop, &id, "t").await.unwrap().token_id;
        let takes = (0..20).map(|_| {
            let (shop, token_id) = (shop.clone(), token_id.clone());
            tokio::spawn(async move { token::take(&shop, &token_id, 60_000).await.unwrap() })
        });
        let took = futures::future::join_all(takes).await;
        assert_eq!(
            took.into_iter().filter(|it| *it.as_ref().unwrap()).count(),
            1
        );
        token::give_back(&shop, &token_id).await.unwrap();
        assert!(token::take(&shop, &token_id, 0).await.unwrap());
        let after_the_lease = token::take(&shop, &token_id, 60_000).await.unwrap();
        assert!(after_the_lease, "who crashed with it is followed");
        token::close(&shop, &token_id, Closed::Accepted)
            .await
            .unwrap();
        token::give_back(&shop, &token_id).await.unwrap();
        assert!(!token::take(&shop, &token_id, 0).await.unwrap(), "closed");
        assert!(!token::take(&shop, "no-such-token", 0).await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn those_who_wait_are_counted_with_the_longest() {
    check(0, async |shop| {
        assert_eq!(token::waiting(&shop).await.unwrap(), (0, None));
        let id = attempt(&shop).await;
        let first = token::register(&shop, &id, "first").await.unwrap();
        token::register(&shop, &id, "second").await.unwrap();
        let oldest = token::open_for(&shop, &id).await.unwrap()[0].opened_at;
        assert_eq!(token::waiting(&shop).await.unwrap(), (2, Some(oldest)));
        token::close(&shop, &first.token_id, Closed::Accepted)
            .await
            .unwrap();
        assert_eq!(token::waiting(&shop).await.unwrap().0, 1);
    })
    .await;
}

#[tokio::test]
async fn an_arrival_is_taken_where_one_who_waited_accepted_it() {
    check(0, async |shop| {
        let id = attempt(&shop).await;
        let closed = [
            Closed::TimedOut,
            Closed::Unknown,
            Closed::Invalid,
            Closed::Accepted,
        ];
        for reason in closed {
            assert!(!token::taken(&shop, &id).await.unwrap());
            let open = token::register(&shop, &id, reason.as_str()).await.unwrap();
            assert!(!token::taken(&shop, &id).await.unwrap());
            token::close(&shop, &open.token_id, reason).await.unwrap();
        }
        assert!(token::taken(&shop, &id).await.unwrap());
        assert!(!token::taken(&shop, "AT-other").await.unwrap());
    })
    .await;
}

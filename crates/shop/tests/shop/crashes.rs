//! Cut off anywhere and called again: every function ends as if it had been called once.
//!
//! A caller that dies, or whose client hangs up, drops the future at some point between two polls. Here
//! each function is dropped after 0, 1, 2, … polls until it finishes by itself, and each time called again.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use shop::attempt::{self, Request};
use shop::checkout::Checkout;
use shop::outbox::{self, Relay, Taken};
use shop::token;
use shop::{Warehouse, arrival, reorder, report};

use crate::support::{DONUT, broken, buy, check, donut, keyed};

/// Polls at most `polls` times, then drops the future. Whether it finished.
async fn cut_off<T>(polls: u32, future: impl Future<Output = T>) -> bool {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(move |context| {
        if left == 0 {
            return Poll::Ready(false);
        }
        left -= 1;
        future.as_mut().poll(context).map(|_| true)
    })
    .await
}

async fn ask(shop: &Warehouse, reorder_id: &str) -> String {
    match attempt::request(shop, reorder_id).await.unwrap() {
        Request::Ask(attempt) => attempt.attempt_id,
        other => panic!("the factory may not be asked: {other:?}"),
    }
}

/// More polls than any function here needs.
const ENOUGH: u32 = 400;

#[tokio::test]
async fn a_checkout_with_a_key() {
    check(10_000, async |shop| {
        let mut sold = 0;
        for polls in 0..ENOUGH {
            let checkout = keyed(3, &format!("sold-{polls}"));
            let finished = cut_off(polls, buy(&shop, &checkout)).await;
            buy(&shop, &checkout).await.unwrap();
            sold += 3;
            assert_eq!(
                donut(&shop).await.stock,
                10_000 - sold,
                "cut off after {polls} polls"
            );
            if finished {
                break;
            }
        }
        let mut refused = 0;
        for polls in 0..ENOUGH {
            let checkout = keyed(500_000, &format!("refused-{polls}"));
            let finished = cut_off(polls, buy(&shop, &checkout)).await;
            buy(&shop, &checkout).await.unwrap();
            refused += 1;
            let books = report::balances(&shop).await.unwrap();
            assert_eq!(
                books[0].orders_refused, refused,
                "cut off after {polls} polls"
            );
            if finished {
                break;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_sale_to_a_customer_and_its_publishing() {
    check(10_000, async |shop| {
        for polls in 0..ENOUGH {
            let checkout = Checkout {
                customer_id: Some("CU-1".to_owned()),
                ..keyed(3, &format!("vip-{polls}"))
            };
            let mut finished = cut_off(polls, buy(&shop, &checkout)).await;
            let order_id = buy(&shop, &checkout).await.unwrap().order.order_id;

            let relay = Relay::new(3_600_000);
            finished &= cut_off(polls, outbox::take(&shop, &relay, 9)).await;
            let Taken::Sales(sales) = outbox::take(&shop, &relay, 9).await.unwrap() else {
                panic!("the lease was not given up, cut off after {polls} polls");
            };
            let told: Vec<_> = sales.iter().map(|it| (&it.order_id, it.total)).collect();
            let total = 3 * (i64::from(polls) + 1);
            assert_eq!(told, [(&order_id, total)], "cut off after {polls} polls");

            finished &= cut_off(polls, outbox::mark(&shop, &sales)).await;
            outbox::mark(&shop, &sales).await.unwrap();
            assert_eq!(outbox::waiting(&shop).await.unwrap(), 0);

            finished &= cut_off(polls, outbox::release(&shop, &relay)).await;
            outbox::release(&shop, &relay).await.unwrap();
            if finished {
                return;
            }
        }
        panic!("{ENOUGH} polls are not enough");
    })
    .await;
}

#[tokio::test]
async fn a_whole_reorder() {
    check(0, async |shop| {
        for polls in 0..ENOUGH {
            let mut finished = cut_off(polls, reorder::claim(&shop, DONUT, 5)).await;
            let dead = reorder::claim(&shop, DONUT, 5)
                .await
                .unwrap()
                .reorder
                .reorder_id;

            finished &= cut_off(polls, reorder::release_and_claim(&shop, &dead, 5)).await;
            let claim = reorder::release_and_claim(&shop, &dead, 5).await.unwrap();
            let id = claim.reorder.reorder_id;
            assert_ne!(id, dead);

            finished &= cut_off(polls, reorder::check(&shop, &id)).await;
            assert!(matches!(
                reorder::check(&shop, &id).await.unwrap(),
                reorder::Check::Short { .. }
            ));

            // A call that was cut off may have committed an attempt that nobody uses.
            finished &= cut_off(polls, attempt::request(&shop, &id)).await;
            let attempt = ask(&shop, &id).await;

            finished &= cut_off(polls, token::register(&shop, &attempt, &attempt)).await;
            token::register(&shop, &attempt, &attempt).await.unwrap();

            finished &= cut_off(polls, arrival::record(&shop, &attempt, 8)).await;
            let recorded = arrival::record(&shop, &attempt, 8).await.unwrap();
            assert_eq!(recorded.open_tokens.len(), 1);

            finished &= cut_off(polls, arrival::apply(&shop, &attempt)).await;
            let applied = arrival::apply(&shop, &attempt).await.unwrap();
            assert_eq!(
                (applied.product.stock, applied.next),
                (8, None),
                "cut off after {polls} polls"
            );

            buy(&shop, &keyed(8, &attempt)).await.unwrap();
            assert_eq!(donut(&shop).await.stock, 0);
            assert_eq!(broken(&shop).await, Vec::<String>::new());
            if finished {
                return;
            }
        }
        panic!("{ENOUGH} polls are not enough");
    })
    .await;
}

//! What people look at: the latest orders, ledger entries and VIPs, newest first.

use shop::checkout::Answer;
use shop::{arrival, attempt, customer, ledger, order, reorder};

use crate::support::{self, DONUT, buy, check, customers, each};

#[tokio::test]
async fn the_latest_orders_and_ledger_entries_come_first() {
    check(10, async |warehouse| {
        let mut answers: Vec<Answer> = Vec::new();
        for quantity in [4, 20, 3] {
            answers.push(buy(&warehouse, &support::order(quantity)).await.unwrap());
        }
        let orders = order::latest(&warehouse, 2).await.unwrap();
        let told: Vec<_> = orders
            .iter()
            .map(|o| (o.quantity, o.outcome.as_str()))
            .collect();
        assert_eq!(told, [(3, "sold"), (20, "refused")]);

        let claim = reorder::claim(&warehouse, DONUT, 20).await.unwrap();
        let asked = attempt::request(&warehouse, &claim.reorder.reorder_id)
            .await
            .unwrap();
        let attempt::Request::Ask(made) = asked else {
            panic!("the factory may not be asked: {asked:?}");
        };
        arrival::record(&warehouse, &made.attempt_id, 100)
            .await
            .unwrap();
        arrival::apply(&warehouse, &made.attempt_id).await.unwrap();
        let amounts = async |limit| -> Vec<i64> {
            let postings = ledger::latest(&warehouse, DONUT, limit).await.unwrap();
            postings.into_iter().map(|p| p.amount).collect()
        };
        assert_eq!(amounts(10).await, [100, -3, -4]);
        assert_eq!(amounts(2).await, [100, -3]);
        let none = ledger::latest(&warehouse, "' or 1=1 --", 10).await.unwrap();
        assert_eq!(none, []);
    })
    .await;
}

#[tokio::test]
async fn only_vips_are_listed_as_vips() {
    each(async |url| {
        let customers = customers(&url).await;
        customers.seed().await.unwrap();
        assert_eq!(customer::latest_vips(&customers, 10).await.unwrap(), []);
        customer::upgrade(&customers, "CU-2", "OR-1").await.unwrap();
        let vips = customer::latest_vips(&customers, 10).await.unwrap();
        let ids: Vec<_> = vips.iter().map(|c| c.customer_id.as_str()).collect();
        assert_eq!(ids, ["CU-2"]);
        customers.close().await;
    })
    .await;
}

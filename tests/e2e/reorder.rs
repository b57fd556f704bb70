//! The reorder flow from the refused checkout to the stock that is back.

use aws_sdk_sfn::types::ExecutionStatus;

use crate::harness::{SKU, Up};

#[tokio::test]
async fn a_refused_checkout_refills_the_product() {
    let up = Up::start().await;
    let (_, refused) = up.buy(100_000).await;
    assert_eq!(refused["outcome"], "refused");
    let reorder = up.ended_reorder().await;
    up.settle().await;
    assert_eq!(reorder.status, ExecutionStatus::Succeeded);

    let entered: Vec<_> = up
        .history(&reorder.execution_arn)
        .await
        .iter()
        .filter_map(|e| {
            e.state_entered_event_details
                .as_ref()
                .map(|d| d.name.clone())
        })
        .collect();
    for state in [
        "CheckStock",
        "EmailAdsStop",
        "RequestFactory",
        "AwaitCallback",
        "IncreaseStock",
        "EmailAdsResume",
    ] {
        assert_eq!(
            entered.iter().filter(|name| *name == state).count(),
            1,
            "{state} in {entered:?}"
        );
    }
    let books = up.assert_books().await;
    assert_eq!(
        (books.arrivals, books.items_arrived),
        (1, 100_000),
        "the largest unmet count was asked for"
    );
    let mails: Vec<_> = up
        .mails()
        .await
        .iter()
        .map(|m| m["subject"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        mails.len(),
        2,
        "one mail to stop the ads, one to resume: {mails:?}"
    );
    assert!(
        mails.iter().all(|subject| subject.contains(SKU)),
        "{mails:?}"
    );

    let (_, sold) = up.buy(100_000).await;
    assert_eq!(sold["outcome"], "sold", "the stock is back");
}

#[tokio::test]
async fn a_surge_opens_one_reorder_at_a_time_and_never_oversells() {
    let up = Up::start_with(&["--factory-delay-ms", "1500"]).await;
    let mut buyers = tokio::task::JoinSet::new();
    for _ in 0..30 {
        let (http, url) = (up.http.clone(), format!("{}/checkout", up.api()));
        buyers.spawn(async move {
            let mut sold = 0_i64;
            for _ in 0..20 {
                let body = serde_json::json!({ "product_id": SKU, "quantity": 5 });
                let answer = http.post(&url).json(&body).send().await.unwrap();
                assert_eq!(answer.status(), 200);
                let answer: serde_json::Value = answer.json().await.unwrap();
                sold += i64::from(answer["outcome"] == "sold") * 5;
            }
            sold
        });
    }
    let sold: i64 = buyers.join_all().await.into_iter().sum();
    up.settle().await;
    let books = up.assert_books().await;
    assert_eq!(books.items_sold, sold);
    assert_eq!(books.orders_sold + books.orders_refused, 600);
    assert!(
        books.orders_refused > 0,
        "the surge was meant to empty the stock: {books:?}"
    );
    assert!(
        books.reorders < 5,
        "one open reorder per product, not one per refused checkout: {books:?}"
    );
}

//! Sales reach SNS once each and in order; what fails comes again.

use serde_json::{Value, json};
use shop::checkout::{self, Checkout, Placement};

use super::*;
use crate::testing::{DONUT, Shop};

async fn sell(shop: &Shop, customer_id: &str, quantity: i64) -> String {
    let checkout = Checkout {
        product_id: DONUT.to_owned(),
        quantity,
        customer_id: Some(customer_id.to_owned()),
        requester: None,
        idempotency_key: None,
    };
    match checkout::place(shop.warehouse(), &checkout).await.unwrap() {
        Placement::Answered(answer) => answer.order.order_id,
        Placement::Short(shortage) => panic!("{shortage:?}"),
    }
}

async fn run(shop: &Shop) -> Result<Output, Common> {
    handle(&shop.app, Input {}).await
}

async fn waiting(shop: &Shop) -> i64 {
    outbox::waiting(shop.warehouse()).await.unwrap()
}

/// What was published so far, batch by batch: body, then name, type and text of each attribute.
fn published(shop: &Shop) -> Vec<Vec<(Value, Vec<[String; 3]>)>> {
    let calls = shop.aws.calls("PublishBatch");
    calls
        .iter()
        .map(|call| (1..).map_while(|n| entry(call, n)).collect())
        .collect()
}

fn entry(call: &Value, number: usize) -> Option<(Value, Vec<[String; 3]>)> {
    let member = |rest: String| {
        let name = format!("PublishBatchRequestEntries.member.{number}.{rest}");
        call.get(name).and_then(Value::as_str).map(str::to_owned)
    };
    let attribute = |n: usize| {
        let part = |rest: &str| member(format!("MessageAttributes.entry.{n}.{rest}"));
        Some([
            part("Name")?,
            part("Value.DataType")?,
            part("Value.StringValue")?,
        ])
    };
    let body = serde_json::from_str(&member("Message".to_owned())?).unwrap();
    let mut attributes: Vec<_> = (1..).map_while(attribute).collect();
    attributes.sort();
    Some((body, attributes))
}

/// The order ids of each batch.
fn orders(shop: &Shop) -> Vec<Vec<String>> {
    let id = |body: &Value| body["order_id"].as_str().unwrap().to_owned();
    let batches = published(shop).into_iter();
    batches
        .map(|batch| batch.iter().map(|(body, _)| id(body)).collect())
        .collect()
}

#[tokio::test]
async fn a_sale_is_published_with_numbers_as_numbers() {
    for (mode, measured) in [("order", 150), ("cumulative", 160)] {
        let shop = Shop::with(&[("RESTOCK_VIP_MODE", mode)]).await;
        sell(&shop, "CU-1", 10).await;
        let order_id = sell(&shop, "CU-1", 150).await;
        assert_eq!(run(&shop).await.unwrap().published, 2);
        let (body, attributes) = published(&shop)[0].pop().unwrap();
        let sold_at = body["sold_at"].as_i64().unwrap();
        assert_eq!(
            body,
            json!({
                "order_id": order_id, "product_id": DONUT, "customer_id": "CU-1",
                "quantity": 150, "vip_quantity": measured, "total": 160, "sold_at": sold_at
            })
        );
        let texts: Vec<_> = attributes
            .iter()
            .map(|it| it.each_ref().map(|s| s.as_str()))
            .collect();
        assert_eq!(
            texts,
            [
                ["customer_id", "String", "CU-1"],
                ["order_id", "String", &order_id],
                ["product_id", "String", DONUT],
                ["quantity", "Number", "150"],
                ["vip_quantity", "Number", &measured.to_string()],
            ]
        );
        assert!(
            shop.aws.calls("PublishBatch")[0]["TopicArn"]
                .as_str()
                .unwrap()
                .ends_with(":order_placed")
        );
    }
}

#[tokio::test]
async fn many_are_published_in_batches_and_none_twice() {
    let shop = Shop::open().await;
    let mut sold = Vec::new();
    for n in 0..23 {
        sold.push(sell(&shop, ["CU-1", "CU-2"][n % 2], 1).await);
    }
    assert_eq!(run(&shop).await.unwrap().published, 23);
    assert_eq!(run(&shop).await.unwrap(), Output::default());
    let batches = orders(&shop);
    assert_eq!(
        batches.iter().map(Vec::len).collect::<Vec<_>>(),
        [10, 10, 3]
    );
    assert_eq!(batches.concat(), sold);
    assert_eq!(waiting(&shop).await, 0);
}

#[tokio::test]
async fn what_sns_does_not_take_stays_and_is_published_later() {
    let shop = Shop::open().await;
    let order_id = sell(&shop, "CU-1", 1).await;
    shop.aws.break_next("PublishBatch");
    let failure = run(&shop).await.unwrap_err();
    assert!(matches!(failure, Common::Aws { .. }), "{failure:?}");
    assert_eq!(waiting(&shop).await, 1);
    assert_eq!(
        run(&shop).await.unwrap().published,
        1,
        "the lease was given up"
    );
    assert_eq!(orders(&shop).last().unwrap(), &[order_id]);
}

#[tokio::test]
async fn what_comes_after_a_refused_one_is_published_again_after_it() {
    let shop = Shop::open().await;
    let mut sold = Vec::new();
    for _ in 0..4 {
        sold.push(sell(&shop, "CU-1", 1).await);
    }
    shop.aws.refuse_entry("1");
    let failure = run(&shop).await.unwrap_err().to_string();
    assert!(
        failure.contains(&sold[1]) && failure.contains("InternalError"),
        "{failure}"
    );
    assert_eq!(waiting(&shop).await, 3);
    run(&shop).await.unwrap();
    assert_eq!(orders(&shop), [&sold[..], &sold[1..]]);
    assert_eq!(waiting(&shop).await, 0);
}

#[tokio::test]
async fn another_relay_is_left_alone() {
    let shop = Shop::open().await;
    sell(&shop, "CU-1", 1).await;
    let other = Relay::new(3_600_000);
    outbox::take(shop.warehouse(), &other, 1).await.unwrap();
    let output = run(&shop).await.unwrap();
    assert!(output.held_until.is_some(), "{output:?}");
    assert!(orders(&shop).is_empty());
    // It kept its lease.
    let still = outbox::take(shop.warehouse(), &other, 1).await.unwrap();
    assert!(matches!(still, Taken::Sales(_)));
}

/// Many at once, as many Lambdas of a busy API: whoever finds the lease taken may rely on its holder.
#[tokio::test]
async fn relays_at_the_same_time_leave_nothing_and_publish_nothing_twice() {
    let shop = Arc::new(Shop::open().await);
    let relays: Vec<_> = (0..20)
        .map(|n| {
            let shop = shop.clone();
            tokio::spawn(async move {
                let order_id = sell(&shop, ["CU-1", "CU-2"][n % 2], 1).await;
                drain(&shop.app).await.unwrap();
                order_id
            })
        })
        .collect();
    let mut sold = Vec::new();
    for relay in relays {
        sold.push(relay.await.unwrap());
    }
    assert_eq!(waiting(&shop).await, 0);
    let mut published = orders(&shop).concat();
    published.sort();
    sold.sort();
    assert_eq!(published, sold);
}

#[tokio::test]
async fn a_follower_publishes_what_was_left_and_then_each_sale() {
    let shop = Shop::open().await;
    let left = sell(&shop, "CU-1", 1).await;
    let following = tokio::spawn(follow(shop.app.clone()));
    let published = async |count: usize| {
        while orders(&shop).concat().len() < count {
            tokio::task::yield_now().await;
        }
    };
    published(1).await;
    let next = sell(&shop, "CU-1", 1).await;
    shop.app.sales.ring();
    published(2).await;
    assert_eq!(orders(&shop).concat(), [left, next]);
    following.abort();
}

#[tokio::test]
async fn a_follower_goes_on_when_a_dead_relays_lease_runs_out() {
    let shop = Shop::open().await;
    let order_id = sell(&shop, "CU-1", 1).await;
    outbox::take(shop.warehouse(), &Relay::new(300), 1)
        .await
        .unwrap();
    let following = tokio::spawn(follow(shop.app.clone()));
    while orders(&shop).is_empty() {
        tokio::task::yield_now().await;
    }
    assert_eq!(orders(&shop), [[order_id]]);
    following.abort();
}

/// API Gateway's event of a checkout.
fn event(customer: Value) -> Value {
    let body = json!({"quantity": 3, "customer_id": customer}).to_string();
    json!({
        "version": "2.0", "routeKey": "$default", "rawPath": "/checkout", "rawQueryString": "",
        "headers": {"content-type": "application/json"},
        "requestContext": {"http": {"method": "POST", "path": "/checkout", "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": "curl"}, "stage": "$default"},
        "body": body, "isBase64Encoded": false
    })
}

#[tokio::test]
async fn on_lambda_a_sale_is_published_before_the_function_is_frozen() {
    let shop = Shop::open().await;
    let answer = crate::sales_api::handle(&shop.app, event(json!("CU-1")))
        .await
        .unwrap();
    assert_eq!(answer["statusCode"], 200);
    assert_eq!(orders(&shop).len(), 1);
    assert_eq!(waiting(&shop).await, 0);
    let answer = crate::sales_api::handle(&shop.app, event(Value::Null))
        .await
        .unwrap();
    assert_eq!(answer["statusCode"], 200);
    assert_eq!(
        orders(&shop).len(),
        1,
        "without a customer nothing is published"
    );
}

#[tokio::test]
async fn a_sale_stands_when_sns_does_not_answer() {
    let shop = Shop::open().await;
    shop.aws.break_next("PublishBatch");
    let answer = crate::sales_api::handle(&shop.app, event(json!("CU-1")))
        .await
        .unwrap();
    assert_eq!(answer["statusCode"], 200, "{answer}");
    assert_eq!((shop.stock().await, waiting(&shop).await), (997, 1));
}

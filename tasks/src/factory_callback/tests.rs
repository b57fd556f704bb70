//! The factory's deliveries over HTTP, and the sweep.

use axum::http::Request as HttpRequest;
use http_body_util::BodyExt;
use serde_json::json;
use shop::{attempt, report, token};
use tower::ServiceExt;

use super::*;
use crate::{
    config::Secret,
    testing::{DONUT, KEY, Shop},
};

/// A shop that waits for an attempt of 1,500.
struct Waiting {
    shop: Shop,
    attempt_id: String,
}

async fn waiting(tokens: &[&str]) -> Waiting {
    let shop = Shop::open().await;
    let attempt_id = shop.attempt(&shop.claim(1_500).await.reorder_id).await;
    for text in tokens {
        token::register(shop.warehouse(), &attempt_id, text)
            .await
            .unwrap();
    }
    Waiting { shop, attempt_id }
}

fn body(count: Value) -> Value {
    json!({
        "MessageGroupId": "stock-arrival-group",
        "MessageAttributeProductId": DONUT,
        "MessageAttributeProductCnt": count,
        "MessageAttributeFactoryId": "FF-500293",
        "MessageAttributeRequester": "name",
        "CallbackUrl": "http://shop.example"
    })
}

impl Waiting {
    async fn post(&self, attempt_id: &str, sig: &str, body: Value) -> (u16, Value) {
        let uri = format!("/factory/callbacks/{attempt_id}?sig={sig}");
        let request = HttpRequest::post(uri)
            .header("content-type", "application/json")
            .body(Body::from(body.to_string()))
            .unwrap();
        let router = http::finish(routes(self.shop.app.clone()));
        let response = router.oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&bytes).unwrap())
    }

    /// A delivery as the factory makes it.
    async fn deliver(&self, count: i64) -> (u16, Value) {
        let sig = signature::sign(&Secret::new(KEY), &self.attempt_id);
        self.post(&self.attempt_id, &sig, body(json!(count.to_string())))
            .await
    }

    async fn arrivals(&self) -> i64 {
        let balances = report::balances(self.shop.warehouse()).await.unwrap();
        balances[0].arrivals
    }

    fn alerts(&self) -> Vec<String> {
        let calls = self.shop.aws.calls("Publish").into_iter();
        calls
            .map(|call| call["Message"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Lets the delivery be as old as the sweep wants it, and sweeps.
    async fn sweep(&self) -> Swept {
        sweep::sweep_before(&self.shop.app, shop::now_ms() + 1)
            .await
            .unwrap()
    }
}

#[tokio::test]
async fn a_delivery_wakes_everyone_who_waits_and_is_not_counted_here() {
    let waiting = waiting(&["token-1", "token-2"]).await;
    let (status, answer) = waiting.deliver(1_500).await;
    assert_eq!(status, 200);
    assert_eq!(
        (&answer["delivered"], &answer["repeated"]),
        (&json!(1500), &json!(false))
    );
    let calls = waiting.shop.aws.calls("SendTaskSuccess");
    let mut tokens: Vec<_> = calls
        .iter()
        .map(|call| call["taskToken"].as_str().unwrap())
        .collect();
    // Tokens of one millisecond are woken in any order.
    tokens.sort_unstable();
    assert_eq!(tokens, ["token-1", "token-2"]);
    assert_eq!(waiting.shop.stock().await, 1_000, "IncreaseStock counts it");
    assert!(waiting.alerts().is_empty());
}

#[tokio::test]
async fn a_repeated_delivery_is_the_first_one() {
    let waiting = waiting(&["token-1"]).await;
    waiting.deliver(1_500).await;
    let (status, answer) = waiting.deliver(700).await;
    assert_eq!(status, 200);
    assert_eq!(
        (&answer["delivered"], &answer["repeated"]),
        (&json!(1500), &json!(true))
    );
    assert_eq!(waiting.shop.aws.calls("SendTaskSuccess").len(), 1);
    assert_eq!(waiting.arrivals().await, 1);
}

#[tokio::test]
async fn what_is_wrong_changes_nothing() {
    let waiting = waiting(&["token-1"]).await;
    let good = signature::sign(&Secret::new(KEY), &waiting.attempt_id);
    let id = waiting.attempt_id.as_str();
    let other = json!({"MessageAttributeProductId": "CP-9", "MessageAttributeProductCnt": "1"});
    for (attempt_id, sig, body, status, field) in [
        (id, "", body(json!("1")), 403, Value::Null),
        (id, "00", body(json!("1")), 403, Value::Null),
        (id, &"0".repeat(64), body(json!("1")), 403, Value::Null),
        (
            id,
            &format!("{good}&sig={good}"),
            body(json!("1")),
            403,
            Value::Null,
        ),
        ("AT-none", good.as_str(), body(json!("1")), 404, Value::Null),
        ("AT-none", "", body(json!("1")), 404, Value::Null),
        (
            id,
            &good,
            body(json!("0")),
            400,
            json!("MessageAttributeProductCnt"),
        ),
        (
            id,
            &good,
            body(json!(-3)),
            400,
            json!("MessageAttributeProductCnt"),
        ),
        (
            id,
            &good,
            body(json!("many")),
            400,
            json!("MessageAttributeProductCnt"),
        ),
        (
            id,
            &good,
            json!({}),
            400,
            json!("MessageAttributeProductId"),
        ),
        (id, &good, other, 400, json!("MessageAttributeProductId")),
        (id, &good, json!([1]), 400, json!("body")),
    ] {
        let (got, answer) = waiting.post(attempt_id, sig, body.clone()).await;
        assert_eq!(
            (got, &answer["field"]),
            (status, &field),
            "{attempt_id} {body} {answer}"
        );
    }
    assert_eq!(waiting.arrivals().await, 0);
    assert!(waiting.shop.aws.calls("SendTaskSuccess").is_empty());
}

#[tokio::test]
async fn a_late_delivery_is_counted_here_and_operations_hear_of_it() {
    for code in ["TaskTimedOut", "TaskDoesNotExist", "InvalidToken"] {
        let waiting = waiting(&["token-1"]).await;
        waiting.shop.aws.fail_next("SendTaskSuccess", 400, code);
        for _ in 0..2 {
            assert_eq!(waiting.deliver(1_500).await.0, 200);
            assert_eq!(waiting.shop.stock().await, 2_500, "{code}");
        }
        let alerts = waiting.alerts();
        assert_eq!(alerts.len(), 1, "{alerts:?}");
        assert!(alerts[0].contains("does not wait any more"), "{alerts:?}");
    }
}

#[tokio::test]
async fn operations_hear_of_a_late_short_delivery_although_sns_was_dead() {
    let waiting = waiting(&["token-1"]).await;
    let aws = &waiting.shop.aws;
    aws.fail_next("SendTaskSuccess", 400, "TaskTimedOut");
    aws.break_next("Publish");
    waiting.deliver(1_400).await;
    assert_eq!(waiting.shop.stock().await, 2_400);
    let failed = waiting.alerts().len();
    let swept = waiting.sweep().await;
    assert_eq!((swept.reported, swept.applied), (1, 0));
    let alerts = waiting.alerts().split_off(failed);
    assert_eq!(alerts.len(), 1);
    for part in ["fewer", "asked for 1500 and brought 1400", "It came late"] {
        assert!(alerts[0].contains(part), "{part}: {}", alerts[0]);
    }
    assert_eq!(waiting.sweep().await.reported, 0);
    assert_eq!(waiting.alerts().len(), failed + 1, "told once");
}

#[tokio::test]
async fn of_two_who_answer_a_token_the_second_leaves_it_alone() {
    let waiting = waiting(&[]).await;
    let registered = token::register(waiting.shop.warehouse(), &waiting.attempt_id, "t").await;
    let token_id = registered.unwrap().token_id;
    // AwaitCallback has seen the delivery as well, and is answering.
    let took = token::take(waiting.shop.warehouse(), &token_id, 30_000).await;
    assert!(took.unwrap());
    waiting.deliver(1_500).await;
    assert!(waiting.shop.aws.calls("SendTaskSuccess").is_empty());
    assert_eq!(waiting.shop.stock().await, 1_000, "the execution counts it");
    assert!(waiting.alerts().is_empty(), "it did not come late");
}

#[tokio::test]
async fn one_token_that_accepts_is_enough() {
    let waiting = waiting(&["dead", "alive"]).await;
    waiting
        .shop
        .aws
        .fail_next("SendTaskSuccess", 400, "TaskTimedOut");
    waiting.deliver(1_500).await;
    assert_eq!(waiting.shop.aws.calls("SendTaskSuccess").len(), 2);
    assert_eq!(waiting.shop.stock().await, 1_000);
    assert!(waiting.alerts().is_empty());
}

#[tokio::test]
async fn a_delivery_of_a_request_that_had_failed_is_counted_here() {
    let waiting = waiting(&[]).await;
    attempt::fail(waiting.shop.warehouse(), &waiting.attempt_id, "timeout")
        .await
        .unwrap();
    waiting.deliver(1_500).await;
    assert_eq!(waiting.shop.stock().await, 2_500);
    assert!(waiting.alerts()[0].contains("Its request had failed"));
}

#[tokio::test]
async fn a_delivery_of_a_request_that_was_repeated_is_counted_here() {
    let waiting = waiting(&[]).await;
    let later = waiting.shop.attempt(&reorder(&waiting).await).await;
    token::register(waiting.shop.warehouse(), &later, "token-2")
        .await
        .unwrap();
    for _ in 0..2 {
        waiting.deliver(1_500).await;
        assert_eq!(waiting.shop.stock().await, 2_500);
    }
    assert_eq!(waiting.alerts().len(), 1);
    assert!(waiting.alerts()[0].contains("Its request was repeated"));
    assert!(waiting.shop.aws.calls("SendTaskSuccess").is_empty());
}

#[tokio::test]
async fn a_delivery_that_an_execution_has_is_left_to_it_although_its_request_was_repeated() {
    let waiting = waiting(&["token-1"]).await;
    waiting.shop.attempt(&reorder(&waiting).await).await;
    for _ in 0..2 {
        waiting.deliver(1_500).await;
    }
    assert_eq!(waiting.shop.aws.calls("SendTaskSuccess").len(), 1);
    assert_eq!(waiting.shop.stock().await, 1_000, "the execution counts it");
    assert!(waiting.alerts().is_empty(), "nothing is odd");
}

#[tokio::test]
async fn a_delivery_before_the_token_is_left_to_await_callback() {
    let waiting = waiting(&[]).await;
    waiting.deliver(1_500).await;
    assert_eq!(waiting.shop.stock().await, 1_000);
    let registered = token::register(waiting.shop.warehouse(), &waiting.attempt_id, "t").await;
    assert_eq!(registered.unwrap().arrival.unwrap().delivered, 1_500);
    assert!(waiting.alerts().is_empty());
}

#[tokio::test]
async fn a_failing_service_is_left_to_the_sweep() {
    let waiting = waiting(&["token-1"]).await;
    waiting.shop.aws.break_next("SendTaskSuccess");
    assert_eq!(waiting.deliver(1_500).await.0, 200);
    assert_eq!(waiting.shop.stock().await, 1_000);
    let first = waiting.sweep().await;
    assert_eq!((first.sent, first.applied), (1, 0));
    // The execution took it and did not count it: then the next sweep does.
    let second = waiting.sweep().await;
    assert_eq!((second.sent, second.applied), (0, 1));
    assert_eq!(waiting.shop.stock().await, 2_500);
    assert_eq!(waiting.alerts().len(), 1);
    assert_eq!(waiting.sweep().await.applied, 0);
}

#[tokio::test]
async fn the_sweep_starts_what_was_never_started() {
    let waiting = waiting(&[]).await;
    assert_eq!(waiting.sweep().await.running, 1);
    let open = reorder(&waiting).await;
    let calls = waiting.shop.aws.calls("StartExecution");
    assert_eq!(calls[0]["name"], format!("reorder-{open}"));
    waiting
        .shop
        .aws
        .fail_next("StartExecution", 400, "ExecutionAlreadyExists");
    let swept = waiting.sweep().await;
    assert_eq!((swept.running, swept.dead), (0, 1));
    assert_eq!(
        reorder(&waiting).await,
        open,
        "a dead one waits for the next refused checkout"
    );
}

async fn reorder(waiting: &Waiting) -> String {
    let open = shop::reorder::list_open(waiting.shop.warehouse())
        .await
        .unwrap();
    open[0].reorder_id.clone()
}

#[tokio::test]
async fn one_function_takes_both_kinds_of_event() {
    let waiting = waiting(&["token-1"]).await;
    let swept = handle(&waiting.shop.app, json!({"sweep": true}))
        .await
        .unwrap();
    assert_eq!(
        swept,
        json!({"applied": 0, "sent": 0, "waiting": 0, "reported": 0, "running": 0, "dead": 0})
    );

    let sig = signature::sign(&Secret::new(KEY), &waiting.attempt_id);
    let path = format!("/factory/callbacks/{}", waiting.attempt_id);
    let event = json!({
        "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": format!("sig={sig}"),
        "headers": {"content-type": "application/json"}, "queryStringParameters": {"sig": sig},
        "requestContext": {"http": {"method": "POST", "path": path, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": "factory"}, "stage": "$default"},
        "body": body(json!("1500")).to_string(), "isBase64Encoded": false
    });
    let response = handle(&waiting.shop.app, event).await.unwrap();
    assert_eq!(response["statusCode"], 200, "{response}");
    assert_eq!(waiting.arrivals().await, 1);
}

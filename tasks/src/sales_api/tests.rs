//! The API as its clients see it.

use axum::{
    body::Body,
    http::{Request, header},
};
use http_body_util::BodyExt;
use shop::report;
use tower::ServiceExt;

use super::*;
use crate::testing::{DONUT, Shop};

/// A response: status, headers of interest, body.
#[derive(Debug)]
struct Answer {
    status: u16,
    retry_after: Option<String>,
    allow: Option<String>,
    body: Value,
}

async fn send(shop: &Shop, request: Request<Body>) -> Answer {
    let response = router(shop.app.clone()).oneshot(request).await.unwrap();
    let text = |name| {
        let value = response.headers().get(name);
        value.map(|value| value.to_str().unwrap().to_owned())
    };
    let (retry_after, allow) = (text(header::RETRY_AFTER), text(header::ALLOW));
    let status = response.status().as_u16();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    let body = serde_json::from_slice(&bytes).unwrap();
    Answer {
        status,
        retry_after,
        allow,
        body,
    }
}

async fn get(shop: &Shop, path: &str) -> Answer {
    send(shop, Request::get(path).body(Body::empty()).unwrap()).await
}

async fn checkout(shop: &Shop, key: Option<&str>, body: Value) -> Answer {
    let mut request = Request::post("/checkout").header("content-type", "application/json");
    if let Some(key) = key {
        request = request.header("Idempotency-Key", key);
    }
    send(shop, request.body(Body::from(body.to_string())).unwrap()).await
}

async fn orders(shop: &Shop) -> i64 {
    let balances = report::balances(shop.warehouse()).await.unwrap();
    assert_eq!(
        balances.iter().flat_map(|b| b.broken()).collect::<Vec<_>>(),
        Vec::<String>::new()
    );
    balances[0].orders_sold + balances[0].orders_refused
}

#[tokio::test]
async fn the_products_are_as_the_contract_has_them() {
    let shop = Shop::open().await;
    let donut = json!({
        "product_id": DONUT, "sku": DONUT, "name": "donut", "stock": 1000, "identifier": "FF-500293"
    });
    for path in ["/product/donut", "/products/CP-502101"] {
        let answer = get(&shop, path).await;
        assert_eq!((answer.status, &answer.body), (200, &donut), "{path}");
    }
    assert_eq!(get(&shop, "/products").await.body, json!([donut]));
    let missing = get(&shop, "/products/CP-9").await;
    assert_eq!(
        (missing.status, missing.body),
        (404, json!({"message": "상품 없음"}))
    );
}

#[tokio::test]
async fn a_sale_takes_the_items_and_can_be_looked_up() {
    let shop = Shop::open().await;
    let answer = checkout(&shop, None, json!({"MessageAttributeProductCnt": "3"})).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body["message"], "구매 완료! 남은 재고: 997");
    assert_eq!(
        (&answer.body["outcome"], &answer.body["remaining"]),
        (&json!("sold"), &json!(997))
    );
    assert!(shop.aws.calls("Publish").is_empty());

    let id = answer.body["order_id"].as_str().unwrap();
    let order = get(&shop, &format!("/orders/{id}")).await;
    assert_eq!(order.status, 200);
    assert_eq!(
        (&order.body["quantity"], &order.body["outcome"]),
        (&json!(3), &json!("sold"))
    );
    assert_eq!(get(&shop, "/orders/OR-none").await.status, 404);
}

#[tokio::test]
async fn a_refusal_is_announced_in_the_original_words() {
    let shop = Shop::open().await;
    let body = json!({"MessageAttributeProductCnt": 1001, "requester": "name"});
    let answer = checkout(&shop, None, body).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body["message"], "구매 실패! 남은 재고: 1000");
    assert_eq!(answer.body["outcome"], "refused");
    let published = shop.aws.calls("Publish");
    assert_eq!(published.len(), 1);
    assert_eq!(published[0]["Subject"], "도너츠 재고 부족");
    assert!(
        published[0]["TopicArn"]
            .as_str()
            .unwrap()
            .ends_with(":stock_empty")
    );
    let mut attributes = attributes(&published[0]);
    attributes.sort();
    let order_id = answer.body["order_id"].as_str().unwrap();
    assert_eq!(
        attributes,
        [
            ("MessageAttributeFactoryId", "String", "FF-500293"),
            ("MessageAttributeOrderId", "String", order_id),
            ("MessageAttributeProductCnt", "String", "1001"),
            ("MessageAttributeProductId", "String", DONUT),
            ("MessageAttributeRequester", "String", "name"),
        ]
    );

    checkout(&shop, None, json!({"quantity": 1001, "requester": ""})).await;
    let published = shop.aws.calls("Publish");
    let names: Vec<_> = self::attributes(&published[1])
        .into_iter()
        .map(|a| a.0)
        .collect();
    assert!(!names.contains(&"MessageAttributeRequester"), "{names:?}");
}

/// Name, type and text of the attributes of a Publish.
fn attributes(call: &Value) -> Vec<(&str, &str, &str)> {
    let member = |n: usize, rest: &str| {
        call.get(format!("MessageAttributes.entry.{n}.{rest}"))
            .and_then(Value::as_str)
    };
    let found = (1..).map_while(|n| {
        Some((
            member(n, "Name")?,
            member(n, "Value.DataType")?,
            member(n, "Value.StringValue")?,
        ))
    });
    found.collect()
}

#[tokio::test]
async fn without_sns_a_refusal_is_a_503_and_no_order() {
    let shop = Shop::open().await;
    shop.aws.break_next("Publish");
    let body = json!({"quantity": 1001});
    let answer = checkout(&shop, Some("k-1"), body.clone()).await;
    assert_eq!(answer.status, 503);
    assert!(answer.retry_after.is_some());
    assert_eq!(orders(&shop).await, 0);
    let text = answer.body.to_string();
    assert!(!text.contains("SNS") && !text.contains("arn:"), "{text}");

    let answer = checkout(&shop, Some("k-1"), body).await;
    assert_eq!(
        (answer.status, &answer.body["outcome"]),
        (200, &json!("refused"))
    );
    assert_eq!(orders(&shop).await, 1);
}

#[tokio::test]
async fn one_key_is_one_answer() {
    let shop = Shop::open().await;
    let first = checkout(&shop, Some("k-1"), json!({"quantity": 3})).await;
    let second = checkout(&shop, Some("k-1"), json!({"quantity": 3})).await;
    assert_eq!(first.body, second.body);
    assert_eq!((orders(&shop).await, shop.stock().await), (1, 997));
    let other = checkout(&shop, Some("k-1"), json!({"quantity": 4})).await;
    assert_eq!(
        (other.status, &other.body["field"]),
        (409, &json!("Idempotency-Key"))
    );
    assert_eq!(orders(&shop).await, 1);
}

#[tokio::test]
async fn bad_checkouts_name_what_is_wrong_and_change_nothing() {
    let shop = Shop::open().await;
    for (body, status, field) in [
        (json!({"quantity": 0}), 400, json!("quantity")),
        (
            json!({"MessageAttributeProductCnt": "-1"}),
            400,
            json!("MessageAttributeProductCnt"),
        ),
        (
            json!({"MessageAttributeProductCnt": 1_000_001}),
            400,
            json!("MessageAttributeProductCnt"),
        ),
        (json!({}), 400, json!("MessageAttributeProductCnt")),
        (json!([]), 400, json!("body")),
        (
            json!({"quantity": 1, "product_id": "CP-9"}),
            400,
            Value::Null,
        ),
        (
            json!({"quantity": 1, "requester": "x".repeat(70_000)}),
            413,
            json!("body"),
        ),
    ] {
        let answer = checkout(&shop, None, body).await;
        assert_eq!(
            (answer.status, &answer.body["field"]),
            (status, &field),
            "{answer:?}"
        );
        assert!(answer.body["message"].is_string());
    }
    let unknown = checkout(&shop, None, json!({"quantity": 1, "product_id": "CP-9"})).await;
    assert_eq!(unknown.body, json!({"message": "상품 없음"}));
    let form = Request::post("/checkout").header("content-type", "text/plain");
    let answer = send(&shop, form.body(Body::from("{}")).unwrap()).await;
    assert_eq!(answer.status, 415);
    assert_eq!((orders(&shop).await, shop.stock().await), (0, 1_000));
}

#[tokio::test]
async fn unknown_paths_and_methods_have_answers() {
    let shop = Shop::open().await;
    for path in ["/", "/product", "/products/", "/checkout/1"] {
        let answer = get(&shop, path).await;
        assert_eq!(
            (answer.status, answer.body),
            (404, json!({"error": "Not Found"})),
            "{path}"
        );
    }
    let answer = get(&shop, "/checkout").await;
    assert_eq!(
        (answer.status, answer.allow.as_deref()),
        (405, Some("POST"))
    );
    assert!(answer.body["message"].is_string());
    assert_eq!(get(&shop, "/products/%ff").await.status, 400);
    assert_eq!(get(&shop, "/health").await.body, json!({"status": "ok"}));
}

#[tokio::test]
async fn without_its_database_the_api_answers_503() {
    let shop = Shop::open().await;
    shop.warehouse().close().await;
    let body = json!({"quantity": 1});
    for answer in [
        get(&shop, "/product/donut").await,
        get(&shop, "/products").await,
        get(&shop, "/orders/OR-1").await,
        checkout(&shop, None, body).await,
    ] {
        assert_eq!(answer.status, 503);
        assert!(answer.retry_after.is_some());
        assert!(
            !answer.body.to_string().to_lowercase().contains("pool"),
            "{answer:?}"
        );
    }
}

#[tokio::test]
async fn every_documented_route_is_served_and_every_served_body_documented() {
    let shop = Shop::open().await;
    let document = get(&shop, "/openapi.json").await.body;
    assert_eq!(document, openapi::document());
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            let path = path.replace("{id}", "1").replace("{attempt}", "1");
            let method = method.to_uppercase();
            let request = Request::builder().method(method.as_str()).uri(&path);
            let answer = send(&shop, request.body(Body::empty()).unwrap()).await;
            assert_ne!(
                answer.body,
                json!({"error": "Not Found"}),
                "{method} {path}"
            );
            assert_ne!(answer.status, 405, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn api_gateway_events_reach_the_same_router() {
    let shop = Shop::open().await;
    let event = json!({
        "version": "2.0", "routeKey": "$default", "rawPath": "/checkout", "rawQueryString": "",
        "headers": {"content-type": "application/json"},
        "requestContext": {"http": {"method": "POST", "path": "/checkout", "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": "curl"}, "stage": "$default"},
        "body": "eyJxdWFudGl0eSI6IDN9", "isBase64Encoded": true
    });
    let response = handle(&shop.app, event).await.unwrap();
    assert_eq!(response["statusCode"], 200, "{response}");
    assert!(
        response["body"]
            .as_str()
            .unwrap()
            .contains("남은 재고: 997")
    );
}

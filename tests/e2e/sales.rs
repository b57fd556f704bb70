//! The Sales API as its clients see it.

use serde_json::{Value, json};

use crate::harness::{SKU, Up};

#[tokio::test]
async fn the_contract_of_the_original_system_holds() {
    let up = Up::start().await;
    let (status, product) = up.get("/product/donut").await;
    assert_eq!(status, 200);
    assert_eq!(
        (&product["sku"], &product["stock"], &product["identifier"]),
        (&json!(SKU), &json!(1000), &json!("FF-500293"))
    );
    assert!(
        product.get("manager_email").is_none(),
        "the manager's address stays inside"
    );

    let (status, sold) = up
        .post(
            "/checkout",
            &json!({ "MessageAttributeProductCnt": "3", "requester": "kim" }),
        )
        .await;
    assert_eq!(
        (status, &sold["message"]),
        (200, &json!("구매 완료! 남은 재고: 997"))
    );
    let (status, refused) = up
        .post("/checkout", &json!({ "MessageAttributeProductCnt": 998 }))
        .await;
    assert_eq!(
        (status, &refused["message"]),
        (200, &json!("구매 실패! 남은 재고: 997"))
    );
    let unknown = json!({ "MessageAttributeProductId": "CP-0", "MessageAttributeProductCnt": 1 });
    let (status, answer) = up.post("/checkout", &unknown).await;
    assert_eq!((status, &answer["message"]), (400, &json!("상품 없음")));
    assert_eq!(
        up.get("/nowhere").await,
        (404, json!({ "error": "Not Found" }))
    );

    let (status, order) = up
        .get(&format!("/orders/{}", sold["order_id"].as_str().unwrap()))
        .await;
    assert_eq!((status, &order["outcome"]), (200, &json!("sold")));
}

#[tokio::test]
async fn bad_input_gets_a_clear_answer_and_changes_nothing() {
    let up = Up::start().await;
    for (body, field) in [
        (json!({ "quantity": 0 }), "quantity"),
        (json!({ "quantity": -1 }), "quantity"),
        (json!({ "quantity": "many" }), "quantity"),
        (json!({ "quantity": 1.5 }), "quantity"),
        (json!({ "quantity": 1_000_001 }), "quantity"),
        (
            json!({ "MessageAttributeProductCnt": "" }),
            "MessageAttributeProductCnt",
        ),
        (json!({}), "MessageAttributeProductCnt"),
        (json!([]), ""),
    ] {
        let (status, answer) = up.post("/checkout", &body).await;
        assert_eq!(status, 400, "{body} → {answer}");
        assert!(
            answer["message"]
                .as_str()
                .is_some_and(|m| m.contains(field) || answer["field"] == field),
            "{body} → {answer}"
        );
    }
    let not_json = up
        .http
        .post(format!("{}/checkout", up.api()))
        .header("content-type", "application/json")
        .body("{");
    assert_eq!(not_json.send().await.unwrap().status(), 400);
    let (status, _) = up
        .post(
            "/checkout",
            &json!({ "quantity": 1, "requester": "x".repeat(70_000) }),
        )
        .await;
    assert_eq!(status, 413);
    let books = up.assert_books().await;
    assert_eq!(
        (books.stock, books.orders_sold, books.orders_refused),
        (1000, 0, 0)
    );
}

#[tokio::test]
async fn an_idempotency_key_gives_one_order() {
    let up = Up::start().await;
    let buy = async |count: u32| -> (u16, Value) {
        let request = up
            .http
            .post(format!("{}/checkout", up.api()))
            .header("Idempotency-Key", "order-7");
        let answer = request
            .json(&json!({ "quantity": count }))
            .send()
            .await
            .unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    };
    let (first, second, third, fourth) = tokio::join!(buy(2), buy(2), buy(2), buy(2));
    assert_eq!(first.0, 200, "{first:?}");
    assert!(
        first == second && second == third && third == fourth,
        "{first:?} {second:?} {third:?} {fourth:?}"
    );
    assert_eq!(buy(3).await.0, 409, "another order under the same key");
    assert_eq!(up.assert_books().await.stock, 998);
}

#[tokio::test]
async fn a_second_up_on_the_same_data_is_refused() {
    let up = Up::start().await;
    let data = up.data_dir();
    let second = std::process::Command::new(env!("CARGO_BIN_EXE_restock"))
        .args([
            "up",
            "--api",
            "127.0.0.1:0",
            "--aws",
            "127.0.0.1:0",
            "--console",
            "127.0.0.1:0",
            "--data-dir",
            data.to_str().unwrap(),
        ])
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&second.stderr);
    assert!(!second.status.success());
    assert!(
        told.contains(&up.pid().to_string()),
        "it should name the process that holds it: {told}"
    );
}

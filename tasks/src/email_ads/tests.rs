//! Mail once, and an answer for every token.

use serde_json::{Value, json};

use super::*;
use crate::testing::{DONUT, Shop};

fn record(queue: &str, body: Value) -> Record {
    Record {
        message_id: "m-1".to_owned(),
        body: body.to_string(),
        event_source_arn: format!("arn:aws:sqs:us-east-1:000000000000:{queue}"),
    }
}

fn request(reorder_id: &str, action: &str) -> Value {
    json!({
        "task_token": "token-1", "action": action, "reorder_id": reorder_id, "product_id": DONUT,
        "quantity": 1500, "stock": 3, "missing": 1497
    })
}

/// Whether the one message of this batch is done with.
async fn run(shop: &Shop, queue: &str, body: Value) -> bool {
    let records = vec![record(queue, body)];
    let answer = handle(&shop.app, Batch { records }).await.unwrap();
    answer.batch_item_failures.is_empty()
}

/// The outputs that tokens were answered with.
fn outputs(shop: &Shop) -> Vec<Value> {
    let calls = shop.aws.calls("SendTaskSuccess").into_iter();
    calls
        .map(|call| serde_json::from_str(call["output"].as_str().unwrap()).unwrap())
        .collect()
}

/// The error names that tokens were failed with.
fn failures(shop: &Shop) -> Vec<String> {
    let calls = shop.aws.calls("SendTaskFailure").into_iter();
    calls
        .map(|call| call["error"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn the_manager_gets_one_mail_however_often_the_message_comes() {
    let shop = Shop::open().await;
    let id = shop.claim(1_500).await.reorder_id;
    for _ in 0..2 {
        assert!(run(&shop, "ads_queue", request(&id, "stop")).await);
    }
    let mails = shop.aws.calls("SendEmail");
    assert_eq!(mails.len(), 1);
    assert_eq!(
        mails[0]["Destination"]["ToAddresses"],
        json!(["ads@donut-states.example"])
    );
    assert_eq!(mails[0]["FromEmailAddress"], "shop@donut-states.example");
    let simple = &mails[0]["Content"]["Simple"];
    assert!(
        simple["Subject"]["Data"]
            .as_str()
            .unwrap()
            .starts_with("광고 중단 요청")
    );
    assert!(
        simple["Body"]["Text"]["Data"]
            .as_str()
            .unwrap()
            .contains("Missing: 1497")
    );
    assert!(
        simple["Body"]["Text"]["Data"]
            .as_str()
            .unwrap()
            .contains("Next delivery: not known")
    );
    let sent: Vec<_> = outputs(&shop)
        .iter()
        .map(|output| output["sent"].clone())
        .collect();
    assert_eq!(sent, [json!(true), json!(false)]);
    assert_eq!(
        outputs(&shop)[0]["message_id"],
        outputs(&shop)[1]["message_id"]
    );

    assert!(run(&shop, "ads_queue", request(&id, "resume")).await);
    assert_eq!(
        shop.aws.calls("SendEmail").len(),
        2,
        "resume is another mail"
    );
}

#[tokio::test]
async fn a_refused_mail_fails_its_task_and_may_be_sent_by_a_replay() {
    for code in [
        "MessageRejected",
        "BadRequestException",
        "MailFromDomainNotVerifiedException",
    ] {
        let shop = Shop::open().await;
        let id = shop.claim(1_500).await.reorder_id;
        shop.aws.fail_next("SendEmail", 400, code);
        assert!(run(&shop, "ads_queue", request(&id, "stop")).await);
        assert_eq!(failures(&shop), ["Email.Rejected"], "{code}");
        assert!(run(&shop, "ads_queue", request(&id, "stop")).await);
        assert_eq!(outputs(&shop)[0]["sent"], true);
    }
}

#[tokio::test]
async fn what_may_pass_comes_again() {
    let shop = Shop::open().await;
    let id = shop.claim(1_500).await.reorder_id;
    for action in ["SendTaskHeartbeat", "SendEmail"] {
        shop.aws.break_next(action);
        assert!(
            !run(&shop, "ads_queue", request(&id, "stop")).await,
            "{action}"
        );
    }
    mail::claim(shop.warehouse(), &id, mail::Kind::Stop, 3_600_000)
        .await
        .unwrap();
    assert!(
        !run(&shop, "ads_queue", request(&id, "stop")).await,
        "another run has it"
    );
    mail::release(shop.warehouse(), &id, mail::Kind::Stop)
        .await
        .unwrap();

    shop.aws.break_next("SendTaskSuccess");
    assert!(!run(&shop, "ads_queue", request(&id, "stop")).await);
    let mails = shop.aws.calls("SendEmail").len();
    assert!(run(&shop, "ads_queue", request(&id, "stop")).await);
    assert_eq!(
        shop.aws.calls("SendEmail").len(),
        mails,
        "it was out already"
    );
    assert_eq!(outputs(&shop).last().unwrap()["sent"], false);
    assert!(failures(&shop).is_empty());
}

#[tokio::test]
async fn a_task_that_does_not_wait_gets_no_mail() {
    for code in ["TaskTimedOut", "TaskDoesNotExist", "InvalidToken"] {
        let shop = Shop::open().await;
        let id = shop.claim(1_500).await.reorder_id;
        shop.aws.fail_next("SendTaskHeartbeat", 400, code);
        assert!(
            run(&shop, "ads_queue", request(&id, "stop")).await,
            "{code}"
        );
        assert!(shop.aws.calls("SendEmail").is_empty());
    }
}

#[tokio::test]
async fn the_last_delivery_fails_the_task() {
    let shop = Shop::open().await;
    let id = shop.claim(1_500).await.reorder_id;
    assert!(run(&shop, "ads_queue_dlq", request(&id, "stop")).await);
    assert_eq!(failures(&shop), ["Email.Undeliverable"]);
    assert!(shop.aws.calls("SendEmail").is_empty());
}

#[tokio::test]
async fn what_is_unknown_fails_the_task_by_name_and_rubbish_stays() {
    let shop = Shop::open().await;
    let id = shop.claim(1_500).await.reorder_id;
    let mut other = request(&id, "stop");
    other["product_id"] = json!("CP-9");
    assert!(run(&shop, "ads_queue", other).await);
    assert!(run(&shop, "ads_queue", request("RO-none", "stop")).await);
    assert_eq!(failures(&shop), ["Product.NotFound", "Reorder.NotFound"]);

    assert!(!run(&shop, "ads_queue", json!("hello")).await);
    assert!(!run(&shop, "ads_queue_dlq", json!({"action": "stop"})).await);
}

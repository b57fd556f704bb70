//! A bulk purchase makes a VIP: once, whatever is killed, repeated or down meanwhile.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_sfn::types::{ExecutionListItem, ExecutionStatus, HistoryEventType};
use serde_json::{Value, json};
use shop::checkout::{self, Checkout, Placement};
use shop::customer::{self, Customer, CustomerType};
use shop::{Customers, Warehouse, outbox};

use crate::harness::{Process, SKU, Up, eventually, free_port, restock};

const VIP: &str = "arn:aws:states:us-east-1:000000000000:stateMachine:vip";

impl Up {
    /// Buys as a customer; the order's id.
    async fn buy_as(&self, count: u64, customer_id: Option<&str>) -> String {
        let body = json!({ "product_id": SKU, "quantity": count, "customer_id": customer_id });
        let (status, answer) = self.post("/checkout", &body).await;
        assert_eq!(
            (status, &answer["outcome"]),
            (200, &json!("sold")),
            "{answer}"
        );
        answer["order_id"].as_str().unwrap().to_owned()
    }

    /// Every execution of the VIP flow, by its name.
    async fn vip_executions(&self) -> BTreeMap<String, ExecutionListItem> {
        let list = self.sfn().await.list_executions().state_machine_arn(VIP);
        let found = list.send().await.unwrap().executions.into_iter();
        found.map(|it| (it.name.clone(), it)).collect()
    }

    /// The execution of an order, once it has ended: its status and output.
    async fn ended_vip(&self, order_id: &str) -> (ExecutionStatus, Value) {
        let arn = format!("{}:{order_id}", VIP.replace("stateMachine", "execution"));
        let sfn = self.sfn().await;
        eventually("the end of the vip flow", async || {
            let asked = sfn
                .describe_execution()
                .execution_arn(&arn)
                .send()
                .await
                .ok()?;
            let output = asked
                .output()
                .map_or(Value::Null, |it| serde_json::from_str(it).unwrap());
            (asked.status != ExecutionStatus::Running).then_some((asked.status, output))
        })
        .await
    }

    /// Waits until every sale is published and every message of the flow is done with.
    async fn published(&self) {
        let warehouse = self.warehouse_at_rest();
        eventually("an empty outbox and queue", async || {
            let left = outbox::waiting(&warehouse).await.unwrap();
            (left == 0 && self.depth("vip_queue").await == 0).then_some(())
        })
        .await;
        warehouse.close().await;
        assert_eq!(self.depth("vip_queue_dlq").await, 0);
    }

    fn warehouse_at_rest(&self) -> Warehouse {
        let url = format!("sqlite:{}", self.data_dir().join("warehouse.db").display());
        Warehouse::open(&url, 1).unwrap()
    }

    async fn with_customers<T>(&self, body: impl AsyncFnOnce(&Customers) -> T) -> T {
        let url = format!("sqlite:{}", self.data_dir().join("customers.db").display());
        let customers = Customers::open(&url, 1).unwrap();
        let answer = body(&customers).await;
        customers.close().await;
        answer
    }

    async fn customer(&self, customer_id: &str) -> Customer {
        self.with_customers(async |it| customer::get(it, customer_id).await.unwrap())
            .await
    }

    /// What its own marketing system received: the customers' ids, one for each key.
    fn marketed(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.data_dir().join("marketing.jsonl")).unwrap();
        let id = |line: &str| {
            let received: Value = serde_json::from_str(line).unwrap();
            received["customer"]["customer_id"]
                .as_str()
                .unwrap()
                .to_owned()
        };
        let mut ids: Vec<_> = text.lines().map(id).collect();
        ids.sort();
        ids
    }
}

/// A simulated marketing system of its own, with the given flags.
struct Marketing {
    _process: Process,
    _folder: tempfile::TempDir,
    url: String,
}

impl Marketing {
    async fn start(flags: &[&str]) -> Marketing {
        let folder = tempfile::tempdir().unwrap();
        let listen = format!("127.0.0.1:{}", free_port());
        let received = folder.path().join("marketing.jsonl");
        let mut args = vec![
            "marketing",
            "--listen",
            &listen,
            "--received",
            received.to_str().unwrap(),
        ];
        args.extend(flags);
        let process = restock(&args, &folder.path().join("marketing.log"));
        let marketing = Marketing {
            _process: process,
            _folder: folder,
            url: format!("http://{listen}"),
        };
        eventually("the marketing system", async || marketing.ask().await).await;
        marketing
    }

    async fn ask(&self) -> Option<Vec<Value>> {
        let url = format!("{}/api/customers", self.url);
        let body: Value = reqwest::get(url).await.ok()?.json().await.ok()?;
        Some(body["customers"].as_array()?.clone())
    }

    async fn received(&self) -> Vec<Value> {
        self.ask().await.unwrap()
    }
}

/// An installation with this marketing system, and one bulk purchase by CU-1: its order's id.
async fn buys_with(flags: &[&str]) -> (Marketing, Up, String) {
    let marketing = Marketing::start(flags).await;
    let up = Up::start_with(&["--marketing-url", &marketing.url]).await;
    let order_id = up.buy_as(150, Some("CU-1")).await;
    (marketing, up, order_id)
}

#[tokio::test]
async fn a_bulk_purchase_makes_a_vip_and_marketing_hears_of_it_once() {
    let up = Up::start().await;
    let small = up.buy_as(5, Some("CU-2")).await;
    up.buy_as(99, Some("CU-2")).await;
    up.buy_as(100, None).await;
    let unknown = up.buy_as(100, Some("CU-404")).await;
    let big = up.buy_as(150, Some("CU-1")).await;
    let (status, output) = up.ended_vip(&big).await;
    assert_eq!(status, ExecutionStatus::Succeeded);
    assert_eq!(output["outcome"], "upgraded", "{output}");
    let again = up.buy_as(100, Some("CU-1")).await;
    let (status, output) = up.ended_vip(&again).await;
    assert_eq!(
        (status, output["vip"].as_bool()),
        (ExecutionStatus::Succeeded, Some(true))
    );
    let (status, output) = up.ended_vip(&unknown).await;
    assert_eq!(status, ExecutionStatus::Succeeded);
    assert_eq!(output["outcome"], "unknown_customer", "{output}");

    up.published().await;
    let executions = up.vip_executions().await;
    let mut names: Vec<_> = executions.keys().cloned().collect();
    let mut expected = vec![unknown, big.clone(), again];
    names.sort();
    expected.sort();
    assert_eq!(
        names, expected,
        "only orders over the threshold, not {small}"
    );
    let vip = up.customer("CU-1").await;
    assert_eq!(vip.kind, CustomerType::Vip);
    assert_eq!(vip.vip_order_id, Some(big));
    assert_eq!(up.customer("CU-2").await.kind, CustomerType::Normal);
    assert_eq!(up.marketed(), ["CU-1"]);
    up.assert_books().await;
}

#[tokio::test]
async fn the_threshold_and_what_it_counts_are_settings() {
    let up = Up::start_with(&["--vip-mode", "cumulative", "--vip-threshold", "10"]).await;
    let early = up.buy_as(4, Some("CU-1")).await;
    up.buy_as(9, Some("CU-2")).await;
    up.buy_as(5, Some("CU-1")).await;
    let reaching = up.buy_as(1, Some("CU-1")).await;
    let (_, output) = up.ended_vip(&reaching).await;
    assert_eq!(
        (
            &output["outcome"],
            &output["vip_quantity"],
            &output["threshold"]
        ),
        (&json!("upgraded"), &json!(10), &json!(10)),
        "{output}"
    );
    let later = up.buy_as(1, Some("CU-1")).await;
    assert_eq!(up.ended_vip(&later).await.1["outcome"], "already_vip");
    up.published().await;
    let executions = up.vip_executions().await;
    assert_eq!(executions.len(), 2, "{executions:?} without {early}");
    assert_eq!(up.customer("CU-2").await.kind, CustomerType::Normal);
    assert_eq!(up.marketed(), ["CU-1"]);
}

#[tokio::test]
async fn a_message_that_comes_twice_starts_nothing_twice() {
    let up = Up::start().await;
    let order_id = up.buy_as(150, Some("CU-1")).await;
    up.ended_vip(&order_id).await;
    up.published().await;
    // What a relay does that died between publishing and noting it.
    let mut publish = aws_sdk_sns::Client::new(&up.sdk().await)
        .publish()
        .topic_arn("arn:aws:sns:us-east-1:000000000000:order_placed")
        .message("{}");
    for (name, kind, value) in [
        ("order_id", "String", &*order_id),
        ("product_id", "String", SKU),
        ("customer_id", "String", "CU-1"),
        ("quantity", "Number", "150"),
        ("vip_quantity", "Number", "150"),
    ] {
        let value = aws_sdk_sns::types::MessageAttributeValue::builder()
            .data_type(kind)
            .string_value(value);
        publish = publish.message_attributes(name, value.build().unwrap());
    }
    publish.send().await.unwrap();
    up.published().await;
    assert_eq!(up.vip_executions().await.len(), 1);
    assert_eq!(up.marketed(), ["CU-1"]);
}

#[tokio::test]
async fn a_sale_whose_process_died_before_publishing_makes_its_vip_after_the_next_start() {
    let mut up = Up::start().await;
    up.kill();
    let warehouse = up.warehouse_at_rest();
    let checkout = Checkout {
        product_id: SKU.to_owned(),
        quantity: 150,
        customer_id: Some("CU-1".to_owned()),
        requester: None,
        idempotency_key: None,
    };
    let Placement::Answered(sold) = checkout::place(&warehouse, &checkout).await.unwrap() else {
        panic!("150 of 1,000 were refused");
    };
    // It even had the lease.
    let dead = outbox::Relay::new(2_000);
    outbox::take(&warehouse, &dead, 1).await.unwrap();
    warehouse.close().await;
    up.restart().await;
    let (status, output) = up.ended_vip(&sold.order.order_id).await;
    assert_eq!(
        (status, &output["outcome"]),
        (ExecutionStatus::Succeeded, &json!("upgraded"))
    );
    up.published().await;
    assert_eq!(up.marketed(), ["CU-1"]);
}

/// Milliseconds after the checkout was sent at which `restock up` is killed. A sale is answered after a few, its
/// customer a VIP after some hundred.
const MOMENTS: &[u64] = &[
    0, 2, 4, 6, 8, 11, 15, 20, 30, 45, 70, 100, 150, 220, 300, 450, 700,
];

#[tokio::test]
async fn no_kill_loses_a_vip_or_makes_one_twice() {
    let mut up = Up::start_with(&["--vip-threshold", "10"]).await;
    let buyers: Vec<_> = (0..MOMENTS.len()).map(|n| format!("CU-K{n:02}")).collect();
    up.with_customers(async |it| {
        for buyer in &buyers {
            customer::add(it, buyer, "a buyer").await.unwrap();
        }
    })
    .await;
    let mut orders = BTreeMap::new();
    for (buyer, moment) in buyers.iter().zip(MOMENTS) {
        let request = |up: &Up| {
            let body = json!({ "product_id": SKU, "quantity": 12, "customer_id": buyer });
            let url = format!("{}/checkout", up.api());
            up.http
                .post(url)
                .header("Idempotency-Key", buyer)
                .json(&body)
                .send()
        };
        let sending = tokio::spawn(request(&up));
        tokio::time::sleep(Duration::from_millis(*moment)).await;
        up.kill();
        drop(sending.await);
        up.restart().await;
        // The customer does not know whether it was sold, and asks again.
        let answer: Value = request(&up).await.unwrap().json().await.unwrap();
        assert_eq!(answer["outcome"], "sold", "{answer}");
        orders.insert(answer["order_id"].as_str().unwrap().to_owned(), buyer);
    }
    for (order_id, buyer) in &orders {
        let (status, output) = up.ended_vip(order_id).await;
        assert_eq!(status, ExecutionStatus::Succeeded, "{output}");
        assert_eq!(output["outcome"], "upgraded", "{output}");
        let vip = up.customer(buyer).await;
        assert_eq!(
            (vip.kind, vip.vip_order_id.as_ref()),
            (CustomerType::Vip, Some(order_id))
        );
    }
    up.published().await;
    let executions = up.vip_executions().await;
    assert!(
        executions.keys().eq(orders.keys()),
        "one execution per order: {executions:?}"
    );
    assert_eq!(up.marketed(), buyers);
    let books = up.assert_books().await;
    assert_eq!(books.items_sold, 12 * i64::try_from(MOMENTS.len()).unwrap());
}

#[tokio::test]
async fn an_outage_of_marketing_parks_and_a_replay_hands_the_vip_over() {
    // The first call and its four retries fail.
    let (marketing, up, order_id) = buys_with(&["--fault", "error", "--fault-count", "5"]).await;
    let message = up.parked("sync_marketing_dlq").await;
    let failed = &message["failed"];
    assert_eq!(
        (&failed["state"], &failed["error"], &failed["retries"]),
        (
            &json!("SyncMarketing"),
            &json!("Marketing.Unavailable"),
            &json!(4)
        ),
        "{failed}"
    );
    assert_eq!(failed["input"]["customer_id"], "CU-1");
    let arn = message["execution"].as_str().unwrap();
    assert!(arn.ends_with(&order_id) && message["how_to_replay"].as_str().unwrap().contains(arn));
    assert_eq!(
        up.mails_about("parked").await.len(),
        1,
        "operations were told"
    );
    assert_eq!(
        up.customer("CU-1").await.kind,
        CustomerType::Vip,
        "a VIP in any case"
    );
    assert!(marketing.received().await.is_empty());

    let token = message["token"].as_str().unwrap();
    let replay = up
        .sfn()
        .await
        .send_task_success()
        .task_token(token)
        .output("{}");
    replay.send().await.unwrap();
    assert_eq!(up.ended_vip(&order_id).await.0, ExecutionStatus::Succeeded);
    let received = marketing.received().await;
    assert_eq!(received.len(), 1);
    assert_eq!(received[0]["customer"]["order_id"], json!(order_id));
}

#[tokio::test]
async fn a_refusal_parks_at_once_and_a_discard_fails_with_its_error() {
    let (marketing, up, order_id) = buys_with(&["--fault", "reject"]).await;
    let message = up.parked("sync_marketing_dlq").await;
    assert_eq!(message["failed"]["error"], "Marketing.Rejected");
    assert_eq!(message["failed"]["retries"], 0, "a 4xx is not tried again");
    let fail = up.sfn().await.send_task_failure();
    let fail = fail.task_token(message["token"].as_str().unwrap());
    fail.error("Marketing.Rejected")
        .cause("discarded")
        .send()
        .await
        .unwrap();
    assert_eq!(up.ended_vip(&order_id).await.0, ExecutionStatus::Failed);
    assert!(marketing.received().await.is_empty());
}

#[tokio::test]
async fn a_busy_marketing_system_is_left_alone_for_as_long_as_it_says() {
    let flags = [
        "--fault",
        "throttle",
        "--fault-count",
        "2",
        "--retry-after",
        "1",
    ];
    let (marketing, up, order_id) = buys_with(&flags).await;
    assert_eq!(up.ended_vip(&order_id).await.0, ExecutionStatus::Succeeded);
    let arn = up.vip_executions().await[&order_id].execution_arn.clone();
    let history = up.history(&arn).await;
    let waits = history
        .iter()
        .filter(|it| it.r#type == HistoryEventType::WaitStateEntered);
    assert_eq!(waits.count(), 2);
    assert_eq!(marketing.received().await.len(), 1);
    assert_eq!(up.depth("sync_marketing_dlq").await, 0);
}

#[tokio::test]
async fn an_answer_that_was_lost_does_not_hand_over_twice() {
    let (marketing, up, order_id) =
        buys_with(&["--fault", "take-and-hang", "--fault-count", "1"]).await;
    assert_eq!(up.ended_vip(&order_id).await.0, ExecutionStatus::Succeeded);
    assert_eq!(marketing.received().await.len(), 1);
}

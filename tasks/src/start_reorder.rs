//! StartReorder: refused checkouts from `stock_queue` become at most one open reorder per product.
//!
//! Ten thousand refusals of one product are one reorder: the product's claim decides, and within one
//! batch a product is started once. A message is done only when the claim's execution runs; whatever
//! fails is reported per message, so that SQS delivers just those again.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shop::reorder;

use crate::{
    app::App,
    error::{Common, TaskError},
    quantity::Quantity,
    reorders,
    sqs::{Batch, BatchAnswer, Record},
};

/// A batch of `stock_queue`. The queue is subscribed without raw delivery.
pub type Input = Batch;

/// The messages that must come again.
pub type Output = BatchAnswer;

/// What fails for one message is in the answer, so nothing fails a batch.
pub type Error = Common;

/// SNS's envelope, as far as it matters.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
struct Envelope {
    message_attributes: Attributes,
}

/// The attributes of `stock_empty`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
struct Attributes {
    message_attribute_product_id: Attribute<String>,
    message_attribute_product_cnt: Attribute<Quantity>,
    message_attribute_order_id: Option<Attribute<String>>,
}

#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
struct Attribute<T> {
    value: T,
}

/// What a batch asks for one product.
#[derive(Debug, Default)]
struct Wish {
    /// The largest count.
    count: i64,
    /// The order that asked for it.
    order_id: Option<String>,
    /// The messages that ask.
    message_ids: Vec<String>,
}

/// Opens or joins one reorder per product of the batch.
pub async fn handle(app: &App, batch: Input) -> Result<Output, Error> {
    let mut answer = BatchAnswer::default();
    for (product_id, wish) in wishes(&batch, &mut answer) {
        let done = open(app, &product_id, &wish).await;
        if let Err(error) = done {
            let name = error.name();
            tracing::error!(product_id, error = name, cause = %error, "messages come again");
            wish.message_ids.into_iter().for_each(|id| answer.again(id));
        }
    }
    Ok(answer)
}

/// One wish per product. A message that makes no sense comes again until its queue gives it to the DLQ,
/// where people find it: nothing is dropped here.
fn wishes(batch: &Batch, answer: &mut BatchAnswer) -> BTreeMap<String, Wish> {
    let mut wishes: BTreeMap<String, Wish> = BTreeMap::new();
    for Record {
        message_id, body, ..
    } in &batch.records
    {
        let attributes = match serde_json::from_str::<Envelope>(body) {
            Ok(envelope) => envelope.message_attributes,
            Err(error) => {
                tracing::error!(message_id, %error, "not a stock_empty message");
                answer.again(message_id.clone());
                continue;
            }
        };
        let count = i64::from(attributes.message_attribute_product_cnt.value.get());
        let order_id = attributes
            .message_attribute_order_id
            .map(|order| order.value);
        let product_id = attributes.message_attribute_product_id.value;
        tracing::info!(message_id, product_id, order_id, count, "stock is missing");
        let wish = wishes.entry(product_id).or_default();
        if count > wish.count {
            wish.count = count;
            wish.order_id = order_id;
        }
        wish.message_ids.push(message_id.clone());
    }
    wishes
}

async fn open(app: &App, product_id: &str, wish: &Wish) -> Result<(), Common> {
    let warehouse = app.warehouse()?;
    let claim = match &wish.order_id {
        Some(order_id) => reorder::claim_for(warehouse, product_id, wish.count, order_id).await?,
        None => reorder::claim(warehouse, product_id, wish.count).await?,
    };
    let won = claim.won;
    let running = reorders::ensure_running(app, claim, wish.count).await?;
    tracing::info!(
        product_id,
        reorder_id = running.reorder_id,
        order_id = wish.order_id,
        count = wish.count,
        messages = wish.message_ids.len(),
        won,
        "reorder runs"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::{DONUT, Shop};

    /// A message as SNS puts it into the queue.
    fn message(id: &str, product_id: &str, count: Value) -> Record {
        let body = json!({
            "Type": "Notification",
            "Subject": "도너츠 재고 부족",
            "Message": "도너츠 재고가 없습니다.",
            "MessageAttributes": {
                "MessageAttributeProductId": {"Type": "String", "Value": product_id},
                "MessageAttributeProductCnt": {"Type": "String", "Value": count},
                "MessageAttributeOrderId": {"Type": "String", "Value": format!("OR-{id}")},
                "MessageAttributeRequester": {"Type": "String", "Value": "name"}
            }
        });
        record(id, body.to_string())
    }

    fn record(id: &str, body: String) -> Record {
        Record {
            message_id: id.to_owned(),
            body,
            event_source_arn: "arn:aws:sqs:us-east-1:000000000000:stock_queue".to_owned(),
        }
    }

    /// The ids of the messages that must come again.
    async fn run(shop: &Shop, records: Vec<Record>) -> Vec<String> {
        let answer = handle(&shop.app, Batch { records }).await.unwrap();
        let again = answer.batch_item_failures.into_iter();
        again.map(|item| item.item_identifier).collect()
    }

    fn started(shop: &Shop) -> Vec<Value> {
        let calls = shop.aws.calls("StartExecution").into_iter();
        calls
            .map(|call| serde_json::from_str(call["input"].as_str().unwrap()).unwrap())
            .collect()
    }

    #[tokio::test]
    async fn a_batch_starts_one_execution_per_product_for_the_largest_count() {
        let shop = Shop::open().await;
        let batch = vec![
            message("1", DONUT, json!("1200")),
            message("2", DONUT, json!("1500")),
            message("3", DONUT, json!(1300)),
        ];
        assert_eq!(run(&shop, batch).await, Vec::<String>::new());
        let open = reorder::list_open(shop.warehouse()).await.unwrap();
        assert_eq!(open.len(), 1);
        assert_eq!((open[0].quantity, open[0].wanted), (1_500, 1_500));
        let call = &shop.aws.calls("StartExecution")[0];
        assert_eq!(call["name"], open[0].execution_name());
        assert_eq!(
            started(&shop),
            [json!({
                "reorder_id": open[0].reorder_id,
                "product_id": DONUT,
                "factory_id": "FF-500293",
                "quantity": 1500,
                "order_id": "OR-2"
            })]
        );
    }

    #[tokio::test]
    async fn later_batches_join_and_start_with_the_same_name_and_input() {
        let shop = Shop::open().await;
        for (id, count) in [("1", 1_200), ("2", 9_000), ("3", 1)] {
            run(&shop, vec![message(id, DONUT, json!(count))]).await;
        }
        let inputs = started(&shop);
        assert_eq!(inputs.len(), 3);
        assert!(inputs.iter().all(|input| *input == inputs[0]), "{inputs:?}");
        let open = reorder::list_open(shop.warehouse()).await.unwrap();
        assert_eq!((open.len(), open[0].wanted), (1, 9_000));
    }

    #[tokio::test]
    async fn a_dead_execution_does_not_block_its_product() {
        let shop = Shop::open().await;
        let dead = shop.claim(1_500).await;
        shop.aws
            .fail_next("StartExecution", 400, "ExecutionAlreadyExists");
        let again = run(&shop, vec![message("1", DONUT, json!(1_200))]).await;
        assert_eq!(again, Vec::<String>::new());
        let open = reorder::list_open(shop.warehouse()).await.unwrap();
        assert_eq!(open.len(), 1);
        assert_eq!(open[0].follows, Some(dead.reorder_id.clone()));
        assert_eq!(open[0].wanted, 1_500);
        let names: Vec<_> = shop.aws.calls("StartExecution");
        assert_eq!(names[0]["name"], dead.execution_name());
        assert_eq!(names[1]["name"], open[0].execution_name());
    }

    #[tokio::test]
    async fn what_fails_comes_again_and_nothing_else() {
        let shop = Shop::open().await;
        let mut bad = vec![
            message("unknown", "CP-9", json!(1)),
            message("zero", DONUT, json!("0")),
            record("text", "hello".to_owned()),
            record("bare", json!({"MessageAttributes": {}}).to_string()),
        ];
        bad.push(message("good", DONUT, json!("2000")));
        let mut again = run(&shop, bad).await;
        again.sort();
        assert_eq!(again, ["bare", "text", "unknown", "zero"]);
        assert_eq!(started(&shop).len(), 1);
    }

    #[tokio::test]
    async fn a_start_that_fails_is_repeated_with_the_same_reorder() {
        let shop = Shop::open().await;
        shop.aws.break_next("StartExecution");
        let batch = || {
            vec![
                message("1", DONUT, json!(1_200)),
                message("2", DONUT, json!(1)),
            ]
        };
        assert_eq!(run(&shop, batch()).await, ["1", "2"]);
        assert_eq!(run(&shop, batch()).await, Vec::<String>::new());
        let inputs = started(&shop);
        assert!(inputs.len() > 1 && inputs.iter().all(|input| *input == inputs[0]));
    }
}

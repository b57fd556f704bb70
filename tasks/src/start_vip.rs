//! StartVip: an order from `vip_queue` becomes one execution of the VIP flow, named by the order.
//!
//! The queue gets only orders at or over the threshold (a filter of its subscription), and each at least
//! once. The name makes it once: an execution that runs or has ended under it is this order's own, so the
//! message is done. Whatever fails is reported per message, so that SQS delivers just those again.

use aws_sdk_sfn::error::ProvideErrorMetadata;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    app::App,
    error::{Common, TaskError},
    sqs::{Batch, BatchAnswer, Record},
    upgrade_tier,
};

/// A batch of `vip_queue`. The queue is subscribed without raw delivery.
pub type Input = Batch;

/// The messages that must come again.
pub type Output = BatchAnswer;

/// What fails for one message is in the answer, so nothing fails a batch.
pub type Error = Common;

/// SNS's envelope, as far as it matters.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
struct Envelope {
    message_attributes: Attributes,
}

/// The attributes of `order_placed`.
#[derive(Deserialize, JsonSchema)]
struct Attributes {
    order_id: Attribute,
    product_id: Attribute,
    customer_id: Attribute,
    quantity: Attribute,
    vip_quantity: Attribute,
}

/// Numbers are texts of digits too.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
struct Attribute {
    value: String,
}

impl Attribute {
    fn number(&self) -> Result<i64, Common> {
        let number = self.value.parse();
        number.map_err(|_| Common::InvalidInput(format!("{:?} is not a count", self.value)))
    }
}

/// Starts one execution per order.
pub async fn handle(app: &App, batch: Input) -> Result<Output, Error> {
    let mut answer = BatchAnswer::default();
    for record in batch.records {
        if let Err(error) = start(app, &record).await {
            let (message_id, name) = (record.message_id, error.name());
            tracing::error!(message_id, error = name, cause = %error, "comes again");
            answer.again(message_id);
        }
    }
    Ok(answer)
}

async fn start(app: &App, record: &Record) -> Result<(), Common> {
    // What makes no sense comes again until its queue gives it to the DLQ, where people find it.
    let order = read(&record.body)?;
    let input =
        serde_json::to_string(&order).map_err(|error| Common::InvalidInput(error.to_string()))?;
    let sent = app
        .step_functions()
        .await
        .start_execution()
        .state_machine_arn(app.config.vip_state_machine()?)
        .name(&order.order_id)
        .input(input)
        .send()
        .await;
    let known = match sent {
        Ok(_) => false,
        Err(error) if error.code() == Some("ExecutionAlreadyExists") => true,
        Err(error) => return Err(Common::aws("Step Functions", "StartExecution", &error)),
    };
    tracing::info!(
        order_id = order.order_id,
        customer_id = order.customer_id,
        vip_quantity = order.vip_quantity,
        known,
        "vip execution"
    );
    Ok(())
}

fn read(body: &str) -> Result<upgrade_tier::Input, Common> {
    let envelope: Envelope = serde_json::from_str(body)
        .map_err(|error| Common::InvalidInput(format!("not an order_placed message: {error}")))?;
    let attributes = envelope.message_attributes;
    Ok(upgrade_tier::Input {
        quantity: attributes.quantity.number()?,
        vip_quantity: attributes.vip_quantity.number()?,
        order_id: attributes.order_id.value,
        product_id: attributes.product_id.value,
        customer_id: attributes.customer_id.value,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::Shop;

    /// A message as SNS puts it into the queue.
    fn message(order_id: &str, vip_quantity: &str) -> Record {
        let body = json!({
            "Type": "Notification",
            "Message": "{}",
            "MessageAttributes": {
                "order_id": {"Type": "String", "Value": order_id},
                "product_id": {"Type": "String", "Value": "CP-502101"},
                "customer_id": {"Type": "String", "Value": "CU-1"},
                "quantity": {"Type": "Number", "Value": "150"},
                "vip_quantity": {"Type": "Number", "Value": vip_quantity}
            }
        });
        record(order_id, body.to_string())
    }

    fn record(id: &str, body: String) -> Record {
        Record {
            message_id: format!("m-{id}"),
            body,
            event_source_arn: "arn:aws:sqs:us-east-1:000000000000:vip_queue".to_owned(),
        }
    }

    /// The ids of the messages that must come again.
    async fn run(shop: &Shop, records: Vec<Record>) -> Vec<String> {
        let answer = handle(&shop.app, Batch { records }).await.unwrap();
        let failures = answer.batch_item_failures.into_iter();
        failures.map(|failure| failure.item_identifier).collect()
    }

    #[tokio::test]
    async fn an_order_is_an_execution_of_its_name() {
        let shop = Shop::open().await;
        assert_eq!(
            run(&shop, vec![message("OR-1", "3150")]).await,
            Vec::<String>::new()
        );
        let calls = shop.aws.calls("StartExecution");
        assert_eq!(calls.len(), 1);
        assert_eq!(calls[0]["name"], "OR-1");
        assert!(
            calls[0]["stateMachineArn"]
                .as_str()
                .unwrap()
                .ends_with(":vip")
        );
        let input: Value = serde_json::from_str(calls[0]["input"].as_str().unwrap()).unwrap();
        assert_eq!(
            input,
            json!({
                "order_id": "OR-1", "customer_id": "CU-1", "product_id": "CP-502101",
                "quantity": 150, "vip_quantity": 3150
            })
        );
    }

    #[tokio::test]
    async fn what_ran_already_is_done_and_what_fails_comes_again() {
        let shop = Shop::open().await;
        shop.aws
            .fail_next("StartExecution", 400, "ExecutionAlreadyExists");
        assert_eq!(
            run(&shop, vec![message("OR-1", "100")]).await,
            Vec::<String>::new()
        );

        shop.aws.break_next("StartExecution");
        let batch = vec![
            message("OR-2", "100"),
            record("text", "hello".to_owned()),
            record("bare", json!({"MessageAttributes": {}}).to_string()),
            message("OR-3", "many"),
            message("OR-4", "100"),
        ];
        let again = run(&shop, batch).await;
        assert_eq!(again, ["m-OR-2", "m-text", "m-bare", "m-OR-3"]);
    }
}

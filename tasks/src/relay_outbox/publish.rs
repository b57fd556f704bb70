//! One batch of sales as SNS messages.

use std::{collections::BTreeSet, time::Duration};

use aws_sdk_sns::types::{MessageAttributeValue, PublishBatchRequestEntry};
use serde::Serialize;
use shop::outbox::Sale;
use tokio::time::timeout;

use crate::{
    app::App,
    config::VipMode,
    error::{Common, with_sources},
};

/// How long SNS may take for one batch: half of the lease, so that also a slow clock leaves no overlap.
const PUBLISH: Duration = Duration::from_secs(3);

/// The message's body. Its attributes say the same where they have the same names.
#[derive(Debug, Serialize)]
struct OrderPlaced<'a> {
    order_id: &'a str,
    product_id: &'a str,
    customer_id: &'a str,
    quantity: i64,
    /// What a VIP is measured by: this order's quantity, or the customer's total.
    vip_quantity: i64,
    total: i64,
    /// Milliseconds since 1970.
    sold_at: i64,
}

/// Publishes a batch. Returns the sales before the first that SNS did not take, and why it did not: what
/// came after that one is published again after it.
pub(super) async fn publish<'a>(
    app: &App,
    sales: &'a [Sale],
) -> Result<(&'a [Sale], Option<String>), Common> {
    let mode = app.config.vip_mode();
    let mut batch = app
        .sns()
        .await
        .publish_batch()
        .topic_arn(app.config.order_placed_topic()?);
    for (number, sale) in sales.iter().enumerate() {
        batch = batch.publish_batch_request_entries(entry(number, sale, mode)?);
    }
    let Ok(sent) = timeout(PUBLISH, batch.send()).await else {
        return Err(failed(format!("no answer within {PUBLISH:?}")));
    };
    let answer = sent.map_err(|error| Common::aws("SNS", "PublishBatch", &error))?;
    let taken: BTreeSet<_> = answer
        .successful()
        .iter()
        .filter_map(|it| it.id())
        .collect();
    let first_refused =
        (0..sales.len()).find(|number| !taken.contains(number.to_string().as_str()));
    let Some(number) = first_refused else {
        return Ok((sales, None));
    };
    let id = number.to_string();
    let told = answer.failed().iter().find(|it| it.id() == id);
    let why = told.map_or("it was not answered".to_owned(), |it| {
        format!("{}: {}", it.code(), it.message().unwrap_or_default())
    });
    let why = format!("order {}: {why}", sales[number].order_id);
    Ok((&sales[..number], Some(why)))
}

/// SNS did not take it.
pub(super) fn failed(why: String) -> Common {
    Common::Aws {
        service: "SNS",
        action: "PublishBatch",
        why,
    }
}

fn entry(number: usize, sale: &Sale, mode: VipMode) -> Result<PublishBatchRequestEntry, Common> {
    let broken = |error: &dyn std::error::Error| failed(with_sources(error));
    let vip_quantity = match mode {
        VipMode::Order => sale.quantity,
        VipMode::Cumulative => sale.total,
    };
    let body = OrderPlaced {
        order_id: &sale.order_id,
        product_id: &sale.product_id,
        customer_id: &sale.customer_id,
        quantity: sale.quantity,
        vip_quantity,
        total: sale.total,
        sold_at: sale.sold_at,
    };
    let mut entry = PublishBatchRequestEntry::builder()
        .id(number.to_string())
        .message(serde_json::to_string(&body).map_err(|error| broken(&error))?);
    for (name, kind, value) in [
        ("order_id", "String", sale.order_id.clone()),
        ("product_id", "String", sale.product_id.clone()),
        ("customer_id", "String", sale.customer_id.clone()),
        ("quantity", "Number", sale.quantity.to_string()),
        // A numeric filter matches nothing but the data type Number.
        ("vip_quantity", "Number", vip_quantity.to_string()),
    ] {
        let value = MessageAttributeValue::builder()
            .data_type(kind)
            .string_value(value)
            .build()
            .map_err(|error| broken(&error))?;
        entry = entry.message_attributes(name, value);
    }
    entry.build().map_err(|error| broken(&error))
}

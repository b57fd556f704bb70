//! IncreaseStock: counts a delivery into the stock, once, and closes the reorder.
//!
//! Ledger, stock, the close and the opening of the next reorder are one transaction of the shop; what follows it is in
//! [`arrivals`].

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    app::App,
    arrivals::{self, CountError},
    declare_errors,
    error::Common,
};

/// The delivery, as AwaitCallback's result has it.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Input {
    /// The delivered attempt.
    pub attempt_id: String,
    /// Its reorder.
    pub reorder_id: String,
    /// Its product.
    pub product_id: String,
    /// The refused order that opened it.
    pub order_id: Option<String>,
}

/// The stock afterwards.
#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Output {
    /// As in the input.
    pub attempt_id: String,
    /// As in the input.
    pub reorder_id: String,
    /// As in the input.
    pub product_id: String,
    /// As in the input.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order_id: Option<String>,
    /// Items asked for.
    pub asked: i64,
    /// Items that came.
    pub delivered: i64,
    /// Items in the warehouse now.
    pub stock: i64,
    /// Whether this run counted them; false where an earlier one had.
    pub counted: bool,
    /// The reorder that was opened because a customer's count is still unmet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_reorder_id: Option<String>,
}

/// How it fails.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No delivery of this attempt was recorded.
    #[error("there is no delivery of attempt {0}")]
    NotFound(String),
    /// As in every task.
    #[error(transparent)]
    Common(#[from] Common),
}

declare_errors!(Error { NotFound => "Arrival.NotFound" });

/// Counts the delivery.
pub async fn handle(app: &App, input: Input) -> Result<Output, Error> {
    let counted = arrivals::count(app, &input.attempt_id)
        .await
        .map_err(|error| match error {
            CountError::NotFound => Error::NotFound(input.attempt_id.clone()),
            CountError::Common(common) => common.into(),
        })?;
    Ok(Output {
        attempt_id: input.attempt_id,
        reorder_id: input.reorder_id,
        product_id: input.product_id,
        order_id: input.order_id,
        asked: counted.arrival.asked,
        delivered: counted.arrival.delivered,
        stock: counted.product.stock,
        counted: counted.first,
        next_reorder_id: counted.next.map(|next| next.reorder_id),
    })
}

#[cfg(test)]
mod tests {
    use shop::arrival;

    use super::*;
    use crate::{
        error::Failure,
        testing::{DONUT, Shop},
    };

    async fn increase(shop: &Shop, attempt_id: &str) -> Result<Output, Failure> {
        let input = Input {
            attempt_id: attempt_id.to_owned(),
            reorder_id: "RO-1".to_owned(),
            product_id: DONUT.to_owned(),
            order_id: None,
        };
        Ok(handle(&shop.app, input).await?)
    }

    /// A recorded delivery for an unmet count of 1,500.
    async fn delivered(shop: &Shop, count: i64) -> String {
        let attempt_id = shop.attempt(&shop.claim(1_500).await.reorder_id).await;
        arrival::record(shop.warehouse(), &attempt_id, count)
            .await
            .unwrap();
        attempt_id
    }

    #[tokio::test]
    async fn a_delivery_counts_once() {
        let shop = Shop::open().await;
        let attempt_id = delivered(&shop, 1_500).await;
        for counted in [true, false] {
            let output = increase(&shop, &attempt_id).await.unwrap();
            assert_eq!((output.counted, output.stock), (counted, 2_500));
            assert_eq!(output.next_reorder_id, None);
        }
        assert!(shop.aws.calls("Publish").is_empty());
        assert!(shop.aws.calls("StartExecution").is_empty());
    }

    #[tokio::test]
    async fn fewer_than_asked_count_as_delivered_and_operations_hear_of_it() {
        let shop = Shop::open().await;
        let attempt_id = delivered(&shop, 1_400).await;
        // A dead SNS does not undo the count, and whoever comes next tells.
        shop.aws.break_next("Publish");
        for _ in 0..3 {
            assert_eq!(increase(&shop, &attempt_id).await.unwrap().stock, 2_400);
        }
        let alerts = shop.aws.calls("Publish");
        assert_eq!(
            alerts.len(),
            3 + 1,
            "three failed tries, and one that was taken"
        );
        assert!(
            alerts[0]["TopicArn"]
                .as_str()
                .unwrap()
                .ends_with(":ops_alerts")
        );
        let text = alerts[0]["Message"].as_str().unwrap();
        assert!(text.contains("asked for 1500 and brought 1400"), "{text}");
    }

    #[tokio::test]
    async fn a_count_that_is_still_unmet_opens_and_starts_the_next_reorder_until_it_runs() {
        let shop = Shop::open().await;
        let attempt_id = delivered(&shop, 400).await;
        shop.aws.break_next("StartExecution");
        let failure = increase(&shop, &attempt_id).await.unwrap_err();
        assert_eq!(failure.name, "Aws.Unavailable");
        assert_eq!(shop.stock().await, 1_400);

        let output = increase(&shop, &attempt_id).await.unwrap();
        assert!(!output.counted);
        let next = output.next_reorder_id.unwrap();
        let names = shop.aws.calls("StartExecution");
        assert_eq!(names.last().unwrap()["name"], format!("reorder-{next}"));
    }

    #[tokio::test]
    async fn an_unknown_delivery_has_a_name() {
        let shop = Shop::open().await;
        let failure = increase(&shop, "AT-none").await.unwrap_err();
        assert_eq!(failure.name, "Arrival.NotFound");
    }
}

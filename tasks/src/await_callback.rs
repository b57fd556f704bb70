//! AwaitCallback: leaves the task token where the delivery of this attempt finds it.
//!
//! The token is committed first and the delivery looked for afterwards; `factory_callback` does it the
//! other way round. So whichever comes second sees the first, and a delivery that was quicker than the
//! token is answered from here; where both see each other, the database says which of them answers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shop::{arrival::Arrival, token};

use crate::{
    app::App,
    declare_errors,
    error::Common,
    tokens::{self, Offered},
};

/// The attempt and the token that waits for it.
#[derive(Deserialize, JsonSchema)]
pub struct Input {
    /// The attempt to wait for.
    pub attempt_id: String,
    /// `$states.context.Task.Token`
    pub task_token: String,
    /// The reorder of this execution.
    pub reorder_id: String,
    /// Its product.
    pub product_id: String,
    /// The refused order that opened it.
    pub order_id: Option<String>,
}

/// What the state's result is, sent with the token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Delivered {
    /// The delivered attempt.
    pub attempt_id: String,
    /// Its reorder.
    pub reorder_id: String,
    /// What came.
    pub product_id: String,
    /// Items asked for.
    pub asked: i64,
    /// Items that came.
    pub delivered: i64,
}

impl From<&Arrival> for Delivered {
    fn from(arrival: &Arrival) -> Self {
        Self {
            attempt_id: arrival.attempt_id.clone(),
            reorder_id: arrival.reorder_id.clone(),
            product_id: arrival.product_id.clone(),
            asked: arrival.asked,
            delivered: arrival.delivered,
        }
    }
}

/// The function's own answer, which Step Functions ignores: the token's answer counts.
#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Output {
    /// Whether the delivery was there already and this run answered the token.
    pub answered: bool,
}

/// How it fails.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The attempt has no row.
    #[error("there is no attempt {0}")]
    NotFound(String),
    /// As in every task.
    #[error(transparent)]
    Common(#[from] Common),
}

declare_errors!(Error { NotFound => "Attempt.NotFound" });

/// Registers the token, and answers it if the delivery is there already.
pub async fn handle(app: &App, input: Input) -> Result<Output, Error> {
    let warehouse = app.warehouse()?;
    let registered = token::register(warehouse, &input.attempt_id, &input.task_token).await;
    let registered = registered.map_err(|error| match error {
        shop::Error::NotFound { id, .. } => Error::NotFound(id),
        other => other.into(),
    })?;
    let Some(arrival) = registered.arrival else {
        tracing::info!("waiting for the factory");
        return Ok(Output { answered: false });
    };
    let offered = tokens::offer(app, &registered.token_id, &input.task_token, &arrival).await?;
    tracing::info!(?offered, "the delivery was there first");
    Ok(Output {
        answered: offered != Offered::ByAnother,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use shop::arrival;

    use super::*;
    use crate::{
        error::Failure,
        testing::{DONUT, Shop},
    };

    async fn wait(shop: &Shop, attempt_id: &str, token: &str) -> Result<bool, Failure> {
        let input = Input {
            attempt_id: attempt_id.to_owned(),
            task_token: token.to_owned(),
            reorder_id: "RO-1".to_owned(),
            product_id: DONUT.to_owned(),
            order_id: None,
        };
        Ok(handle(&shop.app, input).await?.answered)
    }

    #[tokio::test]
    async fn a_token_that_is_early_waits() {
        let shop = Shop::open().await;
        let attempt_id = shop.attempt(&shop.claim(1_500).await.reorder_id).await;
        assert_eq!(wait(&shop, &attempt_id, "token-1").await, Ok(false));
        assert!(shop.aws.calls("SendTaskSuccess").is_empty());
        let open = token::open_for(shop.warehouse(), &attempt_id)
            .await
            .unwrap();
        assert_eq!(open.len(), 1);
    }

    #[tokio::test]
    async fn a_delivery_that_was_first_answers_the_token_at_once() {
        let shop = Shop::open().await;
        let reorder = shop.claim(1_500).await;
        let attempt_id = shop.attempt(&reorder.reorder_id).await;
        arrival::record(shop.warehouse(), &attempt_id, 1_400)
            .await
            .unwrap();

        shop.aws.break_next("SendTaskSuccess");
        let failure = wait(&shop, &attempt_id, "token-1").await.unwrap_err();
        assert_eq!(failure.name, "Aws.Unavailable");
        assert_eq!(wait(&shop, &attempt_id, "token-1").await, Ok(true));
        let call = shop.aws.calls("SendTaskSuccess").pop().unwrap();
        assert_eq!(call["taskToken"], "token-1");
        assert_eq!(
            serde_json::from_str::<Value>(call["output"].as_str().unwrap()).unwrap(),
            json!({
                "attempt_id": attempt_id, "reorder_id": reorder.reorder_id, "product_id": DONUT,
                "asked": 1500, "delivered": 1400
            })
        );
        let open = token::open_for(shop.warehouse(), &attempt_id)
            .await
            .unwrap();
        assert!(open.is_empty());
    }

    #[tokio::test]
    async fn an_unknown_attempt_has_a_name() {
        let shop = Shop::open().await;
        let failure = wait(&shop, "AT-none", "token-1").await.unwrap_err();
        assert_eq!(failure.name, "Attempt.NotFound");
    }
}

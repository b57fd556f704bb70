//! RequestFactory: one call to the factory, as an attempt of its own.
//!
//! The attempt is committed before the call, so its callback finds it whatever becomes of the call: a
//! request that timed out may still be delivered. A retry is a new attempt with a new callback URL, and
//! two attempts that both deliver are two deliveries.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shop::attempt::{self, Attempt, Request};

use crate::{
    app::App,
    declare_errors,
    error::{Common, with_sources},
    factory::{self, FactoryError, MESSAGE_GROUP_ID, Manufacture},
    signature,
};

/// What CheckStock found; its other fields are not needed.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Input {
    /// The reorder of this execution.
    pub reorder_id: String,
    /// Its product.
    pub product_id: String,
    /// The refused order that opened it.
    pub order_id: Option<String>,
}

/// The attempt to wait for.
#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Output {
    /// The attempt whose delivery is awaited.
    pub attempt_id: String,
    /// As in the input.
    pub reorder_id: String,
    /// As in the input.
    pub product_id: String,
    /// As in the input.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order_id: Option<String>,
    /// Items asked for.
    pub quantity: i64,
    /// The factory's own id of the order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub factory_order_id: Option<String>,
}

/// How it fails.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No connection, no answer in time, or a 5xx. Worth a retry.
    #[error("{0}")]
    Unavailable(FactoryError),
    /// The factory refuses this request; another try would be refused as well.
    #[error("{0}")]
    Rejected(FactoryError),
    /// The answer makes no sense. Whether the factory will deliver is unknown.
    #[error("{0}")]
    BadAnswer(FactoryError),
    /// The reorder has no row.
    #[error("there is no reorder {0}")]
    NotFound(String),
    /// Another reorder of the product is open, and this one must not ask as well.
    #[error("reorder {0} is open for this product instead")]
    Superseded(String),
    /// As in every task.
    #[error(transparent)]
    Common(#[from] Common),
}

declare_errors!(Error {
    Unavailable => "Factory.Unavailable",
    Rejected => "Factory.Rejected",
    BadAnswer => "Factory.BadAnswer",
    NotFound => "Reorder.NotFound",
    Superseded => "Reorder.Superseded",
});

impl From<FactoryError> for Error {
    fn from(error: FactoryError) -> Self {
        match error {
            FactoryError::Unavailable(_) => Self::Unavailable(error),
            FactoryError::Rejected(_) => Self::Rejected(error),
            FactoryError::BadAnswer(_) => Self::BadAnswer(error),
        }
    }
}

/// Asks the factory, unless an earlier attempt of this reorder was delivered meanwhile.
pub async fn handle(app: &App, input: Input) -> Result<Output, Error> {
    let warehouse = app.warehouse()?;
    let requested = attempt::request(warehouse, &input.reorder_id).await;
    let request = requested.map_err(|error| match error {
        shop::Error::NotFound { id, .. } => Error::NotFound(id),
        other => other.into(),
    })?;
    let attempt = match request {
        Request::Ask(attempt) => ask(app, attempt).await?,
        Request::Arrived { attempt_id } => {
            tracing::info!(
                attempt_id,
                "an earlier attempt was delivered: the factory is not asked"
            );
            attempt::get(warehouse, &attempt_id).await?
        }
        Request::Superseded { by } => return Err(Error::Superseded(by)),
    };
    Ok(Output {
        attempt_id: attempt.attempt_id,
        reorder_id: input.reorder_id,
        product_id: input.product_id,
        order_id: input.order_id,
        quantity: attempt.quantity,
        factory_order_id: attempt.factory_reference,
    })
}

async fn ask(app: &App, mut attempt: Attempt) -> Result<Attempt, Error> {
    let warehouse = app.warehouse()?;
    let product = shop::product::get(warehouse, &attempt.product_id).await?;
    let (base, key) = (app.config.callback_url()?, app.config.callback_key()?);
    let request = Manufacture {
        message_group_id: MESSAGE_GROUP_ID.to_owned(),
        message_attribute_product_id: attempt.product_id.clone(),
        message_attribute_product_cnt: attempt.quantity.to_string(),
        message_attribute_factory_id: product.identifier,
        message_attribute_requester: product.manager_email,
        callback_url: signature::callback_url(base, key, &attempt.attempt_id),
    };
    let http = app
        .http()
        .await
        .map_err(|error| Error::Unavailable(FactoryError::Unavailable(with_sources(&error))))?;
    let asked = factory::manufacture(http, app.config.factory_url()?, &request).await;
    // How the call ended is noted for people; the flow does not depend on the note.
    let noted = match &asked {
        Ok(id) => attempt::accept(warehouse, &attempt.attempt_id, Some(id)).await,
        Err(error) => attempt::fail(warehouse, &attempt.attempt_id, &error.to_string()).await,
    };
    if let Err(error) = noted {
        tracing::warn!(
            attempt_id = attempt.attempt_id,
            error = with_sources(&error),
            "not noted"
        );
    }
    tracing::info!(attempt_id = attempt.attempt_id, answer = ?asked, "the factory was asked");
    attempt.factory_reference = Some(asked?);
    Ok(attempt)
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use axum::{Json, Router, http::StatusCode, routing::post};
    use serde_json::{Value, json};
    use shop::{arrival, reorder};

    use super::*;
    use crate::{
        error::Failure,
        testing::{DONUT, KEY, Shop, serve},
    };

    /// A factory that answers so, and what it was asked.
    async fn factory(status: u16, body: Value) -> (String, Arc<Mutex<Vec<Value>>>) {
        let asked = Arc::<Mutex<Vec<Value>>>::default();
        let log = asked.clone();
        let answer = move |Json(request): Json<Value>| async move {
            log.lock().unwrap().push(request);
            (StatusCode::from_u16(status).unwrap(), Json(body))
        };
        let router = Router::new().route("/api/manufactures", post(answer));
        (serve(router).await, asked)
    }

    async fn ask(shop: &Shop, reorder_id: &str) -> Result<Output, Failure> {
        let input = Input {
            reorder_id: reorder_id.to_owned(),
            product_id: DONUT.to_owned(),
            order_id: Some("OR-1".to_owned()),
        };
        Ok(handle(&shop.app, input).await?)
    }

    #[tokio::test]
    async fn the_factory_is_asked_in_its_own_words_with_a_signed_url() {
        let (url, asked) = factory(200, json!({"data": {"id": "f-1", "reqestor": "x"}})).await;
        let shop = Shop::with_factory(&url).await;
        let reorder = shop.claim(1_500).await;
        let output = ask(&shop, &reorder.reorder_id).await.unwrap();
        assert_eq!(output.quantity, 1_500);
        assert_eq!(output.factory_order_id.as_deref(), Some("f-1"));
        let sig = signature::sign(&crate::config::Secret::new(KEY), &output.attempt_id);
        let callback = format!(
            "http://shop.example/factory/callbacks/{}?sig={sig}",
            output.attempt_id
        );
        assert_eq!(
            *asked.lock().unwrap(),
            [json!({
                "MessageGroupId": "stock-arrival-group",
                "MessageAttributeProductId": DONUT,
                "MessageAttributeProductCnt": "1500",
                "MessageAttributeFactoryId": "FF-500293",
                "MessageAttributeRequester": "ads@donut-states.example",
                "CallbackUrl": callback
            })]
        );
    }

    #[tokio::test]
    async fn each_failure_has_its_name_and_leaves_its_attempt() {
        for (status, body, name) in [
            (500, json!({}), "Factory.Unavailable"),
            (503, json!({}), "Factory.Unavailable"),
            (400, json!({}), "Factory.Rejected"),
            (200, json!("rubbish"), "Factory.BadAnswer"),
        ] {
            let (url, _) = factory(status, body).await;
            let shop = Shop::with_factory(&url).await;
            let reorder = shop.claim(1_500).await;
            for tries in 1..=2 {
                let failure = ask(&shop, &reorder.reorder_id).await.unwrap_err();
                assert_eq!(failure.name, name);
                let attempts = attempt::list(shop.warehouse(), &reorder.reorder_id)
                    .await
                    .unwrap();
                assert_eq!(attempts.len(), tries, "each call is an attempt");
                assert!(attempts.iter().all(|a| a.status == attempt::Status::Failed));
            }
        }
        let shop = Shop::open().await;
        let reorder = shop.claim(1_500).await;
        let failure = ask(&shop, &reorder.reorder_id).await.unwrap_err();
        assert_eq!(failure.name, "Factory.Unavailable", "{failure:?}");
    }

    #[tokio::test]
    async fn what_was_delivered_meanwhile_is_not_asked_for_again() {
        let (url, asked) = factory(200, json!({"data": {"id": "f-1"}})).await;
        let shop = Shop::with_factory(&url).await;
        let reorder = shop.claim(1_500).await;
        let first = ask(&shop, &reorder.reorder_id).await.unwrap();
        arrival::record(shop.warehouse(), &first.attempt_id, 1_500)
            .await
            .unwrap();
        assert_eq!(ask(&shop, &reorder.reorder_id).await.unwrap(), first);
        arrival::apply(shop.warehouse(), &first.attempt_id)
            .await
            .unwrap();
        assert_eq!(ask(&shop, &reorder.reorder_id).await.unwrap(), first);
        assert_eq!(asked.lock().unwrap().len(), 1);
    }

    #[tokio::test]
    async fn a_reorder_that_may_not_ask_does_not() {
        let (url, asked) = factory(200, json!({"data": {"id": "f-1"}})).await;
        let shop = Shop::with_factory(&url).await;
        assert_eq!(
            ask(&shop, "RO-none").await.unwrap_err().name,
            "Reorder.NotFound"
        );
        let dead = shop.claim(1_500).await;
        let next = reorder::release_and_claim(shop.warehouse(), &dead.reorder_id, 1_500).await;
        next.unwrap();
        let failure = ask(&shop, &dead.reorder_id).await.unwrap_err();
        assert_eq!(failure.name, "Reorder.Superseded");
        assert!(asked.lock().unwrap().is_empty());
    }
}

//! FactoryCallback: the factory delivers, `POST /factory/callbacks/{attempt}?sig=…`.
//!
//! The delivery is committed first, then whoever waits for it is told. Where the waiting execution does
//! not take it any more, and where nobody will ever wait (the attempt's call had failed, or was repeated
//! by another attempt), it is counted here and operations are told. Where nobody waits yet, AwaitCallback finds it. What a crash or a
//! failing AWS call leaves between is caught by the [`sweep`], a second mode of this function that a
//! schedule invokes once a minute with `{"sweep": true}`.

mod sweep;

use std::sync::Arc;

use axum::{
    Json, Router,
    body::Body,
    extract::{
        Path, Query, State,
        rejection::{PathRejection, QueryRejection},
    },
    http::{HeaderMap, StatusCode},
    routing::post,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use shop::{
    arrival::{self, Arrival},
    attempt,
    token::{self, Token},
};

pub use sweep::Swept;

use crate::{
    app::App,
    arrivals::{self, CountError},
    error::{Common, with_sources},
    factory::Delivery,
    http, metrics,
    problem::Problem,
    signature,
    tokens::{self, Offered},
};

/// An event of API Gateway's HTTP API (payload format 2.0), or `{"sweep": true}`.
pub type Input = Value;

/// The HTTP response, or what was [`Swept`].
pub type Output = Value;

/// Refusals are answers here; only a broken event or a failed sweep is an error.
pub type Error = Common;

/// Answers one event.
pub async fn handle(app: &Arc<App>, event: Input) -> Result<Output, Error> {
    if event.get("sweep") == Some(&Value::Bool(true)) {
        let swept = sweep::sweep(app).await;
        // Also after a sweep that failed: that is when the numbers grow.
        metrics::tell(app).await?;
        let swept = swept?;
        return serde_json::to_value(swept)
            .map_err(|error| Common::InvalidInput(error.to_string()));
    }
    http::serve(http::finish(routes(app.clone())), event).await
}

/// The route, to be merged into a router.
pub(crate) fn routes(app: Arc<App>) -> Router {
    Router::new()
        .route("/factory/callbacks/{attempt}", post(deliver))
        .with_state(app)
}

/// The answer to a delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct CallbackAnswer {
    /// For people.
    pub message: String,
    /// The delivered attempt.
    pub attempt_id: String,
    /// Items that are recorded for it.
    pub delivered: i64,
    /// Whether this attempt had been delivered before; it counts once.
    pub repeated: bool,
}

#[derive(Deserialize)]
struct Signed {
    sig: Option<String>,
}

async fn deliver(
    State(app): State<Arc<App>>,
    attempt_id: Result<Path<String>, PathRejection>,
    signed: Result<Query<Signed>, QueryRejection>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<CallbackAnswer>, Problem> {
    let attempt_id = http::path_id(attempt_id)?;
    let key = app.config.callback_key()?;
    let warehouse = app.warehouse()?;
    let attempt = attempt::get(warehouse, &attempt_id)
        .await
        .map_err(|error| match error {
            shop::Error::NotFound { .. } => {
                Problem::new(StatusCode::NOT_FOUND, "There is no attempt with this id.")
            }
            other => other.into(),
        })?;
    // A query that cannot be read has no signature of ours.
    let sig = signed.ok().and_then(|Query(signed)| signed.sig);
    if !signature::verify(key, &attempt_id, sig.as_deref().unwrap_or_default()) {
        tracing::warn!(attempt_id, "callback with a wrong signature");
        let message = "The signature is not ours. Use the CallbackUrl exactly as it was given.";
        return Err(Problem::new(StatusCode::FORBIDDEN, message));
    }
    let delivered = parse(
        &http::json_object(&headers, body).await?,
        &attempt.product_id,
    )?;

    let recorded = arrival::record(warehouse, &attempt_id, delivered).await?;
    tracing::info!(
        attempt_id,
        reorder_id = attempt.reorder_id,
        product_id = attempt.product_id,
        delivered,
        first = recorded.first,
        waiting = recorded.open_tokens.len(),
        "the factory delivered"
    );
    if let Err(error) = pass_on(&app, &recorded.arrival, recorded.open_tokens).await {
        // The delivery is safe, so the factory has done its part: the sweep does the rest.
        tracing::error!(
            attempt_id,
            error = with_sources(&error),
            "left to the sweep"
        );
    }
    Ok(Json(CallbackAnswer {
        message: format!("입고 접수 완료! 수량: {}", recorded.arrival.delivered),
        attempt_id,
        delivered: recorded.arrival.delivered,
        repeated: !recorded.first,
    }))
}

/// Reads how many came. The product must be the one that was asked for.
fn parse(body: &serde_json::Map<String, Value>, product_id: &str) -> Result<i64, Problem> {
    const PRODUCT: &str = "MessageAttributeProductId";
    const COUNT: &str = "MessageAttributeProductCnt";
    for name in [PRODUCT, COUNT] {
        if !body.contains_key(name) {
            return Err(Problem::field(name, format!("{name} is missing.")));
        }
    }
    if body[PRODUCT].as_str() != Some(product_id) {
        let message = format!("{PRODUCT} is not the product that this attempt asked for.");
        return Err(Problem::field(PRODUCT, message));
    }
    if let Err(error) = crate::quantity::Quantity::parse(&body[COUNT]) {
        return Err(Problem::field(COUNT, format!("{COUNT} {error}.")));
    }
    let delivery: Delivery = serde_json::from_value(Value::Object(body.clone()))
        .map_err(|error| Problem::field("body", format!("The delivery does not fit: {error}.")))?;
    Ok(i64::from(delivery.message_attribute_product_cnt.get()))
}

/// What became of a delivery that was offered to those who wait for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Offer {
    /// An execution has it and will count it, or another sender is giving it to one.
    Taken,
    /// Executions waited, and none of them takes it any more.
    Declined,
    /// No token is open: nobody waits yet, or an execution took it earlier.
    NobodyWaits,
}

/// Gives a committed delivery to whoever waits for it, or counts it.
async fn pass_on(app: &App, arrival: &Arrival, waiting: Vec<Token>) -> Result<(), CountError> {
    let why = match offer(app, arrival, waiting).await? {
        Offer::Taken => return Ok(()),
        Offer::NobodyWaits if arrival.applied_at.is_some() => return Ok(()),
        Offer::NobodyWaits => match why_nobody_will_wait(app, arrival).await? {
            Some(why) => why,
            None => return Ok(()),
        },
        Offer::Declined => "It came late: the execution that asked for it does not wait any more.",
    };
    arrivals::count_alone(app, &arrival.attempt_id, why).await?;
    Ok(())
}

/// Why nobody will ever take a delivery that nobody waits for now; None where somebody has it or may come yet. Read after
/// the delivery was committed: who repeats the call commits the later attempt and then looks for this delivery.
async fn why_nobody_will_wait(
    app: &App,
    arrival: &Arrival,
) -> Result<Option<&'static str>, Common> {
    let (warehouse, attempt_id) = (app.warehouse()?, &arrival.attempt_id);
    if token::taken(warehouse, attempt_id).await? {
        return Ok(None);
    }
    if attempt::get(warehouse, attempt_id).await?.status == attempt::Status::Failed {
        return Ok(Some(
            "Its request had failed, so no execution waits for it.",
        ));
    }
    if attempt::repeated(warehouse, attempt_id).await? {
        return Ok(Some(
            "Its request was repeated, so no execution waits for this attempt.",
        ));
    }
    Ok(None)
}

/// Offers the delivery to every open token.
async fn offer(app: &App, arrival: &Arrival, waiting: Vec<Token>) -> Result<Offer, Common> {
    let mut offer = Offer::NobodyWaits;
    for waiter in waiting {
        offer = match tokens::offer(app, &waiter.token_id, &waiter.token, arrival).await? {
            Offered::Taken | Offered::ByAnother => Offer::Taken,
            Offered::Declined if offer == Offer::Taken => Offer::Taken,
            Offered::Declined => Offer::Declined,
        };
    }
    Ok(offer)
}

#[cfg(test)]
mod tests;

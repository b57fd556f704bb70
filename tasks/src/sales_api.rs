//! The Sales API: look, buy, follow an order.
//!
//! One router for both homes: API Gateway's events reach it through [`handle`] on Lambda, `restock up`
//! serves [`router`] directly, there with the factory's callbacks beside it. Start reading at
//! `checkout`.

mod checkout;
mod openapi;
mod orders;
mod products;
mod request;
mod stock_empty;

use std::sync::Arc;

use axum::{
    Json, Router,
    routing::{get, post},
};
use serde_json::{Value, json};

pub use openapi::document;

use crate::{app::App, error::Common, factory_callback, http, relay_outbox};

/// An event of API Gateway's HTTP API, payload format 2.0.
pub type Input = Value;

/// The response in the same format.
pub type Output = Value;

/// Refusals are answers here; only a broken event is an error.
pub type Error = Common;

/// Answers one API Gateway event.
pub async fn handle(app: &Arc<App>, event: Input) -> Result<Output, Error> {
    let answer = http::serve(router(app.clone()), event).await;
    relay_outbox::after_sale(app).await;
    answer
}

/// Every route of the API, callbacks included.
pub fn router(app: Arc<App>) -> Router {
    let routes = Router::new()
        .route("/product/donut", get(products::donut))
        .route("/products", get(products::all))
        .route("/products/{id}", get(products::one))
        .route("/checkout", post(checkout::post))
        .route("/orders/{id}", get(orders::one))
        .route("/openapi.json", get(openapi::serve))
        .route("/health", get(health))
        .with_state(app.clone());
    http::finish(routes.merge(factory_callback::routes(app)))
}

async fn health() -> Json<Value> {
    Json(json!({"status": "ok"}))
}

#[cfg(test)]
mod tests;

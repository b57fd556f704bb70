//! `GET /orders/{id}`: an order as it was answered.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State, rejection::PathRejection},
    http::StatusCode,
};
use schemars::JsonSchema;
use serde::Serialize;
use shop::order::{self, Order, Outcome};

use crate::{app::App, http::path_id, problem::Problem};

/// An order as clients see it. Who bought it is not in it: whoever knows the id may ask.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Order", deny_unknown_fields)]
pub(super) struct OrderView {
    /// Its id.
    pub order_id: String,
    /// What was asked for.
    pub product_id: String,
    /// How many.
    pub quantity: i64,
    /// `sold`, or `refused` because the stock was too small.
    pub outcome: Outcome,
    /// The stock that the checkout was told.
    pub remaining: i64,
    /// When, UTC.
    pub created_at: String,
}

impl From<Order> for OrderView {
    fn from(order: Order) -> Self {
        let created_at = jiff::Timestamp::from_millisecond(order.created_at).unwrap_or_default();
        Self {
            order_id: order.order_id,
            product_id: order.product_id,
            quantity: order.quantity,
            outcome: order.outcome,
            remaining: order.remaining,
            created_at: format!("{created_at:.3}"),
        }
    }
}

/// `GET /orders/{id}`
pub(super) async fn one(
    State(app): State<Arc<App>>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<OrderView>, Problem> {
    match order::get(app.warehouse()?, &path_id(id)?).await {
        Ok(order) => Ok(Json(order.into())),
        Err(shop::Error::NotFound { .. }) => {
            let message = "There is no order with this id.";
            Err(Problem::new(StatusCode::NOT_FOUND, message))
        }
        Err(error) => Err(error.into()),
    }
}

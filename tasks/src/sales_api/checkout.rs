//! `POST /checkout`: buy, or be refused because the stock is too small.
//!
//! A refusal is announced on `stock_empty` before the refused order is written, so that an order exists
//! only if the reorder flow has heard of it. When SNS does not take the announcement the client gets a
//! `503` and nothing was written; a repeated announcement is harmless.

use std::sync::Arc;

use axum::{
    Json,
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use schemars::JsonSchema;
use serde::Serialize;
use shop::{
    checkout::{self, Checkout, Placement},
    order::Outcome,
};

use super::{
    request::{CheckoutRequest, idempotency_key},
    stock_empty,
};
use crate::{app::App, http::json_object, problem::Problem};

/// The answer to a checkout: the original contract's message, and the same as data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct CheckoutAnswer {
    /// `구매 완료! 남은 재고: N` or `구매 실패! 남은 재고: N`
    pub message: String,
    /// `sold` or `refused`
    pub outcome: Outcome,
    /// The order's id, for `GET /orders/{id}`.
    pub order_id: String,
    /// The stock after this checkout.
    pub remaining: i64,
}

/// `POST /checkout`
pub(super) async fn post(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<CheckoutAnswer>, Problem> {
    let key = idempotency_key(&headers)?;
    let request = CheckoutRequest::parse(&json_object(&headers, body).await?)?;
    let checkout = Checkout {
        product_id: request.product_id.clone(),
        quantity: i64::from(request.quantity.get()),
        customer_id: request.customer_id.clone(),
        requester: request.requester.clone(),
        idempotency_key: key,
    };
    let warehouse = app.warehouse()?;
    let placed = checkout::place(warehouse, &checkout)
        .await
        .map_err(|error| match error {
            shop::Error::NotFound { .. } => Problem::no_product(StatusCode::BAD_REQUEST),
            other => other.into(),
        })?;
    let answer = match placed {
        Placement::Answered(answer) => {
            tracing::Span::current().record("order_id", &answer.order.order_id);
            answer
        }
        Placement::Short(shortage) => {
            tracing::Span::current().record("order_id", &shortage.order_id);
            stock_empty::publish(&app, &shortage, &request).await?;
            checkout::refuse(warehouse, &shortage).await?
        }
    };
    let order = answer.order;
    tracing::info!(
        product_id = order.product_id,
        quantity = order.quantity,
        outcome = order.outcome.as_str(),
        remaining = order.remaining,
        replayed = answer.replayed,
        "checkout"
    );
    if order.outcome == Outcome::Sold && order.customer_id.is_some() && !answer.replayed {
        app.sales.ring();
    }
    let result = match order.outcome {
        Outcome::Sold => "완료",
        Outcome::Refused => "실패",
    };
    Ok(Json(CheckoutAnswer {
        message: format!("구매 {result}! 남은 재고: {}", order.remaining),
        outcome: order.outcome,
        order_id: order.order_id,
        remaining: order.remaining,
    }))
}

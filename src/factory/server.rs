//! The factory's own HTTP interface: `POST /api/manufactures`, and `GET /api/manufactures` to see what is open.

use std::io;
use std::path::Path;
use std::sync::Arc;

use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde_json::json;
use thiserror::Error;

use super::delivery::{deliver, now_ms};
use super::orders::{Order, Orders, Request};
use super::{Behaviour, Fault};
use crate::simulated::{Switch, hits};

/// A factory. Its deliveries go on as tasks of the runtime.
pub(crate) struct Factory(Arc<Workshop>);

/// Why the factory did not start.
#[derive(Debug, Error)]
pub(crate) enum FactoryError {
    #[error("the simulated factory cannot use its orders folder {folder}: {source}")]
    Orders { folder: String, source: io::Error },
    #[error("the simulated factory's HTTP client cannot be built: {0}")]
    Client(#[from] reqwest::Error),
}

struct Workshop {
    behaviour: Switch<Behaviour>,
    orders: Orders,
    client: reqwest::Client,
}

impl Factory {
    /// Opens it, and goes on with the deliveries an earlier run left open. Must run inside a tokio runtime.
    pub(crate) fn open(folder: &Path, behaviour: Behaviour) -> Result<Factory, FactoryError> {
        let failed = |source| FactoryError::Orders {
            folder: folder.display().to_string(),
            source,
        };
        let orders = Orders::open(folder).map_err(failed)?;
        let left = orders.open_orders().map_err(failed)?;
        // A signed URL is not followed to whom it points to.
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        let shop = Arc::new(Workshop {
            behaviour: Switch::new(behaviour),
            orders,
            client,
        });
        for order in left {
            shop.start(order);
        }
        Ok(Factory(shop))
    }

    pub(crate) fn router(self) -> Router {
        let simulation = self.0.behaviour.router();
        Router::new()
            .route("/api/manufactures", post(manufacture).get(list))
            .with_state(self.0)
            .merge(simulation)
    }
}

impl Workshop {
    fn start(&self, order: Order) {
        let (client, orders) = (self.client.clone(), self.orders.clone());
        tokio::spawn(deliver(client, orders, order));
    }

    /// The order, with the fault that hits it.
    fn order(&self, request: Request) -> Order {
        self.behaviour.with(|it| {
            let fault = if it.fault != Fault::None && hits(&mut it.fault_count) {
                it.fault
            } else {
                Fault::None
            };
            let delay = i64::try_from(it.delay_ms).unwrap_or(i64::MAX);
            Order {
                id: uuid::Uuid::new_v4().to_string(),
                due: now_ms().saturating_add(delay),
                deliveries: if fault == Fault::Duplicate { 2 } else { 1 },
                fault,
                missing: it.short_by,
                request,
            }
        })
    }
}

async fn manufacture(
    State(shop): State<Arc<Workshop>>,
    body: Result<Json<Request>, JsonRejection>,
) -> Response {
    let request = match body {
        Ok(Json(request)) => request,
        Err(rejection) => {
            return (
                StatusCode::BAD_REQUEST,
                Json(json!({ "message": rejection.body_text() })),
            )
                .into_response();
        }
    };
    let mut order = shop.order(request);
    match order.fault {
        Fault::Error => {
            return (
                StatusCode::INTERNAL_SERVER_ERROR,
                "the legacy factory is down",
            )
                .into_response();
        }
        Fault::Reject => {
            return (
                StatusCode::UNPROCESSABLE_ENTITY,
                Json(json!({ "message": "the factory does not make this" })),
            )
                .into_response();
        }
        Fault::Hang => std::future::pending::<()>().await,
        Fault::Rubbish => {
            return "<html>The factory is closed for maintenance</html>".into_response();
        }
        Fault::Early => {
            order.due = 0;
            deliver(shop.client.clone(), shop.orders.clone(), order.clone()).await;
            return accepted(&order);
        }
        Fault::Silent => return accepted(&order),
        Fault::None | Fault::Duplicate | Fault::Short | Fault::WrongSignature => {}
    }
    if let Err(error) = shop.orders.put(&order) {
        tracing::error!(%error, "could not keep an order");
        return (
            StatusCode::INTERNAL_SERVER_ERROR,
            "the factory lost its order book",
        )
            .into_response();
    }
    let answer = accepted(&order);
    shop.start(order);
    answer
}

/// The contract's answer, with its spelling.
fn accepted(order: &Order) -> Response {
    let body = json!({ "data": { "data": order.request, "id": order.id, "reqestor": order.request.requester } });
    Json(body).into_response()
}

async fn list(State(shop): State<Arc<Workshop>>) -> Response {
    match shop.orders.open_orders() {
        Ok(orders) => Json(json!({ "orders": orders })).into_response(),
        Err(error) => {
            tracing::error!(%error, "could not read the orders");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

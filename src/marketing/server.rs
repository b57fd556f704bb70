//! The marketing system's HTTP interface.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};
use thiserror::Error;

use super::received::{Customer, Received};
use super::{Behaviour, MarketingFault};
use crate::simulated::{Switch, hits};

/// A marketing system.
pub(crate) struct Marketing(Arc<Office>);

/// Why the marketing system did not start.
#[derive(Debug, Error)]
#[error("the simulated marketing system cannot use its file {file}: {source}")]
pub(crate) struct MarketingError {
    file: String,
    source: io::Error,
}

struct Office {
    behaviour: Switch<Behaviour>,
    received: Mutex<Received>,
}

impl Marketing {
    /// Opens it, knowing what an earlier run received.
    pub(crate) fn open(file: &Path, behaviour: Behaviour) -> Result<Marketing, MarketingError> {
        let received = Received::open(file).map_err(|source| MarketingError {
            file: file.display().to_string(),
            source,
        })?;
        Ok(Marketing(Arc::new(Office {
            behaviour: Switch::new(behaviour),
            received: Mutex::new(received),
        })))
    }

    pub(crate) fn router(self) -> Router {
        let simulation = self.0.behaviour.router();
        Router::new()
            .route("/api/customers", post(take).get(list))
            .with_state(self.0)
            .merge(simulation)
    }
}

impl Office {
    /// The fault that hits this request.
    fn fault(&self) -> MarketingFault {
        self.behaviour.with(|it| {
            if it.fault != MarketingFault::None && hits(&mut it.fault_count) {
                it.fault
            } else {
                MarketingFault::None
            }
        })
    }

    /// Takes a customer once per key: a repeated key gets the first answer.
    fn receive(&self, key: &str, customer: Value) -> Response {
        let mut received = self.received.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = received.get(key) {
            return (StatusCode::OK, Json(json!({ "id": known.id }))).into_response();
        }
        let id = format!("MK-{}", uuid::Uuid::new_v4().simple());
        let new = Customer {
            id: id.clone(),
            key: key.to_owned(),
            customer,
        };
        if let Err(error) = received.add(new) {
            tracing::error!(%error, "could not keep a customer");
            return problem(StatusCode::INTERNAL_SERVER_ERROR, "the file is lost");
        }
        tracing::info!(id, key, "customer received");
        (StatusCode::CREATED, Json(json!({ "id": id }))).into_response()
    }
}

async fn take(
    State(office): State<Arc<Office>>,
    headers: HeaderMap,
    body: Result<Json<Value>, JsonRejection>,
) -> Response {
    let key = headers
        .get("idempotency-key")
        .and_then(|key| key.to_str().ok());
    let Some(key) = key.filter(|key| !key.is_empty()) else {
        return problem(StatusCode::BAD_REQUEST, "an Idempotency-Key is missing");
    };
    let customer = match body {
        Ok(Json(customer)) if customer["customer_id"].is_string() => customer,
        Ok(_) => return problem(StatusCode::BAD_REQUEST, "customer_id is missing"),
        Err(rejection) => return problem(StatusCode::BAD_REQUEST, &rejection.body_text()),
    };
    match office.fault() {
        MarketingFault::None => office.receive(key, customer),
        MarketingFault::Error => problem(StatusCode::INTERNAL_SERVER_ERROR, "marketing is down"),
        MarketingFault::Throttle => {
            let seconds = office.behaviour.with(|it| it.retry_after);
            let after = [(header::RETRY_AFTER, seconds.to_string())];
            let busy = problem(StatusCode::TOO_MANY_REQUESTS, "too many customers");
            (after, busy).into_response()
        }
        MarketingFault::Reject => problem(StatusCode::UNPROCESSABLE_ENTITY, "not this customer"),
        MarketingFault::Hang => std::future::pending().await,
        MarketingFault::TakeAndHang => {
            office.receive(key, customer);
            std::future::pending().await
        }
        MarketingFault::Rubbish => "<html>welcome to marketing</html>".into_response(),
    }
}

fn problem(status: StatusCode, message: &str) -> Response {
    (status, Json(json!({ "message": message }))).into_response()
}

async fn list(State(office): State<Arc<Office>>) -> Response {
    let received = office
        .received
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    let customers: Vec<_> = received.all().collect();
    Json(json!({ "customers": customers })).into_response()
}

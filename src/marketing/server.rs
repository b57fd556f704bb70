//! The marketing system's HTTP interface.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};
use thiserror::Error;
use tokio::net::TcpListener;

use super::received::{Customer, Received};
use super::{MarketingArgs, MarketingFault};

/// A marketing system that listens.
pub(crate) struct Marketing {
    address: SocketAddr,
    listener: TcpListener,
    office: Arc<Office>,
}

/// Why the marketing system did not start.
#[derive(Debug, Error)]
pub(crate) enum MarketingError {
    #[error(
        "the simulated marketing system cannot listen on {address}: {source}. Name another address, or port 0"
    )]
    Listen {
        address: SocketAddr,
        source: io::Error,
    },
    #[error("the simulated marketing system cannot use its file {file}: {source}")]
    File { file: String, source: io::Error },
    #[error("the simulated marketing system stopped listening: {0}")]
    Serve(io::Error),
}

struct Office {
    args: MarketingArgs,
    received: Mutex<Received>,
    asked: AtomicU64,
}

impl Marketing {
    /// Listens, knowing what an earlier run received. Must run inside a tokio runtime.
    pub(crate) async fn open(args: MarketingArgs) -> Result<Marketing, MarketingError> {
        let received = Received::open(&args.received).map_err(|source| MarketingError::File {
            file: args.received.display().to_string(),
            source,
        })?;
        let listen_failed = |source| MarketingError::Listen {
            address: args.listen,
            source,
        };
        let listener = TcpListener::bind(args.listen)
            .await
            .map_err(listen_failed)?;
        let address = listener.local_addr().map_err(listen_failed)?;
        let office = Arc::new(Office {
            args,
            received: Mutex::new(received),
            asked: AtomicU64::new(0),
        });
        Ok(Marketing {
            address,
            listener,
            office,
        })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until the future is dropped.
    pub(crate) async fn serve(self) -> Result<(), MarketingError> {
        let router = Router::new()
            .route("/api/customers", post(take).get(list))
            .with_state(self.office);
        axum::serve(self.listener, router)
            .await
            .map_err(MarketingError::Serve)
    }
}

impl Office {
    /// The fault that hits this request, by its running number.
    fn fault(&self) -> MarketingFault {
        let number = self.asked.fetch_add(1, Ordering::Relaxed);
        if self.args.fault_count.is_none_or(|count| number < count) {
            self.args.fault
        } else {
            MarketingFault::None
        }
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
            let after = [(header::RETRY_AFTER, office.args.retry_after.to_string())];
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

//! The factory's own HTTP interface: `POST /api/manufactures`, and `GET /api/manufactures` to see what is open.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde_json::json;
use thiserror::Error;
use tokio::net::TcpListener;

use super::delivery::{deliver, now_ms};
use super::orders::{Order, Orders, Request};
use super::{FactoryArgs, Fault};

/// A factory that listens. Its deliveries go on as tasks of the runtime.
pub(crate) struct Factory {
    address: SocketAddr,
    listener: TcpListener,
    shop: Arc<Workshop>,
}

/// Why the factory did not start.
#[derive(Debug, Error)]
pub(crate) enum FactoryError {
    #[error(
        "the simulated factory cannot listen on {address}: {source}. Name another address, or port 0"
    )]
    Listen {
        address: SocketAddr,
        source: io::Error,
    },
    #[error("the simulated factory cannot use its orders folder {folder}: {source}")]
    Orders { folder: String, source: io::Error },
    #[error("the simulated factory's HTTP client cannot be built: {0}")]
    Client(#[from] reqwest::Error),
    #[error("the simulated factory stopped listening: {0}")]
    Serve(io::Error),
}

struct Workshop {
    args: FactoryArgs,
    orders: Orders,
    client: reqwest::Client,
    taken: AtomicU64,
}

impl Factory {
    /// Listens, and goes on with the deliveries an earlier run left open. Must run inside a tokio runtime.
    pub(crate) async fn open(args: FactoryArgs) -> Result<Factory, FactoryError> {
        let folder = args.orders.display().to_string();
        let orders = Orders::open(&args.orders).map_err(|source| FactoryError::Orders {
            folder: folder.clone(),
            source,
        })?;
        let left = orders
            .open_orders()
            .map_err(|source| FactoryError::Orders { folder, source })?;
        let listen_failed = |source| FactoryError::Listen {
            address: args.listen,
            source,
        };
        let listener = TcpListener::bind(args.listen)
            .await
            .map_err(listen_failed)?;
        let address = listener.local_addr().map_err(listen_failed)?;
        let client = reqwest::Client::builder().build()?;
        let shop = Arc::new(Workshop {
            args,
            orders,
            client,
            taken: AtomicU64::new(0),
        });
        for order in left {
            shop.start(order);
        }
        Ok(Factory {
            address,
            listener,
            shop,
        })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until the future is dropped.
    pub(crate) async fn serve(self) -> Result<(), FactoryError> {
        let router = Router::new()
            .route("/api/manufactures", post(manufacture).get(list))
            .with_state(self.shop);
        axum::serve(self.listener, router)
            .await
            .map_err(FactoryError::Serve)
    }
}

impl Workshop {
    fn start(self: &Arc<Self>, order: Order) {
        tokio::spawn(deliver(
            self.client.clone(),
            self.orders.clone(),
            self.args.clone(),
            order,
        ));
    }

    /// The fault that hits this order, by its running number.
    fn fault(&self) -> Fault {
        let number = self.taken.fetch_add(1, Ordering::Relaxed);
        if self.args.fault_count.is_none_or(|count| number < count) {
            self.args.fault
        } else {
            Fault::None
        }
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
    let fault = shop.fault();
    let mut order = Order {
        id: uuid::Uuid::new_v4().to_string(),
        due: now_ms() + shop.args.delay_ms,
        deliveries: if fault == Fault::Duplicate { 2 } else { 1 },
        fault,
        request,
    };
    match fault {
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
        Fault::Rubbish => return "<html>welcome to the factory</html>".into_response(),
        Fault::Early => {
            order.due = 0;
            deliver(
                shop.client.clone(),
                shop.orders.clone(),
                shop.args.clone(),
                order.clone(),
            )
            .await;
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

//! `/_restock/…`: facts of one machine that no AWS API has, for the console and for tools. Plain JSON.

use axum::{
    Json, Router,
    extract::{Query, State, rejection::QueryRejection},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
};
use serde::Deserialize;
use serde_json::json;

use crate::outbox::Outbox;

/// `GET /_restock/health` and `GET /_restock/mail`.
pub(crate) fn router(outbox: Outbox) -> Router {
    Router::new()
        .route(
            "/_restock/health",
            get(async || Json(json!({"status": "ok"}))),
        )
        .route("/_restock/mail", get(mail))
        .with_state(outbox)
}

#[derive(Deserialize)]
struct MailQuery {
    /// Only mail to this address.
    to: Option<String>,
    /// 1 to 1,000; 100 if absent.
    limit: Option<usize>,
    /// From the page before.
    next: Option<String>,
}

async fn mail(
    State(outbox): State<Outbox>,
    query: Result<Query<MailQuery>, QueryRejection>,
) -> Response {
    let Ok(Query(MailQuery { to, limit, next })) = query else {
        return refuse(
            StatusCode::BAD_REQUEST,
            "Use to=ADDRESS, limit=NUMBER and next=TOKEN.",
        );
    };
    let limit = limit.unwrap_or(100);
    if !(1..=1000).contains(&limit) {
        return refuse(StatusCode::BAD_REQUEST, "limit must be from 1 to 1000.");
    }
    match outbox.list(to.as_deref(), next.as_deref(), limit).await {
        Ok(page) => Json(page).into_response(),
        Err(error) => {
            tracing::error!(%error, "mail could not be listed");
            refuse(
                StatusCode::INTERNAL_SERVER_ERROR,
                "The outbox cannot be read at the moment.",
            )
        }
    }
}

fn refuse(status: StatusCode, message: &str) -> Response {
    (status, Json(json!({ "message": message }))).into_response()
}

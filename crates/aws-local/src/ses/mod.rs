//! Amazon SES v2 (REST JSON) in front of the [outbox](crate::outbox): SendEmail, and identities for tools that make them.
//!
//! Any sender is accepted: there is nobody to verify it. Source: Amazon SES API v2 Reference.

mod identities;
mod send;

use axum::{
    Router,
    extract::{Path, Request, State},
    http::StatusCode,
    response::Response,
    routing::{get, post},
};
use bytes::Bytes;
use engine::Documents;
use serde::{Serialize, de::DeserializeOwned};

use identities::ListEmailIdentitiesRequest;

use crate::{
    outbox::Outbox,
    protocol::{
        BodyError, new_request_id, read_body,
        rest::{self, RestError},
        shielded,
    },
};

/// A raw message may have 40 MB, in base64 and JSON.
const BODY_LIMIT: usize = 60 * 1024 * 1024;

/// The service. Cheap to clone.
#[derive(Clone)]
pub struct Ses {
    outbox: Outbox,
    documents: Documents,
}

impl Ses {
    /// A service that keeps mail in an outbox and identities as documents.
    pub fn new(outbox: Outbox, documents: Documents) -> Ses {
        Ses { outbox, documents }
    }

    /// The paths of the service.
    pub fn router(self) -> Router {
        let service = Router::new()
            .route("/outbound-emails", post(send_email))
            .route("/identities", post(create_identity).get(list_identities))
            .route(
                "/identities/{identity}",
                get(get_identity).delete(delete_identity),
            )
            .route("/list-identities", post(list_identities_by_body))
            .fallback(unknown)
            .method_not_allowed_fallback(unknown)
            .with_state(self);
        Router::new().nest("/v2/email", service)
    }
}

async fn send_email(State(ses): State<Ses>, request: Request) -> Response {
    answer(async move |_| ses.send_email(parse(&body(request).await?)?).await).await
}

async fn create_identity(State(ses): State<Ses>, request: Request) -> Response {
    answer(async move |_| ses.create_identity(parse(&body(request).await?)?).await).await
}

async fn list_identities(State(ses): State<Ses>, request: Request) -> Response {
    answer(async move |_| {
        let query = request.uri().query().unwrap_or_default();
        ses.list_identities(ListEmailIdentitiesRequest::from_query(query)?)
            .await
    })
    .await
}

/// The newer form of the same action.
async fn list_identities_by_body(State(ses): State<Ses>, request: Request) -> Response {
    answer(async move |_| ses.list_identities(parse(&body(request).await?)?).await).await
}

async fn get_identity(State(ses): State<Ses>, Path(identity): Path<String>) -> Response {
    answer(async move |_| ses.get_identity(&identity).await).await
}

async fn delete_identity(State(ses): State<Ses>, Path(identity): Path<String>) -> Response {
    answer(async move |_| ses.delete_identity(&identity).await).await
}

async fn unknown(request: Request) -> Response {
    let action = format!("{} {}", request.method(), request.uri().path());
    answer::<()>(async move |_| {
        Err(RestError::new(
            StatusCode::NOT_FOUND,
            "UnknownOperationException",
            format!("{action} is not supported by this endpoint."),
        ))
    })
    .await
}

/// Runs an action under a fresh request id and writes what it answers; a panic is an `InternalFailure`.
async fn answer<T: Serialize>(action: impl AsyncFnOnce(&str) -> Result<T, RestError>) -> Response {
    let request_id = new_request_id();
    let result = shielded(&request_id, action(&request_id)).await;
    let result = result.unwrap_or_else(|| Err(RestError::internal()));
    if let Err(error) = &result {
        tracing::debug!(
            request_id,
            error = error.name,
            message = error.message,
            "refused"
        );
    }
    rest::respond_with(result, &request_id)
}

async fn body(request: Request) -> Result<Bytes, RestError> {
    read_body(request.into_body(), BODY_LIMIT)
        .await
        .map_err(|error| match error {
            BodyError::TooLarge => RestError::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "RequestEntityTooLargeException",
                format!("The request body must not be larger than {BODY_LIMIT} bytes."),
            ),
            BodyError::Broken => bad_request("The request body ended too early."),
        })
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, RestError> {
    serde_json::from_slice(body).map_err(|error| {
        RestError::new(
            StatusCode::BAD_REQUEST,
            "SerializationException",
            error.to_string(),
        )
    })
}

fn bad_request(message: impl Into<String>) -> RestError {
    RestError::new(StatusCode::BAD_REQUEST, "BadRequestException", message)
}

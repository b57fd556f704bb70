//! AWS Lambda's REST API, version 2015-03-31: Invoke, the functions as they are, the event source mappings.
//!
//! Functions are read only here: they are registered by the owner of the stack, not uploaded.

mod error;
mod functions;
mod invoke;
mod mappings;

use axum::{
    Router,
    extract::Request,
    http::HeaderValue,
    middleware::{self, Next},
    response::Response,
    routing::{any, get, post},
};

use self::error::ApiError;
use super::Lambda;

/// Everything under `/2015-03-31/`.
pub(super) fn router(lambda: Lambda) -> Router {
    Router::new()
        .route(
            "/2015-03-31/functions",
            get(functions::list).post(functions::create),
        )
        .route(
            "/2015-03-31/functions/",
            get(functions::list).post(functions::create),
        )
        .route("/2015-03-31/functions/{name}", get(functions::get))
        .route(
            "/2015-03-31/functions/{name}/configuration",
            get(functions::configuration),
        )
        .route(
            "/2015-03-31/functions/{name}/invocations",
            post(invoke::invoke),
        )
        .route(
            "/2015-03-31/event-source-mappings",
            get(mappings::list).post(mappings::create),
        )
        .route(
            "/2015-03-31/event-source-mappings/",
            get(mappings::list).post(mappings::create),
        )
        .route(
            "/2015-03-31/event-source-mappings/{uuid}",
            get(mappings::get)
                .put(mappings::update)
                .delete(mappings::delete),
        )
        .route("/2015-03-31/{*rest}", any(unknown))
        .method_not_allowed_fallback(unknown)
        .layer(middleware::from_fn(name_request))
        .with_state(lambda)
}

async fn unknown(request: Request) -> ApiError {
    ApiError::unsupported(format!(
        "{} {} is not supported locally; functions come from the stack's description and can be invoked, listed, read and \
         fed by queues",
        request.method(),
        request.uri().path()
    ))
}

/// Every answer of AWS has a request id; an invocation's is that of the invocation.
async fn name_request(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    if !headers.contains_key("x-amzn-requestid")
        && let Ok(id) = HeaderValue::from_str(&uuid::Uuid::new_v4().to_string())
    {
        headers.insert("x-amzn-requestid", id);
    }
    response
}

//! restJson1: path and method name the action, JSON in, JSON out; an error's name is in `x-amzn-errortype`. SES and Lambda.
//!
//! Source: Smithy "AWS restJson1 protocol".

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use serde::Serialize;
use serde_json::json;

use super::{REQUEST_ID_HEADER, is_temporary};

/// An error answer.
#[derive(Debug, Clone, PartialEq)]
pub struct RestError {
    /// HTTP status.
    pub status: StatusCode,
    /// The error's shape, e.g. `BadRequestException`.
    pub name: &'static str,
    /// For the reader.
    pub message: String,
}

impl RestError {
    /// Any error.
    pub fn new(status: StatusCode, name: &'static str, message: impl Into<String>) -> RestError {
        RestError {
            status,
            name,
            message: message.into(),
        }
    }

    /// Our fault; says nothing about it.
    pub fn internal() -> RestError {
        RestError::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "InternalFailure",
            "The request processing has failed because of an unknown error, exception or failure.",
        )
    }

    /// The store failed: to be tried again if there is hope, and logged in any case.
    pub fn storage(error: &engine::StorageError) -> RestError {
        tracing::error!(%error, "an action could not be stored");
        if is_temporary(error) {
            RestError::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "ServiceUnavailableException",
                "The service cannot store anything at the moment. Try again later.",
            )
        } else {
            RestError::internal()
        }
    }

    /// The HTTP answer.
    pub fn into_response(self, request_id: &str) -> Response {
        let mut response = respond(
            self.status,
            json!({ "message": self.message }).to_string().into_bytes(),
            request_id,
        );
        response
            .headers_mut()
            .insert("x-amzn-errortype", HeaderValue::from_static(self.name));
        response
    }
}

/// An answer of status 200, or the error.
pub fn respond_with<T: Serialize>(result: Result<T, RestError>, request_id: &str) -> Response {
    let written = result.and_then(|value| {
        serde_json::to_vec(&value).map_err(|error| {
            tracing::error!(request_id, %error, "an answer could not be written as JSON");
            RestError::internal()
        })
    });
    match written {
        Ok(body) => respond(StatusCode::OK, body, request_id),
        Err(error) => error.into_response(request_id),
    }
}

fn respond(status: StatusCode, body: Vec<u8>, request_id: &str) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    if let Ok(value) = HeaderValue::from_str(request_id) {
        headers.insert(REQUEST_ID_HEADER, value);
    }
    response
}

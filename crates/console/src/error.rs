//! When a page cannot be shown: what happened, and a way on. Handlers return [`PageError`]; `guard.rs` renders it.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use operate::error::OperateError;
use thiserror::Error;

/// Why a page cannot be shown.
#[derive(Debug, Error)]
pub(crate) enum PageError {
    /// There is no such thing: what, in the reader's words.
    #[error("{0}")]
    NotFound(String),
    /// The request says something that cannot be: what to change.
    #[error("{0}")]
    Invalid(String),
    /// The browser's request is refused for safety: why.
    #[error("{0}")]
    Forbidden(String),
    /// The workflows' endpoint, or AWS, did not do what was asked.
    #[error(transparent)]
    Operate(Arc<OperateError>),
    /// The shop's databases did not.
    #[error("the shop's database: {0}")]
    Shop(#[from] shop::Error),
    /// Something of ours failed; the log has the rest.
    #[error("{0}")]
    Broken(String),
}

/// A page error as it travels from the handler to the layer that renders it.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub status: StatusCode,
    pub title: &'static str,
    pub message: String,
}

impl PageError {
    fn status(&self) -> (StatusCode, &'static str) {
        match self {
            PageError::NotFound(_) => (StatusCode::NOT_FOUND, "Not found"),
            PageError::Invalid(_) => (StatusCode::BAD_REQUEST, "That does not work"),
            PageError::Forbidden(_) => (StatusCode::FORBIDDEN, "Refused"),
            PageError::Shop(_) => (
                StatusCode::SERVICE_UNAVAILABLE,
                "The shop's database cannot be read",
            ),
            PageError::Broken(_) => (StatusCode::INTERNAL_SERVER_ERROR, "Something broke"),
            PageError::Operate(error) => match &**error {
                OperateError::Unreachable { .. } => (
                    StatusCode::BAD_GATEWAY,
                    "The workflows' endpoint does not answer",
                ),
                OperateError::NoMachine { .. } | OperateError::NoExecution { .. } => {
                    (StatusCode::NOT_FOUND, "Not found")
                }
                _ => match error.code() {
                    // An address with an ARN that AWS does not take names nothing that is there.
                    Some(code) if code.ends_with("DoesNotExist") || code == "InvalidArn" => {
                        (StatusCode::NOT_FOUND, "Not found")
                    }
                    Some(_) => (StatusCode::BAD_GATEWAY, "The endpoint refused"),
                    None => (StatusCode::BAD_REQUEST, "That does not work"),
                },
            },
        }
    }
}

impl From<OperateError> for PageError {
    fn from(error: OperateError) -> PageError {
        PageError::Operate(Arc::new(error))
    }
}

/// Of a reading that several pages waited for.
impl From<Arc<OperateError>> for PageError {
    fn from(error: Arc<OperateError>) -> PageError {
        PageError::Operate(error)
    }
}

impl From<QueryRejection> for PageError {
    fn from(rejection: QueryRejection) -> PageError {
        PageError::Invalid(format!(
            "the address of this page is not right: {}",
            rejection.body_text()
        ))
    }
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        let (status, title) = self.status();
        if status.is_server_error() {
            tracing::warn!(error = %self, "a page could not be shown");
        }
        let mut response = status.into_response();
        response.extensions_mut().insert(Told {
            status,
            title,
            message: self.to_string(),
        });
        response
    }
}

/// The body of an error page.
pub(crate) fn body(told: &Told) -> Markup {
    html! {
        section .empty.problem role="alert" {
            p .code { (told.status.as_u16()) }
            h1 { (told.title) }
            p { (told.message) }
            p { a href="/" { "Overview" } " · " a href="/executions" { "Executions" } }
        }
    }
}

/// A part of a page that could not be read, while the rest can: what happened, in place of the part.
pub(crate) fn partial(what: &str, error: &dyn std::error::Error) -> Markup {
    html! {
        div .notice.problem role="status" {
            strong { (what) " cannot be shown." } " " (error)
        }
    }
}

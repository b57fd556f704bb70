//! What stands around every page: who may be asked for (`Host`), who may change something (`Origin`), who may look
//! (login), what a page may load (CSP), and how errors look.

use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Redirect, Response};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::limit::RequestBodyLimitLayer;

use crate::app::App;
use crate::error::{self, PageError, Told};
use crate::layout::{Page, Tab};

/// A page may load its own stylesheet, script, icon and event stream, and nothing else from anywhere.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
    form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

const HEADERS: [(HeaderName, &str); 5] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "same-origin"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
];

/// Largest form: an execution's input is at most 256 KiB, and a form writes a character with up to three.
const LARGEST_BODY: usize = 1024 * 1024;

/// Wraps the pages. The outermost comes last.
pub(crate) fn around(pages: Router, app: &Arc<App>) -> Router {
    pages
        .layer(CatchPanicLayer::custom(
            |_: Box<dyn std::any::Any + Send>| {
                PageError::Broken("this page failed; the console's log says why".to_owned())
                    .into_response()
            },
        ))
        .layer(RequestBodyLimitLayer::new(LARGEST_BODY))
        .layer(middleware::from_fn_with_state(app.clone(), admit))
        .layer(middleware::from_fn_with_state(app.clone(), finish))
}

/// Refuses what must not reach a page.
async fn admit(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    if !is_ours(&app, host(headers, request.uri())) {
        return PageError::Forbidden(
            "this console is not known by that name: open it by its IP address, or name it with --console-host".to_owned(),
        )
        .into_response();
    }
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    if !reads && !is_same_origin(headers, request.uri()) {
        return PageError::Forbidden(
            "a change has to come from a page of this console, and this one did not".to_owned(),
        )
        .into_response();
    }
    let path = request.uri().path();
    let is_open = path == "/login" || path.starts_with("/assets/");
    if is_open || app.login.admits(headers) {
        return next.run(request).await;
    }
    if !reads
        || headers
            .get(header::ACCEPT)
            .is_some_and(|a| a == "text/event-stream")
    {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let wanted = request.uri().path_and_query().map_or("/", |p| p.as_str());
    let next: String = form_urlencoded::Serializer::new(String::new())
        .append_pair("next", wanted)
        .finish();
    Redirect::to(&format!("/login?{next}")).into_response()
}

/// Gives errors their page and every answer its headers.
async fn finish(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let told = response.extensions_mut().remove::<Told>().or_else(|| {
        let (title, message) = match response.status() {
            StatusCode::NOT_FOUND => ("Not found", "There is no page at this address."),
            StatusCode::METHOD_NOT_ALLOWED => {
                ("Not found", "This page cannot be asked for like that.")
            }
            StatusCode::PAYLOAD_TOO_LARGE => ("Too large", "A form may have 1 MiB at most."),
            StatusCode::UNPROCESSABLE_ENTITY | StatusCode::BAD_REQUEST => (
                "That does not work",
                "The form or the address was not complete.",
            ),
            StatusCode::UNAUTHORIZED if app.login.is_needed() => (
                "Log in first",
                "The login has ended; log in again and repeat this.",
            ),
            _ => return None,
        };
        let is_page = response
            .headers()
            .get(header::CONTENT_TYPE)
            .is_some_and(|t| t.as_bytes().starts_with(b"text/html"));
        (!is_page).then(|| Told {
            status: response.status(),
            title,
            message: message.to_owned(),
        })
    });
    if let Some(told) = told {
        let page = Page::new(told.title, Tab::None).render(&app, error::body(&told));
        response = (told.status, page).into_response();
    }
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}

/// The name a request was sent to.
fn host<'a>(headers: &'a HeaderMap, uri: &'a Uri) -> Option<&'a str> {
    headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .or_else(|| uri.authority().map(|a| a.as_str()))
}

/// A name that a stranger's DNS may point at us is refused: a page of theirs would be our origin.
fn is_ours(app: &App, host: Option<&str>) -> bool {
    let Some(host) = host.and_then(|h| h.parse::<axum::http::uri::Authority>().ok()) else {
        return false;
    };
    let name = host.host().trim_start_matches('[').trim_end_matches(']');
    let name = name.to_lowercase();
    name == "localhost" || name.parse::<IpAddr>().is_ok() || app.hosts.contains(&name)
}

/// Browsers say where a form comes from; what does not say so is no browser's form.
fn is_same_origin(headers: &HeaderMap, uri: &Uri) -> bool {
    let text = |name: HeaderName| headers.get(name).and_then(|v| v.to_str().ok());
    if let Some(site) = text(HeaderName::from_static("sec-fetch-site")) {
        return site == "same-origin";
    }
    let Some(host) = host(headers, uri) else {
        return false;
    };
    text(header::ORIGIN)
        .and_then(|origin| origin.split_once("://"))
        .is_some_and(|(_, origin)| origin == host)
}

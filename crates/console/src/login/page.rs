//! The login page.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::{ConnectInfo, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Form, Router};
use maud::{Markup, html};
use serde::Deserialize;

use super::{COOKIE, LASTS, locked};
use crate::app::App;
use crate::layout::{Page, Tab};

pub(crate) fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/login", get(form).post(enter))
        .route("/logout", post(leave))
}

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    next: String,
}

#[derive(Deserialize)]
struct Shown {
    token: String,
    #[serde(default)]
    next: String,
}

async fn form(State(app): State<Arc<App>>, Query(asked): Query<Asked>) -> Response {
    if app.login.is_needed() {
        page(&app, &asked.next, None).into_response()
    } else {
        Redirect::to("/").into_response()
    }
}

async fn enter(
    State(app): State<Arc<App>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Form(shown): Form<Shown>,
) -> Response {
    let wait = {
        let mut attempts = locked(&app.login.attempts);
        let wait = attempts.wait(peer.ip(), Instant::now());
        if wait.is_none() {
            attempts.count(peer.ip());
        }
        wait
    };
    if let Some(wait) = wait {
        let seconds = wait.as_secs() + 1;
        let told = format!("Too many wrong tokens. Try again in {seconds} seconds.");
        return (
            StatusCode::TOO_MANY_REQUESTS,
            [(header::RETRY_AFTER, seconds.to_string())],
            page(&app, &shown.next, Some(&told)),
        )
            .into_response();
    }
    if !app.login.is_token(&shown.token) {
        tracing::warn!(peer = %peer.ip(), "a wrong console token");
        let told = "That is not the token. It was given to the console as --console-token.";
        return (
            StatusCode::UNAUTHORIZED,
            page(&app, &shown.next, Some(told)),
        )
            .into_response();
    }
    locked(&app.login.attempts).forget(peer.ip());
    let cookie = format!(
        "{COOKIE}={}; Path=/; HttpOnly; SameSite=Strict; Max-Age={}",
        app.login.begin(),
        LASTS.as_secs()
    );
    (
        [(header::SET_COOKIE, cookie)],
        Redirect::to(ours(&shown.next)),
    )
        .into_response()
}

async fn leave(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    app.login.end(&headers);
    let gone = format!("{COOKIE}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0");
    ([(header::SET_COOKIE, gone)], Redirect::to("/login")).into_response()
}

/// A path of this console; anything else would lead a freshly logged-in operator to another site.
fn ours(next: &str) -> &str {
    let is_path =
        next.starts_with('/') && !next.starts_with("//") && !next.contains(['\\', '\n', '\r']);
    if is_path { next } else { "/" }
}

fn page(app: &App, next: &str, told: Option<&str>) -> Markup {
    let body = html! {
        section .login {
            h1 { "Log in" }
            @if let Some(told) = told {
                p .notice.problem role="alert" { (told) }
            }
            form method="post" action="/login" {
                input type="hidden" name="next" value=(next);
                label for="token" { "Console token" }
                input #token type="password" name="token" required autofocus autocomplete="current-password";
                button .primary type="submit" { "Log in" }
            }
        }
    };
    Page::new("Log in", Tab::None).render(app, body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_leads_to_pages_of_this_console_only() {
        for (next, expected) in [
            ("/executions?status=FAILED", "/executions?status=FAILED"),
            ("", "/"),
            ("https://elsewhere.example/", "/"),
            ("//elsewhere.example/", "/"),
            ("/\\elsewhere.example/", "/"),
        ] {
            assert_eq!(ours(next), expected, "{next}");
        }
    }
}

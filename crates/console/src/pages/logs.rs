//! `/logs`: what a Lambda wrote during an attempt. On AWS the lines are in CloudWatch, and [`link`] leads there.

mod line;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::routing::get;
use form_urlencoded::Serializer;
use jiff::{SignedDuration, Timestamp};
use maud::{Markup, html};
use operate::when;
use serde::Deserialize;

use crate::app::{App, Place};
use crate::error::PageError;
use crate::layout::{Page, Tab, empty};

/// A function's lines begin a little before its event is written, and end a little after.
const BEFORE: SignedDuration = SignedDuration::from_millis(200);
const AFTER: SignedDuration = SignedDuration::from_millis(500);
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) fn router() -> Router<Arc<App>> {
    Router::new().route("/logs", get(lines))
}

/// Where the lines of a function's invocation are.
pub(crate) fn link(
    app: &App,
    function: &str,
    from: Timestamp,
    to: Option<Timestamp>,
    request: Option<&str>,
) -> String {
    let until = to.unwrap_or_else(Timestamp::now);
    match &app.place {
        Place::Aws { .. } => cloud_watch(app.region(), function, from, until, request),
        Place::Endpoint(_) => {
            let mut address = Serializer::new(String::new());
            address.append_pair("function", function);
            address.append_pair("from", &from.to_string());
            if let Some(to) = to {
                address.append_pair("to", &to.to_string());
            }
            if let Some(request) = request {
                address.append_pair("request", request);
            }
            format!("/logs?{}", address.finish())
        }
    }
}

/// CloudWatch's own page; it encodes the parts of its address twice, with `$` for `%`.
fn cloud_watch(
    region: &str,
    function: &str,
    from: Timestamp,
    to: Timestamp,
    request: Option<&str>,
) -> String {
    let group = format!("$252Faws$252Flambda$252F{function}");
    let pattern = request.map_or(String::new(), |id| {
        format!("$26filterPattern$3D$2522{id}$2522")
    });
    format!(
        "https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}#logsV2:log-groups/log-group/{group}/log-events$3Fstart$3D{}$26end$3D{}{pattern}",
        (from - BEFORE).as_millisecond(),
        (to + AFTER).as_millisecond(),
    )
}

#[derive(Debug, Deserialize)]
struct Asked {
    function: String,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    request: Option<String>,
}

/// A line, as `GET /_restock/logs` tells it.
#[derive(Debug, Deserialize)]
struct Line {
    at: Timestamp,
    request_id: Option<String>,
    message: String,
}

#[derive(Debug, Deserialize)]
struct Lines {
    lines: Vec<Line>,
}

async fn lines(
    State(app): State<Arc<App>>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Markup, PageError> {
    let Query(asked) = asked?;
    let Place::Endpoint(endpoint) = &app.place else {
        return Err(PageError::Invalid(
            "on AWS the lines of a function are in CloudWatch: an execution's page links there"
                .to_owned(),
        ));
    };
    let mut lines = read(endpoint, &asked).await?;
    lines.retain(|line| {
        asked.from.is_none_or(|from| line.at >= from - BEFORE)
            && asked.to.is_none_or(|to| line.at <= to + AFTER)
    });
    let body = html! {
        div .head {
            h1 { "Log of " span .mono { (asked.function) } }
            @if let Some(request) = &asked.request { span .soft.mono { (request) } }
        }
        @if lines.is_empty() {
            (empty("No lines", html! {
                "The function wrote nothing then, or the lines are gone: the newest of each function are kept in memory, and all in the folder "
                code { "logs" } " of the data directory."
            }))
        } @else {
            div .card { div .scroll { table {
                thead { tr { th scope="col" { "Time" } th scope="col" { "Line" } @if asked.request.is_none() { th scope="col" { "Request" } } } }
                tbody { @for (n, line) in lines.iter().enumerate() { tr data-row {
                    td .nowrap title=(line.at) { (when::local(line.at)) }
                    td .wide { (line::show(&format!("line-{n}"), &line.message)) }
                    @if asked.request.is_none() { td .mono.soft { (line.request_id.as_deref().map_or("–", |id| id.split('-').next().unwrap_or(id))) } }
                } } }
            } } }
        }
    };
    Ok(Page::new("Log", Tab::None).render(&app, body))
}

/// The address of the endpoint's log.
fn url(endpoint: &str, asked: &Asked) -> String {
    let mut address = Serializer::new(String::new());
    address.append_pair("function", &asked.function);
    address.append_pair("limit", "2000");
    if let Some(request) = &asked.request {
        address.append_pair("request_id", request);
    }
    format!(
        "{}/_restock/logs?{}",
        endpoint.trim_end_matches('/'),
        address.finish()
    )
}

async fn read(endpoint: &str, asked: &Asked) -> Result<Vec<Line>, PageError> {
    let gone = |_| {
        PageError::NotFound(format!(
            "this endpoint keeps no log of {} that the console can read; only `restock up` does",
            asked.function
        ))
    };
    let client = reqwest::Client::builder()
        .timeout(PATIENCE)
        .build()
        .map_err(gone)?;
    let answer = client
        .get(url(endpoint, asked))
        .send()
        .await
        .map_err(gone)?;
    let answer = answer.error_for_status().map_err(gone)?;
    Ok(answer.json::<Lines>().await.map_err(gone)?.lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_to_cloud_watch_names_group_time_and_request() {
        let at = |s| Timestamp::from_second(s).unwrap();
        assert_eq!(
            cloud_watch("eu-west-1", "check_stock", at(10), at(20), Some("r1")),
            "https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#logsV2:log-groups/log-group/$252Faws$252Flambda$252Fcheck_stock/log-events$3Fstart$3D9800$26end$3D20500$26filterPattern$3D$2522r1$2522"
        );
    }
}

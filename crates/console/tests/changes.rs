//! Changes through the console, without a browser and without an endpoint: which forms are taken, what is written down.

#![expect(
    clippy::unwrap_used,
    reason = "clippy.toml allows it in tests, but not in the helpers of an integration test"
)]

use std::collections::BTreeMap;
use std::path::Path;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use console::{Console, Options, Place};
use operate::Connection;
use serde_json::Value;
use tower::ServiceExt;

const HOST: &str = "127.0.0.1:4500";
const ARN: &str = "arn:aws:states:us-east-1:000000000000:execution:reorder:one";
/// Nobody listens there.
const NOWHERE: &str = "http://127.0.0.1:9";

fn console(data_dir: Option<&Path>) -> Router {
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(NOWHERE)
        .region(Region::new("us-east-1"))
        .build();
    let console = Console::open(Options {
        listen: HOST.parse().unwrap(),
        token: None,
        hosts: Vec::new(),
        connection: Connection::new(config, None),
        place: Place::Endpoint(NOWHERE.to_owned()),
        shop: None,
        data_dir: data_dir.map(Path::to_owned),
        contracts: BTreeMap::new(),
    });
    console.unwrap().router()
}

struct Answer {
    status: StatusCode,
    location: String,
    text: String,
}

async fn ask(console: &Router, request: axum::http::request::Builder, body: String) -> Answer {
    let request = request.header(header::HOST, HOST);
    let response = console
        .clone()
        .oneshot(request.body(Body::from(body)).unwrap())
        .await
        .unwrap();
    let location = response.headers().get(header::LOCATION);
    Answer {
        status: response.status(),
        location: location.map_or_else(String::new, |l| l.to_str().unwrap().to_owned()),
        text: String::from_utf8(
            to_bytes(response.into_body(), usize::MAX)
                .await
                .unwrap()
                .to_vec(),
        )
        .unwrap(),
    }
}

async fn get(console: &Router, path: &str) -> Answer {
    ask(console, Request::get(path), String::new()).await
}

async fn stop(console: &Router, token: &str, from: (&'static str, &'static str)) -> Answer {
    let form = format!("token={token}&execution={ARN}");
    let request = Request::post("/act/stop")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(from.0, from.1);
    ask(console, request, form).await
}

/// The token in the form of a page.
async fn token(console: &Router) -> String {
    let page = get(console, &format!("/act/stop?execution={ARN}")).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    let (_, rest) = page.text.split_once("name=\"token\" value=\"").unwrap();
    rest.split('"').next().unwrap().to_owned()
}

const OURS: (&str, &str) = ("sec-fetch-site", "same-origin");

#[tokio::test]
async fn only_a_form_of_our_own_pages_changes_anything() {
    let folder = tempfile::tempdir().unwrap();
    let console = console(Some(folder.path()));
    let token = token(&console).await;
    for (token, from, why) in [
        (
            token.as_str(),
            ("sec-fetch-site", "cross-site"),
            "from a page of this console",
        ),
        (
            token.as_str(),
            ("origin", "http://evil.example"),
            "from a page of this console",
        ),
        (
            token.as_str(),
            ("accept", "*/*"),
            "from a page of this console",
        ),
        ("", OURS, "does not carry the token"),
        (&"0".repeat(64), OURS, "does not carry the token"),
    ] {
        let refused = stop(&console, token, from).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
        assert!(refused.text.contains(why), "{why}: {}", refused.text);
    }
    assert!(!folder.path().join("console-audit.jsonl").exists());
    let taken = stop(&console, &token, OURS).await;
    assert_eq!(taken.status, StatusCode::SEE_OTHER, "{}", taken.text);
}

#[tokio::test]
async fn what_was_tried_and_what_came_of_it_is_written_down() {
    let folder = tempfile::tempdir().unwrap();
    let console = console(Some(folder.path()));
    let taken = stop(&console, &token(&console).await, OURS).await;
    let mut run = get(&console, &taken.location).await;
    for _ in 0..200 {
        if run.text.contains("did not work") {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        run = get(&console, &taken.location).await;
    }
    assert!(
        run.text.contains("1 of 1") && run.text.contains("no answer"),
        "{}",
        run.text
    );
    let text = std::fs::read_to_string(folder.path().join("console-audit.jsonl")).unwrap();
    let lines: Vec<Value> = text
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(
        (&lines[0]["action"], &lines[0]["target"]),
        (&"stop".into(), &ARN.into())
    );
    assert!(!lines[0]["who"]["user"].as_str().unwrap().is_empty());
    assert_eq!(lines[1]["result"]["ok"], false);
    let audit = get(&console, "/audit").await;
    assert!(audit.text.contains("no answer"), "{}", audit.text);
}

#[tokio::test]
async fn what_cannot_be_written_down_is_not_done() {
    let console = console(Some(Path::new("/does/not/exist")));
    let taken = stop(&console, &token(&console).await, OURS).await;
    let run = get(&console, &taken.location).await;
    assert!(
        run.text.contains("the audit cannot be written"),
        "{}",
        run.text
    );
}

#[tokio::test]
async fn pages_say_what_happened_where_nobody_answers() {
    let console = console(None);
    for (path, status, part) in [
        ("/queues", StatusCode::OK, "cannot be shown"),
        (
            "/callbacks",
            StatusCode::BAD_GATEWAY,
            "Is `restock up` running there?",
        ),
        ("/mail", StatusCode::BAD_GATEWAY, "cannot read the outbox"),
        ("/shop", StatusCode::OK, "--database-url"),
        ("/audit", StatusCode::OK, "no data directory"),
        (
            "/runs/unknown",
            StatusCode::NOT_FOUND,
            "the audit has its results",
        ),
    ] {
        let page = get(&console, path).await;
        assert_eq!(page.status, status, "{path}: {}", page.text);
        assert!(page.text.contains(part), "{path}: {}", page.text);
    }
}

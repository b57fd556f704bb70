//! The console over a running installation, asked over HTTP: what its pages show, and what they never show.

use std::time::Duration;

use serde_json::Value;

use crate::harness::{Factory, Process, SKU, Up, eventually, restock};

pub(crate) const FORM: &str = "application/x-www-form-urlencoded";
const TOKEN: &str = "correct-horse-battery-staple";

/// Status and text of a page.
async fn page(up: &Up, path: &str) -> (u16, String) {
    let url = format!("{}{path}", up.console());
    let answer = up.http.get(url).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

/// A page that has to be there.
pub(crate) async fn shown(up: &Up, path: &str) -> String {
    let (status, text) = page(up, path).await;
    assert_eq!(status, 200, "{path}: {text}");
    text
}

pub(crate) fn assert_shows(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part} is missing in {text}");
    }
}

/// The console alone, over an endpoint.
async fn alone(folder: &std::path::Path, endpoint: &str, flags: &[&str]) -> (Process, String) {
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let listen = format!("127.0.0.1:{port}");
    let mut args = vec![
        "console",
        "--endpoint-url",
        endpoint,
        "--console",
        listen.as_str(),
    ];
    args.extend(flags);
    let process = restock(&args, &folder.join("console.log"));
    let url = format!("http://{listen}");
    eventually("the console", async || {
        reqwest::get(format!("{url}/login")).await.ok()
    })
    .await;
    (process, url)
}

#[tokio::test]
async fn a_reorder_is_listed_found_and_explained() {
    let up = Up::start().await;
    assert_shows(&shown(&up, "/executions").await, &["No execution yet"]);
    up.buy(100_000).await;
    let ended = up.ended_reorder().await;
    let name = &ended.name;

    let list = eventually("the reorder in the list", async || {
        let text = shown(&up, "/executions").await;
        (text.contains(name.as_str()) && text.contains("succeeded</span>") && text.contains(SKU))
            .then_some(text)
    })
    .await;
    assert_shows(&list, &["By status", "Search"]);
    for (query, is_found) in [
        (format!("q={}", SKU.to_lowercase()), true),
        (format!("q={}", &name[..8]), true),
        ("q=nothing-like-that".to_owned(), false),
        ("status=FAILED".to_owned(), false),
        ("status=SUCCEEDED&machine=reorder&since=1h".to_owned(), true),
        ("machine=vip".to_owned(), false),
        ("until=2020-01-01T00:00:00Z".to_owned(), false),
    ] {
        let text = shown(&up, &format!("/executions?{query}")).await;
        assert_eq!(text.contains(name.as_str()), is_found, "{query}");
        assert_eq!(text.contains("No execution matches"), !is_found, "{query}");
    }
    let (status, text) = page(&up, "/executions?since=yesterday").await;
    assert_eq!(status, 400);
    assert_shows(&text, &["such as 2h"]);

    let one = shown(&up, &format!("/executions/{}", ended.execution_arn)).await;
    assert_shows(
        &one,
        &[
            "IncreaseStock: succeeded",
            "AlertReorder: not reached",
            "λ check_stock",
            "Events",
            "StartAt",
        ],
    );
    let by_name = shown(&up, &format!("/executions/{name}")).await;
    assert_shows(&by_name, &["IncreaseStock: succeeded"]);
    let of_state = shown(
        &up,
        &format!(
            "/executions/{}?state=CheckStock&visit=1",
            ended.execution_arn
        ),
    )
    .await;
    assert_shows(
        &of_state,
        &[
            "function=check_stock",
            "log lines",
            "Compare input with output",
        ],
    );
    let link = of_state.split("href=\"/logs").nth(1).unwrap();
    let link = link.split('"').next().unwrap().replace("&amp;", "&");
    let (status, _) = page(&up, &format!("/logs{link}")).await;
    assert_eq!(status, 200);

    assert_shows(&shown(&up, "/").await, &["Nothing is parked", name]);
    assert_shows(&shown(&up, "/workflows").await, &["reorder", "0.0 %"]);
    assert_shows(
        &shown(&up, "/workflows/reorder").await,
        &["Contract of", "Warehouse.Unavailable", name],
    );
    let (status, text) = page(&up, "/executions/nothing-like-that").await;
    assert_eq!(status, 404);
    assert_shows(&text, &["no state machine has an execution named"]);
}

#[tokio::test]
async fn a_parked_execution_is_told_from_a_running_one_at_once() {
    let factory = Factory::start(&["--fault", "reject", "--fault-count", "1"]).await;
    let up = Up::start_with(&["--factory-url", &factory.url]).await;
    up.buy(2_000).await;
    up.parked("request_factory_dlq").await;
    // The first page of a console that has read nothing yet may come before the history was read.
    let parked = eventually("the parked execution in the list", async || {
        let text = shown(&up, "/executions?status=PARKED").await;
        text.contains("RequestFactory: Factory.Rejected")
            .then_some(text)
    })
    .await;
    assert_shows(
        &parked,
        &["parked <b>1</b>", "running <b>0</b>", "Replay the 1 shown"],
    );
    let running = shown(&up, "/executions?status=RUNNING").await;
    assert_shows(&running, &["No execution matches"]);
    let found = shown(&up, "/executions?q=factory.rejected").await;
    assert_shows(&found, &["RequestFactory: Factory.Rejected"]);
    assert_shows(
        &shown(&up, "/workflows").await,
        &["status=PARKED&amp;machine=reorder"],
    );
    let arn = up.executions().await.remove(0).execution_arn;
    let page = shown(&up, &format!("/executions/{arn}")).await;
    assert_shows(&page, &["(parked) · restock"]);
    // From the list to the page that replays what is parked in it.
    let replay = shown(&up, &format!("/act/replay?execution={arn}")).await;
    assert_shows(&replay, &["It failed after"]);

    let sfn = up.sfn().await;
    sfn.stop_execution()
        .execution_arn(&arn)
        .send()
        .await
        .unwrap();
    eventually("the end of it in the list", async || {
        let text = shown(&up, "/executions").await;
        (text.contains("parked <b>0</b>") && text.contains("aborted <b>1</b>")).then_some(())
    })
    .await;
}

#[tokio::test]
async fn whatever_an_address_says_gets_a_page() {
    let up = Up::start().await;
    let machine = "arn:aws:states:us-east-1:000000000000:stateMachine:reorder";
    for (path, expected) in [
        ("/executions/arn:bad", 404),
        (&format!("/executions/{machine}"), 404),
        (
            "/executions/arn:aws:states:us-east-1:000000000000:execution:reorder:x",
            404,
        ),
        ("/executions/%F0%9F", 400),
        ("/executions?page=-1", 200),
        ("/executions?q=%00%FF", 200),
        ("/executions?q=a&q=b", 400),
        ("/executions?status=BROKEN", 400),
        ("/workflows/%3Cb%3E", 404),
        ("/queues/no-such", 404),
        ("/shop/no-such", 404),
        ("/runs/no-such", 404),
        ("/act/fork?execution=no-such", 404),
        ("/act/replay?parked=x", 400),
        ("/act/start?machine=no-such", 404),
        ("/no/such/page", 404),
    ] {
        let (status, text) = page(&up, path).await;
        assert_eq!(status, expected, "{path}: {text}");
        assert_shows(&text, &["<!DOCTYPE html>", "<h1>", "/executions"]);
        assert!(!text.contains("<b>&") && !text.contains("<b><"), "{path}");
    }
}

/// Every text in a value that is as long as a task's token.
fn long_texts(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => match serde_json::from_str::<Value>(text) {
            Ok(inner) if !inner.is_number() => long_texts(&inner, found),
            _ if text.len() > 100 && !text.contains(' ') => found.push(text.clone()),
            _ => {}
        },
        Value::Array(items) => items.iter().for_each(|item| long_texts(item, found)),
        Value::Object(members) => members.values().for_each(|item| long_texts(item, found)),
        _ => {}
    }
}

#[tokio::test]
async fn tokens_signatures_and_keys_are_never_shown() {
    // It stays in AwaitCallback: its token is alive.
    let up = Up::start_with(&["--factory-delay-ms", "600000"]).await;
    up.buy(100_000).await;
    let arn = eventually("a callback that is awaited", async || {
        let arn = up.executions().await.first()?.execution_arn.clone();
        let events = up.history(&arn).await;
        let states: Vec<_> = events
            .iter()
            .filter_map(|e| e.state_entered_event_details.as_ref())
            .map(|d| d.name.clone())
            .collect();
        (states.contains(&"AwaitCallback".to_owned())
            && events.last()?.r#type.as_str().starts_with("Task"))
        .then_some(arn)
    })
    .await;
    let mut secrets = vec![
        std::fs::read_to_string(up.data_dir().join("callback.key"))
            .unwrap()
            .trim()
            .to_owned(),
    ];
    for event in up.history(&arn).await {
        let details = event.task_scheduled_event_details.as_ref();
        if let Some(details) = details.filter(|d| d.resource.contains("waitForTaskToken")) {
            long_texts(
                &serde_json::from_str(&details.parameters).unwrap(),
                &mut secrets,
            );
        }
    }
    assert!(secrets.len() > 1, "the history has no token to look for");

    let mut texts = Vec::new();
    for state in ["", "AwaitCallback", "RequestFactory", "EmailAdsStop"] {
        texts.push(shown(&up, &format!("/executions/{arn}?state={state}")).await);
        texts.push(shown(&up, &format!("/executions/{arn}?of={state}&events=1")).await);
    }
    for path in [
        "/",
        "/executions",
        "/callbacks",
        "/queues",
        "/workflows/reorder",
    ] {
        texts.push(shown(&up, path).await);
    }
    assert_shows(&texts[2], &["[hidden]"]);
    for text in texts {
        for secret in &secrets {
            assert!(!text.contains(secret), "{secret} is shown in {text}");
        }
        assert!(
            !text.contains("sig=") || text.contains("sig=[hidden]"),
            "{text}"
        );
        // The policy forbids scripts and styles inside a page.
        assert!(
            !text.contains("<script>") && !text.contains(" style="),
            "{text}"
        );
    }
}

#[tokio::test]
async fn other_sites_and_strangers_are_kept_out() {
    let up = Up::start().await;
    let get = |host: &str| {
        up.http
            .get(format!("{}/executions", up.console()))
            .header("host", host.to_owned())
            .send()
    };
    // A name that somebody's DNS points at this machine.
    assert_eq!(get("console.example:4500").await.unwrap().status(), 403);
    let answer = get("localhost:4500").await.unwrap();
    assert_eq!(answer.status(), 200);
    let policy = answer.headers()["content-security-policy"]
        .to_str()
        .unwrap();
    assert_shows(policy, &["default-src 'none'", "frame-ancestors 'none'"]);
    assert!(!policy.contains("unsafe"));
    for (name, value, expected) in [
        ("origin", "http://elsewhere.example", 403),
        ("sec-fetch-site", "cross-site", 403),
        ("x-nothing", "", 403),
    ] {
        let answer = up
            .http
            .post(format!("{}/act/stop", up.console()))
            .header(name, value)
            .header("content-type", FORM)
            .body("execution=arn:x")
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), expected, "{name}: {value}");
    }
}

#[tokio::test]
async fn whoever_comes_from_elsewhere_logs_in() {
    let folder = tempfile::tempdir().unwrap();
    let open = std::process::Command::new(env!("CARGO_BIN_EXE_restock"))
        .args(["console", "--console", "0.0.0.0:0"])
        .env_remove("RESTOCK_CONSOLE_TOKEN")
        .output()
        .unwrap();
    assert!(!open.status.success());
    assert_shows(&String::from_utf8_lossy(&open.stderr), &["--console-token"]);

    let up = Up::start().await;
    let (_console, url) = alone(folder.path(), up.aws(), &["--console-token", TOKEN]).await;
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let asked = client
        .get(format!("{url}/executions?q=1"))
        .send()
        .await
        .unwrap();
    assert_eq!(asked.status(), 303);
    assert_eq!(
        asked.headers()["location"],
        "/login?next=%2Fexecutions%3Fq%3D1"
    );
    let login = async |token: &str| {
        client
            .post(format!("{url}/login"))
            .header("origin", &url)
            .header("content-type", FORM)
            .body(format!("token={token}&next=/executions"))
            .send()
            .await
            .unwrap()
    };
    assert_eq!(login("wrong").await.status(), 401);
    let entered = login(TOKEN).await;
    assert_eq!(entered.status(), 303);
    let cookie = entered.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert_shows(&cookie, &["HttpOnly", "SameSite=Strict"]);
    assert!(!cookie.contains(TOKEN));
    let session = cookie.split(';').next().unwrap();
    let inside = client
        .get(format!("{url}/executions"))
        .header("cookie", session)
        .send()
        .await
        .unwrap();
    assert_eq!(inside.status(), 200);
    for _ in 0..5 {
        login("wrong").await;
    }
    let slowed = login(TOKEN).await;
    assert_eq!(
        slowed.status(),
        429,
        "guessing is slowed down, whatever is guessed"
    );
    assert!(slowed.headers().contains_key("retry-after"));
}

#[tokio::test]
async fn an_endpoint_that_does_not_answer_is_said_to() {
    let folder = tempfile::tempdir().unwrap();
    let (_console, url) = alone(folder.path(), "http://127.0.0.1:1", &[]).await;
    let client = reqwest::Client::builder()
        .timeout(Duration::from_secs(60))
        .build()
        .unwrap();
    for path in [
        "/",
        "/executions",
        "/workflows",
        "/executions/arn:aws:states:r:0:execution:m:e",
    ] {
        let answer = client.get(format!("{url}{path}")).send().await.unwrap();
        assert_eq!(answer.status(), 502, "{path}");
        let text = answer.text().await.unwrap();
        assert_shows(&text, &["does not answer", "restock up"]);
    }
}

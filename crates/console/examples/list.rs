//! How long the list of very many executions takes on the server:
//! `cargo run --package console --example list -- http://127.0.0.1:4566 100000`
//!
//! The endpoint must be fresh. Starts so many executions of a machine of its own, opens a console over it in this process,
//! and asks for the list as a browser would. Prints one JSON object.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::Write;
use std::time::{Duration, Instant};

use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use console::{Console, Options, Place};
use futures::{StreamExt, stream};
use operate::Connection;
use serde_json::json;
use tokio::net::TcpListener;

const MACHINE: &str = r#"{"StartAt":"Done","States":{"Done":{"Type":"Succeed"}}}"#;
/// Starts under way at the same time.
const AT_ONCE: usize = 64;
const ASKED: usize = 40;
const PATHS: [&str; 4] = [
    "/executions",
    "/executions?status=RUNNING",
    "/executions?page=500",
    "/executions?q=many-99",
];

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let url = args.next().ok_or("usage: list ENDPOINT [COUNT]")?;
    let count: usize = args.next().map_or(Ok(100_000), |n| n.parse())?;
    let config = aws_config::defaults(BehaviorVersion::latest())
        .endpoint_url(&url)
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "list"))
        .load()
        .await;
    let connection = Connection::new(config, None);
    let began = Instant::now();
    start(&connection, count).await?;
    let started = began.elapsed();

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let console = Console::open(Options {
        listen: address,
        token: None,
        hosts: Vec::new(),
        connection,
        place: Place::Endpoint(url),
        shop: None,
        data_dir: None,
        contracts: BTreeMap::new(),
    })?;
    tokio::spawn(console.serve(listener));
    let base = format!("http://{address}");
    let first = timed(&base, PATHS[0]).await?;
    // The console reads older executions in the background while somebody looks.
    let began = Instant::now();
    let all = format!(" of {count}");
    while !body(&base, PATHS[0]).await?.replace(',', "").contains(&all) {
        if began.elapsed() > Duration::from_secs(600) {
            return Err("the console did not read all executions within ten minutes".into());
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let read = began.elapsed();
    // The first search lets it read their inputs, too; a search meanwhile finds what has been read.
    let began = Instant::now();
    let meanwhile = timed(&base, PATHS[3]).await?;
    while body(&base, PATHS[3]).await?.contains("have not been read") {
        if began.elapsed() > Duration::from_secs(1_200) {
            return Err("the console did not read all inputs within twenty minutes".into());
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let described = began.elapsed();
    let mut figures = serde_json::Map::new();
    for path in PATHS {
        let mut took = Vec::new();
        for _ in 0..ASKED {
            took.push(timed(&base, path).await?);
        }
        took.sort();
        figures.insert(
            path.to_owned(),
            json!({ "median_ms": ms(took[ASKED / 2]), "slowest_ms": ms(took[ASKED - 1]) }),
        );
    }
    let report = json!({
        "executions": count,
        "started_in_s": started.as_secs(),
        "first_page_ms": ms(first),
        "all_read_after_s": read.as_secs(),
        "inputs_read_after_s": described.as_secs(),
        "search_meanwhile_ms": ms(meanwhile),
        "pages": figures,
    });
    Ok(writeln!(std::io::stdout(), "{report:#}")?)
}

async fn start(at: &Connection, count: usize) -> Result<(), Box<dyn Error>> {
    let made = at
        .sfn
        .create_state_machine()
        .name("many")
        .role_arn("arn:aws:iam::000000000000:role/any")
        .definition(MACHINE)
        .send()
        .await?;
    let mut answers = stream::iter(0..count)
        .map(|n| {
            let request = at
                .sfn
                .start_execution()
                .state_machine_arn(&made.state_machine_arn)
                .name(format!("many-{n}"))
                .input(format!(r#"{{"product_id":"CP-{}"}}"#, n % 100));
            request.send()
        })
        .buffer_unordered(AT_ONCE);
    while let Some(answer) = answers.next().await {
        answer?;
    }
    Ok(())
}

async fn body(base: &str, path: &str) -> Result<String, reqwest::Error> {
    let answer = reqwest::get(format!("{base}{path}")).await?;
    answer.error_for_status()?.text().await
}

async fn timed(base: &str, path: &str) -> Result<Duration, reqwest::Error> {
    let began = Instant::now();
    body(base, path).await?;
    Ok(began.elapsed())
}

fn ms(took: Duration) -> f64 {
    (took.as_secs_f64() * 10_000.0).round() / 10.0
}

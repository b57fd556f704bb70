//! How long each function takes from the start of its process to its first answer, and how large its zip is.
//!
//! `cargo xtask package && cargo bench -p tasks --bench cold_start --profile dev [-- STARTS]` prints the table of
//! docs/lambda.md. It needs a MySQL or MariaDB server in `RESTOCK_TEST_MYSQL_URL` (without a database) and makes two
//! databases there, `cold_start_warehouse` and `cold_start_customers`.
//!
//! Measured is the packaged program as it is deployed, through the Runtime API of `restock up`. Each function is given an
//! event that it can answer alone: with the database where it uses one, with its HTTP client where it calls out. (The
//! measuring side needs no release build.)
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a measurement: a surprise ends it, and it prints its figures"
)]

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use aws_local::lambda::{FunctionConfig, Invoke, Lambda, LambdaOptions};
use engine::{Engine, Settings};
use serde_json::{Value, json};
use shop::{Customers, Warehouse};

/// Processes started per function, unless the command line says otherwise.
const STARTS: usize = 20;

/// A function, its first event, and what answering takes.
type First = (&'static str, Value, &'static str);

fn firsts() -> Vec<First> {
    let reorder = |more: Value| {
        let mut event = json!({"reorder_id": "RO-none", "product_id": "CP-502101"});
        if let (Some(event), Some(more)) = (event.as_object_mut(), more.as_object()) {
            event.extend(more.clone());
        }
        event
    };
    let http = json!({
        "version": "2.0", "routeKey": "$default", "rawPath": "/product/donut", "rawQueryString": "",
        "headers": {"host": "shop"}, "isBase64Encoded": false,
        "requestContext": {
            "accountId": "0", "apiId": "a", "domainName": "shop", "domainPrefix": "shop", "requestId": "r",
            "routeKey": "$default", "stage": "$default", "time": "01/Jan/2026:00:00:00 +0000", "timeEpoch": 0,
            "http": {"method": "GET", "path": "/product/donut", "protocol": "HTTP/1.1",
                     "sourceIp": "127.0.0.1", "userAgent": "bench"}
        }
    });
    let vip = json!({
        "order_id": "OR-1", "customer_id": "CU-none", "product_id": "CP-502101",
        "quantity": 100, "vip_quantity": 100
    });
    let customer = json!({"order_id": "OR-1", "customer_id": "CU-1", "name": "Kim", "vip_since": 1, "vip_order_id": "OR-1"});
    let token = json!({"attempt_id": "AT-none", "task_token": "t"});
    vec![
        ("sales_api", http, "GET /product/donut, warehouse"),
        ("start_reorder", json!({"Records": []}), "an empty batch"),
        ("check_stock", reorder(json!({})), "warehouse"),
        ("request_factory", reorder(json!({})), "warehouse"),
        ("await_callback", reorder(token), "warehouse"),
        (
            "factory_callback",
            json!({"sweep": true}),
            "a sweep, warehouse",
        ),
        (
            "increase_stock",
            reorder(json!({"attempt_id": "AT-none"})),
            "warehouse",
        ),
        ("email_ads", json!({"Records": []}), "an empty batch"),
        ("relay_outbox", json!({}), "an empty outbox, warehouse"),
        ("start_vip", json!({"Records": []}), "an empty batch"),
        ("upgrade_tier", vip, "customers database"),
        (
            "sync_marketing",
            customer,
            "HTTPS client; refused connection",
        ),
        ("migrate", json!({}), "both databases, nothing to do"),
    ]
}

#[tokio::main]
async fn main() {
    let starts = std::env::args()
        .find_map(|argument| argument.parse().ok())
        .unwrap_or(STARTS);
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or(root.join("target"), PathBuf::from);
    let arch = if cfg!(target_arch = "aarch64") {
        "arm64"
    } else {
        "x86_64"
    };
    let program = target.join(format!(
        "{}-unknown-linux-gnu/lambda/bootstrap",
        std::env::consts::ARCH
    ));
    let zips = target.join("lambda").join(arch);
    assert!(
        program.is_file(),
        "run `cargo xtask package` first: there is no {}",
        program.display()
    );

    let directory = tempfile::tempdir().unwrap();
    let environment = environment().await;
    println!(
        "| function | zip, bytes | first answer, median | slowest of {starts} | the first answer needs |"
    );
    println!("|---|---|---|---|---|");
    for (name, event, needs) in firsts() {
        let taken = cold(
            directory.path(),
            &program,
            name,
            &event,
            &environment,
            starts,
        )
        .await;
        let zip = std::fs::metadata(zips.join(format!("{name}.zip")))
            .unwrap()
            .len();
        println!(
            "| `{name}` | {zip} | {:.1} ms | {:.1} ms | {needs} |",
            milliseconds(taken[taken.len() / 2]),
            milliseconds(taken[taken.len() - 1])
        );
    }
}

/// Both databases as a deploy leaves them, and every variable a function may need.
async fn environment() -> BTreeMap<String, String> {
    let server = std::env::var("RESTOCK_TEST_MYSQL_URL")
        .expect("RESTOCK_TEST_MYSQL_URL must name a MySQL or MariaDB server");
    let url = |name: &str| format!("{}/cold_start_{name}", server.trim_end_matches('/'));
    let warehouse = Warehouse::open(&url("warehouse"), 1).unwrap();
    warehouse.migrate().await.unwrap();
    warehouse.seed().await.unwrap();
    warehouse.close().await;
    let customers = Customers::open(&url("customers"), 1).unwrap();
    customers.migrate().await.unwrap();
    customers.close().await;
    let nowhere = "http://127.0.0.1:9";
    [
        ("RESTOCK_DATABASE_URL", url("warehouse")),
        ("RESTOCK_CUSTOMERS_URL", url("customers")),
        ("RESTOCK_FACTORY_URL", nowhere.to_owned()),
        ("RESTOCK_CALLBACK_URL", nowhere.to_owned()),
        ("RESTOCK_MARKETING_URL", nowhere.to_owned()),
        ("RESTOCK_CALLBACK_KEY", "ab".repeat(32)),
        (
            "RESTOCK_STOCK_EMPTY_TOPIC_ARN",
            "arn:aws:sns:us-east-1:0:t".to_owned(),
        ),
        (
            "RESTOCK_ORDER_PLACED_TOPIC_ARN",
            "arn:aws:sns:us-east-1:0:t".to_owned(),
        ),
        (
            "RESTOCK_OPS_ALERTS_TOPIC_ARN",
            "arn:aws:sns:us-east-1:0:t".to_owned(),
        ),
        (
            "RESTOCK_REORDER_STATE_MACHINE_ARN",
            "arn:aws:states:us-east-1:0:stateMachine:r".to_owned(),
        ),
        (
            "RESTOCK_VIP_STATE_MACHINE_ARN",
            "arn:aws:states:us-east-1:0:stateMachine:v".to_owned(),
        ),
        ("RESTOCK_VIP_MODE", "order".to_owned()),
        ("RESTOCK_VIP_THRESHOLD", "100".to_owned()),
        ("RESTOCK_MAIL_FROM", "shop@example.com".to_owned()),
        ("RESTOCK_TASK_STDIN", "watch".to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

/// From invocation to answer with no process there, sorted.
async fn cold(
    directory: &Path,
    program: &Path,
    name: &str,
    event: &Value,
    environment: &BTreeMap<String, String>,
    starts: usize,
) -> Vec<Duration> {
    let engine = Engine::open(&directory.join(name), Settings::default()).unwrap();
    let lambda = Lambda::open(&engine, LambdaOptions::default())
        .await
        .unwrap();
    let mut taken = Vec::new();
    for start in 0..starts {
        // A function of its own each time, so that none is warm.
        let function = format!("{name}-{start}");
        // The Runtime API of `restock up` names every handler `bootstrap`; `env` puts the task's name there.
        let command = [
            "env",
            &format!("_HANDLER={name}"),
            &program.display().to_string(),
        ];
        let mut config = FunctionConfig::new(&function, command.map(str::to_owned).to_vec());
        config.environment = environment.clone();
        lambda.register(config).unwrap();
        let begun = Instant::now();
        let answer = lambda
            .invoke(&function, Invoke::new(event.to_string()))
            .await
            .unwrap();
        taken.push(begun.elapsed());
        if let Err(error) = answer.result {
            let error: Value = serde_json::from_slice(&error.payload).unwrap();
            // A task that looks for something unknown says so; anything else is no answer of the task.
            let kind = error["errorType"].as_str().unwrap_or_default();
            let task = kind.ends_with(".NotFound") || kind == "Marketing.Unavailable";
            assert!(task, "{name}: {error}");
        }
    }
    lambda.shutdown().await;
    engine.shutdown().await;
    taken.sort_unstable();
    taken
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

//! The other sides of the tests: a function, and a program that is killed while its function works. Both are this test program,
//! started with the name of one test and a variable that makes that test do more than return.

use std::{
    io::{Read, Write},
    net::TcpStream,
    process::Command,
    time::Duration,
};

use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use serde_json::{Value, json};

use super::local::Local;

/// The command of a function whose process is this program.
pub(crate) fn function_command() -> Vec<String> {
    command("fixture::function_process")
}

fn command(test: &str) -> Vec<String> {
    let program = std::env::current_exe().unwrap().display().to_string();
    [&program, "--exact", test, "--nocapture", "--quiet"]
        .map(str::to_owned)
        .to_vec()
}

/// A program that invokes a function which says hello at `port` and stays, and stays itself.
pub(crate) fn parent(port: u16) -> Command {
    let arguments = command("fixture::parent_process");
    let mut command = Command::new(&arguments[0]);
    command
        .args(&arguments[1..])
        .env("TEST_PARENT", port.to_string());
    command
}

#[test]
fn function_process() {
    let Ok(start) = std::env::var("TEST_FUNCTION") else {
        return;
    };
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    match start.as_str() {
        "exit" => std::process::exit(3),
        "exit-cleanly" => return,
        "stall" => std::thread::sleep(Duration::from_secs(600)),
        "slow" => std::thread::sleep(Duration::from_millis(300)),
        "init-error" => init_error(),
        _ => println!("starting"),
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime
        .block_on(lambda_runtime::run(service_fn(handler)))
        .unwrap();
}

/// What a runtime does that cannot load its handler.
fn init_error() -> ! {
    let api = std::env::var("AWS_LAMBDA_RUNTIME_API").unwrap();
    let body = r#"{"errorType":"Config.Missing","errorMessage":"no TABLE"}"#;
    let mut connection = TcpStream::connect(&api).unwrap();
    write!(
        connection,
        "POST /2018-06-01/runtime/init/error HTTP/1.1\r\nHost: {api}\r\nConnection: close\r\n\
         Lambda-Runtime-Function-Error-Type: Config.Missing\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    connection.read_to_end(&mut Vec::new()).unwrap();
    std::process::exit(1);
}

struct Failure(&'static str);

impl std::fmt::Debug for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

impl From<Failure> for Diagnostic {
    fn from(failure: Failure) -> Diagnostic {
        Diagnostic {
            error_type: failure.0.to_owned(),
            error_message: "as asked".to_owned(),
        }
    }
}

async fn handler(event: LambdaEvent<Value>) -> Result<Value, Failure> {
    let LambdaEvent { payload, context } = event;
    if let Some(records) = payload.get("Records") {
        return batch(records);
    }
    match payload.get("do").and_then(Value::as_str) {
        Some("fail") => Err(Failure("Test.Failed")),
        Some("panic") => panic!("as asked"),
        Some("exit") => std::process::exit(7),
        Some("abort") => std::process::abort(),
        Some("sleep") => {
            tokio::time::sleep(Duration::from_secs(600)).await;
            Ok(Value::Null)
        }
        Some("big") => Ok(Value::String(
            "x".repeat(payload["size"].as_u64().unwrap() as usize),
        )),
        Some("write") => {
            for line in payload["lines"].as_array().unwrap() {
                println!("{}", line.as_str().unwrap());
                eprintln!("and {}", line.as_str().unwrap());
            }
            Ok(Value::Null)
        }
        Some("meet") => Ok(meet(
            payload["port"].as_u64().unwrap() as u16,
            &context.request_id,
        )),
        Some("environment") => Ok(std::env::vars()
            .map(|(name, value)| (name, Value::String(value)))
            .collect()),
        Some("context") => Ok(json!({
            "request_id": context.request_id,
            "deadline": context.deadline,
            "arn": context.invoked_function_arn,
            "trace": context.xray_trace_id,
            "client": context.client_context.map(|client| client.custom),
        })),
        _ => Ok(payload),
    }
}

/// Says who it is at a port of the test and goes on when told.
fn meet(port: u16, who: &str) -> Value {
    let mut connection = TcpStream::connect(("127.0.0.1", port)).unwrap();
    writeln!(connection, "{who}").unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    Value::String(answer)
}

/// A batch of messages: each body says what shall become of it.
fn batch(records: &Value) -> Result<Value, Failure> {
    let mut failures = Vec::new();
    for record in records.as_array().unwrap() {
        let body: Value = serde_json::from_str(record["body"].as_str().unwrap()).unwrap();
        if let Some(port) = body.get("port").and_then(Value::as_u64) {
            meet(
                port as u16,
                record["attributes"]["ApproximateReceiveCount"]
                    .as_str()
                    .unwrap(),
            );
        }
        match body["do"].as_str() {
            Some("fail item") => failures.push(json!({ "itemIdentifier": record["messageId"] })),
            Some("fail batch") => return Err(Failure("Test.Failed")),
            Some("answer rubbish") => return Ok(json!("rubbish")),
            _ => {}
        }
    }
    Ok(json!({ "batchItemFailures": failures }))
}

#[test]
fn parent_process() {
    let Ok(port) = std::env::var("TEST_PARENT") else {
        return;
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let local = Local::open().await;
        local.function("f", |_| {});
        let _ = local
            .invoke(
                "f",
                json!({ "do": "meet", "port": port.parse::<u16>().unwrap() }),
            )
            .await;
    });
}

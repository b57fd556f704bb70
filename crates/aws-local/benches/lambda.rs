//! How many invocations a second the Runtime API carries with warm processes, and what one costs beside the function itself.
//!
//! `cargo bench -p aws-local --bench lambda [-- SECONDS]`. The function is this program, started again; it echoes. Beside
//! each figure stands its yardstick: a bare request over one kept connection to an empty server, the least that two round
//! trips between processes can cost.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement: a surprise ends it, and it prints its figures"
)]

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use aws_local::lambda::{FunctionConfig, Invoke, Lambda, LambdaOptions};
use engine::{Engine, Settings};
use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::Value;

/// The argument that makes this program the function.
const FUNCTION: &str = "--function";
/// Processes at once in the throughput runs.
const PROCESSES: [usize; 3] = [1, 2, 4];

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if arguments.iter().any(|argument| argument == FUNCTION) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime
            .block_on(lambda_runtime::run(service_fn(echo)))
            .unwrap();
        return;
    }
    let seconds = arguments
        .iter()
        .find_map(|argument| argument.parse().ok())
        .unwrap_or(3);
    tokio::runtime::Runtime::new()
        .unwrap()
        .block_on(measure(Duration::from_secs(seconds)));
}

async fn echo(event: LambdaEvent<Value>) -> Result<Value, lambda_runtime::Error> {
    Ok(event.payload)
}

async fn measure(time: Duration) {
    let directory = tempfile::tempdir().unwrap();
    let engine = Engine::open(directory.path(), Settings::default()).unwrap();
    let lambda = Lambda::open(&engine, LambdaOptions::default())
        .await
        .unwrap();
    let yardstick = round_trip();
    println!("yardstick: round trip over one connection     {yardstick:>10.1?}");

    let program = std::env::current_exe().unwrap().display().to_string();
    for processes in PROCESSES {
        let name = format!("echo-{processes}");
        let mut config = FunctionConfig::new(&name, vec![program.clone(), FUNCTION.to_owned()]);
        config.max_concurrency = processes;
        lambda.register(config).unwrap();
    }
    let name = format!("echo-{}", PROCESSES[0]);
    call(&lambda, &name).await;
    let median = latency(&lambda, &name, time).await;
    println!(
        "one after the other, median                   {median:>10.1?}  ({:.1} yardsticks)",
        ratio(median, yardstick)
    );
    for processes in PROCESSES {
        let name = format!("echo-{processes}");
        for callers in [processes, 16 * processes] {
            let rate = throughput(&lambda, &name, callers, time).await;
            println!(
                "{processes} processes, {callers:>3} callers: invocations a second {rate:>10.0}"
            );
        }
    }
    lambda.shutdown().await;
    engine.shutdown().await;
}

async fn call(lambda: &Lambda, name: &str) {
    let answer = lambda
        .invoke(name, Invoke::new(r#"{"order_id":"0","count":1}"#))
        .await
        .unwrap();
    assert!(answer.result.is_ok());
}

async fn latency(lambda: &Lambda, name: &str, time: Duration) -> Duration {
    let end = Instant::now() + time;
    let mut taken = Vec::new();
    while Instant::now() < end {
        let start = Instant::now();
        call(lambda, name).await;
        taken.push(start.elapsed());
    }
    taken.sort();
    taken[taken.len() / 2]
}

async fn throughput(lambda: &Lambda, name: &str, callers: usize, time: Duration) -> f64 {
    // The processes start before the clock does.
    futures::future::join_all((0..callers).map(|_| call(lambda, name))).await;
    let (done, stop) = (
        Arc::new(AtomicUsize::new(0)),
        Arc::new(AtomicBool::new(false)),
    );
    let start = Instant::now();
    let callers: Vec<_> = (0..callers)
        .map(|_| {
            let (lambda, name, done, stop) =
                (lambda.clone(), name.to_owned(), done.clone(), stop.clone());
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    call(&lambda, &name).await;
                    done.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    tokio::time::sleep(time).await;
    let rate = done.load(Ordering::Relaxed) as f64 / start.elapsed().as_secs_f64();
    stop.store(true, Ordering::Relaxed);
    for caller in callers {
        caller.await.unwrap();
    }
    rate
}

/// The mean of a byte there and a byte back between two threads.
fn round_trip() -> Duration {
    const TRIPS: u32 = 20_000;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (mut far, _) = listener.accept().unwrap();
    near.set_nodelay(true).unwrap();
    far.set_nodelay(true).unwrap();
    let echo = std::thread::spawn(move || {
        let mut byte = [0];
        while far.read_exact(&mut byte).is_ok() && far.write_all(&byte).is_ok() {}
    });
    let start = Instant::now();
    let mut byte = [0];
    for _ in 0..TRIPS {
        near.write_all(&byte).unwrap();
        near.read_exact(&mut byte).unwrap();
    }
    let taken = start.elapsed() / TRIPS;
    drop(near);
    echo.join().unwrap();
    taken
}

fn ratio(taken: Duration, yardstick: Duration) -> f64 {
    taken.as_secs_f64() / yardstick.as_secs_f64()
}

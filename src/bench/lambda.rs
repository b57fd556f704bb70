//! Invocations of a warm function through the Runtime API, and what one costs beside the function itself.
//!
//! The function is this program, started again as `restock bench-echo`. The yardstick is a byte there and a byte back between
//! two threads: the least that a turn between processes can cost.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use ::engine::{Engine, Settings};
use aws_local::lambda::{FunctionConfig, Invoke, Lambda, LambdaOptions};
use futures::future::try_join_all;
use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::Value;

use super::{BenchError, Figure, Plan, in_step};

/// Processes of the function at the same time; as many as there are cores is best, on this machine and others.
const PROCESSES: usize = 2;
const CALLERS: usize = 32;
const NAME: &str = "echo";

/// The function's process.
pub(crate) fn echo() -> Result<ExitCode, lambda_runtime::Error> {
    let answer =
        |event: LambdaEvent<Value>| async { Ok::<_, lambda_runtime::Error>(event.payload) };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(lambda_runtime::run(service_fn(answer)))?;
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn measure(plan: Plan) -> Result<Vec<Figure>, BenchError> {
    let trip = tokio::task::spawn_blocking(round_trip)
        .await
        .map_err(in_step("yardstick"))??;
    let folder = tempfile::tempdir()?;
    let engine =
        Engine::open(folder.path(), Settings::default()).map_err(in_step("opening the engine"))?;
    let lambda = Lambda::open(&engine, LambdaOptions::default()).await;
    let lambda = lambda.map_err(in_step("opening the Lambda service"))?;
    let program = std::env::current_exe()?.display().to_string();
    let mut config = FunctionConfig::new(NAME, vec![program, "bench-echo".to_owned()]);
    config.max_concurrency = PROCESSES;
    lambda
        .register(config)
        .map_err(in_step("registering a function"))?;
    // The processes start before the clock does.
    try_join_all((0..CALLERS).map(|_| call(&lambda))).await?;

    let (mut took, end) = (Vec::new(), Instant::now() + plan.time);
    while Instant::now() < end {
        let begin = Instant::now();
        call(&lambda).await?;
        took.push(begin.elapsed());
    }
    took.sort_unstable();
    let median = took.get(took.len() / 2).copied().unwrap_or_default();

    let begin = Instant::now();
    let callers = (0..CALLERS).map(|_| {
        let lambda = lambda.clone();
        tokio::spawn(async move {
            let mut count = 0_u64;
            while begin.elapsed() < plan.time {
                call(&lambda).await?;
                count += 1;
            }
            Ok::<_, BenchError>(count)
        })
    });
    let mut count = 0;
    for calls in try_join_all(callers).await.map_err(in_step("invoking"))? {
        count += calls?;
    }
    let rate = count as f64 / begin.elapsed().as_secs_f64();
    lambda.shutdown().await;
    engine.shutdown().await;
    let trips = 1.0 / trip.as_secs_f64();
    Ok(vec![
        Figure::new("Lambda: warm invocations, 2 processes", rate, "/s")
            .at_least(5_000.0)
            .beside("round trips of a byte", trips),
        Figure::millis("Lambda: added per invocation, p50", median)
            .at_most(0.5)
            .beside("a round trip of a byte", trip.as_secs_f64() * 1e3),
    ])
}

async fn call(lambda: &Lambda) -> Result<(), BenchError> {
    const PAYLOAD: &str = r#"{"order_id":"0","count":1}"#;
    let answer = lambda
        .invoke(NAME, Invoke::new(PAYLOAD))
        .await
        .map_err(in_step("invoking"))?;
    match answer.result {
        Ok(_) => Ok(()),
        Err(_) => Err(BenchError::Wrong("the echo function failed".to_owned())),
    }
}

/// The mean time of a byte there and a byte back between two threads.
fn round_trip() -> std::io::Result<Duration> {
    const TRIPS: u32 = 20_000;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let mut near = TcpStream::connect(listener.local_addr()?)?;
    let (mut far, _) = listener.accept()?;
    near.set_nodelay(true)?;
    far.set_nodelay(true)?;
    let echo = std::thread::spawn(move || {
        let mut byte = [0];
        while far.read_exact(&mut byte).is_ok() && far.write_all(&byte).is_ok() {}
    });
    let begin = Instant::now();
    let mut byte = [0];
    for _ in 0..TRIPS {
        near.write_all(&byte)?;
        near.read_exact(&mut byte)?;
    }
    let took = begin.elapsed() / TRIPS;
    drop(near);
    // It ends with the connection.
    let _ = echo.join();
    Ok(took)
}

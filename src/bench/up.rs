//! A whole `restock up`: how soon it is ready, and what it uses while nothing happens and after much has.

use std::time::{Duration, Instant};

use serde_json::json;

use super::load::load;
use super::start::{Start, clients, machine};
use super::{BenchError, Figure, Plan, engine, memory};
use crate::demo::Child;

/// How long it is left alone before it is looked at.
const IDLE: Duration = Duration::from_secs(3);
const FINISHED: u64 = 50_000;

pub(super) async fn measure(_plan: Plan) -> Result<Vec<Figure>, BenchError> {
    let folder = tempfile::tempdir()?;
    let begin = Instant::now();
    let child = Child::start(folder.path(), None, None).await?;
    let fresh = begin.elapsed();
    child.stop().await?;
    let begin = Instant::now();
    let child = Child::start(folder.path(), None, None).await?;
    let ready = begin.elapsed();
    let before = memory::processor_seconds(child.pid())?;
    tokio::time::sleep(IDLE).await;
    let busy = (memory::processor_seconds(child.pid())? - before) / IDLE.as_secs_f64();
    let idle = memory::resident_with_children(child.pid())?;

    let arn = machine(child.aws(), "bench_pass", &engine::passes(12)).await?;
    let start = Start(json!({"stateMachineArn": arn, "input": "{}"}).to_string());
    let mut done = 0;
    while done < FINISHED {
        done += load(child.aws(), Duration::from_secs(1), clients(&start, 16))
            .await?
            .count;
    }
    let after = memory::resident_with_children(child.pid())?;
    child.stop().await?;
    Ok(vec![
        Figure::millis("up: ready, first start", fresh).at_most(1_000.0),
        Figure::millis("up: ready, later starts", ready).at_most(1_000.0),
        Figure::new("up: memory when idle", idle, "MiB").at_most(60.0),
        Figure::new("up: processor when idle", busy * 100.0, "% of a core"),
        Figure::new(format!("up: memory after {done} executions"), after, "MiB").at_most(150.0),
    ])
}

//! A hundred thousand executions that wait for tomorrow: what they cost while they do.

use std::time::{Duration, Instant};

use serde_json::json;

use super::load::{Client, Connection, LoadError, load};
use super::start::{START, Start, clients, machine};
use super::{BenchError, Figure, Plan, engine, memory};
use crate::demo::Child;

const WAITING: u64 = 100_000;
const CONNECTIONS: u64 = 32;

pub(super) async fn measure(plan: Plan) -> Result<Vec<Figure>, BenchError> {
    let folder = tempfile::tempdir()?;
    let child = Child::start(folder.path(), None, None).await?;
    let pass = machine(child.aws(), "bench_pass", &engine::passes(12)).await?;
    let pass = Start(json!({"stateMachineArn": pass, "input": "{}"}).to_string());
    let among_none = load(child.aws(), plan.time, clients(&pass, 16)).await?;

    let wait =
        json!({"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 86_400, "End": true}}});
    let wait = machine(child.aws(), "bench_wait", &wait).await?;
    let wait = json!({"stateMachineArn": wait, "input": "{}"}).to_string();
    let starters = (0..CONNECTIONS).map(|_| Bounded {
        left: WAITING / CONNECTIONS,
        start: wait.clone(),
    });
    load(child.aws(), Duration::from_secs(600), starters.collect()).await?;
    let among_many = load(child.aws(), plan.time, clients(&pass, 16)).await?;
    let grown = memory::resident_with_children(child.pid())?;
    child.stop().await?;

    let begin = Instant::now();
    let child = Child::start(folder.path(), None, None).await?;
    let ready = begin.elapsed();
    let memory = memory::resident_with_children(child.pid())?;
    child.stop().await?;
    Ok(vec![
        Figure::new("100,000 waiting: memory of all of up", grown, "MiB").at_most(512.0),
        Figure::new("100,000 waiting: memory after a restart", memory, "MiB").at_most(512.0),
        Figure::millis("100,000 waiting: ready after SIGKILL", ready).at_most(3_000.0),
        Figure::new(
            "100,000 waiting: StartExecution of 12 states",
            among_many.rate(),
            "/s",
        )
        .beside("the same among none", among_none.rate()),
    ])
}

/// Starts so many; then it has nothing more to do.
struct Bounded {
    left: u64,
    start: String,
}

impl Client for Bounded {
    async fn turn(&mut self, connection: &mut Connection) -> Result<u64, LoadError> {
        connection.aws(START, self.start.clone()).await?;
        self.left -= 1;
        Ok(1)
    }

    fn is_done(&self) -> bool {
        self.left == 0
    }
}

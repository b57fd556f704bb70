//! StartExecution over HTTP: a whole `restock up`, and clients that keep their connections.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::load::{Client, Connection, LoadError, load};
use super::{BenchError, Figure, Plan, engine, in_step, yardstick};
use crate::demo::Child;
use crate::endpoint;

const CONNECTIONS: usize = 16;
const ROLE: &str = "arn:aws:iam::000000000000:role/bench";

pub(super) async fn measure(plan: Plan) -> Result<Vec<Figure>, BenchError> {
    let folder = tempfile::tempdir()?;
    let child = Child::start(folder.path(), None, None).await?;
    let machine = machine(child.aws(), "bench_pass", &engine::passes(12)).await?;
    let body = json!({"stateMachineArn": machine, "input": r#"{"order":"o-1","items":[1,2,3]}"#});
    let start = Start(body.to_string());

    let mut first = Connection::open(child.aws()).await?;
    let answer = first.aws(START, start.0.clone()).await?;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (url, server) = yardstick::empty_handler(answer).await?;
    let empty = load(&url, plan.time, clients(&start, CONNECTIONS)).await?;
    server.abort();

    let whole = start_to_end(&mut first, &start.0, plan.time / 3).await?;
    let outcome = load(child.aws(), plan.time, clients(&start, CONNECTIONS)).await?;
    // Those that still run when the last was acknowledged count against the pace.
    let begin = Instant::now();
    while running(&mut first, &machine).await? {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let finished = outcome.count as f64 / (outcome.elapsed + begin.elapsed()).as_secs_f64();
    child.stop().await?;
    Ok(vec![
        Figure::new(
            "HTTP: executions of 12 states, started and finished, 16 connections",
            finished,
            "/s",
        )
        .at_least(6_400.0)
        .beside("an empty handler", empty.rate()),
        Figure::millis(
            "HTTP: StartExecution p50, 16 connections",
            outcome.permille(500),
        )
        .at_most(3.0)
        .beside(
            "an empty handler's",
            empty.permille(500).as_secs_f64() * 1e3,
        ),
        Figure::millis(
            "HTTP: StartExecution p99, 16 connections",
            outcome.permille(990),
        )
        .beside(
            "an empty handler's",
            empty.permille(990).as_secs_f64() * 1e3,
        ),
        Figure::millis(
            "HTTP: StartExecution p99.9, 16 connections",
            outcome.permille(999),
        ),
        Figure::millis("HTTP: 12 states from start to a described end, p50", whole).at_most(3.0),
    ])
}

pub(super) const START: &str = "AWSStepFunctions.StartExecution";

/// Starts executions of one machine.
#[derive(Clone)]
pub(super) struct Start(pub(super) String);

impl Client for Start {
    async fn turn(&mut self, connection: &mut Connection) -> Result<u64, LoadError> {
        connection.aws(START, self.0.clone()).await.map(|_| 1)
    }
}

pub(super) fn clients<C: Clone>(client: &C, count: usize) -> Vec<C> {
    vec![client.clone(); count]
}

/// A machine of the installation behind this URL.
pub(super) async fn machine(
    aws: &str,
    name: &str,
    definition: &Value,
) -> Result<String, BenchError> {
    let sfn = aws_sdk_sfn::Client::new(&endpoint::local(aws, "us-east-1").await);
    let create = sfn.create_state_machine().name(name).role_arn(ROLE);
    let created = create.definition(definition.to_string()).send().await;
    let created = created.map_err(aws_sdk_sfn::Error::from);
    Ok(created
        .map_err(in_step("CreateStateMachine"))?
        .state_machine_arn)
}

/// The median time from the request to start to the answer that it has succeeded.
async fn start_to_end(
    connection: &mut Connection,
    start: &str,
    time: Duration,
) -> Result<Duration, BenchError> {
    let mut took = Vec::new();
    let end = Instant::now() + time;
    while Instant::now() < end {
        let begin = Instant::now();
        let started = connection.aws(START, start.to_owned()).await?;
        let started: Value = serde_json::from_slice(&started).map_err(in_step("StartExecution"))?;
        let describe = json!({"executionArn": started["executionArn"]}).to_string();
        let described = connection
            .aws("AWSStepFunctions.DescribeExecution", describe)
            .await?;
        took.push(begin.elapsed());
        let described: Value =
            serde_json::from_slice(&described).map_err(in_step("DescribeExecution"))?;
        if described["status"] != "SUCCEEDED" {
            return Err(BenchError::Wrong(format!(
                "an execution of Pass states is {}",
                described["status"]
            )));
        }
    }
    took.sort_unstable();
    Ok(took.get(took.len() / 2).copied().unwrap_or_default())
}

async fn running(connection: &mut Connection, machine: &str) -> Result<bool, BenchError> {
    let ask = json!({"stateMachineArn": machine, "statusFilter": "RUNNING", "maxResults": 1});
    let listed = connection
        .aws("AWSStepFunctions.ListExecutions", ask.to_string())
        .await?;
    let listed: Value = serde_json::from_slice(&listed).map_err(in_step("ListExecutions"))?;
    Ok(listed["executions"]
        .as_array()
        .is_some_and(|it| !it.is_empty()))
}

//! The engine alone: state transitions a second, every record on the disk before its caller hears of it.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use asl::Data;
use engine::{
    Engine, MachineKind, NewMachine, Settings, StartRequest, TaskOutcome, TaskRun, TaskRunner,
};
use futures::FutureExt as _;
use futures::future::{BoxFuture, try_join_all};
use serde_json::{Map, Value, json};

use super::{BenchError, Figure, Plan, in_step, yardstick};

/// Bytes of a record and a row of an execution of twelve states.
const BYTES: usize = 3072;
const STATES: u64 = 12;

pub(super) async fn measure(plan: Plan) -> Result<Vec<Figure>, BenchError> {
    let third = plan.time / 3;
    let syncs = tokio::task::spawn_blocking(move || yardstick::syncs(third))
        .await
        .map_err(in_step("yardstick"))??;
    let time = plan.time;
    let rows = tokio::task::spawn_blocking(move || engine::measure::raw_rows(BYTES, time))
        .await
        .map_err(in_step("yardstick"))?
        .map_err(in_step("yardstick"))?;
    let mut figures = vec![
        Figure::new("disk: 4 KiB appended and synced", syncs, "/s"),
        Figure::new(
            "disk: durable 3 KiB rows into bare SQLite by 100",
            rows,
            "/s",
        ),
    ];
    for callers in [1, 16, 256] {
        let folder = tempfile::tempdir()?;
        let engine = open(folder.path())?;
        let machine = machine(&engine, &passes(STATES)).await?;
        let rate = rate(
            &engine,
            &machine,
            &json!({"order": "o-1", "items": [1, 2, 3]}),
            callers,
            plan.time,
        )
        .await?;
        engine.shutdown().await;
        let name = format!("engine: transitions, {callers} callers");
        let figure = Figure::new(name, rate * STATES as f64, "/s").beside("raw rows", rows);
        figures.push(match callers {
            256 => figure.at_least(100_000.0),
            _ => figure,
        });
    }
    Ok(figures)
}

/// An engine whose tasks give back what they get.
pub(super) fn open(folder: &Path) -> Result<Engine, BenchError> {
    let engine =
        Engine::open(folder, Settings::default()).map_err(in_step("opening the engine"))?;
    engine
        .start(Arc::new(Echo))
        .map_err(in_step("starting the engine"))?;
    Ok(engine)
}

pub(super) async fn machine(engine: &Engine, definition: &Value) -> Result<String, BenchError> {
    let new = NewMachine {
        name: format!("m{}", engine.machines().list().len()),
        definition: definition.to_string(),
        role_arn: "arn:aws:iam::000000000000:role/bench".to_owned(),
        kind: MachineKind::Standard,
        settings: json!({}),
    };
    let machine = engine.machines().create(new).await;
    Ok(machine.map_err(in_step("creating a machine"))?.arn)
}

/// So many Pass states in a row.
pub(super) fn passes(states: u64) -> Value {
    row(states, &json!({"Type": "Pass"}))
}

/// So many states like this one in a row.
pub(super) fn row(states: u64, state: &Value) -> Value {
    let state = |n: u64| {
        let mut state = state.clone();
        state[if n + 1 == states { "End" } else { "Next" }] = match n + 1 == states {
            true => json!(true),
            false => json!(format!("S{}", n + 1)),
        };
        (format!("S{n}"), state)
    };
    json!({"StartAt": "S0", "States": (0..states).map(state).collect::<Map<_, _>>()})
}

/// Executions a second, started by so many callers who each wait for the acknowledgement. They end in the same commit.
pub(super) async fn rate(
    engine: &Engine,
    machine: &str,
    input: &Value,
    callers: u64,
    time: std::time::Duration,
) -> Result<f64, BenchError> {
    let input = Data::new(input.clone());
    let begin = Instant::now();
    let starting = (0..callers).map(|_| {
        let (executions, machine, input) = (
            engine.executions().clone(),
            machine.to_owned(),
            input.clone(),
        );
        tokio::spawn(async move {
            let mut count = 0_u64;
            while begin.elapsed() < time {
                executions
                    .start(StartRequest::new(machine.as_str(), input.clone()))
                    .await?;
                count += 1;
            }
            Ok::<_, engine::StartError>(count)
        })
    });
    let mut count = 0;
    for started in try_join_all(starting)
        .await
        .map_err(in_step("starting executions"))?
    {
        count += started.map_err(in_step("starting executions"))?;
    }
    Ok(count as f64 / begin.elapsed().as_secs_f64())
}

struct Echo;

impl TaskRunner for Echo {
    fn run(&self, run: TaskRun) -> BoxFuture<'static, TaskOutcome> {
        async move { TaskOutcome::Succeeded(run.request.parameters) }.boxed()
    }
}

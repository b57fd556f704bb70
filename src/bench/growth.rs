//! What a transition costs as things grow: the number of executions that run, the length of a history, the size of a payload.
//! No cost may rise faster than the data that is touched.

use std::time::{Duration, Instant};

use ::engine::{Engine, StartRequest};
use asl::Data;
use futures::future::try_join_all;
use serde_json::{Value, json};

use super::engine::{machine, open, passes, rate, row};
use super::{BenchError, Figure, Plan, in_step};

pub(super) async fn measure(plan: Plan) -> Result<Vec<Figure>, BenchError> {
    let mut figures = among(plan.time / 3).await?;
    figures.extend(history().await?);
    figures.extend(payload(plan.time / 3).await?);
    Ok(figures)
}

/// Executions of twelve states among more and more that wait.
async fn among(time: Duration) -> Result<Vec<Figure>, BenchError> {
    let folder = tempfile::tempdir()?;
    let engine = open(folder.path())?;
    let pass = machine(&engine, &passes(12)).await?;
    let wait =
        json!({"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 86_400, "End": true}}});
    let wait = machine(&engine, &wait).await?;
    let (mut figures, mut first, mut running) = (Vec::new(), None, 0);
    for count in [10, 1_000, 10_000, 100_000_u64] {
        while running < count {
            let starts = (0..(count - running).min(1_000)).map(|_| {
                engine
                    .executions()
                    .start(StartRequest::new(wait.as_str(), Data::empty()))
            });
            let started = try_join_all(starts)
                .await
                .map_err(in_step("starting executions"))?;
            running += started.len() as u64;
        }
        let each = 1e6 / (rate(&engine, &pass, &json!({}), 64, time).await? * 12.0);
        let figure = Figure::new(
            format!("growth: a transition among {count} executions"),
            each,
            "µs",
        );
        figures.push(figure.beside("among 10", *first.get_or_insert(each)));
    }
    engine.shutdown().await;
    Ok(figures)
}

/// One execution that calls a task again and again, until its history is so long.
async fn history() -> Result<Vec<Figure>, BenchError> {
    let mut figures = Vec::new();
    let mut first = None;
    for events in [10, 100, 1_000, 10_000, 24_000_u64] {
        let folder = tempfile::tempdir()?;
        let engine = open(folder.path())?;
        // A turn of the loop is seven events.
        let turns = (events / 7).max(1);
        let machine = machine(&engine, &json!({
            "QueryLanguage": "JSONata", "StartAt": "Count", "States": {
                "Count": {
                    "Type": "Task", "Resource": "arn:aws:lambda:us-east-1:000000000000:function:f",
                    "Arguments": {"n": "{% $states.input.n + 1 %}"}, "Next": "Again"
                },
                "Again": {
                    "Type": "Choice", "Default": "Done",
                    "Choices": [{"Condition": format!("{{% $states.input.n < {turns} %}}"), "Next": "Count"}]
                },
                "Done": {"Type": "Succeed"}
            }
        })).await?;
        let took = run(&engine, &machine, json!({"n": 0})).await?;
        engine.shutdown().await;
        let each = took.as_secs_f64() * 1e6 / (turns * 7) as f64;
        let figure = Figure::new(
            format!("growth: an event of a history of {events}"),
            each,
            "µs",
        );
        figures.push(figure.beside("of 10", *first.get_or_insert(each)));
    }
    Ok(figures)
}

/// Three tasks in a row that hand on a payload, per kibibyte.
async fn payload(time: Duration) -> Result<Vec<Figure>, BenchError> {
    let folder = tempfile::tempdir()?;
    let engine = open(folder.path())?;
    let task =
        json!({"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:000000000000:function:f"});
    let machine = machine(&engine, &row(3, &task)).await?;
    let (mut figures, mut first) = (Vec::new(), None);
    for kibibytes in [1, 16, 64, 250_u16] {
        let input = json!({"text": "x".repeat(usize::from(kibibytes) * 1024)});
        let (begin, mut count) = (Instant::now(), 0_u32);
        while begin.elapsed() < time {
            let runs = (0..8).map(|_| run(&engine, &machine, input.clone()));
            count += u32::try_from(try_join_all(runs).await?.len()).unwrap_or_default();
        }
        let each = begin.elapsed().as_secs_f64() * 1e6 / f64::from(count) / 3.0;
        let figure = Figure::new(format!("growth: a task with {kibibytes} KiB"), each, "µs");
        let linear = *first.get_or_insert(each) * f64::from(kibibytes);
        figures.push(figure.beside("linear from 1 KiB", linear));
    }
    engine.shutdown().await;
    Ok(figures)
}

/// One execution from its start to its end.
async fn run(engine: &Engine, machine: &str, input: Value) -> Result<Duration, BenchError> {
    let mut ended = engine.executions().ended();
    let begin = Instant::now();
    let start = engine
        .executions()
        .start(StartRequest::new(machine, Data::new(input)));
    let started = start.await.map_err(in_step("starting an execution"))?;
    loop {
        let ended = ended.recv().await.map_err(in_step("waiting for an end"))?;
        if ended.arn == started.arn {
            return match ended.status {
                asl::Status::Succeeded => Ok(begin.elapsed()),
                other => Err(BenchError::Wrong(format!(
                    "an execution is {}: {:?}",
                    other.as_str(),
                    ended.cause
                ))),
            };
        }
    }
}

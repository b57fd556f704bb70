//! Executions that ended long ago are removed; their names stay refused for 90 days.

use std::time::Duration;

use asl::{Data, Status};
use engine::{ExecutionError, ListOf, Page, Settings, StartError, StartRequest, TokenError};
use serde_json::json;

use crate::fixture::{Fixture, callback, passes, wait};

const DAY: u64 = 86_400;

async fn keeping(days: u64) -> Fixture {
    let mut f = Fixture::with(Settings {
        retain: Some(Duration::from_secs(days * DAY)),
        ..Settings::default()
    });
    f.start();
    f
}

fn all() -> Page {
    Page {
        max: 10_000,
        token: None,
    }
}

async fn names(f: &Fixture, machine: &str) -> Vec<String> {
    let list = ListOf::Machine(machine.to_owned());
    let listed = f.engine.executions().list(list, None, all()).await.unwrap();
    listed.items.into_iter().map(|it| it.name).collect()
}

/// Waits until so many executions of the machine are left. Time goes on meanwhile: the pruner may have looked just before.
async fn left(f: &Fixture, machine: &str, count: usize) {
    while names(f, machine).await.len() != count {
        f.pass(60);
    }
}

async fn start(f: &Fixture, machine: &str, name: &str) -> Result<engine::Started, StartError> {
    let request = StartRequest {
        name: Some(name.to_owned()),
        ..StartRequest::new(machine, Data::new(json!({})))
    };
    f.engine.executions().start(request).await
}

#[tokio::test]
async fn what_ended_long_ago_is_gone_and_its_name_is_refused_for_90_days() {
    let f = keeping(7).await;
    let machine = f.machine("m", passes()).await;
    let old = f.begin(&machine, "old", json!({})).await.arn;
    f.end_of(&old).await;
    f.pass(6 * DAY);
    let young = f.begin(&machine, "young", json!({})).await.arn;
    f.end_of(&young).await;
    assert_eq!(names(&f, &machine).await, ["young", "old"]);

    f.pass(2 * DAY);
    left(&f, &machine, 1).await;
    assert_eq!(names(&f, &machine).await, ["young"]);
    let gone = f.engine.executions().describe(&old).await.unwrap_err();
    assert!(matches!(gone, ExecutionError::ExecutionDoesNotExist { .. }));
    let gone = f.engine.executions().history(&old, false, all()).await;
    assert!(matches!(
        gone,
        Err(ExecutionError::ExecutionDoesNotExist { .. })
    ));
    let refused = start(&f, &machine, "old").await;
    assert!(
        matches!(refused, Err(StartError::ExecutionAlreadyExists { .. })),
        "{refused:?}"
    );
    assert_eq!(f.history(&young).await.len(), 6);

    // Also after a restart, which prunes at once.
    let f = f.crash();
    let refused = start(&f, &machine, "old").await;
    assert!(
        matches!(refused, Err(StartError::ExecutionAlreadyExists { .. })),
        "{refused:?}"
    );

    f.pass(83 * DAY);
    loop {
        // Nothing tells that the name is free, so it is asked for.
        match start(&f, &machine, "old").await {
            Ok(_) => break,
            Err(StartError::ExecutionAlreadyExists { .. }) => f.pass(60),
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(f.end_of(&old).await.summary.status, Status::Succeeded);
}

#[tokio::test]
async fn a_map_run_goes_with_its_execution_and_its_children() {
    let f = keeping(7).await;
    let definition = json!({"StartAt": "Each", "States": {"Each": {
        "Type": "Map", "ItemsPath": "$.items", "Label": "Each", "End": true,
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            "StartAt": "P", "States": {"P": {"Type": "Pass", "End": true}},
        },
    }}});
    let machine = f.machine("m", definition).await;
    let arn = f
        .begin(&machine, "e", json!({"items": [1, 2, 3]}))
        .await
        .arn;
    f.end_of(&arn).await;
    let rows = |f: &Fixture| {
        let file = f.directory.path().join("engine.db");
        let db = rusqlite::Connection::open(file).unwrap();
        ["executions", "records", "map_runs"].map(|table| {
            let count = format!("select count(*) from {table}");
            db.query_row(&count, [], |row| row.get::<_, u32>(0))
                .unwrap()
        })
    };
    let [executions, records, runs] = rows(&f);
    assert!(executions == 4 && records >= 4 && runs == 1);
    f.pass(8 * DAY);
    while rows(&f) != [4, 0, 1] {
        f.pass(60);
        tokio::task::yield_now().await;
    }
    f.pass(90 * DAY);
    while rows(&f) != [0, 0, 0] {
        f.pass(60);
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn what_runs_stays_however_old_it_is() {
    let mut f = keeping(1).await;
    let waiting = f.machine("w", wait(100 * 86_400)).await;
    let waiting = f.begin(&waiting, "waits", json!({})).await.arn;
    let asking = f.machine("a", callback()).await;
    let asking = f.begin(&asking, "asks", json!({})).await.arn;
    let call = f.tasks.next().await;
    let token = call.token();
    f.engine
        .executions()
        .succeed(&token, Data::new(json!(1)))
        .await
        .unwrap();
    f.end_of(&asking).await;
    let machine = f.engine.executions().describe(&asking).await.unwrap();
    f.pass(50 * DAY);
    left(&f, &machine.summary.state_machine_arn, 0).await;
    let late = f
        .engine
        .executions()
        .succeed(&token, Data::new(json!(2)))
        .await;
    assert!(matches!(late, Err(TokenError::TaskTimedOut)), "{late:?}");
    let running = f.engine.executions().describe(&waiting).await.unwrap();
    assert_eq!(running.summary.status, Status::Running);
    f.pass(51 * DAY);
    assert_eq!(f.end_of(&waiting).await.summary.status, Status::Succeeded);
}

#[tokio::test]
async fn many_are_removed_and_the_room_is_used_again() {
    const MANY: usize = 250;
    let f = keeping(1).await;
    let machine = f.machine("m", passes()).await;
    let machine = &machine;
    let fill = async |f: &Fixture, from: usize| {
        let started = (from..from + MANY).map(|n| async move {
            let input = json!({"text": "x".repeat(4_000)});
            f.begin(machine, &format!("e{n}"), input).await;
        });
        futures::future::join_all(started).await;
    };
    // What is in the log comes into the database when that is closed.
    let size = |f: &Fixture| {
        let file = f.directory.path().join("engine.db");
        std::fs::metadata(file).unwrap().len()
    };
    fill(&f, 0).await;
    let f = f.crash();
    let before = size(&f);
    f.pass(2 * DAY);
    left(&f, machine, 0).await;
    fill(&f, MANY).await;
    assert_eq!(names(&f, machine).await.len(), MANY);
    let f = f.crash();
    assert!(size(&f) < before * 3 / 2, "{} after {before}", size(&f));
}

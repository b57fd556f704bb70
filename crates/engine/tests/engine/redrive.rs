//! Executions that go on after their end.

use asl::Status;
use engine::TaskOutcome;
use serde_json::json;

use crate::fixture::{Fixture, call, passes};

fn failure() -> TaskOutcome {
    TaskOutcome::Failed {
        error: "Factory.Unavailable".to_owned(),
        cause: "503".to_owned(),
    }
}

#[tokio::test]
async fn a_failed_execution_is_redriven_from_the_failed_state() {
    let mut f = Fixture::started();
    let machine = f.machine("m", call()).await;
    let arn = f.begin(&machine, "e", json!({})).await.arn;
    f.tasks.next().await.answer(failure());
    f.end_of(&arn).await;
    f.pass(60);
    let redriven = f.engine.executions().redrive(&arn).await.unwrap();
    assert_eq!(redriven, 1_700_000_060_000);
    let described = f.engine.executions().describe(&arn).await.unwrap();
    let summary = described.summary;
    assert_eq!(
        (summary.status, summary.stopped, summary.redrives),
        (Status::Running, None, 1)
    );
    assert_eq!((summary.redriven, described.error), (Some(redriven), None));
    assert!(f.engine.executions().redrive(&arn).await.is_err());
    // It goes on after a crash too.
    let mut f = f.crash();
    f.tasks.next().await.succeed(json!({"Payload": 1}));
    assert_eq!(f.end_of(&arn).await.summary.status, Status::Succeeded);
    let history = f.history(&arn).await;
    assert_eq!(
        history
            .iter()
            .filter(|event| *event == "ExecutionRedriven")
            .count(),
        1
    );
}

#[tokio::test]
async fn a_success_is_not_redriven() {
    let f = Fixture::started();
    let machine = f.machine("m", passes()).await;
    let arn = f.begin(&machine, "e", json!({})).await.arn;
    let executions = f.engine.executions();
    assert!(matches!(
        executions.redrive(&arn).await,
        Err(engine::ExecutionError::ExecutionNotRedrivable { .. })
    ));
    let nobodys = executions.redrive(&format!("{arn}x")).await;
    assert!(matches!(
        nobodys,
        Err(engine::ExecutionError::ExecutionDoesNotExist { .. })
    ));
    assert_eq!(f.history(&arn).await.len(), 6);
}

#[tokio::test]
async fn a_failure_of_more_than_two_weeks_ago_is_not_redriven() {
    let mut f = Fixture::started();
    let machine = f.machine("m", call()).await;
    let arn = f.begin(&machine, "e", json!({})).await.arn;
    f.tasks.next().await.answer(failure());
    f.end_of(&arn).await;
    f.pass(14 * 86_400 + 1);
    let refused = f.engine.executions().redrive(&arn).await;
    assert!(matches!(
        refused,
        Err(engine::ExecutionError::ExecutionNotRedrivable { .. })
    ));
}

#[tokio::test]
async fn of_two_that_redrive_one_does() {
    let mut f = Fixture::started();
    let machine = f.machine("m", call()).await;
    let arn = f.begin(&machine, "e", json!({})).await.arn;
    f.tasks.next().await.answer(failure());
    f.end_of(&arn).await;
    let executions = f.engine.executions();
    let (one, other) = tokio::join!(executions.redrive(&arn), executions.redrive(&arn));
    assert_eq!([one, other].iter().filter(|done| done.is_ok()).count(), 1);
    f.tasks.next().await.succeed(json!({"Payload": 1}));
    let summary = f.end_of(&arn).await.summary;
    assert_eq!((summary.status, summary.redrives), (Status::Succeeded, 1));
}

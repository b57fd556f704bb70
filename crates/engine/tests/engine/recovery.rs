//! Kill and recover, without processes: the engine is dropped without a word and opened again.

use asl::{Data, Status};
use engine::{Engine, OpenError, Settings, TaskOutcome};
use serde_json::json;

use crate::fixture::{Fixture, call, callback, passes, wait};

#[tokio::test]
async fn an_acknowledged_start_goes_on() {
    let f = Fixture::started();
    let machine = f.machine("m", call()).await;
    let arn = f.begin(&machine, "e", json!({"n": 1})).await.arn;
    let mut f = f.crash();
    let call = f.tasks.next().await;
    assert_eq!(call.run.execution_arn, arn);
    assert_eq!(
        call.run.request.parameters.value()["Payload"],
        json!({"n": 1})
    );
    call.succeed(json!({"Payload": "done"}));
    assert_eq!(f.end_of(&arn).await.summary.status, Status::Succeeded);
}

#[tokio::test]
async fn a_task_runs_again_under_the_same_name() {
    let mut f = Fixture::started();
    let machine = f.machine("m", call()).await;
    f.begin(&machine, "e", json!({})).await;
    let first = f.tasks.next().await;
    let mut f = f.crash();
    assert_eq!(f.tasks.next().await.run.effect(), first.run.effect());
}

#[tokio::test]
async fn a_finished_execution_stays_finished() {
    let mut f = Fixture::started();
    let (quick, slow) = (
        f.machine("quick", passes()).await,
        f.machine("slow", call()).await,
    );
    let done = f.begin(&quick, "e", json!({})).await.arn;
    let called = f.begin(&slow, "e", json!({})).await.arn;
    f.tasks.next().await.succeed(json!({"Payload": 7}));
    let before = (f.end_of(&done).await, f.end_of(&called).await);
    let f = f.crash();
    let executions = f.engine.executions();
    assert_eq!(
        (
            executions.describe(&done).await.unwrap(),
            executions.describe(&called).await.unwrap()
        ),
        before
    );
    // Nothing was run again: a task started now is the first.
    f.begin(&slow, "e2", json!({})).await;
    let mut f = f;
    assert!(f.tasks.next().await.run.execution_arn.ends_with(":e2"));
}

#[tokio::test]
async fn a_token_is_good_after_a_crash_and_its_answer_too() {
    let mut f = Fixture::started();
    let machine = f.machine("m", callback()).await;
    let arn = f.begin(&machine, "e", json!({})).await.arn;
    let call = f.tasks.next().await;
    let token = call.token();
    call.answer(TaskOutcome::Submitted(Data::empty()));
    while !f.history(&arn).await.contains(&"TaskSubmitted".to_owned()) {
        tokio::task::yield_now().await;
    }
    let f = f.crash();
    f.engine
        .executions()
        .succeed(&token, Data::new(json!("yes")))
        .await
        .unwrap();
    let f = f.crash();
    assert_eq!(f.end_of(&arn).await.output, Some(Data::new(json!("yes"))));
    assert!(f.tasks.seen.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_timer_fires_after_a_crash() {
    let f = Fixture::started();
    let machine = f.machine("m", wait(60)).await;
    let (early, late) = (
        f.begin(&machine, "early", json!({})).await.arn,
        f.begin(&machine, "late", json!({})).await.arn,
    );
    f.pass(59);
    let f = f.crash();
    assert_eq!(
        f.engine
            .executions()
            .describe(&early)
            .await
            .unwrap()
            .summary
            .status,
        Status::Running
    );
    f.pass(1);
    assert_eq!(
        f.end_of(&early).await.summary.stopped,
        Some(1_700_000_060_000)
    );
    f.end_of(&late).await;
}

#[tokio::test]
async fn a_timer_that_came_due_while_nothing_ran_fires_at_the_start() {
    let f = Fixture::started();
    let machine = f.machine("m", wait(60)).await;
    let arn = f.begin(&machine, "e", json!({})).await.arn;
    let f = f.reopen();
    f.pass(3600);
    let f = f.crash();
    assert_eq!(f.end_of(&arn).await.summary.status, Status::Succeeded);
}

#[tokio::test]
async fn what_was_started_before_the_runner_was_ready_runs_once_it_is() {
    let mut f = Fixture::new();
    let machine = f.machine("m", call()).await;
    let arn = f.begin(&machine, "e", json!({})).await.arn;
    f.start();
    f.tasks.next().await.succeed(json!({"Payload": 1}));
    f.end_of(&arn).await;
}

#[tokio::test]
async fn a_long_decision_goes_on_after_a_crash() {
    // A loop of 400 rounds is more than one decision takes.
    let f = Fixture::new();
    let machine = f
        .machine("m", json!({"StartAt": "Add", "QueryLanguage": "JSONata", "States": {
            "Add": {"Type": "Pass", "Output": "{% $states.input + 1 %}", "Next": "More"},
            "More": {"Type": "Choice", "Choices": [{"Condition": "{% $states.input < 400 %}", "Next": "Add"}], "Default": "Done"},
            "Done": {"Type": "Succeed"},
        }}))
        .await;
    let arn = f.begin(&machine, "e", json!(0)).await.arn;
    assert_eq!(
        f.engine
            .executions()
            .describe(&arn)
            .await
            .unwrap()
            .summary
            .status,
        Status::Running
    );
    let f = f.crash();
    assert_eq!(f.end_of(&arn).await.output, Some(Data::new(json!(400))));
}

#[test]
fn a_directory_has_one_process() {
    let directory = tempfile::tempdir().unwrap();
    let _engine = Engine::open(directory.path(), Settings::default()).unwrap();
    let Err(error) = Engine::open(directory.path(), Settings::default()) else {
        panic!("opened twice")
    };
    assert!(
        matches!(&error, OpenError::InUse { pid: Some(pid), .. } if *pid == std::process::id())
    );
    let text = error.to_string();
    assert!(
        text.contains(&directory.path().display().to_string())
            && text.contains(&std::process::id().to_string()),
        "{text}"
    );
}

#[test]
fn a_foreign_or_newer_database_is_left_alone() {
    let open = |prepare: fn(&rusqlite::Connection)| {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("engine.db");
        let own = Engine::open(directory.path(), Settings::default()).unwrap();
        drop(own);
        prepare(&rusqlite::Connection::open(&file).unwrap());
        let before = std::fs::read(&file).unwrap();
        let refused = Engine::open(directory.path(), Settings::default())
            .err()
            .unwrap();
        assert_eq!(std::fs::read(&file).unwrap(), before);
        refused
    };
    let newer = open(|db| db.pragma_update(None, "user_version", 1000).unwrap());
    assert!(
        matches!(newer, OpenError::Newer { found: 1000, .. }),
        "{newer}"
    );
    let foreign = open(|db| db.pragma_update(None, "application_id", 7).unwrap());
    assert!(matches!(foreign, OpenError::Foreign { .. }), "{foreign}");
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(
        directory.path().join("engine.db"),
        "something that is long enough not to be taken for an empty file",
    )
    .unwrap();
    let rubbish = Engine::open(directory.path(), Settings::default())
        .err()
        .unwrap();
    assert!(matches!(rubbish, OpenError::Foreign { .. }), "{rubbish}");
}

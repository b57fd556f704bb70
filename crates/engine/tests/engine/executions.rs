//! Executions: starting, listing, histories, stopping, tokens, tasks, time.

use asl::{Data, Status};
use engine::{ListOf, Page, StartError, StartRequest, TaskOutcome, TokenError};
use serde_json::json;

use crate::fixture::{Fixture, call, callback, passes, wait};

#[tokio::test]
async fn a_stretch_without_outside_events_is_one_commit() {
    let f = Fixture::started();
    let machine = f.machine("m", passes()).await;
    let before = f.engine.journal_stats();
    let started = f.begin(&machine, "e", json!({"n": 1})).await;
    let after = f.engine.journal_stats();
    assert_eq!(after.groups - before.groups, 1);
    assert_eq!(
        started.arn,
        "arn:aws:states:us-east-1:000000000000:execution:m:e"
    );
    let described = f.engine.executions().describe(&started.arn).await.unwrap();
    assert_eq!(described.summary.status, Status::Succeeded);
    assert_eq!(described.summary.stopped, Some(1_700_000_000_000));
    assert_eq!(described.input, Some(Data::new(json!({"n": 1}))));
    assert_eq!(described.output, Some(Data::new(json!({"got": {"n": 1}}))));
    let expected = [
        "ExecutionStarted",
        "PassStateEntered",
        "PassStateExited",
        "PassStateEntered",
        "PassStateExited",
        "ExecutionSucceeded",
    ];
    assert_eq!(f.history(&started.arn).await, expected);
}

#[tokio::test]
async fn starting_again_needs_the_same_input_and_a_running_execution() {
    let mut f = Fixture::started();
    let machine = f.machine("m", call()).await;
    let first = f.begin(&machine, "e", json!({"n": 1})).await;
    f.pass(5);
    let start = async |f: &Fixture, input| {
        let request = StartRequest {
            name: Some("e".to_owned()),
            ..StartRequest::new(&machine, Data::new(input))
        };
        f.engine.executions().start(request).await
    };
    assert_eq!(start(&f, json!({"n": 1})).await.unwrap(), first);
    assert!(
        matches!(start(&f, json!({"n": 2})).await, Err(StartError::ExecutionAlreadyExists { arn }) if arn == first.arn)
    );
    f.tasks.next().await.succeed(json!({"Payload": 1}));
    f.end_of(&first.arn).await;
    assert!(matches!(
        start(&f, json!({"n": 1})).await,
        Err(StartError::ExecutionAlreadyExists { .. })
    ));
}

#[tokio::test]
async fn a_bad_start_is_refused() {
    let f = Fixture::started();
    let machine = f.machine("m", passes()).await;
    let start = async |request| f.engine.executions().start(request).await;
    let request = StartRequest::new(&machine, Data::empty());
    for name in ["", "a b", "a/b", &"x".repeat(81)] {
        let request = StartRequest {
            name: Some(name.to_owned()),
            ..request.clone()
        };
        assert!(
            matches!(start(request).await, Err(StartError::InvalidName { .. })),
            "{name}"
        );
    }
    let large = Data::new(json!("x".repeat(262_143)));
    assert!(matches!(
        start(StartRequest::new(&machine, large)).await,
        Err(StartError::InvalidExecutionInput { .. })
    ));
    let nowhere = machine.replace(":m", ":n");
    assert!(matches!(
        start(StartRequest::new(nowhere, Data::empty())).await,
        Err(StartError::Machine(_))
    ));
    assert!(start(request).await.is_ok());
}

#[tokio::test]
async fn executions_are_listed_newest_first_in_pages() {
    let f = Fixture::started();
    let (quick, slow) = (
        f.machine("quick", passes()).await,
        f.machine("slow", wait(60)).await,
    );
    for n in 0..5 {
        f.begin(&quick, &format!("q{n}"), json!({})).await;
        f.begin(&slow, &format!("s{n}"), json!({})).await;
    }
    let list = async |of: &str, status, max, token| {
        let page = f
            .engine
            .executions()
            .list(ListOf::Machine(of.to_owned()), status, Page { max, token })
            .await
            .unwrap();
        (
            page.items
                .iter()
                .map(|item| item.name.clone())
                .collect::<Vec<_>>()
                .join(" "),
            page.next,
        )
    };
    let (first, next) = list(&quick, None, 2, None).await;
    assert_eq!(first, "q4 q3");
    // A new execution does not disturb the pages.
    f.begin(&quick, "q5", json!({})).await;
    let (second, next) = list(&quick, None, 2, next).await;
    assert_eq!(second, "q2 q1");
    assert_eq!(list(&quick, None, 2, next).await, ("q0".to_owned(), None));
    assert_eq!(
        list(&slow, Some(Status::Running), 9, None).await.0,
        "s4 s3 s2 s1 s0"
    );
    assert_eq!(
        list(&slow, Some(Status::Succeeded), 9, None).await,
        (String::new(), None)
    );
    let bad = f
        .engine
        .executions()
        .list(
            ListOf::Machine(quick),
            None,
            Page {
                max: 1,
                token: Some("x".to_owned()),
            },
        )
        .await;
    assert!(bad.is_err());
}

#[tokio::test]
async fn a_history_is_read_in_pages_both_ways() {
    let mut f = Fixture::started();
    let machine = f.machine("m", call()).await;
    let arn = f.begin(&machine, "e", json!({})).await.arn;
    f.tasks.next().await.succeed(json!({"Payload": 1}));
    f.end_of(&arn).await;
    let ids = async |reverse, max| {
        let (mut ids, mut token) = (Vec::new(), None);
        loop {
            let page = f
                .engine
                .executions()
                .history(&arn, reverse, Page { max, token })
                .await
                .unwrap();
            assert!(page.items.len() <= max);
            ids.extend(page.items.iter().filter_map(asl::Entry::id));
            token = page.next;
            if token.is_none() {
                return ids;
            }
        }
    };
    let forward: Vec<u64> = (1..=f.history(&arn).await.len() as u64).collect();
    let backward: Vec<u64> = forward.iter().rev().copied().collect();
    for max in 1..=forward.len() + 1 {
        assert_eq!(ids(false, max).await, forward, "{max}");
        assert_eq!(ids(true, max).await, backward, "{max}");
    }
}

#[tokio::test]
async fn stopping_ends_an_execution_and_cancels_its_task() {
    let mut f = Fixture::started();
    let machine = f.machine("m", call()).await;
    let arn = f.begin(&machine, "e", json!({})).await.arn;
    let call = f.tasks.next().await;
    f.pass(3);
    let executions = f.engine.executions();
    let stopped = executions
        .stop(&arn, Some("Enough".to_owned()), Some("asked".to_owned()))
        .await
        .unwrap();
    assert_eq!(stopped, 1_700_000_003_000);
    call.run.cancelled.cancelled().await;
    call.succeed(json!({"Payload": "too late"}));
    let described = executions.describe(&arn).await.unwrap();
    assert_eq!(described.summary.status, Status::Aborted);
    assert_eq!(
        (described.error.as_deref(), described.cause.as_deref()),
        (Some("Enough"), Some("asked"))
    );
    f.pass(3);
    assert_eq!(executions.stop(&arn, None, None).await.unwrap(), stopped);
    let nobodys = executions.stop(&format!("{arn}x"), None, None).await;
    assert!(matches!(
        nobodys,
        Err(engine::ExecutionError::ExecutionDoesNotExist { .. })
    ));
}

#[tokio::test]
async fn a_token_is_good_once() {
    let mut f = Fixture::started();
    let machine = f.machine("m", callback()).await;
    let arn = f.begin(&machine, "e", json!({})).await.arn;
    let call = f.tasks.next().await;
    let token = call.token();
    call.answer(TaskOutcome::Submitted(Data::empty()));
    let executions = f.engine.executions();
    assert!(matches!(
        executions.succeed("rubbish", Data::null()).await,
        Err(TokenError::InvalidToken)
    ));
    executions.heartbeat(&token).await.unwrap();
    executions
        .succeed(&token, Data::new(json!({"ok": true})))
        .await
        .unwrap();
    assert!(matches!(
        executions.succeed(&token, Data::null()).await,
        Err(TokenError::TaskTimedOut)
    ));
    assert!(matches!(
        executions.heartbeat(&token).await,
        Err(TokenError::TaskTimedOut)
    ));
    assert_eq!(
        executions.describe(&arn).await.unwrap().output,
        Some(Data::new(json!({"ok": true})))
    );
    let nobodys = asl::TaskToken {
        execution: 999,
        task: asl::TaskId(1),
        nonce: 1,
    }
    .encode();
    assert!(matches!(
        executions.succeed(&nobodys, Data::null()).await,
        Err(TokenError::TaskDoesNotExist)
    ));
}

#[tokio::test]
async fn an_answer_may_come_before_the_request_is_recorded() {
    let mut f = Fixture::started();
    let machine = f.machine("m", callback()).await;
    let arn = f.begin(&machine, "e", json!({})).await.arn;
    let call = f.tasks.next().await;
    f.engine
        .executions()
        .succeed(&call.token(), Data::new(json!(1)))
        .await
        .unwrap();
    call.answer(TaskOutcome::Submitted(Data::empty()));
    let described = f.end_of(&arn).await;
    assert_eq!(
        (described.summary.status, described.output),
        (Status::Succeeded, Some(Data::new(json!(1))))
    );
}

#[tokio::test]
async fn a_token_times_out() {
    let mut f = Fixture::started();
    let machine = f.machine("m", callback()).await;
    let arn = f.begin(&machine, "e", json!({})).await.arn;
    let call = f.tasks.next().await;
    f.pass(600);
    let described = f.end_of(&arn).await;
    assert_eq!(
        (described.summary.status, described.error.as_deref()),
        (Status::Failed, Some("States.Timeout"))
    );
    assert!(matches!(
        f.engine
            .executions()
            .succeed(&call.token(), Data::null())
            .await,
        Err(TokenError::TaskTimedOut)
    ));
}

#[tokio::test]
async fn a_task_that_fails_or_panics_fails_the_execution() {
    let mut f = Fixture::started();
    let machine = f.machine("m", call()).await;
    let arn = f.begin(&machine, "fails", json!({})).await.arn;
    let failed = TaskOutcome::Failed {
        error: "Product.NotFound".to_owned(),
        cause: "none".to_owned(),
    };
    f.tasks.next().await.answer(failed);
    let described = f.end_of(&arn).await;
    assert_eq!(
        (described.summary.status, described.error.as_deref()),
        (Status::Failed, Some("Product.NotFound"))
    );
    let arn = f.begin(&machine, "panics", json!({})).await.arn;
    // The runner of the tests panics when its answer is dropped.
    drop(f.tasks.next().await);
    let described = f.end_of(&arn).await;
    assert_eq!(
        (described.summary.status, described.error.as_deref()),
        (Status::Failed, Some("States.TaskFailed"))
    );
}

#[tokio::test]
async fn a_running_execution_keeps_its_definition() {
    let f = Fixture::started();
    let machine = f.machine("m", call()).await;
    let old = f.begin(&machine, "old", json!({})).await.arn;
    let changes = engine::MachineChanges {
        definition: Some(passes().to_string()),
        ..Default::default()
    };
    let updated = f
        .engine
        .machines()
        .update(&machine, changes.clone())
        .await
        .unwrap();
    assert!(updated.changed && updated.revision_id != engine::INITIAL_REVISION);
    assert!(
        !f.engine
            .machines()
            .update(&machine, changes)
            .await
            .unwrap()
            .changed
    );
    let new = f.begin(&machine, "new", json!({})).await.arn;
    let mut f = f.crash();
    f.tasks.next().await.succeed(json!({"Payload": 1}));
    f.end_of(&old).await;
    assert!(
        f.history(&old)
            .await
            .contains(&"TaskStateExited".to_owned())
    );
    assert!(
        !f.history(&new)
            .await
            .contains(&"TaskStateEntered".to_owned())
    );
    let executions = f.engine.executions();
    let (revision, definition) = executions.definition_for(&old).await.unwrap();
    assert_eq!(
        (revision.revision_id.as_str(), &*definition.text),
        (engine::INITIAL_REVISION, call().to_string().as_str())
    );
    let again = StartRequest {
        revision: Some(revision.revision_id.clone()),
        ..StartRequest::new(&machine, Data::empty())
    };
    executions.start(again).await.unwrap();
    f.tasks.next().await;
    f.engine.machines().delete(&machine).await.unwrap();
    assert!(executions.definition_for(&old).await.is_ok());
    assert!(
        executions
            .start(StartRequest::new(&machine, Data::empty()))
            .await
            .is_err()
    );
}

#[tokio::test]
async fn only_so_many_tasks_run_at_once() {
    let mut f = Fixture::with(engine::Settings {
        max_running_tasks: 2,
        ..Default::default()
    });
    f.start();
    let machine = f.machine("m", call()).await;
    for n in 0..3 {
        f.begin(&machine, &format!("e{n}"), json!({})).await;
    }
    let (first, _second) = (f.tasks.next().await, f.tasks.next().await);
    assert_eq!(f.tasks.seen.lock().unwrap().len(), 2);
    first.succeed(json!({"Payload": 1}));
    f.tasks.next().await;
    assert_eq!(f.tasks.seen.lock().unwrap().len(), 3);
}

#[tokio::test]
async fn executions_go_on_when_memory_has_given_them_up() {
    let mut f = Fixture::with(engine::Settings {
        live_executions: 2,
        ..Default::default()
    });
    f.start();
    let machine = f.machine("m", callback()).await;
    let mut tokens = Vec::new();
    for n in 0..20 {
        f.begin(&machine, &format!("e{n}"), json!({})).await;
        let call = f.tasks.next().await;
        tokens.push(call.token());
        call.answer(TaskOutcome::Submitted(Data::empty()));
    }
    for (n, token) in tokens.iter().enumerate() {
        f.engine
            .executions()
            .succeed(token, Data::new(json!(n)))
            .await
            .unwrap();
        let arn = format!("arn:aws:states:us-east-1:000000000000:execution:m:e{n}");
        assert_eq!(
            f.engine.executions().describe(&arn).await.unwrap().output,
            Some(Data::new(json!(n)))
        );
    }
}

//! How many processes there are, when they start and when they end.

use std::time::Duration;

use aws_local::lambda::{Invoke, InvokeError};
use futures::future::join_all;
use serde_json::json;

use super::{
    fixture,
    local::{Local, Meeting, eventually},
};

#[tokio::test]
async fn a_warm_process_serves_one_after_the_other() {
    let local = Local::open().await;
    local.function("f", |_| {});
    for n in 0..20 {
        assert_eq!(local.call("f", json!(n)).await.unwrap(), n);
    }
    assert_eq!(local.lambda.processes("f").unwrap(), 1);
    local.lambda.shutdown().await;
    assert_eq!(local.lambda.processes("f").unwrap(), 0);
}

#[tokio::test]
async fn no_more_processes_than_allowed_and_the_rest_waits_in_order() {
    let local = Local::open().await;
    local.function("f", |config| config.max_concurrency = 2);
    let meeting = Meeting::new().await;
    let event = json!({ "do": "meet", "port": meeting.port() });
    let mut answers = Box::pin(join_all((0..5).map(|_| local.call("f", event.clone()))));
    let guests = async {
        for round in 0..2 {
            let pair = [meeting.guest().await, meeting.guest().await];
            assert!(meeting.is_empty());
            assert_eq!(local.lambda.processes("f").unwrap(), 2);
            for guest in pair {
                guest.go(&round.to_string()).await;
            }
        }
        meeting.guest().await.go("2").await;
    };
    let (answers, ()) = tokio::join!(&mut answers, guests);
    let mut order: Vec<String> = answers
        .into_iter()
        .map(|answer| answer.unwrap().as_str().unwrap().to_owned())
        .collect();
    assert_eq!(order.pop().unwrap(), "2", "first come, first served");
    assert_eq!(order, ["0", "0", "1", "1"]);
    local.lambda.shutdown().await;
}

#[tokio::test]
async fn patience_ends_with_too_many_requests() {
    let local = Local::open().await;
    local.function("f", |config| config.max_concurrency = 1);
    let meeting = Meeting::new().await;
    let first = local.call("f", json!({ "do": "meet", "port": meeting.port() }));
    let second = async {
        let guest = meeting.guest().await;
        let invoke = Invoke {
            wait: Some(Duration::from_millis(50)),
            ..Invoke::new("1")
        };
        assert_eq!(
            local.lambda.invoke("f", invoke).await.unwrap_err(),
            InvokeError::TooManyRequests
        );
        guest.go("done").await;
    };
    let (first, ()) = tokio::join!(first, second);
    assert_eq!(
        first.unwrap(),
        "done",
        "patience is for waiting only, not for running"
    );
    local.lambda.shutdown().await;
}

#[tokio::test]
async fn a_caller_that_leaves_takes_back_what_has_not_started() {
    let local = Local::open().await;
    local.function("f", |config| config.max_concurrency = 1);
    let meeting = Meeting::new().await;
    let event = json!({ "do": "meet", "port": meeting.port() });
    let running = local.call("f", event.clone());
    let others = async {
        let guest = meeting.guest().await;
        let mut left = Box::pin(local.call("f", event.clone()));
        assert!(futures::poll!(&mut left).is_pending());
        drop(left);
        guest.go("first").await;
    };
    let (running, ()) = tokio::join!(running, others);
    assert_eq!(running.unwrap(), "first");
    assert_eq!(local.call("f", json!("next")).await.unwrap(), "next");
    assert!(meeting.is_empty(), "the one taken back has not run");
    local.lambda.shutdown().await;
}

#[tokio::test]
async fn a_caller_that_leaves_does_not_stop_what_runs() {
    let local = Local::open().await;
    // With one process only, the next call is answered after this one has gone on to its end.
    local.function("f", |config| config.max_concurrency = 1);
    let meeting = Meeting::new().await;
    let mut call = Box::pin(local.call("f", json!({ "do": "meet", "port": meeting.port() })));
    let guest = tokio::select! {
        guest = meeting.guest() => guest,
        _ = &mut call => panic!("it was not told to go on"),
    };
    drop(call);
    guest.go("unheard").await;
    assert_eq!(local.call("f", json!("next")).await.unwrap(), "next");
    local.lambda.shutdown().await;
}

#[tokio::test]
async fn an_idle_process_ends() {
    let local = Local::open().await;
    local.function("f", |config| {
        config.idle_timeout = Duration::from_millis(100)
    });
    local.call("f", json!(1)).await.unwrap();
    eventually("the process has ended", async || {
        local.lambda.processes("f").unwrap() == 0
    })
    .await;
    assert_eq!(local.call("f", json!(2)).await.unwrap(), 2);
    local.lambda.shutdown().await;
}

#[tokio::test]
async fn a_replaced_function_finishes_and_its_processes_end() {
    let local = Local::open().await;
    local.function("f", |config| config.max_concurrency = 1);
    let meeting = Meeting::new().await;
    let event = json!({ "do": "meet", "port": meeting.port() });
    let old = join_all([
        local.call("f", event.clone()),
        local.call("f", event.clone()),
    ]);
    let replacing = async {
        let first = meeting.guest().await;
        local.function("f", |config| {
            config
                .environment
                .insert("TABLE".to_owned(), "new".to_owned());
        });
        assert_eq!(
            local
                .call("f", json!({ "do": "environment" }))
                .await
                .unwrap()["TABLE"],
            "new"
        );
        first.go("first").await;
        meeting.guest().await.go("second").await;
    };
    let (old, ()) = tokio::join!(old, replacing);
    assert_eq!(old, [Ok(json!("first")), Ok(json!("second"))]);
    local.lambda.shutdown().await;
}

#[tokio::test]
async fn shutting_down_ends_processes_and_answers_who_waits() {
    let local = Local::open().await;
    local.function("f", |config| config.max_concurrency = 1);
    let meeting = Meeting::new().await;
    let event = json!({ "do": "meet", "port": meeting.port() });
    let calls = join_all([
        local.invoke("f", event.clone()),
        local.invoke("f", event.clone()),
    ]);
    let ending = async {
        let guest = meeting.guest().await;
        local.lambda.shutdown().await;
        guest.gone().await;
    };
    let (calls, ()) = tokio::join!(calls, ending);
    for call in calls {
        assert_eq!(call.unwrap_err(), InvokeError::Stopped);
    }
    assert_eq!(
        local.invoke("f", json!(1)).await.unwrap_err(),
        InvokeError::Stopped
    );
}

#[tokio::test]
async fn functions_end_when_the_program_that_runs_them_is_killed() {
    let meeting = Meeting::new().await;
    let mut parent = fixture::parent(meeting.port()).spawn().unwrap();
    let guest = meeting.guest().await;
    parent.kill().unwrap();
    parent.wait().unwrap();
    guest.gone().await;
}

#[tokio::test]
async fn failed_starts_are_tried_again_one_after_the_other() {
    let local = Local::open().await;
    local.function("f", |config| {
        config
            .environment
            .insert("TEST_FUNCTION".to_owned(), "exit".to_owned());
        config.max_concurrency = 1;
    });
    let answers = join_all((0..3).map(|_| local.call("f", json!({})))).await;
    for answer in answers {
        assert_eq!(answer.unwrap_err()["errorType"], "Runtime.ExitError");
    }
    assert_eq!(
        local.call("f", json!({})).await.unwrap_err()["errorType"],
        "Runtime.ExitError"
    );
    local.lambda.shutdown().await;
}

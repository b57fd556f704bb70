//! No room on the disk: clear errors, nothing half done, and everything goes on when there is room again.

use asl::{Data, Status};
use engine::{NewMessage, QueueError, Receive, Settings, StartError, StartRequest, StorageError};
use serde_json::json;

use crate::fixture::{Fixture, call};

const MANY: usize = 64 * 1024;

/// A database that takes no more documents; how many it has.
async fn fill(f: &Fixture) -> usize {
    let large = "x".repeat(MANY);
    for n in 0.. {
        match f
            .engine
            .documents()
            .put("filling", &n.to_string(), &large)
            .await
        {
            Ok(()) => {}
            Err(StorageError::Full) => return n,
            Err(error) => panic!("{error}"),
        }
    }
    unreachable!()
}

async fn make_room(f: &Fixture) {
    for (key, _) in f
        .engine
        .documents()
        .list::<String>("filling")
        .await
        .unwrap()
    {
        f.engine.documents().delete("filling", &key).await.unwrap();
    }
}

fn small() -> Fixture {
    Fixture::with(Settings {
        max_database_bytes: Some(2 * 1024 * 1024),
        ..Settings::default()
    })
}

#[tokio::test]
async fn a_full_database_refuses_and_recovers() {
    let mut f = small();
    f.start();
    let machine = f.machine("m", call()).await;
    f.engine
        .queues()
        .create("q", engine::Attributes::new())
        .await
        .unwrap();
    let filled = fill(&f).await;
    assert!(filled > 10);
    let large = || "y".repeat(MANY);
    let start = async |name: &str| {
        let input = Data::new(json!(large()));
        let request = StartRequest {
            name: Some(name.to_owned()),
            ..StartRequest::new(&machine, input)
        };
        f.engine.executions().start(request).await
    };
    let send = async || {
        f.engine
            .queues()
            .send("q", vec![NewMessage::new(large())])
            .await
    };
    assert!(matches!(
        start("e").await,
        Err(StartError::Storage(StorageError::Full))
    ));
    assert!(matches!(
        send().await,
        Err(QueueError::Storage(StorageError::Full))
    ));
    assert_eq!(f.engine.queues().counts("q").unwrap().visible, 0);
    assert_eq!(
        f.engine
            .documents()
            .list::<String>("filling")
            .await
            .unwrap()
            .len(),
        filled
    );
    make_room(&f).await;
    // The name is free: the refused start left nothing.
    start("e").await.unwrap();
    send().await.unwrap();
    let received = f
        .engine
        .queues()
        .receive("q", Receive::default())
        .await
        .unwrap();
    assert_eq!(received[0].body.len(), MANY);
}

#[tokio::test]
async fn an_outcome_that_cannot_be_stored_is_stored_later() {
    let mut f = small();
    f.start();
    let machine = f.machine("m", call()).await;
    let arn = f.begin(&machine, "e", json!({})).await.arn;
    let call = f.tasks.next().await;
    fill(&f).await;
    let failures = f.engine.journal_stats().failures;
    call.succeed(json!({"Payload": "z".repeat(MANY)}));
    while f.engine.journal_stats().failures == failures {
        tokio::task::yield_now().await;
    }
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
    make_room(&f).await;
    let ended = f.end_of(&arn);
    let mut ended = std::pin::pin!(ended);
    let described = loop {
        tokio::select! {
            biased;
            described = &mut ended => break described,
            () = tokio::task::yield_now() => f.pass(1),
        }
    };
    assert_eq!(described.summary.status, Status::Succeeded);
    // The task was not run again: its outcome was kept.
    assert_eq!(
        f.tasks
            .seen
            .lock()
            .unwrap()
            .values()
            .copied()
            .collect::<Vec<_>>(),
        [1]
    );
}

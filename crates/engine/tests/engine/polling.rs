//! Long polling: receivers that wait are woken by messages and by time, and never get the same message.

use engine::{NewMessage, QueueError, Receive};

use crate::fixture::Fixture;
use crate::queues::bodies;

#[tokio::test]
async fn a_waiting_receiver_is_woken_by_a_message() {
    let f = Fixture::new();
    f.queue("q", &[]).await;
    let queues = f.engine.queues().clone();
    let waiting = tokio::spawn(async move {
        queues
            .receive(
                "q",
                Receive {
                    wait: Some(20),
                    ..Receive::default()
                },
            )
            .await
    });
    tokio::task::yield_now().await;
    f.send("q", &["hello"]).await;
    assert_eq!(bodies(&waiting.await.unwrap().unwrap()), ["hello"]);
}

#[tokio::test]
async fn a_waiting_receiver_is_woken_by_time() {
    let f = Fixture::new();
    f.queue("q", &[]).await;
    let wait = |seconds| {
        let queues = f.engine.queues().clone();
        tokio::spawn(async move {
            queues
                .receive(
                    "q",
                    Receive {
                        wait: Some(seconds),
                        ..Receive::default()
                    },
                )
                .await
                .unwrap()
        })
    };
    let (patient, impatient) = (wait(20), wait(1));
    tokio::task::yield_now().await;
    let later = NewMessage {
        delay: Some(5),
        ..NewMessage::new("later")
    };
    f.engine.queues().send("q", vec![later]).await.unwrap();
    f.pass(1);
    assert!(impatient.await.unwrap().is_empty());
    f.pass(4);
    assert_eq!(bodies(&patient.await.unwrap()), ["later"]);
}

#[tokio::test]
async fn a_receiver_that_goes_away_takes_nothing_along() {
    let f = Fixture::new();
    f.queue("q", &[]).await;
    let wait = || {
        let queues = f.engine.queues().clone();
        tokio::spawn(async move {
            queues
                .receive(
                    "q",
                    Receive {
                        wait: Some(20),
                        ..Receive::default()
                    },
                )
                .await
        })
    };
    let (gone, stays) = (wait(), wait());
    tokio::task::yield_now().await;
    gone.abort();
    assert!(gone.await.unwrap_err().is_cancelled());
    f.send("q", &["hello"]).await;
    assert_eq!(bodies(&stays.await.unwrap().unwrap()), ["hello"]);
}

#[tokio::test]
async fn shutting_down_ends_the_waiting() {
    let f = Fixture::new();
    f.queue("q", &[]).await;
    let queues = f.engine.queues().clone();
    let waiting = tokio::spawn(async move {
        queues
            .receive(
                "q",
                Receive {
                    wait: Some(20),
                    ..Receive::default()
                },
            )
            .await
    });
    tokio::task::yield_now().await;
    f.engine.shutdown().await;
    assert!(waiting.await.unwrap().unwrap().is_empty());
    let refused = f
        .engine
        .queues()
        .send("q", vec![NewMessage::new("late")])
        .await;
    assert!(matches!(
        refused,
        Err(QueueError::Storage(engine::StorageError::Closed))
    ));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_two_receivers_hold_the_same_message() {
    let f = Fixture::new();
    f.queue("q", &[]).await;
    let total = 500;
    let (taken, mut arriving) = tokio::sync::mpsc::unbounded_channel();
    let receivers: Vec<_> = (0..8)
        .map(|_| {
            let (queues, taken) = (f.engine.queues().clone(), taken.clone());
            tokio::spawn(async move {
                let request = Receive {
                    max: 7,
                    wait: Some(20),
                    ..Receive::default()
                };
                // Empty only when the engine shuts down: the clock stands still.
                while let got = queues.receive("q", request).await.unwrap()
                    && !got.is_empty()
                {
                    got.iter().for_each(|message| {
                        taken.send(message.body.parse::<u32>().unwrap()).unwrap()
                    });
                }
            })
        })
        .collect();
    for batch in (0..total).collect::<Vec<u32>>().chunks(10) {
        let messages = batch
            .iter()
            .map(|n| NewMessage::new(n.to_string()))
            .collect();
        f.engine.queues().send("q", messages).await.unwrap();
    }
    let mut seen = Vec::new();
    while seen.len() < total as usize {
        seen.push(arriving.recv().await.unwrap());
    }
    f.engine.shutdown().await;
    futures::future::join_all(receivers)
        .await
        .into_iter()
        .for_each(Result::unwrap);
    drop(taken);
    assert_eq!(arriving.recv().await, None);
    seen.sort_unstable();
    assert_eq!(seen, (0..total).collect::<Vec<_>>());
}

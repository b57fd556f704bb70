//! Queues against SQS's documented behaviour, on a clock that only the test moves.

use std::time::Duration;

use engine::{NewMessage, QueueError, Receive, Received};

use crate::fixture::Fixture;

impl Fixture {
    pub(crate) async fn queue(&self, name: &str, attributes: &[(&str, &str)]) {
        let attributes = attributes
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        self.engine.queues().create(name, attributes).await.unwrap();
    }

    pub(crate) async fn send(&self, name: &str, bodies: &[&str]) {
        let messages = bodies.iter().map(|body| NewMessage::new(*body)).collect();
        self.engine.queues().send(name, messages).await.unwrap();
    }

    async fn receive(&self, name: &str) -> Vec<Received> {
        self.engine
            .queues()
            .receive(
                name,
                Receive {
                    max: 10,
                    ..Receive::default()
                },
            )
            .await
            .unwrap()
    }

    /// Visible, in flight, delayed.
    pub(crate) fn counts(&self, name: &str) -> (usize, usize, usize) {
        let counts = self.engine.queues().counts(name).unwrap();
        (counts.visible, counts.in_flight, counts.delayed)
    }
}

pub(crate) fn bodies(received: &[Received]) -> Vec<&str> {
    received.iter().map(|message| &*message.body).collect()
}

fn redrive_to(name: &str, count: u32) -> String {
    format!(
        r#"{{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:{name}","maxReceiveCount":{count}}}"#
    )
}

#[tokio::test]
async fn a_received_message_is_hidden_until_its_visibility_ends() {
    let f = Fixture::new();
    f.queue("q", &[("VisibilityTimeout", "60")]).await;
    f.send("q", &["one", "two"]).await;
    assert_eq!(bodies(&f.receive("q").await), ["one", "two"]);
    assert!(f.receive("q").await.is_empty());
    assert_eq!(f.counts("q"), (0, 2, 0));
    f.pass(60);
    let again = f.receive("q").await;
    assert_eq!(bodies(&again), ["one", "two"]);
    assert_eq!(again[0].receive_count, 2);
    assert_eq!(again[0].first_received, again[0].sent);
}

#[tokio::test]
async fn deleting_needs_the_latest_receipt() {
    let f = Fixture::new();
    f.queue("q", &[("VisibilityTimeout", "10")]).await;
    f.send("q", &["one"]).await;
    let old = f.receive("q").await.remove(0).receipt_handle;
    f.pass(10);
    let new = f.receive("q").await.remove(0).receipt_handle;
    let queues = f.engine.queues();
    assert!(
        queues
            .delete_messages("q", std::slice::from_ref(&old))
            .await
            .unwrap()[0]
            .is_ok()
    );
    assert_eq!(f.counts("q"), (0, 1, 0));
    let answers = queues
        .delete_messages("q", &[new.clone(), "rubbish".to_owned(), new])
        .await
        .unwrap();
    assert!(answers[0].is_ok() && answers[2].is_ok());
    assert!(matches!(
        answers[1],
        Err(QueueError::ReceiptHandleIsInvalid)
    ));
    assert_eq!(f.counts("q"), (0, 0, 0));
}

#[tokio::test]
async fn visibility_can_be_changed_while_in_flight_only() {
    let f = Fixture::new();
    f.queue("q", &[("VisibilityTimeout", "10")]).await;
    f.send("q", &["one"]).await;
    let receipt = f.receive("q").await.remove(0).receipt_handle;
    let change = async |seconds| {
        let queues = f.engine.queues();
        queues
            .change_visibility("q", &[(receipt.clone(), seconds)])
            .await
            .unwrap()
            .remove(0)
    };
    change(100).await.unwrap();
    f.pass(99);
    assert_eq!(f.counts("q"), (0, 1, 0));
    change(0).await.unwrap();
    assert_eq!(f.counts("q"), (1, 0, 0));
    assert!(matches!(
        change(5).await,
        Err(QueueError::MessageNotInflight)
    ));
    assert!(matches!(
        change(43_201).await,
        Err(QueueError::InvalidParameterValue { .. })
    ));
}

#[tokio::test]
async fn a_delayed_message_comes_later() {
    let f = Fixture::new();
    f.queue("q", &[("DelaySeconds", "5")]).await;
    f.send("q", &["by the queue"]).await;
    let own = NewMessage {
        delay: Some(0),
        ..NewMessage::new("at once")
    };
    f.engine.queues().send("q", vec![own]).await.unwrap();
    assert_eq!(f.counts("q"), (1, 0, 1));
    assert_eq!(bodies(&f.receive("q").await), ["at once"]);
    f.pass(5);
    assert_eq!(bodies(&f.receive("q").await), ["by the queue"]);
}

#[tokio::test]
async fn after_too_many_receives_a_message_moves_to_the_dead_letter_queue() {
    let f = Fixture::new();
    f.queue("dead", &[]).await;
    f.queue(
        "q",
        &[
            ("VisibilityTimeout", "0"),
            ("RedrivePolicy", &redrive_to("dead", 2)),
        ],
    )
    .await;
    f.send("q", &["poison"]).await;
    let sent = f.receive("q").await.remove(0).sent;
    f.pass(1);
    assert_eq!(f.receive("q").await[0].receive_count, 2);
    assert!(f.receive("q").await.is_empty());
    assert_eq!((f.counts("q"), f.counts("dead")), ((0, 0, 0), (1, 0, 0)));
    let f = f.reopen();
    let letter = f.receive("dead").await.remove(0);
    assert_eq!(&*letter.body, "poison");
    assert_eq!(letter.sent, sent);
    assert_eq!(letter.receive_count, 3);
    assert_eq!(
        letter.dead_letter_source.as_deref(),
        Some("arn:aws:sqs:us-east-1:000000000000:q")
    );
    let sources = f.engine.queues().dead_letter_sources("dead").unwrap();
    assert_eq!(
        sources
            .iter()
            .map(|queue| queue.name.as_str())
            .collect::<Vec<_>>(),
        ["q"]
    );
}

#[tokio::test]
async fn a_dead_letter_target_must_exist() {
    let f = Fixture::new();
    let attributes = [("RedrivePolicy".to_owned(), redrive_to("nowhere", 2))].into();
    let refused = f.engine.queues().create("q", attributes).await;
    assert!(matches!(
        refused,
        Err(QueueError::InvalidParameterValue {
            name: "RedrivePolicy",
            ..
        })
    ));
}

#[tokio::test]
async fn messages_counts_and_receipts_outlive_a_crash() {
    let f = Fixture::new();
    f.queue("q", &[("VisibilityTimeout", "60")]).await;
    let attribute = engine::MessageAttribute {
        data_type: "Number".to_owned(),
        value: engine::AttributeValue::String("7".to_owned()),
    };
    let first = NewMessage {
        attributes: [("n".to_owned(), attribute.clone())].into(),
        system: [("SenderId".to_owned(), "me".to_owned())].into(),
        ..NewMessage::new("first")
    };
    let second = NewMessage {
        delay: Some(600),
        ..NewMessage::new("second")
    };
    f.engine
        .queues()
        .send("q", vec![first, second])
        .await
        .unwrap();
    let before = f.receive("q").await.remove(0);
    let f = f.reopen();
    assert_eq!(f.counts("q"), (0, 1, 1));
    f.pass(60);
    let after = f.receive("q").await.remove(0);
    assert_eq!(
        (after.message_id, after.sent, after.receive_count),
        (before.message_id, before.sent, 2)
    );
    assert_eq!(after.first_received, before.first_received);
    assert_eq!(after.attributes["n"], attribute);
    assert_eq!(after.system["SenderId"], "me");
    let f = f.reopen();
    f.engine
        .queues()
        .delete_messages("q", &[after.receipt_handle])
        .await
        .unwrap();
    let f = f.reopen();
    assert_eq!(f.counts("q"), (0, 0, 1));
}

#[tokio::test]
async fn old_messages_are_dropped() {
    let f = Fixture::new();
    f.queue("q", &[("MessageRetentionPeriod", "60")]).await;
    f.send("q", &["old"]).await;
    f.pass(59);
    f.send("q", &["young"]).await;
    assert_eq!(
        f.engine.queues().oldest_age("q").unwrap(),
        Some(Duration::from_secs(59))
    );
    f.pass(1);
    assert_eq!(bodies(&f.receive("q").await), ["young"]);
    let f = f.reopen();
    assert_eq!(f.counts("q"), (0, 1, 0));
}

#[tokio::test]
async fn a_repeated_effect_sends_nothing_new() {
    let f = Fixture::new();
    f.queue("q", &[]).await;
    let message = || {
        vec![NewMessage {
            effect: Some("execution 1, task 5".to_owned()),
            ..NewMessage::new("once")
        }]
    };
    let first = f.engine.queues().send("q", message()).await.unwrap();
    let f = f.reopen();
    let second = f.engine.queues().send("q", message()).await.unwrap();
    assert_eq!(first[0].message_id, second[0].message_id);
    assert!(first[0].fresh && !second[0].fresh);
    assert_eq!(f.counts("q"), (1, 0, 0));
}

#[tokio::test]
async fn a_publication_reaches_all_queues_or_none() {
    let f = Fixture::new();
    f.queue("a", &[]).await;
    f.queue("b", &[]).await;
    let to = |names: &[&str]| {
        names
            .iter()
            .map(|name| ((*name).to_owned(), NewMessage::new("news")))
            .collect()
    };
    let queues = f.engine.queues();
    assert!(
        matches!(queues.publish(to(&["a", "gone"])).await, Err(QueueError::QueueDoesNotExist { name }) if name == "gone")
    );
    assert_eq!(f.counts("a"), (0, 0, 0));
    assert_eq!(queues.publish(to(&["a", "b"])).await.unwrap().len(), 2);
    assert_eq!((f.counts("a"), f.counts("b")), ((1, 0, 0), (1, 0, 0)));
}

#[tokio::test]
async fn purge_and_delete_are_durable() {
    let f = Fixture::new();
    f.queue("a", &[]).await;
    f.queue("b", &[]).await;
    f.send("a", &["x"]).await;
    f.send("b", &["x"]).await;
    f.engine.queues().purge("a").await.unwrap();
    f.engine.queues().delete("b").await.unwrap();
    let f = f.reopen();
    assert_eq!(f.counts("a"), (0, 0, 0));
    assert!(matches!(
        f.engine.queues().get("b"),
        Err(QueueError::QueueDoesNotExist { .. })
    ));
    f.queue("b", &[]).await;
    assert_eq!(f.counts("b"), (0, 0, 0));
}

#[tokio::test]
async fn creating_again_needs_the_same_attributes() {
    let f = Fixture::new();
    f.queue("q", &[("VisibilityTimeout", "60")]).await;
    f.queue("q", &[]).await;
    f.queue("q", &[("VisibilityTimeout", "60"), ("DelaySeconds", "0")])
        .await;
    let other = f
        .engine
        .queues()
        .create(
            "q",
            [("VisibilityTimeout".to_owned(), "61".to_owned())].into(),
        )
        .await;
    assert!(
        matches!(other, Err(QueueError::QueueNameExists { attribute }) if attribute == "VisibilityTimeout")
    );
    for name in ["", "a b", "q.fifo", &"x".repeat(81)] {
        assert!(
            f.engine
                .queues()
                .create(name, engine::Attributes::new())
                .await
                .is_err(),
            "{name}"
        );
    }
}

#[tokio::test]
async fn attributes_are_shown_and_set() {
    let f = Fixture::new();
    f.queue("q", &[("Policy", "{}")]).await;
    f.engine
        .queues()
        .set_attributes(
            "q",
            [("VisibilityTimeout".to_owned(), "7".to_owned())].into(),
        )
        .await
        .unwrap();
    f.send("q", &["x"]).await;
    let f = f.reopen();
    let shown = f.engine.queues().attributes("q").unwrap();
    let expected = [
        ("VisibilityTimeout", "7"),
        ("Policy", "{}"),
        ("MessageRetentionPeriod", "345600"),
        ("ApproximateNumberOfMessages", "1"),
        ("CreatedTimestamp", "1700000000"),
        ("QueueArn", "arn:aws:sqs:us-east-1:000000000000:q"),
    ];
    for (name, value) in expected {
        assert_eq!(shown[name], value, "{name}");
    }
}

#[tokio::test]
async fn messages_that_cannot_be_stored_are_refused() {
    let f = Fixture::new();
    f.queue("q", &[("MaximumMessageSize", "1024")]).await;
    let send = async |body: &str| {
        f.engine
            .queues()
            .send("q", vec![NewMessage::new("fine"), NewMessage::new(body)])
            .await
    };
    assert!(matches!(
        send("").await,
        Err(QueueError::InvalidParameterValue {
            name: "MessageBody",
            ..
        })
    ));
    assert!(matches!(
        send(&"x".repeat(1025)).await,
        Err(QueueError::MessageTooLong { limit: 1024 })
    ));
    assert!(matches!(
        send("a\u{1}b").await,
        Err(QueueError::InvalidMessageContents)
    ));
    assert_eq!(f.counts("q"), (0, 0, 0));
    send(&"x".repeat(1024)).await.unwrap();
}

#[tokio::test]
async fn a_receiver_that_ends_with_the_process_leaves_its_messages_visible() {
    let f = Fixture::new();
    f.queue("q", &[("VisibilityTimeout", "600")]).await;
    f.send("q", &["ours", "theirs"]).await;
    for in_process in [true, false] {
        let request = Receive {
            in_process,
            ..Receive::default()
        };
        let received = f.engine.queues().receive("q", request).await.unwrap();
        assert_eq!(received.len(), 1);
    }
    assert_eq!(f.counts("q"), (0, 2, 0));
    let f = f.reopen();
    let again = f.receive("q").await;
    assert_eq!(bodies(&again), ["ours"]);
    assert_eq!(again[0].receive_count, 2, "the first receive counts");
}

/// More text than is kept in memory: everything comes out as it went in, before and after a restart.
#[tokio::test]
async fn a_backlog_larger_than_memory_is_received_in_full() {
    const LARGE: usize = 1024 * 1024;
    let f = Fixture::new();
    f.queue("q", &[]).await;
    let text = |n: usize| format!("{n} {}", "x".repeat(LARGE - 10));
    for n in 0..40 {
        let message = vec![NewMessage::new(text(n))];
        f.engine.queues().send("q", message).await.unwrap();
    }
    let take = async |f: &Fixture, from: usize| {
        let request = Receive {
            max: 10,
            ..Receive::default()
        };
        for ten in 0..2 {
            let received = f.engine.queues().receive("q", request).await.unwrap();
            for (n, message) in received.iter().enumerate() {
                assert!(
                    *message.body == *text(from + ten * 10 + n),
                    "{from} {ten} {n}"
                );
            }
            assert_eq!(received.len(), 10);
            let handles: Vec<_> = received.into_iter().map(|it| it.receipt_handle).collect();
            f.engine
                .queues()
                .delete_messages("q", &handles)
                .await
                .unwrap();
        }
    };
    take(&f, 0).await;
    let f = f.crash();
    take(&f, 20).await;
    assert_eq!(
        f.engine.queues().counts("q").unwrap(),
        engine::Counts::default()
    );
}

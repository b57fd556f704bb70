//! Queues that feed functions.

use std::collections::BTreeMap;

use aws_local::lambda::{Changes, Lambda, NewMapping};
use engine::{Counts, NewMessage};
use serde_json::{Value, json};

use super::local::{Local, Meeting, eventually};

const EMPTY: Counts = Counts {
    visible: 0,
    in_flight: 0,
    delayed: 0,
};

impl Local {
    /// A queue whose failed messages come again after a second, twice, then go to `dead`; and a function fed by it.
    async fn fed(settings: Changes) -> Local {
        let local = Local::open().await;
        local.function("f", |config| {
            config.timeout = std::time::Duration::from_secs(1)
        });
        let attributes = |list: &[(&str, &str)]| -> BTreeMap<String, String> {
            list.iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect()
        };
        local
            .engine
            .queues()
            .create("dead", BTreeMap::new())
            .await
            .unwrap();
        let policy = r#"{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:dead","maxReceiveCount":"2"}"#;
        let queue = attributes(&[("VisibilityTimeout", "1"), ("RedrivePolicy", policy)]);
        local.engine.queues().create("q", queue).await.unwrap();
        local.lambda.put_mapping(mapping(settings)).await.unwrap();
        local
    }

    async fn send(&self, messages: impl IntoIterator<Item = Value>) {
        let messages = messages
            .into_iter()
            .map(|body| NewMessage::new(body.to_string()))
            .collect();
        self.engine.queues().send("q", messages).await.unwrap();
    }

    fn counts(&self, queue: &str) -> Counts {
        self.engine.queues().counts(queue).unwrap()
    }
}

fn mapping(settings: Changes) -> NewMapping {
    NewMapping {
        event_source_arn: "arn:aws:sqs:us-east-1:000000000000:q".to_owned(),
        function_name: "f".to_owned(),
        settings,
    }
}

fn reporting() -> Changes {
    Changes {
        report_item_failures: Some(true),
        ..Changes::default()
    }
}

#[tokio::test]
async fn messages_are_worked_on_and_deleted() {
    let local = Local::fed(reporting()).await;
    local.send((0..35).map(|n| json!({ "n": n }))).await;
    eventually("the queue is empty", async || local.counts("q") == EMPTY).await;
    assert_eq!(local.counts("dead"), EMPTY);
    local.lambda.shutdown().await;
}

#[tokio::test]
async fn only_what_failed_comes_again_and_ends_as_a_dead_letter() {
    let local = Local::fed(reporting()).await;
    local
        .send([json!({ "do": "fail item" }), json!({}), json!({})])
        .await;
    eventually("the failed message is dead", async || {
        local.counts("dead").visible == 1
    })
    .await;
    assert_eq!(local.counts("q"), EMPTY);
    local.lambda.shutdown().await;
}

#[tokio::test]
async fn a_failed_or_misunderstood_batch_comes_again_as_a_whole() {
    for what in ["fail batch", "answer rubbish"] {
        // The window makes one batch of both, each time.
        let local = Local::fed(Changes {
            batch_size: Some(2),
            window: Some(300),
            ..reporting()
        })
        .await;
        local.send([json!({}), json!({ "do": what })]).await;
        eventually("both are dead", async || local.counts("dead").visible == 2).await;
        assert_eq!(local.counts("q"), EMPTY);
        local.lambda.shutdown().await;
    }
}

#[tokio::test]
async fn without_reporting_an_answer_means_success() {
    let local = Local::fed(Changes::default()).await;
    local.send([json!({ "do": "fail item" })]).await;
    eventually("the queue is empty", async || local.counts("q") == EMPTY).await;
    assert_eq!(local.counts("dead"), EMPTY);
    local.lambda.shutdown().await;
}

#[tokio::test]
async fn a_mapping_takes_no_more_than_it_may_work_on() {
    let settings = Changes {
        batch_size: Some(1),
        maximum_concurrency: Some(Some(2)),
        ..reporting()
    };
    let local = Local::fed(settings).await;
    local.function("f", |_| {});
    let meeting = Meeting::new().await;
    local
        .send((0..4).map(|_| json!({ "port": meeting.port() })))
        .await;
    let pair = [meeting.guest().await, meeting.guest().await];
    assert_eq!(
        local.counts("q"),
        Counts {
            visible: 2,
            in_flight: 2,
            delayed: 0
        }
    );
    for guest in pair {
        guest.go("").await;
    }
    for _ in 0..2 {
        let guest = meeting.guest().await;
        assert_eq!(guest.name, "1", "received for the first time");
        guest.go("").await;
    }
    eventually("the queue is empty", async || local.counts("q") == EMPTY).await;
    local.lambda.shutdown().await;
}

#[tokio::test]
async fn a_window_gathers_a_batch() {
    let local = Local::fed(Changes {
        batch_size: Some(12),
        window: Some(300),
        ..reporting()
    })
    .await;
    let meeting = Meeting::new().await;
    // Only a full batch ends a window of five minutes.
    local.send((0..11).map(|_| json!({}))).await;
    local.send([json!({ "port": meeting.port() })]).await;
    meeting.guest().await.go("").await;
    eventually("the queue is empty", async || local.counts("q") == EMPTY).await;
    local.lambda.shutdown().await;
}

#[tokio::test]
async fn a_disabled_mapping_rests_and_a_restarted_one_waits_for_its_function() {
    let local = Local::fed(Changes {
        enabled: Some(false),
        ..reporting()
    })
    .await;
    local.send([json!({})]).await;
    local
        .lambda
        .put_mapping(mapping(Changes {
            enabled: Some(true),
            ..Changes::default()
        }))
        .await
        .unwrap();
    eventually("the queue is empty", async || local.counts("q") == EMPTY).await;
    local.lambda.shutdown().await;

    local.send([json!({})]).await;
    let lambda = Lambda::open(&local.engine, Default::default())
        .await
        .unwrap();
    assert_eq!(
        local.counts("q").visible,
        1,
        "nobody takes messages for a function that is not there"
    );
    let local = Local { lambda, ..local };
    local.function("f", |_| {});
    eventually("the queue is empty", async || local.counts("q") == EMPTY).await;
    local.lambda.shutdown().await;
}

//! A disk that becomes full under load: clear refusals, nothing acknowledged is lost, and as soon as there is room everything
//! goes on, in the same process.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_sdk_sfn::config::http::HttpResponse;
use aws_sdk_sfn::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sfn::types::ExecutionStatus;
use serde_json::{Value, json};

use crate::harness::{SKU, SmallDisk, Up, eventually};

/// Clients send to it.
const MAIL: &str = "room";
/// Gets what is published.
const NEWS: &str = "room_news";
const DISK: &str = "size=48m";
/// Done by each client before the disk is filled, and once more after there is room.
const SOME: usize = 20;
/// Refusals that each client must see meanwhile.
const REFUSALS: usize = 3;
/// Between two requests of a client: the disk is to be filled by the balloon, not by them.
const PACE: Duration = Duration::from_millis(5);

/// What one client was told.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Answers>>);

#[derive(Default)]
struct Answers {
    /// What was acknowledged.
    done: BTreeSet<String>,
    /// What was refused, and how.
    refused: Vec<(String, Refusal)>,
}

/// The status, and the AWS error or what stands for it in the Sales API.
type Refusal = (u16, String);

impl Told {
    /// Each refusal was one of these.
    fn assert_refused_as(&self, expected: (u16, &str)) {
        for (what, (status, code)) in &self.note().refused {
            assert_eq!((*status, code.as_str()), expected, "{what}");
        }
    }

    fn note(&self) -> MutexGuard<'_, Answers> {
        self.0.lock().unwrap()
    }

    fn done(&self) -> usize {
        self.note().done.len()
    }

    fn refused(&self) -> usize {
        self.note().refused.len()
    }
}

/// Does something with `PREFIX-0`, `PREFIX-1`, … until there is an end to it.
async fn client(
    prefix: &str,
    told: &Told,
    end: &AtomicBool,
    act: impl AsyncFn(String) -> Result<(), Refusal>,
) {
    let mut n = 0;
    while !end.load(Ordering::Relaxed) {
        let what = format!("{prefix}-{n}");
        n += 1;
        match act(what.clone()).await {
            Ok(()) => drop(told.note().done.insert(what)),
            Err(refusal) => told.note().refused.push((what, refusal)),
        }
        tokio::time::sleep(PACE).await;
    }
}

/// A file that takes all the room there is.
struct Balloon(PathBuf);

impl Balloon {
    /// Takes what has become free meanwhile, too.
    fn fill(&self) {
        let mut file = File::options()
            .create(true)
            .append(true)
            .open(&self.0)
            .unwrap();
        for size in [64 * 1024, 1024] {
            while file.write_all(&vec![0; size]).is_ok() {}
        }
    }

    fn let_go(self) {
        std::fs::remove_file(self.0).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_is_full_for_a_while_loses_nothing() {
    let Some(disk) = SmallDisk::new(DISK).await else {
        return;
    };
    let balloon = Balloon(disk.outside().join("balloon"));
    let mut up = Up::start_on(Some(disk), &[]).await;
    let sdk = up.sdk().await.into_builder();
    let sdk = sdk.retry_config(RetryConfig::disabled()).build();
    let sfn = aws_sdk_sfn::Client::new(&sdk);
    let sqs = aws_sdk_sqs::Client::new(&sdk);
    let sns = aws_sdk_sns::Client::new(&sdk);
    let machine = machine(&sfn).await;
    for queue in [MAIL, NEWS] {
        sqs.create_queue().queue_name(queue).send().await.unwrap();
    }
    let topic = topic(&sns).await;

    let [starts, sends, news, sales] = [(); 4].map(|()| Told::default());
    let all = [&starts, &sends, &news, &sales];
    let end = AtomicBool::new(false);
    let story = async {
        eventually("some of everything", async || {
            all.iter().all(|it| it.done() >= SOME).then_some(())
        })
        .await;
        eventually("refusals of everything", async || {
            balloon.fill();
            all.iter().all(|it| it.refused() >= REFUSALS).then_some(())
        })
        .await;
        // Whoever only looks is served.
        let there = starts.note().done.first().cloned().unwrap();
        let described = sfn
            .describe_execution()
            .execution_arn(execution(&machine, &there));
        assert_eq!(
            described.send().await.unwrap().status,
            ExecutionStatus::Succeeded
        );
        assert_eq!(up.get(&format!("/products/{SKU}")).await.0, 200);

        balloon.let_go();
        let before = all.map(Told::done);
        eventually("more of everything", async || {
            let more = all
                .iter()
                .zip(before)
                .all(|(it, before)| it.done() >= before + SOME);
            more.then_some(())
        })
        .await;
        end.store(true, Ordering::Relaxed);
    };
    let start = async |name| {
        let start = sfn.start_execution().state_machine_arn(&machine).name(name);
        answered(start.send().await)
    };
    let send = async |text| {
        let send = sqs.send_message().queue_url(up.queue_url(MAIL));
        answered(send.message_body(text).send().await)
    };
    let publish = async |text| {
        let publish = sns.publish().topic_arn(&topic).message(text);
        answered(publish.send().await)
    };
    let checkout = async |key: String| buy(&up, &key).await.map(drop);
    futures::join!(
        story,
        client("start", &starts, &end, start),
        client("send", &sends, &end, send),
        client("news", &news, &end, publish),
        client("sale", &sales, &end, checkout),
    );

    starts.assert_refused_as((503, "ServiceUnavailableException"));
    sends.assert_refused_as((503, "ServiceUnavailable"));
    news.assert_refused_as((503, "ServiceUnavailable"));
    sales.assert_refused_as((503, "retry later"));

    // What stands is on the disk.
    up.leave_disk();
    up.restart().await;
    stand(&up, &machine, &starts).await;
    assert_eq!(texts(&up, MAIL).await, sends.note().done);
    assert_eq!(texts(&up, NEWS).await, news.note().done);
    let sold = sales.note().done.clone();
    for key in &sold {
        assert_eq!(buy(&up, key).await.unwrap()["outcome"], "sold");
    }
    let books = up.assert_books().await;
    assert_eq!(books.items_sold, i64::try_from(sold.len()).unwrap());
}

/// Each acknowledged execution is there, and none of those that were refused.
async fn stand(up: &Up, machine: &str, starts: &Told) {
    let sfn = up.sfn().await;
    let (done, refused) = {
        let told = starts.note();
        let refused: BTreeSet<_> = told.refused.iter().map(|(name, _)| name.clone()).collect();
        (told.done.clone(), refused)
    };
    let status = async |name: &String| {
        let describe = sfn
            .describe_execution()
            .execution_arn(execution(machine, name));
        match describe.send().await {
            Ok(described) => Ok(described.status),
            Err(error) => Err(error.code().unwrap().to_owned()),
        }
    };
    for name in &done {
        assert_eq!(status(name).await, Ok(ExecutionStatus::Succeeded), "{name}");
    }
    for name in &refused {
        assert_eq!(
            status(name).await,
            Err("ExecutionDoesNotExist".to_owned()),
            "{name}"
        );
    }
}

fn execution(machine: &str, name: &str) -> String {
    format!(
        "{}:{name}",
        machine.replace(":stateMachine:", ":execution:")
    )
}

async fn machine(sfn: &aws_sdk_sfn::Client) -> String {
    let definition = r#"{"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}}"#;
    let create = sfn
        .create_state_machine()
        .name("room")
        .definition(definition);
    let create = create.role_arn("arn:aws:iam::000000000000:role/room");
    create.send().await.unwrap().state_machine_arn
}

/// A topic whose messages go to the queue [`NEWS`].
async fn topic(sns: &aws_sdk_sns::Client) -> String {
    let topic = sns.create_topic().name("room").send().await.unwrap();
    let topic = topic.topic_arn.unwrap();
    let subscribe = sns.subscribe().topic_arn(&topic).protocol("sqs");
    let subscribe = subscribe.endpoint(format!("arn:aws:sqs:us-east-1:000000000000:{NEWS}"));
    let subscribe = subscribe.attributes("RawMessageDelivery", "true");
    subscribe.send().await.unwrap();
    topic
}

/// Buys one item.
async fn buy(up: &Up, key: &str) -> Result<Value, Refusal> {
    let request = up.http.post(format!("{}/checkout", up.api()));
    let request = request.header("Idempotency-Key", key);
    let request = request.json(&json!({"product_id": SKU, "quantity": 1}));
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    if status == 200 {
        return Ok(answer.json().await.unwrap());
    }
    let later = answer.headers().contains_key("retry-after");
    Err((
        status,
        if later { "retry later" } else { "never" }.to_owned(),
    ))
}

/// Takes all messages out of a queue; each is there once.
async fn texts(up: &Up, queue: &str) -> BTreeSet<String> {
    let sqs = up.sqs().await;
    let mut texts = BTreeSet::new();
    loop {
        let receive = sqs.receive_message().queue_url(up.queue_url(queue));
        let receive = receive.max_number_of_messages(10).visibility_timeout(600);
        let received = receive.send().await.unwrap().messages.unwrap_or_default();
        if received.is_empty() {
            return texts;
        }
        for message in received {
            assert!(
                texts.insert(message.body.unwrap()),
                "a message is there twice"
            );
        }
    }
}

fn answered<T, E: ProvideErrorMetadata>(
    answer: Result<T, SdkError<E, HttpResponse>>,
) -> Result<(), Refusal> {
    answer.map(drop).map_err(|error| {
        let status = error.raw_response().map_or(0, |it| it.status().as_u16());
        (status, error.code().unwrap_or("none").to_owned())
    })
}

#[tokio::test]
async fn the_log_alone_does_not_fill_a_small_disk() {
    // Much less than the log is allowed elsewhere, and than goes through it here.
    let Some(disk) = SmallDisk::new("size=32m").await else {
        return;
    };
    let up = Up::start_on(Some(disk), &[]).await;
    let sqs = up.sqs().await;
    sqs.create_queue().queue_name(MAIL).send().await.unwrap();
    let text = "x".repeat(200_000);
    for _ in 0..250 {
        let send = sqs.send_message().queue_url(up.queue_url(MAIL));
        send.message_body(&text).send().await.unwrap();
        let receive = sqs.receive_message().queue_url(up.queue_url(MAIL));
        let received = receive.send().await.unwrap().messages.unwrap();
        let delete = sqs.delete_message().queue_url(up.queue_url(MAIL));
        let handle = received[0].receipt_handle.as_deref().unwrap();
        delete.receipt_handle(handle).send().await.unwrap();
    }
}

#[tokio::test]
async fn a_disk_that_cannot_be_written_is_refused_at_the_start() {
    let Some(disk) = SmallDisk::new("ro").await else {
        return;
    };
    let log = tempfile::NamedTempFile::new().unwrap();
    let data = disk.inside().join("data");
    let args = [
        "up",
        "--api",
        "127.0.0.1:0",
        "--aws",
        "127.0.0.1:0",
        "--data-dir",
        data.to_str().unwrap(),
    ];
    let mut process = disk.restock(&args, log.path());
    let status = eventually("the end of what cannot start", async || {
        process.0.try_wait().unwrap()
    })
    .await;
    assert!(!status.success());
    let said = std::fs::read_to_string(log.path()).unwrap();
    assert!(
        said.contains(data.to_str().unwrap()) && said.contains("Read-only file system"),
        "{said}"
    );
}

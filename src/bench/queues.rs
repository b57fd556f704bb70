//! SQS over HTTP, in batches of ten messages of one kibibyte.

use serde_json::{Value, json};

use super::load::{Client, Connection, LoadError, load};
use super::start::clients;
use super::{BenchError, Figure, Plan, in_step};
use crate::demo::Child;

const CONNECTIONS: usize = 16;
const GOAL: f64 = 10_000.0;

pub(super) async fn measure(plan: Plan) -> Result<Vec<Figure>, BenchError> {
    let time = plan.time;
    let rows = tokio::task::spawn_blocking(move || engine::measure::raw_rows(1024, time))
        .await
        .map_err(in_step("yardstick"))?
        .map_err(in_step("yardstick"))?;
    let folder = tempfile::tempdir()?;
    let child = Child::start(folder.path(), None, None).await?;
    let mut first = Connection::open(child.aws()).await?;
    let created = first
        .aws(
            "AmazonSQS.CreateQueue",
            json!({"QueueName": "bench"}).to_string(),
        )
        .await?;
    let created: Value = serde_json::from_slice(&created).map_err(in_step("CreateQueue"))?;
    let url = created["QueueUrl"].as_str().unwrap_or_default().to_owned();

    let body = "x".repeat(1024);
    let entries: Vec<_> = (0..10)
        .map(|n| json!({"Id": n.to_string(), "MessageBody": body}))
        .collect();
    let send = Send(json!({"QueueUrl": url, "Entries": entries}).to_string());
    let sent = load(child.aws(), plan.time, clients(&send, CONNECTIONS)).await?;
    let take = Take { queue: url };
    let taken = load(child.aws(), plan.time, clients(&take, CONNECTIONS)).await?;
    child.stop().await?;
    Ok(vec![
        Figure::new(
            "SQS: messages sent by ten, 16 connections",
            sent.rate(),
            "/s",
        )
        .at_least(GOAL)
        .beside("raw rows of 1 KiB", rows),
        Figure::new(
            "SQS: messages received and deleted by ten, 16 connections",
            taken.rate(),
            "/s",
        )
        .at_least(GOAL)
        .beside("raw rows of 1 KiB", rows),
    ])
}

#[derive(Clone)]
struct Send(String);

impl Client for Send {
    async fn turn(&mut self, connection: &mut Connection) -> Result<u64, LoadError> {
        connection
            .aws("AmazonSQS.SendMessageBatch", self.0.clone())
            .await
            .map(|_| 10)
    }
}

#[derive(Clone)]
struct Take {
    queue: String,
}

impl Client for Take {
    async fn turn(&mut self, connection: &mut Connection) -> Result<u64, LoadError> {
        let receive = json!({"QueueUrl": self.queue, "MaxNumberOfMessages": 10}).to_string();
        let received = connection.aws("AmazonSQS.ReceiveMessage", receive).await?;
        let received: Value = serde_json::from_slice(&received).unwrap_or_default();
        let entry = |(n, message): (usize, &Value)| json!({"Id": n.to_string(), "ReceiptHandle": message["ReceiptHandle"]});
        let messages = received["Messages"]
            .as_array()
            .map_or(&[][..], Vec::as_slice);
        let entries: Vec<_> = messages.iter().enumerate().map(entry).collect();
        // An empty queue is asked again, and counts for nothing.
        if entries.is_empty() {
            return Ok(0);
        }
        let delete = json!({"QueueUrl": self.queue, "Entries": entries}).to_string();
        connection
            .aws("AmazonSQS.DeleteMessageBatch", delete)
            .await?;
        Ok(entries.len() as u64)
    }
}

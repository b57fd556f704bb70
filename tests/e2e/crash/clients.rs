//! The load: each client does one thing over and over, notes what is acknowledged, and ends with its first error, which is
//! the kill.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_sdk_sfn::error::ProvideErrorMetadata as _;
use aws_sdk_sqs::types::Message;
use futures::future::join_all;
use serde_json::{Value, json};

use super::facts::{Checkout, Facts};
use super::stage::{MAIL, Stage, TOKENS};
use crate::harness::{SKU, Up};

/// Lets all clients loose, and kills the installation after this long.
pub(super) async fn until_killed(
    up: &mut Up,
    stage: &Stage,
    facts: &Facts,
    round: u32,
    after: Duration,
) {
    facts.note().fresh.clear();
    let client = Client::new(up, facts, format!("r{round}")).await;
    let mut running = Vec::new();
    for n in 0..3 {
        let client = client.named(format!("buyer{n}"));
        running.push(tokio::spawn(async move { client.buy().await }));
    }
    for machine in [
        &stage.pass,
        &stage.wait,
        &stage.ask,
        &stage.nest,
        &stage.map,
    ] {
        let (machine, name) = (machine.clone(), machine.rsplit(':').next().unwrap());
        let client = client.named(name.to_owned());
        running.push(tokio::spawn(async move { client.start(&machine).await }));
    }
    for n in 0..2 {
        let client = client.named(format!("mail{n}"));
        running.push(tokio::spawn(async move { client.mail().await }));
    }
    let (stopping, machine) = (client.named("stopper".to_owned()), stage.stopped.clone());
    running.push(tokio::spawn(async move { stopping.stop(&machine).await }));
    let answering = client.named("answerer".to_owned());
    running.push(tokio::spawn(async move { answering.answer().await }));
    let (publishing, topic) = (client.named("news".to_owned()), stage.topic.clone());
    running.push(tokio::spawn(
        async move { publishing.publish(&topic).await },
    ));

    tokio::time::sleep(after).await;
    up.kill();
    for ended in join_all(running).await {
        ended.unwrap();
    }
}

/// Answers what waits, until everything is answered or the installation is gone. For the end, when all must come to rest.
pub(super) async fn answer_all(up: &Up, facts: &Facts) {
    let client = Client::new(up, facts, "end".to_owned()).await;
    while client.answer_some(0).await == Some(true) {}
}

#[derive(Clone)]
struct Client {
    name: String,
    facts: Facts,
    api: String,
    queues: String,
    http: reqwest::Client,
    sfn: aws_sdk_sfn::Client,
    sqs: aws_sdk_sqs::Client,
    sns: aws_sdk_sns::Client,
}

impl Client {
    async fn new(up: &Up, facts: &Facts, name: String) -> Client {
        // A request that is repeated by the SDK would count twice by right.
        let sdk: SdkConfig = up
            .sdk()
            .await
            .into_builder()
            .retry_config(RetryConfig::disabled())
            .build();
        Client {
            name,
            facts: facts.clone(),
            api: up.api().to_owned(),
            queues: up.queue_url(""),
            http: up.http.clone(),
            sfn: aws_sdk_sfn::Client::new(&sdk),
            sqs: aws_sdk_sqs::Client::new(&sdk),
            sns: aws_sdk_sns::Client::new(&sdk),
        }
    }

    fn named(&self, part: String) -> Client {
        Client {
            name: format!("{}-{part}", self.name),
            ..self.clone()
        }
    }

    async fn buy(&self) {
        for n in 0_u64.. {
            let key = format!("{}-{n}", self.name);
            let body = match n % 20 {
                7 => json!({"product_id": SKU, "quantity": 100 + n, "customer_id": "CU-1"}),
                13 => json!({"product_id": SKU, "quantity": 1, "customer_id": "CU-2"}),
                _ => json!({"product_id": SKU, "quantity": 1 + n % 3}),
            };
            let tried = Checkout {
                body: body.clone(),
                answer: None,
            };
            self.facts.note().checkouts.insert(key.clone(), tried);
            let request = self.http.post(format!("{}/checkout", self.api));
            let request = request.header("Idempotency-Key", &key).json(&body);
            let Ok(answer) = request.send().await else {
                return;
            };
            // Not possible right now is an answer too: it may be tried again.
            if answer.status() == 503 {
                continue;
            }
            assert_eq!(answer.status(), 200, "checkout {key}");
            let Ok(answer) = answer.json::<Value>().await else {
                return;
            };
            let mut facts = self.facts.note();
            facts.checkouts.get_mut(&key).unwrap().answer = Some(answer);
        }
    }

    async fn start(&self, machine: &str) {
        let asks = machine.ends_with("ask");
        for n in 0.. {
            let input = json!({ "n": n });
            let start = self.sfn.start_execution().state_machine_arn(machine);
            let start = start
                .name(format!("{}-{n}", self.name))
                .input(input.to_string());
            match start.send().await {
                Ok(started) => {
                    let mut facts = self.facts.note();
                    facts.fresh.push(started.execution_arn.clone());
                    facts
                        .started
                        .insert(started.execution_arn, (!asks).then_some(input));
                }
                Err(error) => return refused_only_by_death(error.code(), &self.name),
            }
        }
    }

    /// Starts executions and stops them, sooner or later.
    async fn stop(&self, machine: &str) {
        for n in 0_u64.. {
            let start = self.sfn.start_execution().state_machine_arn(machine);
            let started = match start.name(format!("{}-{n}", self.name)).send().await {
                Ok(started) => started.execution_arn,
                Err(error) => return refused_only_by_death(error.code(), &self.name),
            };
            tokio::time::sleep(Duration::from_millis(n % 4 * 10)).await;
            let stop = self.sfn.stop_execution().execution_arn(&started);
            match stop.send().await {
                Ok(_) => self.facts.note().stopped.insert(started),
                Err(error) => return refused_only_by_death(error.code(), &started),
            };
        }
    }

    async fn answer(&self) {
        while self.answer_some(1).await.is_some() {}
    }

    /// Whether there was something to answer; nothing if the installation is gone.
    async fn answer_some(&self, wait: i32) -> Option<bool> {
        let messages = self.receive(TOKENS, wait).await?;
        for message in &messages {
            let body: Value = serde_json::from_str(message.body.as_deref().unwrap()).unwrap();
            let execution = body["execution"].as_str().unwrap();
            let answer = json!({"answered": self.name, "execution": execution});
            let success = self.sfn.send_task_success().output(answer.to_string());
            match success
                .task_token(body["token"].as_str().unwrap())
                .send()
                .await
            {
                Ok(_) => {
                    let before = self
                        .facts
                        .note()
                        .answered
                        .insert(execution.to_owned(), answer);
                    assert!(before.is_none(), "{execution} took a second answer");
                }
                // An answer that was recorded just before a kill, and not acknowledged.
                Err(error) if error.code() == Some("TaskTimedOut") => {}
                Err(error) => {
                    refused_only_by_death(error.code(), execution);
                    return None;
                }
            }
            self.delete(TOKENS, message).await?;
        }
        Some(!messages.is_empty())
    }

    async fn mail(&self) {
        for n in 0.. {
            let text = format!("{}-{n}", self.name);
            let send = self.sqs.send_message().queue_url(self.queue(MAIL));
            match send.message_body(&text).send().await {
                Ok(_) => self.facts.note().sent.insert(text),
                Err(error) => return refused_only_by_death(error.code(), &text),
            };
            // Two of three go again, so that some stay.
            if n % 3 == 0 {
                continue;
            }
            let Some(messages) = self.receive(MAIL, 0).await else {
                return;
            };
            for message in messages.iter().take(1) {
                let text = message.body.clone().unwrap();
                self.facts.note().deleting.insert(text.clone());
                if self.delete(MAIL, message).await.is_none() {
                    return;
                }
                self.facts.note().deleted.insert(text);
            }
        }
    }

    async fn publish(&self, topic: &str) {
        for n in 0.. {
            let text = format!("{}-{n}", self.name);
            let publish = self.sns.publish().topic_arn(topic).message(&text);
            match publish.send().await {
                Ok(_) => self.facts.note().published.insert(text),
                Err(error) => return refused_only_by_death(error.code(), &text),
            };
        }
    }

    async fn receive(&self, queue: &str, wait: i32) -> Option<Vec<Message>> {
        let receive = self.sqs.receive_message().queue_url(self.queue(queue));
        let receive = receive.max_number_of_messages(10).wait_time_seconds(wait);
        match receive.send().await {
            Ok(received) => Some(received.messages.unwrap_or_default()),
            Err(error) => {
                refused_only_by_death(error.code(), queue);
                None
            }
        }
    }

    async fn delete(&self, queue: &str, message: &Message) -> Option<()> {
        let delete = self.sqs.delete_message().queue_url(self.queue(queue));
        let delete = delete.receipt_handle(message.receipt_handle.as_deref().unwrap());
        match delete.send().await {
            Ok(_) => Some(()),
            Err(error) => {
                refused_only_by_death(error.code(), queue);
                None
            }
        }
    }

    fn queue(&self, name: &str) -> String {
        format!("{}{name}", self.queues)
    }
}

/// A dead process sends no error code.
fn refused_only_by_death(code: Option<&str>, what: &str) {
    assert_eq!(code, None, "{what} was refused");
}

//! What must be true of the facts: after each kill the quick part, with everything at rest all of it.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_sfn::types::{ExecutionStatus, HistoryEventType};
use futures::{StreamExt as _, stream};
use serde_json::Value;

use super::clients;
use super::facts::Facts;
use super::stage::{MAIL, NEWS, Stage, TOKENS};
use crate::harness::{REORDER, Up, eventually};
use crate::kill::assert_dense;

/// Questions asked at the same time.
const AT_ONCE: usize = 8;

/// Right after a restart: what was acknowledged before the kill is there.
pub(super) async fn round(up: &Up, facts: &Facts) {
    let fresh = facts.note().fresh.clone();
    let sfn = up.sfn().await;
    each(fresh, async |arn| {
        let describe = sfn.describe_execution().execution_arn(&arn);
        let described = describe
            .send()
            .await
            .unwrap_or_else(|e| panic!("{arn}: {e:?}"));
        assert!(
            matches!(
                described.status,
                ExecutionStatus::Running | ExecutionStatus::Succeeded
            ),
            "{described:?}"
        );
    })
    .await;
}

/// Everything, once nothing moves any more.
pub(super) async fn all(up: &Up, stage: &Stage, facts: &Facts) {
    sales(up, facts).await;
    // On a very slow machine nobody may have come to it: at least one delivery is part of every run.
    up.buy(100_000).await;
    let sent = texts(up, MAIL).await;
    let news = texts(up, NEWS).await;
    messages(facts, &sent, &news);
    eventually("the end of all executions", async || {
        clients::answer_all(up, facts).await;
        let mut running = 0;
        for machine in stage.machines() {
            running += arns(up, machine, Some(ExecutionStatus::Running))
                .await
                .len();
        }
        let tokens = up.depth(TOKENS).await;
        (running == 0 && tokens == 0).then_some(())
    })
    .await;
    eventually("the end of the shop's executions", async || {
        operators_at_work(up).await;
        let mut running = 0;
        for machine in [REORDER, &vip()] {
            running += arns(up, machine, Some(ExecutionStatus::Running))
                .await
                .len();
        }
        (running == 0).then_some(())
    })
    .await;
    up.settle().await;
    swept(up).await;
    let books = up.assert_books().await;
    assert!(books.arrivals > 0, "no delivery was part of this run");
    executions(up, facts).await;
    let succeeded = ExecutionStatus::Succeeded;
    let parents = arns(up, &stage.nest, Some(succeeded.clone())).await;
    let children = nested(up, parents).await;
    let all: BTreeSet<String> = arns(up, &stage.child, None).await.into_iter().collect();
    let ended: BTreeSet<String> = arns(up, &stage.child, Some(succeeded))
        .await
        .into_iter()
        .collect();
    for (parent, child) in &children {
        let child = child
            .as_ref()
            .unwrap_or_else(|| panic!("{parent} has no nested execution"));
        assert!(
            ended.contains(child),
            "{child} of {parent} has not succeeded"
        );
    }
    let of_parents: BTreeSet<String> = children.into_values().flatten().collect();
    assert_eq!(
        of_parents, all,
        "each has its own nested execution, and there are no others"
    );
    stops(up, stage, facts).await;
    for machine in stage.machines().into_iter().chain([REORDER, &vip()]) {
        let all = arns(up, machine, None).await;
        each(all, async |arn| history(up, &arn).await).await;
    }
    bulk_orders(up, facts).await;
}

/// Every delivery is counted. What a kill left between its record and its count is for the sweep, which takes what is a
/// minute old; here it need not wait for its schedule.
async fn swept(up: &Up) {
    let lambda = aws_sdk_lambda::Client::new(&up.sdk().await);
    eventually("the count of every delivery", async || {
        if up.books().await.arrivals_waiting == 0 {
            return Some(());
        }
        let payload = aws_sdk_lambda::primitives::Blob::new(r#"{"sweep":true}"#);
        let sweep = lambda
            .invoke()
            .function_name("factory_callback")
            .payload(payload);
        sweep.send().await.unwrap();
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        None
    })
    .await;
}

/// What was received too often, as its receivers were killed too often, lies in a dead-letter queue, and a task that failed for
/// good for the same reason is parked in one. Nothing is lost there: operators send it back and replay it.
async fn operators_at_work(up: &Up) {
    let sqs = up.sqs().await;
    let listed = sqs.list_queues().send().await.unwrap().queue_urls;
    for dead in listed
        .unwrap_or_default()
        .iter()
        .filter(|url| url.ends_with("_dlq"))
    {
        loop {
            let received = sqs.receive_message().queue_url(dead).send().await.unwrap();
            let Some(message) = received.messages.unwrap_or_default().into_iter().next() else {
                break;
            };
            let text = message.body.unwrap();
            let body: Value = serde_json::from_str(&text).unwrap();
            eprintln!(
                "in {dead}: {} {}",
                body["execution"], body["failed"]["error"]
            );
            match body["token"].as_str() {
                Some(token) => {
                    let replay = up.sfn().await.send_task_success();
                    // As a repeated replay: the first one counts.
                    let _ = replay.task_token(token).output("{}").send().await;
                }
                None => {
                    let back = sqs.send_message().queue_url(dead.trim_end_matches("_dlq"));
                    back.message_body(text).send().await.unwrap();
                }
            }
            let delete = sqs.delete_message().queue_url(dead);
            let handle = message.receipt_handle.unwrap();
            delete.receipt_handle(handle).send().await.unwrap();
        }
    }
}

/// Each checkout asked for once more under its key gives the acknowledged answer, and the books hold.
async fn sales(up: &Up, facts: &Facts) {
    let checkouts = facts.note().checkouts.clone();
    each(checkouts.into_iter().collect(), async |(key, checkout)| {
        let again = eventually("an answer to a checkout", async || {
            let request = up.http.post(format!("{}/checkout", up.api()));
            let request = request.header("Idempotency-Key", &key).json(&checkout.body);
            let answer = request.send().await.unwrap();
            (answer.status() != 503).then_some(answer)
        })
        .await;
        assert_eq!(again.status(), 200, "{key}");
        let again: Value = again.json().await.unwrap();
        if let Some(answer) = &checkout.answer {
            assert_eq!(again, *answer, "{key}");
        }
        let answered = Some(again);
        facts.note().checkouts.get_mut(&key).unwrap().answer = answered;
    })
    .await;
    let facts = facts.note();
    let orders: BTreeSet<&str> = facts
        .checkouts
        .values()
        .map(|it| it.answer.as_ref().unwrap()["order_id"].as_str().unwrap())
        .collect();
    assert_eq!(
        orders.len(),
        facts.checkouts.len(),
        "two keys share an order"
    );
}

fn messages(facts: &Facts, sent: &[String], news: &[String]) {
    let facts = facts.note();
    let there: BTreeSet<&String> = sent.iter().collect();
    assert_eq!(there.len(), sent.len(), "a message is there twice");
    for text in facts.sent.difference(&facts.deleting) {
        assert!(
            there.contains(text),
            "message {text} was acknowledged and is lost"
        );
    }
    for text in &facts.deleted {
        assert!(
            !there.contains(text),
            "message {text} was deleted and is back"
        );
    }
    let there: BTreeSet<&String> = news.iter().collect();
    assert_eq!(there.len(), news.len(), "a publication was delivered twice");
    for text in &facts.published {
        assert!(
            there.contains(text),
            "publication {text} was acknowledged and is lost"
        );
    }
}

/// Takes all messages out of a queue.
async fn texts(up: &Up, queue: &str) -> Vec<String> {
    let sqs = up.sqs().await;
    let mut texts = Vec::new();
    // What a killed client had received is hidden for a while longer.
    eventually("the end of the queue", async || {
        loop {
            let receive = sqs.receive_message().queue_url(up.queue_url(queue));
            let receive = receive.max_number_of_messages(10).visibility_timeout(600);
            let received = receive.send().await.unwrap().messages.unwrap_or_default();
            if received.is_empty() {
                break;
            }
            for message in received {
                let delete = sqs.delete_message().queue_url(up.queue_url(queue));
                let handle = message.receipt_handle.unwrap();
                delete.receipt_handle(handle).send().await.unwrap();
                texts.push(message.body.unwrap());
            }
        }
        (up.depth(queue).await == 0).then_some(())
    })
    .await;
    texts
}

/// Each acknowledged execution has ended, with the output it must have.
async fn executions(up: &Up, facts: &Facts) {
    let (started, answered) = {
        let facts = facts.note();
        (facts.started.clone(), facts.answered.clone())
    };
    let sfn = up.sfn().await;
    each(started.into_iter().collect(), async |(arn, output)| {
        let describe = sfn.describe_execution().execution_arn(&arn);
        let described = describe.send().await.unwrap();
        assert_eq!(described.status, ExecutionStatus::Succeeded, "{arn}");
        let got: Value = serde_json::from_str(described.output.as_deref().unwrap()).unwrap();
        // An answer that was not acknowledged may have counted all the same; then none was acknowledged.
        match output.as_ref().or_else(|| answered.get(&arn)) {
            Some(expected) => assert_eq!(got, *expected, "{arn}"),
            None => assert_eq!(got["execution"].as_str(), Some(arn.as_str())),
        }
    })
    .await;
}

/// What was stopped has stopped, and what it had started too.
async fn stops(up: &Up, stage: &Stage, facts: &Facts) {
    let stopped = facts.note().stopped.clone();
    let sfn = up.sfn().await;
    each(stopped.into_iter().collect(), async |arn| {
        let described = sfn.describe_execution().execution_arn(&arn).send().await;
        assert_eq!(described.unwrap().status, ExecutionStatus::Aborted, "{arn}");
    })
    .await;
    // Those whose stop a kill came before.
    for left in arns(up, &stage.stopped, Some(ExecutionStatus::Running)).await {
        let stop = sfn.stop_execution().execution_arn(left);
        stop.send().await.unwrap();
    }
    eventually("the end of what stopped executions started", async || {
        let running = arns(up, &stage.sleeper, Some(ExecutionStatus::Running)).await;
        running.is_empty().then_some(())
    })
    .await;
    let aborted = ExecutionStatus::Aborted;
    let parents = arns(up, &stage.stopped, None).await;
    let stopped = arns(up, &stage.stopped, Some(aborted.clone())).await;
    assert_eq!(stopped.len(), parents.len(), "each was stopped");
    let children = arns(up, &stage.sleeper, None).await.len();
    let ended = arns(up, &stage.sleeper, Some(aborted)).await;
    assert_eq!(ended.len(), children, "each nested execution was stopped");
    // A stop may come before the start, or before what it was answered is recorded.
    assert!(
        children <= parents.len(),
        "{children} nested executions of {}",
        parents.len()
    );
    let known: Vec<String> = nested(up, parents).await.into_values().flatten().collect();
    assert!(!known.is_empty(), "none had started its nested execution");
    let different: BTreeSet<&String> = known.iter().collect();
    assert_eq!(different.len(), known.len(), "two share a nested execution");
    for child in &known {
        assert!(ended.contains(child), "{child} is lost");
    }
}

/// The nested execution of each, if its start is recorded.
async fn nested(up: &Up, parents: Vec<String>) -> BTreeMap<String, Option<String>> {
    let found = stream::iter(parents).map(async |parent| {
        let events = up.history(&parent).await;
        let mut submitted = events
            .into_iter()
            .filter_map(|event| event.task_submitted_event_details);
        let output = submitted.next().and_then(|details| details.output);
        assert!(submitted.next().is_none(), "{parent} has started two");
        let answer: Option<Value> = output.map(|text| serde_json::from_str(&text).unwrap());
        let child = answer.map(|answer| answer["ExecutionArn"].as_str().unwrap().to_owned());
        (parent, child)
    });
    found.buffer_unordered(AT_ONCE).collect().await
}

/// Ids are dense, every event follows an earlier one, there is one beginning and one end.
async fn history(up: &Up, arn: &str) {
    let events = up.history(arn).await;
    let ids: Vec<_> = events.iter().map(|e| (e.id, e.previous_event_id)).collect();
    assert_dense(&ids);
    let of = |kind: HistoryEventType| events.iter().filter(|e| e.r#type == kind).count();
    assert_eq!(of(HistoryEventType::ExecutionStarted), 1, "{arn}");
    assert_eq!(of(HistoryEventType::ExecutionSucceeded), 1, "{arn}");
    let last = events.last().unwrap();
    assert_eq!(last.r#type, HistoryEventType::ExecutionSucceeded, "{arn}");
}

/// Every sale in bulk to a customer has its one execution of the VIP workflow.
async fn bulk_orders(up: &Up, facts: &Facts) {
    let orders: Vec<String> = {
        let facts = facts.note();
        let bulk = facts.checkouts.values().filter(|it| {
            it.body["customer_id"] == "CU-1" && it.answer.as_ref().unwrap()["outcome"] == "sold"
        });
        bulk.map(|it| {
            it.answer.as_ref().unwrap()["order_id"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect()
    };
    eventually("an execution for every sale in bulk", async || {
        let names: BTreeSet<String> = arns(up, &vip(), None)
            .await
            .iter()
            .map(|arn| arn.rsplit(':').next().unwrap().to_owned())
            .collect();
        orders
            .iter()
            .all(|order| names.contains(order))
            .then_some(())
    })
    .await;
}

fn vip() -> String {
    REORDER.replace("reorder", "vip")
}

/// All executions of a machine, or those of a status.
async fn arns(up: &Up, machine: &str, status: Option<ExecutionStatus>) -> Vec<String> {
    let sfn = up.sfn().await;
    let list = sfn.list_executions().state_machine_arn(machine);
    let pages = list
        .set_status_filter(status)
        .max_results(1000)
        .into_paginator();
    let all: Vec<_> = pages.items().send().try_collect().await.unwrap();
    all.into_iter().map(|it| it.execution_arn).collect()
}

/// Does something with each, several at the same time.
async fn each<T>(all: Vec<T>, what: impl AsyncFn(T)) {
    stream::iter(all)
        .for_each_concurrent(AT_ONCE, |one| what(one))
        .await;
}

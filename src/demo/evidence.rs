//! After the drive: waits until nothing moves any more, then gathers the evidence for every invariant.

use std::time::Duration;

use aws_sdk_sfn::types::{ExecutionListItem, ExecutionStatus};
use aws_sdk_sqs::types::QueueAttributeName;
use serde::Deserialize;
use tokio::time::{Instant, sleep};

use super::drive::Shop;
use super::{Child, DemoError, Report, in_step};
use crate::endpoint;

/// The whole flow takes some seconds; a machine under load may take more.
const PATIENCE: Duration = Duration::from_secs(120);
const REORDER: &str = "arn:aws:states:us-east-1:000000000000:stateMachine:reorder";

struct Clients {
    sfn: aws_sdk_sfn::Client,
    sqs: aws_sdk_sqs::Client,
}

impl Clients {
    async fn new(child: &Child) -> Clients {
        let config = endpoint::local(child.aws(), "us-east-1").await;
        Clients {
            sfn: aws_sdk_sfn::Client::new(&config),
            sqs: aws_sdk_sqs::Client::new(&config),
        }
    }

    async fn executions(&self) -> Result<Vec<ExecutionListItem>, DemoError> {
        let mut pages = self
            .sfn
            .list_executions()
            .state_machine_arn(REORDER)
            .into_paginator()
            .items()
            .send();
        let mut all = Vec::new();
        while let Some(item) = pages.next().await {
            all.push(item.map_err(in_step("ListExecutions"))?);
        }
        Ok(all)
    }

    /// Messages in every queue: visible, in flight or delayed.
    async fn messages(&self) -> Result<Vec<(String, u64)>, DemoError> {
        let mut counts = Vec::new();
        let queues = self
            .sqs
            .list_queues()
            .send()
            .await
            .map_err(in_step("ListQueues"))?;
        for url in queues.queue_urls.unwrap_or_default() {
            let ask = self
                .sqs
                .get_queue_attributes()
                .queue_url(&url)
                .attribute_names(QueueAttributeName::All);
            let attributes = ask
                .send()
                .await
                .map_err(in_step("GetQueueAttributes"))?
                .attributes
                .unwrap_or_default();
            let count = [
                QueueAttributeName::ApproximateNumberOfMessages,
                QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
                QueueAttributeName::ApproximateNumberOfMessagesDelayed,
            ];
            let count = count
                .iter()
                .filter_map(|name| attributes.get(name)?.parse::<u64>().ok())
                .sum();
            let name = url.rsplit('/').next().unwrap_or(&url).to_owned();
            counts.push((name, count));
        }
        Ok(counts)
    }
}

/// Waits until every reorder has ended and every queue is empty.
pub(crate) async fn settle(child: &Child) -> Result<(), DemoError> {
    let clients = Clients::new(child).await;
    let deadline = Instant::now() + PATIENCE;
    loop {
        let executions = clients.executions().await?;
        let running = executions
            .iter()
            .filter(|e| e.status == ExecutionStatus::Running)
            .count();
        let waiting: u64 = clients
            .messages()
            .await?
            .iter()
            .map(|(_, count)| count)
            .sum();
        if !executions.is_empty() && running == 0 && waiting == 0 {
            return Ok(());
        }
        if Instant::now() > deadline {
            return Err(DemoError::TooSlow {
                what: "the end of every reorder",
                seconds: PATIENCE.as_secs(),
                log: child.log(),
            });
        }
        // Another process: there is nothing to be notified by.
        sleep(Duration::from_millis(200)).await;
    }
}

#[derive(Debug, Deserialize)]
struct Outbox {
    mail: Vec<Mail>,
}

#[derive(Debug, Deserialize)]
struct Mail {
    subject: String,
}

/// Gathers what happened and checks every promise.
pub(crate) async fn collect(
    child: &Child,
    shop: &Shop,
    initial: i64,
    report: &mut Report,
) -> Result<(), DemoError> {
    let clients = Clients::new(child).await;
    let executions = clients.executions().await?;
    for execution in &executions {
        report.tell("reorder", describe(execution));
    }
    report.check(
        "every reorder succeeded",
        executions
            .iter()
            .all(|e| e.status == ExecutionStatus::Succeeded),
        format!("{} executions", executions.len()),
    );
    report.check(
        "one reorder at a time",
        overlaps(&executions) == 0,
        format!("{} overlap", overlaps(&executions)),
    );

    let books = books(child).await?;
    report.tell(
        "books",
        format!(
            "{initial} + {} arrived − {} sold = {}",
            books.items_arrived, books.items_sold, books.stock
        ),
    );
    let broken = books.broken();
    let seen = if broken.is_empty() {
        format!(
            "{} orders, {} arrivals, {} reorders",
            books.orders_sold + books.orders_refused,
            books.arrivals,
            books.reorders
        )
    } else {
        broken.join("; ")
    };
    report.check(
        "stock = initial − sold + arrived, every arrival counted once",
        broken.is_empty(),
        seen,
    );
    let shown = shop.look().await?.stock;
    report.check(
        "the API shows the stock of the books",
        shown == books.stock,
        format!("{shown}"),
    );

    let subjects = mails(child).await?;
    let count = |word: &str| subjects.iter().filter(|s| s.contains(word)).count();
    let (stop, resume) = (count("Please stop the ads"), count("The ads may resume"));
    // A reorder that finds the stock back asks nobody; the others write when they ask and when it has arrived.
    let asked = usize::try_from(books.arrivals).unwrap_or_default();
    report.check(
        "the ads were stopped and resumed once for each delivery",
        stop == asked && resume == asked,
        format!("{stop} stop, {resume} resume, {asked} deliveries"),
    );
    let waiting: Vec<_> = clients
        .messages()
        .await?
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .collect();
    report.check(
        "no message is left in any queue",
        waiting.is_empty(),
        format!("{waiting:?}"),
    );
    Ok(())
}

fn describe(execution: &ExecutionListItem) -> String {
    let took = execution.stop_date.map_or(0.0, |stop| {
        stop.as_secs_f64() - execution.start_date.as_secs_f64()
    });
    format!(
        "{} {} after {took:.1} s",
        execution.name,
        execution.status.as_str()
    )
}

/// Pairs of executions that ran at the same time. A reorder closes with its delivery, and its mail to resume the ads
/// may still be on its way when the next one opens; so only what overlaps for longer than a mail takes is counted.
fn overlaps(executions: &[ExecutionListItem]) -> usize {
    const MAIL_SECONDS: f64 = 5.0;
    let mut spans: Vec<_> = executions
        .iter()
        .filter_map(|e| Some((e.start_date.as_secs_f64(), e.stop_date?.as_secs_f64())))
        .collect();
    spans.sort_by(|a, b| a.0.total_cmp(&b.0));
    spans
        .windows(2)
        .filter(|pair| pair[0].1 - pair[1].0 > MAIL_SECONDS)
        .count()
}

async fn books(child: &Child) -> Result<shop::report::Balance, DemoError> {
    let warehouse =
        shop::Warehouse::open(child.warehouse_url(), 1).map_err(in_step("reading of the books"))?;
    let mut balances = shop::report::balances(&warehouse)
        .await
        .map_err(in_step("reading of the books"))?;
    warehouse.close().await;
    balances
        .pop()
        .ok_or_else(|| in_step("reading of the books")("there is no product"))
}

/// Subjects of every mail to the advertising manager.
async fn mails(child: &Child) -> Result<Vec<String>, DemoError> {
    let url = format!("{}/_restock/mail?limit=1000", child.aws());
    let answer = reqwest::get(url)
        .await
        .map_err(in_step("reading of the outbox"))?;
    let outbox: Outbox = answer
        .json()
        .await
        .map_err(in_step("reading of the outbox"))?;
    Ok(outbox.mail.into_iter().map(|mail| mail.subject).collect())
}

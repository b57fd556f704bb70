//! Watches the installation from outside: executions and queues through the AWS SDK, mail through the AWS port, the books
//! through the shop's own report.

use std::time::Duration;

use aws_sdk_sfn::types::{ExecutionListItem, ExecutionStatus, HistoryEvent};
use aws_sdk_sqs::types::QueueAttributeName;
use serde::Deserialize;
use shop::report::Balance;
use tokio::time::{Instant, sleep};

use super::{Child, DemoError, in_step};
use crate::endpoint;

/// The whole flow takes some seconds; a machine under load may take more.
const PATIENCE: Duration = Duration::from_secs(120);
const MACHINE: &str = "arn:aws:states:us-east-1:000000000000:stateMachine:";

/// Where the watching is done.
pub(crate) struct Watch {
    sfn: aws_sdk_sfn::Client,
    sqs: aws_sdk_sqs::Client,
    aws: String,
    log: String,
    warehouse: String,
}

/// A mail that went out: to the advertising manager or to operations.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Mail {
    pub subject: String,
    #[serde(default)]
    pub text: Option<String>,
}

impl Mail {
    pub(crate) fn says(&self, part: &str) -> bool {
        self.text().contains(part)
    }

    pub(crate) fn text(&self) -> &str {
        self.text.as_deref().unwrap_or_default()
    }
}

impl Watch {
    pub(crate) async fn new(child: &Child) -> Watch {
        let config = endpoint::local(child.aws(), "us-east-1").await;
        Watch {
            sfn: aws_sdk_sfn::Client::new(&config),
            sqs: aws_sdk_sqs::Client::new(&config),
            aws: child.aws().to_owned(),
            log: child.log(),
            warehouse: child.warehouse_url().to_owned(),
        }
    }

    /// Asks until there is an answer. Another process: there is nothing to be notified by.
    pub(crate) async fn until<T>(
        &self,
        what: &'static str,
        mut ask: impl AsyncFnMut() -> Result<Option<T>, DemoError>,
    ) -> Result<T, DemoError> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(answer) = ask().await? {
                return Ok(answer);
            }
            if Instant::now() > deadline {
                return Err(DemoError::TooSlow {
                    what,
                    seconds: PATIENCE.as_secs(),
                    log: self.log.clone(),
                });
            }
            sleep(Duration::from_millis(100)).await;
        }
    }

    /// The executions of a state machine, the newest first.
    pub(crate) async fn executions(
        &self,
        machine: &str,
    ) -> Result<Vec<ExecutionListItem>, DemoError> {
        let list = self.sfn.list_executions();
        let list = list.state_machine_arn(format!("{MACHINE}{machine}"));
        let mut pages = list.into_paginator().items().send();
        let mut all = Vec::new();
        while let Some(item) = pages.next().await {
            all.push(item.map_err(in_step("ListExecutions"))?);
        }
        Ok(all)
    }

    /// The only running reorder.
    pub(crate) async fn running_reorder(&self) -> Result<ExecutionListItem, DemoError> {
        self.until("the start of a reorder", async || {
            let all = self.executions("reorder").await?;
            Ok(all
                .into_iter()
                .find(|e| e.status == ExecutionStatus::Running))
        })
        .await
    }

    /// Waits for an execution to end, and gives its status and output.
    pub(crate) async fn ended(&self, arn: &str) -> Result<(ExecutionStatus, String), DemoError> {
        self.until("the end of an execution", async || {
            let asked = self.sfn.describe_execution().execution_arn(arn).send().await;
            let asked = match asked {
                // It is yet to be started.
                Err(error) if matches!(&error, aws_sdk_sfn::error::SdkError::ServiceError(it) if it.err().is_execution_does_not_exist()) => return Ok(None),
                other => other.map_err(in_step("DescribeExecution"))?,
            };
            let ended = asked.status != ExecutionStatus::Running;
            Ok(ended.then(|| (asked.status, asked.output.unwrap_or_default())))
        })
        .await
    }

    pub(crate) async fn history(&self, arn: &str) -> Result<Vec<HistoryEvent>, DemoError> {
        let history = self.sfn.get_execution_history().execution_arn(arn);
        let mut pages = history.into_paginator().items().send();
        let mut all = Vec::new();
        while let Some(event) = pages.next().await {
            all.push(event.map_err(in_step("GetExecutionHistory"))?);
        }
        Ok(all)
    }

    /// The states that an execution entered, in their order.
    pub(crate) async fn states(&self, arn: &str) -> Result<Vec<String>, DemoError> {
        let events = self.history(arn).await?.into_iter();
        Ok(events
            .filter_map(|it| Some(it.state_entered_event_details?.name))
            .collect())
    }

    /// Messages in every queue: visible, in flight or delayed.
    pub(crate) async fn messages(&self) -> Result<Vec<(String, u64)>, DemoError> {
        let mut counts = Vec::new();
        let queues = self.sqs.list_queues().send().await;
        let queues = queues.map_err(in_step("ListQueues"))?;
        for url in queues.queue_urls.unwrap_or_default() {
            let ask = self.sqs.get_queue_attributes().queue_url(&url);
            let answer = ask.attribute_names(QueueAttributeName::All).send().await;
            let attributes = answer
                .map_err(in_step("GetQueueAttributes"))?
                .attributes
                .unwrap_or_default();
            let counted = attributes
                .iter()
                .filter(|(name, _)| name.as_str().starts_with("ApproximateNumberOfMessages"));
            let count = counted
                .filter_map(|(_, value)| value.parse::<u64>().ok())
                .sum();
            let name = url.rsplit('/').next().unwrap_or(&url).to_owned();
            counts.push((name, count));
        }
        Ok(counts)
    }

    pub(crate) async fn depth(&self, queue: &str) -> Result<u64, DemoError> {
        let all = self.messages().await?;
        let found = all.into_iter().find(|(name, _)| name == queue);
        Ok(found.map_or(0, |(_, count)| count))
    }

    /// Waits until every queue is empty and every execution has ended: in this order, as messages become executions.
    pub(crate) async fn settled(&self) -> Result<(), DemoError> {
        self.until("the end of every execution", async || {
            if self.messages().await?.iter().any(|(_, count)| *count > 0) {
                return Ok(None);
            }
            let mut executions = self.executions("reorder").await?;
            executions.extend(self.executions("vip").await?);
            let running = executions
                .iter()
                .any(|e| e.status == ExecutionStatus::Running);
            Ok((!running).then_some(()))
        })
        .await
    }

    /// Every mail so far, the newest first.
    pub(crate) async fn mails(&self) -> Result<Vec<Mail>, DemoError> {
        #[derive(Deserialize)]
        struct Outbox {
            mail: Vec<Mail>,
        }
        let url = format!("{}/_restock/mail?limit=1000", self.aws);
        let answer = reqwest::get(url)
            .await
            .map_err(in_step("look at the mail"))?;
        let outbox: Outbox = answer.json().await.map_err(in_step("look at the mail"))?;
        Ok(outbox.mail)
    }

    /// Waits for the newest mail that says all of this.
    pub(crate) async fn mail(&self, what: &'static str, parts: &[&str]) -> Result<Mail, DemoError> {
        self.until(what, async || {
            let mut mails = self.mails().await?.into_iter();
            Ok(mails.find(|mail| parts.iter().all(|part| mail.says(part))))
        })
        .await
    }

    /// The books of the one product.
    pub(crate) async fn books(&self) -> Result<Balance, DemoError> {
        let failed = in_step::<shop::Error>;
        let warehouse =
            shop::Warehouse::open(&self.warehouse, 1).map_err(failed("look at the books"))?;
        let mut balances = shop::report::balances(&warehouse)
            .await
            .map_err(failed("look at the books"))?;
        warehouse.close().await;
        let none = || in_step("look at the books")("there is no product");
        balances.pop().ok_or_else(none)
    }
}

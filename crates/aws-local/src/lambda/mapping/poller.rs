//! The task of one mapping: waits for messages, gathers a batch, invokes, and settles what became of it.
//!
//! It takes messages only when it may invoke, so that none waits invisibly for its turn. What failed stays in flight until
//! its visibility ends, as on AWS; the queue's redrive policy does the rest.

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use engine::{QueueArn, QueueError, Queues, Receive, Received};
use tokio::{
    sync::Semaphore,
    time::{Instant, sleep},
};

use super::{
    Mapping,
    event::event,
    verdict::{Verdict, verdict},
};
use crate::lambda::{
    functions::Functions,
    invocation::{FailureKind, Invoke, InvokeError},
};

/// What one receive call brings at most.
const RECEIVE: u32 = 10;
/// The longest a receive call may wait, seconds. When it ends without a message the next one follows.
const WAIT: u32 = 20;
/// A batch is not gathered beyond this many bytes of bodies, so that its event stays within the payload limit of 6 MiB.
const MAX_BODIES: usize = 2 * 1024 * 1024;
/// The longest pause after failures.
const MAX_PAUSE: Duration = Duration::from_secs(60);

/// What the task and its batches share.
struct Poller {
    queues: Queues,
    functions: Functions,
    mapping: Mapping,
    queue: QueueArn,
    /// Starts of the function that failed in a row, or troubles with the queue.
    failures: AtomicU32,
}

/// Runs the mapping until it is dropped. Batches that are being worked on then go on.
pub(super) async fn poll(queues: Queues, functions: Functions, mapping: Mapping) {
    let Some(queue) = QueueArn::parse(&mapping.event_source_arn) else {
        tracing::error!(
            mapping = mapping.uuid,
            queue = mapping.event_source_arn,
            "a mapping's event source is no queue"
        );
        return;
    };
    let function = functions.wait_for(&mapping.function_arn).await;
    let at_once = mapping
        .maximum_concurrency
        .map_or(function.config.max_concurrency, |maximum| maximum as usize);
    let slots = Arc::new(Semaphore::new(at_once.min(Semaphore::MAX_PERMITS)));
    drop(function);
    let poller = Arc::new(Poller {
        queues,
        functions,
        mapping,
        queue,
        failures: AtomicU32::new(0),
    });
    loop {
        let Ok(slot) = slots.clone().acquire_owned().await else {
            return;
        };
        poller.rest().await;
        poller
            .functions
            .wait_for(&poller.mapping.function_arn)
            .await;
        match poller.gather().await {
            Ok(batch) => {
                let poller = poller.clone();
                tokio::spawn(async move {
                    poller.work_on(batch).await;
                    drop(slot);
                });
            }
            Err(error) => {
                let queue = &poller.queue.name;
                tracing::warn!(mapping = poller.mapping.uuid, queue, %error, "a mapping cannot receive from its queue");
                poller.failures.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

impl Poller {
    /// Pauses after failures, the longer the more there were.
    async fn rest(&self) {
        let failures = self.failures.load(Ordering::Relaxed);
        if failures > 0 {
            let pause = Duration::from_secs(1) * 2u32.saturating_pow(failures.min(10) - 1);
            sleep(pause.min(MAX_PAUSE)).await;
        }
    }

    /// Waits for the first message, then for the batch to fill up, within the window.
    async fn gather(&self) -> Result<Vec<Received>, QueueError> {
        let size = self.mapping.batch_size;
        let mut batch = Vec::new();
        while batch.is_empty() {
            batch = self.receive(size, WAIT).await?;
            // A queue whose engine is closing answers at once, again and again: let whoever wants to stop us do so.
            tokio::task::yield_now().await;
        }
        let until = Instant::now() + Duration::from_secs(self.mapping.window.into());
        loop {
            let missing = size.saturating_sub(u32::try_from(batch.len()).unwrap_or(u32::MAX));
            let bodies: usize = batch.iter().map(|message| message.body.len()).sum();
            let left = until.saturating_duration_since(Instant::now());
            if missing == 0 || bodies >= MAX_BODIES || left.is_zero() {
                return Ok(batch);
            }
            let wait = u32::try_from(left.as_secs() + 1).unwrap_or(WAIT).min(WAIT);
            match self.receive(missing, wait).await {
                Ok(more) => batch.extend(more),
                // What was gathered is worked on all the same.
                Err(_) => return Ok(batch),
            }
        }
    }

    async fn receive(&self, at_most: u32, wait: u32) -> Result<Vec<Received>, QueueError> {
        let request = Receive {
            max: at_most.min(RECEIVE) as usize,
            wait: Some(wait),
            visibility: None,
            // We and the function's process end together; the messages need not wait for us after that.
            in_process: true,
        };
        self.queues.receive(&self.queue.name, request).await
    }

    async fn work_on(&self, batch: Vec<Received>) {
        let mapping = &self.mapping;
        let payload = match event(&self.queue, &batch) {
            Ok(payload) => payload,
            Err(error) => {
                tracing::error!(mapping = mapping.uuid, %error, "a batch could not be written as an event");
                return;
            }
        };
        let answer = match self
            .functions
            .invoke(&mapping.function_arn, Invoke::new(payload))
            .await
        {
            Ok(answer) => answer,
            Err(InvokeError::Stopped) => return,
            Err(error) => {
                tracing::warn!(mapping = mapping.uuid, function = mapping.function_arn, %error, "a batch could not be handed over");
                self.failures.fetch_add(1, Ordering::Relaxed);
                return self.release(&batch).await;
            }
        };
        let failed = match &answer.result {
            Ok(payload) => self.failed(payload, &batch, &answer.request_id),
            Err(error) => {
                let reason = String::from_utf8_lossy(&error.payload).into_owned();
                tracing::warn!(
                    mapping = mapping.uuid, function = mapping.function_arn, request_id = %answer.request_id,
                    messages = batch.len(), reason, "a batch failed; its messages come again when their visibility ends"
                );
                if error.kind == FailureKind::Init {
                    self.failures.fetch_add(1, Ordering::Relaxed);
                }
                return;
            }
        };
        self.failures.store(0, Ordering::Relaxed);
        self.delete(batch, &failed).await;
    }

    /// The messages that are not done.
    fn failed(&self, answer: &[u8], batch: &[Received], request_id: &str) -> HashSet<String> {
        if !self.mapping.report_item_failures {
            return HashSet::new();
        }
        let function = &self.mapping.function_arn;
        match verdict(answer, |id| {
            batch.iter().any(|message| message.message_id == id)
        }) {
            Verdict::Done { failed } => {
                if !failed.is_empty() {
                    tracing::warn!(
                        function,
                        request_id,
                        ?failed,
                        "messages failed; they come again when their visibility ends"
                    );
                }
                failed
            }
            Verdict::Malformed(reason) => {
                tracing::warn!(
                    function,
                    request_id,
                    reason,
                    "a batch's answer cannot be understood: all of it counts as failed"
                );
                batch
                    .iter()
                    .map(|message| message.message_id.clone())
                    .collect()
            }
        }
    }

    async fn delete(&self, batch: Vec<Received>, failed: &HashSet<String>) {
        let done: Vec<String> = batch
            .into_iter()
            .filter(|message| !failed.contains(&message.message_id))
            .map(|message| message.receipt_handle)
            .collect();
        if done.is_empty() {
            return;
        }
        if let Err(error) = self.queues.delete_messages(&self.queue.name, &done).await {
            let queue = &self.queue.name;
            tracing::error!(queue, %error, messages = done.len(), "messages that were worked on could not be deleted and come again");
        }
    }

    /// Makes messages visible again that no function has seen.
    async fn release(&self, batch: &[Received]) {
        let now: Vec<(String, u32)> = batch
            .iter()
            .map(|message| (message.receipt_handle.clone(), 0))
            .collect();
        if let Err(error) = self.queues.change_visibility(&self.queue.name, &now).await {
            tracing::debug!(queue = self.queue.name, %error, "messages could not be released; they come again later");
        }
    }
}

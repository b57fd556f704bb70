//! Takes answered messages out of a task's DLQ.
//!
//! The token is what a replay answers; the message only carries it. So after an answer its message must go, or the
//! alarm on the queue's depth rings on. Messages of other parked tasks are put back at once.

use std::collections::{HashMap, HashSet};

use aws_sdk_sqs::types::{ChangeMessageVisibilityBatchRequestEntry, Message};
use serde_json::Value;

use crate::answer::is_stale;
use crate::connection::Connection;
use crate::error::{OperateError, refused};
use crate::parked::Parked;
use crate::timeline::short_name;

/// SQS's largest batch.
const BATCH: usize = 10;
/// Seconds for which a message that is looked at stays hidden, should this program end midway.
const HIDDEN: i32 = 60;
/// Other messages whose token is checked on the way; a long queue is tidied over several replays.
const STALE_CHECKS: usize = 100;

/// What was done to a queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cleared {
    /// Messages of the answered tasks.
    pub answered: usize,
    /// Messages whose token nobody waits for.
    pub stale: usize,
    /// Answered tasks whose message was not found; somebody else may be looking at it.
    pub missing: usize,
}

/// Clears the queues of the answered tasks, one pass for each queue.
pub async fn clear(at: &Connection, answered: &[Parked]) -> Result<Cleared, OperateError> {
    let mut by_queue: HashMap<&str, HashSet<&str>> = HashMap::new();
    for parked in answered {
        by_queue
            .entry(&parked.queue_url)
            .or_default()
            .insert(&parked.token);
    }
    let mut all = Cleared::default();
    for (url, tokens) in by_queue {
        let cleared = Pass::new(at, url, tokens).run().await?;
        all.answered += cleared.answered;
        all.stale += cleared.stale;
        all.missing += cleared.missing;
    }
    Ok(all)
}

/// One pass through a queue.
struct Pass<'a> {
    at: &'a Connection,
    url: &'a str,
    wanted: HashSet<&'a str>,
    seen: HashSet<String>,
    /// Receipt handles of messages to be put back.
    others: Vec<String>,
    checks: usize,
    cleared: Cleared,
}

impl<'a> Pass<'a> {
    fn new(at: &'a Connection, url: &'a str, wanted: HashSet<&'a str>) -> Pass<'a> {
        Pass {
            at,
            url,
            wanted,
            seen: HashSet::new(),
            others: Vec::new(),
            checks: 0,
            cleared: Cleared::default(),
        }
    }

    async fn run(mut self) -> Result<Cleared, OperateError> {
        let walked = self.walk().await;
        // Also after an error: others shall not have to wait for the time-out.
        let put_back = put_back(self.at, self.url, &self.others).await;
        walked?;
        put_back?;
        self.cleared.missing = self.wanted.len();
        Ok(self.cleared)
    }

    async fn walk(&mut self) -> Result<(), OperateError> {
        loop {
            let messages = self.receive().await?;
            let count = messages.len();
            for message in messages {
                let id = message.message_id.clone().unwrap_or_default();
                if !self.seen.insert(id) {
                    // It was hidden, and its time is over: the whole queue has been seen.
                    return Ok(());
                }
                self.settle(message).await?;
            }
            if count == 0
                || (self.wanted.is_empty() && (count < BATCH || self.checks >= STALE_CHECKS))
            {
                return Ok(());
            }
        }
    }

    async fn receive(&self) -> Result<Vec<Message>, OperateError> {
        let request = self
            .at
            .sqs
            .receive_message()
            .queue_url(self.url)
            .max_number_of_messages(BATCH as i32)
            .visibility_timeout(HIDDEN)
            // Long polling asks every server of the queue; short polling only some.
            .wait_time_seconds(1);
        let answer = request
            .send()
            .await
            .map_err(refused(format!("read {}", short_name(self.url))))?;
        Ok(answer.messages.unwrap_or_default())
    }

    async fn settle(&mut self, message: Message) -> Result<(), OperateError> {
        let handle = message.receipt_handle.unwrap_or_default();
        let token = message.body.as_deref().and_then(token);
        if token
            .as_deref()
            .is_some_and(|token| self.wanted.remove(token))
        {
            self.cleared.answered += 1;
            return delete(self.at, self.url, handle).await;
        }
        if let Some(token) = token
            && self.checks < STALE_CHECKS
        {
            self.checks += 1;
            if self.is_closed(&token).await? {
                self.cleared.stale += 1;
                return delete(self.at, self.url, handle).await;
            }
        }
        self.others.push(handle);
        Ok(())
    }

    /// A heartbeat asks whether anybody waits for the token, and changes nothing: parked tasks have no heartbeat limit.
    async fn is_closed(&self, token: &str) -> Result<bool, OperateError> {
        let asked = self
            .at
            .sfn
            .send_task_heartbeat()
            .task_token(token)
            .send()
            .await;
        match asked.map_err(refused("ask about a token")) {
            Ok(_) => Ok(false),
            Err(error) if is_stale(&error) => Ok(true),
            Err(error) => Err(error),
        }
    }
}

/// Deletes a message that was received.
pub(crate) async fn delete(at: &Connection, url: &str, handle: String) -> Result<(), OperateError> {
    let request = at
        .sqs
        .delete_message()
        .queue_url(url)
        .receipt_handle(handle);
    request
        .send()
        .await
        .map(drop)
        .map_err(refused(format!("delete from {}", short_name(url))))
}

/// Makes messages that were received visible again.
pub(crate) async fn put_back(
    at: &Connection,
    url: &str,
    handles: &[String],
) -> Result<(), OperateError> {
    for handles in handles.chunks(BATCH) {
        let mut request = at.sqs.change_message_visibility_batch().queue_url(url);
        for (i, handle) in handles.iter().enumerate() {
            let entry = ChangeMessageVisibilityBatchRequestEntry::builder()
                .id(i.to_string())
                .receipt_handle(handle)
                .visibility_timeout(0)
                .build()
                .map_err(|error| OperateError::Data(error.to_string()))?;
            request = request.entries(entry);
        }
        request.send().await.map_err(refused(format!(
            "put messages back into {}",
            short_name(url)
        )))?;
    }
    Ok(())
}

/// The token in a parked task's message.
fn token(body: &str) -> Option<String> {
    let body: Value = serde_json::from_str(body).ok()?;
    body.get("token")?.as_str().map(str::to_owned)
}

//! Watches executions that somebody looks at: one reader for each, however many look, and none for what has ended.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use operate::connection::Connection;
use operate::events;
use tokio::sync::watch;

/// Between two looks at a history's newest event.
const LOCAL: Duration = Duration::from_secs(1);
const AWS: Duration = Duration::from_secs(5);
/// Failures in a row after which a reader gives up.
const FAILURES: u32 = 10;

/// The readers, by the execution's ARN.
#[derive(Clone, Debug, Default)]
pub(crate) struct Watchers {
    readers: Arc<Mutex<HashMap<String, watch::Sender<u64>>>>,
}

impl Watchers {
    fn readers(&self) -> MutexGuard<'_, HashMap<String, watch::Sender<u64>>> {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells of every change of the execution; closed when it has ended.
    pub(crate) fn watch(&self, at: &Connection, arn: &str) -> watch::Receiver<u64> {
        let mut readers = self.readers();
        if let Some(sender) = readers.get(arn) {
            return sender.subscribe();
        }
        let (sender, receiver) = watch::channel(0);
        readers.insert(arn.to_owned(), sender);
        tokio::spawn(read(self.clone(), at.clone(), arn.to_owned()));
        receiver
    }

    /// Tells who looks, and whether anybody does.
    fn tell(&self, arn: &str, is_new: bool) -> bool {
        let mut readers = self.readers();
        let Some(sender) = readers.get(arn) else {
            return false;
        };
        if sender.receiver_count() == 0 {
            readers.remove(arn);
            return false;
        }
        if is_new {
            sender.send_modify(|n| *n += 1);
        }
        true
    }
}

async fn read(watchers: Watchers, at: Connection, arn: String) {
    let every = if at.is_aws() { AWS } else { LOCAL };
    let mut newest = None;
    let mut failures = 0;
    while failures < FAILURES {
        let event = match events::newest(&at, &arn).await {
            Ok(event) => {
                failures = 0;
                event
            }
            Err(_) => {
                failures += 1;
                None
            }
        };
        if let Some(event) = event {
            let is_new = newest.is_some_and(|id| id != event.id);
            newest = Some(event.id);
            let has_ended = matches!(
                event.kind.as_str(),
                "ExecutionSucceeded" | "ExecutionFailed" | "ExecutionAborted" | "ExecutionTimedOut"
            );
            if !watchers.tell(&arn, is_new) {
                return;
            }
            if has_ended {
                break;
            }
        }
        tokio::time::sleep(every).await;
    }
    watchers.readers().remove(&arn);
}

//! What lists show of what waits: short texts only. Inputs and tokens are left in the histories, where whoever answers a
//! task reads them again; there may be hundreds of thousands of tasks, with 256 KiB each.

use std::sync::Arc;

use jiff::Timestamp;
use operate::parked::Parked;
use operate::waiting::{Callback, Waiting};

use super::name_of;
use crate::redact;

/// Longest text of a list, in characters.
const LONGEST: usize = 500;

/// A parked task as lists show it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Stuck {
    pub execution_arn: String,
    /// The state that waits.
    pub parked_in: String,
    /// The state that failed.
    pub state: String,
    pub error: String,
    /// Error and cause in words, without secrets.
    pub why: String,
    pub retries: u64,
    pub since: Timestamp,
    pub product: Option<String>,
    pub queue_url: String,
}

/// What one execution waits for, or all of them, oldest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Waiters {
    pub parked: Vec<Arc<Stuck>>,
    pub callbacks: Vec<Arc<Callback>>,
}

impl Stuck {
    /// What lists show of a parked task.
    pub(crate) fn of(parked: &Parked) -> Stuck {
        let why = redact::reason(&parked.error, &parked.cause);
        Stuck {
            execution_arn: parked.execution_arn.clone(),
            parked_in: parked.parked_in.clone(),
            state: cut(&parked.state),
            error: cut(&parked.error),
            why: cut(&why),
            retries: parked.retries,
            since: parked.since,
            product: parked.product.as_deref().map(cut),
            queue_url: parked.queue_url.clone(),
        }
    }

    /// The name of its state machine.
    pub(crate) fn machine(&self) -> &str {
        operate::find::machine_of(&self.execution_arn)
    }

    /// The execution's name.
    pub(crate) fn execution(&self) -> &str {
        name_of(&self.execution_arn)
    }
}

impl Waiters {
    /// What lists show of what an execution waits for.
    pub(super) fn read(waiting: Waiting) -> Waiters {
        let parked = waiting.parked.iter().map(Stuck::of);
        let callbacks = waiting.callbacks.into_iter().map(|callback| Callback {
            sent_to: callback.sent_to.as_deref().map(cut),
            product: callback.product.as_deref().map(cut),
            ..callback
        });
        Waiters {
            parked: parked.map(Arc::new).collect(),
            callbacks: callbacks.map(Arc::new).collect(),
        }
    }

    /// What all of these wait for together; nothing is copied.
    pub(super) fn gather<'a>(all: impl IntoIterator<Item = &'a Waiters>) -> Waiters {
        let mut together = Waiters::default();
        for one in all {
            together.parked.extend(one.parked.iter().cloned());
            together.callbacks.extend(one.callbacks.iter().cloned());
        }
        together.parked.sort_by(|a, b| {
            (a.since, &a.execution_arn, &a.parked_in).cmp(&(
                b.since,
                &b.execution_arn,
                &b.parked_in,
            ))
        });
        together.callbacks.sort_by(|a, b| {
            (a.since, &a.execution_arn, &a.state).cmp(&(b.since, &b.execution_arn, &b.state))
        });
        together
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lists_keep_neither_inputs_nor_tokens_nor_long_texts() {
        let cause = json!({ "token": "short", "detail": "x".repeat(30_000) });
        let parked = Parked {
            execution: "e".to_owned(),
            execution_arn: "arn:e".to_owned(),
            state_machine: "m".to_owned(),
            task: "t".to_owned(),
            state: "State".to_owned(),
            error: "E".repeat(9_000),
            cause: cause.to_string(),
            retries: 0,
            input: json!({ "large": "i".repeat(200_000) }),
            since: Timestamp::UNIX_EPOCH,
            product: Some("p".repeat(200_000)),
            queue_url: "http://h/0/t_dlq".to_owned(),
            parked_in: "ParkState".to_owned(),
            replay: String::new(),
            discard: String::new(),
            token: "secret-token".to_owned(),
        };
        let secret = Stuck::of(&Parked {
            error: String::new(),
            ..parked.clone()
        });
        assert!(!secret.why.contains("short"), "{}", secret.why);
        let kept = Waiters::read(Waiting {
            parked: vec![parked],
            callbacks: Vec::new(),
        });
        let text = format!("{kept:?}");
        assert!(text.len() < 4 * 2_000, "{} bytes", text.len());
        assert!(!text.contains("secret-token"));
        let all = Waiters::gather([&kept]);
        assert!(Arc::ptr_eq(&all.parked[0], &kept.parked[0]));
    }
}

//! What clients were told, kept outside of the process that dies.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::Value;

/// Shared by all clients.
#[derive(Clone, Default)]
pub(super) struct Facts(Arc<Mutex<Noted>>);

#[derive(Default)]
pub(super) struct Noted {
    /// ARNs of acknowledged executions, and the output each must have; `None`: the one that was answered by token.
    pub(super) started: BTreeMap<String, Option<Value>>,
    /// Those of the latest round.
    pub(super) fresh: Vec<String>,
    /// The answer that was acknowledged, by execution.
    pub(super) answered: BTreeMap<String, Value>,
    /// ARNs of executions whose stop was acknowledged.
    pub(super) stopped: BTreeSet<String>,
    /// Checkouts that were tried, by idempotency key.
    pub(super) checkouts: BTreeMap<String, Checkout>,
    /// Messages by their texts, each of which is sent once.
    pub(super) sent: BTreeSet<String>,
    pub(super) deleting: BTreeSet<String>,
    pub(super) deleted: BTreeSet<String>,
    pub(super) published: BTreeSet<String>,
}

#[derive(Clone)]
pub(super) struct Checkout {
    pub(super) body: Value,
    /// The acknowledged answer, if there was one.
    pub(super) answer: Option<Value>,
}

impl Facts {
    pub(super) fn note(&self) -> MutexGuard<'_, Noted> {
        self.0.lock().unwrap()
    }
}

impl fmt::Display for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let facts = self.note();
        let answered = facts.checkouts.values().filter(|it| it.answer.is_some());
        write!(
            f,
            "{} checkouts ({} answered), {} starts, {} callbacks, {} sends, {} deletes, {} publications, {} stops",
            facts.checkouts.len(),
            answered.count(),
            facts.started.len(),
            facts.answered.len(),
            facts.sent.len(),
            facts.deleted.len(),
            facts.published.len(),
            facts.stopped.len(),
        )
    }
}

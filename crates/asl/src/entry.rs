//! Journal entries: the only thing an execution is made from.
//!
//! An entry is one of AWS's history events, or a note: a fact that AWS's history leaves out but a later decision needs (a due
//! time after jitter, a token's nonce). Compact JSON, written once, never changed.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::event::{Event, Failure};
use crate::{Data, HistoryEvent, MapRun, Millis};

/// Which line of states an entry belongs to: 0 is the top level; every Parallel branch and Map iteration has its own.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct BranchId(pub u32);

impl BranchId {
    /// The top level.
    pub const ROOT: Self = Self(0);
}

/// One journal entry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry(pub(crate) Kind);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Kind {
    #[serde(rename = "e")]
    Event(Recorded),
    #[serde(rename = "n")]
    Note { b: BranchId, note: Note },
}

/// A history event with its place in the history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Recorded {
    pub(crate) id: u64,
    #[serde(rename = "p")]
    pub(crate) previous: u64,
    pub(crate) at: Millis,
    #[serde(rename = "b")]
    pub(crate) branch: BranchId,
    pub(crate) event: Event,
}

/// A fact that AWS's history leaves out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Note {
    /// A Wait state ends at this time.
    WaitUntil { due: Millis },
    /// The failed state runs again at this time, by the retrier with this place in `Retry`.
    RetryAt { retrier: u32, due: Millis },
    /// A retry begins, or a redriven state.
    Retrying,
    /// The state's next transition, where the state alone does not decide it: a Choice rule, a Catch.
    Goto { next: Arc<str> },
    /// The task about to be scheduled has a token with this nonce.
    Token { nonce: u128 },
    /// The task reported progress.
    Heartbeat { at: Millis },
    /// A Parallel state starts its branches with this input.
    Fork { input: Data },
    /// A Map state runs over these items.
    MapOver {
        items: Vec<Data>,
        limit: u32,
        tolerated: u32,
    },
    /// A Map state is about to start this Map Run.
    MapRun(Box<MapRun>),
    /// A Map iteration starts with this input.
    Iteration { index: u32, input: Data },
    /// A Parallel's branch failed or was aborted; what comes next in the state follows event `after`.
    Closed { after: u64 },
}

impl Entry {
    /// How the history of an execution that cannot be made from its journal ends: `ExecutionFailed`, after the event `last`. With
    /// `last` 0 even its beginning is lost; then one with an empty input stands before it, as every history has one.
    #[must_use]
    pub fn given_up(last: u64, role_arn: &str, at: Millis, failure: Failure) -> Vec<Self> {
        let event = |id, event| {
            Self(Kind::Event(Recorded {
                id,
                previous: id - 1,
                at,
                branch: BranchId::ROOT,
                event,
            }))
        };
        let started = Event::ExecutionStarted {
            input: Data::empty(),
            role_arn: role_arn.to_owned(),
        };
        let begun = (last == 0).then(|| event(1, started));
        let failed = event(last.max(1) + 1, Event::ExecutionFailed(failure));
        begun.into_iter().chain([failed]).collect()
    }

    pub(crate) fn note(branch: BranchId, note: Note) -> Self {
        Self(Kind::Note { b: branch, note })
    }

    /// Event id in the history, 1 and up; `None` for a note.
    pub fn id(&self) -> Option<u64> {
        match &self.0 {
            Kind::Event(recorded) => Some(recorded.id),
            Kind::Note { .. } => None,
        }
    }

    /// The event as `GetExecutionHistory` shows it; `None` for a note.
    pub fn history(&self) -> Option<HistoryEvent<'_>> {
        match &self.0 {
            Kind::Event(recorded) => Some(HistoryEvent::new(recorded)),
            Kind::Note { .. } => None,
        }
    }

    /// The event alone, for readers that want types rather than JSON.
    pub fn event(&self) -> Option<&Event> {
        match &self.0 {
            Kind::Event(recorded) => Some(&recorded.event),
            Kind::Note { .. } => None,
        }
    }
}

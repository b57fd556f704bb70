//! Executions in memory: a cache of what the journal holds, with at most one copy of each.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::map_run_store::ChildOf;
use crate::{Millis, Revision};

/// A running execution in memory.
pub(crate) struct Live {
    pub(crate) id: u64,
    pub(crate) revision: Arc<Revision>,
    pub(crate) definition: Arc<asl::Definition>,
    /// Whose child it is.
    pub(crate) child: Option<ChildOf>,
    state: Mutex<State>,
    used: AtomicU64,
}

pub(crate) struct State {
    pub(crate) execution: asl::Execution,
    /// Records decided so far; those not yet stored included.
    pub(crate) records: u32,
    /// When it must hear of the clock.
    pub(crate) due: Option<Millis>,
    /// The last event that is on disk; what was decided after it may still be lost.
    pub(crate) stored: u64,
    /// Records handed to the journal and not yet resolved.
    pub(crate) pending: u32,
    /// A record could not be stored: this copy is ahead of the journal and must not be used any more.
    pub(crate) dead: bool,
}

impl Live {
    pub(crate) fn new(
        id: u64,
        revision: Arc<Revision>,
        definition: Arc<asl::Definition>,
        execution: asl::Execution,
        records: u32,
        due: Option<Millis>,
        child: Option<ChildOf>,
    ) -> Live {
        let state = Mutex::new(State {
            stored: execution.last_event_id(),
            execution,
            records,
            due,
            pending: 0,
            dead: false,
        });
        Live {
            id,
            revision,
            definition,
            child,
            state,
            used: AtomicU64::new(0),
        }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The copies, up to a number; the least recently used that are at rest are given up.
pub(crate) struct Cache {
    copies: Mutex<Copies>,
    capacity: usize,
    ticks: AtomicU64,
    /// Reading an execution from the journal happens once, whoever asks; by number, so that they do not wait for others.
    reading: [tokio::sync::Mutex<()>; 64],
}

struct Copies {
    by_id: HashMap<u64, Arc<Live>>,
    /// With so many, some are given up.
    limit: usize,
}

impl Cache {
    pub(crate) fn new(capacity: usize) -> Cache {
        let capacity = capacity.max(2);
        Cache {
            copies: Mutex::new(Copies {
                by_id: HashMap::new(),
                limit: capacity,
            }),
            capacity,
            ticks: AtomicU64::new(0),
            reading: std::array::from_fn(|_| tokio::sync::Mutex::new(())),
        }
    }

    pub(crate) fn get(&self, id: u64) -> Option<Arc<Live>> {
        let copies = self.copies();
        let live = copies.by_id.get(&id)?;
        self.touch(live);
        Some(Arc::clone(live))
    }

    /// Whoever reads this execution holds this while it does.
    pub(crate) async fn reading(&self, id: u64) -> tokio::sync::MutexGuard<'_, ()> {
        let stripe = usize::try_from(id).unwrap_or_default() % self.reading.len();
        self.reading[stripe].lock().await
    }

    /// Adds a copy unless there is one; returns the one that counts.
    pub(crate) fn insert(&self, live: Arc<Live>) -> Arc<Live> {
        let mut copies = self.copies();
        if copies.by_id.len() >= copies.limit {
            copies.shrink();
            // What is in use stays; the next search comes when the number has doubled, so that insertions stay cheap.
            copies.limit = self.capacity.max(copies.by_id.len() * 2);
        }
        self.touch(&live);
        Arc::clone(copies.by_id.entry(live.id).or_insert(live))
    }

    /// Forgets this copy.
    pub(crate) fn remove(&self, live: &Arc<Live>) {
        let mut copies = self.copies();
        if copies
            .by_id
            .get(&live.id)
            .is_some_and(|found| Arc::ptr_eq(found, live))
        {
            copies.by_id.remove(&live.id);
        }
    }

    fn touch(&self, live: &Live) {
        live.used.store(
            self.ticks.fetch_add(1, Ordering::Relaxed),
            Ordering::Relaxed,
        );
    }

    fn copies(&self) -> MutexGuard<'_, Copies> {
        self.copies.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Copies {
    /// Gives up the older half of the copies that nobody holds and whose records are all stored. Half, so that the search is
    /// paid for by many insertions.
    fn shrink(&mut self) {
        let mut used: Vec<u64> = self
            .by_id
            .values()
            .map(|live| live.used.load(Ordering::Relaxed))
            .collect();
        let middle = used.len() / 2;
        let (_, median, _) = used.select_nth_unstable(middle);
        self.by_id.retain(|_, live| {
            // With the map locked nobody can take another reference to a copy that only the map has.
            let at_rest = Arc::strong_count(live) == 1 && live.state().pending == 0;
            !at_rest || live.used.load(Ordering::Relaxed) >= *median
        });
    }
}

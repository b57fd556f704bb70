//! The till: checkouts that come at the same time share a transaction.
//!
//! A commit costs a sync of the disk, and a transaction several turns to the database, however much it
//! holds. So whoever comes while one is under way waits in a lane, and the next transaction takes all who wait, in the
//! order in which they came. Nobody waits for company: a checkout that comes alone is served at once. In a Lambda, which has
//! one request at a time, that is every checkout.
//!
//! A lane is served by a task of its own, not by one of those who wait: a client that hangs up takes nobody with it. It
//! ends when nobody waits any more. What a transaction does is in [`sell`](super::sell).

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use super::sell::{Request, sell};
use super::{LOOKS, Placement};
use crate::db::Warehouse;
use crate::error::{Error, Result};

/// The most checkouts that share a transaction: the first of them waits for the last.
const MOST: usize = 64;

/// Who waits, by lane. A lane exists while it is served.
#[derive(Debug, Clone, Default)]
pub(crate) struct Till(Arc<Mutex<HashMap<String, VecDeque<Waiting>>>>);

#[derive(Debug)]
struct Waiting {
    request: Request,
    answer: oneshot::Sender<Result<Placement>>,
}

/// Waits in line until this checkout was decided.
pub(super) async fn queue(warehouse: &Warehouse, request: Request) -> Result<Placement> {
    let (answer, heard) = oneshot::channel();
    let name = warehouse.0.lane(&request.checkout.product_id).to_owned();
    let waiting = Waiting { request, answer };
    if warehouse.1.join(&name, waiting) {
        let lane = Lane {
            till: warehouse.1.clone(),
            name,
            closed: false,
        };
        tokio::spawn(serve(warehouse.clone(), lane));
    }
    // Without an answer the process is about to end, and perhaps the sale was committed.
    heard
        .await
        .unwrap_or(Err(Error::Unavailable(sqlx::Error::WorkerCrashed)))
}

/// Serves a lane until nobody waits in it.
async fn serve(warehouse: Warehouse, mut lane: Lane) {
    while let Some(batch) = lane.take() {
        let (requests, answers): (Vec<_>, Vec<_>) =
            batch.into_iter().map(|it| (it.request, it.answer)).unzip();
        let decided = decide(&warehouse, &requests).await;
        for (answer, decided) in answers.into_iter().zip(decided) {
            // Nobody need be listening any more.
            let _ = answer.send(decided);
        }
    }
}

/// An answer for each request, in their order.
async fn decide(warehouse: &Warehouse, requests: &[Request]) -> Vec<Result<Placement>> {
    match sell(warehouse, requests).await {
        Ok(decided) => decided,
        // One of them spoils the transaction, which did not happen: the others shall not suffer.
        Err(Error::Fault(_)) => {
            let mut decided = Vec::with_capacity(requests.len());
            for request in requests {
                decided.push(decide_alone(warehouse, request).await);
            }
            decided
        }
        // The database is busy or gone for all of them. If it went during the commit, that may have happened, so
        // nothing is tried again here.
        Err(error) => {
            let others = requests.iter().skip(1).map(|_| Err(error.repeated()));
            let others: Vec<_> = others.collect();
            std::iter::once(Err(error)).chain(others).collect()
        }
    }
}

async fn decide_alone(warehouse: &Warehouse, request: &Request) -> Result<Placement> {
    let keyed = request.checkout.idempotency_key.is_some();
    for _ in 0..LOOKS {
        match sell(warehouse, std::slice::from_ref(request)).await {
            Ok(mut decided) => {
                let only = decided.pop();
                return only.unwrap_or(Err(Error::Busy(sqlx::Error::RowNotFound)));
            }
            // Another process answered the same key meanwhile: its answer is found by the next look.
            Err(error) if keyed && error.is_unique_violation() => {}
            Err(error) => return Err(error),
        }
    }
    Err(Error::Busy(sqlx::Error::PoolTimedOut))
}

impl Till {
    /// Whether the lane was empty: then the caller must have it served.
    fn join(&self, lane: &str, waiting: Waiting) -> bool {
        let mut lanes = self.lanes();
        match lanes.get_mut(lane) {
            Some(line) => {
                line.push_back(waiting);
                false
            }
            None => {
                lanes.insert(lane.to_owned(), VecDeque::from([waiting]));
                true
            }
        }
    }

    fn lanes(&self) -> MutexGuard<'_, HashMap<String, VecDeque<Waiting>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A lane that is being served. However that ends, the lane is closed and nobody waits in it for ever.
struct Lane {
    till: Till,
    name: String,
    closed: bool,
}

impl Lane {
    /// The next who share a transaction; closes the lane if there are none. Of several with one key only the first: the
    /// others repeat it, and find its answer the next time.
    fn take(&mut self) -> Option<Vec<Waiting>> {
        let mut lanes = self.till.lanes();
        let line = lanes.get_mut(&self.name)?;
        let (mut batch, mut repeats) = (Vec::new(), Vec::new());
        let mut keys: HashSet<String> = HashSet::new();
        while batch.len() < MOST
            && let Some(waiting) = line.pop_front()
        {
            // Whoever hung up before their turn buys nothing.
            if waiting.answer.is_closed() {
                continue;
            }
            match &waiting.request.checkout.idempotency_key {
                Some(key) if !keys.insert(key.clone()) => repeats.push(waiting),
                _ => batch.push(waiting),
            }
        }
        while let Some(waiting) = repeats.pop() {
            line.push_front(waiting);
        }
        if batch.is_empty() {
            lanes.remove(&self.name);
            self.closed = true;
            return None;
        }
        Some(batch)
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        if !self.closed {
            self.till.lanes().remove(&self.name);
        }
    }
}

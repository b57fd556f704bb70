//! All executions, read once and kept: lists, counts and searches come from memory, however many look at them.
//!
//! Step Functions lists executions newest first, a thousand a call, without their inputs, and it meters calls. So one
//! reader per console reads what is new while somebody looks, asks what became of those that ran, and goes back
//! through the older ones page by page up to a limit. A closed execution's input and error never change and are read
//! once. What running ones wait for is found in their histories, a few of them in each round. Nothing is read while
//! nobody looks.

mod index;
mod item;
mod read;
mod reading;
mod stuck;
mod waiting;
mod waits;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use operate::connection::Connection;
use operate::error::OperateError;
use tokio::sync::{Mutex as Turn, watch};

pub(crate) use index::{Counts, Found, Index, Query};
pub(crate) use item::{Described, Item, STATUSES, Status, keys, name_of};
pub(crate) use stuck::Stuck;
pub(crate) use waits::Everything;

use read::Machine;
use reading::Reading;
use waits::Waits;

/// How long after the last look the reader goes on.
const INTEREST: Duration = Duration::from_secs(30);
/// How long a page waits for what is new before it shows what is known.
const PATIENCE: Duration = Duration::from_millis(80);
/// How long a page that is about what waits waits for what is new.
const CLOSELY: Duration = Duration::from_secs(2);
/// How long a page waits for the very first answer.
const FIRST: Duration = Duration::from_secs(20);

/// How hard an endpoint may be asked.
#[derive(Clone, Copy, Debug)]
struct Pace {
    /// Between two readings of what is new.
    every: Duration,
    /// Between two pages of older executions.
    page: Duration,
    /// Most executions that are kept.
    most: usize,
    /// Most inputs that a search reads.
    inputs: usize,
    /// Most calls for histories between two readings of what is new.
    histories: usize,
}

/// A local endpoint has no quota but shares the machine.
const LOCAL: Pace = Pace {
    every: Duration::from_secs(2),
    page: Duration::from_millis(5),
    most: 500_000,
    inputs: 500_000,
    histories: 400,
};
/// AWS's buckets for ListExecutions and DescribeExecution refill at about ten a second, for a whole account.
const AWS: Pace = Pace {
    every: Duration::from_secs(10),
    page: Duration::from_millis(500),
    most: 50_000,
    inputs: 1_000,
    // Of the twenty a second that GetExecutionHistory refills.
    histories: 40,
};

/// All executions.
#[derive(Debug)]
pub(crate) struct Fleet {
    at: Connection,
    pace: Pace,
    index: Mutex<Index>,
    state: Mutex<State>,
    /// Whoever reads holds it.
    turn: Turn<Vec<Machine>>,
    /// What running executions wait for.
    waits: Mutex<Waits>,
    everything: Mutex<Arc<Everything>>,
    /// Whoever reads histories holds it.
    waits_turn: Turn<()>,
    changed: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct State {
    looked: Option<Instant>,
    /// Of what is new.
    news: Reading,
    /// Of the histories.
    histories: Reading,
    is_driven: bool,
    is_searching: bool,
    problem: Option<String>,
    /// The older executions have all been read, up to the limit.
    is_complete: bool,
}

/// How far the reading has come, for people.
#[derive(Clone, Debug, Default)]
pub(crate) struct Progress {
    pub known: usize,
    pub is_complete: bool,
    pub undescribed: usize,
    pub is_searching: bool,
    pub problem: Option<String>,
}

impl Fleet {
    pub(crate) fn new(at: Connection) -> Fleet {
        let pace = if at.is_aws() { AWS } else { LOCAL };
        Fleet {
            at,
            pace,
            index: Mutex::default(),
            state: Mutex::default(),
            turn: Turn::default(),
            waits: Mutex::default(),
            everything: Mutex::default(),
            waits_turn: Turn::default(),
            changed: watch::Sender::new(0),
        }
    }

    pub(crate) fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn waits(&self) -> MutexGuard<'_, Waits> {
        self.waits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn everything(&self) -> MutexGuard<'_, Arc<Everything>> {
        self.everything
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Told of every change, while the reader reads.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Somebody changed something through this console: the next look reads again.
    pub(crate) fn is_stale(&self) {
        {
            let mut state = self.state();
            state.news.ended = None;
            state.news.failed = None;
            state.histories.ended = None;
        }
        self.waits().doubt();
    }

    /// Somebody looks: makes sure that what is new is being read, and waits a little for it.
    ///
    /// # Errors
    /// Nothing is known yet, and the endpoint does not answer or refuses.
    pub(crate) async fn look(self: &Arc<Self>) -> Result<(), Arc<OperateError>> {
        self.drive();
        let (read, has_problem) = {
            let state = self.state();
            let failed = state.news.failed.as_ref().map(|(at, _)| *at);
            (failed.or(state.news.ended), state.problem.is_some())
        };
        let is_fresh = read.is_some_and(|at| at.elapsed() < self.pace.every);
        // Where nothing is known, the page is the error: it is asked for again.
        if is_fresh && !(has_problem && self.index().len() == 0) {
            return Ok(());
        }
        let fleet = self.clone();
        // A task of its own: a page that gives up waiting does not stop the reading.
        let mut reading = tokio::spawn(async move { fleet.read(false).await });
        let patience = if self.index().len() == 0 {
            FIRST
        } else {
            PATIENCE
        };
        match tokio::time::timeout(patience, &mut reading).await {
            Ok(Ok(Err(error))) if self.index().len() == 0 => Err(error),
            _ => Ok(()),
        }
    }

    /// Reads what is new. Those who wait for their turn take the reading of the first of them as theirs.
    async fn read(&self, always: bool) -> Result<(), Arc<OperateError>> {
        let asked = Instant::now();
        let mut machines = self.turn.lock().await;
        if !always {
            let shared = self.state().news.serves(asked);
            if let Some(shared) = shared {
                return shared;
            }
        }
        let began = Instant::now();
        let result = self.read_all(&mut machines).await;
        let result = {
            let mut state = self.state();
            state.problem = result.as_ref().err().map(ToString::to_string);
            state.news.end(began, result)
        };
        if result? {
            self.tell();
        }
        Ok(())
    }

    async fn read_all(&self, machines: &mut Vec<Machine>) -> Result<bool, OperateError> {
        *machines = read::machines(&self.at, machines).await?;
        let mut changed = false;
        for machine in machines.iter_mut() {
            changed |= read::news(&self.at, self, machine).await?;
        }
        if machines.iter().any(|m| m.older.is_some()) && self.index().len() < self.pace.most {
            self.state().is_complete = false;
        }
        Ok(changed)
    }

    fn tell(&self) {
        self.changed.send_modify(|n| *n += 1);
    }

    /// Starts the reader unless it runs.
    fn drive(self: &Arc<Self>) {
        let mut state = self.state();
        state.looked = Some(Instant::now());
        if !state.is_driven {
            state.is_driven = true;
            tokio::spawn(drive(self.clone()));
        }
    }

    fn is_looked_at(&self) -> bool {
        self.changed.receiver_count() > 0
            || self
                .state()
                .looked
                .is_some_and(|at| at.elapsed() < INTEREST)
    }

    /// Adds or updates. Tells whether anything changed.
    fn put(&self, items: Vec<Item>) -> bool {
        let mut index = self.index();
        items
            .into_iter()
            .fold(false, |changed, item| index.put(item) | changed)
    }

    fn describe(&self, arn: &str, described: Described) {
        self.index().describe(arn, Arc::new(described));
    }

    /// A page of what the query leaves, with what each is about where that can be read soon.
    pub(crate) async fn find(self: &Arc<Self>, query: &Query, skip: usize, take: usize) -> Found {
        let mut found = self.index().find(query, skip, take);
        let arns: Vec<Arc<str>> = found.items.iter().map(|item| item.arn.clone()).collect();
        found.items = self.with_details(&arns).await;
        if query.text.is_some() {
            self.search();
        }
        found
    }

    /// These executions, with what each is about where that can be read soon.
    pub(crate) async fn with_details(self: &Arc<Self>, arns: &[Arc<str>]) -> Vec<Item> {
        let unknown: Vec<Arc<str>> = {
            let index = self.index();
            arns.iter()
                .filter(|arn| index.get(arn).is_some_and(|item| item.described.is_none()))
                .cloned()
                .collect()
        };
        if !unknown.is_empty() {
            let fleet = self.clone();
            let reading = tokio::spawn(async move {
                let result = read::describe(&fleet.at, &fleet, unknown).await;
                fleet.tell();
                result
            });
            // What does not come in time is there on the next look; an error shows as the list's own.
            let _ = tokio::time::timeout(PATIENCE, reading).await;
        }
        let index = self.index();
        arns.iter()
            .filter_map(|arn| index.get(arn).cloned())
            .collect()
    }

    /// Reads the inputs that nobody has read, newest first, so that a search finds business keys.
    fn search(self: &Arc<Self>) {
        {
            let mut state = self.state();
            if state.is_searching {
                return;
            }
            state.is_searching = true;
        }
        let fleet = self.clone();
        tokio::spawn(async move {
            let mut read = 0;
            while read < fleet.pace.inputs && fleet.is_looked_at() {
                let arns: Vec<Arc<str>> = {
                    let index = fleet.index();
                    index.undescribed().take(200).cloned().collect()
                };
                if arns.is_empty() {
                    break;
                }
                read += arns.len();
                if let Err(error) = read::describe(&fleet.at, &fleet, arns).await {
                    fleet.state().problem = Some(error.to_string());
                    break;
                }
                fleet.tell();
                tokio::time::sleep(fleet.pace.page).await;
            }
            fleet.state().is_searching = false;
            fleet.tell();
        });
    }

    pub(crate) fn progress(&self) -> Progress {
        let (known, undescribed) = {
            let index = self.index();
            (index.len(), index.undescribed().len())
        };
        let state = self.state();
        Progress {
            known,
            undescribed,
            is_complete: state.is_complete,
            is_searching: state.is_searching,
            problem: state.problem.clone(),
        }
    }
}

/// Reads what is new again and again and goes back through what is older, while somebody looks.
async fn drive(fleet: Arc<Fleet>) {
    while fleet.is_looked_at() {
        let began = Instant::now();
        // The errors are kept in the state, where pages show them.
        if fleet.read(true).await.is_ok() {
            let _ = fleet.read_waits().await;
        }
        let took = began.elapsed();
        if !fleet.state().is_complete {
            fill(&fleet).await;
        }
        // However slow the endpoint is, it has nine tenths of the time for others.
        tokio::time::sleep(fleet.pace.every.max(took.min(Duration::from_secs(10)) * 9)).await;
    }
    fleet.state().is_driven = false;
}

/// Reads older executions until all are known, the limit is reached, or it is time to look for news.
async fn fill(fleet: &Arc<Fleet>) {
    let began = Instant::now();
    loop {
        let mut machines = fleet.turn.lock().await;
        let mut is_there_more = false;
        for machine in machines.iter_mut() {
            match read::older(&fleet.at, fleet, machine).await {
                Ok(more) => is_there_more |= more,
                Err(error) => {
                    // A page's token may be too old; the top is read again, and the way back begins anew.
                    machine.is_begun = false;
                    fleet.state().problem = Some(error.to_string());
                    return;
                }
            }
        }
        drop(machines);
        fleet.tell();
        if !is_there_more || fleet.index().len() >= fleet.pace.most {
            fleet.state().is_complete = true;
            return;
        }
        if began.elapsed() > fleet.pace.every {
            return;
        }
        tokio::time::sleep(fleet.pace.page).await;
    }
}

#[cfg(test)]
mod tests;

//! A Map Run at work: it starts an execution for each item (or group of items), hears how they end, and tells its own execution.
//!
//! Nothing that matters is only here: the run is a phase of its execution's state, the children are executions like any other,
//! named after the run and their place. After a crash the run begins again, reads its items again, finds the children that
//! there are, and goes on with the rest.
//!
//! Start reading at [`Shared::run_map`].

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use asl::model::ResultFormat;
use asl::{
    ChildOutcome, Data, Failure, Limits, MapRun, MapRunStatus, Signal, Status, TaskId, error_name,
};
use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use serde_json::Value;
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;

use super::Shared;
use super::advance::SignalError;
use super::live::Live;
use super::map_run_children::{Children, Start, child_name, pending};
use super::map_run_store::{self as rows, ChildOf, MapRunRow};
use crate::{Revision, StorageError};

/// Children that run at the same time where `MaxConcurrency` sets no limit: AWS's own.
const MOST_AT_ONCE: u64 = 10_000;
/// Children whose start is on its way to the disk at the same time.
const STARTS_AT_ONCE: usize = 256;
/// Children stopped at the same time.
const STOPS_AT_ONCE: usize = 64;
/// When the store failed, the run is tried again after this long, in milliseconds.
const RETRY_AFTER: i64 = 1000;

/// Results to be written.
#[derive(Debug, Clone)]
pub struct Results {
    /// The evaluated `Parameters` or `Arguments`: `Bucket` and `Prefix`.
    pub place: Data,
    /// In which form.
    pub format: ResultFormat,
    /// ARN of the Map Run.
    pub map_run_arn: String,
    /// Every child, those never started too.
    pub outcomes: Vec<ChildOutcome>,
}

/// The Map Runs at work.
#[derive(Default)]
pub(crate) struct MapRuns {
    at_work: Mutex<AtWork>,
}

#[derive(Default)]
struct AtWork {
    /// By their execution and their id in it.
    by_task: HashMap<(u64, TaskId), Arc<Control>>,
    /// By their row.
    by_row: HashMap<i64, Arc<Control>>,
    /// One at a time works for each run: after a redrive the earlier one may still be stopping children.
    gates: HashMap<(u64, TaskId), Arc<tokio::sync::Mutex<()>>>,
}

/// How a run at work is reached.
struct Control {
    stop: CancellationToken,
    limits: Mutex<Limits>,
    changed: Notify,
    ended: mpsc::UnboundedSender<(u32, Status)>,
}

impl MapRuns {
    fn at_work(&self) -> MutexGuard<'_, AtWork> {
        self.at_work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A child has ended, on disk. Where nobody works for its run, the rows will tell whoever does.
    pub(crate) fn child_ended(&self, child: ChildOf, status: Status) {
        if let Some(control) = self.at_work().by_row.get(&child.run) {
            let _ = control.ended.send((child.index, status));
        }
    }

    /// The limits of a run were changed.
    pub(crate) fn update(&self, run: i64, limits: Limits) {
        if let Some(control) = self.at_work().by_row.get(&run) {
            *control.limits() = limits;
            control.changed.notify_one();
        }
    }
}

impl Control {
    fn limits(&self) -> MutexGuard<'_, Limits> {
        self.limits.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why the children were left.
enum Left {
    Done,
    TooManyFailures,
    Stopped,
}

impl Shared {
    /// Works for a Map Run until it ends.
    pub(crate) fn run_map(self: &Arc<Self>, live: &Arc<Live>, run: MapRun) {
        let (shared, execution) = (Arc::clone(self), live.id);
        let definition = Arc::clone(&live.definition);
        self.spawn(async move {
            let key = (execution, run.id);
            let gate = Arc::clone(shared.map_runs.at_work().gates.entry(key).or_default());
            let alone = gate.lock().await;
            let signal = loop {
                match shared.work(execution, &definition, &run).await {
                    Ok(signal) => break signal,
                    Err(StorageError::Closed) => return,
                    Err(StorageError::Corrupt(reason)) => {
                        tracing::error!(run = run.arn, reason, "a Map Run cannot go on");
                        break Some(failed(&run, Failure::new(error_name::RUNTIME, reason)));
                    }
                    Err(error) => {
                        tracing::warn!(run = run.arn, %error, "a Map Run could not go on; trying again");
                        let clock = &shared.clock;
                        clock.sleep_until(clock.now() + RETRY_AFTER).await;
                    }
                }
            };
            if let Some(signal) = signal {
                shared.deliver(execution, run.id, signal).await;
            }
            drop(alone);
            let mut at_work = shared.map_runs.at_work();
            if Arc::strong_count(&gate) == 2 {
                at_work.gates.remove(&key);
            }
        });
    }

    /// After the commit that ended a run: whoever works for it stops its children.
    pub(crate) fn end_map_run(&self, execution: u64, run: TaskId, status: MapRunStatus) {
        if status != MapRunStatus::Succeeded
            && let Some(control) = self.map_runs.at_work().by_task.get(&(execution, run))
        {
            control.stop.cancel();
        }
    }

    /// At start: children of runs that ended before they could stop them.
    pub(crate) async fn stop_left_children(self: &Arc<Self>) {
        match self.journal.read(rows::left_children).await {
            Ok(left) => self.stop_all(left).await,
            Err(error) => {
                tracing::warn!(%error, "children of ended Map Runs could not be looked for");
            }
        }
    }

    /// One attempt; what to tell the execution, unless nobody wants to know any more.
    async fn work(
        self: &Arc<Self>,
        execution: u64,
        definition: &Arc<asl::Definition>,
        run: &MapRun,
    ) -> Result<Option<Signal>, StorageError> {
        let (ended, mut endings) = mpsc::unbounded_channel();
        let control = Arc::new(Control {
            stop: self.closing.child_token(),
            limits: Mutex::new(run.limits),
            changed: Notify::new(),
            ended,
        });
        let mut registered = Registered {
            runs: &self.map_runs,
            key: (execution, run.id),
            row: None,
        };
        registered.enter(&control);
        let arn = run.arn.clone();
        let row = self.journal.read(move |db| rows::by_arn(db, &arn)).await?;
        let row = row.ok_or_else(|| StorageError::Corrupt(format!("{} is missing", run.arn)))?;
        registered.enter_row(row.id, &control);
        *control.limits() = row.limits;
        if row.status != MapRunStatus::Running {
            if row.status != MapRunStatus::Succeeded {
                self.stop_children(row.id).await?;
            }
            return Ok(None);
        }
        let prepared = tokio::select! {
            prepared = self.prepare(execution, definition, run, &row) => prepared?,
            () = control.stop.cancelled() => return Ok(None),
        };
        let (mut children, revision) = match prepared {
            Ok(prepared) => prepared,
            Err(failure) => return Ok(Some(failed(run, failure))),
        };
        let left = self
            .run_children(&control, &mut endings, &row, &revision, &mut children)
            .await?;
        if !matches!(left, Left::Done) {
            self.stop_children(row.id).await?;
        }
        if matches!(left, Left::Stopped) {
            return Ok(None);
        }
        let result = self.results(run, &row, &revision, &children).await?;
        Ok(Some(match (left, result) {
            (_, Err(failure)) => failed(run, failure),
            (Left::TooManyFailures, Ok(_)) => failed(
                run,
                Failure::new(
                    error_name::EXCEED_TOLERATED_FAILURE_THRESHOLD,
                    "The specified tolerated failure threshold was exceeded",
                ),
            ),
            (_, Ok(output)) => Signal::MapRunSucceeded {
                run: run.id,
                output,
            },
        }))
    }

    /// Starts children as the limits allow until all have ended, too many have failed, or nobody wants them any more.
    async fn run_children(
        self: &Arc<Self>,
        control: &Control,
        endings: &mut mpsc::UnboundedReceiver<(u32, Status)>,
        row: &MapRunRow,
        revision: &Arc<Revision>,
        children: &mut Children,
    ) -> Result<Left, StorageError> {
        let definition = self.machines.definition(revision).await?.parsed;
        let mut starts: FuturesUnordered<Start> = FuturesUnordered::new();
        let left = loop {
            if control.stop.is_cancelled() {
                break Left::Stopped;
            }
            let limits = *control.limits();
            if !limits.tolerate(children.failed_items, children.total_items) {
                break Left::TooManyFailures;
            }
            let most = match limits.max_concurrency {
                0 => MOST_AT_ONCE,
                most => most.min(MOST_AT_ONCE),
            };
            while children.running < most
                && starts.len() < STARTS_AT_ONCE
                && let Some(start) = children.next(self, row, revision, &definition)
            {
                starts.push(start);
            }
            if children.running == 0 && children.waiting.is_empty() {
                break Left::Done;
            }
            tokio::select! {
                Some(started) = starts.next(), if !starts.is_empty() => {
                    if let (index, Some(status)) = started? {
                        children.ended(index, status);
                    }
                }
                Some((index, status)) = endings.recv() => children.ended(index, status),
                () = control.changed.notified() => {}
                () = control.stop.cancelled() => {}
            }
        };
        // None may be started after the others were stopped.
        while let Some(started) = starts.next().await {
            started?;
        }
        Ok(left)
    }

    /// The result of the state, after the results were written where it is asked for.
    async fn results(
        &self,
        run: &MapRun,
        row: &MapRunRow,
        revision: &Revision,
        children: &Children,
    ) -> Result<Result<Data, Failure>, StorageError> {
        let (id, whole) = (row.id, run.writer.is_some());
        let started = self
            .journal
            .read(move |db| rows::outcomes(db, id, whole))
            .await?;
        let mut outcomes = Vec::with_capacity(children.inputs.len());
        let mut started = started.into_iter().peekable();
        for (index, child) in (0u32..).zip(&children.inputs) {
            let known = started.next_if(|(at, _)| *at == index);
            let mut outcome = match known {
                Some((_, outcome)) => outcome,
                None if whole => pending(child, child_name(&run.arn, index, 0)),
                None => continue,
            };
            outcome.execution_arn = self
                .place
                .execution(&revision.state_machine_name, &outcome.name);
            outcome
                .state_machine_arn
                .clone_from(&revision.state_machine_arn);
            outcomes.push(outcome);
        }
        let Some(writer) = &run.writer else {
            let outputs = outcomes
                .iter()
                .filter_map(|outcome| outcome.output.as_ref());
            let outputs = outputs.map(|output| output.value().clone()).collect();
            return Ok(Ok(Data::new(Value::Array(outputs))));
        };
        let Some(place) = &writer.arguments else {
            outcomes.retain(|outcome| outcome.status.is_some());
            return Ok(Ok(if writer.format.lines {
                Data::new(asl::map_results_text(writer.format, &outcomes).into())
            } else {
                Data::new(Value::Array(asl::map_results(writer.format, &outcomes)))
            }));
        };
        let Some((_, runner)) = self.started.get() else {
            return Err(StorageError::Closed);
        };
        let results = Results {
            place: place.clone(),
            format: writer.format,
            map_run_arn: run.arn.clone(),
            outcomes,
        };
        let written = results.outcomes.iter().filter(|it| it.status.is_some());
        let written = written.count() as u64;
        match runner.write_results(results).await {
            Err(failure) => Ok(Err(failure)),
            Ok(output) => {
                let items = children.total_items;
                let store =
                    move |db: &rusqlite::Connection| rows::set_written(db, id, written, items);
                self.journal.write(store).await?;
                Ok(Ok(output))
            }
        }
    }

    async fn stop_children(self: &Arc<Self>, run: i64) -> Result<(), StorageError> {
        let children = self.journal.read(move |db| rows::children(db, run)).await?;
        let running = children
            .into_iter()
            .filter(|child| child.status == Status::Running);
        self.stop_all(running.map(|child| child.id).collect()).await;
        Ok(())
    }

    async fn stop_all(self: &Arc<Self>, executions: Vec<u64>) {
        futures::stream::iter(executions)
            .for_each_concurrent(STOPS_AT_ONCE, |id| async move {
                let stop = Signal::Stop {
                    error: None,
                    cause: None,
                };
                match self.signal(id, stop).await {
                    Ok(()) | Err(SignalError::Ended | SignalError::Unknown) => {}
                    Err(error) => {
                        tracing::warn!(execution = id, ?error, "a child could not be stopped");
                    }
                }
            })
            .await;
    }
}

/// Takes a run out of the lists when the work for it ends, however it ends.
struct Registered<'a> {
    runs: &'a MapRuns,
    key: (u64, TaskId),
    row: Option<i64>,
}

impl Registered<'_> {
    fn enter(&self, control: &Arc<Control>) {
        let mut at_work = self.runs.at_work();
        at_work.by_task.insert(self.key, Arc::clone(control));
    }

    fn enter_row(&mut self, row: i64, control: &Arc<Control>) {
        self.row = Some(row);
        let mut at_work = self.runs.at_work();
        at_work.by_row.insert(row, Arc::clone(control));
    }
}

impl Drop for Registered<'_> {
    fn drop(&mut self) {
        let mut at_work = self.runs.at_work();
        at_work.by_task.remove(&self.key);
        if let Some(row) = self.row {
            at_work.by_row.remove(&row);
        }
    }
}

fn failed(run: &MapRun, failure: Failure) -> Signal {
    Signal::MapRunFailed {
        run: run.id,
        error: failure.error.unwrap_or_default(),
        cause: failure.cause.unwrap_or_default(),
    }
}

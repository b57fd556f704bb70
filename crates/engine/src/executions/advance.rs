//! How an execution goes on: a signal becomes a decision, the decision a record, and after its commit the effects run.
//!
//! Deciding happens under the execution's lock and may run ahead of the disk: the next signal is decided on the state the last
//! one left, stored or not. Records reach the journal in the order they were decided. If one cannot be stored, the copy in
//! memory is dead: the records decided after it fail too (`store::advance` counts them), and the execution is read again.

use std::sync::Arc;

use asl::{Command, Env, Refusal, Signal, Status};

use super::live::{Live, State};
use super::store::{self, Standing, Transition};
use super::{Shared, abandon, map_run_store};
use crate::journal::Commit;
use crate::{Ended, Millis, StorageError};

/// Why a signal was not taken.
#[derive(Debug)]
pub(crate) enum SignalError {
    /// No execution of this number.
    Unknown,
    /// The execution has ended.
    Ended,
    /// The interpreter does not accept it.
    Refused(Refusal),
    /// The store failed.
    Storage(StorageError),
}

impl From<StorageError> for SignalError {
    fn from(error: StorageError) -> Self {
        SignalError::Storage(error)
    }
}

/// An execution found by its number.
pub(crate) enum Found {
    Live(Arc<Live>),
    Ended,
}

impl Shared {
    /// Gives a signal to an execution. Its consequences are durable on return.
    pub(crate) async fn signal(
        self: &Arc<Self>,
        id: u64,
        signal: Signal,
    ) -> Result<(), SignalError> {
        self.signal_if(id, signal, |_| Ok(())).await
    }

    /// [`Shared::signal`], if `check` agrees with the execution's state.
    pub(crate) async fn signal_if(
        self: &Arc<Self>,
        id: u64,
        signal: Signal,
        check: impl Fn(&asl::Execution) -> Result<(), SignalError>,
    ) -> Result<(), SignalError> {
        let mut unreadable = 0;
        loop {
            let error = match self.try_signal(id, signal.clone(), &check).await {
                Ok(Some(commit)) => return Ok(commit.await?),
                Ok(None) => return Ok(()),
                Err(error) => error,
            };
            unreadable += 1;
            match error {
                // The copy in memory may be what is wrong: the journal is asked first. Then the execution ends.
                SignalError::Storage(StorageError::Corrupt(_)) if unreadable == 1 => {}
                SignalError::Storage(StorageError::Corrupt(reason)) if unreadable == 2 => {
                    self.give_up(id, &reason).await?;
                }
                error => return Err(error),
            }
        }
    }

    async fn try_signal(
        self: &Arc<Self>,
        id: u64,
        signal: Signal,
        check: &impl Fn(&asl::Execution) -> Result<(), SignalError>,
    ) -> Result<Option<Commit<()>>, SignalError> {
        loop {
            let live = match self.live(id).await? {
                Some(Found::Live(live)) => live,
                Some(Found::Ended) => return Err(SignalError::Ended),
                None => return Err(SignalError::Unknown),
            };
            let mut state = live.state();
            if !state.dead {
                check(&state.execution)?;
                return self.decide(&live, &mut state, signal);
            }
        }
    }

    /// Decides and hands the record to the journal; `None` if nothing happened.
    pub(crate) fn decide(
        self: &Arc<Self>,
        live: &Arc<Live>,
        state: &mut State,
        signal: Signal,
    ) -> Result<Option<Commit<()>>, SignalError> {
        let env = self.env();
        let jobs = abandon::with_jobs(&state.execution);
        let job_failed = |task| self.job_failed(live.id, task);
        let ends_with_job = abandon::ends_with_job(&signal, job_failed);
        let decision = match asl::decide(&live.definition, &mut state.execution, signal, &env) {
            Ok(decision) => decision,
            Err(Refusal::NotRunning) => return Err(SignalError::Ended),
            Err(Refusal::Corrupt { reason }) => {
                // Half decided: the copy cannot be used any more, the journal's state is as it was.
                state.dead = true;
                self.cache.remove(live);
                let error = format!(
                    "execution {} does not fit its definition: {reason}",
                    live.id
                );
                return Err(StorageError::Corrupt(error).into());
            }
            Err(refusal) => return Err(SignalError::Refused(refusal)),
        };
        let next_due = next_due(&state.execution, decision.more, env.now);
        state.due = next_due;
        self.timers.set(live.id, next_due);
        if decision.entries.is_empty() {
            return Ok(None);
        }
        let record = state.records + 1;
        let mut transition = transition(
            live.id,
            record,
            &decision,
            &state.execution,
            next_due,
            env.now,
        )?;
        let abandoned = abandon::left(jobs, &state.execution, ends_with_job);
        transition.abandoned.clone_from(&abandoned);
        state.records = record;
        state.pending += 1;
        let shared = Arc::clone(self);
        let (live, commands) = (Arc::clone(live), decision.commands);
        let ended = self.ended(&live, &state.execution);
        let last_event = state.execution.last_event_id();
        let effects = move |outcome: &Result<(), StorageError>| match outcome {
            Ok(()) => {
                let mut state = live.state();
                state.pending -= 1;
                state.stored = last_event;
                drop(state);
                shared.stored(&live, commands, ended);
                for task in abandoned {
                    shared.end_job_after_run(live.id, task);
                }
            }
            Err(_) => shared.lost(&live),
        };
        Ok(Some(self.journal.submit(
            move |db| store::advance(db, &transition),
            effects,
        )))
    }

    /// After the commit: run what was asked for.
    pub(crate) fn stored(
        self: &Arc<Self>,
        live: &Arc<Live>,
        commands: Vec<Command>,
        ended: Option<Ended>,
    ) {
        for command in commands {
            match command {
                Command::RunTask(request) => self.run_task(live, request),
                Command::CancelTask(task) => self.cancel_task(live.id, task),
                Command::StartMapRun(run) => self.run_map(live, *run),
                Command::EndMapRun(run, status) => self.end_map_run(live.id, run, status),
            }
        }
        if let Some(ended) = ended {
            self.cancel_tasks(live.id);
            self.cache.remove(live);
            match live.child {
                Some(child) => self.map_runs.child_ended(child, ended.status),
                // Nobody need be listening.
                None => drop(self.ended.send(ended)),
            }
        }
    }

    /// After a failed commit: this copy is ahead of the disk, so the disk's state takes its place, with its timer and tasks.
    fn lost(self: &Arc<Self>, live: &Arc<Live>) {
        {
            let mut state = live.state();
            state.pending -= 1;
            if std::mem::replace(&mut state.dead, true) {
                return;
            }
        }
        self.cache.remove(live);
        let shared = Arc::clone(self);
        let id = live.id;
        self.spawn(async move { shared.recover(id).await });
    }

    /// The execution, read from the journal if it is not in memory.
    pub(crate) async fn live(self: &Arc<Self>, id: u64) -> Result<Option<Found>, StorageError> {
        if let Some(live) = self.cache.get(id) {
            return Ok(Some(Found::Live(live)));
        }
        let _reading = self.cache.reading(id).await;
        if let Some(live) = self.cache.get(id) {
            return Ok(Some(Found::Live(live)));
        }
        let Some(stored) = self.journal.read(move |db| store::load(db, id)).await? else {
            return Ok(None);
        };
        if !stored.running {
            return Ok(Some(Found::Ended));
        }
        Ok(Some(Found::Live(
            self.cache.insert(self.rebuild(id, stored).await?),
        )))
    }

    /// An execution made anew from its records, ended or not.
    pub(crate) async fn rebuild(
        &self,
        id: u64,
        stored: store::Stored,
    ) -> Result<Arc<Live>, StorageError> {
        let revision = self.machines.revision_by_key(stored.revision).await?;
        let definition = self.machines.definition(&revision).await?.parsed;
        let identity = self.identity(
            id,
            &stored.name,
            &revision,
            stored.version_arn,
            stored.alias_arn,
        );
        let mut execution = asl::Execution::new(identity);
        for entry in &stored.entries {
            asl::evolve(&definition, &mut execution, entry).map_err(|error| {
                StorageError::corrupt(&format!("the history of execution {id}"), error)
            })?;
        }
        let live = Live::new(
            id,
            revision,
            definition,
            execution,
            stored.records,
            stored.next_due,
            stored.child,
        );
        Ok(Arc::new(live))
    }

    pub(crate) fn env(&self) -> Env {
        Env {
            now: self.clock.now(),
            seed: rand::random(),
        }
    }

    /// What is told when the execution has ended.
    pub(crate) fn ended(&self, live: &Live, execution: &asl::Execution) -> Option<Ended> {
        (execution.status() != Status::Running).then(|| {
            let identity = execution.identity();
            Ended {
                arn: identity.execution_arn.clone(),
                name: identity.name.clone(),
                state_machine_arn: live.revision.state_machine_arn.clone(),
                status: execution.status(),
                started: execution.started_at().unwrap_or_default(),
                stopped: execution.stopped_at().unwrap_or_default(),
                input: execution.input().cloned(),
                output: execution.output().cloned(),
                error: execution.error().map(str::to_owned),
                cause: execution.cause().map(str::to_owned),
            }
        })
    }
}

/// What a bounded decision left goes on at once, also after a crash: it is due now.
pub(crate) fn next_due(execution: &asl::Execution, more: bool, now: Millis) -> Option<Millis> {
    match execution.status() {
        Status::Running if more => Some(now),
        Status::Running => execution.next_due(),
        _ => None,
    }
}

pub(crate) fn transition(
    execution: u64,
    record: u32,
    decision: &asl::Decision,
    state: &asl::Execution,
    next_due: Option<Millis>,
    now: Millis,
) -> Result<Transition, StorageError> {
    let running = state.status() == Status::Running;
    let effects = if running {
        state.tasks().count() + state.map_runs().count()
    } else {
        0
    };
    Ok(Transition {
        execution,
        record,
        last_event: state.last_event_id(),
        map_runs: map_run_store::changes(&decision.commands, now),
        abandoned: Vec::new(),
        entries: serde_json::to_string(&decision.entries)
            .map_err(|error| StorageError::corrupt("entries to store", error))?,
        standing: Standing {
            status: state.status().as_str(),
            stopped: state.stopped_at(),
            next_due,
            effects: u32::try_from(effects).unwrap_or(u32::MAX),
            redrives: state.redrive_count(),
            redriven: state.redriven_at(),
            output: state.output().map(|output| output.text().to_owned()),
            error: state.error().map(str::to_owned),
            cause: state.cause().map(str::to_owned),
        },
    })
}

//! The end of an execution that cannot be read: its journal is damaged, or does not fit its definition.
//!
//! It would be RUNNING for ever and do nothing, with a line in the log that nobody looks for. So it ends, for everybody to see:
//! FAILED with `States.Runtime` and a cause that says what is wrong with it. What can be read of its history stays its history;
//! the rest is kept in a document (`damaged_records`), for whoever wants to know what it was. The others go on.
//!
//! That happens when somebody needs what cannot be read: the start of the engine for its tasks, the clock, an answer, a
//! reader. Nobody looks through all executions for it.
//!
//! After a cut nobody knows what the execution did, so it is not redriven; one whose records are whole (its definition is not)
//! may be, once that is mended.

use std::sync::Arc;

use asl::{Entry, Failure, MapRunStatus, Status, TaskId, error_name};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, params};
use serde_json::json;

use super::abandon::{self, AbandonedTask};
use super::map_run_store::{self, ChildOf};
use super::{Shared, store};
use crate::{Ended, Millis, StorageError};

/// The kind of the documents that hold unreadable records, by the execution's number.
const DOCUMENT: &str = "damaged_records";

/// What can be read of an execution.
#[derive(Debug)]
struct Remains {
    name: String,
    machine: String,
    role_arn: String,
    started: Millis,
    child: Option<ChildOf>,
    /// The `.sync` tasks that it had when last it could be read: what they have started must not go on alone.
    jobs: Vec<AbandonedTask>,
    /// How many records there should be, as the row has it.
    records: Value,
    /// How many can be read, from the first on, and the last event in them.
    readable: u32,
    last_event: u64,
    /// Whether there is more than that.
    cut: bool,
}

impl Shared {
    /// Ends an execution that cannot be read, unless it has ended. Durable on return.
    pub(crate) fn give_up<'a>(
        self: &'a Arc<Self>,
        id: u64,
        reason: &'a str,
    ) -> BoxFuture<'a, Result<(), StorageError>> {
        // Boxed: the end of a Map Run's parent stops children, which may have to be given up too.
        self.end_unreadable(id, reason).boxed()
    }

    async fn end_unreadable(self: &Arc<Self>, id: u64, reason: &str) -> Result<(), StorageError> {
        let definition = match self.journal.read(move |db| revision_of(db, id)).await {
            Ok(Some(revision)) => match self.machines.revision_by_key(revision).await {
                Ok(revision) => self.machines.definition(&revision).await.ok(),
                Err(_) => None,
            },
            _ => None,
        };
        let definition = definition.map(|definition| definition.parsed);
        let place = self.place.clone();
        let look = move |db: &Connection| {
            let Some(mut remains) = remains(db, id)? else {
                return Ok(None);
            };
            let identity = asl::Identity {
                execution_arn: place.execution(&remains.machine, &remains.name),
                name: remains.name.clone(),
                role_arn: remains.role_arn.clone(),
                state_machine_arn: place.state_machine(&remains.machine),
                state_machine_name: remains.machine.clone(),
                version_arn: None,
                alias_arn: None,
                key: id,
            };
            let mut execution = asl::Execution::new(identity);
            read(db, id, &mut remains, definition.as_deref(), &mut execution)?;
            remains.jobs = abandon::with_jobs(&execution);
            Ok(Some(remains))
        };
        let Some(remains) = self.journal.read(look).await? else {
            return Ok(());
        };
        let mut ended = self.end_damaged(id, &remains, reason, remains.cut).await;
        if matches!(ended, Err(StorageError::Corrupt(_))) && remains.cut {
            // The records cannot even be moved: they stay where they are.
            ended = self.end_damaged(id, &remains, reason, false).await;
        }
        match ended {
            // It has gone on or ended meanwhile.
            Err(StorageError::Stale) => Ok(()),
            ended => ended,
        }
    }

    async fn end_damaged(
        self: &Arc<Self>,
        id: u64,
        remains: &Remains,
        reason: &str,
        moved: bool,
    ) -> Result<(), StorageError> {
        let now = self.clock.now();
        let cause = cause(remains, reason);
        let failure = Failure::new(error_name::RUNTIME, cause.clone());
        let last = remains.last_event;
        let entries = Entry::given_up(last, &remains.role_arn, now, failure);
        let end = End {
            entries: serde_json::to_string(&entries)
                .map_err(|error| StorageError::corrupt("entries to store", error))?,
            last_event: entries.iter().filter_map(Entry::id).max().unwrap_or(last),
            readable: remains.readable,
            records: remains.records.clone(),
            cause: cause.clone(),
            jobs: remains.jobs.clone(),
            moved,
            now,
        };
        let ended = Ended {
            arn: self.place.execution(&remains.machine, &remains.name),
            name: remains.name.clone(),
            state_machine_arn: self.place.state_machine(&remains.machine),
            status: Status::Failed,
            started: remains.started,
            stopped: now,
            input: None,
            output: None,
            error: Some(error_name::RUNTIME.to_owned()),
            cause: Some(cause.clone()),
        };
        let (shared, child) = (Arc::clone(self), remains.child);
        let jobs = remains.jobs.clone();
        let tell = move |outcome: &Result<Vec<i64>, StorageError>| {
            let Ok(runs) = outcome else { return };
            tracing::error!(execution = ended.arn, cause, "an execution was given up");
            if let Some(copy) = shared.cache.get(id) {
                copy.state().dead = true;
                shared.cache.remove(&copy);
            }
            shared.timers.set(id, None);
            shared.cancel_tasks(id);
            for job in jobs {
                shared.end_job_after_run(id, job);
            }
            for run in runs {
                let run = TaskId(run.unsigned_abs());
                shared.end_map_run(id, run, MapRunStatus::Failed);
            }
            if !runs.is_empty() {
                let left = Arc::clone(&shared);
                shared.spawn(async move { left.stop_left_children().await });
            }
            match child {
                Some(child) => shared.map_runs.child_ended(child, Status::Failed),
                // Nobody need be listening.
                None => drop(shared.ended.send(ended)),
            }
        };
        let stored = self.journal.submit(move |db| end.store(db, id), tell);
        stored.await?;
        Ok(())
    }
}

fn cause(remains: &Remains, reason: &str) -> String {
    let lost = match (remains.cut, remains.last_event) {
        (false, _) => String::new(),
        (true, 0) => " Its input and its history are lost.".to_owned(),
        (true, last) => format!(" What happened after event {last} is lost."),
    };
    format!(
        "The execution cannot be read from the engine database and was ended: {reason}.{lost} \
         Look at what its tasks have done, and start a new one if there is more to do."
    )
}

fn key(id: u64) -> i64 {
    i64::try_from(id).unwrap_or(i64::MAX)
}

fn revision_of(db: &Connection, id: u64) -> Result<Option<i64>, StorageError> {
    let mut query = db.prepare_cached("select revision from executions where id = ?1")?;
    Ok(query.query_row([key(id)], |row| row.get(0)).optional()?)
}

/// The row of a running execution, as far as it can be read.
fn remains(db: &Connection, id: u64) -> Result<Option<Remains>, StorageError> {
    let mut query = db.prepare_cached(
        "select executions.name, machines.name, coalesce(revisions.role_arn, ''), executions.started, executions.records, \
         map_run, map_index, map_items from executions join machines on machines.id = executions.machine \
         left join revisions on revisions.id = executions.revision where executions.id = ?1 and executions.status = 'RUNNING'",
    )?;
    let remains = query.query_row([key(id)], |row| {
        Ok(Remains {
            name: row.get(0)?,
            machine: row.get(1)?,
            role_arn: row.get(2)?,
            started: row.get(3).unwrap_or_default(),
            child: map_run_store::child_of(row, 5).unwrap_or_default(),
            jobs: Vec::new(),
            records: row.get(4)?,
            readable: 0,
            last_event: 0,
            cut: false,
        })
    });
    Ok(remains.optional()?)
}

/// Reads records from the first on for as long as they continue an execution.
fn read(
    db: &Connection,
    id: u64,
    remains: &mut Remains,
    definition: Option<&asl::Definition>,
    execution: &mut asl::Execution,
) -> Result<(), StorageError> {
    let mut query = db
        .prepare_cached("select id, entries from records where id between ?1 and ?2 order by id")?;
    let mut rows = query.query(range(id, 1))?;
    loop {
        match rows.next() {
            Ok(None) => break,
            Ok(Some(row)) => {
                let mut last = remains.last_event;
                if store::record_number(row.get(0)?) != remains.readable + 1
                    || !continues(row, &mut last, definition, execution)
                {
                    remains.cut = true;
                    return Ok(());
                }
                remains.readable += 1;
                remains.last_event = last;
            }
            Err(_) => {
                remains.cut = true;
                return Ok(());
            }
        }
    }
    remains.cut = remains.records != Value::Integer(i64::from(remains.readable));
    Ok(())
}

/// Whether a record's entries can be read and follow event `last`, which they carry on.
fn continues(
    row: &rusqlite::Row<'_>,
    last: &mut u64,
    definition: Option<&asl::Definition>,
    execution: &mut asl::Execution,
) -> bool {
    let text = row.get_ref(1).ok().and_then(|text| text.as_str().ok());
    let Some(Ok(entries)) = text.map(store::read_entries) else {
        return false;
    };
    entries.iter().all(|entry| {
        let follows = entry.id().is_none_or(|id| id == *last + 1);
        *last = entry.id().unwrap_or(*last);
        let fits = |definition| asl::evolve(definition, execution, entry).is_ok();
        follows && definition.is_none_or(fits)
    })
}

/// The records of an execution from one on.
fn range(id: u64, from: u32) -> [i64; 2] {
    [store::record_id(id, from), store::record_id(id + 1, 0) - 1]
}

/// What is stored of the end.
struct End {
    entries: String,
    last_event: u64,
    readable: u32,
    records: Value,
    cause: String,
    jobs: Vec<AbandonedTask>,
    /// Whether the records that cannot be read go to their document.
    moved: bool,
    now: Millis,
}

impl End {
    /// The Map Runs that end with it.
    fn store(&self, db: &Connection, id: u64) -> Result<Vec<i64>, StorageError> {
        let mut record = self.readable + 1;
        if self.moved {
            self.move_away(db, id)?;
        } else if let Value::Integer(records) = self.records {
            record = record.max(u32::try_from(records).unwrap_or_default() + 1);
        }
        let ended = db
            .prepare_cached(
                "update executions set status = 'FAILED', stopped = ?3, records = ?4, next_due = null, effects = 0, output = null, \
                 error = ?5, cause = ?6 where id = ?1 and records is ?2 and status = 'RUNNING'",
            )?
            .execute(params![
                key(id),
                self.records,
                self.now,
                record,
                error_name::RUNTIME,
                self.cause
            ])?;
        if ended == 0 {
            return Err(StorageError::Stale);
        }
        db.prepare_cached("insert into records (id, last_event, entries) values (?1, ?2, ?3)")?
            .execute(params![
                store::record_id(id, record),
                key(self.last_event),
                self.entries
            ])?;
        abandon::store(db, &self.jobs)?;
        let mut runs = db.prepare_cached(
            "update map_runs set status = 'FAILED', stopped = ?2 where execution = ?1 and status = 'RUNNING' returning task",
        )?;
        let runs = runs.query_map(params![key(id), self.now], |row| row.get(0))?;
        Ok(runs.collect::<Result<_, _>>()?)
    }

    fn move_away(&self, db: &Connection, id: u64) -> Result<(), StorageError> {
        let from = range(id, self.readable + 1);
        let mut query =
            db.prepare_cached("select id, entries from records where id between ?1 and ?2")?;
        let mut rows = query.query(from)?;
        let mut kept = Vec::new();
        while let Some(row) = rows.next()? {
            let text = match row.get_ref(1)? {
                rusqlite::types::ValueRef::Text(bytes) | rusqlite::types::ValueRef::Blob(bytes) => {
                    String::from_utf8_lossy(bytes).into_owned()
                }
                other => format!("{other:?}"),
            };
            kept.push(json!({"record": store::record_number(row.get(0)?), "text": text}));
        }
        let kept = serde_json::Value::Array(kept).to_string();
        db.prepare_cached(
            "insert or replace into documents (kind, key, json) values (?1, ?2, ?3)",
        )?
        .execute(params![DOCUMENT, id.to_string(), kept])?;
        db.prepare_cached("delete from records where id between ?1 and ?2")?
            .execute(from)?;
        Ok(())
    }
}

/// Whether part of the execution's history is lost.
pub(super) fn is_cut(db: &Connection, id: u64) -> Result<bool, StorageError> {
    let mut query =
        db.prepare_cached("select exists (select 1 from documents where kind = ?1 and key = ?2)")?;
    Ok(query.query_row(params![DOCUMENT, id.to_string()], |row| row.get(0))?)
}

/// Part of pruning the execution.
pub(super) fn forget(db: &Connection, id: i64) -> Result<(), StorageError> {
    db.prepare_cached("delete from documents where kind = ?1 and key = ?2")?
        .execute(params![DOCUMENT, id.to_string()])?;
    Ok(())
}

//! The tables of the executions, and every statement that changes them. Queries for readers are in `inspect`.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::abandon::{self, AbandonedTask};
use super::map_run_store::{self, ChildOf, MapRunChange, map_runs_tables};
use crate::{Millis, StorageError};

/// A transition is one record and one changed row. `records.id` is the execution's number and, in its last 20 bits, the
/// record's place in it: the records of an execution lie together, and one tree is all that a transition touches besides the row.
pub(crate) const TABLES: &str = concat!(
    "
    create table executions (
        id integer primary key,
        machine integer not null,
        revision integer not null,
        name text not null,
        version_arn text,
        alias_arn text,
        status text not null,
        started integer not null,
        stopped integer,
        -- 0: it was pruned, and only its name is left
        records integer not null,
        next_due integer,
        effects integer not null,
        redrives integer not null,
        redriven integer,
        output text,
        error text,
        cause text,
        map_run integer,
        map_index integer,
        map_items integer
    );
    -- for: StartExecution finds the execution of that name; every action finds the execution of an ARN
    create unique index executions_by_name on executions (machine, name);
    -- for: ListExecutions of a machine, newest first
    create index executions_by_machine on executions (machine);
    -- for: the same with a statusFilter
    create index executions_by_status on executions (machine, status);
    -- for: ListExecutions of a version or an alias
    create index executions_by_version on executions (version_arn) where version_arn is not null;
    create index executions_by_alias on executions (alias_arn) where alias_arn is not null;
    -- for: recovery at start
    create index executions_due on executions (next_due) where next_due is not null;
    create index executions_with_effects on executions (id) where effects > 0;
    -- for: the children of a Map Run, in their order
    create index executions_by_map_run on executions (map_run, map_index) where map_run is not null;
    create table records (
        id integer primary key,
        last_event integer not null,
        entries text not null
    );
",
    map_runs_tables!()
);

/// What version 1 of the tables lacks.
pub(crate) const TO_VERSION_2: &str = concat!(
    "
    alter table executions add column map_run integer;
    alter table executions add column map_index integer;
    alter table executions add column map_items integer;
    create index executions_by_map_run on executions (map_run, map_index) where map_run is not null;
    ",
    map_runs_tables!()
);

pub(crate) const RECORD_BITS: u32 = 20;

/// The place of a record in the table.
pub(crate) fn record_id(execution: u64, record: u32) -> i64 {
    i64::try_from(execution).unwrap_or(i64::MAX >> RECORD_BITS) << RECORD_BITS | i64::from(record)
}

/// The place of a record in its execution.
pub(crate) fn record_number(id: i64) -> u32 {
    u32::try_from(id & ((1 << RECORD_BITS) - 1)).unwrap_or_default()
}

/// What a transition leaves behind.
#[derive(Debug, Clone)]
pub(crate) struct Transition {
    pub(crate) execution: u64,
    /// 1 for the first.
    pub(crate) record: u32,
    pub(crate) last_event: u64,
    pub(crate) entries: String,
    pub(crate) standing: Standing,
    /// What it does to its Map Runs.
    pub(crate) map_runs: Vec<MapRunChange>,
    /// Tasks that it ended before their jobs.
    pub(crate) abandoned: Vec<AbandonedTask>,
}

/// The part of an execution's row that transitions change.
#[derive(Debug, Clone)]
pub(crate) struct Standing {
    pub(crate) status: &'static str,
    pub(crate) stopped: Option<Millis>,
    pub(crate) next_due: Option<Millis>,
    /// Tasks to be run again after a crash.
    pub(crate) effects: u32,
    pub(crate) redrives: u32,
    pub(crate) redriven: Option<Millis>,
    pub(crate) output: Option<String>,
    pub(crate) error: Option<String>,
    pub(crate) cause: Option<String>,
}

/// The part of an execution's row that never changes.
#[derive(Debug, Clone)]
pub(crate) struct Birth {
    pub(crate) machine: i64,
    pub(crate) revision: i64,
    pub(crate) name: String,
    pub(crate) version_arn: Option<String>,
    pub(crate) alias_arn: Option<String>,
    pub(crate) started: Millis,
    /// Whose child it is.
    pub(crate) child: Option<ChildOf>,
    /// The unsuccessful child whose place it takes.
    pub(crate) replaces: Option<u64>,
}

/// What StartExecution found under the name.
#[derive(Debug, Clone)]
pub(crate) enum Inserted {
    New,
    Existing {
        id: u64,
        running: bool,
        started: Millis,
    },
}

pub(crate) fn insert(
    db: &Connection,
    birth: &Birth,
    transition: &Transition,
) -> Result<Inserted, StorageError> {
    let standing = &transition.standing;
    let inserted = db
        .prepare_cached(
            "insert into executions (id, machine, revision, name, version_arn, alias_arn, status, started, stopped, records, \
             next_due, effects, redrives, output, error, cause, map_run, map_index, map_items) \
             values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, 0, ?13, ?14, ?15, ?16, ?17, ?18) \
             on conflict (machine, name) do nothing",
        )?
        .execute(params![
            i64::try_from(transition.execution).unwrap_or(i64::MAX),
            birth.machine,
            birth.revision,
            birth.name,
            birth.version_arn,
            birth.alias_arn,
            standing.status,
            birth.started,
            standing.stopped,
            transition.record,
            standing.next_due,
            standing.effects,
            standing.output,
            standing.error,
            standing.cause,
            birth.child.map(|child| child.run),
            birth.child.map(|child| child.index),
            birth.child.map(|child| child.items),
        ])?;
    if inserted == 0 {
        let existing = db
            .prepare_cached(
                "select id, status, started from executions where machine = ?1 and name = ?2",
            )?
            .query_row(params![birth.machine, birth.name], |row| {
                Ok(Inserted::Existing {
                    id: row.get::<_, i64>(0)?.unsigned_abs(),
                    running: row.get_ref(1)?.as_str()? == asl::Status::Running.as_str(),
                    started: row.get(2)?,
                })
            })?;
        return Ok(existing);
    }
    if let Some(earlier) = birth.replaces {
        map_run_store::give_up_place(db, earlier)?;
    }
    map_run_store::apply(db, transition.execution, &transition.map_runs)?;
    insert_record(db, transition)?;
    Ok(Inserted::New)
}

/// Stores a transition of an execution that exists.
///
/// The row must have exactly the records before this one: so a transition that was decided on a state which failed to be
/// stored fails too, and all that follow it.
pub(crate) fn advance(db: &Connection, transition: &Transition) -> Result<(), StorageError> {
    let standing = &transition.standing;
    let updated = db
        .prepare_cached(
            "update executions set status = ?2, stopped = ?3, records = ?4, next_due = ?5, effects = ?6, redrives = ?7, \
             redriven = ?8, output = ?9, error = ?10, cause = ?11 where id = ?1 and records = ?4 - 1",
        )?
        .execute(params![
            i64::try_from(transition.execution).unwrap_or(i64::MAX),
            standing.status,
            standing.stopped,
            transition.record,
            standing.next_due,
            standing.effects,
            standing.redrives,
            standing.redriven,
            standing.output,
            standing.error,
            standing.cause,
        ])?;
    if updated == 0 {
        return Err(StorageError::Stale);
    }
    map_run_store::apply(db, transition.execution, &transition.map_runs)?;
    abandon::store(db, &transition.abandoned)?;
    insert_record(db, transition)
}

fn insert_record(db: &Connection, transition: &Transition) -> Result<(), StorageError> {
    db.prepare_cached("insert into records (id, last_event, entries) values (?1, ?2, ?3)")?
        .execute(params![
            record_id(transition.execution, transition.record),
            i64::try_from(transition.last_event).unwrap_or(i64::MAX),
            transition.entries,
        ])?;
    Ok(())
}

/// What is needed to rebuild an execution.
pub(crate) struct Stored {
    pub(crate) name: String,
    pub(crate) revision: i64,
    pub(crate) version_arn: Option<String>,
    pub(crate) alias_arn: Option<String>,
    pub(crate) running: bool,
    pub(crate) records: u32,
    pub(crate) next_due: Option<Millis>,
    pub(crate) child: Option<ChildOf>,
    pub(crate) entries: Vec<asl::Entry>,
}

pub(crate) fn load(db: &Connection, id: u64) -> Result<Option<Stored>, StorageError> {
    let stored = db
        .prepare_cached("select name, revision, version_arn, alias_arn, status, records, next_due, map_run, map_index, map_items from executions where id = ?1")?
        .query_row([i64::try_from(id).unwrap_or(i64::MAX)], |row| {
            Ok(Stored {
                name: row.get(0)?,
                revision: row.get(1)?,
                version_arn: row.get(2)?,
                alias_arn: row.get(3)?,
                running: row.get_ref(4)?.as_str()? == asl::Status::Running.as_str(),
                records: row.get(5)?,
                next_due: row.get(6)?,
                child: map_run_store::child_of(row, 7)?,
                entries: Vec::new(),
            })
        })
        .optional()?;
    let Some(mut stored) = stored else {
        return Ok(None);
    };
    let mut query =
        db.prepare_cached("select entries from records where id between ?1 and ?2 order by id")?;
    let mut rows = query.query([record_id(id, 0), record_id(id, stored.records)])?;
    let mut count = 0;
    while let Some(row) = rows.next()? {
        stored.entries.extend(read_entries(
            row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?,
        )?);
        count += 1;
    }
    if count != stored.records {
        return Err(StorageError::Corrupt(format!(
            "{count} of {} records are there",
            stored.records
        )));
    }
    Ok(Some(stored))
}

pub(crate) fn read_entries(text: &str) -> Result<Vec<asl::Entry>, StorageError> {
    serde_json::from_str(text)
        .map_err(|error| StorageError::corrupt("a record of an execution", error))
}

/// The id of an execution's last event.
pub(crate) fn last_event(db: &Connection, id: u64) -> Result<u64, StorageError> {
    let last: Option<i64> = db
        .prepare_cached(
            "select last_event from records where id between ?1 and ?2 order by id desc limit 1",
        )?
        .query_row([record_id(id, 0), record_id(id + 1, 0)], |row| row.get(0))
        .optional()?;
    Ok(last.map_or(0, i64::unsigned_abs))
}

pub(crate) fn last_id(db: &Connection) -> Result<u64, StorageError> {
    let last: Option<i64> = db.query_row("select max(id) from executions", [], |row| row.get(0))?;
    Ok(last.map_or(0, i64::unsigned_abs))
}

/// All executions that wait for a time. A time that cannot be read is the beginning of time: so its execution is looked at, and its
/// damage found.
pub(crate) fn due(db: &Connection) -> Result<Vec<(Millis, u64)>, StorageError> {
    let mut query = db.prepare("select next_due, id from executions where next_due is not null")?;
    let rows = query.query_map([], |row| {
        Ok((
            row.get(0).unwrap_or_default(),
            row.get::<_, i64>(1)?.unsigned_abs(),
        ))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// All executions with tasks that must run (again).
pub(crate) fn with_effects(db: &Connection) -> Result<Vec<u64>, StorageError> {
    let mut query = db.prepare("select id from executions where effects > 0")?;
    let rows = query.query_map([], |row| Ok(row.get::<_, i64>(0)?.unsigned_abs()))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

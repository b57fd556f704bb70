//! The table of the Map Runs, and every statement on it and on their children. A run's row changes in the commit of the
//! transition that changes the run.

use asl::{ChildOutcome, Command, Data, Limits, MapRunStatus, Status};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::inspect::status_of;
use super::store::{read_entries, record_id};
use crate::machines::{RevisionRow, child_machine};
use crate::{MachineKind, Millis, StorageError};

/// `executions` and `items` are unknown until the dataset is read; `machine` and `revision` are the children's.
macro_rules! map_runs_tables {
    () => {
        "
    create table map_runs (
        id integer primary key,
        arn text not null unique,
        execution integer not null,
        task integer not null,
        status text not null,
        started integer not null,
        stopped integer,
        machine integer,
        revision integer,
        max_concurrency integer not null,
        tolerated_count integer,
        tolerated_share real,
        executions integer,
        items integer,
        written integer not null default 0,
        written_items integer not null default 0,
        redrives integer not null default 0,
        redriven integer
    );
    -- for: ListMapRuns; the end of a run
    create index map_runs_by_execution on map_runs (execution, task);
    "
    };
}
pub(crate) use map_runs_tables;

/// Whose child an execution is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ChildOf {
    /// The run's row.
    pub(crate) run: i64,
    /// Its place among the run's children, from 0.
    pub(crate) index: u32,
    /// How many items it works on.
    pub(crate) items: u32,
}

/// What a transition does to a run of its execution.
#[derive(Debug, Clone)]
pub(crate) enum MapRunChange {
    Start {
        arn: String,
        task: u64,
        limits: Limits,
        now: Millis,
    },
    Redrive {
        task: u64,
        redrives: u32,
        now: Millis,
    },
    End {
        task: u64,
        status: MapRunStatus,
        now: Millis,
    },
}

/// What a decision does to Map Runs.
pub(crate) fn changes(commands: &[Command], now: Millis) -> Vec<MapRunChange> {
    let change = |command: &Command| match command {
        Command::StartMapRun(run) if run.redrives == 0 => Some(MapRunChange::Start {
            arn: run.arn.clone(),
            task: run.id.0,
            limits: run.limits,
            now,
        }),
        Command::StartMapRun(run) => Some(MapRunChange::Redrive {
            task: run.id.0,
            redrives: run.redrives,
            now,
        }),
        Command::EndMapRun(task, status) => Some(MapRunChange::End {
            task: task.0,
            status: *status,
            now,
        }),
        _ => None,
    };
    commands.iter().filter_map(change).collect()
}

/// Part of storing a transition.
pub(crate) fn apply(
    db: &Connection,
    execution: u64,
    changes: &[MapRunChange],
) -> Result<(), StorageError> {
    let execution = i64::try_from(execution).unwrap_or(i64::MAX);
    for change in changes {
        match change {
            MapRunChange::Start {
                arn,
                task,
                limits,
                now,
            } => db
                .prepare_cached(
                    "insert into map_runs (arn, execution, task, status, started, max_concurrency, tolerated_count, tolerated_share) \
                     values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                )?
                .execute(params![
                    arn,
                    execution,
                    whole(*task),
                    MapRunStatus::Running.as_str(),
                    now,
                    whole(limits.max_concurrency),
                    limits.tolerated_failure_count.map(whole),
                    limits.tolerated_failure_percentage,
                ])?,
            MapRunChange::Redrive {
                task,
                redrives,
                now,
            } => db
                .prepare_cached(
                    "update map_runs set status = ?3, stopped = null, redrives = ?4, redriven = ?5 where execution = ?1 and task = ?2",
                )?
                .execute(params![
                    execution,
                    whole(*task),
                    MapRunStatus::Running.as_str(),
                    redrives,
                    now
                ])?,
            MapRunChange::End { task, status, now } => db
                .prepare_cached(
                    "update map_runs set status = ?3, stopped = ?4 where execution = ?1 and task = ?2",
                )?
                .execute(params![execution, whole(*task), status.as_str(), now])?,
        };
    }
    Ok(())
}

fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// An Express child that was unsuccessful is started anew: from now on the new execution has its place, and counts.
pub(crate) fn give_up_place(db: &Connection, child: u64) -> Result<(), StorageError> {
    db.prepare_cached("update executions set map_index = null where id = ?1")?
        .execute([whole(child)])?;
    Ok(())
}

/// The three columns of a child, from this one on.
pub(crate) fn child_of(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<ChildOf>> {
    let (Some(run), Some(index)) = (row.get(column)?, row.get(column + 1)?) else {
        return Ok(None);
    };
    Ok(Some(ChildOf {
        run,
        index,
        items: row.get(column + 2)?,
    }))
}

/// A run's row.
#[derive(Debug, Clone)]
pub(crate) struct MapRunRow {
    pub(crate) id: i64,
    pub(crate) arn: String,
    pub(crate) execution: u64,
    pub(crate) status: MapRunStatus,
    pub(crate) started: Millis,
    pub(crate) stopped: Option<Millis>,
    pub(crate) revision: Option<i64>,
    pub(crate) limits: Limits,
    pub(crate) executions: Option<u32>,
    pub(crate) items: Option<u64>,
    pub(crate) written: u64,
    pub(crate) written_items: u64,
    pub(crate) redrives: u32,
    pub(crate) redriven: Option<Millis>,
}

impl MapRunRow {
    /// The time since which a child must have been redriven, if a redrive of the run goes on.
    pub(crate) fn awaits_redrives_of(&self) -> Option<Millis> {
        self.redriven
            .filter(|_| self.status == MapRunStatus::Running)
    }
}

/// The condition on `executions` for children that wait for their redrive.
pub(crate) fn pending(since: Option<Millis>) -> String {
    match since {
        None => "0".to_owned(),
        Some(since) => format!(
            "executions.status in ('FAILED', 'TIMED_OUT', 'ABORTED') and coalesce(executions.redriven, 0) < {since} \
             and executions.map_index is not null and (executions.redriven is not null or executions.started <= {since})"
        ),
    }
}

const COLUMNS: &str = "id, arn, execution, status, started, stopped, revision, max_concurrency, tolerated_count, tolerated_share, \
    executions, items, written, written_items, redrives, redriven";

pub(crate) fn by_arn(db: &Connection, arn: &str) -> Result<Option<MapRunRow>, StorageError> {
    let query = format!("select {COLUMNS} from map_runs where arn = ?1");
    let found = db.prepare_cached(&query)?.query_row([arn], read).optional();
    Ok(found?)
}

/// The runs of an execution, newest first, those before a row.
pub(crate) fn of_execution(
    db: &Connection,
    execution: u64,
    before: i64,
    limit: usize,
) -> Result<Vec<MapRunRow>, StorageError> {
    let query = format!(
        "select {COLUMNS} from map_runs where execution = ?1 and id < ?2 order by id desc limit ?3"
    );
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut query = db.prepare_cached(&query)?;
    let rows = query.query_map(params![whole(execution), before, limit], read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn read(row: &Row<'_>) -> rusqlite::Result<MapRunRow> {
    let status: String = row.get(3)?;
    let status = match status.as_str() {
        "SUCCEEDED" => MapRunStatus::Succeeded,
        "FAILED" => MapRunStatus::Failed,
        "ABORTED" => MapRunStatus::Aborted,
        _ => MapRunStatus::Running,
    };
    let number = |column: usize| row.get::<_, i64>(column).map(i64::unsigned_abs);
    let maybe = |column: usize| -> rusqlite::Result<Option<u64>> {
        Ok(row.get::<_, Option<i64>>(column)?.map(i64::unsigned_abs))
    };
    Ok(MapRunRow {
        id: row.get(0)?,
        arn: row.get(1)?,
        execution: number(2)?,
        status,
        started: row.get(4)?,
        stopped: row.get(5)?,
        revision: row.get(6)?,
        limits: Limits {
            max_concurrency: number(7)?,
            tolerated_failure_count: maybe(8)?,
            tolerated_failure_percentage: row.get(9)?,
        },
        executions: row.get(10)?,
        items: maybe(11)?,
        written: number(12)?,
        written_items: number(13)?,
        redrives: row.get(14)?,
        redriven: row.get(15)?,
    })
}

/// The dataset is read: how many children there will be, and what they run.
pub(crate) fn begin(
    db: &Connection,
    run: i64,
    machine: &str,
    kind: MachineKind,
    definition: &RevisionRow,
    executions: u32,
    items: u64,
) -> Result<i64, StorageError> {
    let rows = child_machine(db, machine, kind, definition)?;
    db.prepare_cached(
        "update map_runs set machine = ?2, revision = ?3, executions = ?4, items = ?5 where id = ?1",
    )?
    .execute(params![run, rows.machine, rows.revision, executions, whole(items)])?;
    Ok(rows.revision)
}

pub(crate) fn set_limits(db: &Connection, run: i64, limits: Limits) -> Result<(), StorageError> {
    db.prepare_cached(
        "update map_runs set max_concurrency = ?2, tolerated_count = ?3, tolerated_share = ?4 where id = ?1",
    )?
    .execute(params![
        run,
        whole(limits.max_concurrency),
        limits.tolerated_failure_count.map(whole),
        limits.tolerated_failure_percentage
    ])?;
    Ok(())
}

pub(crate) fn set_written(
    db: &Connection,
    run: i64,
    written: u64,
    items: u64,
) -> Result<(), StorageError> {
    db.prepare_cached("update map_runs set written = ?2, written_items = ?3 where id = ?1")?
        .execute(params![run, whole(written), whole(items)])?;
    Ok(())
}

/// A child that was started.
#[derive(Debug, Clone)]
pub(crate) struct ChildRow {
    pub(crate) id: u64,
    pub(crate) index: u32,
    pub(crate) name: String,
    pub(crate) status: Status,
    pub(crate) redriven: Option<Millis>,
}

/// All children of a run that were started.
pub(crate) fn children(db: &Connection, run: i64) -> Result<Vec<ChildRow>, StorageError> {
    let mut query = db.prepare_cached(
        "select id, map_index, status, redriven, name from executions where map_run = ?1 and map_index is not null order by map_index",
    )?;
    let mut rows = query.query([run])?;
    let mut children = Vec::new();
    while let Some(row) = rows.next()? {
        children.push(ChildRow {
            id: row.get::<_, i64>(0)?.unsigned_abs(),
            index: row.get(1)?,
            status: status_of(&row.get::<_, String>(2)?)?,
            redriven: row.get(3)?,
            name: row.get(4)?,
        });
    }
    Ok(children)
}

/// How many children of a run, and of how many items, have each status.
pub(crate) fn counts(db: &Connection, run: i64) -> Result<Vec<(Status, u64, u64)>, StorageError> {
    let mut query = db.prepare_cached(
        "select status, count(*), sum(map_items) from executions where map_run = ?1 and map_index is not null group by status",
    )?;
    let mut rows = query.query([run])?;
    let mut counts = Vec::new();
    while let Some(row) = rows.next()? {
        counts.push((
            status_of(&row.get::<_, String>(0)?)?,
            row.get::<_, i64>(1)?.unsigned_abs(),
            row.get::<_, i64>(2)?.unsigned_abs(),
        ));
    }
    Ok(counts)
}

/// How many children of a run, and of how many items, wait for their redrive.
pub(crate) fn pending_redrives(
    db: &Connection,
    run: i64,
    since: Option<Millis>,
) -> Result<(u64, u64), StorageError> {
    if since.is_none() {
        return Ok((0, 0));
    }
    let query = format!(
        "select count(*), coalesce(sum(map_items), 0) from executions where map_run = ?1 and map_index is not null and {}",
        pending(since)
    );
    let counts = db.query_row(&query, [run], |row| {
        Ok((
            row.get::<_, i64>(0)?.unsigned_abs(),
            row.get::<_, i64>(1)?.unsigned_abs(),
        ))
    });
    Ok(counts?)
}

/// Running children of runs that have ended otherwise than well: a crash came before they were stopped.
pub(crate) fn left_children(db: &Connection) -> Result<Vec<u64>, StorageError> {
    let mut query = db.prepare(
        "select executions.id from map_runs join executions on executions.map_run = map_runs.id \
         where map_runs.status in ('FAILED', 'ABORTED') and executions.status = 'RUNNING'",
    )?;
    let rows = query.query_map([], |row| Ok(row.get::<_, i64>(0)?.unsigned_abs()))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// What the started children of a run have come to, by their place. The ARN and the machine's ARN are still to be filled in.
///
/// With their inputs only if they are asked for.
pub(crate) fn outcomes(
    db: &Connection,
    run: i64,
    with_inputs: bool,
) -> Result<Vec<(u32, ChildOutcome)>, StorageError> {
    let mut query = db.prepare_cached(
        "select map_index, id, name, status, started, stopped, output, error, cause, redrives from executions \
         where map_run = ?1 and map_index is not null order by map_index",
    )?;
    let mut first = db.prepare_cached("select entries from records where id = ?1")?;
    let mut rows = query.query([run])?;
    let mut outcomes = Vec::new();
    while let Some(row) = rows.next()? {
        let id = row.get::<_, i64>(1)?.unsigned_abs();
        let mut input = None;
        if with_inputs {
            let entries: String = first.query_row([record_id(id, 1)], |row| row.get(0))?;
            input = read_entries(&entries)?
                .iter()
                .find_map(|entry| match entry.event() {
                    Some(asl::Event::ExecutionStarted { input, .. }) => Some(input.clone()),
                    _ => None,
                });
        }
        let output: Option<String> = row.get(6)?;
        let output = output
            .map(|text| Data::parse(&text))
            .transpose()
            .map_err(|error| StorageError::corrupt("the output of an execution", error))?;
        let outcome = ChildOutcome {
            execution_arn: String::new(),
            name: row.get(2)?,
            state_machine_arn: String::new(),
            status: Some(status_of(&row.get::<_, String>(3)?)?),
            input: input.unwrap_or_else(Data::empty),
            output,
            error: row.get(7)?,
            cause: row.get(8)?,
            started: row.get(4)?,
            stopped: row.get(5)?,
            redrives: row.get(9)?,
        };
        outcomes.push((row.get(0)?, outcome));
    }
    Ok(outcomes)
}

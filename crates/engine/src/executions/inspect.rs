//! Looking at executions: always at what is committed, on the readers' connections.

use std::sync::Arc;

use asl::{Data, Entry, Event, Status};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::map_run_store::pending;
use super::{Executions, store};
use crate::{ExecutionError, MachineKind, Millis, Revision, StorageError, StoredDefinition};

/// An execution as `DescribeExecution` and `ListExecutions` show it. Times in milliseconds since 1970.
#[derive(Debug, Clone, PartialEq)]
pub struct ExecutionSummary {
    /// Its ARN.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// ARN of the state machine.
    pub state_machine_arn: String,
    /// ARN of the version that was started.
    pub version_arn: Option<String>,
    /// ARN of the alias that was started.
    pub alias_arn: Option<String>,
    /// Where it stands.
    pub status: Status,
    /// When it was started.
    pub started: Millis,
    /// When it ended.
    pub stopped: Option<Millis>,
    /// How often it was redriven.
    pub redrives: u32,
    /// When last.
    pub redriven: Option<Millis>,
    /// ARN of the Map Run whose child it is.
    pub map_run: Option<String>,
    /// How many of the Map Run's items it works on.
    pub map_items: Option<u32>,
    /// Whether it is one of an Express workflow.
    pub express: bool,
    pub(super) key: u64,
    pub(super) machine: i64,
}

/// An execution with its data.
#[derive(Debug, Clone, PartialEq)]
pub struct Description {
    /// What lists show too.
    pub summary: ExecutionSummary,
    /// Its input; `None` if that cannot be read any more (it has failed for that).
    pub input: Option<Data>,
    /// Its output, if it succeeded.
    pub output: Option<Data>,
    /// Error name, if it failed or was stopped with one.
    pub error: Option<String>,
    /// Cause, if it failed or was stopped with one.
    pub cause: Option<String>,
}

/// Whose executions to list.
#[derive(Debug, Clone)]
pub enum ListOf {
    /// Of a state machine, by its ARN.
    Machine(String),
    /// Started through this version.
    Version(String),
    /// Started through this alias.
    Alias(String),
    /// Children of a Map Run.
    MapRun {
        /// Its ARN.
        arn: String,
        /// Only those that were redriven, or only those that were not.
        redriven: Option<bool>,
        /// Only unsuccessful ones that wait for the redrive of their run that has begun.
        pending_redrive: bool,
    },
}

/// A part of a list.
#[derive(Debug, Clone)]
pub struct Page {
    /// At most so many.
    pub max: usize,
    /// From the page before; `None`: from the start.
    pub token: Option<String>,
}

/// A part of a list, and the way to the next.
#[derive(Debug, Clone, PartialEq)]
pub struct Paged<T> {
    /// The items.
    pub items: Vec<T>,
    /// For [`Page::token`]; `None` after the last.
    pub next: Option<String>,
}

const COLUMNS: &str = "executions.id, executions.name, machines.name, version_arn, alias_arn, executions.status, executions.started, executions.stopped, executions.redrives, \
    executions.redriven, output, error, cause, executions.revision, executions.machine, \
    (select arn from map_runs where map_runs.id = executions.map_run), executions.map_items, machines.kind";
const TABLES: &str = "executions join machines on machines.id = executions.machine";

struct Found {
    summary: ExecutionSummary,
    output: Option<String>,
    error: Option<String>,
    cause: Option<String>,
    revision: i64,
}

impl Executions {
    /// `DescribeExecution`.
    ///
    /// # Errors
    /// A bad ARN, no such execution, or the store failed.
    pub async fn describe(&self, arn: &str) -> Result<Description, ExecutionError> {
        let mut found = self.find(arn).await?;
        let key = found.summary.key;
        let mut input = self.input_of(key).await;
        if self.ends_unread(&found.summary, &input).await {
            found = self.find(arn).await?;
            input = self.input_of(key).await;
        }
        let input = match input {
            // Found, and pruned since.
            Ok(None) => {
                return Err(ExecutionError::ExecutionDoesNotExist {
                    arn: arn.to_owned(),
                });
            }
            // It has ended for that, and how must be told all the same.
            Err(StorageError::Corrupt(_)) => None,
            input => input?,
        };
        let output = found.output.as_deref().map(Data::parse).transpose();
        let output =
            output.map_err(|error| StorageError::corrupt("the output of an execution", error))?;
        Ok(Description {
            summary: found.summary,
            input,
            output,
            error: found.error,
            cause: found.cause,
        })
    }

    /// What the execution runs (`DescribeStateMachineForExecution`); known also after the machine was deleted.
    ///
    /// # Errors
    /// A bad ARN, no such execution, or the store failed.
    pub async fn definition_for(
        &self,
        arn: &str,
    ) -> Result<(Arc<Revision>, StoredDefinition), ExecutionError> {
        let found = self.find(arn).await?;
        let revision = self.shared.machines.revision_by_key(found.revision).await?;
        let definition = self.shared.machines.definition(&revision).await?;
        Ok((revision, definition))
    }

    /// `ListExecutions`: newest first. A page token stays good while executions are added.
    ///
    /// # Errors
    /// A bad ARN or page token, no such machine, or the store failed.
    pub async fn list(
        &self,
        of: ListOf,
        status: Option<Status>,
        page: Page,
    ) -> Result<Paged<ExecutionSummary>, ExecutionError> {
        let mut more = String::new();
        let (column, owner) = match of {
            ListOf::Machine(arn) => {
                let machine = self.shared.machines.describe(&arn)?.revision.machine;
                (
                    "executions.machine",
                    rusqlite::types::Value::Integer(machine),
                )
            }
            ListOf::Version(arn) => ("version_arn", rusqlite::types::Value::Text(arn)),
            ListOf::Alias(arn) => ("alias_arn", rusqlite::types::Value::Text(arn)),
            ListOf::MapRun {
                arn,
                redriven,
                pending_redrive,
            } => {
                let run = self.map_run_row(&arn).await?;
                match redriven {
                    Some(true) => more.push_str(" and executions.redrives > 0"),
                    Some(false) => more.push_str(" and executions.redrives = 0"),
                    None => {}
                }
                if pending_redrive {
                    more.push_str(&format!(" and {}", pending(run.awaits_redrives_of())));
                }
                (
                    "executions.map_run",
                    rusqlite::types::Value::Integer(run.id),
                )
            }
        };
        let before = match page.token {
            Some(token) => i64::try_from(read_token(&token)?.0)
                .map_err(|_| ExecutionError::InvalidPageToken)?,
            None => i64::MAX,
        };
        // The two forms differ, so that each uses its index.
        let of_status = if status.is_some() {
            "and status = ?4"
        } else {
            "and ?4 is null"
        };
        let query = format!(
            "select {COLUMNS} from {TABLES} where {column} = ?1 and executions.id < ?2 and records > 0 {of_status}{more} order by executions.id desc limit ?3"
        );
        let place = self.shared.place.clone();
        let limit = page.max.saturating_add(1);
        let mut found = self
            .shared
            .journal
            .read(move |db| {
                let mut query = db.prepare_cached(&query)?;
                let status = status.map(Status::as_str);
                let limit = i64::try_from(limit).unwrap_or(i64::MAX);
                let rows = query.query_map(params![owner, before, limit, status], |row| {
                    Ok(read(row, &place))
                })?;
                rows.map(|row| row?)
                    .collect::<Result<Vec<_>, StorageError>>()
            })
            .await?;
        let more = found.len() > page.max;
        found.truncate(page.max);
        let items: Vec<_> = found.into_iter().map(|found| found.summary).collect();
        let next = items
            .last()
            .filter(|_| more)
            .map(|last| write_token(last.key, 0));
        Ok(Paged { items, next })
    }

    /// `GetExecutionHistory`: the entries that are history events, forwards or backwards. The cost is that of the page, not of
    /// the history.
    ///
    /// # Errors
    /// A bad ARN or page token, no such execution, or the store failed.
    pub async fn history(
        &self,
        arn: &str,
        reverse: bool,
        page: Page,
    ) -> Result<Paged<Entry>, ExecutionError> {
        let summary = self.find(arn).await?.summary;
        let key = summary.key;
        // The token: the record to go on in, and the last event shown.
        let from = page.token.as_deref().map(read_token).transpose()?;
        let max = page.max;
        let journal = &self.shared.journal;
        let read = move |db: &Connection| read_history(db, key, reverse, from, max);
        let mut items = journal.read(read).await;
        if self.ends_unread(&summary, &items).await {
            items = journal.read(read).await;
        }
        let mut items = items?;
        let more = items.len() > max;
        items.truncate(max);
        let token = |(record, entry): &(u32, Entry)| {
            write_token(u64::from(*record), entry.id().unwrap_or_default())
        };
        let next = items.last().filter(|_| more).map(token);
        Ok(Paged {
            items: items.into_iter().map(|(_, entry)| entry).collect(),
            next,
        })
    }

    /// Whether a reader found a running execution to be damaged, which ends it: then there is something new to read.
    async fn ends_unread<T>(
        &self,
        summary: &ExecutionSummary,
        read: &Result<T, StorageError>,
    ) -> bool {
        let (Err(StorageError::Corrupt(reason)), Status::Running) = (read, summary.status) else {
            return false;
        };
        self.shared.give_up(summary.key, reason).await.is_ok()
    }

    /// The number of the execution, and whether it runs.
    pub(crate) async fn key_of(
        &self,
        arn: &str,
    ) -> Result<(u64, ExecutionSummary), ExecutionError> {
        let summary = self.find(arn).await?.summary;
        Ok((summary.key, summary))
    }

    /// The ARN of the execution of this number.
    pub(crate) async fn arn_of(&self, key: u64) -> Result<String, StorageError> {
        let place = self.shared.place.clone();
        let found = self.shared.journal.read(move |db| {
            let mut query = db.prepare_cached(
                "select machines.name, executions.name from executions join machines on machines.id = executions.machine \
                 where executions.id = ?1",
            )?;
            let key = i64::try_from(key).unwrap_or(i64::MAX);
            let names = query.query_row([key], |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
            });
            Ok(names.optional()?)
        });
        let (machine, name) = found
            .await?
            .ok_or_else(|| StorageError::Corrupt(format!("execution {key} is missing")))?;
        Ok(place.execution(&machine, &name))
    }

    pub(crate) async fn input_of(&self, key: u64) -> Result<Option<Data>, StorageError> {
        let first = self.shared.journal.read(move |db| {
            let mut query = db.prepare_cached("select entries from records where id = ?1")?;
            let text: Option<String> = query
                .query_row([store::record_id(key, 1)], |row| row.get(0))
                .optional()?;
            text.map(|text| store::read_entries(&text)).transpose()
        });
        let input = |entry: &Entry| match entry.event() {
            Some(Event::ExecutionStarted { input, .. }) => Some(input.clone()),
            _ => None,
        };
        Ok(first.await?.unwrap_or_default().iter().find_map(input))
    }

    async fn find(&self, arn: &str) -> Result<Found, ExecutionError> {
        let invalid = || ExecutionError::InvalidArn {
            arn: arn.to_owned(),
        };
        let (machine, name) = self.shared.place.execution_names(arn).ok_or_else(invalid)?;
        let (machine, name, place) = (
            machine.to_owned(),
            name.to_owned(),
            self.shared.place.clone(),
        );
        let found = self.shared.journal.read(move |db| {
            // A machine may have been deleted and made again: the newest one's execution.
            let query = format!(
                "select {COLUMNS} from {TABLES} where machines.name = ?1 and executions.name = ?2 and records > 0 order by machines.id desc limit 1"
            );
            let mut query = db.prepare_cached(&query)?;
            let row = query.query_row([&machine, &name], |row| Ok(read(row, &place))).optional()?;
            row.transpose()
        });
        found
            .await?
            .ok_or_else(|| ExecutionError::ExecutionDoesNotExist {
                arn: arn.to_owned(),
            })
    }
}

/// Up to `max + 1` events, each with its record.
fn read_history(
    db: &Connection,
    key: u64,
    reverse: bool,
    from: Option<(u64, u64)>,
    max: usize,
) -> Result<Vec<(u32, Entry)>, StorageError> {
    let (first, last) = (
        store::record_id(key, 0),
        store::record_id(key, u32::MAX >> 12),
    );
    let record = from
        .map(|(record, _)| store::record_id(key, u32::try_from(record).unwrap_or(u32::MAX >> 12)));
    let shown = from.map(|(_, event)| event);
    let (query, range) = if reverse {
        (
            "select id, entries from records where id between ?1 and ?2 order by id desc",
            [first, record.unwrap_or(last)],
        )
    } else {
        (
            "select id, entries from records where id between ?1 and ?2 order by id",
            [record.unwrap_or(first), last],
        )
    };
    let mut query = db.prepare_cached(query)?;
    let mut rows = query.query(range)?;
    let mut events = Vec::new();
    while events.len() <= max
        && let Some(row) = rows.next()?
    {
        let number = store::record_number(row.get(0)?);
        let mut entries =
            store::read_entries(row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?)?;
        if reverse {
            entries.reverse();
        }
        let beyond = |entry: &Entry| match (entry.id(), shown) {
            (None, _) => false,
            (Some(_), None) => true,
            (Some(id), Some(shown)) => (id < shown) == reverse && id != shown,
        };
        events.extend(
            entries
                .into_iter()
                .filter(beyond)
                .map(|entry| (number, entry)),
        );
    }
    events.truncate(max.saturating_add(1));
    Ok(events)
}

fn read(row: &Row<'_>, place: &crate::arn::Place) -> Result<Found, StorageError> {
    let (name, machine): (String, String) = (row.get(1)?, row.get(2)?);
    let status: String = row.get(5)?;
    let status = status_of(&status)?;
    Ok(Found {
        summary: ExecutionSummary {
            arn: place.execution(&machine, &name),
            name,
            state_machine_arn: place.state_machine(&machine),
            version_arn: row.get(3)?,
            alias_arn: row.get(4)?,
            status,
            started: row.get(6)?,
            stopped: row.get(7)?,
            redrives: row.get(8)?,
            redriven: row.get(9)?,
            key: row.get::<_, i64>(0)?.unsigned_abs(),
            machine: row.get(14)?,
            map_run: row.get(15)?,
            map_items: row.get(16)?,
            express: MachineKind::parse(&row.get::<_, String>(17)?) == MachineKind::Express,
        },
        output: row.get(10)?,
        error: row.get(11)?,
        cause: row.get(12)?,
        revision: row.get(13)?,
    })
}

/// Reads the column of that name.
pub(super) fn status_of(text: &str) -> Result<Status, StorageError> {
    let known = [
        Status::Running,
        Status::Succeeded,
        Status::Failed,
        Status::TimedOut,
        Status::Aborted,
    ];
    known
        .into_iter()
        .find(|known| known.as_str() == text)
        .ok_or_else(|| StorageError::Corrupt(format!("status {text} of an execution")))
}

/// Page tokens: two numbers that mean nothing to a client, as long as AWS's are opaque.
pub(super) fn write_token(a: u64, b: u64) -> String {
    use base64::Engine as _;
    let mut bytes = [0; 17];
    bytes[0] = 1;
    bytes[1..9].copy_from_slice(&a.to_be_bytes());
    bytes[9..].copy_from_slice(&b.to_be_bytes());
    base64::engine::general_purpose::URL_SAFE.encode(bytes)
}

pub(super) fn read_token(token: &str) -> Result<(u64, u64), ExecutionError> {
    use base64::Engine as _;
    let read = || -> Option<(u64, u64)> {
        let bytes = base64::engine::general_purpose::URL_SAFE
            .decode(token)
            .ok()?;
        let bytes: [u8; 17] = bytes
            .try_into()
            .ok()
            .filter(|bytes: &[u8; 17]| bytes[0] == 1)?;
        Some((
            u64::from_be_bytes(bytes[1..9].try_into().ok()?),
            u64::from_be_bytes(bytes[9..].try_into().ok()?),
        ))
    };
    read().ok_or(ExecutionError::InvalidPageToken)
}

//! The tables of the state machines, and every statement on them.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::{MachineKind, Revision};
use crate::arn::Place;
use crate::{Millis, StorageError};

/// A definition's text is stored once, whoever uses it. Machines that were deleted keep their row for their executions.
pub(crate) const TABLES: &str = "
    create table definitions (
        id integer primary key,
        hash blob not null unique,
        text text not null
    );
    create table machines (
        id integer primary key,
        name text not null,
        kind text not null,
        created integer not null,
        revision integer not null,
        deleted integer
    );
    -- for: at most one machine of a name that is not deleted; an execution's ARN names its machine
    create unique index machines_by_name on machines (name) where deleted is null;
    create index machines_by_any_name on machines (name);
    create table revisions (
        id integer primary key,
        machine integer not null,
        revision_id text not null,
        definition integer not null,
        role_arn text not null,
        settings text not null,
        created integer not null
    );
    -- for: a revision named by a version
    create index revisions_by_machine on revisions (machine, revision_id);
";

/// A machine that is not deleted, with its current revision.
pub(crate) struct MachineRow {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) kind: MachineKind,
    pub(crate) created: Millis,
    pub(crate) revision: i64,
}

/// What a revision is made of.
#[derive(Debug, Clone)]
pub(crate) struct RevisionRow {
    pub(crate) revision_id: String,
    pub(crate) definition: String,
    pub(crate) role_arn: String,
    pub(crate) settings: Value,
    pub(crate) created: Millis,
}

/// Numbers given to new rows: of the machine, its revision, its definition's text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rows {
    pub(crate) machine: i64,
    pub(crate) revision: i64,
    pub(crate) definition: i64,
}

pub(crate) fn insert_machine(
    db: &Connection,
    name: &str,
    kind: MachineKind,
    row: &RevisionRow,
) -> Result<Rows, StorageError> {
    db.prepare_cached(
        "insert into machines (name, kind, created, revision) values (?1, ?2, ?3, 0)",
    )?
    .execute(params![name, kind.as_str(), row.created])?;
    insert_revision(db, db.last_insert_rowid(), row)
}

/// The machine of a Map Run's children: a row that no list shows, for their ARNs and their definition. Runs of the same state of the
/// same definition share one.
pub(crate) fn child_machine(
    db: &Connection,
    name: &str,
    kind: MachineKind,
    row: &RevisionRow,
) -> Result<Rows, StorageError> {
    let known = db
        .prepare_cached(
            "select machines.id, revisions.id, definitions.id from machines join revisions on revisions.id = machines.revision \
             join definitions on definitions.id = revisions.definition where machines.name = ?1 and machines.kind = ?2 \
             and revisions.role_arn = ?3 and definitions.text = ?4 order by machines.id desc limit 1",
        )?
        .query_row(params![name, kind.as_str(), row.role_arn, row.definition], |row| {
            Ok(Rows { machine: row.get(0)?, revision: row.get(1)?, definition: row.get(2)? })
        })
        .optional()?;
    if let Some(known) = known {
        return Ok(known);
    }
    db.prepare_cached(
        "insert into machines (name, kind, created, revision, deleted) values (?1, ?2, ?3, 0, ?3)",
    )?
    .execute(params![name, kind.as_str(), row.created])?;
    insert_revision(db, db.last_insert_rowid(), row)
}

/// Adds a revision and makes it the current one.
pub(crate) fn insert_revision(
    db: &Connection,
    machine: i64,
    row: &RevisionRow,
) -> Result<Rows, StorageError> {
    let hash: [u8; 32] = Sha256::digest(row.definition.as_bytes()).into();
    db.prepare_cached(
        "insert into definitions (hash, text) values (?1, ?2) on conflict (hash) do nothing",
    )?
    .execute(params![hash, row.definition])?;
    let definition = db
        .prepare_cached("select id from definitions where hash = ?1")?
        .query_row([hash], |found| found.get(0))?;
    db.prepare_cached(
        "insert into revisions (machine, revision_id, definition, role_arn, settings, created) values (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![machine, row.revision_id, definition, row.role_arn, row.settings.to_string(), row.created])?;
    let revision = db.last_insert_rowid();
    db.prepare_cached("update machines set revision = ?2 where id = ?1")?
        .execute([machine, revision])?;
    Ok(Rows {
        machine,
        revision,
        definition,
    })
}

pub(crate) fn delete_machine(db: &Connection, id: i64, now: Millis) -> Result<(), StorageError> {
    db.prepare_cached("update machines set deleted = ?2 where id = ?1")?
        .execute([id, now])?;
    Ok(())
}

pub(crate) fn load_machines(db: &Connection) -> Result<Vec<MachineRow>, StorageError> {
    let mut query =
        db.prepare("select id, name, kind, created, revision from machines where deleted is null")?;
    let rows = query.query_map([], |row| {
        Ok(MachineRow {
            id: row.get(0)?,
            name: row.get(1)?,
            kind: MachineKind::parse(&row.get::<_, String>(2)?),
            created: row.get(3)?,
            revision: row.get(4)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

const REVISION: &str = "select revisions.id, machines.id, machines.name, revisions.revision_id, revisions.definition, \
    revisions.role_arn, revisions.settings, revisions.created \
    from revisions join machines on machines.id = revisions.machine";

pub(crate) fn revision(
    db: &Connection,
    place: &Place,
    id: i64,
) -> Result<Option<Revision>, StorageError> {
    let mut query = db.prepare_cached(&format!("{REVISION} where revisions.id = ?1"))?;
    let found = query
        .query_row([id], |row| Ok(read_revision(row, place)))
        .optional()?;
    found.transpose()
}

pub(crate) fn revision_named(
    db: &Connection,
    place: &Place,
    machine: i64,
    revision_id: &str,
) -> Result<Option<Revision>, StorageError> {
    let mut query = db.prepare_cached(&format!(
        "{REVISION} where revisions.machine = ?1 and revisions.revision_id = ?2"
    ))?;
    let found = query
        .query_row(params![machine, revision_id], |row| {
            Ok(read_revision(row, place))
        })
        .optional()?;
    found.transpose()
}

fn read_revision(row: &Row<'_>, place: &Place) -> Result<Revision, StorageError> {
    let name: String = row.get(2)?;
    let settings: String = row.get(6)?;
    Ok(Revision {
        key: row.get(0)?,
        machine: row.get(1)?,
        state_machine_arn: place.state_machine(&name),
        state_machine_name: name,
        revision_id: row.get(3)?,
        definition: row.get(4)?,
        role_arn: row.get(5)?,
        settings: serde_json::from_str(&settings)
            .map_err(|error| StorageError::corrupt("settings of a machine", error))?,
        created: row.get(7)?,
    })
}

pub(crate) fn definition(db: &Connection, id: i64) -> Result<Arc<str>, StorageError> {
    let text: String = db
        .prepare_cached("select text from definitions where id = ?1")?
        .query_row([id], |row| row.get(0))?;
    Ok(text.into())
}

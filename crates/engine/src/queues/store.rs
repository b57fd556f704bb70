//! The tables of the queues, and every statement on them.

use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::attributes::Attributes;
use super::backlog::{Held, Message, Place};
use super::body::{Body, Room};
use crate::{Millis, StorageError};

/// A message's row is written once; what changes with every receive is in the narrow `deliveries`, so that receiving a large
/// message does not write it again. `deliveries` rows of messages that are gone do no harm and are swept at start.
pub(crate) const TABLES: &str = "
    create table queues (
        id integer primary key autoincrement,
        name text not null unique,
        attributes text not null,
        created integer not null,
        modified integer not null
    );
    create table messages (
        id integer primary key,
        queue integer not null,
        message_id blob not null,
        body text not null,
        attributes text,
        system text,
        sent integer not null,
        available integer not null,
        source text,
        effect text
    );
    -- for: a send that repeats an effect finds the first one
    create unique index messages_by_effect on messages (effect) where effect is not null;
    create table deliveries (
        message integer primary key,
        available integer not null,
        receives integer not null,
        carried integer not null,
        first_received integer
    );
";

/// A queue's row.
pub(crate) struct QueueRow {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) attributes: Attributes,
    pub(crate) created: Millis,
    pub(crate) modified: Millis,
}

/// A message to be inserted.
pub(crate) struct MessageRow {
    pub(crate) held: Held,
    /// Its text, which may not be kept in memory.
    pub(crate) body: Arc<str>,
    pub(crate) available: Millis,
    pub(crate) effect: Option<String>,
}

fn json<T: serde::Serialize>(value: &T) -> Result<String, StorageError> {
    serde_json::to_string(value)
        .map_err(|error| StorageError::corrupt("attributes to store", error))
}

/// Numbers of ours are far below 2⁶³; SQLite has no larger ones.
fn key(seq: u64) -> i64 {
    i64::try_from(seq).unwrap_or(i64::MAX)
}

pub(crate) fn insert_queue(
    db: &Connection,
    name: &str,
    attributes: &Attributes,
    now: Millis,
) -> Result<i64, StorageError> {
    db.prepare_cached(
        "insert into queues (name, attributes, created, modified) values (?1, ?2, ?3, ?3)",
    )?
    .execute(params![name, json(attributes)?, now])?;
    Ok(db.last_insert_rowid())
}

pub(crate) fn update_queue(
    db: &Connection,
    id: i64,
    attributes: &Attributes,
    now: Millis,
) -> Result<(), StorageError> {
    db.prepare_cached("update queues set attributes = ?2, modified = ?3 where id = ?1")?
        .execute(params![id, json(attributes)?, now])?;
    Ok(())
}

pub(crate) fn queue_exists(db: &Connection, id: i64) -> Result<bool, StorageError> {
    Ok(db
        .prepare_cached("select 1 from queues where id = ?1")?
        .exists([id])?)
}

pub(crate) fn delete_queue(db: &Connection, id: i64) -> Result<(), StorageError> {
    purge(db, id)?;
    db.prepare_cached("delete from queues where id = ?1")?
        .execute([id])?;
    Ok(())
}

/// Reads all messages of all queues: rare, and an index on the queue would cost every send.
pub(crate) fn purge(db: &Connection, queue: i64) -> Result<(), StorageError> {
    db.prepare_cached(
        "delete from deliveries where message in (select id from messages where queue = ?1)",
    )?
    .execute([queue])?;
    db.prepare_cached("delete from messages where queue = ?1")?
        .execute([queue])?;
    Ok(())
}

/// Inserts a message; the first one's id if its effect has happened before.
pub(crate) fn insert_message(
    db: &Connection,
    row: &MessageRow,
) -> Result<Option<Uuid>, StorageError> {
    let message = &row.held.message;
    let attributes = if message.attributes.is_empty() {
        None
    } else {
        Some(json(&*message.attributes)?)
    };
    let system = if message.system.is_empty() {
        None
    } else {
        Some(json(&*message.system)?)
    };
    let inserted = db
        .prepare_cached(
            "insert into messages (id, queue, message_id, body, attributes, system, sent, available, effect) \
             values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) on conflict (effect) where effect is not null do nothing",
        )?
        .execute(params![
            key(message.seq),
            message.queue,
            message.id.as_bytes(),
            &*row.body,
            attributes,
            system,
            message.sent,
            row.available,
            row.effect,
        ])?;
    if inserted > 0 {
        return Ok(None);
    }
    let first: [u8; 16] = db
        .prepare_cached("select message_id from messages where effect = ?1")?
        .query_row([&row.effect], |row| row.get(0))?;
    Ok(Some(Uuid::from_bytes(first)))
}

/// Records how often a message was received and when it is visible again.
pub(crate) fn record_delivery(db: &Connection, held: &Held) -> Result<(), StorageError> {
    let available = match held.place {
        Place::Visible => 0,
        Place::Delayed(due) | Place::InFlight(due) => due,
    };
    write_delivery(db, held, available)
}

/// Records a delivery to a receiver that does not outlive this process: after a restart the message is visible.
pub(crate) fn record_delivery_until_restart(
    db: &Connection,
    held: &Held,
) -> Result<(), StorageError> {
    write_delivery(db, held, 0)
}

fn write_delivery(db: &Connection, held: &Held, available: Millis) -> Result<(), StorageError> {
    db.prepare_cached(
        "insert or replace into deliveries (message, available, receives, carried, first_received) values (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![key(held.message.seq), available, held.receives, held.carried, held.first_received])?;
    Ok(())
}

/// Stores the message's new queue and where it came from.
pub(crate) fn move_message(db: &Connection, held: &Held) -> Result<(), StorageError> {
    db.prepare_cached("update messages set queue = ?2, source = ?3 where id = ?1")?
        .execute(params![
            key(held.message.seq),
            held.message.queue,
            held.message.dead_letter_source.as_deref()
        ])?;
    record_delivery(db, held)
}

pub(crate) fn delete_message(db: &Connection, seq: u64) -> Result<(), StorageError> {
    db.prepare_cached("delete from messages where id = ?1")?
        .execute([key(seq)])?;
    db.prepare_cached("delete from deliveries where message = ?1")?
        .execute([key(seq)])?;
    Ok(())
}

/// Drops delivery counts of messages that are gone, before their numbers are given again.
pub(crate) fn sweep(db: &Connection) -> Result<(), StorageError> {
    db.execute("delete from deliveries where not exists (select 1 from messages where messages.id = deliveries.message)", [])?;
    Ok(())
}

pub(crate) fn last_seq(db: &Connection) -> Result<u64, StorageError> {
    let last: Option<i64> = db
        .query_row("select max(id) from messages", [], |row| row.get(0))
        .optional()?
        .flatten();
    Ok(last.and_then(|last| u64::try_from(last).ok()).unwrap_or(0))
}

pub(crate) fn load_queues(db: &Connection) -> Result<Vec<QueueRow>, StorageError> {
    let mut query = db.prepare("select id, name, attributes, created, modified from queues")?;
    let mut rows = query.query([])?;
    let mut queues = Vec::new();
    while let Some(row) = rows.next()? {
        let attributes: String = row.get(2)?;
        let attributes = serde_json::from_str(&attributes)
            .map_err(|error| StorageError::corrupt("attributes of a queue", error))?;
        queues.push(QueueRow {
            id: row.get(0)?,
            name: row.get(1)?,
            attributes,
            created: row.get(3)?,
            modified: row.get(4)?,
        });
    }
    Ok(queues)
}

/// The texts of those of these messages that are still there.
pub(crate) fn bodies(
    db: &Connection,
    seqs: &[u64],
) -> Result<HashMap<u64, Arc<str>>, StorageError> {
    let mut query = db.prepare_cached("select body from messages where id = ?1")?;
    let mut bodies = HashMap::with_capacity(seqs.len());
    for seq in seqs {
        let body = query.query_row([key(*seq)], |row| row.get::<_, String>(0));
        if let Some(body) = body.optional()? {
            bodies.insert(*seq, Arc::from(body));
        }
    }
    Ok(bodies)
}

/// Hands every message to `take`, with its queue, in the order of sending.
pub(crate) fn load_messages(
    db: &Connection,
    room: &Arc<Room>,
    mut take: impl FnMut(i64, Held),
) -> Result<(), StorageError> {
    let mut query = db.prepare(
        "select messages.id, queue, message_id, body, attributes, system, sent, messages.available, source, \
         deliveries.available, receives, carried, first_received \
         from messages left join deliveries on deliveries.message = messages.id order by messages.id",
    )?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        take(row.get(1)?, held(row, room)?);
    }
    Ok(())
}

fn held(row: &Row<'_>, room: &Arc<Room>) -> Result<Held, StorageError> {
    let shared = |text: Option<String>| text.map(Arc::<str>::from);
    let receives = row.get::<_, Option<u32>>(10)?.unwrap_or(0);
    // SQLite reads a column when it is asked for, so a text that has no room costs nothing.
    let body = match room.is_left() {
        true => room.keep(row.get::<_, String>(3)?.into()),
        false => Body::Stored,
    };
    // A message that was in flight stays so until its visibility ends: its receipt handle is still good.
    let place = match row.get::<_, Option<Millis>>(9)? {
        Some(due) => Place::InFlight(due),
        None => Place::Delayed(row.get(7)?),
    };
    Ok(Held {
        message: Arc::new(Message {
            seq: row.get::<_, i64>(0)?.unsigned_abs(),
            queue: row.get(1)?,
            id: Uuid::from_bytes(row.get(2)?),
            body,
            attributes: Arc::new(optional(row.get(4)?)?),
            system: Arc::new(optional(row.get(5)?)?),
            sent: row.get(6)?,
            dead_letter_source: shared(row.get(8)?),
        }),
        receives,
        carried: row.get::<_, Option<u32>>(11)?.unwrap_or(0),
        first_received: row.get(12)?,
        place,
    })
}

/// A map that is not stored when it is empty.
fn optional<T: DeserializeOwned + Default>(text: Option<String>) -> Result<T, StorageError> {
    let Some(text) = text else {
        return Ok(T::default());
    };
    serde_json::from_str(&text)
        .map_err(|error| StorageError::corrupt("attributes of a message", error))
}

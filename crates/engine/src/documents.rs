//! Small durable facts of the layers above, as JSON by kind and key: topics, subscriptions, functions, mail.
//!
//! The engine does not look into them. Anything that is read often belongs into the owner's memory too.

use std::sync::Arc;

use rusqlite::{OptionalExtension as _, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::StorageError;
use crate::journal::Journal;

pub(crate) const TABLES: &str = "
    create table documents (
        kind text not null,
        key text not null,
        json text not null,
        primary key (kind, key)
    ) without rowid;
";

/// The store of documents. Cheap to clone.
#[derive(Clone)]
pub struct Documents {
    journal: Arc<Journal>,
}

/// One step of [`Documents::change`].
#[derive(Debug, Clone)]
pub struct Change {
    kind: String,
    key: String,
    json: Option<String>,
}

impl Change {
    /// Stores a document, in place of an older one of the same kind and key.
    ///
    /// # Errors
    /// The value is not representable as JSON.
    pub fn put(kind: &str, key: &str, document: &impl Serialize) -> Result<Change, StorageError> {
        let json = serde_json::to_string(document)
            .map_err(|error| StorageError::corrupt("a document to store", error))?;
        Ok(Change {
            kind: kind.to_owned(),
            key: key.to_owned(),
            json: Some(json),
        })
    }

    /// Removes a document; nothing happens if there is none.
    #[must_use]
    pub fn delete(kind: &str, key: &str) -> Change {
        Change {
            kind: kind.to_owned(),
            key: key.to_owned(),
            json: None,
        }
    }
}

impl Documents {
    pub(crate) fn new(journal: Arc<Journal>) -> Documents {
        Documents { journal }
    }

    /// Stores a document. Durable on return.
    ///
    /// # Errors
    /// The store failed; nothing changed.
    pub async fn put(
        &self,
        kind: &str,
        key: &str,
        document: &impl Serialize,
    ) -> Result<(), StorageError> {
        self.change(vec![Change::put(kind, key, document)?]).await?;
        Ok(())
    }

    /// The document, if there is one.
    ///
    /// # Errors
    /// The store failed, or the document has another shape than `T`.
    pub async fn get<T: DeserializeOwned>(
        &self,
        kind: &str,
        key: &str,
    ) -> Result<Option<T>, StorageError> {
        let (kind, key) = (kind.to_owned(), key.to_owned());
        let json: Option<String> = self
            .journal
            .read(move |connection| {
                let mut query = connection
                    .prepare_cached("select json from documents where kind = ?1 and key = ?2")?;
                Ok(query
                    .query_row([&kind, &key], |row| row.get(0))
                    .optional()?)
            })
            .await?;
        json.map(|json| parse(&json)).transpose()
    }

    /// All documents of a kind, by key.
    ///
    /// # Errors
    /// The store failed, or a document has another shape than `T`.
    pub async fn list<T: DeserializeOwned>(
        &self,
        kind: &str,
    ) -> Result<Vec<(String, T)>, StorageError> {
        self.page(kind, None, usize::MAX).await
    }

    /// At most `limit` documents of a kind, by key, those after the key `after`.
    ///
    /// # Errors
    /// The store failed, or a document has another shape than `T`.
    pub async fn page<T: DeserializeOwned>(
        &self,
        kind: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, T)>, StorageError> {
        let (kind, after) = (kind.to_owned(), after.unwrap_or_default().to_owned());
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows: Vec<(String, String)> = self
            .journal
            .read(move |connection| {
                let mut query = connection.prepare_cached(
                    "select key, json from documents where kind = ?1 and key > ?2 order by key limit ?3",
                )?;
                let rows = query.query_map(params![kind, after, limit], |row| Ok((row.get(0)?, row.get(1)?)))?;
                Ok(rows.collect::<Result<_, _>>()?)
            })
            .await?;
        rows.into_iter()
            .map(|(key, json)| Ok((key, parse(&json)?)))
            .collect()
    }

    /// Removes a document; says whether there was one. Durable on return.
    ///
    /// # Errors
    /// The store failed; nothing changed.
    pub async fn delete(&self, kind: &str, key: &str) -> Result<bool, StorageError> {
        Ok(self.change(vec![Change::delete(kind, key)]).await? > 0)
    }

    /// Does all the steps or none; returns how many documents were written or removed. Durable on return.
    ///
    /// # Errors
    /// The store failed; nothing changed.
    pub async fn change(&self, steps: Vec<Change>) -> Result<usize, StorageError> {
        self.journal
            .write(move |connection| {
                let mut changed = 0;
                for Change { kind, key, json } in &steps {
                    changed += match json {
                        Some(json) => connection
                            .prepare_cached("insert or replace into documents (kind, key, json) values (?1, ?2, ?3)")?
                            .execute(params![kind, key, json])?,
                        None => connection
                            .prepare_cached("delete from documents where kind = ?1 and key = ?2")?
                            .execute(params![kind, key])?,
                    };
                }
                Ok(changed)
            })
            .await
    }
}

fn parse<T: DeserializeOwned>(json: &str) -> Result<T, StorageError> {
    serde_json::from_str(json).map_err(|error| StorageError::corrupt("a document", error))
}

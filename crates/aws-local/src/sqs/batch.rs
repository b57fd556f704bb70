//! What the three batch actions have in common: entries with ids, answered one by one.

use std::collections::HashSet;

use serde::Serialize;

use super::error;
use crate::protocol::json::{JsonError, answer};

const MOST: usize = 10;

/// An entry of a batch request.
pub(super) trait Entry {
    /// The caller's id of it.
    fn id(&self) -> Option<&str>;
}

/// Checks what must hold of the batch as a whole.
pub(super) fn check<E: Entry>(entries: &[E], shape: &str) -> Result<(), JsonError> {
    if entries.is_empty() {
        return Err(error::modelled(
            "EmptyBatchRequest",
            format!("There should be at least one {shape} in the request."),
        ));
    }
    if entries.len() > MOST {
        return Err(error::modelled(
            "TooManyEntriesInBatchRequest",
            format!(
                "Maximum number of entries per request are {MOST}. You have sent {}.",
                entries.len()
            ),
        ));
    }
    let mut seen = HashSet::new();
    for entry in entries {
        let id = entry.id().ok_or_else(|| error::missing("Id"))?;
        let valid = (1..=80).contains(&id.len())
            && id
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
        if !valid {
            return Err(error::modelled(
                "InvalidBatchEntryId",
                "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.",
            ));
        }
        if !seen.insert(id) {
            return Err(error::modelled(
                "BatchEntryIdsNotDistinct",
                format!("Id {id} repeated."),
            ));
        }
    }
    Ok(())
}

/// The id of a checked entry.
pub(super) fn id_of<E: Entry>(entry: &E) -> String {
    entry.id().unwrap_or_default().to_owned()
}

/// A batch's answer: an entry of each list is left out by AWS when the list is empty.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct BatchResult<T> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    successful: Vec<T>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    failed: Vec<BatchResultErrorEntry>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct BatchResultErrorEntry {
    id: String,
    sender_fault: bool,
    code: String,
    message: String,
}

/// The entry of an action that answers with nothing but the id.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Done {
    pub(super) id: String,
}

/// Writes the answer from the outcome of each entry.
pub(super) fn respond<T: Serialize>(
    outcomes: Vec<(String, Result<T, JsonError>)>,
) -> Result<Vec<u8>, JsonError> {
    let mut result = BatchResult {
        successful: Vec::new(),
        failed: Vec::new(),
    };
    for (id, outcome) in outcomes {
        match outcome {
            Ok(entry) => result.successful.push(entry),
            Err(error) => result.failed.push(BatchResultErrorEntry {
                id,
                sender_fault: !error.status.is_server_error(),
                code: error
                    .query_code
                    .clone()
                    .unwrap_or_else(|| error.shape().to_owned()),
                message: error.message,
            }),
        }
    }
    answer(&result)
}

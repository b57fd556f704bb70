//! DeleteMessage, ChangeMessageVisibility and their batches.

use serde::Deserialize;

use super::{
    Sqs,
    batch::{self, Done},
    error,
    receive::number,
};
use crate::protocol::json::{JsonError, JsonRequest, no_content};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DeleteMessageRequest {
    queue_url: Option<String>,
    receipt_handle: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ChangeMessageVisibilityRequest {
    queue_url: Option<String>,
    receipt_handle: Option<String>,
    visibility_timeout: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct BatchRequest {
    queue_url: Option<String>,
    #[serde(default)]
    entries: Vec<BatchRequestEntry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct BatchRequestEntry {
    id: Option<String>,
    receipt_handle: Option<String>,
    visibility_timeout: Option<i64>,
}

impl batch::Entry for BatchRequestEntry {
    fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }
}

impl Sqs {
    pub(super) async fn delete_message(&self, request: &JsonRequest) -> Result<Vec<u8>, JsonError> {
        let request: DeleteMessageRequest = request.parse()?;
        let name = self.name_in(request.queue_url.as_deref())?;
        let handle = handle(request.receipt_handle)?;
        let outcomes = self
            .queues
            .delete_messages(name, &[handle])
            .await
            .map_err(error::from_engine)?;
        first(outcomes)?;
        no_content()
    }

    pub(super) async fn delete_message_batch(
        &self,
        request: &JsonRequest,
    ) -> Result<Vec<u8>, JsonError> {
        let BatchRequest { queue_url, entries } = request.parse()?;
        let name = self.name_in(queue_url.as_deref())?;
        batch::check(&entries, "DeleteMessageBatchRequestEntry")?;
        let ids: Vec<String> = entries.iter().map(batch::id_of).collect();
        let handles = entries
            .into_iter()
            .map(|entry| handle(entry.receipt_handle))
            .collect::<Result<Vec<_>, _>>()?;
        let outcomes = self
            .queues
            .delete_messages(name, &handles)
            .await
            .map_err(error::from_engine)?;
        respond(ids, outcomes)
    }

    pub(super) async fn change_message_visibility(
        &self,
        request: &JsonRequest,
    ) -> Result<Vec<u8>, JsonError> {
        let request: ChangeMessageVisibilityRequest = request.parse()?;
        let name = self.name_in(request.queue_url.as_deref())?;
        let change = (
            handle(request.receipt_handle)?,
            timeout(request.visibility_timeout)?,
        );
        let outcomes = self
            .queues
            .change_visibility(name, &[change])
            .await
            .map_err(error::from_engine)?;
        first(outcomes)?;
        no_content()
    }

    pub(super) async fn change_message_visibility_batch(
        &self,
        request: &JsonRequest,
    ) -> Result<Vec<u8>, JsonError> {
        let BatchRequest { queue_url, entries } = request.parse()?;
        let name = self.name_in(queue_url.as_deref())?;
        batch::check(&entries, "ChangeMessageVisibilityBatchRequestEntry")?;
        let ids: Vec<String> = entries.iter().map(batch::id_of).collect();
        let changes = entries
            .into_iter()
            .map(|entry| {
                Ok((
                    handle(entry.receipt_handle)?,
                    timeout(entry.visibility_timeout)?,
                ))
            })
            .collect::<Result<Vec<_>, JsonError>>()?;
        let outcomes = self
            .queues
            .change_visibility(name, &changes)
            .await
            .map_err(error::from_engine)?;
        respond(ids, outcomes)
    }
}

type Outcome = Result<(), engine::QueueError>;

fn handle(given: Option<String>) -> Result<String, JsonError> {
    given
        .filter(|handle| !handle.is_empty())
        .ok_or_else(|| error::missing("ReceiptHandle"))
}

fn timeout(given: Option<i64>) -> Result<u32, JsonError> {
    number(
        "VisibilityTimeout",
        given,
        0..=43_200,
        "VisibilityTimeout must be >= 0 and <= 43200.",
    )?
    .ok_or_else(|| error::missing("VisibilityTimeout"))
}

fn first(outcomes: Vec<Outcome>) -> Result<(), JsonError> {
    outcomes
        .into_iter()
        .next()
        .ok_or_else(JsonError::internal)?
        .map_err(error::from_engine)
}

fn respond(ids: Vec<String>, outcomes: Vec<Outcome>) -> Result<Vec<u8>, JsonError> {
    batch::respond(
        ids.into_iter()
            .zip(outcomes)
            .map(|(id, outcome)| {
                let outcome = outcome
                    .map(|()| Done { id: id.clone() })
                    .map_err(error::from_engine);
                (id, outcome)
            })
            .collect(),
    )
}

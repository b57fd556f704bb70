//! Publish, PublishBatch: the requests and their answers.

use axum::http::StatusCode;
use serde::Serialize;

use super::{
    Sns,
    publication::{LIMIT, PublicationRequest},
};
use crate::protocol::query::{Form, Members, QueryError, result};

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct PublishResult {
    message_id: String,
}

impl Sns {
    pub(super) async fn publish_action(
        &self,
        form: &Form,
        base_url: &str,
    ) -> Result<String, QueryError> {
        if form.get("PhoneNumber").is_some() {
            return Err(QueryError::invalid_parameter(
                "PhoneNumber Reason: SMS is not supported by this endpoint",
            ));
        }
        let arn = form
            .get("TopicArn")
            .or_else(|| form.get("TargetArn"))
            .filter(|arn| !arn.is_empty())
            .ok_or_else(|| {
                QueryError::invalid_parameter(
                    "TopicArn or TargetArn Reason: no value for required parameter",
                )
            })?;
        let publication = PublicationRequest::read(form, "")?.check()?;
        let message_id = publication.message_id.clone();
        self.publish(arn, vec![publication], base_url).await?;
        result("Publish", &PublishResult { message_id })
    }

    pub(super) async fn publish_batch(
        &self,
        form: &Form,
        base_url: &str,
    ) -> Result<String, QueryError> {
        #[derive(Serialize)]
        #[serde(rename_all = "PascalCase")]
        struct PublishBatchResult {
            successful: Members<Published>,
            failed: Members<Failed>,
        }
        #[derive(Serialize)]
        #[serde(rename_all = "PascalCase")]
        struct Published {
            id: String,
            message_id: String,
        }
        #[derive(Serialize)]
        #[serde(rename_all = "PascalCase")]
        struct Failed {
            id: String,
            code: String,
            message: String,
            sender_fault: bool,
        }
        let arn = form.required("TopicArn")?;
        let entries = form.numbered("PublishBatchRequestEntries.member");
        let ids = check_batch(form, &entries)?;
        let (mut publications, mut published, mut failed) = (Vec::new(), Vec::new(), Vec::new());
        for (prefix, id) in entries.iter().zip(ids) {
            let checked = PublicationRequest::read(form, &format!("{prefix}."))
                .and_then(PublicationRequest::check);
            match checked {
                Ok(publication) => {
                    published.push(Published {
                        id,
                        message_id: publication.message_id.clone(),
                    });
                    publications.push(publication);
                }
                Err(error) => failed.push(Failed {
                    id,
                    sender_fault: !error.status.is_server_error(),
                    code: error.code,
                    message: error.message,
                }),
            }
        }
        self.publish(arn, publications, base_url).await?;
        let answer = PublishBatchResult {
            successful: published.into_iter().collect(),
            failed: failed.into_iter().collect(),
        };
        result("PublishBatch", &answer)
    }
}

/// Checks what must hold of the batch as a whole; the ids of its entries.
fn check_batch(form: &Form, entries: &[String]) -> Result<Vec<String>, QueryError> {
    let refuse =
        |code: &str, message: String| Err(QueryError::new(StatusCode::BAD_REQUEST, code, message));
    if entries.is_empty() {
        return refuse(
            "EmptyBatchRequest",
            "The batch request doesn't contain any entries.".to_owned(),
        );
    }
    if entries.len() > 10 {
        return refuse(
            "TooManyEntriesInBatchRequest",
            "The batch request contains more entries than permissible.".to_owned(),
        );
    }
    let mut ids: Vec<String> = Vec::new();
    let mut bytes = 0;
    for prefix in entries {
        let id = form.get(&format!("{prefix}.Id")).unwrap_or_default();
        let valid = (1..=80).contains(&id.len())
            && id
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
        if !valid {
            return refuse(
                "InvalidBatchEntryId",
                "The Id of a batch entry in a batch request doesn't abide by the specification."
                    .to_owned(),
            );
        }
        if ids.iter().any(|other| other == id) {
            return refuse(
                "BatchEntryIdsNotDistinct",
                "Two or more batch entries in the request have the same Id.".to_owned(),
            );
        }
        ids.push(id.to_owned());
        bytes += form.get(&format!("{prefix}.Message")).map_or(0, str::len);
    }
    if bytes > LIMIT {
        return refuse(
            "BatchRequestTooLong",
            "The length of all the batch messages put together is more than the limit.".to_owned(),
        );
    }
    Ok(ids)
}

//! CreateEmailIdentity, GetEmailIdentity, ListEmailIdentities, DeleteEmailIdentity: verified as soon as they are made.

use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Ses, bad_request};
use crate::protocol::rest::RestError;

const KIND: &str = "ses-identity";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CreateEmailIdentityRequest {
    email_identity: Option<String>,
    #[serde(default)]
    tags: Option<Vec<Value>>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListEmailIdentitiesRequest {
    next_token: Option<String>,
    page_size: Option<usize>,
    filter: Option<Value>,
}

impl ListEmailIdentitiesRequest {
    /// From the query string, where older SDKs put it.
    pub(super) fn from_query(query: &str) -> Result<ListEmailIdentitiesRequest, RestError> {
        let mut request = ListEmailIdentitiesRequest::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match name.as_ref() {
                "PageSize" => {
                    let size = value
                        .parse()
                        .map_err(|_| bad_request("PageSize must be a number."))?;
                    request.page_size = Some(size);
                }
                "NextToken" => request.next_token = Some(value.into_owned()),
                _ => {}
            }
        }
        Ok(request)
    }
}

#[derive(Serialize, Deserialize)]
struct Identity {
    tags: Vec<Value>,
}

fn kind_of(name: &str) -> &'static str {
    if name.contains('@') {
        "EMAIL_ADDRESS"
    } else {
        "DOMAIN"
    }
}

impl Ses {
    pub(super) async fn create_identity(
        &self,
        request: CreateEmailIdentityRequest,
    ) -> Result<Value, RestError> {
        let name = request
            .email_identity
            .filter(|name| {
                !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c.is_control())
            })
            .ok_or_else(|| bad_request("EmailIdentity is required: a mail address or a domain."))?;
        if self.find(&name).await?.is_some() {
            return Err(RestError::new(
                StatusCode::BAD_REQUEST,
                "AlreadyExistsException",
                format!("Email identity {name} already exist."),
            ));
        }
        let identity = Identity {
            tags: request.tags.unwrap_or_default(),
        };
        self.documents
            .put(KIND, &name, &identity)
            .await
            .map_err(|error| RestError::storage(&error))?;
        Ok(json!({
            "IdentityType": kind_of(&name),
            "VerifiedForSendingStatus": true,
            "DkimAttributes": dkim(),
        }))
    }

    pub(super) async fn get_identity(&self, name: &str) -> Result<Value, RestError> {
        let identity = self.find(name).await?.ok_or_else(|| not_found(name))?;
        Ok(json!({
            "IdentityType": kind_of(name),
            "FeedbackForwardingStatus": true,
            "VerifiedForSendingStatus": true,
            "VerificationStatus": "SUCCESS",
            "DkimAttributes": dkim(),
            "MailFromAttributes": {"BehaviorOnMxFailure": "USE_DEFAULT_VALUE"},
            "Policies": {},
            "Tags": identity.tags,
        }))
    }

    pub(super) async fn delete_identity(&self, name: &str) -> Result<Value, RestError> {
        let existed = self
            .documents
            .delete(KIND, name)
            .await
            .map_err(|error| RestError::storage(&error))?;
        if existed {
            Ok(json!({}))
        } else {
            Err(not_found(name))
        }
    }

    /// `next_token` is the name of the last identity of the page before.
    pub(super) async fn list_identities(
        &self,
        request: ListEmailIdentitiesRequest,
    ) -> Result<Value, RestError> {
        if request.filter.is_some() {
            return Err(bad_request("Filter is not supported by this endpoint."));
        }
        let limit = request.page_size.unwrap_or(100);
        if !(1..=1000).contains(&limit) {
            return Err(bad_request("PageSize must be a number from 1 to 1000."));
        }
        let after = request.next_token;
        let mut page = self
            .documents
            .page::<Identity>(KIND, after.as_deref(), limit + 1)
            .await
            .map_err(|error| RestError::storage(&error))?;
        let more = page.len() > limit;
        page.truncate(limit);
        let identities: Vec<Value> = page
            .iter()
            .map(|(name, _)| {
                json!({
                    "IdentityType": kind_of(name), "IdentityName": name,
                    "SendingEnabled": true, "VerificationStatus": "SUCCESS",
                })
            })
            .collect();
        let mut answer = json!({ "EmailIdentities": identities });
        if let Some((name, _)) = page.last().filter(|_| more) {
            answer["NextToken"] = json!(name);
        }
        Ok(answer)
    }

    async fn find(&self, name: &str) -> Result<Option<Identity>, RestError> {
        self.documents
            .get(KIND, name)
            .await
            .map_err(|error| RestError::storage(&error))
    }
}

fn not_found(name: &str) -> RestError {
    RestError::new(
        StatusCode::NOT_FOUND,
        "NotFoundException",
        format!("Email identity {name} does not exist."),
    )
}

/// Nothing is signed on one machine.
fn dkim() -> Value {
    json!({"SigningEnabled": false, "Status": "NOT_STARTED", "Tokens": []})
}

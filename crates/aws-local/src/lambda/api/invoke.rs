//! Invoke: `POST /2015-03-31/functions/{name}/invocations`.

use axum::{
    body::{Body, to_bytes},
    extract::{Path, Query, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use serde::{Deserialize, de::IgnoredAny};

use super::ApiError;
use crate::lambda::{Invoke, InvokeAnswer, InvokeError, Lambda, events};

/// Largest payload of a synchronous call, bytes. Source: "Lambda quotas".
const MAX_PAYLOAD: usize = 6_291_456;
/// Largest payload of an asynchronous call, bytes. Source: "Lambda quotas".
const MAX_EVENT: usize = 1_048_576;

#[derive(Debug, Deserialize)]
pub(super) struct Qualifier {
    #[serde(rename = "Qualifier")]
    pub(super) qualifier: Option<String>,
}

impl Qualifier {
    /// The function's name with the qualifier that stands in the query, unless the name has one.
    pub(super) fn of(self, name: String) -> Result<String, ApiError> {
        let Some(qualifier) = self.qualifier else {
            return Ok(name);
        };
        let given = crate::lambda::FunctionRef::parse(&name)
            .ok_or_else(|| InvokeError::InvalidName(name.clone()))?;
        match given.qualifier {
            None => Ok(format!("{name}:{qualifier}")),
            Some(other) if other == qualifier => Ok(name),
            Some(_) => Err(ApiError::invalid(
                "The derived qualifier from the function name does not match the specified qualifier.",
            )),
        }
    }
}

pub(super) async fn invoke(
    State(lambda): State<Lambda>,
    Path(name): Path<String>,
    Query(qualifier): Query<Qualifier>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let name = qualifier.of(name)?;
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let asynchronous = match header("x-amz-invocation-type") {
        None | Some("RequestResponse") => false,
        Some("Event") => true,
        Some("DryRun") => {
            lambda.functions().find(&name)?;
            return Ok(StatusCode::NO_CONTENT.into_response());
        }
        Some(other) => {
            return Err(ApiError::invalid(format!(
                "Value '{other}' at 'invocationType' failed to satisfy constraint: Member must satisfy enum value set: \
                 [Event, RequestResponse, DryRun]"
            )));
        }
    };
    let payload = payload(body, if asynchronous { MAX_EVENT } else { MAX_PAYLOAD }).await?;
    let mut invoke = Invoke {
        payload,
        client_context: header("x-amz-client-context")
            .map(client_context)
            .transpose()?,
        trace_id: header("x-amzn-trace-id").map(str::to_owned),
        tail: !asynchronous && header("x-amz-log-type") == Some("Tail"),
        wait: None,
    };
    if asynchronous {
        return match lambda.invoke_event(&name, invoke)? {
            events::Accepted::Yes => Ok(StatusCode::ACCEPTED.into_response()),
            events::Accepted::TooMany => Err(ApiError::throttled()),
        };
    }
    invoke.wait = Some(lambda.functions().options().queue_wait);
    Ok(show(lambda.functions().invoke(&name, invoke).await?))
}

async fn payload(body: Body, limit: usize) -> Result<Bytes, ApiError> {
    let payload = to_bytes(body, limit)
        .await
        .map_err(|_| ApiError::too_large(limit))?;
    if payload.is_empty() {
        return Ok(Bytes::from_static(b"{}"));
    }
    match serde_json::from_slice::<IgnoredAny>(&payload) {
        Ok(_) => Ok(payload),
        Err(error) => Err(ApiError::content(format!(
            "Could not parse request body into json: {error}"
        ))),
    }
}

fn client_context(encoded: &str) -> Result<String, ApiError> {
    let text = BASE64_STANDARD
        .decode(encoded)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok());
    let json = text.filter(|text| serde_json::from_str::<IgnoredAny>(text).is_ok());
    json.ok_or_else(|| {
        ApiError::content("Client context must be a valid Base64-encoded JSON object.")
    })
}

fn show(answer: InvokeAnswer) -> Response {
    let (payload, failed) = match answer.result {
        Ok(payload) => (payload, false),
        Err(error) => (error.payload, true),
    };
    let mut response = Response::new(Body::from(payload));
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    headers.insert(
        "x-amz-executed-version",
        HeaderValue::from_static(answer.executed_version),
    );
    if failed {
        headers.insert(
            "x-amz-function-error",
            HeaderValue::from_static("Unhandled"),
        );
    }
    let texts = [
        ("x-amzn-requestid", Some(answer.request_id.to_string())),
        (
            "x-amz-log-result",
            answer.log_tail.map(|log| BASE64_STANDARD.encode(log)),
        ),
    ];
    for (name, text) in texts {
        if let Some(Ok(value)) = text.as_deref().map(HeaderValue::from_str) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    response
}

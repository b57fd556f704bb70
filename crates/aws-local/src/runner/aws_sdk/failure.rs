//! What a service refuses, in Step Functions' words: `SERVICE.SomethingException`, and a cause that names the request.
//!
//! Source: recorded histories; the SDK for Java, version 2, whose exceptions they name.

use engine::TaskOutcome;
use serde_json::Value;

use super::super::failed;
use super::call::Answer;
use super::services::{Protocol, Service};
use super::xml;
use crate::models;
use crate::models::wire::{Action, Model};

/// The outcome for an answer that is an error. `action` is there if the service has a model.
pub(super) fn outcome(service: &Service, action: Option<Action>, answer: &Answer) -> TaskOutcome {
    let header = |name: &str| answer.headers().get(name).and_then(|it| it.to_str().ok());
    let (mut code, message, mut request_id) = match service.protocol {
        Protocol::Json { .. } | Protocol::RestJson => {
            let members: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
            let code = members["__type"].as_str().or(header("x-amzn-errortype"));
            let code = code.or(members["code"].as_str()).unwrap_or_default();
            let code = code.rsplit('#').next().unwrap_or_default();
            let message = members.get("message").or_else(|| members.get("Message"));
            let message = message.and_then(Value::as_str).unwrap_or_default();
            let code = code.split(':').next().unwrap_or_default();
            (code.to_owned(), message.to_owned(), None)
        }
        Protocol::Query { .. } | Protocol::RestXml => {
            let root = xml::parse(answer.body()).unwrap_or_default();
            let error = root.child("Error").unwrap_or(&root);
            let text = |name| error.text_of(name).unwrap_or_default().to_owned();
            let id = root.text_of("RequestId").map(str::to_owned);
            (text("Code"), text("Message"), id)
        }
    };
    if let Some(only) = action.and_then(|it| it.error)
        && code.is_empty()
        && answer.status() == http::StatusCode::NOT_FOUND
    {
        // The answer to a HEAD has no body that could name it.
        code = only.to_owned();
    }
    for name in ["x-amzn-requestid", "x-amz-request-id"] {
        request_id = header(name).map(str::to_owned).or(request_id);
    }
    let extended =
        header("x-amz-id-2").map_or_else(String::new, |id| format!(", Extended Request ID: {id}"));
    let cause = format!(
        "{message} (Service: {}, Status Code: {}, Request ID: {}{extended}) (SDK Attempt Count: 1)",
        service.prefix,
        answer.status().as_u16(),
        request_id.unwrap_or_default()
    );
    failed(
        format!("{}.{}", service.prefix, exception(service, &code)),
        cause,
    )
}

/// Errors that the service's model does not name are called after the service.
fn exception(service: &Service, code: &str) -> String {
    let named = match Model::of(service.name) {
        Some(model) => model.exception(code).map(str::to_owned),
        None => models::knows_error(service.name, code).then(|| {
            format!(
                "{}Exception",
                code.strip_suffix("Exception").unwrap_or(code)
            )
        }),
    };
    named.unwrap_or_else(|| format!("{}Exception", service.prefix))
}

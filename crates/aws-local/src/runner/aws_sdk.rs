//! `aws-sdk:SERVICE:ACTION`: any action of a service that speaks awsJson, with parameters and results in Pascal case.
//!
//! Services that are here are called without a network; others where [`Endpoints`] says they are, over plain HTTP.
//! Which services those can be is one table ([`APIS`]); a definition that calls anything else is refused when it is made.
//!
//! Source: developer guide, "Learning to use AWS service SDK integrations"; names of errors from recorded histories.

use std::collections::BTreeMap;
use std::sync::Arc;

use asl::{Pattern, Resource};
use bytes::Bytes;
use engine::{TaskOutcome, TaskRun};
use futures::{FutureExt, future::BoxFuture};
use http::{Uri, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use serde_json::{Map, Value};

use super::states::pascal_case;
use super::{Integration, called, failed};
use crate::models;
use crate::protocol::json::{JsonError, JsonRequest, JsonService};
use crate::protocol::new_request_id;

/// The largest answer that is read: a payload with room for what it is wrapped in.
const MOST_BYTES: usize = 8 * 1024 * 1024;

/// A service that speaks awsJson.
struct Api {
    /// Its name in resources, and of its model.
    name: &'static str,
    /// In front of its errors.
    prefix: &'static str,
    /// In front of the action in `X-Amz-Target`.
    target: &'static str,
    /// Its members begin with a small letter.
    camel: bool,
    /// Version of awsJson.
    version: &'static str,
    /// What the SDKs call it in `AWS_ENDPOINT_URL_…`.
    variable: &'static str,
    /// Members that hold JSON as text.
    texts: &'static [&'static str],
}

const APIS: [Api; 12] = [
    api("athena", "Athena", "AmazonAthena", "1.1", "ATHENA"),
    api(
        "dynamodb",
        "DynamoDb",
        "DynamoDB_20120810",
        "1.0",
        "DYNAMODB",
    ),
    api(
        "eventbridge",
        "EventBridge",
        "AWSEvents",
        "1.1",
        "EVENTBRIDGE",
    ),
    api(
        "firehose",
        "Firehose",
        "Firehose_20150804",
        "1.1",
        "FIREHOSE",
    ),
    api("glue", "Glue", "AWSGlue", "1.1", "GLUE"),
    api("kinesis", "Kinesis", "Kinesis_20131202", "1.1", "KINESIS"),
    api("kms", "Kms", "TrentService", "1.1", "KMS"),
    api(
        "secretsmanager",
        "SecretsManager",
        "secretsmanager",
        "1.1",
        "SECRETS_MANAGER",
    ),
    api("ssm", "Ssm", "AmazonSSM", "1.1", "SSM"),
    Api {
        camel: true,
        texts: &["Input", "Output"],
        ..api("sfn", "Sfn", crate::states::TARGET, "1.0", "SFN")
    },
    Api {
        texts: &["MessageBody"],
        ..api("sqs", "Sqs", crate::sqs::TARGET, "1.0", "SQS")
    },
    Api {
        camel: true,
        ..api(
            "cloudwatchlogs",
            "CloudWatchLogs",
            "Logs_20140328",
            "1.1",
            "CLOUDWATCH_LOGS",
        )
    },
];

const fn api(
    name: &'static str,
    prefix: &'static str,
    target: &'static str,
    version: &'static str,
    variable: &'static str,
) -> Api {
    Api {
        name,
        prefix,
        target,
        camel: false,
        version,
        variable,
        texts: &[],
    }
}

/// Where services are that are not here.
#[derive(Debug, Clone, Default)]
pub struct Endpoints(BTreeMap<&'static str, Uri>);

/// An endpoint that cannot be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "{variable} is not the address of a service, such as http://127.0.0.1:8000; only plain http is spoken: {value}"
)]
pub struct BadEndpoint {
    variable: String,
    value: String,
}

impl Endpoints {
    /// The names of the variables that [`Endpoints::read`] asks for, as the SDKs have them.
    pub fn variables() -> impl Iterator<Item = String> {
        APIS.iter()
            .map(|api| format!("AWS_ENDPOINT_URL_{}", api.variable))
    }

    /// Takes the endpoints from variables.
    ///
    /// # Errors
    /// A value is not an HTTP address.
    pub fn read(value_of: impl Fn(&str) -> Option<String>) -> Result<Endpoints, BadEndpoint> {
        let mut endpoints = BTreeMap::new();
        for api in &APIS {
            let variable = format!("AWS_ENDPOINT_URL_{}", api.variable);
            let Some(value) = value_of(&variable).filter(|value| !value.is_empty()) else {
                continue;
            };
            let uri = value.parse::<Uri>().ok().filter(|uri| {
                uri.scheme() == Some(&http::uri::Scheme::HTTP) && uri.authority().is_some()
            });
            let uri = uri.ok_or(BadEndpoint { variable, value })?;
            endpoints.insert(api.name, uri);
        }
        Ok(Endpoints(endpoints))
    }
}

/// Calls services for Task states as their SDK would.
pub struct AwsSdk {
    caller: Arc<Caller>,
}

struct Caller {
    local: BTreeMap<&'static str, Arc<dyn JsonService>>,
    endpoints: Endpoints,
    region: String,
    client: Client<HttpConnector, Full<Bytes>>,
}

impl AwsSdk {
    /// Over the services that are here, by their targets, and those that are elsewhere. An endpoint goes before a service here.
    pub fn new(
        local: &[(&'static str, Arc<dyn JsonService>)],
        endpoints: Endpoints,
        region: String,
    ) -> AwsSdk {
        let here = |api: &Api| {
            let (_, service) = local.iter().find(|(target, _)| *target == api.target)?;
            Some((api.name, Arc::clone(service)))
        };
        AwsSdk {
            caller: Arc::new(Caller {
                local: APIS.iter().filter_map(here).collect(),
                endpoints,
                region,
                client: Client::builder(TokioExecutor::new()).build_http(),
            }),
        }
    }
}

impl Integration for AwsSdk {
    fn run(&self, task: TaskRun) -> BoxFuture<'static, TaskOutcome> {
        let caller = Arc::clone(&self.caller);
        async move { caller.run(&task).await.unwrap_or_else(|failure| failure) }.boxed()
    }

    fn supports(&self, resource: &Resource) -> Result<(), String> {
        self.caller.api(resource).map(|_| ())
    }
}

impl Caller {
    /// The service, the action as the service names it, and whether the task waits for its token.
    fn api(&self, resource: &Resource) -> Result<(&'static Api, String, bool), String> {
        let Resource::Integration {
            service,
            action,
            pattern,
            ..
        } = resource
        else {
            return Err("Use arn:aws:states:::aws-sdk:SERVICE:ACTION.".to_owned());
        };
        let waits = match pattern {
            Pattern::RequestResponse => false,
            Pattern::WaitForTaskToken => true,
            Pattern::Sync | Pattern::Sync2 => {
                return Err("SDK integrations have no '.sync' pattern.".to_owned());
            }
        };
        let name = service.strip_prefix("aws-sdk:").unwrap_or(service);
        let Some(api) = APIS.iter().find(|api| api.name == name) else {
            let known: Vec<&str> = APIS.iter().map(|api| api.name).collect();
            return Err(format!(
                "This endpoint can call {} with aws-sdk.",
                known.join(", ")
            ));
        };
        if !self.local.contains_key(name) && !self.endpoints.0.contains_key(name) {
            return Err(format!(
                "Set AWS_ENDPOINT_URL_{} to where the service is reached.",
                api.variable
            ));
        }
        Ok((api, pascal_case(action), waits))
    }

    async fn run(&self, task: &TaskRun) -> Result<TaskOutcome, TaskOutcome> {
        let (api, action, waits) = self
            .api(&task.request.resource)
            .map_err(|reason| failed("States.Runtime", reason))?;
        let body = request(api, task.request.parameters.value());
        let request_id = new_request_id();
        let answered = match (self.endpoints.0.get(api.name), self.local.get(api.name)) {
            (Some(endpoint), _) => self.call(endpoint, api, &action, body).await?,
            (None, Some(service)) => {
                let request = JsonRequest {
                    body: body.into(),
                    base_url: String::new(),
                    request_id: request_id.clone(),
                };
                let answered = service.call(&action, request).await;
                answered
                    .map(Bytes::from)
                    .map_err(|error| Refused::from(error, request_id))
            }
            (None, None) => return Err(failed("States.Runtime", "The service is not there.")),
        };
        match answered {
            Ok(answer) => Ok(called(result(api, &action, &answer), waits)),
            Err(refused) => Err(refused.outcome(api)),
        }
    }

    /// Calls a service over HTTP. The outer error is one of the way there.
    async fn call(
        &self,
        endpoint: &Uri,
        api: &Api,
        action: &str,
        body: String,
    ) -> Result<Result<Bytes, Refused>, TaskOutcome> {
        let unreachable = |reason: &dyn std::fmt::Display| {
            let cause = format!("{endpoint} could not be called: {reason}");
            failed(format!("{}.SdkClientException", api.prefix), cause)
        };
        // Local stand-ins want to see that a request is signed, and take the account and region from it; none checks it.
        let day = jiff::Timestamp::now()
            .strftime("%Y%m%dT%H%M%SZ")
            .to_string();
        let scope = format!("{}/{}/{}/aws4_request", &day[..8], self.region, api.name);
        let signed = format!(
            "AWS4-HMAC-SHA256 Credential=test/{scope}, SignedHeaders=host;x-amz-date, Signature={}",
            "0".repeat(64)
        );
        let request = http::Request::post(endpoint)
            .header(
                header::CONTENT_TYPE,
                format!("application/x-amz-json-{}", api.version),
            )
            .header("x-amz-target", format!("{}.{action}", api.target))
            .header("x-amz-date", day)
            .header(header::AUTHORIZATION, signed)
            .body(Full::new(Bytes::from(body)))
            .map_err(|error| unreachable(&error))?;
        let response = self.client.request(request).await;
        let (head, body) = response.map_err(|error| unreachable(&error))?.into_parts();
        let body = Limited::new(body, MOST_BYTES).collect().await;
        let body = body.map_err(|error| unreachable(&error))?.to_bytes();
        if head.status.is_success() {
            return Ok(Ok(body));
        }
        let text = |name: &str| head.headers.get(name).and_then(|it| it.to_str().ok());
        let members: Value = serde_json::from_slice(&body).unwrap_or_default();
        let shape = members["__type"].as_str().or(text("x-amzn-errortype"));
        let shape = shape.unwrap_or_default();
        let shape = shape.rsplit('#').next().unwrap_or_default();
        let message = members.get("message").or_else(|| members.get("Message"));
        Ok(Err(Refused {
            shape: shape.split(':').next().unwrap_or_default().to_owned(),
            message: message
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned(),
            status: head.status.as_u16(),
            request_id: text("x-amzn-requestid").unwrap_or_default().to_owned(),
        }))
    }
}

/// A service's error.
struct Refused {
    shape: String,
    message: String,
    status: u16,
    request_id: String,
}

impl Refused {
    fn from(error: JsonError, request_id: String) -> Refused {
        Refused {
            shape: error.shape().to_owned(),
            status: error.status.as_u16(),
            message: error.message,
            request_id,
        }
    }

    fn outcome(self, api: &Api) -> TaskOutcome {
        // Errors that the service's model does not name are called after the service.
        let name = match models::knows_error(api.name, &self.shape) {
            true => self.shape.strip_suffix("Exception").unwrap_or(&self.shape),
            false => api.prefix,
        };
        let cause = format!(
            "{} (Service: {}, Status Code: {}, Request ID: {}) (SDK Attempt Count: 1)",
            self.message, api.prefix, self.status, self.request_id
        );
        failed(format!("{}.{name}Exception", api.prefix), cause)
    }
}

/// The request's JSON: members that are null are left out, and JSON that belongs into a text is written as one.
fn request(api: &Api, parameters: &Value) -> String {
    let Value::Object(members) = parameters else {
        return parameters.to_string();
    };
    let mut request = Map::with_capacity(members.len());
    for (name, value) in members.iter().filter(|(_, value)| !value.is_null()) {
        let value = match value {
            Value::String(_) => value.clone(),
            value if api.texts.contains(&name.as_str()) => value.to_string().into(),
            value => value.clone(),
        };
        request.insert(name.clone(), value);
    }
    let request = Value::Object(request);
    if api.camel {
        renamed(&request, camel_case).to_string()
    } else {
        request.to_string()
    }
}

/// The task's result.
fn result(api: &Api, action: &str, answer: &[u8]) -> Value {
    // Some actions answer with nothing.
    let answer: Value = serde_json::from_slice(answer).unwrap_or_else(|_| Map::new().into());
    let mut result = if api.camel {
        renamed(&answer, pascal_case)
    } else {
        answer
    };
    models::write_times(api.name, action, &mut result);
    result
}

fn renamed(value: &Value, rename: fn(&str) -> String) -> Value {
    match value {
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| (rename(name), renamed(value, rename)))
            .collect::<Map<_, _>>()
            .into(),
        Value::Array(elements) => elements
            .iter()
            .map(|element| renamed(element, rename))
            .collect(),
        value => value.clone(),
    }
}

/// `ExecutionArn` → `executionArn`.
fn camel_case(name: &str) -> String {
    let mut characters = name.chars();
    let first = characters.next().map(|first| first.to_ascii_lowercase());
    first.into_iter().chain(characters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_read_as_the_sdks_read_them() {
        let read = |value: &'static str| {
            Endpoints::read(|name| (name == "AWS_ENDPOINT_URL_DYNAMODB").then(|| value.to_owned()))
        };
        assert_eq!(read("http://127.0.0.1:8000").unwrap().0.len(), 1);
        assert!(read("").unwrap().0.is_empty());
        let error = read("https://example.com").unwrap_err().to_string();
        assert!(error.contains("AWS_ENDPOINT_URL_DYNAMODB"), "{error}");
        assert!(Endpoints::variables().any(|name| name == "AWS_ENDPOINT_URL_SECRETS_MANAGER"));
    }
}

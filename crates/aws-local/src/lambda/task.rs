//! Task states that call functions: `lambda:invoke`, with or without a token, and functions called by their own ARN.
//!
//! An invocation of a task waits for a free process as long as the task may take; the engine has it on disk meanwhile.
//! Source: AWS Step Functions developer guide, "Invoke an AWS Lambda function with Step Functions"; the forms of outputs and
//! errors are as AWS records them in execution histories.

use asl::{Data, Pattern, Resource};
use bytes::Bytes;
use engine::{TaskOutcome, TaskRun};
use serde_json::{Value, json};

use super::{
    Lambda,
    events::Accepted,
    invocation::{FunctionError, Invoke, InvokeAnswer, InvokeError},
};

/// A task's error and cause.
#[derive(Debug, PartialEq, Eq)]
struct Failure {
    error: String,
    cause: String,
}

impl Lambda {
    /// Runs the task: one invocation. When the task is cancelled nobody waits any more, but the function goes on, as on AWS.
    ///
    /// While the service shuts down this does not return: what was running is neither done nor failed, and runs again after
    /// the next start.
    pub async fn run_task(&self, run: TaskRun) -> TaskOutcome {
        let outcome = tokio::select! {
            outcome = self.call(&run) => outcome,
            () = run.cancelled.cancelled() => Err(Failure {
                error: "States.TaskFailed".to_owned(),
                cause: "The task was cancelled.".to_owned(),
            }),
        };
        match (outcome, &run.request.resource) {
            (
                Ok(output),
                Resource::Integration {
                    pattern: Pattern::WaitForTaskToken,
                    ..
                },
            ) => TaskOutcome::Submitted(output),
            (Ok(output), _) => TaskOutcome::Succeeded(output),
            (Err(Failure { error, cause }), _) => TaskOutcome::Failed { error, cause },
        }
    }

    async fn call(&self, run: &TaskRun) -> Result<Data, Failure> {
        let parameters = &run.request.parameters;
        match &run.request.resource {
            Resource::Lambda { arn } => {
                let payload = Bytes::copy_from_slice(parameters.text().as_bytes());
                let answer = self.invoke_for_task(arn, Invoke::new(payload)).await?;
                Data::parse(text_of(&result_of(&answer)?)?).map_err(|error| not_json(&error))
            }
            Resource::Integration { action, .. } if &**action == "invoke" => {
                self.call_integration(parameters).await
            }
            other => Err(Failure {
                error: "States.Runtime".to_owned(),
                cause: format!("The Lambda service does not know the resource {other}"),
            }),
        }
    }

    async fn call_integration(&self, parameters: &Data) -> Result<Data, Failure> {
        let arguments = parameters.value();
        let text = |name: &str| arguments.get(name).and_then(Value::as_str);
        let Some(name) = text("FunctionName") else {
            return Err(Failure {
                error: "States.Runtime".to_owned(),
                cause: format!(
                    "The Parameters '{}' could not be used to start the Task: [The field \"FunctionName\" is required but was \
                     missing]",
                    parameters.text()
                ),
            });
        };
        let name = match text("Qualifier") {
            Some(qualifier) => format!("{name}:{qualifier}"),
            None => name.to_owned(),
        };
        let invoke = Invoke {
            payload: payload(arguments),
            client_context: text("ClientContext").map(str::to_owned),
            tail: text("LogType") == Some("Tail"),
            ..Invoke::default()
        };
        match text("InvocationType") {
            Some("Event") => match self.invoke_event(&name, invoke).map_err(service_failure)? {
                Accepted::Yes => Ok(envelope(202, None, &new_id(), "\"\"", None)?),
                Accepted::TooMany => Err(service_failure(InvokeError::TooManyRequests)),
            },
            Some("DryRun") => {
                self.functions().find(&name).map_err(service_failure)?;
                envelope(204, None, &new_id(), "\"\"", None)
            }
            _ => {
                let answer = self.invoke_for_task(&name, invoke).await?;
                let payload = result_of(&answer)?;
                envelope(
                    200,
                    Some(answer.executed_version),
                    &answer.request_id,
                    text_of(&payload)?,
                    answer.log_tail.as_deref(),
                )
            }
        }
    }

    async fn invoke_for_task(&self, name: &str, invoke: Invoke) -> Result<InvokeAnswer, Failure> {
        match self.functions().invoke(name, invoke).await {
            Err(InvokeError::Stopped) => std::future::pending().await,
            other => other.map_err(service_failure),
        }
    }
}

/// The event: `{}` if none is given, as AWS's Invoke does.
fn payload(arguments: &Value) -> Bytes {
    match arguments.get("Payload") {
        None => Bytes::from_static(b"{}"),
        Some(payload) => Bytes::from(payload.to_string()),
    }
}

fn result_of(answer: &InvokeAnswer) -> Result<Bytes, Failure> {
    answer
        .result
        .clone()
        .map_err(|error| function_failure(&error))
}

/// An answer without a body is `null`.
fn text_of(payload: &Bytes) -> Result<&str, Failure> {
    let text = std::str::from_utf8(payload).map_err(|error| not_json(&error))?;
    Ok(if text.trim().is_empty() { "null" } else { text })
}

fn not_json(error: &dyn std::fmt::Display) -> Failure {
    Failure {
        error: "Lambda.Unknown".to_owned(),
        cause: format!("The function's answer is not JSON: {error}"),
    }
}

/// An error of the function: its own name, and its document as the cause.
fn function_failure(error: &FunctionError) -> Failure {
    let cause = String::from_utf8_lossy(&error.payload).into_owned();
    let document: Value = serde_json::from_str(&cause).unwrap_or_default();
    match document.get("errorType").and_then(Value::as_str) {
        Some(name) if !name.is_empty() => Failure {
            error: name.to_owned(),
            cause,
        },
        _ => Failure {
            error: "Lambda.Unknown".to_owned(),
            cause: format!(
                "The cause could not be determined because Lambda did not return an error type. Returned payload: {cause}"
            ),
        },
    }
}

/// An error of the service: in the words of the SDK that Step Functions calls Lambda with.
fn service_failure(error: InvokeError) -> Failure {
    let (status, name) = match &error {
        InvokeError::NotFound(_) => (404, "ResourceNotFoundException"),
        InvokeError::TooManyRequests => (429, "TooManyRequestsException"),
        InvokeError::InvalidName(_) => (400, "ValidationException"),
        InvokeError::Stopped => (500, "ServiceException"),
    };
    Failure {
        error: format!("Lambda.{name}"),
        cause: format!(
            "{error} (Service: AWSLambda; Status Code: {status}; Error Code: {name}; Request ID: {}; Proxy: null)",
            new_id()
        ),
    }
}

/// The output of `lambda:invoke`: the response of AWS's Invoke with everything around it.
fn envelope(
    status: u16,
    version: Option<&str>,
    request_id: &str,
    payload: &str,
    log_tail: Option<&[u8]>,
) -> Result<Data, Failure> {
    use base64::{Engine, prelude::BASE64_STANDARD};
    let date = jiff::Timestamp::now()
        .strftime("%a, %d %b %Y %H:%M:%S GMT")
        .to_string();
    let trace_id = format!(
        "Root=1-{}-{}",
        &request_id[..8],
        request_id[8..]
            .replace('-', "")
            .chars()
            .rev()
            .collect::<String>()
    );
    let length = payload.len().to_string();
    let mut headers: Vec<(&str, &str)> = Vec::with_capacity(8);
    headers.extend(version.map(|version| ("X-Amz-Executed-Version", version)));
    headers.extend([
        ("x-amzn-Remapped-Content-Length", "0"),
        ("Connection", "keep-alive"),
        ("x-amzn-RequestId", request_id),
        ("Content-Length", &length),
        ("Date", &date),
        ("X-Amzn-Trace-Id", &trace_id),
        ("Content-Type", "application/json"),
    ]);
    let all: serde_json::Map<String, Value> = headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), json!([value])))
        .collect();
    headers.sort_by_key(|(name, _)| name.to_ascii_lowercase());
    let single: serde_json::Map<String, Value> = headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), json!(value)))
        .collect();
    let http = json!({ "AllHttpHeaders": all, "HttpHeaders": single, "HttpStatusCode": status });
    let version = version
        .map(|version| format!("\"ExecutedVersion\":\"{version}\","))
        .unwrap_or_default();
    let log = log_tail
        .map(|log| format!("\"LogResult\":\"{}\",", BASE64_STANDARD.encode(log)))
        .unwrap_or_default();
    let text = format!(
        "{{{version}{log}\"Payload\":{payload},\"SdkHttpMetadata\":{http},\"SdkResponseMetadata\":{{\"RequestId\":\"{request_id}\"}},\
         \"StatusCode\":{status}}}"
    );
    Data::parse(&text).map_err(|error| not_json(&error))
}

fn new_id() -> String {
    uuid::Uuid::new_v4().to_string()
}

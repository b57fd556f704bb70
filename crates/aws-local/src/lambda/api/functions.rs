//! The functions as AWS shows them: ListFunctions, GetFunction, GetFunctionConfiguration.

use axum::{
    Json,
    extract::{Path, Query, State},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{ApiError, invoke::Qualifier};
use crate::lambda::{FunctionRef, LATEST, Lambda, function::Function, invocation::InvokeError};

#[derive(Debug, Deserialize)]
pub(super) struct Page {
    #[serde(rename = "Marker")]
    marker: Option<String>,
    #[serde(rename = "MaxItems")]
    max_items: Option<usize>,
}

pub(super) async fn list(State(lambda): State<Lambda>, Query(page): Query<Page>) -> Json<Value> {
    let limit = page.max_items.unwrap_or(50).clamp(1, 50);
    let after = |function: &std::sync::Arc<Function>| {
        page.marker
            .as_ref()
            .is_none_or(|marker| function.config.name > *marker)
    };
    let mut functions: Vec<_> = lambda
        .functions()
        .list()
        .into_iter()
        .filter(after)
        .take(limit + 1)
        .collect();
    let more = functions.len() > limit;
    functions.truncate(limit);
    let marker = functions
        .last()
        .filter(|_| more)
        .map(|last| last.config.name.clone());
    let shown: Vec<Value> = functions
        .iter()
        .map(|function| show(function, None))
        .collect();
    Json(json!({ "Functions": shown, "NextMarker": marker }))
}

pub(super) async fn get(
    State(lambda): State<Lambda>,
    Path(name): Path<String>,
    Query(qualifier): Query<Qualifier>,
) -> Result<Json<Value>, ApiError> {
    let (function, shown) = find(&lambda, name, qualifier)?;
    Ok(Json(json!({
        "Configuration": shown,
        "Code": { "RepositoryType": "Local", "Location": function.config.command.join(" ") },
        "Concurrency": { "ReservedConcurrentExecutions": function.config.max_concurrency },
        "Tags": {},
    })))
}

pub(super) async fn configuration(
    State(lambda): State<Lambda>,
    Path(name): Path<String>,
    Query(qualifier): Query<Qualifier>,
) -> Result<Json<Value>, ApiError> {
    Ok(Json(find(&lambda, name, qualifier)?.1))
}

pub(super) async fn create() -> ApiError {
    ApiError::unsupported(
        "CreateFunction is not supported locally: a function is a program that the stack's description names. Add it there \
         and start again.",
    )
}

fn find(
    lambda: &Lambda,
    name: String,
    qualifier: Qualifier,
) -> Result<(std::sync::Arc<Function>, Value), ApiError> {
    let name = qualifier.of(name)?;
    let name = FunctionRef::parse(&name).ok_or(InvokeError::InvalidName(name))?;
    let function = lambda.functions().resolve(&name)?;
    let shown = show(&function, name.qualifier.as_deref());
    Ok((function, shown))
}

fn show(function: &Function, qualifier: Option<&str>) -> Value {
    let config = &function.config;
    let arn = match qualifier {
        None => function.arn.to_string(),
        Some(qualifier) => format!("{}:{qualifier}", function.arn),
    };
    json!({
        "FunctionName": config.name,
        "FunctionArn": arn,
        "Runtime": "provided.al2023",
        "Role": format!("arn:aws:iam::{}:role/{}", account(&function.arn), config.name),
        "Handler": "bootstrap",
        "CodeSize": 0,
        "CodeSha256": BASE64_STANDARD.encode(Sha256::digest(config.command.join("\0"))),
        "Description": config.description,
        "Timeout": config.timeout.as_secs(),
        "MemorySize": config.memory_mb,
        "LastModified": function.modified.strftime("%Y-%m-%dT%H:%M:%S%.3f+0000").to_string(),
        "Version": LATEST,
        "Environment": { "Variables": config.environment },
        "TracingConfig": { "Mode": "PassThrough" },
        "RevisionId": function.revision,
        "State": "Active",
        "LastUpdateStatus": "Successful",
        "PackageType": "Zip",
        "Architectures": [if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" }],
        "EphemeralStorage": { "Size": 512 },
        "LoggingConfig": { "LogFormat": "Text", "LogGroup": format!("/aws/lambda/{}", config.name) },
    })
}

fn account(arn: &str) -> &str {
    arn.split(':').nth(4).unwrap_or_default()
}

//! Event source mappings over REST.
//!
//! Source: AWS Lambda API reference, CreateEventSourceMapping, UpdateEventSourceMapping, DeleteEventSourceMapping,
//! GetEventSourceMapping, ListEventSourceMappings.

use axum::{
    Json,
    body::Bytes,
    extract::{Path, Query, State},
    http::StatusCode,
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};

use super::ApiError;
use crate::lambda::{
    Lambda,
    mapping::{Changes, Mapping, NewMapping},
};

const REPORT: &str = "ReportBatchItemFailures";

/// Members of Create and Update; those that only streams, brokers and databases know are refused.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Body {
    event_source_arn: Option<String>,
    function_name: Option<String>,
    enabled: Option<bool>,
    batch_size: Option<i64>,
    maximum_batching_window_in_seconds: Option<i64>,
    function_response_types: Option<Vec<String>>,
    scaling_config: Option<Scaling>,
    filter_criteria: Option<Filters>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Scaling {
    maximum_concurrency: Option<i64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Filters {
    #[serde(default)]
    filters: Vec<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Wanted {
    event_source_arn: Option<String>,
    function_name: Option<String>,
}

pub(super) async fn create(
    State(lambda): State<Lambda>,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    let body: Body = parse(&body)?;
    let changes = body.changes()?;
    let new = NewMapping {
        event_source_arn: required(body.event_source_arn, "EventSourceArn")?,
        function_name: required(body.function_name, "FunctionName")?,
        settings: changes,
    };
    let mapping = lambda.mappings().create(new).await?;
    Ok((StatusCode::ACCEPTED, Json(show(&mapping, "Creating"))))
}

pub(super) async fn update(
    State(lambda): State<Lambda>,
    Path(uuid): Path<String>,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    let body: Body = parse(&body)?;
    let mut changes = body.changes()?;
    changes.function_name = body.function_name;
    let mapping = lambda.mappings().update(&uuid, changes).await?;
    Ok((StatusCode::ACCEPTED, Json(show(&mapping, "Updating"))))
}

pub(super) async fn delete(
    State(lambda): State<Lambda>,
    Path(uuid): Path<String>,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    let mapping = lambda.mappings().delete(&uuid).await?;
    Ok((StatusCode::ACCEPTED, Json(show(&mapping, "Deleting"))))
}

pub(super) async fn get(
    State(lambda): State<Lambda>,
    Path(uuid): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let mapping = lambda.mappings().get(&uuid)?;
    Ok(Json(show(&mapping, state(&mapping))))
}

/// All of them at once: there are never as many as a page of AWS's.
pub(super) async fn list(
    State(lambda): State<Lambda>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Value>, ApiError> {
    let found = lambda.mappings().list(
        wanted.event_source_arn.as_deref(),
        wanted.function_name.as_deref(),
    )?;
    let shown: Vec<Value> = found
        .iter()
        .map(|mapping| show(mapping, state(mapping)))
        .collect();
    Ok(Json(json!({ "EventSourceMappings": shown })))
}

impl Body {
    fn changes(&self) -> Result<Changes, ApiError> {
        if let Some(name) = self
            .others
            .iter()
            .find(|(_, value)| !value.is_null())
            .map(|(name, _)| name)
        {
            return Err(ApiError::invalid(format!(
                "Unsupported parameter for an SQS queue: {name}"
            )));
        }
        if self
            .filter_criteria
            .as_ref()
            .is_some_and(|criteria| !criteria.filters.is_empty())
        {
            return Err(ApiError::invalid(
                "FilterCriteria is not supported locally; filter at the subscription of the queue",
            ));
        }
        let reports = match self.function_response_types.as_deref() {
            None => None,
            Some([]) => Some(false),
            Some([only]) if only == REPORT => Some(true),
            Some(_) => {
                return Err(ApiError::invalid(format!(
                    "FunctionResponseTypes can only be [{REPORT}]"
                )));
            }
        };
        Ok(Changes {
            function_name: None,
            enabled: self.enabled,
            batch_size: self.batch_size,
            window: self.maximum_batching_window_in_seconds,
            report_item_failures: reports,
            maximum_concurrency: self
                .scaling_config
                .as_ref()
                .map(|scaling| scaling.maximum_concurrency),
        })
    }
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    serde_json::from_slice(body).map_err(|error| {
        ApiError::content(format!("Could not parse request body into json: {error}"))
    })
}

fn required(value: Option<String>, name: &str) -> Result<String, ApiError> {
    value.ok_or_else(|| ApiError::invalid(format!("{name} is required")))
}

fn state(mapping: &Mapping) -> &'static str {
    if mapping.enabled {
        "Enabled"
    } else {
        "Disabled"
    }
}

fn show(mapping: &Mapping, state: &str) -> Value {
    let mut shown = json!({
        "UUID": mapping.uuid,
        "EventSourceMappingArn": mapping.arn(),
        "EventSourceArn": mapping.event_source_arn,
        "FunctionArn": mapping.function_arn,
        "BatchSize": mapping.batch_size,
        "MaximumBatchingWindowInSeconds": mapping.window,
        "FunctionResponseTypes": if mapping.report_item_failures { vec![REPORT] } else { vec![] },
        "LastModified": mapping.modified as f64 / 1000.0,
        "State": state,
        "StateTransitionReason": "USER_INITIATED",
    });
    if let Some(maximum) = mapping.maximum_concurrency {
        shown["ScalingConfig"] = json!({ "MaximumConcurrency": maximum });
    }
    shown
}

//! The answer of `TestState`: a trial's report in AWS's words.

use asl::Data;
use asl::trial::{Inspection, Report, Verdict};
use serde::Serialize;

use super::Answer;
use crate::protocol::json;

/// `InspectionLevel`
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Level {
    #[default]
    Info,
    Debug,
    /// As `Debug`, and what went over HTTP; no HTTP task is called here.
    Trace,
}

impl Level {
    pub(super) fn read(word: &str) -> Option<Level> {
        match word {
            "INFO" => Some(Level::Info),
            "DEBUG" => Some(Level::Debug),
            "TRACE" => Some(Level::Trace),
            _ => None,
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Tested {
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    inspection_data: Option<InspectionData>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_state: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<String>,
    status: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct InspectionData {
    #[serde(skip_serializing_if = "Option::is_none")]
    after_arguments: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after_input_path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after_item_batcher: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after_item_selector: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after_items_path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after_items_pointer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after_parameters: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after_result_path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after_result_selector: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_details: Option<ErrorDetails>,
    #[serde(skip_serializing_if = "Option::is_none")]
    input: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_concurrency: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tolerated_failure_count: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tolerated_failure_percentage: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    variables: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ErrorDetails {
    #[serde(skip_serializing_if = "Option::is_none")]
    catch_index: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_backoff_interval_seconds: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_index: Option<u32>,
}

pub(super) fn write(report: Report, level: Level) -> Answer {
    let (status, error_details) = match report.verdict {
        Verdict::Succeeded => ("SUCCEEDED", None),
        Verdict::Failed => ("FAILED", None),
        Verdict::Retriable { retrier, backoff } => {
            let details = ErrorDetails {
                catch_index: None,
                retry_backoff_interval_seconds: Some(backoff),
                retry_index: Some(retrier),
            };
            ("RETRIABLE", Some(details))
        }
        Verdict::Caught { catcher } => {
            let details = ErrorDetails {
                catch_index: Some(catcher),
                retry_backoff_interval_seconds: None,
                retry_index: None,
            };
            ("CAUGHT_ERROR", Some(details))
        }
    };
    let failure = report.failure.unwrap_or_default();
    json::answer(&Tested {
        cause: failure.cause,
        error: failure.error,
        inspection_data: (level != Level::Info)
            .then(|| InspectionData::new(report.inspection, error_details)),
        next_state: report.next,
        output: text(report.output),
        status,
    })
}

impl InspectionData {
    fn new(found: Inspection, error_details: Option<ErrorDetails>) -> InspectionData {
        let limits = found.map;
        InspectionData {
            after_arguments: text(found.after_arguments),
            after_input_path: text(found.after_input_path),
            after_item_batcher: text(found.after_item_batcher),
            after_item_selector: text(found.after_item_selector),
            after_items_path: text(found.after_items_path),
            after_items_pointer: text(found.after_items_pointer),
            after_parameters: text(found.after_parameters),
            after_result_path: text(found.after_result_path),
            after_result_selector: text(found.after_result_selector),
            error_details,
            input: text(found.input),
            max_concurrency: limits.map(|limits| limits.max_concurrency),
            result: text(found.result),
            tolerated_failure_count: limits.and_then(|limits| limits.tolerated_failure_count),
            tolerated_failure_percentage: limits
                .and_then(|limits| limits.tolerated_failure_percentage),
            variables: text(found.variables),
        }
    }
}

fn text(data: Option<Data>) -> Option<String> {
    data.map(|data| data.text().to_owned())
}

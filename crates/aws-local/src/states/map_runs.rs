//! `DescribeMapRun`, `ListMapRuns`, `UpdateMapRun`. A Map Run's children are listed by `ListExecutions`.

use asl::Limits;
use engine::{ChildCounts, MapRunError, MapRunSummary};
use serde::{Deserialize, Serialize};

use super::executions::failure as execution_failure;
use super::page::Asked;
use super::validate::{ARN, Check, LONG_ARN, PAGE_TOKEN};
use super::{Answer, StepFunctions, arn, error, seconds};
use crate::protocol::json::{JsonError, answer};

/// The most that `maxConcurrency` and `toleratedFailureCount` can be.
const MOST: i64 = i64::MAX;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DescribeMapRun {
    map_run_arn: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Described {
    map_run_arn: String,
    execution_arn: String,
    status: &'static str,
    start_date: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    stop_date: Option<f64>,
    max_concurrency: u64,
    tolerated_failure_percentage: f64,
    tolerated_failure_count: u64,
    item_counts: Counts,
    execution_counts: Counts,
    redrive_count: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    redrive_date: Option<f64>,
}

/// `MapRunItemCounts`, `MapRunExecutionCounts`
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Counts {
    pending: u64,
    running: u64,
    succeeded: u64,
    failed: u64,
    timed_out: u64,
    aborted: u64,
    total: u64,
    results_written: u64,
    failures_not_redrivable: u64,
    pending_redrive: u64,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListMapRuns {
    execution_arn: Option<String>,
    max_results: Option<i64>,
    next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct MapRunList {
    map_runs: Vec<Listed>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

/// `MapRunListItem`
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    execution_arn: String,
    map_run_arn: String,
    state_machine_arn: String,
    start_date: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    stop_date: Option<f64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UpdateMapRun {
    map_run_arn: Option<String>,
    max_concurrency: Option<i64>,
    tolerated_failure_count: Option<i64>,
    tolerated_failure_percentage: Option<f64>,
}

#[derive(Debug, Serialize)]
struct Updated {}

impl StepFunctions {
    pub(super) async fn describe_map_run(&self, request: DescribeMapRun) -> Answer {
        let mut check = Check::default();
        let arn = check.required("mapRunArn", request.map_run_arn, LONG_ARN);
        check.done()?;
        arn::map_run(&arn)?;
        let described = self.engine.executions().describe_map_run(&arn).await;
        let described = described.map_err(|error| failure(&error))?;
        answer(&Described {
            map_run_arn: described.summary.arn,
            execution_arn: described.summary.execution_arn,
            status: described.status.as_str(),
            start_date: seconds(described.summary.started),
            stop_date: described.summary.stopped.map(seconds),
            max_concurrency: described.limits.max_concurrency,
            tolerated_failure_percentage: described
                .limits
                .tolerated_failure_percentage
                .unwrap_or_default(),
            tolerated_failure_count: described.limits.tolerated_failure_count.unwrap_or_default(),
            item_counts: described.items.into(),
            execution_counts: described.executions.into(),
            redrive_count: described.redrives,
            redrive_date: described.redriven.map(seconds),
        })
    }

    pub(super) async fn list_map_runs(&self, request: ListMapRuns) -> Answer {
        let mut check = Check::default();
        let arn = check.required("executionArn", request.execution_arn, ARN);
        let asked = Asked::check(
            &mut check,
            request.max_results,
            request.next_token,
            PAGE_TOKEN,
        );
        check.done()?;
        arn::execution(&arn)?;
        let page = asked.of(&["ListMapRuns", &arn])?;
        let found = self
            .engine
            .executions()
            .list_map_runs(&arn, page.part())
            .await;
        let found = found.map_err(|error| execution_failure(error, &arn))?;
        answer(&MapRunList {
            map_runs: found.items.into_iter().map(Listed::from).collect(),
            next_token: found.next.map(|cursor| page.token(&cursor)),
        })
    }

    pub(super) async fn update_map_run(&self, request: UpdateMapRun) -> Answer {
        let mut check = Check::default();
        let arn = check.required("mapRunArn", request.map_run_arn, LONG_ARN);
        let most = check.number("maxConcurrency", request.max_concurrency, 0, MOST);
        let count = check.number(
            "toleratedFailureCount",
            request.tolerated_failure_count,
            0,
            MOST,
        );
        check.done()?;
        let share = request.tolerated_failure_percentage;
        if share.is_some_and(|share| !(0.0..=100.0).contains(&share)) {
            return Err(error::validation(
                "1 validation error detected: Value at 'toleratedFailurePercentage' failed to satisfy constraint: \
                 Member must be between 0 and 100",
            ));
        }
        arn::map_run(&arn)?;
        let change = |limits: &mut Limits| {
            if let Some(most) = most {
                limits.max_concurrency = most.unsigned_abs();
            }
            if let Some(count) = count {
                limits.tolerated_failure_count = Some(count.unsigned_abs());
            }
            if let Some(share) = share {
                limits.tolerated_failure_percentage = Some(share);
            }
        };
        let updated = self.engine.executions().update_map_run(&arn, change).await;
        updated.map_err(|error| failure(&error))?;
        answer(&Updated {})
    }
}

impl From<ChildCounts> for Counts {
    fn from(counts: ChildCounts) -> Counts {
        Counts {
            pending: counts.pending,
            running: counts.running,
            succeeded: counts.succeeded,
            failed: counts.failed,
            timed_out: counts.timed_out,
            aborted: counts.aborted,
            total: counts.total,
            results_written: counts.results_written,
            // Only children with too many events cannot be redriven, and those are not counted apart.
            failures_not_redrivable: 0,
            pending_redrive: counts.pending_redrive,
        }
    }
}

impl From<MapRunSummary> for Listed {
    fn from(summary: MapRunSummary) -> Listed {
        Listed {
            execution_arn: summary.execution_arn,
            map_run_arn: summary.arn,
            state_machine_arn: summary.state_machine_arn,
            start_date: seconds(summary.started),
            stop_date: summary.stopped.map(seconds),
        }
    }
}

/// The engine's refusal in AWS's words.
pub(super) fn failure(error: &MapRunError) -> JsonError {
    match error {
        MapRunError::NotFound { arn } => error::map_run_not_found(arn),
        MapRunError::NotRunning { .. } => error::validation(error.to_string()),
        MapRunError::Storage(error) => error::storage(error),
        error => super::unnamed(error),
    }
}

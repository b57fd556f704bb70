//! `StartExecution`, `DescribeExecution`, `ListExecutions`, `StopExecution`.

use asl::{Data, Status};
use engine::{ExecutionError, ExecutionSummary, ListOf, MachineKind, StartError, StartRequest};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::arn::{self, MachineArn, Qualifier};
use super::describe::IncludedData;
use super::machines;
use super::page::Asked;
use super::validate::{
    ARN, CAUSE, Check, ERROR, EXECUTIONS_PAGE_TOKEN, LONG_ARN, NAME, PAYLOAD, TRACE_HEADER,
};
use super::{Answer, StepFunctions, error, seconds};
use crate::mock;
use crate::protocol::json::{JsonError, answer};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StartExecution {
    state_machine_arn: Option<String>,
    name: Option<String>,
    input: Option<String>,
    trace_header: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Started {
    execution_arn: String,
    start_date: f64,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DescribeExecution {
    execution_arn: Option<String>,
    included_data: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Described {
    #[serde(flatten)]
    listed: Listed,
    #[serde(skip_serializing_if = "Option::is_none")]
    input: Option<String>,
    input_details: DataDetails,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_details: Option<DataDetails>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<String>,
    redrive_status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    redrive_status_reason: Option<String>,
}

/// `CloudWatchEventsExecutionDataDetails`
#[derive(Debug, Serialize)]
pub(super) struct DataDetails {
    pub(super) included: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListExecutions {
    state_machine_arn: Option<String>,
    status_filter: Option<String>,
    max_results: Option<i64>,
    next_token: Option<String>,
    map_run_arn: Option<String>,
    redrive_filter: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ExecutionList {
    executions: Vec<Listed>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

/// `ExecutionListItem`; `DescribeExecution` shows the same members and more.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    execution_arn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    item_count: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    map_run_arn: Option<String>,
    name: String,
    redrive_count: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    redrive_date: Option<f64>,
    start_date: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    state_machine_alias_arn: Option<String>,
    state_machine_arn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    state_machine_version_arn: Option<String>,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    stop_date: Option<f64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StopExecution {
    execution_arn: Option<String>,
    error: Option<String>,
    cause: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Stopped {
    stop_date: f64,
}

/// The values of `statusFilter`.
#[derive(Debug, Clone, Copy)]
enum StatusFilter {
    Status(Status),
    /// Only children of a Map Run can wait to be redriven.
    PendingRedrive,
}

impl StatusFilter {
    fn read(word: &str) -> Option<StatusFilter> {
        Some(StatusFilter::Status(match word {
            "RUNNING" => Status::Running,
            "SUCCEEDED" => Status::Succeeded,
            "FAILED" => Status::Failed,
            "TIMED_OUT" => Status::TimedOut,
            "ABORTED" => Status::Aborted,
            "PENDING_REDRIVE" => return Some(StatusFilter::PendingRedrive),
            _ => return None,
        }))
    }
}

/// What an execution begins with: an empty object where nothing is given.
pub(super) fn execution_input(given: Option<String>) -> Result<Data, JsonError> {
    match given {
        None => Ok(Data::empty()),
        Some(text) => Data::parse(&text)
            .map_err(|found| error::invalid_execution_input(asl::json_mistake(&text, &found))),
    }
}

impl StepFunctions {
    /// Idempotent for Standard state machines: the same name and input as a running execution's answers with that one.
    pub(super) async fn start_execution(&self, request: StartExecution) -> Answer {
        let mut check = Check::default();
        let text = check.required("stateMachineArn", request.state_machine_arn, ARN);
        let name = check.text("name", request.name, NAME);
        let input = check.text("input", request.input, PAYLOAD);
        check.text("traceHeader", request.trace_header, TRACE_HEADER);
        check.done()?;
        let (text, test_case) = mock::split(&text);
        let arn = MachineArn::parse(text)?;
        let input = execution_input(input)?;
        let missing = |_| error::state_machine_does_not_exist(text);
        if self.machine(&arn.machine).map_err(missing)?.kind == MachineKind::Express {
            let run = self.start_express(&arn, name, input, test_case).await?;
            return answer(&Started {
                execution_arn: run.arn,
                start_date: seconds(run.started),
            });
        }
        let mut start = StartRequest::new(arn.machine.as_str(), input);
        start.name = name;
        self.route(&arn, &mut start).await?;
        if let Some(test_case) = test_case {
            self.mock(&arn, &mut start, test_case).await?;
        }
        let started = self
            .engine
            .executions()
            .start(start)
            .await
            .map_err(|error| start_failure(error, text))?;
        answer(&Started {
            execution_arn: started.arn,
            start_date: seconds(started.started),
        })
    }

    /// Finds the revision that a version names, or that an alias routes this execution to.
    pub(super) async fn route(
        &self,
        arn: &MachineArn,
        start: &mut StartRequest,
    ) -> Result<(), JsonError> {
        let missing = || error::state_machine_does_not_exist(&arn.text);
        let number = match &arn.qualifier {
            Qualifier::None => return Ok(()),
            Qualifier::Version(number) => *number,
            Qualifier::Alias(name) => {
                let alias = self.alias(&arn.machine, name).await?.ok_or_else(missing)?;
                let chosen = alias.choose(Uuid::new_v4().as_u128()).ok_or_else(missing)?;
                start.alias_arn = Some(arn.text.clone());
                match MachineArn::parse(chosen)?.qualifier {
                    Qualifier::Version(number) => number,
                    _ => return Err(missing()),
                }
            }
        };
        let version = self
            .version(&arn.machine, number)
            .await?
            .ok_or_else(missing)?;
        start.version_arn = Some(version.arn(&arn.machine));
        start.revision = Some(version.revision);
        Ok(())
    }

    pub(super) async fn describe_execution(&self, request: DescribeExecution) -> Answer {
        let mut check = Check::default();
        let arn = check.required("executionArn", request.execution_arn, ARN);
        let data = IncludedData::check(&mut check, request.included_data);
        check.done()?;
        arn::execution(&arn)?;
        let executions = self.engine.executions();
        let described = executions.describe(&arn).await;
        let described = described.map_err(|error| failure(error, &arn))?;
        let reason = executions.not_redrivable(&described.summary).await;
        let reason = reason.map_err(|error| error::storage(&error))?;
        let included = data == IncludedData::AllData;
        let shown = |data: &Data| included.then(|| data.text().to_owned());
        answer(&Described {
            input: described.input.as_ref().and_then(shown),
            input_details: DataDetails {
                included: included && described.input.is_some(),
            },
            output: described.output.as_ref().and_then(shown),
            output_details: described.output.map(|_| DataDetails { included }),
            error: described.error.filter(|_| included),
            cause: described.cause.filter(|_| included),
            redrive_status: match (&reason, &described.summary.map_run) {
                (Some(_), _) => "NOT_REDRIVABLE",
                (None, Some(_)) => "REDRIVABLE_BY_MAP_RUN",
                (None, None) => "REDRIVABLE",
            },
            redrive_status_reason: reason,
            listed: Listed {
                item_count: None,
                ..described.summary.into()
            },
        })
    }

    pub(super) async fn list_executions(&self, request: ListExecutions) -> Answer {
        let mut check = Check::default();
        let arn = check.text("stateMachineArn", request.state_machine_arn, ARN);
        let status = check.word(
            "statusFilter",
            request.status_filter.clone(),
            StatusFilter::read,
            "SUCCEEDED, TIMED_OUT, PENDING_REDRIVE, ABORTED, FAILED, RUNNING",
        );
        let asked = Asked::check(
            &mut check,
            request.max_results,
            request.next_token,
            EXECUTIONS_PAGE_TOKEN,
        );
        let map_run = check.text("mapRunArn", request.map_run_arn, LONG_ARN);
        let redriven = check.word(
            "redriveFilter",
            request.redrive_filter,
            |word| match word {
                "REDRIVEN" => Some(true),
                "NOT_REDRIVEN" => Some(false),
                _ => None,
            },
            "REDRIVEN, NOT_REDRIVEN",
        );
        check.done()?;
        let filter = request.status_filter.as_deref().unwrap_or_default();
        let text = match (arn, map_run) {
            (Some(arn), None) => arn,
            (None, Some(run)) => {
                super::arn::map_run(&run)?;
                let page = asked.of(&["ListExecutions", &run, filter])?;
                let of = ListOf::MapRun {
                    arn: run.clone(),
                    redriven,
                    pending_redrive: matches!(status, Some(StatusFilter::PendingRedrive)),
                };
                let status = match status {
                    Some(StatusFilter::Status(status)) => Some(status),
                    Some(StatusFilter::PendingRedrive) | None => None,
                };
                return self.answer_list(of, status, &page, &run).await;
            }
            _ => {
                return Err(error::unfit(
                    "MISSING_REQUIRED_PARAMETER",
                    "Must specify exactly one of state machine ARN or map run ARN",
                ));
            }
        };
        let status = match status {
            Some(StatusFilter::PendingRedrive) => {
                return Err(error::unfit(
                    "MISSING_REQUIRED_PARAMETER",
                    "PENDING_REDRIVE as a statusFilter requires a map run ARN",
                ));
            }
            Some(StatusFilter::Status(status)) => Some(status),
            None => None,
        };
        if redriven.is_some() {
            return Err(error::unfit(
                "MISSING_REQUIRED_PARAMETER",
                "redriveFilter requires a map run ARN",
            ));
        }
        let arn = MachineArn::parse(&text)?;
        let missing = |_| error::state_machine_does_not_exist(&text);
        if self.machine(&arn.machine).map_err(missing)?.kind == MachineKind::Express {
            return Err(error::state_machine_type_not_supported());
        }
        let of = match arn.qualifier {
            Qualifier::None => ListOf::Machine(arn.machine),
            Qualifier::Version(_) => ListOf::Version(arn.text),
            Qualifier::Alias(_) => ListOf::Alias(arn.text),
        };
        let page = asked.of(&["ListExecutions", &text, filter])?;
        self.answer_list(of, status, &page, &text).await
    }

    async fn answer_list(
        &self,
        of: ListOf,
        status: Option<Status>,
        page: &super::page::Page,
        owner: &str,
    ) -> Answer {
        let found = self
            .engine
            .executions()
            .list(of, status, page.part())
            .await
            .map_err(|error| failure(error, owner))?;
        answer(&ExecutionList {
            executions: found.items.into_iter().map(Listed::from).collect(),
            next_token: found.next.map(|cursor| page.token(&cursor)),
        })
    }

    /// Idempotent: an execution that has ended stays as it is.
    pub(super) async fn stop_execution(&self, request: StopExecution) -> Answer {
        let mut check = Check::default();
        let arn = check.required("executionArn", request.execution_arn, ARN);
        let error = check.text("error", request.error, ERROR);
        let cause = check.text("cause", request.cause, CAUSE);
        check.done()?;
        arn::execution(&arn)?;
        self.refuse_express_child(&arn).await?;
        let stopped = self.engine.executions().stop(&arn, error, cause).await;
        answer(&Stopped {
            stop_date: seconds(stopped.map_err(|error| failure(error, &arn))?),
        })
    }

    /// Refuses children of a Map Run that are Express executions: of what is done with executions, they can only be described
    /// and listed. Others are not looked up.
    pub(super) async fn refuse_express_child(&self, arn: &str) -> Result<(), JsonError> {
        if !arn.contains('/') {
            return Ok(());
        }
        let described = self.engine.executions().describe(arn).await;
        match described
            .map_err(|error| failure(error, arn))?
            .summary
            .express
        {
            false => Ok(()),
            true => Err(error::invalid_arn(
                "Resource type not valid in this context: express",
            )),
        }
    }
}

impl From<ExecutionSummary> for Listed {
    fn from(summary: ExecutionSummary) -> Listed {
        Listed {
            execution_arn: summary.arn,
            item_count: summary.map_items,
            map_run_arn: summary.map_run,
            name: summary.name,
            redrive_count: summary.redrives,
            redrive_date: summary.redriven.map(seconds),
            start_date: seconds(summary.started),
            state_machine_alias_arn: summary.alias_arn,
            state_machine_arn: summary.state_machine_arn,
            state_machine_version_arn: summary.version_arn,
            status: summary.status.as_str(),
            stop_date: summary.stopped.map(seconds),
        }
    }
}

/// The engine's refusal in AWS's words.
pub(super) fn failure(error: ExecutionError, arn: &str) -> JsonError {
    match error {
        // The form was checked before, so what the engine does not know is of another region or account.
        ExecutionError::InvalidArn { .. } | ExecutionError::ExecutionDoesNotExist { .. } => {
            error::execution_does_not_exist(arn)
        }
        ExecutionError::ExecutionNotRedrivable { reason } => {
            error::execution_not_redrivable(&reason)
        }
        ExecutionError::InvalidPageToken => error::invalid_token(),
        ExecutionError::Machine(error) => machines::failure(error, arn),
        ExecutionError::MapRun(error) => super::map_runs::failure(&error),
        ExecutionError::Storage(error) => error::storage(&error),
        error => super::unnamed(&error),
    }
}

/// The engine's refusal to start an execution, in AWS's words.
pub(super) fn start_failure(error: StartError, machine: &str) -> JsonError {
    match error {
        StartError::Machine(error) => machines::failure(error, machine),
        StartError::InvalidName { name } => error::invalid_name(&name),
        StartError::InvalidExecutionInput { reason } => error::invalid_execution_input(reason),
        StartError::ExecutionAlreadyExists { arn } => error::execution_already_exists(&arn),
        StartError::Storage(error) => error::storage(&error),
        error => super::unnamed(&error),
    }
}

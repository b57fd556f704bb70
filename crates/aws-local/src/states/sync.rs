//! Express executions: `StartSyncExecution` runs one to its end before the answer, `StartExecution` starts one that nobody hears
//! of again: it has no description, no history, and no name of its own.
//!
//! Differs from AWS: inside, it runs as every execution does, journalled and under an `execution` ARN, which its context
//! object shows. Its answer has the `express` ARN that AWS gives it.

use std::time::Duration;

use asl::{Data, Status};
use engine::{Description, MachineKind, StartRequest};
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast::{Receiver, error::RecvError};
use uuid::Uuid;

use super::arn::MachineArn;
use super::executions::{DataDetails, execution_input, start_failure};
use super::validate::{self, ARN, Check, NAME, PAYLOAD, TRACE_HEADER};
use super::{Answer, StepFunctions, error, seconds};
use crate::mock;
use crate::protocol::json::{JsonError, answer};

/// An Express execution runs no longer.
const LONGEST: Duration = Duration::from_secs(300);

/// What AWS bills at least, and in steps of.
const BILLED_MILLISECONDS: i64 = 100;
const BILLED_MEGABYTES: u32 = 64;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StartSyncExecution {
    state_machine_arn: Option<String>,
    name: Option<String>,
    input: Option<String>,
    trace_header: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Finished {
    billing_details: Billing,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    execution_arn: String,
    input: String,
    input_details: DataDetails,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_details: Option<DataDetails>,
    start_date: f64,
    state_machine_arn: String,
    status: &'static str,
    stop_date: f64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Billing {
    billed_duration_in_milliseconds: i64,
    billed_memory_used_in_m_b: u32,
}

/// An Express execution that runs.
pub(super) struct Express {
    /// The ARN that AWS gives it.
    pub(super) arn: String,
    name: String,
    /// The ARN under which it is journalled.
    inner: String,
    pub(super) started: asl::Millis,
}

impl StepFunctions {
    pub(super) async fn start_sync_execution(&self, request: StartSyncExecution) -> Answer {
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
        if self.machine(&arn.machine).map_err(missing)?.kind != MachineKind::Express {
            return Err(error::state_machine_type_not_supported());
        }
        let ended = self.engine.executions().ended();
        let run = self.start_express(&arn, name, input, test_case).await?;
        let end = tokio::time::timeout(LONGEST, self.end_of(&run.inner, ended)).await;
        let (described, timed_out) = match end {
            Ok(described) => (described?, false),
            Err(_) => (self.cut_off(&run.inner).await?, true),
        };
        answer(&finished(
            described,
            timed_out,
            arn.machine,
            run.arn,
            run.name,
        ))
    }

    /// Starts an Express execution. Any number of them may have the same name.
    pub(super) async fn start_express(
        &self,
        arn: &MachineArn,
        name: Option<String>,
        input: Data,
        test_case: Option<&str>,
    ) -> Result<Express, JsonError> {
        let name = name.unwrap_or_else(|| Uuid::new_v4().to_string());
        if !validate::is_name(&name) {
            return Err(error::invalid_name(&name));
        }
        let run = Uuid::new_v4().to_string();
        let mut start = StartRequest::new(arn.machine.as_str(), input);
        // The run's own id keeps them apart.
        start.name = Some(run.clone());
        self.route(arn, &mut start).await?;
        if let Some(test_case) = test_case {
            self.mock(arn, &mut start, test_case).await?;
        }
        let started = self.engine.executions().start(start).await;
        let started = started.map_err(|error| start_failure(error, &arn.text))?;
        let express = arn.machine.replacen(":stateMachine:", ":express:", 1);
        Ok(Express {
            arn: format!("{express}:{name}:{run}"),
            name,
            inner: started.arn,
            started: started.started,
        })
    }

    async fn end_of(
        &self,
        execution: &str,
        mut ended: Receiver<engine::Ended>,
    ) -> Result<Description, JsonError> {
        loop {
            let described = self.described(execution).await?;
            if described.summary.status != Status::Running {
                return Ok(described);
            }
            loop {
                match ended.recv().await {
                    Ok(ended) if ended.arn != execution => {}
                    // This one; or some were missed, so look again.
                    Ok(_) | Err(RecvError::Lagged(_)) => break,
                    Err(RecvError::Closed) => return Err(JsonError::internal()),
                }
            }
        }
    }

    async fn cut_off(&self, execution: &str) -> Result<Description, JsonError> {
        let executions = self.engine.executions();
        let stopped = executions.stop(execution, Some("States.Timeout".to_owned()), None);
        stopped.await.map_err(|error| super::unnamed(&error))?;
        self.described(execution).await
    }

    async fn described(&self, execution: &str) -> Result<Description, JsonError> {
        let described = self.engine.executions().describe(execution).await;
        described.map_err(|error| super::unnamed(&error))
    }
}

fn finished(
    described: Description,
    timed_out: bool,
    state_machine_arn: String,
    execution_arn: String,
    name: String,
) -> Finished {
    let summary = described.summary;
    let stopped = summary.stopped.unwrap_or(summary.started);
    let steps = (stopped - summary.started)
        .max(1)
        .div_euclid(BILLED_MILLISECONDS)
        + 1;
    let status = if timed_out {
        Status::TimedOut
    } else {
        summary.status
    };
    let output = described.output.map(|output| output.text().to_owned());
    Finished {
        billing_details: Billing {
            billed_duration_in_milliseconds: steps * BILLED_MILLISECONDS,
            billed_memory_used_in_m_b: BILLED_MEGABYTES,
        },
        cause: described.cause,
        error: described.error,
        execution_arn,
        input_details: DataDetails {
            included: described.input.is_some(),
        },
        input: described
            .input
            .map_or_else(String::new, |input| input.text().to_owned()),
        name,
        output_details: output.is_some().then_some(DataDetails { included: true }),
        output,
        start_date: seconds(summary.started),
        state_machine_arn,
        status: status.as_str(),
        stop_date: seconds(stopped),
    }
}

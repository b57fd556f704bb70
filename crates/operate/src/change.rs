//! Changes to whole executions: start, stop, redrive.

use aws_sdk_sfn::types::ExecutionStatus;
use serde_json::Value;

use crate::ahead::{self, Effect};
use crate::connection::Connection;
use crate::error::{OperateError, refused};
use crate::filter::Filter;
use crate::timeline::{self, Outcome, short_name};
use crate::{answer, events, find, list};

/// Starts an execution of the machine (name or ARN) and gives its ARN. Without a name AWS chooses one.
pub async fn start(
    at: &Connection,
    machine: &str,
    name: Option<String>,
    input: &Value,
) -> Result<String, OperateError> {
    let arn = find::machine(at, machine).await?;
    let request = at
        .sfn
        .start_execution()
        .state_machine_arn(arn)
        .set_name(name)
        .input(input.to_string());
    let started = request
        .send()
        .await
        .map_err(refused(format!("start {machine}")))?;
    Ok(started.execution_arn)
}

/// Ends a running execution as `ABORTED`, with this error and cause.
///
/// # Errors
/// `Ended` for one that has ended: AWS answers as if it had stopped it, and changes nothing.
pub async fn stop(
    at: &Connection,
    arn: &str,
    error: &str,
    cause: &str,
) -> Result<(), OperateError> {
    let what = format!("stop {}", short_name(arn));
    let described = at.sfn.describe_execution().execution_arn(arn).send().await;
    let status = described.map_err(refused(&what))?.status;
    if !matches!(
        status,
        ExecutionStatus::Running | ExecutionStatus::PendingRedrive
    ) {
        return Err(OperateError::Ended {
            execution: short_name(arn).to_owned(),
            status: status.as_str().to_owned(),
        });
    }
    let request = at
        .sfn
        .stop_execution()
        .execution_arn(arn)
        .error(error)
        .cause(cause);
    request.send().await.map(drop).map_err(refused(what))
}

/// Goes on with an execution that `FAILED`, `TIMED_OUT` or was `ABORTED`, from where it failed.
pub async fn redrive(at: &Connection, arn: &str) -> Result<(), OperateError> {
    // The token makes a repeated call after a lost answer the same redrive.
    let token = uuid::Uuid::new_v4().to_string();
    let request = at
        .sfn
        .redrive_execution()
        .execution_arn(arn)
        .client_token(token);
    request
        .send()
        .await
        .map(drop)
        .map_err(refused(format!("redrive {}", short_name(arn))))
}

/// ARNs that the filter leaves; without a status in it, of everything that ended badly.
pub async fn redrivable(at: &Connection, filter: &Filter) -> Result<Vec<String>, OperateError> {
    let mut filter = filter.clone();
    if filter.status.is_empty() {
        filter.status = vec![
            ExecutionStatus::Failed,
            ExecutionStatus::TimedOut,
            ExecutionStatus::Aborted,
        ];
    }
    let listed = list::executions(at, &filter, usize::MAX).await?;
    Ok(listed.found.into_iter().map(|e| e.execution_arn).collect())
}

/// The tasks that run from where the execution failed.
pub async fn redrive_effects(at: &Connection, arn: &str) -> Result<Vec<Effect>, OperateError> {
    let definition = answer::definition(at, arn).await?;
    let rows = timeline::rows(&events::history(at, arn).await?);
    let failed = rows.iter().filter(|row| {
        matches!(row.outcome, Outcome::Failed | Outcome::Aborted)
            && !matches!(row.kind.as_str(), "Parallel" | "Map")
    });
    let from: Vec<_> = failed
        .filter_map(|row| ahead::find(&definition, &row.state))
        .collect();
    Ok(ahead::effects(&definition, &from))
}

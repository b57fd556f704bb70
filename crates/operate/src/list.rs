//! Lists executions across state machines.

use aws_sdk_sfn::types::{ExecutionListItem, ExecutionStatus};

use crate::connection::Connection;
use crate::error::{OperateError, refused};
use crate::filter::Filter;
use crate::{find, parked, when};

/// Executions, newest first.
#[derive(Debug)]
pub struct Listed {
    /// The newest, up to the limit.
    pub found: Vec<ExecutionListItem>,
    /// There are more than were asked for.
    pub more: bool,
}

/// At most `limit` executions that the filter leaves.
pub async fn executions(
    at: &Connection,
    filter: &Filter,
    limit: usize,
) -> Result<Listed, OperateError> {
    let statuses: Vec<Option<&ExecutionStatus>> = match filter.status.as_slice() {
        [] => vec![None],
        chosen => chosen.iter().map(Some).collect(),
    };
    let mut found = Vec::new();
    for machine in find::machine_arns(at, filter.machine.as_deref()).await? {
        for status in &statuses {
            // One more than asked for, to know whether there are more.
            found.extend(of_machine(at, &machine, *status, filter, limit.saturating_add(1)).await?);
        }
    }
    found.sort_by_key(|e| std::cmp::Reverse(when::timestamp(&e.start_date)));
    let more = found.len() > limit;
    found.truncate(limit);
    Ok(Listed { found, more })
}

async fn of_machine(
    at: &Connection,
    machine: &str,
    status: Option<&ExecutionStatus>,
    filter: &Filter,
    limit: usize,
) -> Result<Vec<ExecutionListItem>, OperateError> {
    let mut pages = at
        .sfn
        .list_executions()
        .state_machine_arn(machine)
        .set_status_filter(status.cloned())
        .into_paginator()
        .items()
        .send();
    let mut found = Vec::new();
    while found.len() < limit
        && let Some(execution) = pages.next().await
    {
        let execution = match execution.map_err(refused("list executions")) {
            Ok(execution) => execution,
            // AWS keeps no list of Express executions, and a machine may go while we look.
            Err(error)
                if matches!(
                    error.code(),
                    Some("StateMachineTypeNotSupported" | "StateMachineDoesNotExist")
                ) =>
            {
                break;
            }
            Err(error) => return Err(error),
        };
        // Newest first: the rest is older still.
        if filter
            .since
            .is_some_and(|since| when::timestamp(&execution.start_date) < since)
        {
            break;
        }
        if is_for(at, &execution, filter.product.as_deref()).await? {
            found.push(execution);
        }
    }
    Ok(found)
}

/// The list does not show inputs, so a product costs a call for each execution.
async fn is_for(
    at: &Connection,
    execution: &ExecutionListItem,
    product: Option<&str>,
) -> Result<bool, OperateError> {
    let Some(wanted) = product else {
        return Ok(true);
    };
    let arn = &execution.execution_arn;
    let described = at.sfn.describe_execution().execution_arn(arn).send().await;
    let input = described
        .map_err(refused(format!("read the input of {arn}")))?
        .input
        .unwrap_or_default();
    let input = serde_json::from_str(&input).unwrap_or_default();
    Ok(parked::product(&input).as_deref() == Some(wanted))
}

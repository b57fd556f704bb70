//! From the names people use to ARNs.

use aws_sdk_sfn::types::StateMachineListItem;

use crate::connection::Connection;
use crate::error::{OperateError, refused};

/// Every state machine, forks too.
pub async fn machines(at: &Connection) -> Result<Vec<StateMachineListItem>, OperateError> {
    let mut pages = at.sfn.list_state_machines().into_paginator().items().send();
    let mut found = Vec::new();
    while let Some(machine) = pages.next().await {
        found.push(machine.map_err(refused("list the state machines"))?);
    }
    Ok(found)
}

/// ARNs of the machine of this name or ARN, or of all machines.
pub async fn machine_arns(
    at: &Connection,
    name: Option<&str>,
) -> Result<Vec<String>, OperateError> {
    match name {
        Some(arn) if arn.starts_with("arn:") => Ok(vec![arn.to_owned()]),
        Some(name) => {
            let all = machines(at).await?;
            match all.iter().find(|m| m.name == name) {
                Some(machine) => Ok(vec![machine.state_machine_arn.clone()]),
                None => Err(OperateError::NoMachine {
                    name: name.to_owned(),
                    known: if all.is_empty() {
                        "none".to_owned()
                    } else {
                        all.into_iter()
                            .map(|m| m.name)
                            .collect::<Vec<_>>()
                            .join(", ")
                    },
                }),
            }
        }
        None => Ok(machines(at)
            .await?
            .into_iter()
            .map(|m| m.state_machine_arn)
            .collect()),
    }
}

/// The ARN of one machine.
pub async fn machine(at: &Connection, name: &str) -> Result<String, OperateError> {
    let mut found = machine_arns(at, Some(name)).await?;
    found.pop().ok_or_else(|| OperateError::NoMachine {
        name: name.to_owned(),
        known: "none".to_owned(),
    })
}

/// The ARN of the execution of this name or ARN. A name is unique only within its state machine.
pub async fn execution(
    at: &Connection,
    name: &str,
    machine: Option<&str>,
) -> Result<String, OperateError> {
    if name.starts_with("arn:") {
        return Ok(name.to_owned());
    }
    let mut found = Vec::new();
    for machine in machine_arns(at, machine).await? {
        let arn = format!(
            "{}:{name}",
            machine.replacen(":stateMachine:", ":execution:", 1)
        );
        let described = at.sfn.describe_execution().execution_arn(&arn).send().await;
        match described.map_err(refused(format!("find execution {name}"))) {
            Ok(_) => found.push(arn),
            // A name that AWS would not accept is the name of no execution.
            Err(error) if matches!(error.code(), Some("ExecutionDoesNotExist" | "InvalidArn")) => {}
            Err(error) => return Err(error),
        }
    }
    match found.len() {
        0 => Err(OperateError::NoExecution {
            name: name.to_owned(),
        }),
        1 => Ok(found.remove(0)),
        _ => Err(OperateError::ManyExecutions {
            name: name.to_owned(),
            arns: found.join(" "),
        }),
    }
}

/// The name of the state machine in an execution's ARN.
pub fn machine_of(execution_arn: &str) -> &str {
    execution_arn.split(':').nth(6).unwrap_or_default()
}

//! Reads executions from Step Functions into the index, with few calls: what is known is not read again.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_sdk_sfn::types::{ExecutionStatus, StateMachineType};
use futures::{StreamExt, stream};
use operate::connection::{AT_ONCE, Connection};
use operate::error::{OperateError, refused};
use operate::events;
use operate::waiting::Waiting;
use serde_json::Value;

use super::Fleet;
use super::item::{Described, Item, Status, keys};

/// Pages of running executions that are compared with what is known, in a round.
const RUNNING_PAGES: usize = 5;
/// Executions that are no longer listed as running and are asked for one by one, in a round.
const ENDED: usize = 100;

/// A state machine whose executions are listed, and how far the reading has come.
#[derive(Clone, Debug)]
pub(super) struct Machine {
    pub arn: String,
    pub name: Arc<str>,
    /// Where the page of older executions begins; `None` at the end, or before the first page.
    pub older: Option<String>,
    pub is_begun: bool,
}

/// A page of ListExecutions.
struct Page {
    items: Vec<Item>,
    next: Option<String>,
}

async fn page(
    at: &Connection,
    machine: &Machine,
    status: Option<ExecutionStatus>,
    token: Option<String>,
    size: i32,
) -> Result<Page, OperateError> {
    let answer = at
        .sfn
        .list_executions()
        .state_machine_arn(&machine.arn)
        .set_status_filter(status)
        .set_next_token(token)
        .max_results(size)
        .send()
        .await;
    match answer.map_err(refused("list executions")) {
        Ok(answer) => Ok(Page {
            items: answer
                .executions
                .iter()
                .map(|listed| Item::read(&machine.name, listed))
                .collect(),
            next: answer.next_token,
        }),
        // A machine may go while we look, and AWS keeps no list of Express executions.
        Err(error)
            if matches!(
                error.code(),
                Some("StateMachineTypeNotSupported" | "StateMachineDoesNotExist")
            ) =>
        {
            Ok(Page {
                items: Vec::new(),
                next: None,
            })
        }
        Err(error) => Err(error),
    }
}

/// The machines whose executions can be listed; what was read of a known one stays known.
pub(super) async fn machines(
    at: &Connection,
    known: &[Machine],
) -> Result<Vec<Machine>, OperateError> {
    let listed = operate::find::machines(at).await?;
    Ok(listed
        .into_iter()
        .filter(|machine| machine.r#type != StateMachineType::Express)
        .map(|machine| {
            let before = known.iter().find(|k| k.arn == machine.state_machine_arn);
            before.cloned().unwrap_or_else(|| Machine {
                name: machine.name.as_str().into(),
                arn: machine.state_machine_arn,
                older: None,
                is_begun: false,
            })
        })
        .collect())
}

/// Reads what is new of a machine, and what became of executions that ran. Tells whether anything changed.
pub(super) async fn news(
    at: &Connection,
    fleet: &Fleet,
    machine: &mut Machine,
) -> Result<bool, OperateError> {
    let mut changed = false;
    let mut token = None;
    let mut size = if machine.is_begun { 100 } else { 1_000 };
    loop {
        let page = page(at, machine, None, token, size).await?;
        let reaches_known = {
            let index = fleet.index();
            page.items.iter().any(|item| index.get(&item.arn).is_some())
        };
        changed |= fleet.put(page.items);
        if !machine.is_begun {
            machine.is_begun = true;
            machine.older = page.next;
            return Ok(changed);
        }
        token = page.next;
        if reaches_known || token.is_none() {
            break;
        }
        size = 1_000;
    }
    Ok(changed | ended(at, fleet, machine).await?)
}

/// Finds out what became of executions that were running when they were last seen.
async fn ended(at: &Connection, fleet: &Fleet, machine: &Machine) -> Result<bool, OperateError> {
    let mut changed = false;
    let mut running = std::collections::HashSet::new();
    let mut oldest = i64::MIN;
    let mut token = None;
    for n in 1..=RUNNING_PAGES {
        let page = page(at, machine, Some(ExecutionStatus::Running), token, 1_000).await?;
        running.extend(page.items.iter().map(|item| item.arn.clone()));
        token = page.next;
        if token.is_some() && n == RUNNING_PAGES {
            oldest = page.items.last().map_or(i64::MAX, |item| item.started);
        }
        changed |= fleet.put(page.items);
        if token.is_none() {
            break;
        }
    }
    let missing: Vec<Arc<str>> = {
        let index = fleet.index();
        index
            .running(&machine.name)
            .filter(|item| item.started > oldest && !running.contains(&item.arn))
            .map(|item| item.arn.clone())
            .take(ENDED)
            .collect()
    };
    changed |= !missing.is_empty();
    describe(at, fleet, missing).await?;
    Ok(changed)
}

/// Reads one page of older executions of a machine. Tells whether there was one to read.
pub(super) async fn older(
    at: &Connection,
    fleet: &Fleet,
    machine: &mut Machine,
) -> Result<bool, OperateError> {
    let Some(token) = machine.older.take() else {
        return Ok(false);
    };
    let page = page(at, machine, None, Some(token), 1_000).await?;
    machine.older = page.next;
    fleet.put(page.items);
    Ok(true)
}

/// Describes executions, a few at a time: their input's keys, their error, and their status as it is now.
pub(super) async fn describe(
    at: &Connection,
    fleet: &Fleet,
    arns: Vec<Arc<str>>,
) -> Result<(), OperateError> {
    let mut answers = stream::iter(arns)
        .map(async |arn| {
            let answer = at
                .sfn
                .describe_execution()
                .execution_arn(&*arn)
                .send()
                .await;
            (arn, answer.map_err(refused("describe an execution")))
        })
        .buffer_unordered(AT_ONCE);
    while let Some((arn, answer)) = answers.next().await {
        let told = match answer {
            Ok(told) => told,
            // AWS forgets an execution 90 days after its end.
            Err(error) if error.code() == Some("ExecutionDoesNotExist") => {
                fleet.describe(&arn, Described::default());
                continue;
            }
            Err(error) => return Err(error),
        };
        let input: Value = told
            .input
            .as_deref()
            .and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or_default();
        let described = Described {
            keys: keys(&input),
            error: told.error.clone(),
            cause: told.cause.clone(),
        };
        let machine = fleet.index().get(&arn).map(|item| item.machine.clone());
        let machine = machine.unwrap_or_else(|| operate::find::machine_of(&arn).into());
        fleet.put(vec![Item {
            arn,
            machine,
            status: Status::read(&told.status),
            started: told.start_date.to_millis().unwrap_or_default(),
            stopped: told.stop_date.and_then(|at| at.to_millis().ok()),
            redrives: told.redrive_count.unwrap_or(0),
            parked: None,
            described: Some(Arc::new(described)),
        }]);
    }
    Ok(())
}

/// Events in an answer.
const EVENTS: usize = 1_000;

/// What was found in a history: its newest event, and what the execution waits for if that is another than before.
type Waits = Option<(i64, Waiting)>;

/// Finds out what these running executions wait for, with about `most` calls. Tells whether anything changed. A history
/// that cannot be read is noted and does not keep the others from being read.
pub(super) async fn waits(
    at: &Connection,
    fleet: &Fleet,
    due: Vec<Arc<str>>,
    most: usize,
) -> Result<bool, OperateError> {
    let calls = AtomicUsize::new(0);
    let mut answers = stream::iter(due)
        .map(async |arn| {
            let newest = fleet.waits().newest(&arn);
            let is_paid = calls.fetch_add(1, Ordering::Relaxed) < most;
            let found = match is_paid {
                true => Some(history(at, &arn, newest, &calls).await),
                // The others are first in the next round.
                false => None,
            };
            (arn, found)
        })
        .buffer_unordered(AT_ONCE);
    let mut changed = false;
    let mut failed_in_a_row = 0;
    while let Some((arn, found)) = answers.next().await {
        if found.as_ref().is_some_and(Result::is_ok) {
            failed_in_a_row = 0;
        }
        match found {
            None => {}
            Some(Ok(None)) => fleet.waits().same(&arn),
            Some(Ok(Some((newest, waiting)))) => {
                let (parked, is_new) = fleet.waits().keep(arn.clone(), newest, waiting);
                changed |= fleet.index().park(&arn, parked) | is_new;
            }
            // It may go while we look.
            Some(Err(error)) if error.code() == Some("ExecutionDoesNotExist") => {
                fleet.waits().keep(arn, 0, Waiting::default());
            }
            Some(Err(error)) => {
                fleet.waits().failed(&arn, error.to_string());
                failed_in_a_row += 1;
                // Then it is the endpoint, and no single history.
                if failed_in_a_row == AT_ONCE {
                    return Err(error);
                }
            }
        }
    }
    Ok(changed)
}

async fn history(
    at: &Connection,
    arn: &str,
    known: Option<i64>,
    calls: &AtomicUsize,
) -> Result<Waits, OperateError> {
    if let Some(known) = known {
        let newest = events::newest(at, arn).await?.map_or(0, |event| event.id);
        if newest == known {
            return Ok(None);
        }
    }
    let events = events::history(at, arn).await?;
    calls.fetch_add(events.len() / EVENTS, Ordering::Relaxed);
    let newest = events.last().map_or(0, |event| event.id);
    Ok(Some((newest, Waiting::find(arn, &events))))
}

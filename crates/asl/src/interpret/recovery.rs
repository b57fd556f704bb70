//! `Retry` and `Catch`, and what happens when neither applies.

use rand::RngExt;
use serde_json::json;

use super::fault::{Fault, Outcome};
use super::{Run, Step, assign};
use crate::entry::{BranchId, Note};
use crate::event::{Event, Failure};
use crate::model::{Catcher, Flow, Jitter, Retrier, State};
use crate::{Data, Millis, error_name};

impl Run<'_> {
    /// Takes the outcome of a state: a fault becomes a retry, a transition to a catcher, or the end of the branch.
    pub(super) fn settle(&mut self, branch: BranchId, outcome: Outcome) -> Step {
        let fault = match outcome {
            Ok(()) => return Ok(()),
            Err(fault) => fault,
        };
        let silent = matches!(fault, Fault::Silent);
        let failure = self.describe(branch, fault)?;
        self.recover(branch, failure, silent)
    }

    /// What a failure leads to.
    pub(super) fn recover(&mut self, branch: BranchId, failure: Failure, silent: bool) -> Step {
        // Branches that still run end with their state.
        let cause = self
            .execution
            .branches
            .get(&branch)
            .map_or(0, |branch| branch.previous);
        self.abort_children(branch, cause)?;
        let error = failure.error.clone().unwrap_or_default();
        let matches = |names: &[String]| {
            error_name::matches(names, &error)
                || (silent
                    && names
                        .iter()
                        .any(|name| name == error_name::HEARTBEAT_TIMEOUT))
        };
        let state = self.state(branch)?;
        if self.retry(branch, state, matches)? {
            return Ok(());
        }
        let Some(catcher) = state
            .catch
            .iter()
            .find(|catcher| matches(&catcher.error_equals))
        else {
            return self.give_up(branch, failure);
        };
        match self.catch(branch, state, catcher, &failure) {
            Ok(()) => Ok(()),
            // What fails in a catcher is not caught again.
            Err(fault) => {
                let failure = self.describe(branch, fault)?;
                self.give_up(branch, failure)
            }
        }
    }

    /// Error and cause of a fault, after its event was written if it has one of its own.
    pub(super) fn describe(
        &mut self,
        branch: BranchId,
        fault: Fault,
    ) -> Result<Failure, super::IllegalEntry> {
        let active = self.active(branch)?;
        let (entered, before) = (active.entered, active.before);
        let name = self.state(branch)?.name.clone();
        let full = |message: String| {
            format!(
                "An error occurred while executing the state '{name}' (entered at the event id #{entered}). {message}"
            )
        };
        match fault {
            Fault::Illegal(entry) => Err(entry),
            Fault::Failed(failure) => Ok(failure),
            Fault::Silent => Ok(Failure::named(error_name::TIMEOUT)),
            Fault::Runtime { error, message } => Ok(Failure::new(error, full(message))),
            Fault::Query { message, location } => {
                let failure = Failure::new(error_name::QUERY_EVALUATION_ERROR, full(message));
                let last = self
                    .execution
                    .branches
                    .get(&branch)
                    .map_or(0, |branch| branch.previous);
                // While nothing but the entering has happened, AWS lets this event follow what the entering followed.
                let previous = if last == entered { before } else { last };
                self.event_after(
                    branch,
                    previous,
                    Event::EvaluationFailed {
                        state: name,
                        failure: failure.clone(),
                        location,
                    },
                )?;
                Ok(failure)
            }
        }
    }

    fn retry(
        &mut self,
        branch: BranchId,
        state: &State,
        matches: impl Fn(&[String]) -> bool,
    ) -> Result<bool, super::IllegalEntry> {
        let mut retriers = (0u32..).zip(&state.retry);
        let Some((index, retrier)) = retriers.find(|(_, retrier)| matches(&retrier.error_equals))
        else {
            return Ok(false);
        };
        let used = self
            .active(branch)?
            .retries
            .get(index as usize)
            .copied()
            .unwrap_or(0);
        if used >= retrier.max_attempts {
            return Ok(false);
        }
        let scatter = (retrier.jitter == Jitter::Full).then(|| self.random.random::<f64>());
        let due = self.env.now.saturating_add(delay(retrier, used, scatter));
        self.note(
            branch,
            Note::RetryAt {
                retrier: index,
                due,
            },
        )?;
        Ok(true)
    }

    /// The time of a retry has come.
    pub(super) fn retried(&mut self, branch: BranchId) -> Step {
        self.note(branch, Note::Retrying)?;
        self.execute(branch)
    }

    fn catch(
        &mut self,
        branch: BranchId,
        state: &State,
        catcher: &Catcher,
        failure: &Failure,
    ) -> Outcome {
        let error = error_output(failure);
        let lens = self.lens(branch)?;
        let (output, assigned) = match &state.flow {
            Flow::Jsonata(_) => {
                let lens = lens.with_error(&error);
                let assigned = assign::evaluate(&lens, &catcher.assign)?;
                let output = catcher.output.as_ref().map_or_else(
                    || Ok(error.clone()),
                    |template| lens.template(template, "Output"),
                )?;
                (output, assigned)
            }
            Flow::JsonPath(_) => {
                let output = lens.insert(&catcher.result_path, &lens.input, &error)?;
                let assigned = assign::evaluate(&lens.with_input(&error), &catcher.assign)?;
                (output, assigned)
            }
        };
        self.leave_to(branch, state, catcher.next, output, assigned)
    }

    /// Nobody catches the failure: the execution fails, or the Parallel or Map around the branch.
    fn give_up(&mut self, branch: BranchId, failure: Failure) -> Step {
        self.fork_failed(branch, &failure)?;
        if self.execution.parent(branch).is_some() {
            return self.branch_failed(branch, failure);
        }
        self.event(branch, Event::ExecutionFailed(failure))
            .map(|_| ())
    }
}

/// What a catcher sees: `{"Error": …, "Cause": …}`. An unknown part is empty, as AWS has it.
fn error_output(failure: &Failure) -> Data {
    Data::new(json!({
        "Error": failure.error.as_deref().unwrap_or_default(),
        "Cause": failure.cause.as_deref().unwrap_or_default(),
    }))
}

/// Milliseconds until the next attempt, after `used` earlier ones. `scatter` between 0 and 1 is full jitter.
pub(super) fn delay(retrier: &Retrier, used: u32, scatter: Option<f64>) -> Millis {
    /// A year: longer than any execution lives.
    const LONGEST: f64 = 31_536_000.0;
    #[expect(clippy::cast_precision_loss, reason = "seconds below 100,000,000")]
    let most = retrier
        .max_delay_seconds
        .map_or(LONGEST, |seconds| seconds as f64);
    #[expect(clippy::cast_precision_loss, reason = "seconds below 100,000,000")]
    let seconds = retrier.interval_seconds as f64 * retrier.backoff_rate.powf(f64::from(used));
    let seconds = seconds.min(most) * scatter.unwrap_or(1.0);
    #[expect(clippy::cast_possible_truncation, reason = "at most a year")]
    let millis = (seconds * 1000.0) as Millis;
    millis
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_and_stop_growing() {
        let retrier = Retrier {
            error_equals: vec![],
            interval_seconds: 2,
            max_attempts: 9,
            backoff_rate: 2.0,
            max_delay_seconds: Some(10),
            jitter: Jitter::None,
        };
        let delays: Vec<_> = (0..4).map(|used| delay(&retrier, used, None)).collect();
        assert_eq!(delays, [2000, 4000, 8000, 10_000]);
        assert_eq!(delay(&retrier, 1, Some(0.25)), 1000);
        assert_eq!(
            delay(
                &Retrier {
                    backoff_rate: 1e300,
                    max_delay_seconds: None,
                    ..retrier
                },
                1000,
                None
            ),
            31_536_000_000
        );
    }
}

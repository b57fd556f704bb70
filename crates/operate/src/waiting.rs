//! Everything that waits for somebody outside, in one look: parked tasks for operators, callbacks for other systems.
//!
//! Like parked tasks, callbacks are found in the histories of running executions; nothing is received from a queue.

use jiff::Timestamp;
use serde::Serialize;

use crate::events::Event;
use crate::find;
use crate::parked::{self, Parked};
use crate::timeline::{self, Row, short_name};

/// A task whose token somebody outside is to answer, and who is no operator.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Callback {
    /// The execution's name.
    pub execution: String,
    /// The execution's ARN.
    pub execution_arn: String,
    /// The name of its state machine.
    pub state_machine: String,
    /// The state that waits.
    pub state: String,
    /// The function, queue or topic that was given the token, where the call names one.
    pub sent_to: Option<String>,
    /// Since when it waits.
    pub since: Timestamp,
    /// When it fails with `States.Timeout` if nobody answers.
    pub until: Option<Timestamp>,
    /// The product that the execution is about.
    pub product: Option<String>,
}

/// What waits.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Waiting {
    /// Parked tasks, oldest first.
    pub parked: Vec<Parked>,
    /// Callbacks, oldest first.
    pub callbacks: Vec<Callback>,
}

impl Waiting {
    /// What an execution waits for; `events` is its whole history.
    pub fn find(execution_arn: &str, events: &[Event]) -> Waiting {
        let product = events
            .first()
            .and_then(|e| e.input.as_ref())
            .and_then(parked::product);
        let mut waiting = Waiting::default();
        for row in timeline::rows(events) {
            if let Some(parked) = Parked::read(execution_arn, product.clone(), &row) {
                waiting.parked.push(parked);
            } else if let Some(callback) = Callback::read(execution_arn, product.clone(), &row) {
                waiting.callbacks.push(callback);
            }
        }
        waiting
    }
}

impl Callback {
    fn read(execution_arn: &str, product: Option<String>, row: &Row) -> Option<Callback> {
        let task = row.open_task.as_ref().filter(|t| t.waits_for_token())?;
        let timeout = task.timeout_seconds.and_then(|s| u64::try_from(s).ok());
        Some(Callback {
            execution: short_name(execution_arn).to_owned(),
            execution_arn: execution_arn.to_owned(),
            state_machine: find::machine_of(execution_arn).to_owned(),
            state: row.state.clone(),
            sent_to: task.sent_to().map(str::to_owned),
            since: task.since,
            until: timeout.and_then(|s| {
                task.since
                    .checked_add(std::time::Duration::from_secs(s))
                    .ok()
            }),
            product,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event(id: i64, kind: &str, state: Option<&str>) -> Event {
        Event {
            id,
            previous_id: id - 1,
            kind: kind.to_owned(),
            state: state.map(str::to_owned),
            ..Event::default()
        }
    }

    #[test]
    fn a_callback_is_no_parked_task() {
        let scheduled = |resource: &str, parameters| Event {
            resource: Some(resource.to_owned()),
            parameters: Some(parameters),
            timeout_seconds: Some(60),
            ..event(3, "TaskScheduled", None)
        };
        let begin = |task| {
            [
                Event {
                    input: Some(json!({"product_id": "CP-1"})),
                    ..event(1, "ExecutionStarted", None)
                },
                event(2, "TaskStateEntered", Some("Wait")),
                task,
            ]
        };
        let arn = "arn:aws:states:us-east-1:000000000000:execution:reorder:e";
        let lambda = json!({"FunctionName": "arn:aws:lambda:r:0:function:await_callback:live", "Payload": {}});
        let waiting = Waiting::find(
            arn,
            &begin(scheduled("lambda:invoke.waitForTaskToken", lambda.clone())),
        );
        let callback = &waiting.callbacks[0];
        assert_eq!(
            (callback.state.as_str(), callback.sent_to.as_deref()),
            ("Wait", Some("await_callback"))
        );
        assert_eq!(callback.product.as_deref(), Some("CP-1"));
        assert_eq!(callback.until.unwrap().as_second(), 60);
        assert!(waiting.parked.is_empty());

        let message = json!({"token": "t", "failed": {"state": "A", "input": {}}});
        let queue = json!({"QueueUrl": "http://h/0/check_stock_dlq", "MessageBody": message});
        let waiting = Waiting::find(
            arn,
            &begin(scheduled("sqs:sendMessage.waitForTaskToken", queue)),
        );
        assert_eq!((waiting.parked.len(), waiting.callbacks.len()), (1, 0));

        let waiting = Waiting::find(arn, &begin(scheduled("lambda:invoke", lambda)));
        assert_eq!(waiting, Waiting::default(), "it waits for no token");
    }
}

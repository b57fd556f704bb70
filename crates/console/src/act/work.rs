//! The pieces of work there are, and how each is done.

use std::collections::HashSet;

use operate::answer::{self, Answered, Replay};
use operate::fork::Plan;
use operate::letters::{self, Fate};
use operate::parked::Parked;
use operate::timeline::short_name;
use operate::{Connection, OperateError, change};
use serde_json::{Value, json};

use crate::redact;

/// The error that an execution ends with when somebody stops it here.
const STOPPED: &str = "Operator.Stopped";
/// Longest input that is written into the audit whole, in bytes.
const AUDITED: usize = 16_384;

/// One change to one thing.
#[derive(Debug)]
pub(crate) enum Work {
    Redrive {
        arn: String,
    },
    Stop {
        arn: String,
        cause: String,
    },
    Start {
        machine: String,
        name: Option<String>,
        input: Value,
    },
    Fork {
        plan: Box<Plan>,
        input: Value,
    },
    Replay {
        parked: Box<Parked>,
        replay: Replay,
    },
    Discard {
        parked: Box<Parked>,
        reason: Option<String>,
    },
    /// Dead letters, all in one pass through their queue.
    Letters {
        queue: String,
        ids: HashSet<String>,
        fate: Fate,
    },
}

/// What came of a piece of work that was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Done {
    /// In the reader's words.
    pub said: String,
    /// The execution to look at.
    pub execution: Option<String>,
    /// Nobody waited for the answer any more.
    pub was_stale: bool,
}

impl Done {
    fn new(said: impl Into<String>, execution: &str) -> Done {
        Done {
            said: said.into(),
            execution: Some(execution.to_owned()),
            was_stale: false,
        }
    }
}

impl Work {
    /// The audit's word for it.
    pub(crate) fn action(&self) -> &'static str {
        match self {
            Work::Redrive { .. } => "redrive",
            Work::Stop { .. } => "stop",
            Work::Start { .. } => "start",
            Work::Fork { .. } => "fork",
            Work::Replay { .. } => "replay",
            Work::Discard { .. } => "discard",
            Work::Letters {
                fate: Fate::Return(_),
                ..
            } => "return",
            Work::Letters { .. } => "delete",
        }
    }

    /// What it is done to: an execution's ARN, or a state machine.
    pub(crate) fn target(&self) -> &str {
        match self {
            Work::Redrive { arn } | Work::Stop { arn, .. } => arn,
            Work::Start { machine, .. } => machine,
            Work::Letters { queue, .. } => queue,
            Work::Fork { plan, .. } => &plan.origin,
            Work::Replay { parked, .. } | Work::Discard { parked, .. } => &parked.execution_arn,
        }
    }

    /// The same for people.
    pub(crate) fn label(&self) -> String {
        match self {
            Work::Replay { parked, .. } | Work::Discard { parked, .. } => {
                format!("{} of {}", parked.state, parked.execution)
            }
            Work::Fork { plan, .. } => format!("{} from {}", short_name(&plan.origin), plan.from),
            other => short_name(other.target()).to_owned(),
        }
    }

    /// What the action is given, for the audit. Never a task's token.
    pub(crate) fn what(&self) -> Value {
        match self {
            Work::Redrive { .. } => Value::Null,
            Work::Stop { cause, .. } => json!({ "cause": cause }),
            Work::Start { name, input, .. } => json!({ "name": name, "input": audited(input) }),
            Work::Fork { plan, input } => {
                json!({ "from": plan.from, "state_machine": plan.machine, "input": audited(input) })
            }
            Work::Replay { parked, replay } => json!({
                "task": parked.task,
                "failed_in": parked.state,
                "state": replay.state,
                "edited": replay.input != parked.input,
                "input": audited(&replay.input),
            }),
            Work::Letters { ids, fate, .. } => {
                let to = match fate {
                    Fate::Return(url) => Some(short_name(url)),
                    Fate::Delete => None,
                };
                json!({ "messages": ids, "to": to })
            }
            Work::Discard { parked, reason } => {
                json!({ "task": parked.task, "failed_in": parked.state, "error": parked.error, "reason": reason })
            }
        }
    }

    /// The parked task that this answers; its message is to be cleared afterwards.
    pub(crate) fn answers(&self) -> Option<&Parked> {
        match self {
            Work::Replay { parked, .. } | Work::Discard { parked, .. } => Some(parked),
            _ => None,
        }
    }

    /// Does it.
    pub(crate) async fn perform(&self, at: &Connection) -> Result<Done, OperateError> {
        match self {
            Work::Redrive { arn } => {
                change::redrive(at, arn).await?;
                Ok(Done::new("redriven", arn))
            }
            Work::Stop { arn, cause } => {
                change::stop(at, arn, STOPPED, cause).await?;
                Ok(Done::new("stopped", arn))
            }
            Work::Start {
                machine,
                name,
                input,
            } => {
                let arn = change::start(at, machine, name.clone(), input).await?;
                Ok(Done::new(format!("started {}", short_name(&arn)), &arn))
            }
            Work::Fork { plan, input } => {
                let forked = plan.start(at, input).await?;
                let said = format!(
                    "started {} with the temporary state machine {}; delete that when the fork is of no more use",
                    short_name(&forked.execution_arn),
                    short_name(&forked.machine_arn)
                );
                Ok(Done::new(said, &forked.execution_arn))
            }
            Work::Replay { parked, replay } => {
                let answered = replay.send(at, parked).await?;
                Ok(told(answered, "replayed", parked))
            }
            Work::Letters { queue, ids, fate } => {
                let done = letters::settle(at, queue, ids, fate).await?;
                Ok(Done {
                    said: match fate {
                        Fate::Return(url) => format!("{done} sent back to {}", short_name(url)),
                        Fate::Delete => format!("{done} deleted"),
                    } + &match ids.len() - done {
                        0 => String::new(),
                        n => format!("; {n} were not in the queue any more, or hidden just now"),
                    },
                    execution: None,
                    was_stale: done < ids.len(),
                })
            }
            Work::Discard { parked, reason } => {
                let answered = answer::discard(at, parked, reason.as_deref()).await?;
                Ok(told(answered, "discarded", parked))
            }
        }
    }
}

fn told(answered: Answered, done: &str, parked: &Parked) -> Done {
    match answered {
        Answered::Taken => Done::new(done, &parked.execution_arn),
        Answered::Stale => Done {
            was_stale: true,
            ..Done::new(
                "it does not wait any more: it was answered, timed out or ended meanwhile",
                &parked.execution_arn,
            )
        },
    }
}

/// An input as the audit keeps it: without secrets, which would lie there for ever.
fn audited(input: &Value) -> Value {
    let length = input.to_string().len();
    if length <= AUDITED {
        redact::value(input)
    } else {
        json!({ "left_out": format!("{length} bytes") })
    }
}

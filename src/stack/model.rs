//! `stack.json` as types. Unknown members are errors: a typing mistake must not become a missing queue.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::StackError;

/// Everything the stack consists of, by name.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Stack {
    pub topics: BTreeMap<String, Topic>,
    pub queues: BTreeMap<String, Queue>,
    pub subscriptions: Vec<Subscription>,
    pub functions: BTreeMap<String, Function>,
    pub event_source_mappings: Vec<EventSourceMapping>,
    pub schedules: BTreeMap<String, Schedule>,
    pub state_machines: BTreeMap<String, StateMachine>,
    pub rules: BTreeMap<String, Rule>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Topic {
    #[expect(
        dead_code,
        reason = "for readers, and for the description Terraform gives the topic"
    )]
    pub description: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Queue {
    /// Seconds a received message stays hidden; absent: SQS's 30.
    pub visibility_timeout: Option<u32>,
    pub retention_days: u32,
    pub dead_letter_queue: Option<String>,
    /// Receives before a message moves to the dead-letter queue; needed with one.
    pub max_receive_count: Option<u32>,
    /// The task that parks in this queue.
    #[serde(default)]
    pub parks: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Subscription {
    pub topic: String,
    pub queue: Option<String>,
    /// An address; a placeholder that renders to nothing means no such subscription.
    pub email: Option<String>,
    /// SNS filter policy over message attributes.
    pub filter: Option<serde_json::Value>,
    pub dead_letter_queue: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Function {
    /// Seconds.
    pub timeout: u32,
    /// MiB.
    pub memory: u32,
    pub concurrency: u32,
    /// Routes of the HTTP API that lead here, as API Gateway's route keys.
    #[serde(default)]
    #[expect(
        dead_code,
        reason = "Terraform makes routes from it; here the Sales API is served in process"
    )]
    pub routes: Vec<String>,
    /// State machines whose task tokens it may answer: on AWS its role is limited to them.
    #[serde(default)]
    pub answers: Vec<String>,
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EventSourceMapping {
    pub queue: String,
    pub function: String,
    pub batch_size: u32,
    pub maximum_concurrency: u32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Schedule {
    pub rate_minutes: u32,
    pub function: String,
    pub input: serde_json::Value,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StateMachine {
    /// Path inside the workflows folder.
    pub definition: String,
}

/// Executions that end in one of `statuses` are reported to `topic`, in the words of an EventBridge input transformer.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rule {
    pub statuses: Vec<String>,
    pub topic: String,
    /// Names for parts of the event: `InputPathsMap`.
    pub paths: BTreeMap<String, String>,
    /// The lines of the message, with `<name>` for a part: `InputTemplate`.
    pub message: Vec<String>,
}

/// A queue must hide a message for at least so many times the timeout of the function that reads it (AWS Lambda's
/// guidance for SQS event sources).
const VISIBILITY_PER_TIMEOUT: u32 = 6;

impl Stack {
    pub(crate) fn parse(text: &str) -> Result<Stack, StackError> {
        let stack: Stack = serde_json::from_str(text).map_err(|source| StackError::Parse {
            file: "stack.json".to_owned(),
            source,
        })?;
        let problems = stack.problems();
        if problems.is_empty() {
            Ok(stack)
        } else {
            Err(StackError::Inconsistent(problems.join("; ")))
        }
    }

    /// Every name that points nowhere and every rule that is broken.
    fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let mut need = |kind: &str, known: bool, name: &str, by: String| {
            if !known {
                problems.push(format!(
                    "{by} names the {kind} {name}, which is not in the stack"
                ));
            }
        };
        for (name, queue) in &self.queues {
            if let Some(dlq) = &queue.dead_letter_queue {
                need(
                    "queue",
                    self.queues.contains_key(dlq),
                    dlq,
                    format!("queue {name}"),
                );
            }
            if let Some(task) = &queue.parks {
                need(
                    "function",
                    self.functions.contains_key(task),
                    task,
                    format!("queue {name}"),
                );
            }
        }
        for subscription in &self.subscriptions {
            let by = format!("a subscription of {}", subscription.topic);
            need(
                "topic",
                self.topics.contains_key(&subscription.topic),
                &subscription.topic,
                by.clone(),
            );
            for queue in subscription
                .queue
                .iter()
                .chain(&subscription.dead_letter_queue)
            {
                need("queue", self.queues.contains_key(queue), queue, by.clone());
            }
        }
        for (name, function) in &self.functions {
            for machine in &function.answers {
                need(
                    "state machine",
                    self.state_machines.contains_key(machine),
                    machine,
                    format!("function {name}"),
                );
            }
        }
        for mapping in &self.event_source_mappings {
            let by = format!("the mapping of {}", mapping.queue);
            need(
                "queue",
                self.queues.contains_key(&mapping.queue),
                &mapping.queue,
                by.clone(),
            );
            need(
                "function",
                self.functions.contains_key(&mapping.function),
                &mapping.function,
                by,
            );
        }
        for (name, schedule) in &self.schedules {
            need(
                "function",
                self.functions.contains_key(&schedule.function),
                &schedule.function,
                format!("schedule {name}"),
            );
        }
        for (name, rule) in &self.rules {
            need(
                "topic",
                self.topics.contains_key(&rule.topic),
                &rule.topic,
                format!("rule {name}"),
            );
        }
        self.broken_rules(&mut problems);
        problems
    }

    fn broken_rules(&self, problems: &mut Vec<String>) {
        for (name, queue) in &self.queues {
            if queue.dead_letter_queue.is_some() != queue.max_receive_count.is_some() {
                problems.push(format!(
                    "queue {name} needs both dead_letter_queue and max_receive_count, or neither"
                ));
            }
        }
        for mapping in &self.event_source_mappings {
            if let (Some(queue), Some(function)) = (
                self.queues.get(&mapping.queue),
                self.functions.get(&mapping.function),
            ) {
                let least = function.timeout * VISIBILITY_PER_TIMEOUT;
                if queue.visibility_timeout.unwrap_or(30) < least {
                    problems.push(format!(
                        "queue {} needs a visibility_timeout of at least {least} seconds ({VISIBILITY_PER_TIMEOUT} × the timeout of {})",
                        mapping.queue, mapping.function
                    ));
                }
            }
        }
        for subscription in &self.subscriptions {
            if subscription.queue.is_some() == subscription.email.is_some() {
                problems.push(format!(
                    "a subscription of {} needs either a queue or an email",
                    subscription.topic
                ));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> String {
        Stack::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn a_name_that_points_nowhere_is_told() {
        let text = r#"{"topics":{},"queues":{"q":{"retention_days":4,"dead_letter_queue":"gone","max_receive_count":5}},
            "subscriptions":[{"topic":"t","queue":"q"}],
            "functions":{"f":{"timeout":30,"memory":128,"concurrency":1,"answers":["m"]}},
            "event_source_mappings":[],"schedules":{},"state_machines":{},"rules":{}}"#;
        let told = problems(text);
        assert!(
            told.contains("function f names the state machine m"),
            "{told}"
        );
        assert!(told.contains("queue q names the queue gone"), "{told}");
        assert!(
            told.contains("a subscription of t names the topic t"),
            "{told}"
        );
    }

    #[test]
    fn a_short_visibility_is_told() {
        let text = r#"{"topics":{},"queues":{"q":{"retention_days":4,"visibility_timeout":60}},"subscriptions":[],
            "functions":{"f":{"timeout":30,"memory":128,"concurrency":1}},
            "event_source_mappings":[{"queue":"q","function":"f","batch_size":1,"maximum_concurrency":2}],
            "schedules":{},"state_machines":{},"rules":{}}"#;
        assert!(problems(text).contains("at least 180 seconds"));
    }

    #[test]
    fn a_typing_mistake_is_told() {
        assert!(problems(r#"{"topic":{}}"#).contains("unknown field `topic`"));
    }
}

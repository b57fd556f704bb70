//! The stack's rules (EventBridge on AWS): executions that end badly are reported to a topic. Best effort, as
//! EventBridge is for these events.
//!
//! The message is made as EventBridge's input transformer makes it, from nothing but the event that Step Functions
//! sends, so that it reads the same on AWS. There each line of a message of several lines is a text in quotes, and arrives
//! with them; what is put in for a `<name>` is not escaped, so lines name only parts that hold no quotes and no line ends
//! (an input, an error or a cause may). A subject cannot be given there, and so there is none.
//! <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html>

use engine::{Ended, Engine};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::broadcast::error::RecvError;
use tokio::task::JoinSet;

use crate::stack::model::{Rule, Stack};
use crate::stack::render::Placeholders;

/// Listens for ended executions; dropping `set` ends it.
pub(crate) fn start(
    set: &mut JoinSet<()>,
    engine: &Engine,
    sns: &aws_sdk_sns::Client,
    stack: &Stack,
    placeholders: &Placeholders,
) {
    for rule in stack.rules.values() {
        let topic = placeholders
            .get(&format!("topic_arn_{}", rule.topic))
            .to_owned();
        let mut ended = engine.executions().ended();
        let (rule, sns) = (rule.clone(), sns.clone());
        set.spawn(async move {
            loop {
                match ended.recv().await {
                    Ok(it) if rule.statuses.iter().any(|s| s == it.status.as_str()) => {
                        report(&sns, &topic, &rule, &it).await
                    }
                    Ok(_) => {}
                    Err(RecvError::Lagged(missed)) => {
                        tracing::warn!(missed, "some ended executions were not reported")
                    }
                    Err(RecvError::Closed) => std::future::pending().await,
                }
            }
        });
    }
}

async fn report(sns: &aws_sdk_sns::Client, topic: &str, rule: &Rule, ended: &Ended) {
    let text = transform(rule, &event(ended));
    if let Err(error) = sns.publish().topic_arn(topic).message(text).send().await {
        tracing::warn!(
            arn = ended.arn,
            ?error,
            "operations could not be told of an ended execution"
        );
    }
}

/// `Step Functions Execution Status Change`, as far as rules read it.
fn event(ended: &Ended) -> Value {
    let time = Timestamp::from_millisecond(ended.stopped).ok();
    json!({
        "source": "aws.states",
        "detail-type": "Step Functions Execution Status Change",
        "time": time.map(|it| format!("{it:.0}")),
        "detail": {
            "executionArn": ended.arn,
            "stateMachineArn": ended.state_machine_arn,
            "name": ended.name,
            "status": ended.status.as_str(),
            "startDate": ended.started,
            "stopDate": ended.stopped,
            "input": ended.input.as_ref().map(|it| it.text()),
            "error": ended.error,
            "cause": ended.cause,
        }
    })
}

/// The message: its lines, each in quotes, where each `<name>` becomes the part of the event at its path.
fn transform(rule: &Rule, event: &Value) -> String {
    let template = format!("\"{}\"", rule.message.join("\"\n\""));
    let (mut text, mut rest) = (String::new(), template.as_str());
    while let Some((before, after)) = rest.split_once('<') {
        text += before;
        let named = after.split_once('>');
        let named = named.and_then(|(name, tail)| Some((rule.paths.get(name)?, tail)));
        rest = match named {
            Some((path, tail)) => {
                text += &part(event, path);
                tail
            }
            None => {
                text.push('<');
                after
            }
        };
    }
    text + rest
}

/// What is at `$.a.b`; nothing where the event has no such part.
fn part(event: &Value, path: &str) -> String {
    let mut members = path.split('.').skip(1);
    match members.try_fold(event, |it, member| it.get(member)) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use tasks::alerts::{LABELS, labels};

    use super::*;
    use crate::stack::source::Source;

    fn stack() -> Stack {
        Stack::parse(&Source::choose(None).read("stack.json").unwrap()).unwrap()
    }

    fn ended() -> Value {
        json!({
            "time": "2026-11-21T12:00:00Z",
            "detail": {
                "executionArn": "arn:x", "name": "reorder-RO-1", "status": "FAILED",
                "input": "{\"product_id\":\"CP-502101\"}", "error": "Factory.Rejected", "cause": "a \"quote\""
            }
        })
    }

    #[test]
    fn the_message_is_made_of_the_event_alone() {
        let stack = stack();
        let rule = &stack.rules["execution_ended_badly"];
        let text = transform(rule, &ended());
        assert_eq!(
            text,
            "\"What:    an execution ended FAILED\"\n\
             \"About:   reorder-RO-1\"\n\
             \"Since:   2026-11-21T12:00:00Z\"\n\
             \"Why:     its error and cause are what the next command shows\"\n\
             \"Look:    restock executions show arn:x\"\n\
             \"Replay:  restock executions redrive arn:x\""
        );
        // What comes from outside is not read as a template.
        let mut event = ended();
        event["detail"]["name"] = json!("<arn>");
        assert!(transform(rule, &event).contains("\"About:   <arn>\"\n"));
    }

    /// AWS puts parts in without escapes: a quote or a line end would tear the text in quotes that a line is.
    #[test]
    fn lines_hold_nothing_that_breaks_a_text_in_quotes() {
        // Not the error: whoever stops an execution gives it any text as one.
        const SAFE: [&str; 4] = [
            "$.detail.executionArn",
            "$.detail.name",
            "$.detail.status",
            "$.time",
        ];
        for rule in stack().rules.values() {
            for line in &rule.message {
                assert!(!line.contains(['"', '\\', '\n']), "{line}");
            }
            for (name, path) in &rule.paths {
                assert!(SAFE.contains(&path.as_str()), "{name}: {path}");
            }
        }
    }

    /// Tasks, definitions and rules: whoever is told by one of them knows how to read the others.
    #[test]
    fn every_alert_has_the_same_lines() {
        let stack = stack();
        for rule in stack.rules.values() {
            assert_eq!(labels(&transform(rule, &ended())), LABELS);
        }
        let mut states = BTreeSet::new();
        for machine in stack.state_machines.values() {
            let text = Source::choose(None).read(&machine.definition).unwrap();
            let definition: Value = serde_json::from_str(&text).unwrap();
            alert_messages(&definition, &mut |state, message| {
                states.insert(state.to_owned());
                // The texts of the expression, whatever stands between them.
                let texts: String = message.split('\'').skip(1).step_by(2).collect();
                assert_eq!(labels(&texts.replace("\\n", "\n")), LABELS, "{state}");
            });
        }
        let expected = ["AlertAds", "AlertFactory", "AlertReorder", "AlertVip"];
        assert!(states.iter().eq(expected), "{states:?}");
    }

    /// The message of every state that publishes, in every scope of a definition.
    fn alert_messages(value: &Value, each: &mut impl FnMut(&str, &str)) {
        let Value::Object(members) = value else {
            for it in value.as_array().into_iter().flatten() {
                alert_messages(it, each);
            }
            return;
        };
        for (name, it) in members {
            if let Some(message) = it["Arguments"]["Message"].as_str() {
                each(name, message);
            }
            alert_messages(it, each);
        }
    }
}

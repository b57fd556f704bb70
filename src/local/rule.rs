//! The stack's rules (EventBridge on AWS): executions that end badly are reported to a topic. Best effort, as
//! EventBridge is for these events.

use engine::{Ended, Engine};
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
        let (Rule { statuses, .. }, sns) = (rule, sns.clone());
        let statuses = statuses.clone();
        set.spawn(async move {
            loop {
                match ended.recv().await {
                    Ok(execution) if statuses.iter().any(|s| s == execution.status.as_str()) => {
                        report(&sns, &topic, &execution).await
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

async fn report(sns: &aws_sdk_sns::Client, topic: &str, ended: &Ended) {
    let status = ended.status.as_str();
    let text = format!(
        "What:    an execution ended {status}\nError:   {}\nCause:   {}\nLook:    restock executions show {arn}\nRedrive: restock executions redrive {arn}\n",
        ended.error.as_deref().unwrap_or("-"),
        ended.cause.as_deref().unwrap_or("-"),
        arn = ended.arn,
    );
    let subject = format!("[restock] an execution ended {status}");
    if let Err(error) = sns
        .publish()
        .topic_arn(topic)
        .subject(subject)
        .message(text)
        .send()
        .await
    {
        tracing::warn!(
            arn = ended.arn,
            ?error,
            "operations could not be told of an ended execution"
        );
    }
}

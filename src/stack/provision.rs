//! Makes the stack real: creates or updates what `stack.json` says, through AWS's own protocols, so that what is tested
//! here is what would happen on AWS. Safe to repeat; queue contents and running executions are left alone.

use std::collections::HashMap;

use aws_sdk_sfn::error::ProvideErrorMetadata;
use aws_sdk_sqs::types::QueueAttributeName;
use thiserror::Error;

use super::StackError;
use super::model::{Queue, Stack, Subscription};
use super::render::Placeholders;
use super::source::Source;

/// The clients of the endpoint that gets the stack.
#[derive(Clone, Debug)]
pub(crate) struct Clients {
    pub sfn: aws_sdk_sfn::Client,
    pub sqs: aws_sdk_sqs::Client,
    pub sns: aws_sdk_sns::Client,
    pub lambda: aws_sdk_lambda::Client,
}

impl Clients {
    pub(crate) fn new(config: &aws_config::SdkConfig) -> Clients {
        Clients {
            sfn: aws_sdk_sfn::Client::new(config),
            sqs: aws_sdk_sqs::Client::new(config),
            sns: aws_sdk_sns::Client::new(config),
            lambda: aws_sdk_lambda::Client::new(config),
        }
    }
}

/// Why the stack could not be made.
#[derive(Debug, Error)]
pub(crate) enum ProvisionError {
    #[error(transparent)]
    Stack(#[from] StackError),
    #[error("could not provision {what}: {why}")]
    Refused { what: String, why: String },
}

/// The text AWS gave with an error, or the SDK's own.
fn refused<E: ProvideErrorMetadata + std::error::Error>(
    what: impl Into<String>,
) -> impl FnOnce(E) -> ProvisionError {
    let what = what.into();
    move |error| {
        let why = match (error.code(), error.message()) {
            (Some(code), Some(message)) => format!("{code}: {message}"),
            (Some(code), None) => code.to_owned(),
            _ => chain(&error),
        };
        ProvisionError::Refused { what, why }
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    std::iter::successors(Some(error), |e| e.source())
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}

/// Queues, topics, subscriptions, mappings and state machines; functions must be registered before.
pub(crate) async fn provision(
    clients: &Clients,
    stack: &Stack,
    source: &Source,
    placeholders: &Placeholders,
) -> Result<(), ProvisionError> {
    // Dead-letter queues first: a redrive policy must name a queue that exists.
    let (sources, targets): (Vec<_>, Vec<_>) = stack
        .queues
        .iter()
        .partition(|(_, q)| q.dead_letter_queue.is_some());
    for (name, queue) in targets.into_iter().chain(sources) {
        put_queue(clients, placeholders, name, queue).await?;
    }
    for name in stack.topics.keys() {
        clients
            .sns
            .create_topic()
            .name(name)
            .send()
            .await
            .map_err(refused(format!("topic {name}")))?;
    }
    for subscription in &stack.subscriptions {
        put_subscription(clients, placeholders, subscription).await?;
    }
    put_mappings(clients, stack, placeholders).await?;
    put_state_machines(clients, stack, source, placeholders).await
}

async fn put_queue(
    clients: &Clients,
    placeholders: &Placeholders,
    name: &str,
    queue: &Queue,
) -> Result<(), ProvisionError> {
    let mut attributes = HashMap::from([(
        QueueAttributeName::MessageRetentionPeriod,
        (u64::from(queue.retention_days) * 86_400).to_string(),
    )]);
    if let Some(seconds) = queue.visibility_timeout {
        attributes.insert(QueueAttributeName::VisibilityTimeout, seconds.to_string());
    }
    if let (Some(dlq), Some(count)) = (&queue.dead_letter_queue, queue.max_receive_count) {
        let target = placeholders.get(&format!("queue_arn_{dlq}"));
        let policy = serde_json::json!({ "deadLetterTargetArn": target, "maxReceiveCount": count });
        attributes.insert(QueueAttributeName::RedrivePolicy, policy.to_string());
    }
    let what = format!("queue {name}");
    let created = clients
        .sqs
        .create_queue()
        .queue_name(name)
        .set_attributes(Some(attributes.clone()))
        .send()
        .await;
    match created {
        Ok(_) => Ok(()),
        Err(error) if matches!(error.code(), Some(code) if code.contains("QueueAlreadyExists") || code.contains("QueueNameExists")) =>
        {
            let url = placeholders.get(&format!("queue_url_{name}"));
            let set = clients
                .sqs
                .set_queue_attributes()
                .queue_url(url)
                .set_attributes(Some(attributes));
            set.send().await.map(drop).map_err(refused(what))
        }
        Err(error) => Err(refused(what)(error)),
    }
}

async fn put_subscription(
    clients: &Clients,
    placeholders: &Placeholders,
    subscription: &Subscription,
) -> Result<(), ProvisionError> {
    let (protocol, endpoint) = match (&subscription.queue, &subscription.email) {
        (Some(queue), _) => (
            "sqs",
            placeholders.get(&format!("queue_arn_{queue}")).to_owned(),
        ),
        (None, Some(email)) => ("email", placeholders.render("stack.json", email)?),
        (None, None) => return Ok(()),
    };
    if endpoint.is_empty() {
        return Ok(());
    }
    let mut attributes = HashMap::new();
    if let Some(filter) = &subscription.filter {
        let filter = placeholders.render_json("stack.json", filter)?;
        attributes.insert("FilterPolicy".to_owned(), filter.to_string());
    }
    if let Some(dlq) = &subscription.dead_letter_queue {
        let target = placeholders.get(&format!("queue_arn_{dlq}"));
        let policy = serde_json::json!({ "deadLetterTargetArn": target });
        attributes.insert("RedrivePolicy".to_owned(), policy.to_string());
    }
    let topic = placeholders.get(&format!("topic_arn_{}", subscription.topic));
    let what = format!("the subscription of {} by {endpoint}", subscription.topic);
    // Asking with no attributes finds an existing subscription whatever its attributes are.
    let found = clients
        .sns
        .subscribe()
        .topic_arn(topic)
        .protocol(protocol)
        .endpoint(&endpoint)
        .return_subscription_arn(true);
    let arn = match found.send().await {
        Ok(answer) => answer.subscription_arn.unwrap_or_default(),
        Err(error) if error.code() == Some("InvalidParameter") => {
            existing_subscription(clients, topic, &endpoint, &what).await?
        }
        Err(error) => return Err(refused(what)(error)),
    };
    for (name, value) in attributes {
        let set = clients
            .sns
            .set_subscription_attributes()
            .subscription_arn(&arn);
        set.attribute_name(name)
            .attribute_value(value)
            .send()
            .await
            .map_err(refused(what.clone()))?;
    }
    Ok(())
}

async fn existing_subscription(
    clients: &Clients,
    topic: &str,
    endpoint: &str,
    what: &str,
) -> Result<String, ProvisionError> {
    let mut pages = clients
        .sns
        .list_subscriptions_by_topic()
        .topic_arn(topic)
        .into_paginator()
        .send();
    while let Some(page) = pages.next().await {
        for subscription in page
            .map_err(refused(what))?
            .subscriptions
            .unwrap_or_default()
        {
            if subscription.endpoint.as_deref() == Some(endpoint) {
                return Ok(subscription.subscription_arn.unwrap_or_default());
            }
        }
    }
    Err(ProvisionError::Refused {
        what: what.to_owned(),
        why: "it neither exists nor can be made".to_owned(),
    })
}

async fn put_mappings(
    clients: &Clients,
    stack: &Stack,
    placeholders: &Placeholders,
) -> Result<(), ProvisionError> {
    use aws_sdk_lambda::types::{FunctionResponseType, ScalingConfig};
    for mapping in &stack.event_source_mappings {
        let what = format!("the mapping of {} to {}", mapping.queue, mapping.function);
        let queue = placeholders.get(&format!("queue_arn_{}", mapping.queue));
        let function = placeholders.get(&format!("function_arn_{}", mapping.function));
        let scaling = ScalingConfig::builder()
            .maximum_concurrency(to_i32(mapping.maximum_concurrency))
            .build();
        let existing = clients
            .lambda
            .list_event_source_mappings()
            .event_source_arn(queue)
            .function_name(function);
        let existing = existing
            .send()
            .await
            .map_err(refused(what.clone()))?
            .event_source_mappings
            .unwrap_or_default();
        if let Some(uuid) = existing.into_iter().find_map(|m| m.uuid) {
            let update = clients
                .lambda
                .update_event_source_mapping()
                .uuid(uuid)
                .batch_size(to_i32(mapping.batch_size));
            let update = update.scaling_config(scaling).enabled(true);
            update.send().await.map_err(refused(what))?;
        } else {
            let create = clients
                .lambda
                .create_event_source_mapping()
                .event_source_arn(queue)
                .function_name(function);
            let create = create
                .batch_size(to_i32(mapping.batch_size))
                .scaling_config(scaling);
            let create =
                create.function_response_types(FunctionResponseType::ReportBatchItemFailures);
            create.send().await.map_err(refused(what))?;
        }
    }
    Ok(())
}

fn to_i32(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// A state machine is updated only if its text changed; running executions keep their revision either way.
async fn put_state_machines(
    clients: &Clients,
    stack: &Stack,
    source: &Source,
    placeholders: &Placeholders,
) -> Result<(), ProvisionError> {
    for (name, machine) in &stack.state_machines {
        let definition =
            placeholders.render(&machine.definition, &source.read(&machine.definition)?)?;
        let what = format!("state machine {name} ({})", machine.definition);
        let arn = placeholders.get(&format!("state_machine_arn_{name}"));
        match clients
            .sfn
            .describe_state_machine()
            .state_machine_arn(arn)
            .send()
            .await
        {
            Ok(existing) if existing.definition == definition => {}
            Ok(_) => {
                let update = clients
                    .sfn
                    .update_state_machine()
                    .state_machine_arn(arn)
                    .definition(definition);
                update.send().await.map_err(refused(what))?;
            }
            Err(error) if error.code() == Some("StateMachineDoesNotExist") => {
                let create = clients
                    .sfn
                    .create_state_machine()
                    .name(name)
                    .definition(definition);
                create
                    .role_arn(local_role(name))
                    .send()
                    .await
                    .map_err(refused(what))?;
            }
            Err(error) => return Err(refused(what)(error)),
        }
    }
    Ok(())
}

/// No IAM runs here; the ARN only has to have the right form.
fn local_role(name: &str) -> String {
    format!(
        "arn:aws:iam::{}:role/restock-{name}",
        super::render::ACCOUNT
    )
}

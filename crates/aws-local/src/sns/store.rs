//! Topics and subscriptions: durable as documents, in memory for use.
//!
//! Changes happen one after the other: first on the disk, then in memory, so a reader never sees what a crash could take back.

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard},
};

use engine::{Change, Documents, StorageError};
use serde::{Deserialize, Serialize};

use super::settings::{Attributes, SubscriptionSettings};

const TOPIC: &str = "sns-topic";
const SUBSCRIPTION: &str = "sns-subscription";

/// A topic.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Topic {
    pub(super) arn: String,
    /// As they were set.
    pub(super) attributes: Attributes,
    pub(super) tags: BTreeMap<String, String>,
}

/// A subscription as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SubscriptionRecord {
    pub(super) arn: String,
    pub(super) topic_arn: String,
    pub(super) protocol: Protocol,
    /// ARN of a queue, or a mail address.
    pub(super) endpoint: String,
    /// As they were set.
    pub(super) attributes: Attributes,
}

/// How a message reaches the subscriber.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Protocol {
    Sqs,
    Email,
}

impl Protocol {
    pub(super) fn name(self) -> &'static str {
        match self {
            Protocol::Sqs => "sqs",
            Protocol::Email => "email",
        }
    }
}

/// A subscription ready for use.
#[derive(Debug)]
pub(super) struct Subscription {
    pub(super) record: SubscriptionRecord,
    pub(super) settings: SubscriptionSettings,
}

pub(super) struct Store {
    documents: Documents,
    administration: tokio::sync::Mutex<()>,
    state: RwLock<State>,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) topics: BTreeMap<String, Arc<Topic>>,
    /// By ARN, which starts with the topic's ARN and a colon: a topic's subscriptions are neighbours.
    pub(super) subscriptions: BTreeMap<String, Arc<Subscription>>,
}

impl State {
    pub(super) fn subscriptions_of<'a>(
        &'a self,
        topic_arn: &str,
    ) -> impl Iterator<Item = &'a Arc<Subscription>> {
        let first = format!("{topic_arn}:");
        self.subscriptions
            .range(first.clone()..)
            .take_while(move |(arn, _)| arn.starts_with(&first))
            .map(|(_, subscription)| subscription)
    }
}

impl Store {
    pub(super) async fn open(documents: Documents) -> Result<Store, StorageError> {
        let mut state = State::default();
        for (arn, topic) in documents.list::<Topic>(TOPIC).await? {
            state.topics.insert(arn, Arc::new(topic));
        }
        for (arn, record) in documents.list::<SubscriptionRecord>(SUBSCRIPTION).await? {
            let settings = SubscriptionSettings::parse(&record.attributes).map_err(|error| {
                StorageError::Corrupt(format!("subscription {arn}: {}", error.message))
            })?;
            state
                .subscriptions
                .insert(arn, Arc::new(Subscription { record, settings }));
        }
        Ok(Store {
            documents,
            administration: tokio::sync::Mutex::default(),
            state: RwLock::new(state),
        })
    }

    /// What there is now. Not to be held across an await.
    pub(super) fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps other changes away between looking and changing.
    pub(super) async fn alone(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.administration.lock().await
    }

    pub(super) async fn put_topic(&self, topic: Topic) -> Result<(), StorageError> {
        self.documents.put(TOPIC, &topic.arn, &topic).await?;
        self.write(|state| {
            state.topics.insert(topic.arn.clone(), Arc::new(topic));
        });
        Ok(())
    }

    /// Removes a topic with its subscriptions.
    pub(super) async fn delete_topic(&self, arn: &str) -> Result<(), StorageError> {
        let subscriptions: Vec<String> = self
            .read()
            .subscriptions_of(arn)
            .map(|subscription| subscription.record.arn.clone())
            .collect();
        let mut steps = vec![Change::delete(TOPIC, arn)];
        steps.extend(
            subscriptions
                .iter()
                .map(|arn| Change::delete(SUBSCRIPTION, arn)),
        );
        self.documents.change(steps).await?;
        self.write(|state| {
            state.topics.remove(arn);
            for arn in &subscriptions {
                state.subscriptions.remove(arn);
            }
        });
        Ok(())
    }

    pub(super) async fn put_subscription(
        &self,
        subscription: Subscription,
    ) -> Result<(), StorageError> {
        let record = &subscription.record;
        self.documents
            .put(SUBSCRIPTION, &record.arn, record)
            .await?;
        self.write(|state| {
            state
                .subscriptions
                .insert(subscription.record.arn.clone(), Arc::new(subscription));
        });
        Ok(())
    }

    pub(super) async fn delete_subscription(&self, arn: &str) -> Result<(), StorageError> {
        self.documents.delete(SUBSCRIPTION, arn).await?;
        self.write(|state| {
            state.subscriptions.remove(arn);
        });
        Ok(())
    }

    fn write(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.write().unwrap_or_else(PoisonError::into_inner));
    }
}

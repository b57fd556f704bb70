//! From a publication to the queues and mail addresses that want it.

use std::collections::BTreeMap;

use engine::{NewMessage, QueueArn, QueueError};

use super::{
    Sns, check_arn,
    envelope::Envelope,
    publication::Publication,
    store::{Protocol, Subscription},
};
use crate::{outbox::NewMail, protocol::query::QueryError};

/// The sender of mails to `email` subscriptions.
const MAIL_FROM: &str = "AWS Notifications <no-reply@sns.local>";

/// Where a publication goes.
#[derive(Default)]
struct Deliveries {
    queues: Vec<(String, NewMessage)>,
    mails: Vec<NewMail>,
}

impl Sns {
    /// Delivers publications to all subscriptions that want them. On return all deliveries are on the disk.
    ///
    /// A queue that is gone or does not take the message is replaced by the subscription's dead-letter queue; without one the
    /// delivery is dropped with a warning, as on AWS.
    ///
    /// # Errors
    /// There is no such topic, or the deliveries could not be stored: then no queue has got any.
    pub async fn publish(
        &self,
        topic_arn: &str,
        publications: Vec<Publication>,
        base_url: &str,
    ) -> Result<(), QueryError> {
        check_arn("TopicArn", topic_arn)?;
        self.topic(topic_arn)?;
        // A queue may be deleted between choosing and writing: choose again. Each turn needs another deletion.
        let mails = loop {
            let deliveries = self.deliveries(topic_arn, &publications, base_url);
            if deliveries.queues.is_empty() {
                break deliveries.mails;
            }
            match self.queues.publish(deliveries.queues).await {
                Ok(_) => break deliveries.mails,
                Err(QueueError::QueueDoesNotExist { .. }) => {}
                Err(QueueError::Storage(error)) => return Err(QueryError::storage(&error)),
                Err(error) => {
                    tracing::error!(topic_arn, %error, "a publication could not be delivered");
                    return Err(QueryError::internal());
                }
            }
        };
        for mail in mails {
            self.outbox.send(mail).await.map_err(|error| {
                tracing::error!(topic_arn, %error, "a mail to a subscriber could not be stored");
                QueryError::internal()
            })?;
        }
        Ok(())
    }

    fn deliveries(
        &self,
        topic_arn: &str,
        publications: &[Publication],
        base_url: &str,
    ) -> Deliveries {
        let subscriptions: Vec<_> = self
            .store
            .read()
            .subscriptions_of(topic_arn)
            .cloned()
            .collect();
        let timestamp = timestamp();
        let mut deliveries = Deliveries::default();
        for publication in publications {
            for subscription in subscriptions.iter().filter(|it| publication.is_for(it)) {
                let record = &subscription.record;
                let text = publication.text_for(record.protocol);
                match record.protocol {
                    Protocol::Email => deliveries.mails.push(NewMail {
                        from: MAIL_FROM.to_owned(),
                        to: vec![record.endpoint.clone()],
                        subject: publication
                            .subject
                            .clone()
                            .unwrap_or_else(|| "AWS Notification Message".to_owned()),
                        text: Some(text.to_owned()),
                        ..NewMail::default()
                    }),
                    Protocol::Sqs => {
                        let envelope = Envelope {
                            message_id: &publication.message_id,
                            topic_arn,
                            subject: publication.subject.as_deref(),
                            message: text,
                            timestamp: &timestamp,
                            attributes: &publication.attributes,
                            base_url,
                            subscription_arn: &record.arn,
                        };
                        let message = NewMessage {
                            system: system(publication),
                            effect: publication
                                .effect
                                .as_ref()
                                .map(|effect| format!("{effect}/{}", record.arn)),
                            ..message_for(subscription, publication, text, &envelope)
                        };
                        deliveries.queues.extend(self.route(subscription, message));
                    }
                }
            }
        }
        deliveries
    }

    /// The queue of a delivery: the endpoint, else the dead-letter queue.
    fn route(
        &self,
        subscription: &Subscription,
        message: NewMessage,
    ) -> Option<(String, NewMessage)> {
        let record = &subscription.record;
        let endpoint = QueueArn::parse(&record.endpoint);
        let targets = [
            endpoint.as_ref(),
            subscription.settings.dead_letter.as_ref(),
        ];
        for target in targets.into_iter().flatten() {
            let ours = target.region == self.region && target.account == self.account;
            let refused = if ours {
                self.queues.check(&target.name, &message).err()
            } else {
                Some(QueueError::QueueDoesNotExist {
                    name: target.name.clone(),
                })
            };
            match refused {
                None => return Some((target.name.clone(), message)),
                Some(reason) => tracing::warn!(
                    subscription = record.arn, queue = %target, %reason,
                    "a queue does not take a notification"
                ),
            }
        }
        tracing::warn!(
            subscription = record.arn,
            "a notification is dropped: no queue takes it"
        );
        None
    }
}

/// What queues show beside the message.
fn system(publication: &Publication) -> BTreeMap<String, String> {
    let group = publication.group.as_ref();
    group
        .map(|group| ("MessageGroupId".to_owned(), group.clone()))
        .into_iter()
        .collect()
}

/// Raw: the text with the attributes as SQS attributes. Otherwise the envelope.
fn message_for(
    subscription: &Subscription,
    publication: &Publication,
    text: &str,
    envelope: &Envelope<'_>,
) -> NewMessage {
    if subscription.settings.raw {
        NewMessage {
            body: text.to_owned(),
            attributes: publication.attributes.clone(),
            ..NewMessage::default()
        }
    } else {
        NewMessage::new(envelope.text())
    }
}

/// Now, as AWS writes it: `2026-01-02T03:04:05.678Z`.
fn timestamp() -> String {
    jiff::Timestamp::now()
        .strftime("%Y-%m-%dT%H:%M:%S.%3fZ")
        .to_string()
}

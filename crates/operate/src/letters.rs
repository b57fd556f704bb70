//! Dead letters: messages that their queue's consumer could not handle. They can be looked at, sent back to the queue
//! they come from, or given up.
//!
//! To look at a message is to receive it, which hides it and counts. So this is for dead letters only, which nobody else
//! waits for, and what was received is put back at once.

use std::collections::{HashMap, HashSet};

use aws_sdk_sqs::types::{Message, MessageAttributeValue, MessageSystemAttributeName};
use jiff::Timestamp;

use crate::clear::{delete, put_back};
use crate::connection::Connection;
use crate::error::{OperateError, refused};
use crate::timeline::short_name;

/// SQS's largest batch.
const BATCH: i32 = 10;
/// Seconds for which a message stays hidden, should this program end midway.
const HIDDEN: i32 = 60;

/// A dead letter.
#[derive(Clone, Debug, PartialEq)]
pub struct Letter {
    /// The message's id, which it keeps.
    pub id: String,
    /// Its text.
    pub body: String,
    /// Names and types of its attributes and their texts.
    pub attributes: Vec<(String, String)>,
    /// When it was sent to the queue it comes from.
    pub sent: Option<Timestamp>,
    /// How often it was received, looks included.
    pub receives: u64,
}

/// What to do with dead letters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Send it to this queue (its URL) again.
    Return(String),
    /// Delete it.
    Delete,
}

/// At most `most` messages of a queue. They stay where they are.
pub async fn look(at: &Connection, url: &str, most: usize) -> Result<Vec<Letter>, OperateError> {
    let mut pass = Pass::new(at, url);
    let looked = pass.look(most).await;
    pass.end(looked).await
}

/// Does the same with each message of these ids. Returns how many there were.
pub async fn settle(
    at: &Connection,
    url: &str,
    ids: &HashSet<String>,
    fate: &Fate,
) -> Result<usize, OperateError> {
    let mut pass = Pass::new(at, url);
    let settled = pass.settle(ids, fate).await;
    pass.end(settled).await
}

/// A pass through a queue that receives each message once.
struct Pass<'a> {
    at: &'a Connection,
    url: &'a str,
    seen: HashSet<String>,
    /// Receipt handles of messages to be put back.
    others: Vec<String>,
    is_over: bool,
}

impl<'a> Pass<'a> {
    fn new(at: &'a Connection, url: &'a str) -> Pass<'a> {
        Pass {
            at,
            url,
            seen: HashSet::new(),
            others: Vec::new(),
            is_over: false,
        }
    }

    /// The next messages that were not seen yet; none at the end.
    async fn next(&mut self) -> Result<Vec<Message>, OperateError> {
        let mut new = Vec::new();
        if self.is_over {
            return Ok(new);
        }
        for message in receive(self.at, self.url).await? {
            let id = message.message_id().unwrap_or_default().to_owned();
            if self.seen.insert(id) {
                new.push(message);
            } else {
                // It was hidden, and its time is over: the whole queue has been seen.
                self.is_over = true;
                self.put_aside(message);
            }
        }
        Ok(new)
    }

    fn put_aside(&mut self, message: Message) {
        self.others.push(message.receipt_handle.unwrap_or_default());
    }

    async fn look(&mut self, most: usize) -> Result<Vec<Letter>, OperateError> {
        let mut letters = Vec::new();
        while letters.len() < most {
            let messages = self.next().await?;
            if messages.is_empty() {
                break;
            }
            for message in messages {
                letters.push(Letter::read(&message));
                self.put_aside(message);
            }
        }
        letters.truncate(most);
        Ok(letters)
    }

    async fn settle(&mut self, ids: &HashSet<String>, fate: &Fate) -> Result<usize, OperateError> {
        let mut done = 0;
        while done < ids.len() {
            let mut messages = self.next().await?.into_iter();
            if messages.len() == 0 {
                break;
            }
            while let Some(message) = messages.next() {
                let is_wanted = message.message_id().is_some_and(|id| ids.contains(id));
                if !is_wanted {
                    self.put_aside(message);
                } else if let Err(error) = self.apply(&message, fate).await {
                    self.put_aside(message);
                    messages.for_each(|message| self.put_aside(message));
                    return Err(error);
                } else {
                    done += 1;
                }
            }
        }
        Ok(done)
    }

    async fn apply(&self, message: &Message, fate: &Fate) -> Result<(), OperateError> {
        if let Fate::Return(to) = fate {
            send(self.at, to, message).await?;
        }
        // A crash before this sends it twice, which a queue may do anyway; the other order would lose it.
        let handle = message.receipt_handle().unwrap_or_default();
        delete(self.at, self.url, handle.to_owned()).await
    }

    /// Puts back what was not taken, also after an error: others shall not have to wait for the time-out.
    async fn end<T>(self, result: Result<T, OperateError>) -> Result<T, OperateError> {
        let put_back = put_back(self.at, self.url, &self.others).await;
        let done = result?;
        put_back?;
        Ok(done)
    }
}

async fn receive(at: &Connection, url: &str) -> Result<Vec<Message>, OperateError> {
    let request = at
        .sqs
        .receive_message()
        .queue_url(url)
        .max_number_of_messages(BATCH)
        .visibility_timeout(HIDDEN)
        .message_system_attribute_names(MessageSystemAttributeName::All)
        .message_attribute_names("All")
        // Long polling asks every server of the queue; short polling only some.
        .wait_time_seconds(1);
    let answer = request
        .send()
        .await
        .map_err(refused(format!("read {}", short_name(url))))?;
    Ok(answer.messages.unwrap_or_default())
}

async fn send(at: &Connection, url: &str, message: &Message) -> Result<(), OperateError> {
    let request = at
        .sqs
        .send_message()
        .queue_url(url)
        .message_body(message.body().unwrap_or_default())
        .set_message_attributes(message.message_attributes.clone());
    request
        .send()
        .await
        .map(drop)
        .map_err(refused(format!("send to {}", short_name(url))))
}

impl Letter {
    fn read(message: &Message) -> Letter {
        let none = HashMap::new();
        let system = message.attributes().unwrap_or(&none);
        let number = |name: MessageSystemAttributeName| -> Option<i64> {
            system.get(&name).and_then(|text| text.parse().ok())
        };
        let text = |value: &MessageAttributeValue| match value.string_value() {
            Some(text) => text.to_owned(),
            None => format!("({})", value.data_type()),
        };
        let mut attributes: Vec<_> = message
            .message_attributes()
            .into_iter()
            .flatten()
            .map(|(name, value)| (name.clone(), text(value)))
            .collect();
        attributes.sort();
        Letter {
            id: message.message_id().unwrap_or_default().to_owned(),
            body: message.body().unwrap_or_default().to_owned(),
            attributes,
            sent: number(MessageSystemAttributeName::SentTimestamp)
                .and_then(|at| Timestamp::from_millisecond(at).ok()),
            receives: number(MessageSystemAttributeName::ApproximateReceiveCount)
                .and_then(|n| u64::try_from(n).ok())
                .unwrap_or(0),
        }
    }
}

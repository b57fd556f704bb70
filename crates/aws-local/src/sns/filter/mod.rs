//! Subscription filter policies: which messages a subscription wants.
//!
//! [`FilterPolicy::parse`] checks a policy as AWS does when it is set; [`FilterPolicy::accepts`] decides for one message.
//! Strict on purpose: a `numeric` test matches attributes of DataType `Number` only, so a policy that works here works there.
//!
//! Source: Amazon SNS developer guide, "Amazon SNS subscription filter policies" and its sub-pages. Like AWS, filters know
//! nothing of the subscription or the topic.

mod condition;
mod matching;
mod policy;
#[cfg(test)]
mod tests;

pub use policy::{FilterPolicy, PolicyError, Scope};

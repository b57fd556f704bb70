//! What operators do with running workflows: look at executions, understand a failure, replay, discard, redrive, fork.
//!
//! Everything here speaks to Step Functions and SQS through the AWS SDK and works against AWS unchanged; it must know
//! nothing of the local engine, its files or its processes. What is read is turned into plain values first ([`events`],
//! [`timeline`], [`parked`]), and only then shown ([`view`]) or acted on ([`answer`], [`clear`], [`fork`]).
//!
//! Start reading at [`parked`]: how a task that waits for an operator is found.

pub(crate) mod ahead;
pub(crate) mod answer;
pub(crate) mod args;
pub(crate) mod clear;
pub(crate) mod connection;
pub(crate) mod data;
pub(crate) mod error;
pub(crate) mod events;
pub(crate) mod find;
pub(crate) mod fork;
pub(crate) mod lineage;
pub(crate) mod list;
pub(crate) mod parked;
pub(crate) mod person;
pub(crate) mod timeline;
pub(crate) mod view;
pub(crate) mod when;
pub(crate) mod words;

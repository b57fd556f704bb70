//! What operators do with running workflows: look at executions, understand a failure, replay, discard, redrive, fork.
//!
//! Everything here speaks to Step Functions and SQS through the AWS SDK and works against AWS unchanged; it must know
//! nothing of the local engine, its files or its processes, and nothing of who asks: it prints nothing and parses no
//! flags. The verbs of the binary and the console both stand on it. What is read is turned into plain values first
//! ([`events`], [`timeline`], [`parked`]), and only then shown by others or acted on ([`answer`], [`clear`], [`fork`],
//! [`change`]).
//!
//! Start reading at [`parked`]: how a task that waits for an operator is found; [`waiting`] finds everything that an
//! execution waits for. [`letters`] are what queues gave up.

pub mod ahead;
pub mod answer;
pub mod change;
pub mod clear;
pub mod connection;
pub mod diff;
pub mod error;
pub mod events;
pub mod filter;
pub mod find;
pub mod fork;
pub mod letters;
pub mod lineage;
pub mod list;
pub mod parked;
pub mod queues;
pub mod timeline;
pub mod waiting;
pub mod when;
pub mod words;

pub use connection::{AT_ONCE, Connection};
pub use error::OperateError;

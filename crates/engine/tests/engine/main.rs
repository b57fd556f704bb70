//! The engine from outside: every durable promise with a test that kills and recovers.

#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod damage;
mod documents;
mod executions;
mod fixture;
mod jobs;
mod map_runs;
mod polling;
mod pruning;
mod queues;
mod recovery;
mod redrive;
mod room;

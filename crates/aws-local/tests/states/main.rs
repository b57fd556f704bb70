//! Step Functions, asked by AWS's own SDK and by raw requests, over a real engine in a temporary directory.

#![allow(
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise, its helpers too"
)]

mod activities;
mod aliases;
mod executions;
mod express;
mod machines;
mod map_runs;
mod mocks;
mod nested;
mod redrive;
mod refusals;
mod support;
mod tags;
mod test_state;
mod tokens;

//! The Lambda service with real processes: this very program, started again as a function (see `fixture`).
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests: a surprise ends the test, and a function writes its log"
)]

mod fixture;
mod invocations;
mod local;
mod mappings;
mod processes;
mod tasks;
mod wire;

//! The operators' verbs, end-to-end: the real binary against a real `restock up`, a factory that misbehaves on purpose.
#![expect(
    clippy::unwrap_used,
    reason = "the harness may stop at the first surprise, like the tests that use it"
)]

mod executions;
#[path = "../harness/mod.rs"]
#[allow(
    dead_code,
    reason = "shared with the tests in tests/e2e, which use more of it"
)]
mod harness;
mod parked;
mod verb;
mod workflows;

//! End-to-end: the real binary, real Lambda processes, real AWS SDK clients. Each test has its own installation in a
//! temporary folder, on free ports.
#![expect(
    clippy::unwrap_used,
    reason = "the harness may stop at the first surprise, like the tests that use it"
)]

mod clients;
mod console;
mod console_changes;
mod crash;
mod demo;
#[path = "../harness/mod.rs"]
mod harness;
mod kill;
mod misbehaving_factory;
mod reorder;
mod room;
mod sales;
mod vip;

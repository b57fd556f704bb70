//! The console in a real browser, over a real `restock up`: what an operator does, what they see, and that a page keeps
//! its own policy and is accessible.
//!
//! These tests need a browser, so they are compiled with `--features browser` only. They are told by the environment:
//!
//! | variable | what |
//! |---|---|
//! | `RESTOCK_TEST_CHROMEDRIVER` | the chromedriver program; it finds Chromium by itself |
//! | `RESTOCK_TEST_AXE` | `axe.min.js` of the npm package axe-core |
//! | `RESTOCK_TEST_ENDPOINT` | a Step Functions endpoint that is not ours, for `elsewhere` |
//! | `RESTOCK_TEST_IMAGES` | folder for the screenshots of `docs/images`; without it they are made and dropped |
#![expect(
    clippy::unwrap_used,
    reason = "the harness may stop at the first surprise, like the tests that use it"
)]

mod acting;
mod browser;
mod elsewhere;
mod looking;

#[path = "../harness/mod.rs"]
#[allow(
    dead_code,
    reason = "shared with the tests in tests/e2e, which use more of it"
)]
mod harness;

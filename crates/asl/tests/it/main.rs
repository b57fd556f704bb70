//! Tests of the language from outside: a definition, what happens to it, and the history that must come of it.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test stops at the first surprise"
)]

mod branches;
mod causes;
mod diagnostics;
mod diagram;
mod distributed;
mod fuzz;
mod histories;
mod hostile;
mod rebuild;
mod support;

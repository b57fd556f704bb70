//! `restock task NAME`: one Lambda task as a process that speaks the Runtime API, exactly as the `bootstrap` binary does on AWS.

use std::process::ExitCode;

pub(crate) fn run(name: &str) -> ExitCode {
    tasks::main(name)
}

//! The program of every Lambda function: it runs the task that the function's handler names.
//!
//! One program, so that a deploy links once and not once per function; the name `bootstrap` is Lambda's for what a
//! custom runtime starts.

fn main() -> std::process::ExitCode {
    tasks::main(&tasks::config::handler())
}

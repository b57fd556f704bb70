//! The verbs: one file each. A verb parses nothing and stores nothing itself; it wires the parts and prints.

mod bench;
mod console;
mod demo;
mod dlq;
mod executions;
mod factory;
mod marketing;
mod migrate;
mod reset;
mod task;
mod up;
mod workflows;

use std::error::Error;
use std::io::IsTerminal;
use std::process::ExitCode;

use crate::cli::{Cli, Verb};

/// A verb's answer: the exit code, or an error that is printed with its causes.
pub(crate) type Outcome = Result<ExitCode, Box<dyn Error>>;

pub(crate) fn run(cli: Cli) -> Outcome {
    match cli.verb {
        None => up::run(cli.up),
        Some(Verb::Up(args)) => up::run(*args),
        Some(Verb::Demo(args)) => demo::run(args),
        Some(Verb::Bench(args)) => bench::run(&args),
        Some(Verb::BenchEcho) => Ok(crate::bench::echo().map_err(|error| error.to_string())?),
        Some(Verb::Factory(args)) => factory::run(args),
        Some(Verb::Marketing(args)) => marketing::run(args),
        Some(Verb::Migrate(args)) => migrate::run(args),
        Some(Verb::Workflows(verb)) => workflows::run(verb),
        Some(Verb::Executions(args)) => executions::run(*args),
        Some(Verb::Dlq(args)) => dlq::run(*args),
        Some(Verb::Console(args)) => console::run(*args),
        Some(Verb::Reset(args)) => reset::run(args),
        Some(Verb::Task { name }) => Ok(task::run(&name)),
    }
}

/// A runtime for a verb that waits for many things at once.
fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
}

/// Structured logs on stderr; `RUST_LOG` chooses what, `info` for ours and warnings of others by default.
fn log(default: &str) {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(default));
    // A second initialisation (in tests) is no reason to stop.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .try_init();
}

/// Ctrl-C, or SIGTERM from a supervisor.
async fn asked_to_stop() -> std::io::Result<()> {
    #[cfg(unix)]
    {
        let mut terminate =
            tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => interrupted?,
            _ = terminate.recv() => {}
        }
        Ok(())
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}

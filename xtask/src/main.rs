//! What a developer runs on this repository: `cargo xtask …`. Users of the built program need none of it, and it needs
//! neither the program nor its dependencies, so it is there seconds after a clone.
//!
//! Start reading at [`package`].

mod archive;
mod compile;
mod glibc;
mod package;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", about = "Tasks of this repository")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Build the zips of the Lambda functions, the same bytes every time
    Package(package::Args),
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().task {
        Task::Package(args) => package::run(&args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

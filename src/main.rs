//! The `restock` binary: verbs and wiring only. What a verb does lies in `commands/`; what the parts do lies in the
//! crates. Start reading at [`cli`].

mod banner;
mod cases;
mod cli;
mod commands;
mod data_dir;
mod demo;
mod endpoint;
mod factory;
mod listen;
mod local;
mod marketing;
mod operate;
mod simulated;
mod stack;
mod terminal;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    match commands::run(cli) {
        Ok(code) => code,
        Err(error) => {
            terminal::print_error(error.as_ref());
            ExitCode::FAILURE
        }
    }
}

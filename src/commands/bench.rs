//! `restock bench`: measures this program on this machine.

use std::process::ExitCode;

use super::Outcome;
use crate::cli::BenchArgs;
use crate::{bench, terminal};

pub(crate) fn run(args: &BenchArgs) -> Outcome {
    super::log("warn");
    let figures = super::runtime()?.block_on(bench::run(args))?;
    if args.json {
        terminal::answer(&serde_json::to_string_pretty(&figures)?)?;
    } else {
        terminal::answer(&bench::table(&figures).to_string())?;
    }
    Ok(ExitCode::SUCCESS)
}

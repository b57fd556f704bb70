//! `restock demo`: the whole story on a fresh installation; exits non-zero if something was not shown or broke.

use std::process::ExitCode;

use super::Outcome;
use crate::cli::DemoArgs;
use crate::{demo, terminal};

pub(crate) fn run(args: DemoArgs) -> Outcome {
    super::log("warn");
    let temporary = tempfile::Builder::new().prefix("restock-demo-").tempdir()?;
    let folder = args.data_dir.as_deref().unwrap_or(temporary.path());
    let report = super::runtime()?.block_on(demo::run(&args, folder));
    if report.as_ref().map_or(true, |r| !r.ok) && args.data_dir.is_none() {
        // Leave what happened for whoever wants to know why.
        terminal::say(&format!("kept for you: {}", temporary.keep().display()));
    }
    let report = report?;
    if args.json {
        terminal::answer(&serde_json::to_string_pretty(&report)?)?;
    } else {
        terminal::answer(&report.to_string())?;
    }
    Ok(if report.ok {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

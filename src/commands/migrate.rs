//! `restock migrate`: brings both databases to this version's schema. Safe to repeat; refuses a schema that is newer
//! than this program.

use std::process::ExitCode;

use super::Outcome;
use crate::cli::MigrateArgs;
use crate::local::databases::Databases;
use crate::terminal;

pub(crate) fn run(args: MigrateArgs) -> Outcome {
    super::log("warn");
    super::runtime()?.block_on(async {
        let databases = Databases::choose(&args.data_dir, args.database_url, args.customers_url)?;
        databases.migrate().await?;
        terminal::say("both databases have this version's schema");
        Ok(ExitCode::SUCCESS)
    })
}

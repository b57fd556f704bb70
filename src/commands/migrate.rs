//! `restock migrate`: brings both databases to this version's schema. Safe to repeat; refuses a schema that is newer
//! than this program. For databases that this machine reaches; inside a VPC the Lambda function `migrate` does the same.

use std::process::ExitCode;

use shop::{Customers, Warehouse};

use super::Outcome;
use crate::cli::MigrateArgs;
use crate::local::databases::Databases;
use crate::terminal;

pub(crate) fn run(args: MigrateArgs) -> Outcome {
    super::log("warn");
    super::runtime()?.block_on(async {
        let databases = Databases::choose(&args.data_dir, args.database_url, args.customers_url)?;
        let (warehouse, customers) = databases.migrate().await?;
        terminal::say(&format!(
            "both databases have this version's schema: warehouse {}, customers {}",
            Warehouse::schema_version(),
            Customers::schema_version()
        ));
        if args.seed {
            warehouse.seed().await?;
            customers.seed().await?;
            terminal::say("the sample product and customers are there");
        }
        Ok(ExitCode::SUCCESS)
    })
}

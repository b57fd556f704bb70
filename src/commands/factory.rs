//! `restock factory`: the simulated legacy factory alone.

use std::process::ExitCode;

use super::Outcome;
use crate::factory::{Factory, FactoryArgs};
use crate::terminal;

pub(crate) fn run(args: FactoryArgs) -> Outcome {
    super::log("info");
    super::runtime()?.block_on(async {
        let factory = Factory::open(args).await?;
        terminal::say(&format!(
            "the simulated factory listens on http://{}",
            factory.address()
        ));
        tokio::select! {
            ended = factory.serve() => ended?,
            asked = tokio::signal::ctrl_c() => asked?,
        }
        Ok(ExitCode::SUCCESS)
    })
}

//! `restock marketing`: the simulated marketing system alone.

use std::process::ExitCode;

use super::Outcome;
use crate::marketing::{Marketing, MarketingArgs};
use crate::terminal;

pub(crate) fn run(args: MarketingArgs) -> Outcome {
    super::log("info");
    super::runtime()?.block_on(async {
        let marketing = Marketing::open(args).await?;
        terminal::say(&format!(
            "the simulated marketing system listens on http://{}",
            marketing.address()
        ));
        tokio::select! {
            ended = marketing.serve() => ended?,
            asked = tokio::signal::ctrl_c() => asked?,
        }
        Ok(ExitCode::SUCCESS)
    })
}

//! `restock marketing`: the simulated marketing system alone.

use std::process::ExitCode;

use super::Outcome;
use crate::marketing::{Marketing, MarketingArgs};
use crate::{listen, terminal};

pub(crate) fn run(args: MarketingArgs) -> Outcome {
    super::log("info");
    super::runtime()?.block_on(async {
        let (listener, address) =
            listen::bind("the simulated marketing system", "--listen", args.listen).await?;
        let marketing = Marketing::open(&args.received, args.behaviour)?;
        terminal::say(&format!(
            "the simulated marketing system listens on http://{address}"
        ));
        tokio::select! {
            ended = axum::serve(listener, marketing.router()).into_future() => ended?,
            asked = tokio::signal::ctrl_c() => asked?,
        }
        Ok(ExitCode::SUCCESS)
    })
}

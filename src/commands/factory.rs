//! `restock factory`: the simulated factory alone.

use std::process::ExitCode;

use super::Outcome;
use crate::factory::{Factory, FactoryArgs};
use crate::{listen, terminal};

pub(crate) fn run(args: FactoryArgs) -> Outcome {
    super::log("info");
    super::runtime()?.block_on(async {
        let (listener, address) =
            listen::bind("the simulated factory", "--listen", args.listen).await?;
        let factory = Factory::open(&args.orders, args.behaviour)?;
        terminal::say(&format!(
            "the simulated factory listens on http://{address}"
        ));
        tokio::select! {
            ended = axum::serve(listener, factory.router()).into_future() => ended?,
            asked = tokio::signal::ctrl_c() => asked?,
        }
        Ok(ExitCode::SUCCESS)
    })
}

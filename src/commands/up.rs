//! `restock up`: everything on this machine, until it is told to stop.

use std::process::ExitCode;

use super::Outcome;
use crate::cli::UpArgs;
use crate::local::{Local, ready};
use crate::{banner, terminal};

pub(crate) fn run(args: UpArgs) -> Outcome {
    super::log("info,aws_config=warn,aws_smithy_runtime=warn,sqlx=warn,hyper=warn");
    super::runtime()?.block_on(async {
        if let Some(file) = &args.ready_file {
            ready::remove(file)?;
        }
        let ready_file = args.ready_file.clone();
        let mut local = Local::open(args).await?;
        if let Some(file) = &ready_file {
            ready::write(file, local.listening())?;
        }
        terminal::say(&banner::up(&local));
        let ended = tokio::select! {
            ended = local.run() => ended.map_err(Into::into),
            signal = super::asked_to_stop() => signal.map_err(Into::into),
        };
        if let Some(file) = &ready_file {
            ready::remove(file)?;
        }
        local.close().await;
        ended.map(|()| ExitCode::SUCCESS)
    })
}

//! `restock console`: the console alone, over an endpoint that runs already, or over AWS.

use std::process::ExitCode;

use ::console::{Console, Options, Place, Shop, check_address};
use shop::{Customers, Warehouse};
use tokio::net::TcpListener;

use super::Outcome;
use crate::cli::ConsoleVerbArgs;
use crate::local::console::contracts;
use crate::operate::connect;
use crate::terminal;

/// Connections to each database; pages are few.
const CONNECTIONS: u32 = 4;

pub(crate) fn run(args: ConsoleVerbArgs) -> Outcome {
    super::log("info,aws_config=warn,aws_smithy_runtime=warn,sqlx=warn,hyper=warn");
    super::runtime()?.block_on(async {
        check_address(args.console.console, args.console.token())?;
        let connection = connect::open(&args.endpoint).await;
        let place = match &args.endpoint.profile {
            Some(profile) => Place::Aws {
                profile: profile.clone(),
            },
            None => Place::Endpoint(connect::endpoint_url(&args.endpoint).to_owned()),
        };
        let shop = match (&args.database_url, &args.customers_url) {
            (Some(warehouse), Some(customers)) => Some(Shop {
                warehouse: Warehouse::open(warehouse, CONNECTIONS)?,
                customers: Customers::open(customers, CONNECTIONS)?,
            }),
            _ => None,
        };
        let console = Console::open(Options {
            listen: args.console.console,
            token: args.console.console_token.clone(),
            hosts: args.console.console_host.clone(),
            connection,
            place,
            shop,
            data_dir: None,
            contracts: contracts(),
        })?;
        let listener = TcpListener::bind(args.console.console)
            .await
            .map_err(|error| {
                format!(
                    "the console cannot listen on {}: {error}. Name another address with --console, or port 0 for a free one",
                    args.console.console
                )
            })?;
        terminal::say(&format!("the console is at http://{}", listener.local_addr()?));
        tokio::select! {
            served = console.serve(listener) => served?,
            signal = super::asked_to_stop() => signal?,
        }
        Ok(ExitCode::SUCCESS)
    })
}

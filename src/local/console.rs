//! The console of this installation: what it is given.

use std::collections::BTreeMap;

use ::console::{Console, Contract, OpenError, Options, Place, Shop};
use aws_config::SdkConfig;
use operate::Connection;
use shop::{Customers, Warehouse};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::cli::ConsoleArgs;
use crate::data_dir::DataDir;

/// A console over this installation's AWS endpoint, with its shop.
pub(super) fn open(
    args: &ConsoleArgs,
    aws: &str,
    sdk: SdkConfig,
    data: &DataDir,
    (warehouse, customers): (Warehouse, Customers),
) -> Result<Console, OpenError> {
    Console::open(Options {
        listen: args.console,
        token: args.console_token.clone(),
        hosts: args.console_host.clone(),
        connection: Connection::new(sdk, None),
        place: Place::Endpoint(aws.to_owned()),
        shop: Some(Shop {
            warehouse,
            customers,
        }),
        data_dir: Some(data.path().to_owned()),
        contracts: contracts(),
    })
}

/// Serves it until the set is dropped.
pub(super) fn serve(running: &mut JoinSet<()>, console: Console, listener: TcpListener) {
    running.spawn(async move {
        if let Err(error) = console.serve(listener).await {
            tracing::error!(%error, "the console stopped listening");
        }
    });
}

/// What the tasks take, give and fail with; the console itself knows no task.
pub(crate) fn contracts() -> BTreeMap<String, Contract> {
    let contract = |task: &tasks::registry::Task| Contract {
        about: task.about.to_owned(),
        input: (task.input)().into(),
        output: (task.output)().into(),
        errors: (task.errors)().into_iter().map(str::to_owned).collect(),
    };
    tasks::registry::TASKS
        .iter()
        .map(|task| (task.name.to_owned(), contract(task)))
        .collect()
}

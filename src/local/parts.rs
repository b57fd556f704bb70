//! The parts that listen: HTTP servers, and the simulated factory and marketing system where there is no real one.

use std::net::{Ipv4Addr, SocketAddr};

use axum::Router;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::LocalError;
use crate::cli::UpArgs;
use crate::data_dir::{DataDir, Part};
use crate::factory::{Factory, FactoryArgs, Fault};
use crate::marketing::{Marketing, MarketingArgs, MarketingFault};

/// Serves `router` until the set is dropped.
pub(super) fn serve(
    running: &mut JoinSet<()>,
    part: &'static str,
    listener: TcpListener,
    router: Router,
) {
    running.spawn(async move {
        if let Err(error) = axum::serve(listener, router).await {
            tracing::error!(part, %error, "stopped listening");
        }
    });
}

/// Starts the simulated factory on the port it had before and gives its URL.
pub(super) async fn factory(
    running: &mut JoinSet<()>,
    data: &DataDir,
    args: &UpArgs,
) -> Result<String, LocalError> {
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let settings = FactoryArgs {
        listen: data.preferred(Part::Factory, any),
        orders: data.factory_orders(),
        delay_ms: args.factory_delay_ms,
        fault: Fault::None,
        fault_count: None,
        short_by: 0,
    };
    // The port of last time may be taken by now; orders carry the callback's URL, not the factory's.
    let factory = match Factory::open(settings.clone()).await {
        Ok(factory) => factory,
        Err(error) if settings.listen != any => {
            tracing::info!(%error, "the simulated factory moves to another port");
            Factory::open(FactoryArgs {
                listen: any,
                ..settings
            })
            .await?
        }
        Err(error) => return Err(error.into()),
    };
    let address = factory.address();
    data.keep_port(Part::Factory, address.port())?;
    running.spawn(async move {
        if let Err(error) = factory.serve().await {
            tracing::error!(%error, "the simulated factory stopped");
        }
    });
    Ok(format!("http://{address}"))
}

/// Starts the simulated marketing system on the port it had before and gives its URL.
pub(super) async fn marketing(
    running: &mut JoinSet<()>,
    data: &DataDir,
) -> Result<String, LocalError> {
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let settings = MarketingArgs {
        listen: data.preferred(Part::Marketing, any),
        received: data.marketing_received(),
        fault: MarketingFault::None,
        fault_count: None,
        retry_after: 1,
    };
    // The port of last time may be taken by now; the tasks are told the new one with every start.
    let marketing = match Marketing::open(settings.clone()).await {
        Ok(marketing) => marketing,
        Err(error) if settings.listen != any => {
            tracing::info!(%error, "the simulated marketing system moves to another port");
            Marketing::open(MarketingArgs {
                listen: any,
                ..settings
            })
            .await?
        }
        Err(error) => return Err(error.into()),
    };
    let address = marketing.address();
    data.keep_port(Part::Marketing, address.port())?;
    running.spawn(async move {
        if let Err(error) = marketing.serve().await {
            tracing::error!(%error, "the simulated marketing system stopped");
        }
    });
    Ok(format!("http://{address}"))
}

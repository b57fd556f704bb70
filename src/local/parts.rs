//! The parts that listen: HTTP servers, and the simulated factory and marketing system where there is no real one.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use axum::Router;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::LocalError;
use crate::cli::{CONSOLE, UpArgs};
use crate::data_dir::{DataDir, Part};
use crate::factory::{self, Factory, Fault};
use crate::listen;
use crate::marketing::{self, Marketing, MarketingFault};

/// Binds, preferring the port this installation had before, and keeps the port that was chosen.
pub(super) async fn bind(
    data: &DataDir,
    part: Part,
    name: &'static str,
    flag: &'static str,
    asked: SocketAddr,
) -> Result<(TcpListener, SocketAddr), LocalError> {
    let preferred = data.preferred(part, asked);
    let bound = match listen::bind(name, flag, preferred).await {
        // The port of last time is taken by somebody else: any other will do where port 0 was asked for.
        Err(error) if error.source.kind() == io::ErrorKind::AddrInUse && preferred != asked => {
            listen::bind(name, flag, asked).await
        }
        other => other,
    };
    let (listener, address) = bound?;
    if asked.port() == 0 {
        data.keep_port(part, address.port())?;
    }
    Ok((listener, address))
}

/// Binds the console. Where nobody chose its address and another program has it, a second `up` most likely, any free
/// port does: nobody's URL depends on it.
pub(super) async fn console(
    data: &DataDir,
    asked: SocketAddr,
) -> Result<(TcpListener, SocketAddr), LocalError> {
    let bind_at =
        async |address| bind(data, Part::Console, "the console", "--console", address).await;
    match bind_at(asked).await {
        Err(LocalError::Listen(error))
            if asked == CONSOLE && error.source.kind() == io::ErrorKind::AddrInUse =>
        {
            tracing::warn!(address = %asked, "taken: the console listens on a free port");
            bind_at(SocketAddr::new(asked.ip(), 0)).await
        }
        bound => bound,
    }
}

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

const ANY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// Starts the simulated factory on the port it had before and gives its URL. Another port does no harm: orders carry
/// the callback's URL, not the factory's.
pub(super) async fn factory(
    running: &mut JoinSet<()>,
    data: &DataDir,
    args: &UpArgs,
) -> Result<String, LocalError> {
    const NAME: &str = "the simulated factory";
    let (listener, address) = bind(data, Part::Factory, NAME, "--factory-url", ANY).await?;
    let behaviour = factory::Behaviour {
        delay_ms: args.factory_delay_ms,
        fault: Fault::None,
        fault_count: None,
        short_by: 1,
    };
    let factory = Factory::open(&data.factory_orders(), behaviour)?;
    serve(running, NAME, listener, factory.router());
    Ok(format!("http://{address}"))
}

/// Starts the simulated marketing system on the port it had before and gives its URL. Another port does no harm: the
/// tasks are told it with every start.
pub(super) async fn marketing(
    running: &mut JoinSet<()>,
    data: &DataDir,
) -> Result<String, LocalError> {
    const NAME: &str = "the simulated marketing system";
    let (listener, address) = bind(data, Part::Marketing, NAME, "--marketing-url", ANY).await?;
    let behaviour = marketing::Behaviour {
        fault: MarketingFault::None,
        fault_count: None,
        retry_after: 1,
    };
    let marketing = Marketing::open(&data.marketing_received(), behaviour)?;
    serve(running, NAME, listener, marketing.router());
    Ok(format!("http://{address}"))
}

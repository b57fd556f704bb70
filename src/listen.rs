//! Listening: one way to bind an address, and one error that says what to do.

use std::io;
use std::net::SocketAddr;

use thiserror::Error;
use tokio::net::TcpListener;

/// Why a part does not listen.
#[derive(Debug, Error)]
#[error(
    "{part} cannot listen on {address}: {source}. Name another address with {flag}, or port 0 for a free one"
)]
pub(crate) struct ListenError {
    part: &'static str,
    flag: &'static str,
    address: SocketAddr,
    pub(crate) source: io::Error,
}

/// Binds `address` for `part`, which `flag` chooses; also gives the address that was bound.
pub(crate) async fn bind(
    part: &'static str,
    flag: &'static str,
    address: SocketAddr,
) -> Result<(TcpListener, SocketAddr), ListenError> {
    let bound = async {
        let listener = TcpListener::bind(address).await?;
        let bound = listener.local_addr()?;
        Ok((listener, bound))
    };
    bound.await.map_err(|source| ListenError {
        part,
        flag,
        address,
        source,
    })
}

//! The web console: pages about executions, workflows, queues and the shop, rendered on the server.
//!
//! It is an ordinary client: everything about workflows comes through the AWS SDK (so the same pages stand over
//! `restock up` and over AWS), everything about the shop through the `shop` crate. It never opens the engine's files,
//! and a browser never calls the AWS APIs itself.
//!
//! Where to start reading: [`Options`] for what it is given, `app.rs` for what a handler has, `pages/` for a page each,
//! `layout.rs` for what all pages share.

mod act;
mod app;
mod assets;
mod error;
mod fleet;
mod graph;
mod guard;
mod layout;
mod live;
mod login;
mod pages;
mod payload;
mod redact;
mod run;
#[cfg(test)]
mod stand_in;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use thiserror::Error;
use tokio::net::TcpListener;

pub use app::{Contract, Options, Place, Shop};

/// Whether a console may listen there: loopback alone, or anywhere with a token that cannot be guessed.
pub fn check_address(listen: SocketAddr, token: Option<&str>) -> Result<(), OpenError> {
    match token {
        None if !listen.ip().is_loopback() => Err(OpenError::NeedsToken(listen)),
        Some(token) if token.chars().count() < login::SHORTEST => Err(OpenError::WeakToken),
        _ => Ok(()),
    }
}

/// The console, ready to be served.
#[derive(Clone, Debug)]
pub struct Console {
    app: Arc<app::App>,
}

/// Why the console did not start.
#[derive(Debug, Error)]
pub enum OpenError {
    /// It would show the shop's business to the network, to anybody.
    #[error(
        "the console would listen on {0}, which other machines reach: give it a token (--console-token, at least 16 characters), or listen on 127.0.0.1"
    )]
    NeedsToken(SocketAddr),
    /// A token that can be guessed.
    #[error("--console-token is too short: at least 16 characters, so that it cannot be guessed")]
    WeakToken,
}

impl Console {
    /// Checks the options; nothing is called yet.
    pub fn open(options: Options) -> Result<Console, OpenError> {
        check_address(options.listen, options.token.as_deref())?;
        Ok(Console {
            app: Arc::new(app::App::new(options)),
        })
    }

    /// Every page, with login, checks and headers around it. Needs the peer's address (`ConnectInfo`) to slow down
    /// whoever guesses tokens.
    pub fn router(&self) -> Router {
        guard::around(pages::router(&self.app), &self.app)
    }

    /// Serves until it fails, or until the future is dropped.
    pub async fn serve(self, listener: TcpListener) -> io::Result<()> {
        let service = self
            .router()
            .into_make_service_with_connect_info::<SocketAddr>();
        axum::serve(listener, service).await
    }
}

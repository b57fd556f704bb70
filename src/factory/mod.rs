//! The simulated legacy factory: a stand-in for the one system we do not own.
//!
//! It keeps the original contract (`POST /api/manufactures`, later a POST of the same six fields to `CallbackUrl`), keeps
//! its open orders on disk so that it delivers after a restart too, and can misbehave in every way the real one may.
//! It must know nothing of the shop: only what a factory is told.

mod delivery;
mod orders;
mod server;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};

pub(crate) use server::{Factory, FactoryError};

/// Where the simulated factory listens and how it behaves.
#[derive(Clone, Debug, Args)]
pub(crate) struct FactoryArgs {
    /// Address to listen on; port 0 picks a free one
    #[arg(long, default_value = "127.0.0.1:4600")]
    pub listen: SocketAddr,
    /// Folder for the orders that are yet to be delivered
    #[arg(long, default_value = ".restock/factory")]
    pub orders: PathBuf,
    #[command(flatten)]
    pub behaviour: Behaviour,
}

/// How it behaves; `PATCH /simulation` changes it while it runs.
#[derive(Clone, Debug, Args, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Behaviour {
    /// Time from order to delivery, in milliseconds
    #[arg(long, default_value_t = 3_000)]
    pub delay_ms: u64,
    /// What goes wrong
    #[arg(long, value_enum, default_value_t = Fault::None)]
    pub fault: Fault,
    /// The fault hits the first N orders only; default: all of them
    #[arg(long)]
    pub fault_count: Option<u64>,
    /// With `--fault short`: how many items are missing from each delivery
    #[arg(long, default_value_t = 1)]
    pub short_by: u64,
}

/// One way to misbehave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Fault {
    /// Everything works
    None,
    /// Answers 500 and makes nothing
    Error,
    /// Answers 422 and makes nothing
    Reject,
    /// Never answers the order
    Hang,
    /// Answers 200 with its maintenance page, and makes nothing
    Rubbish,
    /// Takes the order and never delivers
    Silent,
    /// Delivers every order twice
    Duplicate,
    /// Delivers before it has answered the order
    Early,
    /// Delivers fewer items than ordered
    Short,
    /// Changes the signature in the callback URL
    WrongSignature,
}

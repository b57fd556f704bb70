//! The simulated marketing system: a stand-in for the one that VIPs are handed to.
//!
//! `POST /api/customers` with an `Idempotency-Key` takes a customer, `GET /api/customers` shows what it has. What it
//! received is on disk before it answers, so a key is known after a restart too, and it can misbehave in every way the
//! real one may. It must know nothing of the shop: only what a marketing system is told.

mod received;
mod server;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};

pub(crate) use server::{Marketing, MarketingError};

/// Where the simulated marketing system listens and how it behaves.
#[derive(Clone, Debug, Args)]
pub(crate) struct MarketingArgs {
    /// Address to listen on; port 0 picks a free one
    #[arg(long, default_value = "127.0.0.1:4700")]
    pub listen: SocketAddr,
    /// File of the customers it received, one JSON line each
    #[arg(long, default_value = ".restock/marketing.jsonl")]
    pub received: PathBuf,
    #[command(flatten)]
    pub behaviour: Behaviour,
}

/// How it behaves; `PATCH /simulation` changes it while it runs.
#[derive(Clone, Debug, Args, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Behaviour {
    /// What goes wrong
    #[arg(long, value_enum, default_value_t = MarketingFault::None)]
    pub fault: MarketingFault,
    /// The fault hits the first N requests only; default: all of them
    #[arg(long)]
    pub fault_count: Option<u64>,
    /// With `--fault throttle`: the Retry-After of its answers, in seconds
    #[arg(long, default_value_t = 1)]
    pub retry_after: u64,
}

/// One way to misbehave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum MarketingFault {
    /// Everything works
    None,
    /// Answers 500 and takes nothing
    Error,
    /// Answers 429 with Retry-After and takes nothing
    Throttle,
    /// Answers 422 and takes nothing
    Reject,
    /// Never answers, and takes nothing
    Hang,
    /// Takes the customer and never says so
    TakeAndHang,
    /// Answers 200 with something that is not the contract, and takes nothing
    Rubbish,
}

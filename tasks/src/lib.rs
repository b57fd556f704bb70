//! The tasks: Lambda functions of the shop's flows, one file each.
//!
//! A task is an `Input`, an `Output`, a closed enum of declared errors and a `handle` function over the
//! rules of [`shop`] and the AWS SDK. It knows neither the engine nor whether it runs on AWS.
//!
//! Where to start reading: [`registry`] (the table of all tasks), then [`sales_api`] (what a client
//! sees), [`start_reorder`] → [`check_stock`] → [`request_factory`] → [`await_callback`] →
//! [`factory_callback`] → [`increase_stock`] (the reorder flow in its order), [`email_ads`] beside it;
//! [`relay_outbox`] → [`start_vip`] → [`upgrade_tier`] → [`sync_marketing`] is the VIP flow.
//! [`migrate`] is what a deploy runs first.
//! [`runtime`] is the process around them, [`config`] every variable they read.

pub mod alerts;
mod answer;
mod app;
mod arrivals;
pub mod await_callback;
pub mod check_stock;
pub mod config;
pub mod email_ads;
pub mod error;
pub mod factory;
pub mod factory_callback;
mod http;
pub mod increase_stock;
pub mod marketing;
mod metrics;
pub mod migrate;
mod problem;
mod quantity;
pub mod registry;
pub mod relay_outbox;
mod reorders;
pub mod request_factory;
pub mod runtime;
pub mod sales_api;
pub mod secrets;
pub mod signature;
mod sqs;
pub mod start_reorder;
pub mod start_vip;
pub mod sync_marketing;
#[cfg(test)]
mod testing;
mod tokens;
pub mod upgrade_tier;

pub use app::App;
pub use config::Config;
pub use runtime::{RunError, main, run};

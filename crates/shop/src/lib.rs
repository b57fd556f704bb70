//! The shop: products, stock, orders, reorders at the factory, customers. Rules and SQL.
//!
//! This crate decides what is true: whether a checkout got its items, whether a reorder is open, whether
//! a delivery was counted. It knows nothing of AWS, of workflows or of HTTP; those who do call it, and
//! every function here may be called again after a crash without changing the result twice.
//!
//! Where to start reading: [`checkout`] (what a customer does), then [`reorder`] (the one open reorder
//! of a product), [`attempt`] → [`arrival`] (the call to the factory and what came of it).
//! `db` and `write` are how every one of them reaches the database.
//!
//! One SQL text serves SQLite (one machine) and MySQL or MariaDB (production): `?` placeholders, no
//! upserts, no locking reads, ids and times made here. Each table has one module that owns its SQL.
//! Times are milliseconds since 1970 in UTC.

pub mod arrival;
pub mod attempt;
pub mod checkout;
pub mod customer;
mod db;
mod error;
mod id;
pub mod ledger;
pub mod mail;
mod many;
mod migrate;
pub mod order;
pub mod outbox;
pub mod product;
pub mod reorder;
pub mod report;
mod seed;
pub mod token;
mod write;

pub use db::{Customers, Warehouse};
pub use error::{Entity, Error, Result};
pub use id::now_ms;

/// The most items that one checkout may ask for.
pub const MAX_QUANTITY: i64 = 1_000_000;

/// The most items that one delivery may bring. More is a mistake of the factory, not a delivery.
pub const MAX_DELIVERY: i64 = 1_000_000_000;

//! The shop's rules, each test on a real SQLite file and, where `RESTOCK_TEST_MYSQL_URL` names a server on
//! which we may create databases (`.ci/mariadb start` prints one), on MariaDB too.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "clippy.toml allows these in tests, but not in the helpers of an integration test"
)]

mod arrivals;
mod checkouts;
mod crashes;
mod crowds;
mod databases;
mod latest;
mod mails;
mod outbox;
mod reorders;
mod support;
mod tokens;
mod upgrades;

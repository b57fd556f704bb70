//! The terminal's side of operating: flags, tables, questions, editors. What is done lies in `crates/operate`.

pub(crate) mod args;
pub(crate) mod connect;
pub(crate) mod data;
pub(crate) mod error;
pub(crate) mod person;
pub(crate) mod view;

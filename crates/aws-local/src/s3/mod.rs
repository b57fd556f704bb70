//! A minimal S3: what Distributed Map reads and writes, and what the `aws s3` commands and boto3 need for it.
//!
//! Buckets and objects; no versions, no access rules, no multipart uploads (an object has at most [`OBJECT_LIMIT`] bytes). What
//! it does not know it refuses with S3's `NotImplemented`. [`store`] keeps things and is what the rest of this crate calls;
//! [`http`] is the wire.
//!
//! Source: Amazon S3 API reference.

mod body;
mod error;
mod http;
mod listing;
mod store;
mod xml;

pub use error::S3Error;
pub(crate) use http::is_for_s3;
pub use listing::{Entry, ListRequest, Listing};
pub use store::{Object, Properties, S3};

/// The largest object, in bytes; S3 itself takes 5 GiB in one piece.
pub const OBJECT_LIMIT: usize = 64 * 1024 * 1024;

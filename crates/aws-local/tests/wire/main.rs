//! The wire, asked by AWS's own SDKs and by raw requests, over a real engine in a temporary directory.

#![allow(
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise, its helpers too"
)]

mod aws_sdk;
mod raw;
mod runner;
mod s3;
mod ses;
mod sns;
mod sqs;
mod support;

//! AWS protocols over the engine: Step Functions, SQS, SNS, SES, Lambda and a minimal S3 on one machine.
//!
//! Unmodified `aws` command line, boto3 and SDKs talk to this crate as they talk to AWS; names, errors and limits are AWS's. Where
//! we differ on purpose, `DEVIATIONS.md` beside this crate says so.
//!
//! It knows HTTP and the APIs. It must not know how anything becomes durable (the engine's), nor the shop or its workflows.
//!
//! Where to start reading: [`Server`] (what there is), `front` (which service a request is for), [`protocol`] (the formats),
//! then a service: [`sqs`] is the plainest.

pub mod attributes;
mod front;
pub mod lambda;
mod local;
mod map_run;
pub mod mock;
mod models;
pub mod outbox;
pub mod protocol;
pub mod runner;
pub mod s3;
mod server;
pub mod ses;
pub mod sns;
pub mod sqs;
pub mod states;

pub use server::{Options, Server, ServerError};

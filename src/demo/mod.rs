//! `restock demo`: a shop's bad day in a quarter of a minute. Starts `restock up` as a child on free ports, drives it as
//! clients, a broken factory and an operator would, gathers the evidence of what restock can do, and checks every
//! invariant. Knows the installation only through its HTTP interfaces, the AWS SDK, the verbs and the shop's own report.
//!
//! Start reading at [`run`]: the story in its order.

mod books;
mod buying;
mod child;
mod operator;
mod partners;
mod report;
mod shop;
mod trouble;
mod watch;

pub(crate) use child::{Child, ChildError};
pub(crate) use report::{Capability, Report};

use std::path::Path;
use std::time::Instant;

use crate::cli::DemoArgs;
use crate::terminal;

/// What can stop a demo before it has a report.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DemoError {
    #[error(transparent)]
    Child(#[from] ChildError),
    #[error("the demo's {what} failed: {why}")]
    Step { what: &'static str, why: String },
    #[error("{what} did not happen within {seconds} seconds. See the log in {log}")]
    TooSlow {
        what: &'static str,
        seconds: u64,
        log: String,
    },
}

/// Attaches the name of a step to whatever went wrong in it.
fn in_step<E: std::fmt::Display>(what: &'static str) -> impl FnOnce(E) -> DemoError {
    move |error| DemoError::Step {
        what,
        why: error.to_string(),
    }
}

/// Who plays in the demo, and what was seen so far.
struct Stage {
    shop: shop::Client,
    partners: partners::Partners,
    operator: operator::Operator,
    watch: watch::Watch,
    report: Report,
}

/// Runs the whole story in `folder`.
pub(crate) async fn run(args: &DemoArgs, folder: &Path) -> Result<Report, DemoError> {
    let started = Instant::now();
    terminal::say("restock demo: starting an installation on free ports …");
    let child = Child::start(folder, args).await?;
    let mut stage = Stage {
        shop: shop::Client::new(&child)?,
        partners: partners::Partners::new(&child),
        operator: operator::Operator::new(&child)?,
        watch: watch::Watch::new(&child).await,
        report: Report::default(),
    };
    buying::a_customer_buys(&mut stage).await?;
    buying::a_bulk_buyer_becomes_a_vip(&mut stage, &child).await?;
    buying::a_surge_empties_the_warehouse(&mut stage, args).await?;
    trouble::the_factory_is_down(&mut stage).await?;
    trouble::a_delivery_comes_too_late(&mut stage).await?;
    books::the_books_are_checked(&mut stage).await?;
    child.stop().await?;
    Ok(stage.report.finish(started.elapsed().as_secs_f64()))
}

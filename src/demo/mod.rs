//! `restock demo`: a shop's bad day in half a minute. Starts `restock up` as a child on free ports, drives it as clients
//! would, and checks every invariant afterwards. Knows the installation only through its HTTP interfaces, the AWS SDK
//! and the shop's own report.

mod child;
mod drive;
mod evidence;
mod report;

pub(crate) use child::{Child, ChildError};
pub(crate) use report::Report;

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

/// Runs the whole story in `folder`.
pub(crate) async fn run(args: &DemoArgs, folder: &Path) -> Result<Report, DemoError> {
    let started = Instant::now();
    terminal::say("starting restock up on free ports …");
    let child = Child::start(
        folder,
        args.database_url.as_deref(),
        args.customers_url.as_deref(),
    )
    .await?;
    let shop = drive::Shop::new(&child)?;
    let mut report = Report::default();

    let before = shop.look().await?;
    report.tell(
        "look",
        format!("{} of {} in stock", before.stock, before.sku),
    );
    let bought = shop.buy(3, Some("demo-first-order")).await?;
    let again = shop.buy(3, Some("demo-first-order")).await?;
    report.tell(
        "buy",
        format!(
            "3 sold as order {}, {} remain",
            bought.order_id, bought.remaining
        ),
    );
    report.check(
        "the same Idempotency-Key gives the same answer once",
        bought == again,
        format!("order {} both times", again.order_id),
    );

    terminal::say(&format!(
        "surge: {} checkouts from {} clients …",
        args.checkouts, args.clients
    ));
    let surge = shop.surge(args.checkouts, args.clients).await?;
    report.tell("surge", surge.to_string());
    report.check(
        "every checkout was answered",
        surge.failed == 0,
        surge.to_string(),
    );

    terminal::say("buying more than there is …");
    let refused = shop.buy(100_000, None).await?;
    report.tell(
        "buy too much",
        format!("refused, {} remain", refused.remaining),
    );
    report.check(
        "a checkout above the stock is refused",
        refused.outcome == "refused",
        refused.outcome.clone(),
    );

    terminal::say("waiting for the factory …");
    evidence::settle(&child).await?;
    evidence::collect(&child, &shop, before.stock, &mut report).await?;
    report.seconds = started.elapsed().as_secs_f64();
    child.stop().await?;
    Ok(report)
}

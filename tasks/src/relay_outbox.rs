//! RelayOutbox: publishes sales from the outbox to SNS `order_placed`, in their order, each at least once.
//!
//! It runs after each sale, and on a schedule for what a crash or a dead SNS left. A sale is marked only
//! after SNS took it, so a crash between the two publishes it again; whoever listens must bear that
//! (`start_vip` does: an execution is named by its order). One relay at a time has the outbox's lease; a
//! publish gives up well within it, so that two relays do not overtake each other.
//!
//! Start reading at [`drain`]. [`follow`] runs it after each sale where the Sales API lives in a process
//! of its own, [`after_sale`] where it is a Lambda function, which is frozen once it has answered.

mod publish;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shop::{
    Warehouse,
    outbox::{self, Relay, Taken},
};
use tokio::{sync::Notify, time::timeout};

use crate::{
    app::App,
    error::{Common, with_sources},
};

/// How long one relay has the outbox to itself after each batch it takes, in milliseconds. What dies with
/// the lease delays publishing by so much.
const LEASE: i64 = 6_000;

/// Sales published at once: the most that PublishBatch takes.
const BATCH: u32 = 10;

/// After so long a run ends and leaves the rest to the next: less than the function's timeout.
const RUN: Duration = Duration::from_secs(40);

/// How long a Lambda of the Sales API may publish before it answers. How busy the machine is decides no test.
const INLINE: Duration = Duration::from_millis(if cfg!(test) { 60_000 } else { 500 });

/// Nothing is asked: `{}`.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Input {}

/// What a run did.
#[derive(Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Output {
    /// Sales published and marked.
    pub published: u64,
    /// Another relay is at it, at the latest until then, in milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held_until: Option<i64>,
}

/// SNS or the database; the next run goes on where this one stopped.
pub type Error = Common;

/// Rings when a sale was written to the outbox.
#[derive(Debug, Default)]
pub struct Bell(Notify);

impl Bell {
    /// A sale was committed.
    pub fn ring(&self) {
        self.0.notify_one();
    }

    /// Whether it rang since it was last heard.
    fn rang(&self) -> bool {
        std::pin::pin!(self.0.notified()).enable()
    }
}

/// Publishes what waits.
pub async fn handle(app: &App, _input: Input) -> Result<Output, Error> {
    drain(app).await
}

/// Publishes after each sale, and first what an earlier process left. Never ends.
pub async fn follow(app: Arc<App>) {
    loop {
        let drained = drain(&app).await;
        match drained {
            Ok(Output {
                held_until: Some(until),
                ..
            }) => {
                // Somebody else publishes, or died over it.
                let left = u64::try_from(until - shop::now_ms()).unwrap_or(0);
                tokio::time::sleep(Duration::from_millis(left.max(50))).await;
                continue;
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(
                cause = with_sources(&error),
                "sales are not published; the next sale or the schedule tries again"
            ),
        }
        app.sales.0.notified().await;
    }
}

/// Publishes for a short while if there was a sale. Whatever happens, the schedule takes the leftovers.
pub(crate) async fn after_sale(app: &App) {
    if !app.sales.rang() {
        return;
    }
    match timeout(INLINE, drain(app)).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => tracing::warn!(cause = with_sources(&error), "left to the schedule"),
        Err(_) => tracing::info!("publishing takes too long: left to the schedule"),
    }
}

/// Publishes until nothing waits, another relay has the lease, or SNS does not take it.
pub(crate) async fn drain(app: &App) -> Result<Output, Common> {
    let warehouse = app.warehouse()?;
    let started = Instant::now();
    let mut output = Output::default();
    // Looked at again after the lease was given up: a sale whose own relay found it taken counts on that.
    while started.elapsed() < RUN && outbox::waiting(warehouse).await? > 0 {
        let relay = Relay::new(LEASE);
        let ended = publish_all(app, warehouse, &relay, started, &mut output).await;
        if output.held_until.is_some() {
            break;
        }
        if let Err(error) = outbox::release(warehouse, &relay).await {
            tracing::warn!(cause = with_sources(&error), "the lease runs out by itself");
        }
        ended?;
    }
    if output.published > 0 {
        tracing::info!(published = output.published, "sales published");
    }
    Ok(output)
}

async fn publish_all(
    app: &App,
    warehouse: &Warehouse,
    relay: &Relay,
    started: Instant,
    output: &mut Output,
) -> Result<(), Common> {
    while started.elapsed() < RUN {
        let sales = match outbox::take(warehouse, relay, BATCH).await? {
            Taken::Sales(sales) if sales.is_empty() => break,
            Taken::Sales(sales) => sales,
            Taken::Held { until } => {
                output.held_until = Some(until);
                break;
            }
        };
        let (taken, refused) = publish::publish(app, &sales).await?;
        outbox::mark(warehouse, taken).await?;
        output.published += taken.len() as u64;
        if let Some(why) = refused {
            return Err(publish::failed(why));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;

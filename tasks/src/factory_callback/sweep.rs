//! What crashes leave between: deliveries nobody counted, oddities operations have not heard of, and open reorders whose
//! start was lost.

use schemars::JsonSchema;
use serde::Serialize;
use shop::{arrival, reorder, token};

use super::{Offer, offer};
use crate::{
    app::App,
    arrivals::{self, CountError},
    error::{Common, with_sources},
    reorders::{self, Started},
};

/// How long something must have been left before the sweep takes it, in milliseconds: longer than the
/// ordinary way takes.
const LEFT_FOR: i64 = 60_000;

/// The most deliveries in one run; the next run takes the next ones.
const MOST: i64 = 100;

/// What one sweep did.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Swept {
    /// Deliveries that were counted.
    pub applied: u32,
    /// Deliveries that an execution took.
    pub sent: u32,
    /// Deliveries that could not be settled or reported now; the next sweep tries again.
    pub waiting: u32,
    /// Counted deliveries that operations have heard of now.
    pub reported: u32,
    /// Open reorders whose execution was started, or runs.
    pub running: u32,
    /// Open reorders whose execution ended without closing them.
    pub dead: u32,
}

/// Settles what was left for a minute.
pub(super) async fn sweep(app: &App) -> Result<Swept, Common> {
    sweep_before(app, shop::now_ms() - LEFT_FOR).await
}

/// Settles what is older than `before` (milliseconds since 1970).
pub(super) async fn sweep_before(app: &App, before: i64) -> Result<Swept, Common> {
    let warehouse = app.warehouse()?;
    let mut swept = Swept::default();
    for arrival in arrival::unapplied(warehouse, before, MOST).await? {
        let settled = settle(app, &arrival).await;
        match settled {
            Ok(Offer::Taken) => swept.sent += 1,
            Ok(_) => swept.applied += 1,
            Err(error) => {
                swept.waiting += 1;
                let attempt_id = &arrival.attempt_id;
                tracing::error!(attempt_id, error = with_sources(&error), "not settled");
            }
        }
    }
    for reorder in reorder::list_open(warehouse).await? {
        if reorder.opened_at >= before {
            continue;
        }
        match reorders::start(app, &reorder).await {
            Ok(Started::Running) => swept.running += 1,
            // Left alone. It ended badly because a person discarded or stopped it, or because nobody replayed it for
            // days: asking the factory again a minute later would overrule them, and where executions die at once, ask
            // it every minute. Operations were told when it ended and can redrive it, since it keeps its claim; the
            // next refused checkout, which is new demand, replaces it.
            Ok(Started::Ended) => swept.dead += 1,
            // One that cannot be started must not keep the others from it.
            Err(error) => {
                let reorder_id = &reorder.reorder_id;
                tracing::error!(reorder_id, error = with_sources(&error), "not started");
            }
        }
    }
    // Last, and no further than the first that fails: a dead SNS takes its time over each.
    for arrival in arrival::unreported(warehouse, before, MOST).await? {
        let attempt_id = &arrival.attempt_id;
        if let Err(error) = arrivals::report(app, &arrival).await {
            swept.waiting += 1;
            tracing::error!(attempt_id, error = with_sources(&error), "not reported");
            break;
        }
        swept.reported += 1;
    }
    tracing::info!(?swept, "swept");
    Ok(swept)
}

async fn settle(app: &App, arrival: &arrival::Arrival) -> Result<Offer, CountError> {
    let waiting = token::open_for(
        app.warehouse().map_err(CountError::Common)?,
        &arrival.attempt_id,
    )
    .await
    .map_err(Common::from)?;
    let offered = offer(app, arrival, waiting).await?;
    if offered != Offer::Taken {
        arrivals::count_alone(
            app,
            &arrival.attempt_id,
            "Nobody had counted it for a minute, so the sweep did.",
        )
        .await?;
    }
    Ok(offered)
}

//! Starting the execution of a reorder, which is also the look-up whether it runs.
//!
//! Name and input come from the reorder's row alone and never change, so StartExecution answers: running
//! (the same ARN again), or closed (`ExecutionAlreadyExists`). Nothing here asks DescribeExecution.

use aws_sdk_sfn::error::ProvideErrorMetadata;
use shop::reorder::{self, Claim, Reorder};

use crate::{app::App, error::Common};

/// How many dead claims in a row are replaced before giving up. Each replacement gets a new random id,
/// so a second one in a row means that executions die as fast as they start.
const MOST_DEAD_CLAIMS: usize = 3;

/// What starting found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Started {
    /// The execution runs, since now or earlier.
    Running,
    /// An execution of this name has ended.
    Ended,
}

/// Starts a reorder's execution, or finds out about it.
pub(crate) async fn start(app: &App, reorder: &Reorder) -> Result<Started, Common> {
    let failed = |why: &dyn std::fmt::Display| Common::InvalidInput(why.to_string());
    let input = serde_json::to_string(&reorder.input()).map_err(|error| failed(&error))?;
    let sent = app
        .step_functions()
        .await
        .start_execution()
        .state_machine_arn(app.config.reorder_state_machine()?)
        .name(reorder.execution_name())
        .input(input)
        .send()
        .await;
    let started = match sent {
        Ok(_) => Started::Running,
        Err(error) if error.code() == Some("ExecutionAlreadyExists") => Started::Ended,
        Err(error) => return Err(Common::aws("Step Functions", "StartExecution", &error)),
    };
    tracing::info!(
        reorder_id = reorder.reorder_id,
        product_id = reorder.product_id,
        ?started,
        "reorder execution"
    );
    Ok(started)
}

/// Makes sure that the product's claim belongs to an execution that runs: starts it, and where it has
/// ended without closing its reorder, releases the claim, claims the next and starts that.
pub(crate) async fn ensure_running(app: &App, claim: Claim, count: i64) -> Result<Reorder, Common> {
    let mut reorder = claim.reorder;
    for _ in 0..MOST_DEAD_CLAIMS {
        if start(app, &reorder).await? == Started::Running {
            return Ok(reorder);
        }
        tracing::warn!(
            reorder_id = reorder.reorder_id,
            "its execution has ended: the next is claimed"
        );
        let next = reorder::release_and_claim(app.warehouse()?, &reorder.reorder_id, count).await?;
        reorder = next.reorder;
    }
    Err(Common::Aws {
        service: "Step Functions",
        action: "StartExecution",
        why: format!(
            "{MOST_DEAD_CLAIMS} executions in a row had ended when they were started; the last is {}",
            reorder.execution_name()
        ),
    })
}

//! Counting a delivery into the stock and what follows it: the reorder that it opened is started, and operations hear
//! of whatever is odd about it.
//!
//! What is odd is recorded with the count, so none of what follows is lost: the sweep starts open reorders and reports
//! what was not reported, however often it takes.

use shop::arrival::{self, Applied, Arrival};

use crate::{
    alerts::{self, Alert},
    app::App,
    error::{Common, with_sources},
    reorders,
};

/// Why a delivery was not counted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CountError {
    /// It was never recorded.
    #[error("no such delivery was recorded")]
    NotFound,
    /// See [`Common`].
    #[error(transparent)]
    Common(#[from] Common),
}

/// Counts a recorded delivery that an execution took. Safe to repeat.
pub(crate) async fn count(app: &App, attempt_id: &str) -> Result<Applied, CountError> {
    let applied = arrival::apply(app.warehouse()?, attempt_id).await;
    settled(app, applied).await
}

/// Counts a recorded delivery that no execution takes; `why` is what operations are told. Safe to repeat.
pub(crate) async fn count_alone(
    app: &App,
    attempt_id: &str,
    why: &str,
) -> Result<Applied, CountError> {
    let applied = arrival::apply_alone(app.warehouse()?, attempt_id, why).await;
    settled(app, applied).await
}

async fn settled(app: &App, applied: shop::Result<Applied>) -> Result<Applied, CountError> {
    let applied = applied.map_err(|error| match error {
        shop::Error::NotFound { .. } => CountError::NotFound,
        other => Common::from(other).into(),
    })?;
    tracing::info!(
        product_id = applied.arrival.product_id,
        delivered = applied.arrival.delivered,
        stock = applied.product.stock,
        first = applied.first,
        "delivery counted"
    );
    // A dead SNS is no reason to count again, or to park an execution whose delivery is in the stock.
    if let Err(error) = report(app, &applied.arrival).await {
        tracing::error!(
            attempt_id = applied.arrival.attempt_id,
            error = with_sources(&error),
            "operations could not be told; the sweep tells them"
        );
    }
    if let Some(next) = &applied.next {
        reorders::start(app, next).await?;
    }
    Ok(applied)
}

/// Tells operations what is odd about a counted delivery, unless they have heard or nothing is. At least once: who
/// crashes between telling and noting it tells again.
pub(crate) async fn report(app: &App, arrival: &Arrival) -> Result<(), Common> {
    if !arrival.must_be_reported() {
        return Ok(());
    }
    let alert = describe(arrival);
    tracing::warn!(
        product_id = arrival.product_id,
        attempt_id = arrival.attempt_id,
        what = alert.what,
        "operations are told"
    );
    alerts::tell(app, &alert).await?;
    arrival::reported(app.warehouse()?, &arrival.attempt_id).await?;
    Ok(())
}

fn describe(arrival: &Arrival) -> Alert {
    let Arrival {
        asked, delivered, ..
    } = arrival;
    let what = match delivered.cmp(asked) {
        std::cmp::Ordering::Less => "the factory delivered fewer items than asked",
        std::cmp::Ordering::Greater => "the factory delivered more items than asked",
        std::cmp::Ordering::Equal => "a delivery was counted without its execution",
    };
    let mut why = vec![format!(
        "Attempt {} asked for {asked} and brought {delivered}, which are in the stock.",
        arrival.attempt_id
    )];
    if delivered != asked {
        why.push("Settle the difference with the factory.".to_owned());
    }
    why.extend(arrival.remark.clone());
    let execution = format!("reorder-{}", arrival.reorder_id);
    Alert {
        what: what.to_owned(),
        about: format!(
            "product {}, reorder {}",
            arrival.product_id, arrival.reorder_id
        ),
        since: arrival.arrived_at,
        why: why.join(" "),
        look: format!("restock executions show {execution}"),
        replay: match arrival.remark {
            None => "nothing to repeat".to_owned(),
            // Where its execution did not see the delivery, nobody has said yet that the ads may resume.
            Some(_) => format!(
                "where its execution is parked, restock dlq replay {execution} lets the ads resume \
                 (first restock executions redrive {execution} where it has ended)"
            ),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrival(delivered: i64, remark: Option<&str>) -> Arrival {
        Arrival {
            attempt_id: "AT-1".into(),
            reorder_id: "RO-1".into(),
            product_id: "CP-1".into(),
            asked: 10,
            delivered,
            arrived_at: 0,
            applied_at: Some(1),
            remark: remark.map(str::to_owned),
            reported_at: None,
        }
    }

    #[test]
    fn each_oddity_has_its_words() {
        let late = describe(&arrival(10, Some("Nobody waited.")));
        assert_eq!(late.what, "a delivery was counted without its execution");
        assert!(
            late.why.ends_with("in the stock. Nobody waited."),
            "{}",
            late.why
        );
        let short = describe(&arrival(7, Some("Nobody waited.")));
        assert!(short.what.contains("fewer"));
        assert!(
            short.why.contains("asked for 10 and brought 7")
                && short.why.contains("Settle")
                && short.why.ends_with("Nobody waited."),
            "{}",
            short.why
        );
        assert!(describe(&arrival(11, None)).what.contains("more"));
    }
}

//! Numbers that AWS does not have, for alarms: who waits for the factory and for how long, and which sales are not
//! published yet.
//!
//! Written as a line of CloudWatch's embedded metric format, which becomes metrics where logs go to CloudWatch and is an
//! ordinary line of JSON everywhere else. `terraform/alarms.tf` has the alarms.

use std::io::Write;

use serde_json::{Value, json};
use shop::{outbox, token};

use crate::{app::App, error::Common};

/// The metrics' namespace.
const NAMESPACE: &str = "restock";

/// What waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Waiting {
    /// Executions that wait for a delivery, and since when the first of them does.
    tokens: (i64, Option<i64>),
    /// Sales that are not published, and the time of the first of them.
    outbox: (i64, Option<i64>),
}

/// Reads the numbers and writes their line to stderr, beside the log.
pub(crate) async fn tell(app: &App) -> Result<(), Common> {
    let warehouse = app.warehouse()?;
    let waiting = Waiting {
        tokens: token::waiting(warehouse).await?,
        outbox: (
            outbox::waiting(warehouse).await?,
            outbox::oldest(warehouse).await?,
        ),
    };
    let line = line(waiting, &crate::config::function_name(), shop::now_ms());
    // Whoever closed stderr does not want to know.
    let _ = writeln!(std::io::stderr().lock(), "{line}");
    Ok(())
}

/// The line at `now`, in milliseconds since 1970. Ages are in whole seconds; 0 where nothing waits.
fn line(waiting: Waiting, function: &str, now: i64) -> Value {
    let age = |since: Option<i64>| since.map_or(0, |since| (now - since).max(0) / 1_000);
    let metric = |name: &str, unit: &str| json!({"Name": name, "Unit": unit});
    json!({
        "_aws": {
            "Timestamp": now,
            "CloudWatchMetrics": [{
                "Namespace": NAMESPACE,
                "Dimensions": [["FunctionName"]],
                "Metrics": [
                    metric("WaitingTokens", "Count"),
                    metric("WaitingOldestSeconds", "Seconds"),
                    metric("OutboxWaiting", "Count"),
                    metric("OutboxOldestSeconds", "Seconds"),
                ],
            }],
        },
        "FunctionName": function,
        "WaitingTokens": waiting.tokens.0,
        "WaitingOldestSeconds": age(waiting.tokens.1),
        "OutboxWaiting": waiting.outbox.0,
        "OutboxOldestSeconds": age(waiting.outbox.1),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Shop;

    const NOW: i64 = 1_700_000_000_999;

    fn numbers(line: &Value) -> [&Value; 4] {
        [
            "WaitingTokens",
            "WaitingOldestSeconds",
            "OutboxWaiting",
            "OutboxOldestSeconds",
        ]
        .map(|name| &line[name])
    }

    #[test]
    fn ages_are_whole_seconds_and_nothing_that_waits_has_none() {
        let none = Waiting {
            tokens: (0, None),
            outbox: (0, None),
        };
        assert_eq!(numbers(&line(none, "f", NOW)), [0, 0, 0, 0]);
        let some = Waiting {
            tokens: (2, Some(NOW - 43_200_500)),
            // A clock that is ahead of ours.
            outbox: (1, Some(NOW + 5_000)),
        };
        assert_eq!(numbers(&line(some, "f", NOW)), [2, 43_200, 1, 0]);
    }

    #[test]
    fn every_declared_metric_and_dimension_is_in_the_line() {
        let waiting = Waiting {
            tokens: (1, Some(NOW)),
            outbox: (1, Some(NOW)),
        };
        let line = line(waiting, "factory_callback", NOW);
        let declared = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(line["_aws"]["Timestamp"], NOW);
        assert_eq!(line["FunctionName"], "factory_callback");
        assert_eq!(declared["Dimensions"], json!([["FunctionName"]]));
        let metrics = declared["Metrics"].as_array().unwrap();
        assert_eq!(metrics.len(), 4);
        for metric in metrics {
            assert!(line[metric["Name"].as_str().unwrap()].is_i64(), "{metric}");
        }
    }

    #[tokio::test]
    async fn they_can_be_read_from_a_new_warehouse() {
        tell(&Shop::open().await.app).await.unwrap();
    }
}

//! What is done with a case of each kind.

mod api;
mod execution;
pub(crate) mod mocked;
mod request;

use std::time::Duration;

use serde_json::{Value, json};

use crate::case::{Case, Kind};
use crate::difference::{Difference, differences};
use crate::history::Level;
use crate::normal::normal;
use crate::placeholders::Placeholders;
use crate::wire::Wire;

/// A case that takes longer is given up. Recorded executions wait up to half a minute of real time.
const PATIENCE: Duration = Duration::from_secs(120);

/// How a case went.
pub(crate) struct Ran {
    pub(crate) id: String,
    pub(crate) area: String,
    pub(crate) kind: Kind,
    pub(crate) level: Level,
    pub(crate) found: Vec<Difference>,
}

/// Runs a case; `number` is its own.
pub(crate) async fn case(wire: &Wire, case: &Case, number: usize) -> Ran {
    let run = async {
        match case.kind() {
            Kind::Execution => execution::run(wire, case, number).await,
            Kind::Mocked => mocked::run(wire, case).await,
            Kind::CreateError => request::create(wire, case, number).await,
            Kind::Validation => request::validate(wire, case).await,
            Kind::TestState => request::test_state(wire, case).await,
            Kind::Api => api::run(wire, case, number).await,
        }
    };
    let timed_out = |_| different("did not end");
    let (level, found) = tokio::time::timeout(PATIENCE, run)
        .await
        .unwrap_or_else(timed_out);
    Ran {
        id: case.id.clone(),
        area: case.area.clone(),
        kind: case.kind(),
        level,
        found,
    }
}

type Outcome = (Level, Vec<Difference>);

/// Nothing to compare: why.
fn different(why: impl Into<Value>) -> Outcome {
    let found = Difference {
        place: String::new(),
        expected: json!("an answer"),
        actual: why.into(),
    };
    (Level::Different, vec![found])
}

/// Compares a recorded answer with an actual one.
fn compare(case: &Case, expected: &Value, actual: &Value) -> Vec<Difference> {
    differences(expected, &normal(actual), &mut Placeholders::of(case))
}

/// Exact if there is no difference, else the outcome's level if at least that fits.
fn judge(found: Vec<Difference>, outcome: bool) -> Outcome {
    match (found.is_empty(), outcome) {
        (true, _) => (Level::Exact, found),
        (false, true) => (Level::Flow, found),
        (false, false) => (Level::Different, found),
    }
}

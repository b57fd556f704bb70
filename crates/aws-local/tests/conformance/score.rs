//! Scores: counted by kind and area, printed, and compared with the last ones.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::case::{Case, Kind};
use crate::history::Level;
use crate::run::Ran;

/// How many cases of a kind and area there are, and how many were exact.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Count {
    exact: u32,
    of: u32,
}

pub(crate) struct Score {
    counts: BTreeMap<String, BTreeMap<String, Count>>,
    results: Vec<Ran>,
}

/// `conformance.json`.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Recorded {
    /// Scores by set of cases (see [`name_of`]), kind and area.
    scores: BTreeMap<String, BTreeMap<String, BTreeMap<String, Count>>>,
    /// Ids of cases that are not exact, and why.
    differences: BTreeMap<String, String>,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Execution => "executions",
            Kind::Mocked => "mocked executions",
            Kind::CreateError => "creation errors",
            Kind::Validation => "validation",
            Kind::TestState => "TestState",
            Kind::Api => "api",
        }
    }
}

impl Score {
    pub(crate) fn of(mut results: Vec<Ran>) -> Score {
        results.sort_by(|a, b| (a.kind, &a.id).cmp(&(b.kind, &b.id)));
        let mut counts: BTreeMap<String, BTreeMap<String, Count>> = BTreeMap::new();
        for ran in &results {
            let areas = counts.entry(ran.kind.name().to_owned()).or_default();
            let count = areas.entry(ran.area.clone()).or_default();
            count.of += 1;
            count.exact += u32::from(ran.level == Level::Exact);
        }
        Score { counts, results }
    }

    /// Prints the counts, and what differs. Straight to standard error: a passing test shows its score too.
    pub(crate) fn print(&self, title: &str) {
        let mut out = std::io::stderr().lock();
        let mut line = |text: &str| writeln!(out, "{text}").unwrap();
        line(&format!("\n{title:<46} exact    of"));
        for (kind, areas) in &self.counts {
            for (area, count) in areas {
                line(&format!(
                    "  {kind:<18}{area:<26}{:>5}{:>6}",
                    count.exact, count.of
                ));
            }
            let sum = |of: fn(&Count) -> u32| areas.values().map(of).sum::<u32>();
            line(&format!(
                "  {:<44}{:>5}{:>6}",
                format!("{kind}, all"),
                sum(|count| count.exact),
                sum(|count| count.of)
            ));
        }
        let shown = std::env::var("ASL_CASES_SHOW").ok();
        for ran in self.unequal() {
            line(&format!("  not exact ({:?}): {}", ran.level, ran.id));
            if shown.as_ref().is_some_and(|text| ran.id.contains(text)) {
                for found in &ran.found {
                    line(&format!(
                        "    {}\n      recorded {}\n      came     {}",
                        found.place, found.expected, found.actual
                    ));
                }
            }
        }
    }

    fn unequal(&self) -> impl Iterator<Item = &Ran> {
        self.results.iter().filter(|ran| ran.level != Level::Exact)
    }

    pub(crate) fn assert_all_equal(&self) {
        let unequal: Vec<&str> = self.unequal().map(|ran| ran.id.as_str()).collect();
        assert!(unequal.is_empty(), "not as expected: {unequal:#?}");
    }

    /// Fails where the score is lower than the last one of the same cases. A set of cases that is not known has none.
    pub(crate) fn compare_with_last(&self, cases: &[Case]) {
        let mut recorded = Recorded::read();
        let set = name_of(cases);
        if std::env::var_os("ASL_CASES_RECORD").is_some() {
            recorded.scores.insert(set, self.counts.clone());
            let reason = |id: &str| recorded.differences.get(id).cloned().unwrap_or_default();
            recorded.differences = self
                .unequal()
                .map(|ran| (ran.id.clone(), reason(&ran.id)))
                .collect();
            let text = serde_json::to_string_pretty(&recorded).unwrap();
            std::fs::write(file(), text + "\n").unwrap();
            return;
        }
        let Some(last) = recorded.scores.get(&set) else {
            // Not `eprintln!`: that is shown only when a test fails.
            let mut out = std::io::stderr().lock();
            writeln!(out, "  no score is known of these cases ({set})").unwrap();
            return;
        };
        let mut fallen = Vec::new();
        for (kind, areas) in last {
            for (area, last) in areas {
                let now = self.counts.get(kind).and_then(|areas| areas.get(area));
                let now = now.copied().unwrap_or_default();
                if now.exact < last.exact {
                    fallen.push(format!(
                        "{kind}, {area}: {} exact, {} before",
                        now.exact, last.exact
                    ));
                }
            }
        }
        assert!(fallen.is_empty(), "the score has fallen: {fallen:#?}");
    }
}

fn file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/conformance.json")
}

/// The recorded cases that are not exact, and why.
pub(crate) fn differences() -> BTreeMap<String, String> {
    Recorded::read().differences
}

impl Recorded {
    fn read() -> Recorded {
        let text = std::fs::read_to_string(file()).unwrap();
        serde_json::from_str(&text).unwrap()
    }
}

/// Names a set of cases by their ids.
fn name_of(cases: &[Case]) -> String {
    let mut ids: Vec<&str> = cases.iter().map(|case| case.id.as_str()).collect();
    ids.sort_unstable();
    let digest = Sha256::digest(ids.join("\n"));
    let short: String = digest
        .iter()
        .take(6)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("{} cases, {short}", cases.len())
}

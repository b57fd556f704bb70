//! What a demo found: the story, the invariants, and whether all of them held.

use std::fmt;

use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;

/// Serialized as the answer of `restock demo --json`.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// Every invariant held.
    pub ok: bool,
    pub seconds: f64,
    pub story: Vec<Step>,
    pub invariants: Vec<Invariant>,
}

/// One thing that happened.
#[derive(Debug, Serialize)]
pub(crate) struct Step {
    pub step: &'static str,
    pub happened: String,
}

/// One promise, and what was seen of it.
#[derive(Debug, Serialize)]
pub(crate) struct Invariant {
    pub invariant: &'static str,
    pub holds: bool,
    pub evidence: String,
}

impl Default for Report {
    fn default() -> Self {
        Report {
            ok: true,
            seconds: 0.0,
            story: Vec::new(),
            invariants: Vec::new(),
        }
    }
}

impl Report {
    pub(crate) fn tell(&mut self, step: &'static str, happened: String) {
        crate::terminal::say(&format!("  {step}: {happened}"));
        self.story.push(Step { step, happened });
    }

    pub(crate) fn check(&mut self, invariant: &'static str, holds: bool, evidence: String) {
        self.ok &= holds;
        self.invariants.push(Invariant {
            invariant,
            holds,
            evidence,
        });
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let table = |head: [&str; 3]| {
            let mut table = Table::new();
            table
                .load_style(presets::UTF8_FULL_CONDENSED)
                .set_content_arrangement(ContentArrangement::Dynamic);
            table.set_header(head);
            table
        };
        let mut story = table(["", "step", "what happened"]);
        for (number, step) in self.story.iter().enumerate() {
            story.add_row([&(number + 1).to_string(), step.step, &step.happened]);
        }
        let mut invariants = table(["", "invariant", "seen"]);
        for one in &self.invariants {
            invariants.add_row([
                if one.holds { "✓" } else { "✗ BROKEN" },
                one.invariant,
                &one.evidence,
            ]);
        }
        let verdict = if self.ok {
            "every invariant held"
        } else {
            "AN INVARIANT BROKE"
        };
        write!(
            f,
            "{story}\n{invariants}\n{verdict}, {:.1} seconds",
            self.seconds
        )
    }
}

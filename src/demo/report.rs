//! What a demo found: what restock can do, each with its evidence; the invariants; and whether nothing is missing.

use std::fmt;

use comfy_table::{ContentArrangement, Table, presets};
use owo_colors::{OwoColorize, Stream};
use serde::Serialize;
use serde_json::Value;

use crate::terminal;

/// What a demo must show. One that is not shown is a failure, so this list is also the promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Capability {
    /// A repeated checkout with the same Idempotency-Key is one order.
    CheckoutOnce,
    /// A bulk purchase makes a VIP; a small one does not.
    Vip,
    /// The marketing system hears of the VIP, once.
    Marketing,
    /// Refused checkouts become one reorder, and the factory's delivery refills the stock.
    Reorder,
    /// The factory delivers everything twice, and it counts once.
    DeliveredTwice,
    /// The advertising manager reads which product, how many are missing, when more comes, in two languages.
    AdsMail,
    /// A factory that is down parks the execution: in the task's own DLQ, with an alert.
    Parking,
    /// A parked task is replayed and its execution succeeds.
    Replay,
    /// A delivery whose execution has ended is counted once, and operations hear of it.
    LateArrival,
    /// An ended execution is redriven from where it was.
    Redrive,
    /// Every alert has the same lines.
    Alerts,
}

impl Capability {
    const ALL: [Capability; 11] = [
        Capability::CheckoutOnce,
        Capability::Vip,
        Capability::Marketing,
        Capability::Reorder,
        Capability::DeliveredTwice,
        Capability::AdsMail,
        Capability::Parking,
        Capability::Replay,
        Capability::LateArrival,
        Capability::Redrive,
        Capability::Alerts,
    ];

    fn sentence(self) -> &'static str {
        match self {
            Capability::CheckoutOnce => "a repeated checkout is one order",
            Capability::Vip => "a bulk purchase makes a VIP",
            Capability::Marketing => "marketing hears of the VIP, once",
            Capability::Reorder => {
                "a surge becomes one reorder at a time, and it refills the stock"
            }
            Capability::DeliveredTwice => "a delivery that comes twice counts once",
            Capability::AdsMail => "the manager knows what is missing and when more comes",
            Capability::Parking => "an outage parks the execution and alerts operations",
            Capability::Replay => "a replay goes on where it failed, and succeeds",
            Capability::LateArrival => "a delivery nobody waits for is counted once and reported",
            Capability::Redrive => "an ended execution is redriven from where it was",
            Capability::Alerts => "every alert reads the same",
        }
    }
}

/// Serialized as the answer of `restock demo --json`.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// Everything was shown and every invariant held.
    pub ok: bool,
    pub seconds: f64,
    pub capabilities: Vec<Shown>,
    pub invariants: Vec<Invariant>,
    pub story: Vec<Step>,
}

/// One thing that restock can do, and what was seen of it: ids, states, counts, ARNs.
#[derive(Debug, Serialize)]
pub(crate) struct Shown {
    pub capability: Capability,
    pub says: &'static str,
    pub shown: bool,
    pub evidence: Value,
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
            capabilities: Vec::new(),
            invariants: Vec::new(),
            story: Vec::new(),
        }
    }
}

impl Report {
    /// A part of the story begins.
    pub(crate) fn scene(&self, title: &str) {
        let title = title.if_supports_color(Stream::Stderr, |t| t.bold());
        terminal::say(&format!("\n{title}"));
    }

    pub(crate) fn tell(&mut self, step: &'static str, happened: String) {
        let label = format!("{step:<14}");
        let label = label.if_supports_color(Stream::Stderr, |t| t.dimmed());
        terminal::say(&format!("  {label} {happened}"));
        self.story.push(Step { step, happened });
    }

    pub(crate) fn show(&mut self, capability: Capability, shown: bool, evidence: Value) {
        self.ok &= shown;
        terminal::say(&format!("  {} {}", mark(shown), capability.sentence()));
        self.capabilities.push(Shown {
            capability,
            says: capability.sentence(),
            shown,
            evidence,
        });
    }

    pub(crate) fn check(&mut self, invariant: &'static str, holds: bool, evidence: String) {
        self.ok &= holds;
        terminal::say(&format!("  {} {invariant}: {evidence}", mark(holds)));
        self.invariants.push(Invariant {
            invariant,
            holds,
            evidence,
        });
    }

    /// What was not shown is missing.
    pub(crate) fn finish(mut self, seconds: f64) -> Report {
        self.seconds = seconds;
        let seen: Vec<_> = self.capabilities.iter().map(|it| it.capability).collect();
        for missing in Capability::ALL.into_iter().filter(|it| !seen.contains(it)) {
            self.show(missing, false, Value::Null);
        }
        self
    }
}

fn mark(good: bool) -> String {
    if good {
        "✓"
            .if_supports_color(Stream::Stderr, |t| t.green())
            .to_string()
    } else {
        "✗"
            .if_supports_color(Stream::Stderr, |t| t.red())
            .to_string()
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
        let mut shown = table(["", "what restock did", "evidence"]);
        for one in &self.capabilities {
            let sign = if one.shown { "✓" } else { "✗ MISSING" };
            shown.add_row([sign, one.says, &brief(&one.evidence)]);
        }
        let mut invariants = table(["", "invariant", "seen"]);
        for one in &self.invariants {
            let sign = if one.holds { "✓" } else { "✗ BROKEN" };
            invariants.add_row([sign, one.invariant, &one.evidence]);
        }
        let verdict = match self.ok {
            true => "everything was shown and every invariant held"
                .if_supports_color(Stream::Stdout, |t| t.green())
                .to_string(),
            false => "SOMETHING IS MISSING OR BROKE"
                .if_supports_color(Stream::Stdout, |t| t.red())
                .to_string(),
        };
        write!(
            f,
            "{shown}\n{invariants}\n{verdict}, {:.1} seconds",
            self.seconds
        )
    }
}

/// The longest line of evidence for people.
const LONGEST: usize = 80;

/// Evidence for people: one line for each plain member; the rest is in `--json`.
fn brief(evidence: &Value) -> String {
    let Value::Object(members) = evidence else {
        return "nothing was seen".to_owned();
    };
    let plain = members.iter().filter_map(|(name, value)| match value {
        // An ARN's last part names it.
        Value::String(text) if text.starts_with("arn:") => Some(format!(
            "{name} {}",
            text.rsplit(':').next().unwrap_or(text)
        )),
        Value::String(text) if !text.contains('\n') => Some(format!("{name} {text}")),
        Value::Number(number) => Some(format!("{name} {number}")),
        _ => None,
    });
    let short = plain.map(|line| match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    });
    short.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_was_not_shown_fails_the_report() {
        let mut report = Report::default();
        for capability in Capability::ALL {
            if capability != Capability::Redrive {
                report.show(capability, true, json!({ "seen": 1 }));
            }
        }
        assert!(report.ok);
        let report = report.finish(1.0);
        assert!(!report.ok);
        let missing: Vec<_> = report.capabilities.iter().filter(|it| !it.shown).collect();
        assert_eq!(missing.len(), 1);
        assert_eq!(missing[0].capability, Capability::Redrive);
        assert!(report.to_string().contains("✗ MISSING"));
    }

    #[test]
    fn evidence_for_people_is_short() {
        let arn = "arn:aws:states:x:execution:reorder:reorder-RO-1";
        let evidence = json!({ "execution": arn, "count": 2, "alert": "a\nb", "all": [1] });
        assert_eq!(brief(&evidence), "execution reorder-RO-1\ncount 2");
        let long = brief(&json!({ "cause": "가".repeat(200) }));
        assert_eq!(long.chars().count(), LONGEST + 1);
    }
}

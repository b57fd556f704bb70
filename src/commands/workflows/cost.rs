//! `restock workflows cost`: what the ways through the workflows cost on AWS.
//!
//! The ways are the cases. What AWS charges for is counted on their runs; what a task costs by itself (a function, a
//! message) is not in it.

use std::process::ExitCode;

use comfy_table::{Cell, CellAlignment};
use serde_json::json;

use super::super::Outcome;
use crate::cli::CostArgs;
use crate::operate::view::Rows;
use crate::{cases, terminal};

pub(super) fn run(args: &CostArgs) -> Outcome {
    let report = cases::run_all(args.workflows.workflows.as_deref(), args.name.as_deref())?;
    if args.json {
        let paths = report.cases.iter().map(|case| {
            json!({
                "path": case.name,
                "describes": case.describes,
                "transitions": case.transitions,
                "usd_per_million": per_million(case.transitions, args.price),
            })
        });
        let answer = json!({
            "usd_per_thousand_transitions": args.price,
            "paths": paths.collect::<Vec<_>>(),
        });
        terminal::answer(&serde_json::to_string_pretty(&answer)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = Rows::new(&["PATH", "TRANSITIONS", "$ PER MILLION", "WHAT HAPPENS"]);
    for case in &report.cases {
        let cost = format!("{:.2}", per_million(case.transitions, args.price));
        table.add([
            Cell::new(&case.name),
            Cell::new(case.transitions).set_alignment(CellAlignment::Right),
            Cell::new(cost).set_alignment(CellAlignment::Right),
            Cell::new(&case.describes),
        ]);
    }
    table.print()?;
    terminal::say(&format!(
        "At {} $ for 1,000 state transitions (--price; differs by region): the start, every state entered, every retry. \
         Functions, messages and mail come on top.",
        args.price
    ));
    Ok(ExitCode::SUCCESS)
}

/// What a million executions with so many transitions cost, at this price for 1,000.
fn per_million(transitions: usize, price: f64) -> f64 {
    #[expect(
        clippy::cast_precision_loss,
        reason = "a case makes thousands of transitions at most"
    )]
    let transitions = transitions as f64;
    // To the cent: 0.025 is not exact in binary.
    (transitions * 1_000.0 * price * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_million_is_a_thousand_times_a_thousand() {
        assert_eq!(per_million(10, 0.025).to_string(), "250");
        assert_eq!(per_million(3, 0.0271).to_string(), "81.3");
    }
}

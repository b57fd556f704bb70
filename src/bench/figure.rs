//! A measured figure, its goal and its yardstick, for people and for machines.

use std::fmt;
use std::time::Duration;

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use serde::Serialize;

/// One result. Serialized as an element of the answer of `restock bench --json`.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Figure {
    pub name: String,
    pub value: f64,
    pub unit: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub goal: Option<Goal>,
    /// How far beyond the goal: 1 is exactly met, more is better.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to_goal: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub yardstick: Option<Yardstick>,
    /// The value in yardsticks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ratio: Option<f64>,
}

/// What the value should be.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Goal {
    AtLeast(f64),
    AtMost(f64),
}

/// Something simpler, measured in the same run.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Yardstick {
    pub name: &'static str,
    pub value: f64,
}

impl Figure {
    pub(crate) fn new(name: impl Into<String>, value: f64, unit: &'static str) -> Figure {
        Figure {
            name: name.into(),
            value,
            unit,
            goal: None,
            to_goal: None,
            yardstick: None,
            ratio: None,
        }
    }

    pub(crate) fn millis(name: impl Into<String>, value: Duration) -> Figure {
        Figure::new(name, value.as_secs_f64() * 1e3, "ms")
    }

    pub(crate) fn at_least(mut self, goal: f64) -> Figure {
        self.to_goal = Some(self.value / goal);
        self.goal = Some(Goal::AtLeast(goal));
        self
    }

    pub(crate) fn at_most(mut self, goal: f64) -> Figure {
        self.to_goal = Some(goal / self.value.max(f64::MIN_POSITIVE));
        self.goal = Some(Goal::AtMost(goal));
        self
    }

    /// Beside `value` of the same unit.
    pub(crate) fn beside(mut self, name: &'static str, value: f64) -> Figure {
        self.ratio = Some(self.value / value);
        self.yardstick = Some(Yardstick { name, value });
        self
    }

    fn goal_text(&self) -> String {
        match (self.goal, self.to_goal) {
            (Some(goal), Some(to_goal)) => {
                let (sign, goal) = match goal {
                    Goal::AtLeast(goal) => ("≥", goal),
                    Goal::AtMost(goal) => ("≤", goal),
                };
                format!("{sign} {} (×{})", short(goal), short(to_goal))
            }
            _ => String::new(),
        }
    }

    fn yardstick_text(&self) -> String {
        match (&self.yardstick, self.ratio) {
            (Some(it), Some(ratio)) => {
                format!("{} of {} {}", short(ratio), it.name, short(it.value))
            }
            _ => String::new(),
        }
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} {}", self.name, short(self.value), self.unit)?;
        for part in [self.goal_text(), self.yardstick_text()] {
            if !part.is_empty() {
                write!(f, "; {part}")?;
            }
        }
        Ok(())
    }
}

/// All figures for people.
pub(crate) fn table(figures: &[Figure]) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::UTF8_BORDERS_ONLY)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header([
            "figure",
            "measured",
            "unit",
            "goal (how far beyond)",
            "next to",
        ]);
    for figure in figures {
        table.add_row([
            figure.name.clone(),
            short(figure.value),
            figure.unit.to_owned(),
            figure.goal_text(),
            figure.yardstick_text(),
        ]);
    }
    if let Some(column) = table.column_mut(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// Three digits are enough, and thousands are easier to read apart.
fn short(value: f64) -> String {
    match value.abs() {
        v if v >= 1000.0 => {
            let digits = format!("{value:.0}");
            let mut text = String::new();
            for (n, digit) in digits.chars().enumerate() {
                if n > 0 && (digits.len() - n).is_multiple_of(3) {
                    text.push(',');
                }
                text.push(digit);
            }
            text
        }
        v if v >= 100.0 => format!("{value:.0}"),
        v if v >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_says_how_far_it_is_beyond_its_goal() {
        let rate = Figure::new("starts", 12_800.0, "/s").at_least(6_400.0);
        assert_eq!(rate.to_goal, Some(2.0));
        let time = Figure::millis("p50", Duration::from_micros(1_500)).at_most(3.0);
        assert_eq!(time.to_goal, Some(2.0));
        let beside = rate.beside("an empty handler", 25_600.0);
        assert_eq!(
            beside.to_string(),
            "starts: 12,800 /s; ≥ 6,400 (×2.00); 0.50 of an empty handler 25,600"
        );
        assert!(table(&[beside]).to_string().contains("12,800"));
    }
}

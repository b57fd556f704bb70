//! What people see: tables and paragraphs on stdout, coloured only on a terminal without `NO_COLOR`.

use std::io::{self, IsTerminal};

use comfy_table::{Cell, Color, ContentArrangement, Table, presets};
use jiff::Timestamp;
use operate::ahead::Effect;
use operate::timeline::{Outcome, Row};
use operate::{when, words};
use serde::Serialize;
use serde_json::Value;

use super::error::VerbError;
use crate::terminal;

/// Longest payload that is shown in one line.
const PAYLOAD: usize = 160;

/// A table without frames, so that it can be read, grepped and pasted.
pub(crate) struct Rows {
    table: Table,
    coloured: bool,
}

impl Rows {
    pub(crate) fn new(headings: &[&str]) -> Rows {
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        let is_terminal = io::stdout().is_terminal();
        if is_terminal {
            table.set_content_arrangement(ContentArrangement::Dynamic);
        } else {
            table.force_no_tty();
        }
        table.set_header(headings.iter().copied());
        let coloured = is_terminal && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
        Rows { table, coloured }
    }

    pub(crate) fn add(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.table.add_row(cells.into_iter().collect::<Vec<_>>());
    }

    /// A cell with a status or an outcome, in its colour.
    pub(crate) fn status(&self, text: &str) -> Cell {
        let colour = match text.split_whitespace().next().unwrap_or_default() {
            "SUCCEEDED" | "succeeded" => Color::Green,
            "FAILED" | "TIMED_OUT" | "ABORTED" | "failed" | "aborted" => Color::Red,
            "RUNNING" | "running" | "retrying" | "caught" | "parked" => Color::Yellow,
            _ => return Cell::new(text),
        };
        let cell = Cell::new(text);
        if self.coloured { cell.fg(colour) } else { cell }
    }

    pub(crate) fn print(&self) -> Result<(), VerbError> {
        let text: Vec<_> = self
            .table
            .lines()
            .map(|line| line.trim_end().to_owned())
            .collect();
        print(&text.join("\n"))
    }
}

/// Writes for machines or people who read stdout.
pub(crate) fn print(text: &str) -> Result<(), VerbError> {
    Ok(terminal::answer(text)?)
}

pub(crate) fn print_json(value: &impl Serialize) -> Result<(), VerbError> {
    print(&serde_json::to_string_pretty(value)?)
}

/// The rows of `executions show`.
pub(crate) fn print_timeline(rows: &[Row]) -> Result<(), VerbError> {
    let mut table = Rows::new(&["STATE", "ENTERED", "TOOK", "ATTEMPTS", "OUTCOME"]);
    for row in rows {
        let took = when::duration(row.entered, row.left.unwrap_or_else(Timestamp::now));
        let attempts = if row.attempts == 0 {
            String::new()
        } else {
            row.attempts.to_string()
        };
        let outcome = outcome(row);
        let outcome = table.status(&outcome);
        table.add([
            Cell::new(format!("{}{}", "  ".repeat(row.depth), row.state)),
            Cell::new(when::local(row.entered)),
            Cell::new(took),
            Cell::new(attempts),
            outcome,
        ]);
    }
    table.print()
}

fn outcome(row: &Row) -> String {
    let word = match row.outcome {
        Outcome::Running => "running",
        Outcome::Retrying => "retrying",
        Outcome::Succeeded => "succeeded",
        Outcome::Caught => "caught",
        Outcome::Failed => "failed",
        Outcome::Aborted => "aborted",
    };
    match &row.error {
        Some(error) if row.outcome == Outcome::Succeeded => format!("{word} after {error}"),
        Some(error) => format!("{word} {error}"),
        None => word.to_owned(),
    }
}

/// For people, on stderr: the side effects of going on.
pub(crate) fn say_effects(effects: &[Effect]) {
    if effects.is_empty() {
        terminal::say("  no task runs");
    }
    for effect in effects {
        let when = if effect.again { "again" } else { "then " };
        terminal::say(&format!("  {when}  {:<20} {}", effect.state, effect.calls));
    }
}

/// A payload in one line.
pub(crate) fn short(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= PAYLOAD {
        text
    } else {
        text.chars().take(PAYLOAD - 1).chain(['…']).collect()
    }
}

/// An error in plain words, in one line of a table.
pub(crate) fn short_error(error: &str, cause: &str) -> String {
    let text = words::sentence(error, cause).replace('\n', " ");
    if text.chars().count() <= PAYLOAD {
        text
    } else {
        text.chars().take(PAYLOAD - 1).chain(['…']).collect()
    }
}

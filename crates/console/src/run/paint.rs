//! What happened, as a picture shows it: how each state ended, and which transitions were made.

use std::collections::BTreeMap;

use jiff::Timestamp;
use operate::lineage::is_fork;
use operate::timeline::{Outcome, Row};
use operate::when;

use super::Run;
use crate::fleet::Status;
use crate::graph::{Mark, Paint};

/// The stylesheet's name, the sign and the word of how a stay ended or stands.
pub(crate) fn sign(run: &Run, row: &Row) -> (&'static str, &'static str, &'static str) {
    if run.parked_in(row).is_some() {
        return ("warn", "‖", "parked");
    }
    match row.outcome {
        Outcome::Succeeded => ("ok", "✓", "succeeded"),
        Outcome::Failed => ("bad", "✕", "failed"),
        Outcome::Aborted => ("off", "■", "aborted"),
        Outcome::Caught => ("warn", "⤵", "caught"),
        Outcome::Retrying => ("warn", "↻", "retrying"),
        Outcome::Running => match &row.open_task {
            Some(task) if task.waits_for_token() => ("run", "◔", "waiting"),
            _ => ("run", "●", "running"),
        },
    }
}

/// The picture of a run; `chosen` is the state whose details are shown, `link` begins every state's link.
pub(crate) fn paint(run: &Run, chosen: Option<&str>, link: String) -> Paint {
    let mut paint = Paint {
        link: Some(link),
        ..Paint::default()
    };
    for row in &run.rows {
        // An open stay says more than one that ended after it began.
        let is_open_already = paint
            .marks
            .get(&row.state)
            .is_some_and(|mark| mark.is_current && !row.is_open());
        let visits = paint.marks.get(&row.state).map_or(0, |mark| mark.visits) + 1;
        if is_open_already {
            if let Some(mark) = paint.marks.get_mut(&row.state) {
                mark.visits = visits;
            }
            continue;
        }
        let (class, sign, word) = sign(run, row);
        paint.marks.insert(
            row.state.clone(),
            Mark {
                class,
                sign,
                told: told(row, word),
                visits,
                is_current: row.is_open() && (!is_fork(&row.kind) || run.rows.len() == 1),
                is_chosen: chosen == Some(row.state.as_str()),
            },
        );
    }
    // Within a line of states each leads to the next.
    let mut last: BTreeMap<usize, &str> = BTreeMap::new();
    for visit in &run.lineage.visits {
        let before = last.insert(visit.line, &visit.name);
        if before.is_some() || visit.parent.is_none() {
            paint
                .taken
                .insert((before.unwrap_or_default().to_owned(), visit.name.clone()));
        }
    }
    if run.status == Status::Succeeded
        && let Some(name) = last.get(&0)
    {
        paint.taken.insert(((*name).to_owned(), String::new()));
    }
    paint
}

fn told(row: &Row, word: &str) -> String {
    let mut text = word.to_owned();
    if row.attempts > 1 {
        text += &format!(" after {} attempts", row.attempts);
    }
    if let Some(error) = &row.error {
        text += &format!(", {error}");
    }
    let until = row.left.unwrap_or_else(Timestamp::now);
    text + ", " + &when::duration(row.entered, until)
}

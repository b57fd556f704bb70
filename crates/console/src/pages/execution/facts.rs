//! Where an execution stands, in plain words: what it is about, why it failed, what it waits for.

use jiff::Timestamp;
use maud::{Markup, html};
use operate::lineage::is_fork;
use operate::timeline::Row;
use operate::{when, words};

use super::to_row;
use crate::fleet::{self, Status};
use crate::redact;
use crate::run::Run;

pub(super) fn show(run: &Run, now: Timestamp) -> Markup {
    html! {
        @if let Some(problem) = &run.problem {
            div .notice.problem role="status" { "Its history cannot be shown: " (problem) }
        }
        (verdict(run))
        div .card { div .body { dl .facts {
            @for key in fleet::keys(&run.input) {
                dt { (key.name) } dd .mono { (key.value) }
            }
            dt { "Started" } dd { (when::local(run.started)) }
            @match run.stopped {
                Some(at) => { dt { "Ended" } dd { (when::local(at)) ", after " (when::duration(run.started, at)) } }
                None => { dt { "Running for" } dd { (when::duration(run.started, now)) } }
            }
            @if run.redrives > 0 { dt { "Redrives" } dd { (run.redrives) } }
            dt { "ARN" } dd .mono { span #arn { (run.arn) } " " button .small type="button" data-copy="arn" hidden { "Copy" } }
        } } }
    }
}

/// Why it failed, or what it waits for.
fn verdict(run: &Run) -> Markup {
    match run.status {
        Status::Succeeded => html! {},
        Status::Running => waiting(run),
        _ => failed(run),
    }
}

fn failed(run: &Run) -> Markup {
    let error = run.error.as_deref().unwrap_or_default();
    let cause = run.cause.as_deref().unwrap_or_default();
    let word = match run.status {
        Status::TimedOut => "It timed out",
        Status::Aborted => "It was stopped",
        _ => "It failed",
    };
    let row = run.telling_row();
    html! {
        div .notice.problem {
            strong {
                (word)
                @if let Some(row) = row {
                    " at " a href=(to_row(run, row)) { (run.rows[row].state) }
                }
            }
            @if !error.is_empty() { (plain(error, cause)) }
        }
    }
}

/// An error in plain words: its name, what that means, and the message inside its cause.
pub(super) fn plain(error: &str, cause: &str) -> Markup {
    let message = redact::text(&words::cause(cause));
    html! {
        p {
            code { (redact::text(error)) }
            @if let Some(meaning) = words::meaning(error) { " — " (meaning) }
        }
        @if !message.is_empty() { p .message { (message) } }
    }
}

fn waiting(run: &Run) -> Markup {
    let open: Vec<(usize, &Row)> = run
        .rows
        .iter()
        .enumerate()
        .filter(|(_, row)| row.is_open() && !is_fork(&row.kind))
        .collect();
    html! {
        @for parked in &run.parked {
            div .notice.warn {
                strong { (parked.state) " failed and is parked" } " since " (when::local(parked.since)) ". It waits for an operator."
                (plain(&parked.error, &parked.cause))
            }
        }
        @for (i, row) in open.iter().filter(|(_, row)| run.parked_in(row).is_none()).take(10) {
            div .notice {
                "At " a href=(to_row(run, *i)) { (row.state) }
                @if let Some(what) = &row.waits_for { ", waiting for " (what) }
                @if let Some(error) = &row.error { ". Last error: " code { (redact::text(error)) } }
            }
        }
        @if open.len() > 10 { p .soft { "and " (open.len() - 10) " more states that are open" } }
    }
}

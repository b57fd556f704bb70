//! The times of an execution: a bar for each stay in a state, with its attempts, pauses and waits.

use jiff::Timestamp;
use maud::{Markup, html};
use operate::when;

use super::to_row;
use crate::layout::status;
use crate::run::{Run, Span, SpanKind, sign, spans};

/// Most rows of the table; of longer executions the newest are shown.
const ROWS: usize = 300;
/// Width of a bar in its own units.
const WIDE: f64 = 1000.0;
/// Narrowest span, so that it can be seen.
const NARROW: f64 = 3.0;

pub(super) fn show(run: &Run, chosen: Option<usize>, now: Timestamp) -> Markup {
    if run.rows.is_empty() {
        return html! {};
    }
    let until = run.stopped.unwrap_or(now);
    let skipped = run.rows.len().saturating_sub(ROWS);
    let from = run.rows.get(skipped).map_or(run.started, |row| row.entered);
    let scale = Scale { from, until };
    let all = spans(&run.events, &run.lineage, &run.rows, until);
    html! {
        section .card #timeline data-live aria-labelledby="timeline-title" {
            h2 #timeline-title { "Timeline" span .soft { (when::duration(from, until)) } }
            @if skipped > 0 { p .body.soft { "The last " (ROWS) " of " (run.rows.len()) " stays in states." } }
            div #timeline-rows .scroll.tall tabindex="0" role="group" aria-label="The timeline's rows" { table .timeline {
                thead { tr {
                    th scope="col" { "State" } th scope="col" { "Outcome" } th .num scope="col" { "Attempts" }
                    th .num scope="col" { "Entered" } th .num scope="col" { "Took" } th .bars scope="col" { "Time" }
                } }
                tbody {
                    @for (i, (row, spans)) in run.rows.iter().zip(&all).enumerate().skip(skipped) {
                        @let (_, _, word) = sign(run, row);
                        @let end = row.left.unwrap_or(until);
                        tr .chosen[chosen == Some(i)] {
                            th scope="row" class={ "depth" (row.depth.min(4)) } { a href=(to_row(run, i)) { (row.state) } }
                            td { (status(word)) }
                            td .num { @if row.attempts > 0 { (row.attempts) } }
                            td .num.soft { "+" (when::duration(run.started, row.entered)) }
                            td .num { (when::duration(row.entered, end)) }
                            td .bars { (bar(scale, row.entered, end, word, spans)) }
                        }
                    }
                }
            } }
            p .legend.body {
                @for kind in [SpanKind::Good, SpanKind::Bad, SpanKind::Token, SpanKind::Pause, SpanKind::Wait, SpanKind::Open] {
                    span { svg .bar viewBox="0 0 20 12" width="20" height="12" aria-hidden="true" { (rect(kind, 0.0, 20.0)) } " " (kind.word()) }
                }
            }
        }
    }
}

#[derive(Clone, Copy)]
struct Scale {
    from: Timestamp,
    until: Timestamp,
}

impl Scale {
    fn at(self, time: Timestamp) -> f64 {
        let all = self.until.duration_since(self.from).as_secs_f64();
        if all <= 0.0 {
            return 0.0;
        }
        (time.duration_since(self.from).as_secs_f64() / all * WIDE).clamp(0.0, WIDE)
    }

    /// Left and width; never narrower than can be seen, never over the right border.
    fn range(self, from: Timestamp, to: Timestamp) -> (f64, f64) {
        let left = self.at(from).min(WIDE - NARROW);
        (left, (self.at(to) - left).max(NARROW))
    }
}

fn bar(scale: Scale, entered: Timestamp, left: Timestamp, word: &str, spans: &[Span]) -> Markup {
    let (x, width) = scale.range(entered, left);
    let told: Vec<String> = spans
        .iter()
        .map(|span| {
            format!(
                "{} {}",
                span.kind.word(),
                when::duration(span.from, span.to)
            )
        })
        .collect();
    html! {
        svg .bar viewBox="0 0 1000 12" preserveAspectRatio="none" role="img" aria-label={ (word) @if !told.is_empty() { ": " (told.join(", ")) } } {
            rect .stay x=(n(x)) y="4.5" width=(n(width)) height="3" {}
            @for span in spans {
                @let (x, width) = scale.range(span.from, span.to);
                (rect(span.kind, x, width))
            }
        }
    }
}

/// Kinds differ in height as well as in colour.
fn rect(kind: SpanKind, x: f64, width: f64) -> Markup {
    let (class, y, height) = match kind {
        SpanKind::Good => ("good", "0", "12"),
        SpanKind::Bad => ("bad", "0", "12"),
        SpanKind::Open => ("open", "0", "12"),
        SpanKind::Cut => ("cut", "2", "8"),
        SpanKind::Token => ("token", "3", "6"),
        SpanKind::Wait => ("wait", "3", "6"),
        SpanKind::Pause => ("pause", "5", "2"),
    };
    html! { rect class=(class) x=(n(x)) y=(y) width=(n(width)) height=(height) { title { (kind.word()) } } }
}

fn n(value: f64) -> String {
    format!("{value:.1}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_visible_and_inside_however_short() {
        let at = |s| Timestamp::from_second(s).unwrap();
        let scale = Scale {
            from: at(0),
            until: at(1_000),
        };
        assert_eq!(scale.range(at(100), at(300)), (100.0, 200.0));
        assert_eq!(scale.range(at(1_000), at(1_000)), (997.0, 3.0));
        let nothing = Scale {
            from: at(5),
            until: at(5),
        };
        assert_eq!(nothing.range(at(5), at(5)), (0.0, 3.0));
    }
}

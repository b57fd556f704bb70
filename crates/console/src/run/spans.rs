//! What each stay in a state spent its time on: attempts, waiting for a token, pauses between attempts, a Wait's time.

use jiff::Timestamp;
use operate::events::Event;
use operate::lineage::Lineage;
use operate::timeline::Row;

/// What a piece of time was spent on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SpanKind {
    /// A task ran, and it went well.
    Good,
    /// A task ran, and it failed.
    Bad,
    /// A task runs.
    Open,
    /// Ended from outside.
    Cut,
    /// A token or a job was awaited.
    Token,
    /// Until the next attempt.
    Pause,
    /// A Wait state.
    Wait,
}

/// A piece of time.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Span {
    pub kind: SpanKind,
    pub from: Timestamp,
    pub to: Timestamp,
    /// The attempt it belongs to, from 1; 0 for none.
    pub attempt: u32,
}

impl SpanKind {
    pub(crate) fn word(self) -> &'static str {
        match self {
            SpanKind::Good => "succeeded",
            SpanKind::Bad => "failed",
            SpanKind::Open => "running",
            SpanKind::Cut => "ended from outside",
            SpanKind::Token => "waiting for an answer",
            SpanKind::Pause => "pause before the next attempt",
            SpanKind::Wait => "waiting",
        }
    }
}

/// The spans of each row, in order; what is not over goes up to `now`.
pub(crate) fn spans(
    events: &[Event],
    lineage: &Lineage,
    rows: &[Row],
    now: Timestamp,
) -> Vec<Vec<Span>> {
    let mut stays: Vec<Stay> = rows.iter().map(|_| Stay::default()).collect();
    for (event, visit) in events.iter().zip(&lineage.of) {
        if let Some(stay) = visit.and_then(|v| stays.get_mut(v)) {
            stay.apply(event);
        }
    }
    stays
        .into_iter()
        .zip(rows)
        .map(|(stay, row)| stay.end(row, now))
        .collect()
}

#[derive(Default)]
struct Stay {
    spans: Vec<Span>,
    attempt: u32,
    open: Option<(Timestamp, SpanKind)>,
    failed: Option<Timestamp>,
    /// The task goes on after it was handed over: a token or a job.
    is_long: bool,
}

impl Stay {
    fn apply(&mut self, event: &Event) {
        let at = event.at;
        if event.is_scheduled() {
            if let Some(from) = self.failed.take() {
                self.push(SpanKind::Pause, from, at);
            }
            self.attempt += 1;
            let resource = event.resource.as_deref().unwrap_or_default();
            self.is_long = resource.ends_with(".waitForTaskToken") || resource.contains(".sync");
            self.open = Some((at, SpanKind::Open));
        } else if event.kind == "TaskSubmitted" && self.is_long {
            self.close(SpanKind::Good, at);
            self.open = Some((at, SpanKind::Token));
        } else if event.is_success() {
            self.close(SpanKind::Good, at);
        } else if event.is_failure() {
            self.close(SpanKind::Bad, at);
            self.failed = Some(at);
        }
    }

    /// A wait for a token keeps its kind; how it ended shows in the row.
    fn close(&mut self, kind: SpanKind, at: Timestamp) {
        if let Some((from, open)) = self.open.take() {
            let kind = if open == SpanKind::Token && kind == SpanKind::Good {
                open
            } else {
                kind
            };
            self.push(kind, from, at);
        }
    }

    fn push(&mut self, kind: SpanKind, from: Timestamp, to: Timestamp) {
        self.spans.push(Span {
            kind,
            from,
            to: to.max(from),
            attempt: self.attempt,
        });
    }

    fn end(mut self, row: &Row, now: Timestamp) -> Vec<Span> {
        let until = row.left.unwrap_or(now);
        if row.kind == "Wait" {
            self.push(SpanKind::Wait, row.entered, until);
        }
        if let Some((from, open)) = self.open.take() {
            let kind = if row.is_open() { open } else { SpanKind::Cut };
            self.push(kind, from, until);
        } else if let Some(from) = self.failed.take()
            && row.is_open()
        {
            self.push(SpanKind::Pause, from, until);
        }
        self.spans
    }
}

#[cfg(test)]
mod tests {
    use operate::timeline;

    use super::*;

    /// `second type [resource]`, one event a line, in one state.
    fn check(text: &str, expected: &str) {
        let at = |s: i64| Timestamp::from_second(s).unwrap();
        let events: Vec<Event> = text
            .trim()
            .lines()
            .zip(1..)
            .map(|(line, id)| {
                let words: Vec<&str> = line.split_whitespace().collect();
                Event {
                    id,
                    previous_id: id - 1,
                    at: at(words[0].parse().unwrap()),
                    kind: words[1].to_owned(),
                    state: (words[1].contains("State")).then(|| "A".to_owned()),
                    resource: words.get(2).map(|r| (*r).to_owned()),
                    ..Event::default()
                }
            })
            .collect();
        let lineage = Lineage::trace(&events);
        let rows = timeline::rows(&events);
        let told: Vec<String> = spans(&events, &lineage, &rows, at(100))[0]
            .iter()
            .map(|s| {
                format!(
                    "{:?}#{} {}-{}",
                    s.kind,
                    s.attempt,
                    s.from.as_second(),
                    s.to.as_second()
                )
            })
            .collect();
        assert_eq!(told.join(", "), expected);
    }

    #[test]
    fn attempts_and_the_pauses_between_them() {
        check(
            "0 TaskStateEntered\n0 TaskScheduled lambda:invoke\n2 TaskFailed\n5 TaskScheduled lambda:invoke\n6 TaskSucceeded\n6 TaskStateExited",
            "Bad#1 0-2, Pause#1 2-5, Good#2 5-6",
        );
        check(
            "0 TaskStateEntered\n0 TaskScheduled lambda:invoke\n2 TaskFailed",
            "Bad#1 0-2, Pause#1 2-100",
        );
        check(
            "0 TaskStateEntered\n0 TaskScheduled lambda:invoke",
            "Open#1 0-100",
        );
    }

    #[test]
    fn a_token_is_awaited_after_the_call_and_an_abort_cuts() {
        check(
            "0 TaskStateEntered\n0 TaskScheduled sqs:sendMessage.waitForTaskToken\n1 TaskSubmitted\n9 TaskSucceeded\n9 TaskStateExited",
            "Good#1 0-1, Token#1 1-9",
        );
        check(
            "0 TaskStateEntered\n0 TaskScheduled sqs:sendMessage.waitForTaskToken\n1 TaskSubmitted\n4 TaskStateAborted",
            "Good#1 0-1, Cut#1 1-4",
        );
        check("0 WaitStateEntered\n7 WaitStateExited", "Wait#0 0-7");
    }
}

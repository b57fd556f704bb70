//! Wait states.

use jiff::Timestamp;

use super::Run;
use super::evolve::after;
use super::fault::{Fault, Outcome};
use super::lens::Lens;
use crate::Millis;
use crate::entry::{BranchId, Note};
use crate::model::{Amount, Dynamic, Text, WaitState};

/// The longest wait in seconds. Source: "Wait workflow state", `Seconds`.
const MOST_SECONDS: u64 = 99_999_999;

/// How many seconds ahead a time may be: AWS counts them in 31 bits.
const FARTHEST_SECONDS: i64 = 2_147_483_647;

impl Run<'_> {
    pub(super) fn wait(&mut self, branch: BranchId, wait: &WaitState) -> Outcome {
        let lens = self.lens(branch)?;
        let due = match wait {
            WaitState::Seconds(amount) => {
                let seconds = seconds(&lens, amount)?;
                if seconds > MOST_SECONDS {
                    return Err(Fault::runtime(format!(
                        "The Seconds parameter must be between 0 and {MOST_SECONDS}: {seconds}"
                    )));
                }
                after(self.env.now, seconds)
            }
            WaitState::Timestamp(text) => {
                let due = due(&lens, text)?;
                if (due - self.env.now) / 1000 > FARTHEST_SECONDS {
                    return Err(Fault::runtime(format!(
                        "The Timestamp parameter is more than {FARTHEST_SECONDS} seconds in the future"
                    )));
                }
                due
            }
        };
        self.note(branch, Note::WaitUntil { due })?;
        // A time that is not in the future is over at once.
        if due <= self.env.now {
            self.waited(branch)
        } else {
            Ok(())
        }
    }

    /// The time has come.
    pub(super) fn waited(&mut self, branch: BranchId) -> Outcome {
        let state = self.state(branch)?;
        let input = self.active(branch)?.input.clone();
        let input = self.effective_input(branch, state, &input)?;
        self.exit_with(branch, state, &input)
    }
}

/// `Seconds` or `SecondsPath`, whose messages differ from those of every other number that a path leads to.
fn seconds(lens: &Lens<'_>, amount: &Amount) -> Outcome<u64> {
    let Amount::Dynamic(Dynamic::Path(path)) = amount else {
        return lens.amount(amount, "Seconds");
    };
    let data = lens.path(path, "SecondsPath")?;
    let written = data.value().as_str().unwrap_or_else(|| data.text());
    let complain = |what: &str| {
        Fault::runtime(format!(
            "The SecondsPath parameter {what}: {} == {written}",
            path.text()
        ))
    };
    let number: i64 = written
        .parse()
        .map_err(|_| complain("cannot be parsed as a long value"))?;
    u64::try_from(number).map_err(|_| complain("references a negative value"))
}

/// `Timestamp` or `TimestampPath`.
fn due(lens: &Lens<'_>, text: &Text) -> Outcome<Millis> {
    const WANTED: &str = "a valid ISO-8601 extended offset date-time format string";
    let (written, complain): (String, _) = match text {
        Text::Dynamic(Dynamic::Path(path)) => {
            let data = lens.path(path, "TimestampPath")?;
            let written = data
                .value()
                .as_str()
                .unwrap_or_else(|| data.text())
                .to_owned();
            let message = format!(
                "The TimestampPath parameter does not reference {WANTED}: {} == {written}",
                path.text()
            );
            (written, Fault::runtime(message))
        }
        Text::Dynamic(Dynamic::Jsonata(expression)) => {
            let written = lens.text(text, "Timestamp")?;
            let message = format!(
                "The JSONata expression '{}' specified for the field 'Timestamp' does not reference {WANTED}: {written}",
                expression.source()
            );
            (written, Fault::query("Timestamp", message))
        }
        Text::Literal(written) => {
            let message = format!("not an RFC 3339 timestamp: {written}");
            (written.clone(), Fault::runtime(message))
        }
    };
    parse_timestamp(&written).ok_or(complain)
}

/// An ISO 8601 date and time with an offset: `2016-03-14T01:59:00.123Z`, the seconds optional, `+01:00` for `Z`; nothing else that
/// ISO 8601 knows. In milliseconds, rounded up so that no wait is short.
pub(crate) fn parse_timestamp(text: &str) -> Option<Millis> {
    let timestamp: Timestamp = is_date_time(text).then(|| text.parse().ok())??;
    let nanos = timestamp.as_nanosecond();
    i64::try_from(nanos.div_euclid(1_000_000) + i128::from(nanos.rem_euclid(1_000_000) > 0)).ok()
}

/// Whether the text has the shape; whether there is such a day and hour is left to the parser.
fn is_date_time(text: &str) -> bool {
    let Some(rest) = after_shape(text, "0000-00-00T00:00") else {
        return false;
    };
    let rest = match after_shape(rest, ":00") {
        Some(rest) => after_fraction(rest),
        None => rest,
    };
    let offset = rest.strip_prefix(['+', '-']);
    rest == "Z"
        || offset
            .and_then(|offset| after_shape(offset, "00:00"))
            .is_some_and(str::is_empty)
}

/// What follows a shape, in which `0` is any digit.
fn after_shape<'t>(text: &'t str, shape: &str) -> Option<&'t str> {
    let (head, rest) = text.split_at_checked(shape.len())?;
    let fits = |(is, wanted): (u8, u8)| is == wanted || wanted == b'0' && is.is_ascii_digit();
    head.bytes().zip(shape.bytes()).all(fits).then_some(rest)
}

/// What follows up to nine decimals of a second.
fn after_fraction(text: &str) -> &str {
    let Some(fraction) = text.strip_prefix('.') else {
        return text;
    };
    let rest = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
    match fraction.len() - rest.len() {
        1..=9 => rest,
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::parse_timestamp;

    #[test]
    fn timestamps() {
        assert_eq!(
            parse_timestamp("2016-03-14T01:59:00Z"),
            Some(1_457_920_740_000)
        );
        assert_eq!(
            parse_timestamp("2016-03-14T01:59:00.0001+00:00"),
            Some(1_457_920_740_001)
        );
        assert_eq!(
            parse_timestamp("2016-03-14T02:59+01:00"),
            Some(1_457_920_740_000)
        );
        for bad in [
            "",
            "2016-13-05T21:29:29Z",
            "05-12-2016T21:29:29Z",
            "2016-12-05T25:29:29Z",
            "2016-12-05 21:29:29Z",
            "2016-12-05T21:29:29",
            "2016-12-05t21:29:29z",
            "2016-12-05T21:29:29+0100",
            "2016-12-05T21:29:29,5Z",
            "2016-12-05T21:29:29.Z",
            "2016-12-05T21:29:29.0123456789Z",
            "2016-12-05T21:29:29Z[UTC]",
            "2016-12-05T21Z",
            "+002016-12-05T21:29:29Z",
            "2016-12-0５T21:29:29Z",
        ] {
            assert_eq!(parse_timestamp(bad), None, "{bad}");
        }
    }
}

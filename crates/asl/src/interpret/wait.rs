//! Wait states.

use jiff::Timestamp;

use super::Run;
use super::evolve::after;
use super::fault::{Fault, Outcome};
use crate::entry::{BranchId, Note};
use crate::model::{Dynamic, Text, WaitState};

/// The longest wait: a year, as AWS's longest execution.
const MOST_SECONDS: u64 = 31_536_000;

impl Run<'_> {
    pub(super) fn wait(&mut self, branch: BranchId, wait: &WaitState) -> Outcome {
        let lens = self.lens(branch)?;
        let due = match wait {
            WaitState::Seconds(amount) => {
                let seconds = lens.amount(amount, "Seconds")?;
                if seconds > MOST_SECONDS {
                    return Err(Fault::runtime(format!(
                        "The Seconds parameter must be between 0 and {MOST_SECONDS}: {seconds}"
                    )));
                }
                after(self.env.now, seconds)
            }
            WaitState::Timestamp(text) => {
                let written = lens.text(text, "Timestamp")?;
                match (parse_timestamp(&written), text) {
                    (Some(due), _) => due,
                    (None, Text::Dynamic(Dynamic::Path(path))) => {
                        return Err(Fault::runtime(format!(
                            "The TimestampPath parameter does not reference a valid ISO-8601 extended offset date-time format string: {} == {written}",
                            path.text()
                        )));
                    }
                    (None, Text::Dynamic(Dynamic::Jsonata(expression))) => {
                        return Err(Fault::query(
                            "Timestamp",
                            format!(
                                "The JSONata expression '{}' specified for the field 'Timestamp' does not reference a valid ISO-8601 extended offset date-time format string: {written}",
                                expression.source()
                            ),
                        ));
                    }
                    (None, Text::Literal(_)) => {
                        return Err(Fault::runtime(format!(
                            "not an RFC 3339 timestamp: {written}"
                        )));
                    }
                }
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

/// RFC 3339 as the language profiles it: capital `T`, offset or `Z`. In milliseconds, rounded up so that no wait is short.
pub(crate) fn parse_timestamp(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    let shaped =
        bytes.get(10) == Some(&b'T') && bytes.get(4) == Some(&b'-') && bytes.get(13) == Some(&b':');
    let timestamp: Timestamp = shaped.then(|| text.parse().ok())??;
    let nanos = timestamp.as_nanosecond();
    i64::try_from(nanos.div_euclid(1_000_000) + i128::from(nanos.rem_euclid(1_000_000) > 0)).ok()
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
        for bad in [
            "",
            "2016-13-05T21:29:29Z",
            "05-12-2016T21:29:29Z",
            "2016-12-05T25:29:29Z",
            "2016-12-05 21:29:29Z",
            "2016-12-05T21:29:29",
        ] {
            assert_eq!(parse_timestamp(bad), None, "{bad}");
        }
    }
}

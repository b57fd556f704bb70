//! Times as people write and read them.

use jiff::tz::TimeZone;
use jiff::{Span, SpanRelativeTo, Timestamp};

/// `2h`, `1d 12h`: so long ago; or a time in RFC 3339.
pub fn since(text: &str) -> Result<Timestamp, String> {
    since_from(text, Timestamp::now())
}

fn since_from(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at);
    }
    let how_long = text
        .parse::<Span>()
        .and_then(|span| span.to_duration(SpanRelativeTo::days_are_24_hours()))
        .map_err(|_| {
            "write a duration such as 2h or 1d, or a time such as 2026-03-01T09:00:00Z".to_owned()
        })?;
    now.checked_sub(how_long.abs()).map_err(|e| e.to_string())
}

/// A time of the AWS SDK.
pub fn timestamp(at: &aws_sdk_sfn::primitives::DateTime) -> Timestamp {
    // The SDK's range is the wider one; nothing real lies outside ours.
    at.to_millis()
        .ok()
        .and_then(|ms| Timestamp::from_millisecond(ms).ok())
        .unwrap_or_default()
}

/// For people: this machine's time zone, to the second.
pub fn local(at: Timestamp) -> String {
    at.to_zoned(TimeZone::system())
        .strftime("%Y-%m-%d %H:%M:%S")
        .to_string()
}

/// For people: `340 ms`, `12 s`, `3 min 05 s`, `2 h 10 min`, `3 d 4 h`.
pub fn duration(from: Timestamp, to: Timestamp) -> String {
    let ms = to.duration_since(from).as_millis().max(0);
    let s = ms / 1_000;
    match s {
        0 => format!("{ms} ms"),
        1..60 => format!("{}.{} s", s, ms % 1_000 / 100),
        60..3_600 => format!("{} min {:02} s", s / 60, s % 60),
        3_600..86_400 => format!("{} h {:02} min", s / 3_600, s % 3_600 / 60),
        _ => format!("{} d {} h", s / 86_400, s % 86_400 / 3_600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn since_takes_durations_and_times() {
        let now: Timestamp = "2026-03-02T12:00:00Z".parse().unwrap();
        for (text, expected) in [
            ("2h", "2026-03-02T10:00:00Z"),
            ("30m", "2026-03-02T11:30:00Z"),
            ("1d 12h", "2026-03-01T00:00:00Z"),
            ("2026-03-01T09:00:00Z", "2026-03-01T09:00:00Z"),
            ("2026-03-01T09:00:00+09:00", "2026-03-01T00:00:00Z"),
        ] {
            assert_eq!(
                since_from(text, now).unwrap().to_string(),
                expected,
                "{text}"
            );
        }
        for text in ["", "yesterday", "2x", "12:00"] {
            assert!(since_from(text, now).is_err(), "{text}");
        }
    }

    #[test]
    fn durations_keep_two_units() {
        for (ms, expected) in [
            (0, "0 ms"),
            (340, "340 ms"),
            (12_345, "12.3 s"),
            (185_000, "3 min 05 s"),
            (7_800_000, "2 h 10 min"),
            (273_600_000, "3 d 4 h"),
        ] {
            let from = Timestamp::UNIX_EPOCH;
            let to = Timestamp::from_millisecond(ms).unwrap();
            assert_eq!(duration(from, to), expected);
        }
    }
}

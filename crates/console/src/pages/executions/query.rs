//! The list's address: what is asked for, and links that ask for something a little different.

use jiff::Timestamp;
use operate::when;
use serde::Deserialize;

use crate::error::PageError;
use crate::fleet;

/// Periods to choose from; other values of `since` may be written into the address.
pub(super) const PERIODS: [(&str, &str); 5] = [
    ("", "any time"),
    ("1h", "last hour"),
    ("1d", "last day"),
    ("7d", "last week"),
    ("30d", "last 30 days"),
];
/// Longest text that is searched for, in characters.
const LONGEST: usize = 200;
const LAST_PAGE: usize = 100_000;

/// What the address asks for. Empty is anything.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    pub q: String,
    pub status: String,
    pub machine: String,
    /// `2h`, `7d`, or a time.
    pub since: String,
    /// A time.
    pub until: String,
    page: String,
}

impl Asked {
    pub(super) fn query(&self, now: Timestamp) -> Result<fleet::Query, PageError> {
        let status = match self.status.as_str() {
            "" => None,
            word => Some(fleet::Status::parse(word).ok_or_else(|| {
                PageError::Invalid(format!(
                    "there is no status {word}: use PARKED, RUNNING, SUCCEEDED, FAILED, TIMED_OUT or ABORTED"
                ))
            })?),
        };
        let time = |text: &str| match text {
            "" => Ok(None),
            text => when::since(text)
                .map(|at| Some(at.min(now).as_millisecond()))
                .map_err(PageError::Invalid),
        };
        let text = self.q.trim().to_lowercase();
        if text.chars().count() > LONGEST {
            return Err(PageError::Invalid(format!(
                "search for {LONGEST} characters at most"
            )));
        }
        Ok(fleet::Query {
            status,
            machine: (!self.machine.is_empty()).then(|| self.machine.clone()),
            since: time(&self.since)?,
            until: time(&self.until)?,
            text: (!text.is_empty()).then_some(text),
        })
    }

    /// The page, from 1. What is no number is the first.
    pub(super) fn page(&self) -> usize {
        self.page.parse().unwrap_or(1).clamp(1, LAST_PAGE)
    }

    pub(super) fn is_narrowed(&self) -> bool {
        [
            &self.q,
            &self.status,
            &self.machine,
            &self.since,
            &self.until,
        ]
        .iter()
        .any(|text| !text.is_empty())
    }

    pub(super) fn with_status(&self, status: &str) -> String {
        self.address(status, 1)
    }

    pub(super) fn with_page(&self, page: usize) -> String {
        self.address(&self.status, page)
    }

    fn address(&self, status: &str, page: usize) -> String {
        let mut address = form_urlencoded::Serializer::new(String::new());
        let page = if page > 1 {
            page.to_string()
        } else {
            String::new()
        };
        for (name, value) in [
            ("q", self.q.as_str()),
            ("status", status),
            ("machine", &self.machine),
            ("since", &self.since),
            ("until", &self.until),
            ("page", &page),
        ] {
            if !value.is_empty() {
                address.append_pair(name, value);
            }
        }
        let address = address.finish();
        if address.is_empty() {
            "/executions".to_owned()
        } else {
            format!("/executions?{address}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_keep_what_was_asked() {
        let asked = Asked {
            q: "CP 1&2".to_owned(),
            since: "7d".to_owned(),
            page: "3".to_owned(),
            ..Asked::default()
        };
        assert_eq!(
            asked.with_status("FAILED"),
            "/executions?q=CP+1%262&status=FAILED&since=7d"
        );
        assert_eq!(asked.with_page(4), "/executions?q=CP+1%262&since=7d&page=4");
        assert_eq!(Asked::default().with_page(1), "/executions");
    }

    #[test]
    fn what_cannot_be_asked_is_refused_with_what_can() {
        let now = Timestamp::UNIX_EPOCH;
        for (asked, expected) in [
            (
                Asked {
                    status: "BROKEN".to_owned(),
                    ..Asked::default()
                },
                "TIMED_OUT",
            ),
            (
                Asked {
                    since: "yesterday".to_owned(),
                    ..Asked::default()
                },
                "such as 2h",
            ),
            (
                Asked {
                    q: "x".repeat(201),
                    ..Asked::default()
                },
                "200 characters",
            ),
        ] {
            let told = asked.query(now).unwrap_err().to_string();
            assert!(told.contains(expected), "{told}");
        }
        let page = |text: &str| Asked {
            page: text.to_owned(),
            ..Asked::default()
        };
        assert_eq!(page("0").page(), 1);
        assert_eq!(page("x").page(), 1);
    }
}

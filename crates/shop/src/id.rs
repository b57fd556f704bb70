//! Ids and times, made by us: databases differ in how they make them.

use std::time::{SystemTime, UNIX_EPOCH};

/// A new id such as `OR-0198c0ffee…`: a kind, then a time-ordered random UUID without dashes. Only
/// letters, digits and a dash, so that it may be part of a URL and of an execution's name.
pub(crate) fn new(kind: &str) -> String {
    format!("{kind}-{}", uuid::Uuid::now_v7().simple())
}

/// Now, in milliseconds since 1970 in UTC, as every time in the databases.
pub fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX))
}

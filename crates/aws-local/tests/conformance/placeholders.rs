//! Placeholders in recordings: what stands for a value that AWS makes up.
//!
//! A placeholder may be a whole text or part of one. One that was matched keeps its value: where it comes again, the value
//! must come again. Names in angle brackets are placeholders everywhere; a case lists its others.

use std::collections::{BTreeMap, HashSet};
use std::sync::LazyLock;

use regex::Regex;

use crate::case::Case;

/// Texts that stand for anything if they are the whole text.
const ANYTHING: [&str; 8] = [
    "timestamp",
    "datetime",
    "date",
    "X-Amzn-Trace-Id",
    "x-amz-crc32",
    "x-amzn-RequestId",
    "x-amzn-requestid",
    "RequestId",
];

/// Placeholders that differ from one use to the next.
const FRESH: [&str; 3] = ["<request_id>", "<extended_request_id>", "<date>"];

const BRACKETED: &str = r"<[A-Za-z0-9][A-Za-z0-9_ .{}()\-]*(?::\d+)?>";

static IS_BRACKETED: LazyLock<Regex> = LazyLock::new(|| regex(&format!("^{BRACKETED}$")));
static TIME: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"^(?:date|[1-9]\d{3}-\d{2}-\d{2}T[0-2]\d:[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+-][01]\d:?(?:[0-5]\d)?))",
    )
});

fn regex(text: &str) -> Regex {
    Regex::new(text).unwrap()
}

/// The placeholders of one case, and the values they have so far.
pub(crate) struct Placeholders {
    anything: HashSet<String>,
    any: Regex,
    bound: BTreeMap<String, String>,
}

enum Part<'a> {
    Literal(&'a str),
    Time,
    Placeholder(&'a str),
}

impl Placeholders {
    pub(crate) fn of(case: &Case) -> Placeholders {
        let mut anything: HashSet<String> = ANYTHING.map(str::to_owned).into();
        let mut named: HashSet<&str> = case.bindings.keys().map(String::as_str).collect();
        named.extend(case.volatile.tokens.keys().map(String::as_str));
        for replaced in &case.volatile.replaced {
            if !replaced.reference {
                anything.insert(replaced.replacement.clone());
                if replaced.replacement.starts_with('<') {
                    named.insert(&replaced.replacement);
                }
            }
        }
        let mut named: Vec<&str> = named
            .into_iter()
            .filter(|name| !name.is_empty() && !IS_BRACKETED.is_match(name))
            .collect();
        named.sort_by_key(|name| (std::cmp::Reverse(name.len()), *name));
        let mut alternatives: Vec<String> = named.into_iter().map(regex::escape).collect();
        alternatives.extend([BRACKETED.to_owned(), r"\bdate\b".to_owned()]);
        Placeholders {
            anything,
            any: regex(&alternatives.join("|")),
            bound: BTreeMap::new(),
        }
    }

    /// The values bound so far, to return to with [`Placeholders::forget_since`].
    pub(crate) fn bound(&self) -> BTreeMap<String, String> {
        self.bound.clone()
    }

    pub(crate) fn forget_since(&mut self, bound: BTreeMap<String, String>) {
        self.bound = bound;
    }

    /// Whether the name of a member has a placeholder in it.
    pub(crate) fn occurs_in(&self, text: &str) -> bool {
        self.any.is_match(text)
    }

    /// Whether a text stands for any JSON value.
    pub(crate) fn is_anything(&self, expected: &str) -> bool {
        let whole = self.any.find(expected);
        self.anything.contains(expected)
            || (whole.is_some_and(|found| found.len() == expected.len())
                && !self.bound.contains_key(expected))
    }

    /// Whether an actual text is what a recorded one says; binds what it stands for.
    pub(crate) fn matches(&mut self, expected: &str, actual: &str) -> bool {
        if expected == actual || self.anything.contains(expected) {
            return true;
        }
        let mut parts = Vec::new();
        let mut at = 0;
        for found in self.any.find_iter(expected) {
            parts.push(Part::Literal(&expected[at..found.start()]));
            parts.push(match (found.as_str(), self.bound.get(found.as_str())) {
                ("date", _) => Part::Time,
                (_, Some(value)) => Part::Literal(value),
                (name, None) => Part::Placeholder(name),
            });
            at = found.end();
        }
        if parts.is_empty() {
            return false;
        }
        parts.push(Part::Literal(&expected[at..]));
        let mut values = Vec::new();
        if !fit(&parts, actual, &mut values) {
            return false;
        }
        let kept: Vec<(String, String)> = values
            .into_iter()
            .filter(|(name, _)| !FRESH.contains(name))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        self.bound.extend(kept);
        true
    }
}

/// Fits parts to a whole text; a placeholder takes as little as it can, at least one character.
fn fit<'a>(parts: &[Part<'a>], text: &'a str, values: &mut Vec<(&'a str, &'a str)>) -> bool {
    let Some((first, rest)) = parts.split_first() else {
        return text.is_empty();
    };
    let known = |name: &str| values.iter().find(|(known, _)| *known == name);
    let fixed = match first {
        Part::Literal(literal) => Some(*literal),
        Part::Time => match TIME.find(text) {
            Some(time) => Some(time.as_str()),
            None => return false,
        },
        Part::Placeholder(name) => known(name).map(|(_, value)| *value),
    };
    if let Some(fixed) = fixed {
        return text
            .strip_prefix(fixed)
            .is_some_and(|text| fit(rest, text, values));
    }
    let Part::Placeholder(name) = first else {
        return false;
    };
    let ends = text.char_indices().skip(1).map(|(end, _)| end);
    for end in ends.chain([text.len()]).filter(|end| *end > 0) {
        values.push((name, &text[..end]));
        if fit(rest, &text[end..], values) {
            return true;
        }
        values.pop();
    }
    false
}

//! What a function's answer says about each message of its batch.
//!
//! Source: AWS Lambda developer guide, "Handling errors for an SQS event source in Lambda", success and failure conditions.

use std::collections::HashSet;

use serde_json::Value;

/// What became of a batch.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// All but these message ids are done.
    Done { failed: HashSet<String> },
    /// The answer cannot be understood: all have failed.
    Malformed(&'static str),
}

/// Reads the answer of a function that reports failures.
pub(super) fn verdict(answer: &[u8], is_in_batch: impl Fn(&str) -> bool) -> Verdict {
    let mut failed = HashSet::new();
    if answer.trim_ascii().is_empty() {
        return Verdict::Done { failed };
    }
    let failures = match serde_json::from_slice(answer) {
        Ok(Value::Null) => return Verdict::Done { failed },
        Ok(Value::Object(mut answer)) => answer.remove("batchItemFailures").unwrap_or_default(),
        Ok(_) => return Verdict::Malformed("it is no JSON object"),
        Err(_) => return Verdict::Malformed("it is no JSON"),
    };
    let failures = match failures {
        Value::Null => return Verdict::Done { failed },
        Value::Array(failures) => failures,
        _ => return Verdict::Malformed("batchItemFailures is no list"),
    };
    for failure in failures {
        match failure.get("itemIdentifier").and_then(Value::as_str) {
            Some(id) if is_in_batch(id) => failed.insert(id.to_owned()),
            Some(_) => return Verdict::Malformed("an itemIdentifier is not of this batch"),
            None => return Verdict::Malformed("a batch item failure has no itemIdentifier"),
        };
    }
    Verdict::Done { failed }
}

#[cfg(test)]
mod tests {
    use super::{Verdict, verdict};

    /// `Some(ids)`: these failed. `None`: all failed.
    fn check(answer: &str, expected: Option<&[&str]>) {
        let found = match verdict(answer.as_bytes(), |id| ["a", "b"].contains(&id)) {
            Verdict::Done { failed } => Some(failed),
            Verdict::Malformed(_) => None,
        };
        let expected = expected.map(|ids| ids.iter().map(|id| (*id).to_owned()).collect());
        assert_eq!(found, expected, "{answer}");
    }

    #[test]
    fn answers_are_read_as_aws_reads_them() {
        for success in [
            "",
            " ",
            "null",
            "{}",
            r#"{"batchItemFailures":null}"#,
            r#"{"batchItemFailures":[]}"#,
        ] {
            check(success, Some(&[]));
        }
        check(
            r#"{"batchItemFailures":[{"itemIdentifier":"a"}]}"#,
            Some(&["a"]),
        );
        check(
            r#"{"batchItemFailures":[{"itemIdentifier":"a"},{"itemIdentifier":"b"}]}"#,
            Some(&["a", "b"]),
        );
        for failure in [
            "{",
            "7",
            r#""fine""#,
            r#"{"batchItemFailures":"a"}"#,
            r#"{"batchItemFailures":[{"itemIdentifier":""}]}"#,
            r#"{"batchItemFailures":[{"itemIdentifier":null}]}"#,
            r#"{"batchItemFailures":[{"itemIdentifer":"a"}]}"#,
            r#"{"batchItemFailures":[{"itemIdentifier":"a"},{"itemIdentifier":"unknown"}]}"#,
        ] {
            check(failure, None);
        }
    }
}

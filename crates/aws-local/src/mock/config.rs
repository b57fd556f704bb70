//! Reading the file.

use std::collections::BTreeMap;
use std::sync::Arc;

use asl::Data;
use serde::Deserialize;
use serde_json::Value;

use super::{Mocks, Response, Responses, TestCase};

/// A mock configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MockError {
    /// It is not JSON of the right shape.
    #[error("the mock configuration cannot be read: {0}")]
    Syntax(#[from] serde_json::Error),
    /// Its parts do not fit together.
    #[error("the mock configuration has errors: {}", .0.join("; "))]
    Invalid(Vec<String>),
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct File {
    state_machines: BTreeMap<String, Machine>,
    // AWS's guide calls it both.
    #[serde(default, alias = "MockedResponse")]
    mocked_responses: BTreeMap<String, BTreeMap<String, Mocked>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Machine {
    test_cases: BTreeMap<String, BTreeMap<String, String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Mocked {
    /// A returned `null` is one too.
    #[serde(default, deserialize_with = "present")]
    r#return: Option<Value>,
    throw: Option<Thrown>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Thrown {
    error: String,
    #[serde(default)]
    cause: String,
}

fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

pub(super) fn read(text: &str) -> Result<Mocks, MockError> {
    let file: File = serde_json::from_str(text)?;
    let mut wrong = Vec::new();
    let mut responses = BTreeMap::new();
    for (name, attempts) in file.mocked_responses {
        let found = Arc::new(responses_of(&name, attempts, &mut wrong));
        responses.insert(name, found);
    }
    let mut machines: BTreeMap<String, BTreeMap<String, TestCase>> = BTreeMap::new();
    for (machine, Machine { test_cases }) in file.state_machines {
        for (test_case, states) in test_cases {
            let mut found = TestCase::new();
            for (state, name) in states {
                match responses.get(&name) {
                    Some(responses) => {
                        found.insert(state, Arc::clone(responses));
                    }
                    None => wrong.push(format!(
                        "StateMachines/{machine}/TestCases/{test_case}/{state} names the response {name}, which MockedResponses does not have"
                    )),
                }
            }
            machines
                .entry(machine.clone())
                .or_default()
                .insert(test_case, found);
        }
    }
    if wrong.is_empty() {
        Ok(Mocks { machines })
    } else {
        Err(MockError::Invalid(wrong))
    }
}

fn responses_of(
    name: &str,
    attempts: BTreeMap<String, Mocked>,
    wrong: &mut Vec<String>,
) -> Responses {
    let mut found: Vec<(u64, u64, Response)> = Vec::new();
    for (attempt, mocked) in attempts {
        let place = format!("MockedResponses/{name}/{attempt}");
        let Some((first, last)) = range(&attempt) else {
            wrong.push(format!(
                "{place}: attempts are a number or a range such as 1-2"
            ));
            continue;
        };
        if found
            .iter()
            .any(|(from, to, _)| first <= *to && *from <= last)
        {
            wrong.push(format!("{place} overlaps with another range"));
            continue;
        }
        let response = match mocked {
            Mocked {
                r#return: Some(value),
                throw: None,
            } => Response::Return(Data::new(value)),
            Mocked {
                r#return: None,
                throw: Some(Thrown { error, cause }),
            } => Response::Throw { error, cause },
            _ => {
                wrong.push(format!("{place} needs either Return or Throw"));
                continue;
            }
        };
        found.push((first, last, response));
    }
    Responses(found)
}

fn range(text: &str) -> Option<(u64, u64)> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (first.parse().ok()?, last.parse().ok()?);
    (first <= last).then_some((first, last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_find_their_response() {
        let mocks = Mocks::read(
            r#"{"StateMachines":{"m":{"TestCases":{"c":{"Call":"r"}}}},
                "MockedResponses":{"r":{"0":{"Return":null},"1-2":{"Throw":{"Error":"E","Cause":"c"}}}}}"#,
        )
        .unwrap();
        let responses = &mocks.test_case("m", "c").unwrap()["Call"];
        assert_eq!(
            responses.of_attempt(0),
            Some(&Response::Return(Data::new(Value::Null)))
        );
        let thrown = Response::Throw {
            error: "E".into(),
            cause: "c".into(),
        };
        assert_eq!(responses.of_attempt(1), Some(&thrown));
        assert_eq!(responses.of_attempt(2), Some(&thrown));
        assert_eq!(responses.of_attempt(3), None);
        assert!(!mocks.has("m", "other"));
    }

    #[test]
    fn responses_have_both_names_of_the_guide() {
        for name in ["MockedResponses", "MockedResponse"] {
            let text = format!(
                r#"{{"StateMachines":{{"m":{{"TestCases":{{"c":{{"A":"r"}}}}}}}},"{name}":{{"r":{{"0":{{"Return":1}}}}}}}}"#
            );
            assert!(Mocks::read(&text).unwrap().has("m", "c"), "{name}");
        }
    }

    #[test]
    fn everything_wrong_is_said() {
        let check = |text: &str, expected: &[&str]| {
            let error = Mocks::read(text).unwrap_err().to_string();
            for part in expected {
                assert!(error.contains(part), "{error}");
            }
        };
        check(r#"{"MockedResponses":{}}"#, &["StateMachines"]);
        check(r#"{"StateMachines":{},"Other":{}}"#, &["Other"]);
        check(
            r#"{"StateMachines":{"m":{"TestCases":{"c":{"Call":"none"}}}},
                "MockedResponses":{"r":{"x":{"Return":1},"2-1":{"Return":1},"0-3":{"Return":1},"2":{"Return":1},"9":{}}}}"#,
            &[
                "StateMachines/m/TestCases/c/Call names the response none",
                "MockedResponses/r/x: attempts",
                "MockedResponses/r/2-1: attempts",
                "MockedResponses/r/2 overlaps",
                "MockedResponses/r/9 needs either",
            ],
        );
    }
}

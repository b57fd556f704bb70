//! A case as it is written. Unknown members are errors: a typing mistake must not become an expectation nobody checks.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// One case.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    /// What the case is about, in a sentence.
    pub describes: String,
    /// The execution's input.
    #[serde(default = "empty")]
    pub input: Value,
    /// What each Task state gets as results, in the order of its calls.
    #[serde(default)]
    pub tasks: BTreeMap<String, Vec<Answer>>,
    pub expect: Expect,
}

/// One result of a task, or several equal ones.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, try_from = "Written")]
pub(crate) struct Answer {
    pub what: What,
    /// Virtual seconds between the call and its result.
    pub after_seconds: u64,
    pub times: usize,
}

#[derive(Clone, Debug)]
pub(crate) enum What {
    /// What a function returned, or what its token was answered with.
    Return(Value),
    Throw {
        error: String,
        cause: String,
    },
    /// No answer ever comes; the state's time-out ends it.
    Never,
}

/// What must come of it. What is absent is not compared.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Expect {
    pub status: String,
    /// States in the order in which they are entered; a Parallel or Map is `{"Name": [[…], […]]}`, a list for each
    /// branch or iteration.
    pub path: Vec<Value>,
    pub output: Option<Value>,
    pub error: Option<String>,
    pub cause: Option<String>,
    /// For each named state its calls' arguments; members that are not listed are not compared.
    #[serde(default)]
    pub arguments: BTreeMap<String, Vec<Value>>,
    /// Every event: its type, and the state where AWS names it.
    pub history: Option<Vec<String>>,
}

fn empty() -> Value {
    Value::Object(serde_json::Map::new())
}

/// The form in which an answer is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Written {
    #[serde(default, deserialize_with = "present")]
    r#return: Option<Value>,
    throw: Option<Thrown>,
    #[serde(default)]
    never: bool,
    #[serde(default)]
    after_seconds: u64,
    times: Option<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Thrown {
    error: String,
    /// Text; anything else is written as JSON, as Lambda does.
    #[serde(default)]
    cause: Value,
}

/// `"Return": null` is a result; only a missing member is none.
fn present<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(from).map(Some)
}

impl TryFrom<Written> for Answer {
    type Error = &'static str;

    fn try_from(written: Written) -> Result<Answer, &'static str> {
        let what = match (written.r#return, written.throw, written.never) {
            (Some(value), None, false) => What::Return(value),
            (None, Some(thrown), false) => What::Throw {
                error: thrown.error,
                cause: match thrown.cause {
                    Value::Null => String::new(),
                    Value::String(text) => text,
                    other => other.to_string(),
                },
            },
            (None, None, true) => What::Never,
            _ => return Err("a result needs exactly one of Return, Throw, or \"Never\": true"),
        };
        Ok(Answer {
            what,
            after_seconds: written.after_seconds,
            times: written.times.unwrap_or(1),
        })
    }
}

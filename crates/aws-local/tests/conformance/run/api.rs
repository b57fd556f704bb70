//! Calls in a row, each answer compared that was recorded.

use std::collections::BTreeMap;

use regex::{Captures, Regex};
use serde_json::{Map, Value, json};

use super::request::compare_failure;
use super::{Outcome, judge};
use crate::case::{Case, Step};
use crate::difference::{Difference, differences};
use crate::normal::normal;
use crate::placeholders::Placeholders;
use crate::wire::{Reply, Wire};

/// Ids that the recording made up.
const MADE_UP: &str = "u[0-9a-f]{7}";

/// What the recordings have in the place of page tokens.
const MADE_UP_TOKEN: &str = "fakeNextToken";

pub(super) async fn run(wire: &Wire, case: &Case, number: usize) -> Outcome {
    let mut names = Names::new(number);
    let mut placeholders = Placeholders::of(case);
    let mut found = Vec::new();
    let mut codes = true;
    for step in &case.steps {
        let request = names.in_value(&step.params);
        let ended = wire.ended();
        let reply = wire.call(&action(&step.op), &request).await;
        names.learn(step, &reply.body);
        if step.op == "start_execution" && reply.failure.is_none() {
            let execution = reply.body["executionArn"].as_str().unwrap_or_default();
            wire.end_of(execution, ended).await;
        }
        for matched in &step.matches {
            let Some(expected) = case.expected.responses.get(&matched.key) else {
                continue;
            };
            let path = matched.path.as_deref().unwrap_or_default();
            // boto3's own check of parameters answers those itself.
            let checked_by_client = expected.to_string().contains("Parameter validation failed");
            if !(path.is_empty() || path == ".exception_value") || checked_by_client {
                continue;
            }
            let (more, code) = if reply.failure.is_some() {
                compare_failure(case, expected, &reply)
            } else {
                (
                    answer(expected, &reply, &mut placeholders),
                    expected.get("Error").is_none(),
                )
            };
            found.extend(more);
            codes &= code;
        }
    }
    judge(found, codes)
}

fn answer(expected: &Value, reply: &Reply, placeholders: &mut Placeholders) -> Vec<Difference> {
    if expected.is_string() || expected.get("exception_typename").is_some() {
        return differences(expected, &json!("success"), placeholders);
    }
    differences(expected, &normal(&reply.body), placeholders)
}

/// `start_execution` is `StartExecution`.
fn action(op: &str) -> String {
    op.split('_')
        .map(|word| {
            let (first, rest) = word.split_at(1);
            first.to_uppercase() + rest
        })
        .collect()
}

/// What is called otherwise here than in the recording.
struct Names {
    made_up: Regex,
    number: usize,
    /// ARNs of the recording and ours.
    known: BTreeMap<String, String>,
    /// The last one that was given out.
    page_token: String,
}

impl Names {
    fn new(number: usize) -> Names {
        Names {
            made_up: Regex::new(MADE_UP).unwrap(),
            number,
            known: BTreeMap::new(),
            page_token: String::new(),
        }
    }

    fn learn(&mut self, step: &Step, answer: &Value) {
        for (member, recorded) in &step.returns {
            if let (Some(recorded), Some(ours)) = (recorded.as_str(), answer[member].as_str())
                // Other texts are no names: the recordings shorten some.
                && (recorded.starts_with("arn:") || self.made_up.is_match(recorded))
            {
                self.known.insert(recorded.to_owned(), ours.to_owned());
            }
        }
        if let Some(token) = answer["nextToken"].as_str() {
            self.page_token = token.to_owned();
        }
    }

    fn in_value(&self, value: &Value) -> Value {
        match value {
            Value::Object(members) => {
                let members = members.iter();
                let renamed: Map<String, Value> = members
                    .map(|(name, member)| (name.clone(), self.in_value(member)))
                    .collect();
                Value::Object(renamed)
            }
            Value::Array(elements) => elements.iter().map(|e| self.in_value(e)).collect(),
            Value::String(text) => Value::String(self.in_text(text)),
            value => value.clone(),
        }
    }

    fn in_text(&self, text: &str) -> String {
        if text.starts_with(MADE_UP_TOKEN) {
            return self.page_token.clone();
        }
        // The longest first: an ARN may begin with another one.
        let mut known: Vec<&String> = self.known.keys().collect();
        known.sort_by_key(|name| std::cmp::Reverse(name.len()));
        let mut alternatives: Vec<String> = known.iter().map(|name| regex::escape(name)).collect();
        alternatives.push(self.made_up.as_str().to_owned());
        let any = Regex::new(&alternatives.join("|")).unwrap();
        let stands_alone = |start: usize, end: usize| {
            let letter = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
            !letter(text[..start].chars().next_back()) && !letter(text[end..].chars().next())
        };
        let renamed = any.replace_all(text, |found: &Captures<'_>| {
            let whole = found.get_match();
            let (name, range) = (whole.as_str(), whole.range());
            match self.known.get(name) {
                Some(ours) => ours.clone(),
                None if stands_alone(range.start, range.end) => format!("{name}n{}", self.number),
                None => name.to_owned(),
            }
        });
        renamed.into_owned()
    }
}

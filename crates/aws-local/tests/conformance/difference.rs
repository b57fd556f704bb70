//! What differs between a recorded value and an actual one.

use serde_json::{Value, json};

use crate::placeholders::Placeholders;

/// More differences than this are not looked for.
const MOST: usize = 20;

/// One difference: where, what was recorded, what came.
#[derive(Debug, Clone)]
pub(crate) struct Difference {
    pub(crate) place: String,
    pub(crate) expected: Value,
    pub(crate) actual: Value,
}

/// All differences, up to a bound; empty if the values are equal.
pub(crate) fn differences(
    expected: &Value,
    actual: &Value,
    placeholders: &mut Placeholders,
) -> Vec<Difference> {
    let mut comparison = Comparison {
        placeholders,
        found: Vec::new(),
    };
    comparison.value(expected, actual, "");
    comparison.found
}

pub(crate) fn are_equal(expected: &Value, actual: &Value, placeholders: &mut Placeholders) -> bool {
    differences(expected, actual, placeholders).is_empty()
}

struct Comparison<'a> {
    placeholders: &'a mut Placeholders,
    found: Vec<Difference>,
}

impl Comparison<'_> {
    fn value(&mut self, expected: &Value, actual: &Value, place: &str) {
        if self.found.len() >= MOST {
            return;
        }
        let equal = match (expected, actual) {
            (Value::Object(_), Value::Object(_)) => return self.objects(expected, actual, place),
            (Value::Array(e), Value::Array(a)) => {
                if e.len() != a.len() {
                    self.differ(&format!("{place}.length"), &json!(e.len()), &json!(a.len()));
                }
                for (i, (e, a)) in e.iter().zip(a).enumerate() {
                    self.value(e, a, &format!("{place}[{i}]"));
                }
                return;
            }
            (Value::String(e), Value::String(a)) => {
                self.placeholders.matches(e, a) || self.as_json(&read(e), &read(a))
            }
            (Value::String(e), _) => {
                self.placeholders.is_anything(e) || self.as_json(&read(e), &Some(actual.clone()))
            }
            // Some recordings have every text read that is JSON, not only objects.
            (_, Value::String(a)) => {
                let payload = place.ends_with("Details.output") || place.ends_with("Details.input");
                let may_be_read = expected.is_object() || expected.is_array() || payload;
                may_be_read && read(a).is_some_and(|a| are_equal(expected, &a, self.placeholders))
            }
            (Value::Number(e), Value::Number(a)) => {
                let measured = place.ends_with("billedDurationInMilliseconds")
                    || place.ends_with("billedMemoryUsedInMB");
                measured || e.as_f64() == a.as_f64()
            }
            (e, a) => e == a,
        };
        if !equal {
            self.differ(place, expected, actual);
        }
    }

    /// Whether two values that stood in texts are equal objects or lists.
    fn as_json(&mut self, expected: &Option<Value>, actual: &Option<Value>) -> bool {
        let structured = |value: &Value| value.is_object() || value.is_array();
        match (expected, actual) {
            (Some(e), Some(a)) if structured(e) && structured(a) => {
                are_equal(e, a, self.placeholders)
            }
            _ => false,
        }
    }

    fn objects(&mut self, expected: &Value, actual: &Value, place: &str) {
        let (Value::Object(e), Value::Object(a)) = (expected, actual) else {
            return;
        };
        let mut extra: Vec<&String> = a.keys().filter(|name| !e.contains_key(*name)).collect();
        extra.sort();
        let mut missing: Vec<&String> = e.keys().filter(|name| !a.contains_key(*name)).collect();
        missing.sort();
        let absent = json!("(absent)");
        for name in missing {
            let place = format!("{place}.{name}");
            // A member's name may have a placeholder in it too.
            let found = if self.placeholders.occurs_in(name) {
                let matching = |other: &&String| self.placeholders.matches(name, other);
                extra.iter().position(matching)
            } else {
                None
            };
            match found {
                Some(at) => self.value(&e[name], &a[extra.remove(at)], &place),
                None => self.differ(&place, &e[name], &absent),
            }
        }
        for name in extra {
            self.differ(&format!("{place}.{name}"), &absent, &a[name]);
        }
        for (name, member) in e {
            if let Some(other) = a.get(name) {
                self.value(member, other, &format!("{place}.{name}"));
            }
        }
    }

    fn differ(&mut self, place: &str, expected: &Value, actual: &Value) {
        self.found.push(Difference {
            place: place.to_owned(),
            expected: expected.clone(),
            actual: actual.clone(),
        });
    }
}

fn read(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok()
}

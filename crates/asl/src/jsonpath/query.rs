//! Evaluation of paths.

use serde_json::Value;

use super::{Path, Selector};

pub(super) fn find(path: &Path, root: &Value) -> Option<Value> {
    let mut found = vec![root];
    let mut length = None;
    for selector in &path.selectors {
        if matches!(selector, Selector::Length) {
            length = match found[..] {
                [Value::Array(items)] => Some(items.len()),
                [Value::Object(members)] => Some(members.len()),
                [Value::String(text)] => Some(text.chars().count()),
                _ => None,
            };
            return length.map(Value::from);
        }
        let mut next = Vec::new();
        for value in found {
            select(selector, value, root, &mut next);
        }
        found = next;
    }
    debug_assert!(length.is_none());
    if path.is_definite() {
        return found.first().map(|value| (*value).clone());
    }
    Some(Value::Array(found.into_iter().cloned().collect()))
}

pub(super) fn select<'v>(
    selector: &Selector,
    value: &'v Value,
    root: &'v Value,
    out: &mut Vec<&'v Value>,
) {
    match (selector, value) {
        (Selector::Key(key), Value::Object(members)) => out.extend(members.get(key)),
        (Selector::Index(index), Value::Array(items)) => out.extend(at(items, *index)),
        (Selector::Wildcard, Value::Array(items)) => out.extend(items),
        (Selector::Wildcard, Value::Object(members)) => out.extend(members.values()),
        (Selector::Union(parts), value) => {
            parts.iter().for_each(|part| select(part, value, root, out))
        }
        (Selector::Slice { from, to, step }, Value::Array(items)) => {
            slice(items, *from, *to, *step, out)
        }
        (Selector::Descend(inner), value) => descend(inner, value, root, out),
        (Selector::Filter(filter), Value::Array(items)) => {
            out.extend(items.iter().filter(|item| filter.holds(item, root)))
        }
        (Selector::Filter(filter), value @ Value::Object(_)) => {
            out.extend(Some(value).filter(|value| filter.holds(value, root)))
        }
        _ => {}
    }
}

fn at(items: &[Value], index: i64) -> Option<&Value> {
    let length = i64::try_from(items.len()).ok()?;
    let index = if index < 0 { length + index } else { index };
    items.get(usize::try_from(index).ok()?)
}

fn slice<'v>(
    items: &'v [Value],
    from: Option<i64>,
    to: Option<i64>,
    step: i64,
    out: &mut Vec<&'v Value>,
) {
    let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
    let clamp = |bound: i64| {
        if bound < 0 {
            (length + bound).max(0)
        } else {
            bound.min(length)
        }
    };
    let mut index = clamp(from.unwrap_or(0));
    let end = clamp(to.unwrap_or(length));
    while index < end {
        out.extend(at(items, index));
        index = index.saturating_add(step);
    }
}

fn descend<'v>(inner: &Selector, value: &'v Value, root: &'v Value, out: &mut Vec<&'v Value>) {
    select(inner, value, root, out);
    match value {
        Value::Array(items) => items
            .iter()
            .for_each(|item| descend(inner, item, root, out)),
        Value::Object(members) => members
            .values()
            .for_each(|member| descend(inner, member, root, out)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::Data;
    use crate::jsonpath::{Form, PathExpression};

    #[test]
    fn paths() {
        let input = Data::new(
            json!({"a": [1, 2, 3, {"b": 4}], "store": {"book": [{"price": 5, "t": "x"}, {"price": 15}]}, "odd key": 7}),
        );
        let check = |text: &str, expected: Option<serde_json::Value>| {
            let path = PathExpression::parse(text).unwrap();
            let Form::Path(path) = path.form() else {
                panic!("not a path")
            };
            assert_eq!(
                path.find(&input).map(|data| data.value().clone()),
                expected,
                "{text}"
            );
        };
        check("$", Some(input.value().clone()));
        check("$.a[0]", Some(json!(1)));
        check("$.a[-1].b", Some(json!(4)));
        check("$.a[1:3]", Some(json!([2, 3])));
        check("$.a[0,2]", Some(json!([1, 3])));
        check("$['odd key']", Some(json!(7)));
        check("$.a[*].b", Some(json!([4])));
        check("$..price", Some(json!([5, 15])));
        check("$.store.book[?(@.price < 10)].t", Some(json!(["x"])));
        check("$.store.book[?(@.t)].price", Some(json!([5])));
        check(
            "$.store.book[?(@.price > 5 && @.price <= 15)]",
            Some(json!([{"price": 15}])),
        );
        check("$.a.length()", Some(json!(4)));
        check("$.nothing", None);
        check("$.a[9]", None);
        check("$.a[*].nothing", Some(json!([])));
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for text in [
            "",
            "a",
            "$.",
            "$[",
            "$['a",
            "$.a[?(]",
            "$..",
            "States.Format(",
            "States.Nothing()",
            "States.Format('a') b",
            &format!("${}", "[?(@".repeat(10_000)),
            &"States.Format(".repeat(10_000),
        ] {
            assert!(
                PathExpression::parse(text).is_err(),
                "{}",
                &text[..text.len().min(40)]
            );
        }
    }
}

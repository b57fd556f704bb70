//! Evaluation of paths.

use std::cell::Cell;

use serde_json::{Map, Value};

use super::{Path, Selector, aggregate};

/// So many values are looked at for one path; far more than a payload has. Only descents into descents need more.
const MOST_STEPS: usize = 1_000_000;

/// What is at a path; nothing too where finding it would take too many steps.
pub(super) fn find(path: &Path, root: &Value) -> Option<Value> {
    match path.selectors.split_last() {
        Some((Selector::Function(function), rest)) => {
            let found = places(rest, root)?;
            match found[..] {
                [value] if is_definite(rest) => aggregate::apply(*function, value),
                _ if is_definite(rest) => None,
                _ => aggregate::apply(*function, &listed(found)),
            }
        }
        // Several members at the end of a path make one object of them.
        Some((Selector::Union(parts), rest)) if keys(parts).is_some() => {
            let keys = keys(parts)?;
            let mut objects = places(rest, root)?
                .into_iter()
                .filter_map(|value| some_members(value.as_object()?, &keys));
            if is_definite(rest) {
                objects.next()
            } else {
                Some(Value::Array(objects.collect()))
            }
        }
        _ => {
            let found = places(&path.selectors, root)?;
            if is_definite(&path.selectors) {
                found.first().map(|value| (*value).clone())
            } else {
                Some(listed(found))
            }
        }
    }
}

/// Whether they lead to at most one place.
fn is_definite(selectors: &[Selector]) -> bool {
    selectors
        .iter()
        .all(|selector| matches!(selector, Selector::Key(_) | Selector::Index(_)))
}

fn places<'v>(selectors: &'v [Selector], root: &'v Value) -> Option<Vec<&'v Value>> {
    let left = Cell::new(MOST_STEPS);
    let found = follow(selectors, root, root, &left);
    (left.get() > 0).then_some(found)
}

/// What selectors lead to from a value. Stops where no step is left.
pub(super) fn follow<'v>(
    selectors: &'v [Selector],
    from: &'v Value,
    root: &'v Value,
    left: &Cell<usize>,
) -> Vec<&'v Value> {
    let mut found = vec![from];
    for selector in selectors {
        let mut next = Vec::new();
        for value in found {
            select(selector, value, root, left, &mut next);
        }
        found = next;
    }
    found
}

fn listed(found: Vec<&Value>) -> Value {
    Value::Array(found.into_iter().cloned().collect())
}

/// The keys of a union that names nothing else.
fn keys(parts: &[Selector]) -> Option<Vec<&str>> {
    fn key(part: &Selector) -> Option<&str> {
        match part {
            Selector::Key(key) => Some(key),
            _ => None,
        }
    }
    parts.iter().map(key).collect()
}

fn some_members(members: &Map<String, Value>, keys: &[&str]) -> Option<Value> {
    let found = keys
        .iter()
        .filter_map(|key| Some(((*key).to_owned(), members.get(*key)?.clone())));
    Some(Value::Object(found.collect()))
}

/// What one definite selector leads to.
pub(super) fn step<'v>(selector: &'v Selector, value: &'v Value) -> Option<&'v Value> {
    let left = Cell::new(MOST_STEPS);
    follow(std::slice::from_ref(selector), value, value, &left)
        .first()
        .copied()
}

fn select<'v>(
    selector: &'v Selector,
    value: &'v Value,
    root: &'v Value,
    left: &Cell<usize>,
    out: &mut Vec<&'v Value>,
) {
    let before = out.len();
    match (selector, value) {
        (Selector::Key(key), Value::Object(members)) => out.extend(members.get(key)),
        (Selector::Index(index), Value::Array(items)) => out.extend(at(items, *index)),
        (Selector::Wildcard, Value::Array(items)) => out.extend(items),
        (Selector::Wildcard, Value::Object(members)) => out.extend(members.values()),
        (Selector::Union(parts), value) => parts
            .iter()
            .for_each(|part| select(part, value, root, left, out)),
        (Selector::Slice { from, to, step }, Value::Array(items)) => {
            slice(items, *from, *to, *step, out)
        }
        (Selector::Descend(inner), value) => descend(inner, value, root, left, out),
        (Selector::Filter(filter), Value::Array(items)) => {
            out.extend(items.iter().filter(|item| filter.holds(item, root, left)))
        }
        (Selector::Filter(filter), value @ Value::Object(_)) => {
            out.extend(Some(value).filter(|value| filter.holds(value, root, left)))
        }
        _ => {}
    }
    left.set(left.get().saturating_sub(1 + out.len() - before));
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

fn descend<'v>(
    inner: &'v Selector,
    value: &'v Value,
    root: &'v Value,
    left: &Cell<usize>,
    out: &mut Vec<&'v Value>,
) {
    if left.get() == 0 {
        return;
    }
    select(inner, value, root, left, out);
    match value {
        Value::Array(items) => items
            .iter()
            .for_each(|item| descend(inner, item, root, left, out)),
        Value::Object(members) => members
            .values()
            .for_each(|member| descend(inner, member, root, left, out)),
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
        check("$.a[0,2].length()", Some(json!(2)));
        check("$.a[:3].sum()", Some(json!(6.0)));
        check("$.a[?(@ > 1)].max()", Some(json!(3.0)));
        check("$.store.book[0].keys()", Some(json!(["price", "t"])));
        check("$.store.book[*].price.avg()", Some(json!(10.0)));
        check("$.store.book[*].price.stddev()", Some(json!(5.0)));
        check("$.store.sum()", None);
        check("$.none.length()", None);
        check(
            "$.store.book[*]['t','price']",
            Some(json!([{"t": "x", "price": 5}, {"price": 15}])),
        );
        check("$['odd key','none']", Some(json!({"odd key": 7})));
        check("$.nothing", None);
        check("$.a[9]", None);
        check("$.a[*].nothing", Some(json!([])));
    }

    #[test]
    fn filters() {
        let input = Data::new(json!({"u": [
            {"n": "abc", "s": 1997, "l": [1, 2]}, {"n": "Abd", "s": 2001, "l": []}, {"n": "x.y", "l": [3]}, {"n": null}]}));
        let check = |filter: &str, expected: &[usize]| {
            let path = PathExpression::parse(&format!("$.u[?({filter})]")).unwrap();
            let Form::Path(path) = path.form() else {
                panic!("not a path")
            };
            let all = input.value()["u"].as_array().unwrap();
            let wanted: Vec<_> = expected.iter().map(|index| all[*index].clone()).collect();
            assert_eq!(
                path.find(&input).unwrap().value(),
                &json!(wanted),
                "{filter}"
            );
        };
        check("@.n =~ /ab./", &[0]);
        check("@.n =~ /ab./i", &[0, 1]);
        check("@.n =~ /b/", &[]);
        check(r"@.n =~ /x\.y|a\/b/", &[2]);
        check("@.s =~ /19.*/", &[0]);
        check("@.n in ['abc', 'x.y']", &[0, 2]);
        check("@.n nin ['abc', 'x.y']", &[1, 3]);
        check("@.n contains 'b'", &[0, 1]);
        check("@.l contains 3", &[2]);
        check("@.l size 2", &[0]);
        check("@.n size 3", &[0, 1, 2]);
        check("@.l empty true", &[1]);
        check("@.l subsetof [1, 2, 3]", &[0, 1, 2]);
        check("@.l anyof [2, 3]", &[0, 2]);
        check("@.l noneof [2, 3]", &[1]);
        check("@.s>=1997&&!(@.n=='Abd')", &[0]);
    }

    #[test]
    fn endless_searches_find_nothing() {
        let deep = (0..100).fold(json!([1]), |inner, _| json!([inner, inner.is_null()]));
        let input = Data::new(deep);
        for text in [
            &format!("$.{}", ".*.".repeat(12).trim_end_matches('.')),
            "$..[?(@..[?(@..[?(@..[?(@..* > 5)])])])]",
        ] {
            let path = PathExpression::parse(text).unwrap();
            let Form::Path(path) = path.form() else {
                panic!("not a path")
            };
            assert!(path.find(&input).is_none(), "{text}");
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        let input = Data::new(json!({"a": {"b": [1]}, "c": 1}));
        for (text, expected) in [
            ("$.x", "No results for path: $['x']"),
            ("$.a.x", "No results for path: $['a']['x']"),
            ("$.a.x.y", "Missing property in path $['a']['x']"),
            ("$.a.b[3]", "No results for path: $['a']['b'][3]"),
            ("$.c.x.y", "No results for path: $['c']['x']['y']"),
        ] {
            let path = PathExpression::parse(text).unwrap();
            let Form::Path(path) = path.form() else {
                panic!("not a path")
            };
            assert_eq!(path.why_nothing(&input), expected);
        }
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
            "$.a[?(@ =~ /a)]",
            "$.a[?(@ =~ /(/)]",
            "$.a[?(@ =~ 'a')]",
            "$.a[?(/a/ == @)]",
            "$.a[?(@ == /a/)]",
            "$.a.length().b",
            "$..length()",
            "$.a..sum()",
            "$.a.nothing()",
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

//! What is known of a value before anything runs: which types it may have, which members, which elements.
//!
//! A shape says what a value *may* be, so that a check never complains of what could be right: where ways through a
//! workflow meet, their shapes are joined. What comes from outside without a contract is [`Shape::Unknown`], and so is what it
//! is joined with. Only what an operator answers ([`Shape::Alike`]) adds nothing where it meets something known: an input for a
//! replay has to be like what the workflow makes itself.

mod fit;
mod schema;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// A loop may wrap its own output again and again: what lies deeper than this is not looked at.
const DEEPEST: usize = 12;

/// What a value may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shape {
    /// Nothing is known.
    Unknown,
    /// Nothing is known but that it has to be like whatever else comes to where it goes.
    Alike,
    /// These types, and nothing else.
    Known(Known),
}

/// The types that a value may have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    scalars: BTreeSet<&'static str>,
    object: Option<Object>,
    array: Option<Box<Array>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Object {
    members: BTreeMap<String, Shape>,
    /// Of a contract: those that must be there.
    required: BTreeSet<String>,
    others: Others,
}

/// Members that are not listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Others {
    /// There are none, and a contract refuses them.
    Refused,
    /// There are none.
    Absent,
    /// There may be.
    Possible,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Array {
    Of(Shape),
    Tuple(Vec<Shape>),
}

/// What reading a member gives.
pub(super) enum Member<'a> {
    Found(Shape),
    /// It can never be there; these could.
    Missing(Vec<&'a str>),
}

impl Shape {
    /// A text.
    pub fn text() -> Self {
        Self::scalar("text")
    }

    /// A number.
    pub fn number() -> Self {
        Self::scalar("number")
    }

    pub(super) fn truth() -> Self {
        Self::scalar("boolean")
    }

    pub(super) fn null() -> Self {
        Self::scalar("null")
    }

    fn scalar(name: &'static str) -> Self {
        Self::Known(Known {
            scalars: BTreeSet::from([name]),
            ..Known::default()
        })
    }

    /// An object of exactly these members.
    pub fn object(members: impl IntoIterator<Item = (String, Shape)>) -> Self {
        let members: BTreeMap<_, _> = members.into_iter().collect();
        let required = members.keys().cloned().collect();
        Self::of_object(Object {
            members,
            required,
            others: Others::Absent,
        })
    }

    fn of_object(object: Object) -> Self {
        Self::Known(Known {
            object: Some(object),
            ..Known::default()
        })
    }

    pub(super) fn array(of: Shape) -> Self {
        Self::of_array(Array::Of(of))
    }

    pub(super) fn tuple(elements: Vec<Shape>) -> Self {
        Self::of_array(Array::Tuple(elements))
    }

    fn of_array(array: Array) -> Self {
        Self::Known(Known {
            array: Some(Box::new(array)),
            ..Known::default()
        })
    }

    /// The shape of a written value.
    pub(super) fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::null(),
            Value::Bool(_) => Self::truth(),
            Value::Number(_) => Self::number(),
            Value::String(_) => Self::text(),
            Value::Array(elements) => Self::tuple(elements.iter().map(Self::of).collect()),
            Value::Object(members) => Self::object(
                members
                    .iter()
                    .map(|(name, value)| (name.clone(), Self::of(value))),
            ),
        }
    }

    /// One of several, where what is not known may be anything.
    fn any_of(shapes: impl Iterator<Item = Self>) -> Self {
        shapes.fold(Self::Known(Known::default()), |all, shape| {
            match (all, shape) {
                (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
                (Self::Alike, _) | (_, Self::Alike) => Self::Alike,
                (all, shape) => all.join(shape),
            }
        })
    }

    /// What an expression gives that gives one or the other: nothing is known where one of them is not.
    pub(super) fn either(self, other: Self) -> Self {
        Self::any_of([self, other].into_iter())
    }

    /// What a value is where ways meet: on either it may be what is not known of it.
    pub(super) fn join(self, other: Self) -> Self {
        match (self, other) {
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            (Self::Alike, other) | (other, Self::Alike) => other,
            (Self::Known(mut a), Self::Known(b)) => {
                a.scalars.extend(b.scalars);
                a.object = match (a.object, b.object) {
                    (Some(a), Some(b)) => Some(a.join(b)),
                    (a, b) => a.or(b),
                };
                a.array = match (a.array, b.array) {
                    (Some(a), Some(b)) => Some(Box::new(a.join(*b))),
                    (a, b) => a.or(b),
                };
                Self::Known(a)
            }
        }
    }

    /// The same, without what lies too deep.
    pub(super) fn cut(self) -> Self {
        self.cut_below(DEEPEST)
    }

    fn cut_below(self, depth: usize) -> Self {
        let Self::Known(mut known) = self else {
            return self;
        };
        if depth == 0 {
            return Self::Unknown;
        }
        if let Some(object) = &mut known.object {
            for member in object.members.values_mut() {
                *member = std::mem::replace(member, Self::Unknown).cut_below(depth - 1);
            }
        }
        known.array = known.array.map(|array| {
            Box::new(match *array {
                Array::Of(of) => Array::Of(of.cut_below(depth - 1)),
                Array::Tuple(of) => {
                    Array::Tuple(of.into_iter().map(|it| it.cut_below(depth - 1)).collect())
                }
            })
        });
        Self::Known(known)
    }

    /// A member, of an object or of each object in an array, as JSONata reads it.
    pub(super) fn member(&self, name: &str) -> Member<'_> {
        let Self::Known(known) = self else {
            return Member::Found(self.clone());
        };
        let mut could = Vec::new();
        let mut found = None::<Self>;
        if let Some(object) = &known.object {
            match object.members.get(name) {
                Some(member) => found = Some(member.clone()),
                None if object.others == Others::Possible => {
                    return Member::Found(Self::Unknown);
                }
                None => could.extend(object.members.keys().map(String::as_str)),
            }
        }
        for element in known.array.iter().flat_map(|array| array.elements()) {
            match element.member(name) {
                Member::Found(member) => {
                    found = Some(found.map_or(member.clone(), |found| found.join(member)));
                }
                Member::Missing(others) => could.extend(others),
            }
        }
        match found {
            Some(found) => Member::Found(found),
            // No type at all: it is never there, which was told where that began.
            None if *known == Known::default() => Member::Found(Self::Unknown),
            None => Member::Missing(could),
        }
    }

    /// The element at a place, or any element; a value that is no array is its own only element.
    pub(super) fn element(&self, at: Option<usize>) -> Self {
        let Self::Known(known) = self else {
            return self.clone();
        };
        let Some(array) = &known.array else {
            return self.clone();
        };
        match (&**array, at) {
            (Array::Tuple(elements), Some(at)) if elements.len() > at => elements[at].clone(),
            (array, _) => array.any().unwrap_or(Self::Unknown),
        }
    }

    /// `$merge`: the members of all, the later ones going before.
    pub(super) fn merge(objects: &[Self]) -> Self {
        let mut merged = Object {
            members: BTreeMap::new(),
            required: BTreeSet::new(),
            others: Others::Absent,
        };
        for shape in objects {
            match shape {
                Self::Known(Known {
                    object: Some(object),
                    ..
                }) => {
                    merged.members.extend(object.members.clone());
                    merged.required.extend(object.required.clone());
                    merged.others = merged.others.max(object.others);
                }
                _ => merged.others = Others::Possible,
            }
        }
        Self::of_object(merged)
    }
}

impl Known {
    fn types(&self) -> BTreeSet<&'static str> {
        let mut types = self.scalars.clone();
        types.extend(self.object.as_ref().map(|_| "object"));
        types.extend(self.array.as_ref().map(|_| "array"));
        types
    }
}

impl Object {
    fn join(mut self, other: Self) -> Self {
        self.required.retain(|name| other.required.contains(name));
        // What one does not list may be anything if it may have more than it lists.
        for (name, shape) in &mut self.members {
            if other.others == Others::Possible && !other.members.contains_key(name) {
                *shape = Shape::Unknown;
            }
        }
        for (name, shape) in other.members {
            let shape = match self.members.remove(&name) {
                Some(known) => known.join(shape),
                None if self.others == Others::Possible => Shape::Unknown,
                None => shape,
            };
            self.members.insert(name, shape);
        }
        self.others = self.others.max(other.others);
        self
    }
}

impl Array {
    fn elements(&self) -> impl Iterator<Item = &Shape> {
        match self {
            Self::Of(one) => std::slice::from_ref(one).iter(),
            Self::Tuple(many) => many.iter(),
        }
    }

    /// Any of them, if there are any.
    fn any(&self) -> Option<Shape> {
        self.elements().cloned().reduce(Shape::join)
    }

    fn join(self, other: Self) -> Self {
        match (self, other) {
            (Self::Tuple(a), Self::Tuple(b)) if a.len() == b.len() => {
                Self::Tuple(a.into_iter().zip(b).map(|(a, b)| a.join(b)).collect())
            }
            (a, b) => {
                // An empty one adds nothing.
                match (a.any(), b.any()) {
                    (Some(a), Some(b)) => Self::Of(a.join(b)),
                    (Some(of), None) | (None, Some(of)) => Self::Of(of),
                    (None, None) => Self::Tuple(Vec::new()),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn schema() -> Value {
        json!({
            "type": "object", "required": ["id", "kind"],
            "properties": {
                "id": {"type": "string"}, "count": {"type": ["integer", "null"]}, "kind": {"$ref": "#/$defs/Kind"},
                "any": true, "list": {"type": "array", "items": {"type": "object", "properties": {"a": {"type": "string"}}}}
            },
            "$defs": {"Kind": {"oneOf": [{"const": "a"}, {"enum": ["b", "c"]}]}}
        })
    }

    #[test]
    fn a_schema_is_read_as_far_as_it_says() {
        let shape = Shape::from_schema(&schema());
        for (name, expected) in [
            ("id", Shape::text()),
            ("count", Shape::number().join(Shape::null())),
            ("kind", Shape::text()),
            ("any", Shape::Unknown),
        ] {
            assert!(
                matches!(shape.member(name), Member::Found(it) if it == expected),
                "{name}"
            );
        }
        let Member::Found(list) = shape.member("list") else {
            panic!("no list");
        };
        assert!(matches!(list.member("a"), Member::Found(it) if it == Shape::text()));
        assert!(matches!(list.member("b"), Member::Missing(could) if could == ["a"]));
        assert!(matches!(shape.member("other"), Member::Missing(could) if could.len() == 5));
    }

    #[test]
    fn only_what_can_never_fit_is_a_misfit() {
        let wanted = Shape::from_schema(&schema());
        for (given, expected) in [
            (json!({"id": "x", "kind": "a", "more": 1}), vec![]),
            (
                json!({"id": 1, "count": "x"}),
                vec![
                    (".kind", "is missing"),
                    (".count", "is text, not null or number"),
                    (".id", "is number, not text"),
                ],
            ),
            (
                json!({"id": "x", "kind": "a", "list": [{"a": 1}]}),
                vec![(".list[].a", "is number, not text")],
            ),
            (json!("x"), vec![("", "is text, not object")]),
        ] {
            let found = Shape::of(&given).misfits(&wanted);
            let found: Vec<_> = found
                .iter()
                .map(|(at, what)| (at.as_str(), what.as_str()))
                .collect();
            assert_eq!(found, expected, "{given}");
        }
        assert!(Shape::Unknown.misfits(&wanted).is_empty());
    }

    #[test]
    fn a_loop_that_wraps_its_own_output_comes_to_an_end() {
        let mut shape = Shape::of(&json!({"a": 1}));
        for _ in 0..40 {
            let wrapped = Shape::object([("before".to_owned(), shape.clone())]);
            shape = shape.join(wrapped).cut();
        }
        let once_more = shape
            .clone()
            .join(Shape::object([("before".to_owned(), shape.clone())]))
            .cut();
        assert_eq!(once_more, shape);
    }
}

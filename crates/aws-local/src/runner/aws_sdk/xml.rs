//! XML as services write and read it: a tree of elements, held against the structures of a model.

use quick_xml::Reader;
use quick_xml::escape::escape;
use quick_xml::events::Event;
use serde_json::{Map, Value};

use super::value::{not_supported, text_of, value_of};
use crate::models::wire::{Kind, Model, Place};

/// The deepest document that is read.
const MOST_DEPTH: usize = 64;

/// An element. Attributes are left out, no result has any.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Element {
    pub(super) name: String,
    pub(super) text: String,
    children: Vec<Element>,
}

impl Element {
    /// The first child of a name.
    pub(super) fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name == name)
    }

    /// A child's text.
    pub(super) fn text_of(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| child.text.as_str())
    }
}

/// The document's root, if it is one.
pub(super) fn parse(document: &[u8]) -> Option<Element> {
    let mut reader = Reader::from_str(std::str::from_utf8(document).ok()?);
    let mut open: Vec<Element> = vec![Element::default()];
    loop {
        match reader.read_event().ok()? {
            Event::Start(tag) if open.len() < MOST_DEPTH => open.push(element(&tag)),
            Event::Start(_) => return None,
            Event::Empty(tag) => open.last_mut()?.children.push(element(&tag)),
            Event::End(_) => {
                let mut closed = open.pop()?;
                if !closed.children.is_empty() {
                    closed.text.clear();
                }
                open.last_mut()?.children.push(closed);
            }
            Event::Text(text) => open.last_mut()?.text.push_str(&text),
            Event::CData(text) => open.last_mut()?.text.push_str(&text),
            Event::GeneralRef(name) => {
                let text = match name.resolve_char_ref().ok()? {
                    Some(character) => character.to_string(),
                    None => quick_xml::escape::resolve_predefined_entity(&name)?.to_owned(),
                };
                open.last_mut()?.text.push_str(&text);
            }
            Event::Eof => break,
            _ => {}
        }
    }
    let mut document = open.pop().filter(|_| open.is_empty())?;
    document.children.pop()
}

fn element(tag: &quick_xml::events::BytesStart<'_>) -> Element {
    Element {
        name: tag.local_name().as_ref().to_owned(),
        ..Element::default()
    }
}

/// The members of a structure that are in an element.
pub(super) fn read_structure(
    model: Model,
    structure: &str,
    element: &Element,
) -> Map<String, Value> {
    let mut members = Map::new();
    for member in model
        .members(structure)
        .filter(|it| it.place == Place::Body)
    {
        let mut found = element.children.iter().filter(|it| it.name == member.wire);
        let flat = matches!(
            member.kind,
            Kind::List(None, _) | Kind::Map { flat: true, .. }
        );
        let value = if flat {
            let found: Vec<&Element> = found.collect();
            (!found.is_empty()).then(|| read_all(model, member.kind, &found))
        } else {
            found.next().map(|it| read(model, member.kind, it))
        };
        // GetBucketLocation answers with the member itself.
        let value = value.or_else(|| {
            (element.name == member.wire && element.children.is_empty())
                .then(|| read(model, member.kind, element))
        });
        members.extend(value.map(|value| (member.name.to_owned(), value)));
    }
    members
}

fn read(model: Model, kind: Kind, element: &Element) -> Value {
    match kind {
        Kind::Structure(name) => read_structure(model, name, element).into(),
        Kind::List(..) | Kind::Map { .. } => {
            read_all(model, kind, &element.children.iter().collect::<Vec<_>>())
        }
        kind => value_of(kind, &element.text),
    }
}

/// The elements of a list, or the entries of a map.
fn read_all(model: Model, kind: Kind, elements: &[&Element]) -> Value {
    match kind {
        Kind::Map { key, value, of, .. } => elements
            .iter()
            .filter_map(|entry| {
                let key = entry.text_of(key)?.to_owned();
                Some((key, read(model, Kind::of(of), entry.child(value)?)))
            })
            .collect::<Map<_, _>>()
            .into(),
        Kind::List(_, of) => elements
            .iter()
            .map(|it| read(model, Kind::of(of), it))
            .collect(),
        _ => Value::Null,
    }
}

/// Writes a value as an element.
pub(super) fn write(model: Model, name: &str, kind: Kind, value: &Value) -> Result<String, String> {
    Ok(match (kind, value) {
        (_, Value::Null) => String::new(),
        (Kind::List(item, of), Value::Array(elements)) => {
            let item_name = item.unwrap_or(name);
            let items: Result<String, String> = elements
                .iter()
                .map(|it| write(model, item_name, Kind::of(of), it))
                .collect();
            match item {
                None => items?,
                Some(_) => format!("<{name}>{}</{name}>", items?),
            }
        }
        (Kind::Structure(structure), Value::Object(given)) => {
            format!(
                "<{name}>{}</{name}>",
                write_members(model, structure, given)?
            )
        }
        (Kind::Structure(_) | Kind::Map { .. } | Kind::List(..), _) => {
            return Err(format!("The field '{name}' does not have the right type"));
        }
        (kind, value) => format!("<{name}>{}</{name}>", escape(text_of(kind, value)?)),
    })
}

/// The inside of a structure's element.
pub(super) fn write_members(
    model: Model,
    structure: &str,
    given: &Map<String, Value>,
) -> Result<String, String> {
    given
        .iter()
        .map(|(given, value)| {
            let member = model.members(structure).find(|it| it.name == given);
            let member = member.ok_or_else(|| not_supported(given))?;
            write(model, member.wire, member.kind, value)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lists_and_texts_are_read_by_the_model() {
        let document = b"<?xml version=\"1.0\"?>\n<ListBucketResult xmlns=\"x\"><Name>b</Name><KeyCount>2</KeyCount>\
            <IsTruncated>false</IsTruncated><Contents><Key>a &amp; b&#33;</Key><Size>3</Size></Contents>\
            <Contents><Key/></Contents><Unknown>1</Unknown></ListBucketResult>";
        let root = parse(document).unwrap();
        let read = read_structure(Model::of("s3").unwrap(), "ListObjectsV2Output", &root);
        assert_eq!(
            Value::Object(read),
            json!({"IsTruncated": false, "Contents": [{"Key": "a & b!", "Size": 3}, {"Key": ""}], "Name": "b", "KeyCount": 2})
        );
        for broken in ["", "text", "<a>", "<a></b>", "<a>&unknown;</a>"] {
            assert_eq!(parse(broken.as_bytes()), None, "{broken}");
        }
        assert_eq!(parse("<a>".repeat(100).as_bytes()), None);
    }

    #[test]
    fn structures_are_written_by_the_model() {
        let model = Model::of("s3").unwrap();
        let write = |value: Value| write(model, "Delete", Kind::Structure("Delete"), &value);
        assert_eq!(
            write(json!({"Objects": [{"Key": "a<b"}, {"Key": "c"}], "Quiet": true})).unwrap(),
            "<Delete><Object><Key>a&lt;b</Key></Object><Object><Key>c</Key></Object><Quiet>true</Quiet></Delete>"
        );
        assert!(write(json!({"Keys": []})).unwrap_err().contains("'Keys'"));
    }
}

//! AWS Query: the parameters become a form, the result is read from XML.
//!
//! Source: Smithy "AWS query protocol".

use bytes::Bytes;
use http::{HeaderValue, Method, header};
use serde_json::Value;

use super::call::{Answer, Call};
use super::value::{not_supported, text_of};
use super::xml;
use crate::models::wire::{Action, Kind, Model};

/// The request of an action.
pub(super) fn request(
    model: Model,
    version: &str,
    name: &str,
    action: Action,
    parameters: &Value,
) -> Result<Call, String> {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("Action", name);
    form.append_pair("Version", version);
    write(
        &mut form,
        model,
        "",
        Kind::Structure(action.input),
        parameters,
    )?;
    let mut call = Call {
        method: Method::POST,
        path: "/".to_owned(),
        body: Bytes::from(form.finish()),
        ..Call::default()
    };
    let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
    call.headers.insert(header::CONTENT_TYPE, kind);
    Ok(call)
}

type Form<'a> = form_urlencoded::Serializer<'a, String>;

fn write(
    form: &mut Form<'_>,
    model: Model,
    name: &str,
    kind: Kind,
    value: &Value,
) -> Result<(), String> {
    let below = |part: &str| match name {
        "" => part.to_owned(),
        name => format!("{name}.{part}"),
    };
    match (kind, value) {
        (_, Value::Null) => {}
        (Kind::Structure(structure), Value::Object(given)) => {
            for (given, value) in given {
                let member = model.members(structure).find(|it| it.name == given);
                let member = member.ok_or_else(|| not_supported(given))?;
                write(form, model, &below(member.wire), member.kind, value)?;
            }
        }
        // Not the same as none: it takes away what was there. Maps have no such form.
        (Kind::List(..), Value::Array(elements)) if elements.is_empty() => {
            form.append_pair(name, "");
        }
        (Kind::List(item, of), Value::Array(elements)) => {
            let name = item.map_or_else(|| name.to_owned(), below);
            for (index, element) in (1..).zip(elements) {
                write(
                    form,
                    model,
                    &format!("{name}.{index}"),
                    Kind::of(of),
                    element,
                )?;
            }
        }
        (
            Kind::Map {
                flat,
                key,
                value: inner,
                of,
            },
            Value::Object(entries),
        ) => {
            let name = if flat {
                name.to_owned()
            } else {
                below("entry")
            };
            for (index, (entry, value)) in (1..).zip(entries) {
                form.append_pair(&format!("{name}.{index}.{key}"), entry);
                write(
                    form,
                    model,
                    &format!("{name}.{index}.{inner}"),
                    Kind::of(of),
                    value,
                )?;
            }
        }
        (Kind::Structure(_) | Kind::Map { .. }, _) => {
            return Err(format!("The field '{name}' must be an object"));
        }
        (Kind::List(..), _) => return Err(format!("The field '{name}' must be an array")),
        (kind, value) => {
            form.append_pair(name, &text_of(kind, value)?);
        }
    }
    Ok(())
}

/// The task's result.
pub(super) fn result(model: Model, name: &str, action: Action, answer: &Answer) -> Value {
    let root = xml::parse(answer.body());
    let wrapped = root
        .as_ref()
        .and_then(|it| it.child(&format!("{name}Result")));
    wrapped.map_or_else(
        || Value::Object(Default::default()),
        |it| xml::read_structure(model, action.output, it).into(),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lists_and_maps_are_counted_from_one() {
        let model = Model::of("sns").unwrap();
        let action = model.action("PublishBatch").unwrap();
        let parameters = json!({"TopicArn": "t", "PublishBatchRequestEntries": [{"Id": "a", "Message": {"b": 1},
            "MessageAttributes": {"k": {"DataType": "String", "StringValue": "v"}}, "Subject": null}]});
        let form = |parameters: &Value| {
            request(model, "2010-03-31", "PublishBatch", action, parameters).map(|call| {
                let pairs = form_urlencoded::parse(&call.body).into_owned();
                pairs
                    .map(|(name, value)| format!("{name}={value}"))
                    .collect::<Vec<_>>()
            })
        };
        let entry = "PublishBatchRequestEntries.member.1";
        assert_eq!(
            form(&parameters).unwrap(),
            [
                "Action=PublishBatch".to_owned(),
                "Version=2010-03-31".to_owned(),
                "TopicArn=t".to_owned(),
                format!("{entry}.Id=a"),
                format!("{entry}.Message={{\"b\":1}}"),
                format!("{entry}.MessageAttributes.entry.1.Name=k"),
                format!("{entry}.MessageAttributes.entry.1.Value.DataType=String"),
                format!("{entry}.MessageAttributes.entry.1.Value.StringValue=v"),
            ]
        );
        assert_eq!(
            form(&json!({"PublishBatchRequestEntries": []})).unwrap()[2],
            "PublishBatchRequestEntries="
        );
        assert_eq!(
            form(&json!({"Topic": "t"})).unwrap_err(),
            "The field 'Topic' is not supported by Step Functions"
        );
        assert!(form(&json!({"PublishBatchRequestEntries": {}})).is_err());
    }
}

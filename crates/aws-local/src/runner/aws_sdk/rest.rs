//! REST: the model says which members go into the path, the query, the headers and the body, and where those of the answer are.
//! The body is JSON, or XML for S3.
//!
//! Source: Smithy "AWS restJson1 protocol" and "AWS restXml protocol".

use base64::Engine as _;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

use super::call::{Answer, Call};
use super::value::{not_supported, seconds, text_of, value_of, write_time};
use super::xml;
use crate::models::wire::{Action, Kind, Member, Model, Place, Time};

/// What stays in a part of a path; a label may be of several parts.
const LABEL: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');
const LABELS: &AsciiSet = &LABEL.remove(b'/');

/// What the body is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Json,
    Xml,
}

/// The request of an action.
pub(super) fn request(
    model: Model,
    form: Form,
    action: Action,
    parameters: &Value,
) -> Result<Call, String> {
    let nothing = Map::new();
    let given = match parameters {
        Value::Object(given) => given,
        Value::Null => &nothing,
        _ => return Err("They must be an object".to_owned()),
    };
    let (path, fixed) = action.path.split_once('?').unwrap_or((action.path, ""));
    let mut path = path.to_owned();
    let mut query: Vec<String> = fixed
        .split('&')
        .filter(|it| !it.is_empty())
        .map(str::to_owned)
        .collect();
    let mut headers = HeaderMap::new();
    let mut inside = Map::new();
    let mut payload = None;
    for (name, value) in given.iter().filter(|(_, value)| !value.is_null()) {
        let member = model.members(action.input).find(|it| it.name == name);
        let member = member.ok_or_else(|| not_supported(name))?;
        match member.place {
            Place::Path => path = fill(&path, &member, value)?,
            Place::Query => write_query(&mut query, &member, value)?,
            Place::Header => add(&mut headers, member.wire, &listed(member.kind, value)?)?,
            Place::Headers => {
                let entries = value
                    .as_object()
                    .ok_or_else(|| format!("The field '{name}' must be an object"))?;
                for (entry, value) in entries {
                    add(
                        &mut headers,
                        &format!("{}{entry}", member.wire),
                        &text_of(Kind::Text, value)?,
                    )?;
                }
            }
            Place::Payload => payload = Some((member, value)),
            Place::Body | Place::Status => {
                inside.insert(member.wire.to_owned(), to_json(model, member.kind, value)?);
            }
        }
    }
    if let Some((_, rest)) = path.split_once('{') {
        let name = rest.split(['}', '+']).next().unwrap_or_default();
        let missing = model.members(action.input).find(|it| it.wire == name);
        let name = missing.map_or(name, |it| it.name);
        return Err(format!("The field '{name}' is required but was missing"));
    }
    if !query.is_empty() {
        path = format!("{path}?{}", query.join("&"));
    }
    let has_body = model
        .members(action.input)
        .any(|it| it.place == Place::Body);
    let (kind, body) = match payload {
        // Step Functions writes all content as JSON, texts too.
        Some((
            Member {
                kind: Kind::Blob | Kind::Text,
                ..
            },
            value,
        )) => ("application/octet-stream", value.to_string()),
        Some((member, value)) if form == Form::Xml => (
            "application/xml",
            document(&xml::write(model, member.wire, member.kind, value)?),
        ),
        Some((member, value)) => (
            "application/json",
            to_json(model, member.kind, value)?.to_string(),
        ),
        None if has_body && form == Form::Json => {
            ("application/json", Value::Object(inside).to_string())
        }
        None => ("", String::new()),
    };
    if !kind.is_empty() && !headers.contains_key(header::CONTENT_TYPE) {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    }
    if form == Form::Xml && !kind.is_empty() {
        // S3's clients send a checksum of what they upload.
        let sum = crc32fast::hash(body.as_bytes()).to_be_bytes();
        let sum = base64::engine::general_purpose::STANDARD.encode(sum);
        add(&mut headers, "x-amz-checksum-crc32", &sum)?;
    }
    Ok(Call {
        method: Method::from_bytes(action.method.as_bytes()).map_err(|error| error.to_string())?,
        path,
        headers,
        body: Bytes::from(body),
    })
}

/// The element with the namespace of S3, the one service that speaks XML here.
fn document(element: &str) -> String {
    let namespace = "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"";
    element.replacen('>', &format!(" {namespace}>"), 1)
}

fn fill(path: &str, member: &Member, value: &Value) -> Result<String, String> {
    let text = text_of(member.kind, value)?;
    if text.is_empty() {
        return Err(format!("The field '{}' must not be empty", member.name));
    }
    let one = utf8_percent_encode(&text, LABEL).to_string();
    let many = utf8_percent_encode(&text, LABELS).to_string();
    Ok(path
        .replace(&format!("{{{}}}", member.wire), &one)
        .replace(&format!("{{{}+}}", member.wire), &many))
}

fn write_query(query: &mut Vec<String>, member: &Member, value: &Value) -> Result<(), String> {
    let mut push = |name: &str, text: &str| {
        query.push(format!(
            "{}={}",
            utf8_percent_encode(name, LABEL),
            utf8_percent_encode(text, LABEL)
        ));
    };
    match (member.kind, value) {
        (Kind::List(_, of), Value::Array(elements)) => {
            for element in elements {
                push(member.wire, &text_of(Kind::of(of), element)?);
            }
        }
        (kind, value) => push(member.wire, &text_of(kind, value)?),
    }
    Ok(())
}

/// A header's text; the elements of a list are separated by commas.
fn listed(kind: Kind, value: &Value) -> Result<String, String> {
    match (kind, value) {
        (Kind::List(_, of), Value::Array(elements)) => {
            let texts: Result<Vec<String>, String> = elements
                .iter()
                .map(|it| text_of(Kind::of(of), it))
                .collect();
            Ok(texts?.join(","))
        }
        (kind, value) => text_of(kind, value),
    }
}

fn add(headers: &mut HeaderMap, name: &str, text: &str) -> Result<(), String> {
    let bad = || format!("'{text}' cannot be sent in the header {name}");
    let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| bad())?;
    headers.insert(name, HeaderValue::from_str(text).map_err(|_| bad())?);
    Ok(())
}

/// A parameter in the names of the wire.
fn to_json(model: Model, kind: Kind, value: &Value) -> Result<Value, String> {
    Ok(match (kind, value) {
        (Kind::Structure(structure), Value::Object(given)) => {
            let mut written = Map::new();
            for (name, value) in given.iter().filter(|(_, value)| !value.is_null()) {
                let member = model.members(structure).find(|it| it.name == name);
                let member = member.ok_or_else(|| not_supported(name))?;
                written.insert(member.wire.to_owned(), to_json(model, member.kind, value)?);
            }
            written.into()
        }
        (Kind::List(_, of), Value::Array(elements)) => {
            let elements: Result<Vec<Value>, String> = elements
                .iter()
                .map(|it| to_json(model, Kind::of(of), it))
                .collect();
            elements?.into()
        }
        (Kind::Map { of, .. }, Value::Object(entries)) => {
            let entries: Result<Map<String, Value>, String> = entries
                .iter()
                .map(|(name, value)| Ok((name.clone(), to_json(model, Kind::of(of), value)?)))
                .collect();
            entries?.into()
        }
        (Kind::Text, value @ (Value::Object(_) | Value::Array(_))) => value.to_string().into(),
        (Kind::Time(Time::Epoch), Value::String(text)) => {
            value_of(Kind::Number, &write_time(Time::Epoch, text)?)
        }
        (Kind::Time(form), Value::String(text)) => write_time(form, text)?.into(),
        (_, value) => value.clone(),
    })
}

/// The task's result.
pub(super) fn result(model: Model, form: Form, action: Action, answer: &Answer) -> Value {
    let (headers, body) = (answer.headers(), answer.body());
    let text = |name: &str| headers.get(name).and_then(|it| it.to_str().ok());
    let root = match form {
        Form::Json => serde_json::from_slice(body).unwrap_or_default(),
        Form::Xml => xml::parse(body).map_or(Value::Null, |root| {
            xml::read_structure(model, action.output, &root).into()
        }),
    };
    let mut result = Map::new();
    for member in model.members(action.output) {
        let value = match member.place {
            Place::Header => text(member.wire).map(|it| value_of(member.kind, it)),
            Place::Headers => Some(prefixed(headers, member.wire))
                .filter(|it| !it.is_empty())
                .map(Value::Object),
            Place::Status => Some(answer.status().as_u16().into()),
            Place::Payload => match (member.kind, form) {
                (Kind::Blob | Kind::Text, _) => Some(String::from_utf8_lossy(body).into()),
                (kind, Form::Json) => Some(from_json(model, kind, &root)),
                (Kind::Structure(name), Form::Xml) => {
                    xml::parse(body).map(|it| xml::read_structure(model, name, &it).into())
                }
                _ => None,
            },
            Place::Body if form == Form::Xml => root.get(member.name).cloned(),
            _ => root
                .get(member.wire)
                .map(|it| from_json(model, member.kind, it)),
        };
        let value = value.filter(|value| !value.is_null());
        result.extend(value.map(|value| (member.name.to_owned(), value)));
    }
    result.into()
}

/// The headers that begin with a prefix, by the rest of their names.
fn prefixed(headers: &HeaderMap, prefix: &str) -> Map<String, Value> {
    let entries = headers.iter().filter_map(|(name, value)| {
        let name = name.as_str().strip_prefix(prefix)?;
        Some((name.to_owned(), value.to_str().ok()?.into()))
    });
    entries.collect()
}

/// A value of an answer in the names of Step Functions. What the model does not know is left out.
fn from_json(model: Model, kind: Kind, value: &Value) -> Value {
    match (kind, value) {
        (Kind::Structure(structure), Value::Object(found)) => model
            .members(structure)
            .filter_map(|member| {
                let value = found.get(member.wire).filter(|it| !it.is_null())?;
                Some((member.name.to_owned(), from_json(model, member.kind, value)))
            })
            .collect::<Map<_, _>>()
            .into(),
        (Kind::List(_, of), Value::Array(elements)) => elements
            .iter()
            .map(|it| from_json(model, Kind::of(of), it))
            .collect(),
        (Kind::Map { of, .. }, Value::Object(entries)) => entries
            .iter()
            .map(|(name, value)| (name.clone(), from_json(model, Kind::of(of), value)))
            .collect::<Map<_, _>>()
            .into(),
        (Kind::Time(_), Value::Number(number)) => number
            .as_f64()
            .and_then(seconds)
            .unwrap_or_else(|| value.clone()),
        (kind @ Kind::Time(_), Value::String(text)) => value_of(kind, text),
        (_, value) => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn asked(service: &str, action: &str, form: Form, parameters: Value) -> Result<Call, String> {
        let model = Model::of(service).unwrap();
        request(model, form, model.action(action).unwrap(), &parameters)
    }

    #[test]
    fn members_go_where_the_model_says() {
        let call = asked(
            "s3",
            "GetObject",
            Form::Xml,
            json!({"Bucket": "b", "Key": "a/ü b", "VersionId": "v+1",
            "Range": "bytes=0-4", "IfModifiedSince": "2015-08-30T12:36:00Z", "PartNumber": null}),
        )
        .unwrap();
        assert_eq!(
            (call.method.as_str(), call.path.as_str()),
            ("GET", "/b/a/%C3%BC%20b?versionId=v%2B1")
        );
        assert_eq!(call.headers["range"], "bytes=0-4");
        assert_eq!(
            call.headers["if-modified-since"],
            "Sun, 30 Aug 2015 12:36:00 GMT"
        );
        assert!(call.body.is_empty());

        let call = asked(
            "lambda",
            "Invoke",
            Form::Json,
            json!({"FunctionName": "arn:f", "Payload": {"a": 1}}),
        )
        .unwrap();
        assert_eq!(call.path, "/2015-03-31/functions/arn%3Af/invocations");
        assert_eq!(call.body, r#"{"a":1}"#);

        let call = asked(
            "batch",
            "SubmitJob",
            Form::Json,
            json!({"JobName": "j", "ContainerOverrides": {"Vcpus": 1}}),
        )
        .unwrap();
        assert_eq!(
            call.body,
            r#"{"jobName":"j","containerOverrides":{"vcpus":1}}"#
        );

        let listed = asked(
            "s3",
            "ListObjectsV2",
            Form::Xml,
            json!({"Bucket": "b", "MaxKeys": 2}),
        )
        .unwrap();
        assert_eq!(listed.path, "/b?list-type=2&max-keys=2");
    }

    #[test]
    fn documents_have_their_namespace() {
        let tags = json!({"Bucket": "b", "Tagging": {"TagSet": [{"Key": "k", "Value": "a&b"}]}});
        let call = asked("s3", "PutBucketTagging", Form::Xml, tags).unwrap();
        assert_eq!(
            call.body,
            "<Tagging xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><TagSet><Tag><Key>k</Key><Value>a&amp;b</Value></Tag></TagSet></Tagging>"
        );
        assert_eq!(
            (call.path.as_str(), &call.headers["content-type"]),
            ("/b?tagging", &HeaderValue::from_static("application/xml"))
        );
    }

    #[test]
    fn what_cannot_be_sent_is_said() {
        for (action, parameters, expected) in [
            (
                "GetObject",
                json!({"Bucket": "b"}),
                "The field 'Key' is required but was missing",
            ),
            (
                "GetObject",
                json!({"Bucket": "", "Key": "k"}),
                "must not be empty",
            ),
            (
                "GetObject",
                json!({"Bucket": "b", "Key": "k", "Kei": 1}),
                "The field 'Kei' is not supported",
            ),
            ("GetObject", json!([]), "must be an object"),
            (
                "GetObject",
                json!({"Bucket": "b", "Key": "k", "Range": "a\nb"}),
                "cannot be sent in the header",
            ),
            (
                "PutObject",
                json!({"Bucket": "b", "Key": "k", "Metadata": 1}),
                "must be an object",
            ),
        ] {
            let error = asked("s3", action, Form::Xml, parameters.clone()).unwrap_err();
            assert!(error.contains(expected), "{parameters}: {error}");
        }
    }

    #[test]
    fn answers_are_read_from_headers_and_bodies() {
        let answer = http::Response::builder()
            .header("etag", "\"e\"")
            .header("content-length", "3")
            .header("last-modified", "Sun, 30 Aug 2015 12:36:00 GMT")
            .header("x-amz-meta-baker", "Ada")
            .body(Bytes::from_static(b"abc"))
            .unwrap();
        let model = Model::of("s3").unwrap();
        let read = result(
            model,
            Form::Xml,
            model.action("GetObject").unwrap(),
            &answer,
        );
        assert_eq!(
            read,
            json!({"Body": "abc", "LastModified": "2015-08-30T12:36:00Z", "ContentLength": 3, "ETag": "\"e\"", "Metadata": {"baker": "Ada"}})
        );
        let model = Model::of("batch").unwrap();
        let answer = http::Response::new(Bytes::from_static(
            br#"{"jobId":"1","jobName":"j","new":true}"#,
        ));
        let read = result(
            model,
            Form::Json,
            model.action("SubmitJob").unwrap(),
            &answer,
        );
        assert_eq!(read, json!({"JobName": "j", "JobId": "1"}));
    }
}

//! Datasets: JSON, JSON Lines and CSV in an object, or the list of objects under a prefix.

use asl::model::{DatasetFormat, Delimiter, InputType, ReadAction};
use asl::{Data, Dataset, MapItem, items_of};
use serde_json::{Map, Value, json};

use super::{refused, text};
use crate::s3::{Entry, ListRequest, Object, S3};

/// The longest header line of a CSV file that AWS takes.
const LONGEST_HEADER: usize = 10 * 1024;

/// Keys read at once.
const PAGE: usize = 1000;

/// The items, or the cause of the failure.
pub(super) async fn read(s3: &S3, dataset: &Dataset) -> Result<Vec<MapItem>, String> {
    let most = dataset.max_items.map_or(usize::MAX, |most| {
        usize::try_from(most).unwrap_or(usize::MAX)
    });
    let bucket = text(&dataset.arguments, "Bucket")?;
    match dataset.action {
        ReadAction::GetObject => {
            let key = text(&dataset.arguments, "Key")?;
            let mut items = load(s3, bucket, key, &dataset.format).await?;
            items.truncate(most);
            Ok(items)
        }
        ReadAction::ListObjectsV2 => {
            let prefix = match dataset.arguments.value().get("Prefix") {
                None => "",
                Some(_) => text(&dataset.arguments, "Prefix")?,
            };
            list(s3, bucket, prefix, &dataset.format, most).await
        }
    }
}

async fn list(
    s3: &S3,
    bucket: &str,
    prefix: &str,
    format: &DatasetFormat,
    most: usize,
) -> Result<Vec<MapItem>, String> {
    let mut items = Vec::new();
    let mut request = ListRequest {
        prefix: prefix.to_owned(),
        max: PAGE,
        ..ListRequest::default()
    };
    loop {
        let page = s3.list(bucket, &request).await;
        let page = page.map_err(|error| refused(&error))?;
        for entry in page.entries {
            let Entry::Object(key, object) = entry else {
                continue;
            };
            if format.load {
                items.extend(load(s3, bucket, &key, format).await?);
            } else {
                items.push(MapItem {
                    value: listed(&key, &object),
                    key: None,
                    source: format!("S3://{bucket}"),
                });
            }
            if items.len() >= most {
                items.truncate(most);
                return Ok(items);
            }
        }
        match page.next {
            Some(next) => request.after = Some(next),
            None => return Ok(items),
        }
    }
}

/// An object of a list, as AWS passes it to a child.
fn listed(key: &str, object: &Object) -> Data {
    Data::new(json!({
        "Etag": object.etag,
        "Key": key,
        "LastModified": object.modified / 1000,
        "Size": object.size,
        "StorageClass": "STANDARD",
    }))
}

async fn load(
    s3: &S3,
    bucket: &str,
    key: &str,
    format: &DatasetFormat,
) -> Result<Vec<MapItem>, String> {
    let (_, content) = s3.get(bucket, key).await.map_err(|error| refused(&error))?;
    let content = std::str::from_utf8(&content)
        .map_err(|_| format!("The object {key} is not text in UTF-8."))?;
    let content = content.strip_prefix('\u{feff}').unwrap_or(content);
    parse(content, format, &format!("S3://{bucket}/{key}"))
}

/// The items in a text.
pub(crate) fn parse(
    content: &str,
    format: &DatasetFormat,
    source: &str,
) -> Result<Vec<MapItem>, String> {
    let values = match format.input_type {
        Some(InputType::Csv) => csv_rows(content, format)?,
        Some(InputType::JsonLines) => lines(content)?,
        Some(InputType::Json) | None => return document(content, format, source),
    };
    let item = |value| MapItem {
        value: Data::new(value),
        key: None,
        source: source.to_owned(),
    };
    Ok(values.into_iter().map(item).collect())
}

fn document(content: &str, format: &DatasetFormat, source: &str) -> Result<Vec<MapItem>, String> {
    let document: Value = serde_json::from_str(content)
        .map_err(|error| format!("The object is not JSON: {error}"))?;
    let items = match &format.items_pointer {
        // AWS takes an object only where a pointer leads to it.
        None if !document.is_array() => &Value::Null,
        None => &document,
        Some(pointer) => document
            .pointer(pointer)
            .ok_or_else(|| format!("The ItemsPointer {pointer} leads to nothing."))?,
    };
    items_of(items, source).ok_or_else(|| "Attempting to map over non-iterable node.".to_owned())
}

fn lines(content: &str) -> Result<Vec<Value>, String> {
    let lines = (1..)
        .zip(content.lines())
        .filter(|(_, line)| !line.trim().is_empty());
    let parse = |(number, line)| {
        serde_json::from_str(line)
            .map_err(|error| format!("Line {number} of the object is not JSON: {error}"))
    };
    lines.map(parse).collect()
}

fn csv_rows(content: &str, format: &DatasetFormat) -> Result<Vec<Value>, String> {
    let delimiter = match format.delimiter {
        Delimiter::Comma => b',',
        Delimiter::Pipe => b'|',
        Delimiter::Semicolon => b';',
        Delimiter::Space => b' ',
        Delimiter::Tab => b'\t',
    };
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        .flexible(true)
        .from_reader(content.as_bytes());
    let mut records = reader.records();
    let broken = |error: csv::Error| format!("The object is not CSV: {error}");
    let headers: Vec<String> = match &format.headers {
        Some(headers) => headers.clone(),
        None => match records.next().transpose().map_err(broken)? {
            Some(first) => first.iter().map(str::to_owned).collect(),
            None => return Ok(Vec::new()),
        },
    };
    if headers.iter().map(String::len).sum::<usize>() > LONGEST_HEADER {
        return Err(format!("CSV headers cannot exceed {LONGEST_HEADER} bytes."));
    }
    let known: std::collections::BTreeSet<&String> = headers.iter().collect();
    if known.len() < headers.len() {
        return Err("CSV headers cannot contain duplicates.".to_owned());
    }
    let mut rows = Vec::new();
    for record in records {
        let record = record.map_err(broken)?;
        // A short row is filled up, what a long row has more is left out.
        let cell = |(place, header): (usize, &String)| {
            let value = record.get(place).unwrap_or_default();
            (header.clone(), Value::from(value))
        };
        let row: Map<String, Value> = headers.iter().enumerate().map(cell).collect();
        rows.push(Value::Object(row));
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(content: &str, format: DatasetFormat, expected: Result<Value, &str>) {
        let found = parse(content, &format, "S3://b/k").map(|items| {
            let inputs: Vec<Value> = items.iter().map(|it| it.input().value().clone()).collect();
            Value::Array(inputs)
        });
        assert_eq!(found, expected.map_err(str::to_owned));
    }

    fn format(input_type: InputType) -> DatasetFormat {
        DatasetFormat {
            input_type: Some(input_type),
            ..DatasetFormat::default()
        }
    }

    #[test]
    fn csv_with_headers_of_either_kind() {
        let text = "a,b\r\n1,\"x, y\"\n\n,\nlast,1,2\nshort\n";
        let rows = json!([{"a": "1", "b": "x, y"}, {"a": "", "b": ""}, {"a": "last", "b": "1"}, {"a": "short", "b": ""}]);
        check(text, format(InputType::Csv), Ok(rows));
        let given = |headers: &[&str]| DatasetFormat {
            headers: Some(headers.iter().map(|it| (*it).to_owned()).collect()),
            delimiter: Delimiter::Semicolon,
            ..format(InputType::Csv)
        };
        check("1;2", given(&["x", "y"]), Ok(json!([{"x": "1", "y": "2"}])));
        check(
            "1;2",
            given(&["x", "x"]),
            Err("CSV headers cannot contain duplicates."),
        );
        check("", format(InputType::Csv), Ok(json!([])));
    }

    #[test]
    fn json_in_both_forms() {
        check("[1,{}]", format(InputType::Json), Ok(json!([1, {}])));
        check(
            r#"{"a":1}"#,
            format(InputType::Json),
            Err("Attempting to map over non-iterable node."),
        );
        let pointed = |pointer: &str| DatasetFormat {
            items_pointer: Some(pointer.to_owned()),
            ..format(InputType::Json)
        };
        let nested = r#"{"in":{"side":[1,2]},"n":7}"#;
        check(nested, pointed("/in/side"), Ok(json!([1, 2])));
        check(
            nested,
            pointed("/in"),
            Ok(json!([{"Key": "side", "Value": [1, 2]}])),
        );
        check(
            nested,
            pointed("/n"),
            Err("Attempting to map over non-iterable node."),
        );
        check(
            nested,
            pointed("/out"),
            Err("The ItemsPointer /out leads to nothing."),
        );
        check(
            "1\n\n{\"a\":2}\n",
            format(InputType::JsonLines),
            Ok(json!([1, {"a": 2}])),
        );
    }
}

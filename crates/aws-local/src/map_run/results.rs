//! Results on S3: `PREFIX/RUN/manifest.json`, and a file for each of succeeded, failed and pending children that there are.

use asl::{ChildOutcome, Data, Status, map_results_text};
use engine::Results;
use serde_json::{Map, Value, json};

use super::{refused, text};
use crate::s3::{Properties, S3};

/// Writes the files; the state's result, or the cause of the failure.
pub(super) async fn write(s3: &S3, results: &Results) -> Result<Data, String> {
    let bucket = text(&results.place, "Bucket")?;
    let prefix = match results.place.value().get("Prefix") {
        None => "",
        Some(_) => text(&results.place, "Prefix")?,
    };
    let run = results.map_run_arn.rsplit(':').next().unwrap_or_default();
    let folder = match prefix.trim_end_matches('/') {
        "" => run.to_owned(),
        prefix => format!("{prefix}/{run}"),
    };
    let ending = if results.format.lines {
        "jsonl"
    } else {
        "json"
    };
    let mut files = Map::new();
    for (name, belongs) in GROUPS {
        let group = results.outcomes.iter().filter(|it| belongs(it.status));
        let group: Vec<ChildOutcome> = group.cloned().collect();
        let mut written = Vec::new();
        if !group.is_empty() {
            let key = format!("{folder}/{name}_0.{ending}");
            let content = map_results_text(results.format, &group);
            let size = put(s3, bucket, &key, content).await?;
            written.push(json!({ "Key": key, "Size": size }));
        }
        files.insert(name.to_owned(), Value::Array(written));
    }
    let manifest = json!({
        "DestinationBucket": bucket,
        "MapRunArn": results.map_run_arn,
        "ResultFiles": files,
    });
    let key = format!("{folder}/manifest.json");
    put(s3, bucket, &key, manifest.to_string()).await?;
    Ok(Data::new(json!({
        "MapRunArn": results.map_run_arn,
        "ResultWriterDetails": { "Bucket": bucket, "Key": key },
    })))
}

type Belongs = fn(Option<Status>) -> bool;

/// The names of the files, and which children each has.
const GROUPS: [(&str, Belongs); 3] = [
    ("FAILED", |status| {
        !matches!(status, None | Some(Status::Succeeded))
    }),
    ("PENDING", |status| status.is_none()),
    ("SUCCEEDED", |status| status == Some(Status::Succeeded)),
];

async fn put(s3: &S3, bucket: &str, key: &str, content: String) -> Result<usize, String> {
    let size = content.len();
    let properties = Properties {
        content_type: Some("application/json".to_owned()),
        ..Properties::default()
    };
    let put = s3.put(bucket, key, content.into(), properties).await;
    put.map_err(|error| refused(&error))?;
    Ok(size)
}

//! The documents that S3 answers with.

use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ErrorXml<'a> {
    pub(super) code: &'a str,
    pub(super) message: &'a str,
    pub(super) resource: &'a str,
    pub(super) request_id: &'a str,
}

#[derive(Serialize)]
pub(super) struct Location<'a> {
    #[serde(rename = "@xmlns")]
    pub(super) xmlns: &'a str,
    #[serde(rename = "$text", skip_serializing_if = "Option::is_none")]
    pub(super) region: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct BucketsXml<'a> {
    #[serde(rename = "@xmlns")]
    pub(super) xmlns: &'a str,
    pub(super) owner: Owner,
    pub(super) buckets: Buckets,
}

#[derive(Serialize)]
pub(super) struct Owner {
    #[serde(rename = "ID")]
    pub(super) id: &'static str,
}

impl Default for Owner {
    fn default() -> Owner {
        Owner { id: "local" }
    }
}

#[derive(Serialize)]
pub(super) struct Buckets {
    #[serde(rename = "Bucket")]
    pub(super) bucket: Vec<BucketXml>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct BucketXml {
    pub(super) name: String,
    pub(super) creation_date: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListXml<'a> {
    #[serde(rename = "@xmlns")]
    pub(super) xmlns: &'a str,
    pub(super) name: &'a str,
    pub(super) prefix: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) delimiter: Option<String>,
    pub(super) max_keys: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) encoding_type: Option<&'a str>,
    pub(super) key_count: usize,
    pub(super) is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) continuation_token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) next_continuation_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) start_after: Option<String>,
    pub(super) contents: Vec<ContentXml>,
    pub(super) common_prefixes: Vec<PrefixXml>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ContentXml {
    pub(super) key: String,
    pub(super) last_modified: String,
    #[serde(rename = "ETag")]
    pub(super) etag: String,
    pub(super) size: u64,
    pub(super) storage_class: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PrefixXml {
    pub(super) prefix: String,
}

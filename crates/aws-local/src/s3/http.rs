//! S3 over REST: the path names bucket and key, the method the action, XML comes back.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::Response;
use bytes::Bytes;
use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use serde::Serialize;

use super::xml::{
    BucketXml, Buckets, BucketsXml, ContentXml, ErrorXml, ListXml, Location, Owner, PrefixXml,
};
use super::{Entry, ListRequest, OBJECT_LIMIT, Object, Properties, S3, S3Error, body};
use crate::protocol::{BodyError, new_request_id, read_body, shielded};

const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

/// Chunks, signatures and trailers around an upload.
const FRAME: usize = 1024 * 1024;

/// The most keys of a page, and how many if the request does not say.
const MOST_KEYS: usize = 1000;

/// Headers of uploads that would need what we do not have.
const NOT_HEADERS: &[&str] = &["x-amz-copy-source", "if-none-match", "if-match"];

/// Parameters that belong to actions we have, and those that say nothing.
const KNOWN: &[&str] = &[
    "list-type",
    "prefix",
    "delimiter",
    "max-keys",
    "continuation-token",
    "start-after",
    "encoding-type",
    "fetch-owner",
    "location",
    "x-id",
    "max-buckets",
];

/// Whether a request is one for S3: signed for it, or sent to a bucket's own host.
pub(crate) fn is_for_s3(headers: &HeaderMap, uri: &Uri) -> bool {
    let text = |name: header::HeaderName| headers.get(name).and_then(|it| it.to_str().ok());
    let signed = text(header::AUTHORIZATION).is_some_and(|it| it.contains("/s3/aws4_request"));
    let presigned = uri
        .query()
        .is_some_and(|it| it.contains("%2Fs3%2Faws4_request") || it.contains("/s3/aws4_request"));
    signed || presigned || host_bucket(headers).is_some()
}

/// The bucket of `BUCKET.s3.…` or `BUCKET.localhost`.
fn host_bucket(headers: &HeaderMap) -> Option<String> {
    let host = headers.get(header::HOST)?.to_str().ok()?;
    let host = host.rsplit_once(':').map_or(host, |(name, _port)| name);
    let bucket = match host.split_once(".s3.") {
        Some((bucket, _)) => bucket,
        None => host.strip_suffix(".localhost")?.trim_end_matches(".s3"),
    };
    (!bucket.is_empty() && bucket != "s3").then(|| bucket.to_owned())
}

/// What a request is about.
struct Target {
    bucket: String,
    key: String,
    query: BTreeMap<String, String>,
}

impl Target {
    fn of(head: &axum::http::request::Parts) -> Result<Target, S3Error> {
        let decoded = |part: &str| {
            let text = percent_decode_str(part).decode_utf8();
            let text = text.map_err(|_| S3Error::invalid_argument("The key is not UTF-8."))?;
            Ok::<_, S3Error>(text.into_owned())
        };
        let path = head.uri.path();
        let path = path.strip_prefix('/').unwrap_or(path);
        let (bucket, key) = match host_bucket(&head.headers) {
            Some(bucket) => (bucket, decoded(path)?),
            None => {
                let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
                (decoded(bucket)?, decoded(key)?)
            }
        };
        let query = head.uri.query().unwrap_or_default();
        Ok(Target {
            bucket,
            key,
            query: form_urlencoded::parse(query.as_bytes())
                .into_owned()
                .collect(),
        })
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str)
    }
}

impl S3 {
    /// Answers one request.
    pub(crate) async fn serve(&self, request: Request) -> Response {
        let request_id = new_request_id();
        let (head, body) = request.into_parts();
        let is_head = head.method == Method::HEAD;
        let answer = shielded(&request_id, self.answer(&head, body)).await;
        let answer = answer.unwrap_or_else(|| {
            Err(S3Error::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "InternalError",
                "We encountered an internal error. Please try again.",
            ))
        });
        let mut response = match answer {
            Ok(response) => response,
            Err(error) => refusal(&error, head.uri.path(), &request_id, is_head),
        };
        if let Ok(id) = HeaderValue::from_str(&request_id) {
            // AWS's second id is longer, and as opaque.
            response.headers_mut().insert("x-amz-id-2", id.clone());
            response.headers_mut().insert("x-amz-request-id", id);
        }
        response
    }

    async fn answer(
        &self,
        head: &axum::http::request::Parts,
        body: Body,
    ) -> Result<Response, S3Error> {
        let target = Target::of(head)?;
        let unknown = target.query.keys().find(|name| {
            !KNOWN.contains(&name.as_str()) && !name.to_ascii_lowercase().starts_with("x-amz-")
        });
        if let Some(unknown) = unknown {
            return Err(S3Error::not_implemented(&format!(
                "The parameter {unknown}"
            )));
        }
        match (
            head.method.clone(),
            target.bucket.is_empty(),
            target.key.is_empty(),
        ) {
            (Method::GET, true, _) => self.answer_buckets().await,
            (Method::PUT, false, true) => {
                self.create_bucket(&target.bucket).await?;
                let location = format!("/{}", target.bucket);
                empty(StatusCode::OK, &[("location", location)])
            }
            (Method::HEAD, false, true) => {
                self.bucket(&target.bucket).await?;
                let region = self.region().to_owned();
                empty(StatusCode::OK, &[("x-amz-bucket-region", region)])
            }
            (Method::DELETE, false, true) => {
                self.delete_bucket(&target.bucket).await?;
                empty(StatusCode::NO_CONTENT, &[])
            }
            (Method::GET, false, true) if target.get("location").is_some() => {
                self.bucket(&target.bucket).await?;
                let region = Some(self.region()).filter(|region| *region != "us-east-1");
                xml(
                    "LocationConstraint",
                    &Location {
                        xmlns: NAMESPACE,
                        region,
                    },
                )
            }
            (Method::GET, false, true) if target.get("list-type") == Some("2") => {
                self.answer_list(&target).await
            }
            (Method::PUT, false, false) => self.answer_put(&target, &head.headers, body).await,
            (Method::GET, false, false) => {
                let (object, content) = self.get(&target.bucket, &target.key).await?;
                self.answer_get(&object, content, &head.headers)
            }
            (Method::HEAD, false, false) => {
                let object = self.head(&target.bucket, &target.key).await?;
                let mut response = Response::new(Body::empty());
                describe(response.headers_mut(), &object);
                let size = HeaderValue::from(object.size);
                response.headers_mut().insert(header::CONTENT_LENGTH, size);
                Ok(response)
            }
            (Method::DELETE, false, false) => {
                self.delete(&target.bucket, &target.key).await?;
                empty(StatusCode::NO_CONTENT, &[])
            }
            (method, ..) => {
                let what = format!("{method} {}", head.uri.path());
                Err(S3Error::not_implemented(&what))
            }
        }
    }

    async fn answer_put(
        &self,
        target: &Target,
        headers: &HeaderMap,
        body: Body,
    ) -> Result<Response, S3Error> {
        if let Some(name) = NOT_HEADERS.iter().find(|name| headers.contains_key(**name)) {
            return Err(S3Error::not_implemented(&format!("The header {name}")));
        }
        let body = match read_body(body, OBJECT_LIMIT + FRAME).await {
            Ok(body) => body,
            Err(BodyError::TooLarge) => return Err(S3Error::too_large()),
            Err(BodyError::Broken) => {
                return Err(S3Error::new(
                    StatusCode::BAD_REQUEST,
                    "IncompleteBody",
                    "The request body ended too early",
                ));
            }
        };
        let (content, crc32) = body::content(headers, body)?;
        let text = |value: &HeaderValue| value.to_str().ok().map(str::to_owned);
        let metadata = headers.iter().filter_map(|(name, value)| {
            let name = name.as_str().strip_prefix("x-amz-meta-")?;
            Some((name.to_owned(), text(value)?))
        });
        let properties = Properties {
            content_type: headers.get(header::CONTENT_TYPE).and_then(text),
            metadata: metadata.collect(),
        };
        let object = self
            .put(&target.bucket, &target.key, content, properties)
            .await?;
        let mut told = vec![
            ("etag", object.etag),
            ("x-amz-server-side-encryption", "AES256".to_owned()),
        ];
        if let Some(crc32) = crc32 {
            told.push(("x-amz-checksum-crc32", crc32));
            told.push(("x-amz-checksum-type", "FULL_OBJECT".to_owned()));
        }
        empty(StatusCode::OK, &told)
    }

    fn answer_get(
        &self,
        object: &Object,
        content: Bytes,
        headers: &HeaderMap,
    ) -> Result<Response, S3Error> {
        let range = headers.get(header::RANGE).and_then(|it| it.to_str().ok());
        let size = content.len();
        let mut response = match range.map(|range| read_range(range, size)) {
            None | Some(None) => Response::new(Body::from(content)),
            Some(Some(Err(()))) => {
                return Err(S3Error::new(
                    StatusCode::RANGE_NOT_SATISFIABLE,
                    "InvalidRange",
                    "The requested range is not satisfiable",
                ));
            }
            Some(Some(Ok((first, last)))) => {
                let mut response = Response::new(Body::from(content.slice(first..=last)));
                *response.status_mut() = StatusCode::PARTIAL_CONTENT;
                let shown = format!("bytes {first}-{last}/{size}");
                if let Ok(shown) = HeaderValue::from_str(&shown) {
                    response.headers_mut().insert(header::CONTENT_RANGE, shown);
                }
                response
            }
        };
        describe(response.headers_mut(), object);
        Ok(response)
    }

    async fn answer_buckets(&self) -> Result<Response, S3Error> {
        let buckets = self.buckets().await?.into_iter();
        let buckets = buckets.map(|(name, created)| BucketXml {
            name,
            creation_date: iso(created),
        });
        let list = BucketsXml {
            xmlns: NAMESPACE,
            owner: Owner::default(),
            buckets: Buckets {
                bucket: buckets.collect(),
            },
        };
        xml("ListAllMyBucketsResult", &list)
    }

    async fn answer_list(&self, target: &Target) -> Result<Response, S3Error> {
        let max = match target.get("max-keys") {
            None => MOST_KEYS,
            Some(text) => text
                .parse::<usize>()
                .map_err(|_| S3Error::invalid_argument("Provided max-keys not an integer"))?
                .min(MOST_KEYS),
        };
        let token = target.get("continuation-token");
        let after = match token {
            Some(token) => Some(read_token(token)?),
            None => target.get("start-after").map(str::to_owned),
        };
        let request = ListRequest {
            prefix: target.get("prefix").unwrap_or_default().to_owned(),
            delimiter: target
                .get("delimiter")
                .filter(|it| !it.is_empty())
                .map(str::to_owned),
            after,
            max,
        };
        let listing = self.list(&target.bucket, &request).await?;
        // XML cannot hold every character; clients that ask for it get keys in the form of URLs.
        let url = target.get("encoding-type") == Some("url");
        let shown = |text: &str| {
            if url {
                form_urlencoded::byte_serialize(text.as_bytes()).collect()
            } else {
                text.to_owned()
            }
        };
        let mut list = ListXml {
            xmlns: NAMESPACE,
            name: &target.bucket,
            prefix: shown(&request.prefix),
            delimiter: request.delimiter.as_deref().map(shown),
            max_keys: max,
            encoding_type: url.then_some("url"),
            key_count: listing.entries.len(),
            is_truncated: listing.next.is_some(),
            continuation_token: token,
            next_continuation_token: listing.next.as_deref().map(write_token),
            start_after: target.get("start-after").map(shown),
            contents: Vec::new(),
            common_prefixes: Vec::new(),
        };
        for entry in listing.entries {
            match entry {
                Entry::Object(key, object) => list.contents.push(ContentXml {
                    key: shown(&key),
                    last_modified: iso(object.modified),
                    etag: object.etag,
                    size: object.size,
                    storage_class: "STANDARD",
                }),
                Entry::Prefix(prefix) => list.common_prefixes.push(PrefixXml {
                    prefix: shown(&prefix),
                }),
            }
        }
        xml("ListBucketResult", &list)
    }
}

fn write_token(after: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(after)
}

fn read_token(token: &str) -> Result<String, S3Error> {
    use base64::Engine as _;
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(token);
    let text = bytes.ok().and_then(|bytes| String::from_utf8(bytes).ok());
    text.ok_or_else(|| S3Error::invalid_argument("The continuation token provided is incorrect"))
}

/// `bytes=A-B`, `bytes=A-`, `bytes=-N`: first and last byte. `None`: no range that S3 looks at.
fn read_range(range: &str, size: usize) -> Option<Result<(usize, usize), ()>> {
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    let last_byte = size.checked_sub(1);
    let (first, last) = match (first.parse::<usize>(), last.parse::<usize>()) {
        (Ok(first), Ok(last)) if first <= last => (first, last),
        (Ok(first), Err(_)) if last.is_empty() => (first, usize::MAX),
        (Err(_), Ok(count)) if first.is_empty() && count > 0 => {
            (size.saturating_sub(count), usize::MAX)
        }
        (Err(_), Ok(0)) if first.is_empty() => return Some(Err(())),
        _ => return None,
    };
    Some(match last_byte {
        Some(end) if first <= end => Ok((first, last.min(end))),
        _ => Err(()),
    })
}

fn describe(headers: &mut HeaderMap, object: &Object) {
    let mut set = |name: &str, value: &str| {
        if let (Ok(name), Ok(value)) = (
            header::HeaderName::from_bytes(name.as_bytes()),
            HeaderValue::from_str(value),
        ) {
            headers.insert(name, value);
        }
    };
    set("etag", &object.etag);
    set("accept-ranges", "bytes");
    let kind = object.properties.content_type.as_deref();
    set("content-type", kind.unwrap_or("binary/octet-stream"));
    if let Ok(modified) = Timestamp::from_millisecond(object.modified) {
        let modified = modified.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        set("last-modified", &modified);
    }
    for (name, value) in &object.properties.metadata {
        set(&format!("x-amz-meta-{name}"), value);
    }
}

fn iso(at: engine::Millis) -> String {
    Timestamp::from_millisecond(at).map_or_else(
        |_| String::new(),
        |at| at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
    )
}

fn empty(status: StatusCode, headers: &[(&'static str, String)]) -> Result<Response, S3Error> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    for (name, value) in headers {
        let value = HeaderValue::from_str(value).map_err(|error| S3Error::internal(&error))?;
        response.headers_mut().insert(*name, value);
    }
    Ok(response)
}

fn xml(root: &str, document: &impl Serialize) -> Result<Response, S3Error> {
    let text = quick_xml::se::to_string_with_root(root, document);
    let text = text.map_err(|error| S3Error::internal(&error))?;
    let text = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{text}");
    let mut response = Response::new(Body::from(text));
    let kind = HeaderValue::from_static("application/xml");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    Ok(response)
}

fn refusal(error: &S3Error, resource: &str, request_id: &str, is_head: bool) -> Response {
    let document = ErrorXml {
        code: error.code,
        message: &error.message,
        resource,
        request_id,
    };
    let mut response = xml("Error", &document).unwrap_or_default();
    if is_head {
        *response.body_mut() = Body::empty();
    }
    *response.status_mut() = error.status;
    response
}

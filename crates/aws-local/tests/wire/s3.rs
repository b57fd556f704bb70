//! S3 as its clients' requests have it: buckets, objects with any key, ranges, lists, uploads in chunks.

use std::path::Path;

use crate::support::{Answer, Wire};

const SIGNED: (&str, &str) = (
    "authorization",
    "AWS4-HMAC-SHA256 Credential=test/20261121/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0",
);

async fn s3(wire: &Wire, method: &str, path: &str, body: &str) -> Answer {
    wire.raw(method, path, &[SIGNED], body).await
}

/// The texts of an element, in order.
fn texts<'a>(xml: &'a str, element: &str) -> Vec<&'a str> {
    let (open, close) = (format!("<{element}>"), format!("</{element}>"));
    let parts = xml.split(open.as_str()).skip(1);
    parts
        .map(|part| part.split(close.as_str()).next().unwrap())
        .collect()
}

#[tokio::test]
async fn objects_are_put_read_and_forgotten() {
    let wire = Wire::start().await;
    assert_eq!(s3(&wire, "PUT", "/donuts", "").await.status, 200);
    let headers = [
        SIGNED,
        ("content-type", "text/plain"),
        ("x-amz-meta-baker", "Ada"),
    ];
    let put = wire
        .raw("PUT", "/donuts/a/plain%20one.txt", &headers, "hello world")
        .await;
    assert_eq!(
        (put.status, put.header("etag")),
        (200, "\"5eb63bbbe01eeed093cb22bb8f5acdc3\"")
    );

    // It is there after a restart.
    let wire = wire.restart().await;
    let path = "/donuts/a/plain%20one.txt";
    let got = s3(&wire, "GET", path, "").await;
    assert_eq!((got.status, got.body.as_str()), (200, "hello world"));
    assert_eq!(
        (got.header("content-type"), got.header("x-amz-meta-baker")),
        ("text/plain", "Ada")
    );
    let head = s3(&wire, "HEAD", path, "").await;
    assert_eq!(
        (
            head.status,
            head.header("content-length"),
            head.body.as_str()
        ),
        (200, "11", "")
    );
    for (range, status, body, shown) in [
        ("bytes=0-4", 206, "hello", "bytes 0-4/11"),
        ("bytes=6-", 206, "world", "bytes 6-10/11"),
        ("bytes=-3", 206, "rld", "bytes 8-10/11"),
        ("bytes=5-99", 206, " world", "bytes 5-10/11"),
        ("lines=1-2", 200, "hello world", ""),
    ] {
        let part = wire.raw("GET", path, &[SIGNED, ("range", range)], "").await;
        assert_eq!(
            (
                part.status,
                part.body.as_str(),
                part.header("content-range")
            ),
            (status, body, shown)
        );
    }
    let beyond = wire
        .raw("GET", path, &[SIGNED, ("range", "bytes=11-")], "")
        .await;
    assert_eq!(
        (beyond.status, texts(&beyond.body, "Code")),
        (416, vec!["InvalidRange"])
    );

    let full = s3(&wire, "DELETE", "/donuts", "").await;
    assert_eq!(
        (full.status, texts(&full.body, "Code")),
        (409, vec!["BucketNotEmpty"])
    );
    assert_eq!(s3(&wire, "DELETE", path, "").await.status, 204);
    assert_eq!(s3(&wire, "DELETE", path, "").await.status, 204);
    let gone = s3(&wire, "GET", path, "").await;
    assert_eq!(
        (gone.status, texts(&gone.body, "Code")),
        (404, vec!["NoSuchKey"])
    );
    assert_eq!(s3(&wire, "DELETE", "/donuts", "").await.status, 204);
    assert_eq!(s3(&wire, "HEAD", "/donuts", "").await.status, 404);
    // Nothing is left on the disk.
    let left = std::fs::read_dir(wire.directory.path().join("s3")).unwrap();
    assert_eq!(left.count(), 0);
}

#[tokio::test]
async fn a_key_is_never_a_path() {
    let wire = Wire::start().await;
    s3(&wire, "PUT", "/donuts", "").await;
    let keys = [
        "..%2F..%2Fescape",
        "%2Fetc%2Fescape",
        "a%00b",
        "C%3A%5Cescape",
        "%ED%95%9C",
    ];
    for key in keys {
        let path = format!("/donuts/{key}");
        assert_eq!(s3(&wire, "PUT", &path, key).await.status, 200, "{key}");
        assert_eq!(s3(&wire, "GET", &path, "").await.body, key);
    }
    fn files(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name());
        names.map(|name| name.into_string().unwrap()).collect()
    }
    let inside = files(&wire.directory.path().join("s3"));
    assert_eq!(inside.len(), keys.len());
    assert!(inside.iter().all(|name| name.len() == 36), "{inside:?}");
    let around = files(wire.directory.path().parent().unwrap());
    assert!(!around.contains(&"escape".to_owned()));
}

#[tokio::test]
async fn lists_have_prefixes_delimiters_and_pages() {
    let wire = Wire::start().await;
    s3(&wire, "PUT", "/donuts", "").await;
    for key in ["a", "b/1", "b/2", "b/c/3", "d"] {
        s3(&wire, "PUT", &format!("/donuts/{key}"), "x").await;
    }
    let all = s3(&wire, "GET", "/donuts?list-type=2", "").await.body;
    assert_eq!(texts(&all, "Key"), ["a", "b/1", "b/2", "b/c/3", "d"]);
    let top = s3(&wire, "GET", "/donuts?list-type=2&delimiter=%2F", "").await;
    assert_eq!(texts(&top.body, "Key"), ["a", "d"]);
    assert_eq!(texts(&top.body, "CommonPrefixes"), ["<Prefix>b/</Prefix>"]);
    let inner = "/donuts?list-type=2&delimiter=/&prefix=b/";
    let inner = s3(&wire, "GET", inner, "").await.body;
    assert_eq!(texts(&inner, "Key"), ["b/1", "b/2"]);
    assert_eq!(texts(&inner, "CommonPrefixes"), ["<Prefix>b/c/</Prefix>"]);

    let mut seen = Vec::new();
    let mut token = String::new();
    loop {
        let path = format!("/donuts?list-type=2&max-keys=2&delimiter=/{token}");
        let page = s3(&wire, "GET", &path, "").await.body;
        seen.extend(texts(&page, "Key").into_iter().map(str::to_owned));
        match texts(&page, "NextContinuationToken").first() {
            Some(next) => token = format!("&continuation-token={next}"),
            None => break,
        }
    }
    assert_eq!(seen, ["a", "d"]);
    let buckets = s3(&wire, "GET", "/", "").await.body;
    assert_eq!(texts(&buckets, "Name"), ["donuts"]);
}

#[tokio::test]
async fn uploads_in_chunks_are_joined_and_checked() {
    let wire = Wire::start().await;
    s3(&wire, "PUT", "/donuts", "").await;
    let headers = [
        SIGNED,
        ("content-encoding", "aws-chunked"),
        ("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"),
        ("x-amz-decoded-content-length", "11"),
        ("x-amz-trailer", "x-amz-checksum-crc32"),
    ];
    let body = "b\r\nhello world\r\n0\r\nx-amz-checksum-crc32:DUoRhQ==\r\n\r\n";
    let put = wire.raw("PUT", "/donuts/k", &headers, body).await;
    assert_eq!(put.status, 200, "{}", put.body);
    assert_eq!(s3(&wire, "GET", "/donuts/k", "").await.body, "hello world");
    let broken = body.replace("DUoRhQ==", "AAAAAA==");
    let put = wire.raw("PUT", "/donuts/k", &headers, &broken).await;
    assert_eq!(
        (put.status, texts(&put.body, "Code")),
        (400, vec!["BadDigest"])
    );
}

#[tokio::test]
async fn what_s3_does_not_have_here_is_refused() {
    let wire = Wire::start().await;
    s3(&wire, "PUT", "/donuts", "").await;
    for (method, path, status, code) in [
        ("PUT", "/Do", 400, "InvalidBucketName"),
        ("GET", "/none?list-type=2", 404, "NoSuchBucket"),
        ("PUT", "/none/k", 404, "NoSuchBucket"),
        ("GET", "/donuts?versioning", 501, "NotImplemented"),
        ("POST", "/donuts/k?uploads", 501, "NotImplemented"),
        ("GET", "/donuts/%FF", 400, "InvalidArgument"),
        (
            "GET",
            "/donuts?list-type=2&continuation-token=!",
            400,
            "InvalidArgument",
        ),
    ] {
        let answer = s3(&wire, method, path, "").await;
        assert_eq!(
            (answer.status, texts(&answer.body, "Code")),
            (status, vec![code]),
            "{method} {path}"
        );
    }
    let copy = [SIGNED, ("x-amz-copy-source", "/donuts/k")];
    assert_eq!(wire.raw("PUT", "/donuts/l", &copy, "").await.status, 501);
    // The bucket may be in the host.
    let host = [("host", "donuts.s3.localhost:4566")];
    assert_eq!(wire.raw("PUT", "/k", &host, "x").await.status, 200);
    assert_eq!(s3(&wire, "GET", "/donuts/k", "").await.body, "x");
}

//! Bodies of uploads: plain, or `aws-chunked` with trailers, as the SDKs stream them. Signatures of chunks are not checked,
//! checksums of the kind CRC32 and `Content-MD5` are.
//!
//! Source: Amazon S3 API reference, "Signature calculations for the authorization header: transferring payload in chunks".

use axum::http::{HeaderMap, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use md5::{Digest as _, Md5};

use super::S3Error;

/// The content of an upload, and its CRC32 in base64 if the client sent it.
pub(super) fn content(
    headers: &HeaderMap,
    body: Bytes,
) -> Result<(Bytes, Option<String>), S3Error> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let chunked = text("content-encoding").is_some_and(|it| it.contains("aws-chunked"))
        || text("x-amz-content-sha256").is_some_and(|it| it.starts_with("STREAMING-"));
    let mut crc32 = text("x-amz-checksum-crc32").map(str::to_owned);
    let content = if chunked {
        let (content, trailers) = dechunk(&body).ok_or_else(incomplete)?;
        let declared = text("x-amz-decoded-content-length").and_then(|it| it.parse().ok());
        if declared.is_some_and(|length: usize| length != content.len()) {
            return Err(incomplete());
        }
        let trailer = trailers
            .iter()
            .find(|(name, _)| name == "x-amz-checksum-crc32");
        crc32 = trailer.map(|(_, value)| value.clone()).or(crc32);
        content
    } else {
        body
    };
    if let Some(expected) = &crc32
        && STANDARD.encode(crc32fast::hash(&content).to_be_bytes()) != *expected
    {
        return Err(bad_digest("CRC32"));
    }
    if let Some(expected) = text("content-md5")
        && STANDARD.encode(Md5::digest(&content)) != expected
    {
        return Err(bad_digest("Content-MD5"));
    }
    Ok((content, crc32))
}

fn incomplete() -> S3Error {
    S3Error::new(
        StatusCode::BAD_REQUEST,
        "IncompleteBody",
        "The request body is not of the length or the form that its headers say",
    )
}

fn bad_digest(which: &str) -> S3Error {
    S3Error::new(
        StatusCode::BAD_REQUEST,
        "BadDigest",
        format!("The {which} you specified did not match the calculated checksum."),
    )
}

type Trailers = Vec<(String, String)>;

/// `SIZE[;extension]\r\n DATA\r\n … 0\r\n trailers \r\n`
fn dechunk(body: &[u8]) -> Option<(Bytes, Trailers)> {
    let mut content = BytesMut::with_capacity(body.len());
    let mut rest = body;
    loop {
        let (line, after) = split_line(rest)?;
        let size = line.split(';').next()?.trim();
        let size = usize::from_str_radix(size, 16).ok()?;
        if size == 0 {
            return Some((content.freeze(), trailers(after)));
        }
        content.extend_from_slice(after.get(..size)?);
        rest = after.get(size..)?.strip_prefix(b"\r\n")?;
    }
}

fn trailers(mut rest: &[u8]) -> Trailers {
    let mut trailers = Trailers::new();
    while let Some((line, after)) = split_line(rest) {
        if let Some((name, value)) = line.split_once(':') {
            trailers.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
        }
        rest = after;
    }
    trailers
}

fn split_line(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let end = bytes.windows(2).position(|pair| pair == b"\r\n")?;
    Some((std::str::from_utf8(&bytes[..end]).ok()?, &bytes[end + 2..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(headers: &[(&'static str, &'static str)], body: &'static str) -> Result<Bytes, String> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, value.parse().unwrap());
        }
        let read = content(&map, Bytes::from(body));
        read.map(|(content, _)| content)
            .map_err(|error| error.code.to_owned())
    }

    #[test]
    fn chunks_are_joined_and_checksums_checked() {
        let streamed = ("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER");
        let body = "5\r\nhello\r\n6;chunk-signature=ab\r\n world\r\n0\r\nx-amz-checksum-crc32:DUoRhQ==\r\n\r\n";
        assert_eq!(read(&[streamed], body).unwrap(), "hello world");
        assert_eq!(
            read(&[streamed, ("x-amz-decoded-content-length", "12")], body),
            Err("IncompleteBody".to_owned())
        );
        let wrong = "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:DUoRhQ==\r\n\r\n";
        assert_eq!(read(&[streamed], wrong), Err("BadDigest".to_owned()));
        for broken in ["", "5\r\nhel", "zz\r\n", "ffffffffffffffff\r\nx"] {
            assert_eq!(read(&[streamed], broken), Err("IncompleteBody".to_owned()));
        }
        assert_eq!(read(&[], "5\r\nplain").unwrap(), "5\r\nplain");
        assert_eq!(
            read(&[("content-md5", "XUFAKrxLKna5cZ2REBfFkg==")], "hello").unwrap(),
            "hello"
        );
    }
}

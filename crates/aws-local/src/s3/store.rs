//! Buckets and objects on disk: what an object holds is a file of a random name, what is known of it is a document of the
//! engine. The file is on disk before the document names it, so a crash leaves at most a file that nobody names; keys never
//! become paths.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use axum::http::StatusCode;
use bytes::Bytes;
use engine::{Documents, Millis};
use md5::{Digest as _, Md5};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{OBJECT_LIMIT, S3Error};

const BUCKETS: &str = "s3.bucket";

/// The most bytes of a key.
const LONGEST_KEY: usize = 1024;

/// The store. Cheap to clone.
#[derive(Clone)]
pub struct S3 {
    pub(super) documents: Documents,
    folder: PathBuf,
    region: String,
    now: fn() -> Millis,
}

/// What is known of a bucket.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Bucket {
    pub(super) created: Millis,
}

/// What a client says of an object when it puts it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Properties {
    /// `Content-Type`
    pub content_type: Option<String>,
    /// `x-amz-meta-…`, without the prefix.
    pub metadata: BTreeMap<String, String>,
}

/// What is known of an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Object {
    /// In bytes.
    pub size: u64,
    /// MD5 of the content, in quotes.
    pub etag: String,
    /// When it was put.
    pub modified: Millis,
    /// What its client said of it.
    pub properties: Properties,
    /// The file's name.
    blob: Uuid,
}

pub(super) fn objects_of(bucket: &str) -> String {
    format!("s3.object/{bucket}")
}

impl S3 {
    /// The store over a folder, which is made if need be.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub fn open(folder: PathBuf, documents: Documents, region: String) -> std::io::Result<S3> {
        std::fs::create_dir_all(&folder)?;
        let now = || jiff::Timestamp::now().as_millisecond();
        Ok(S3 {
            documents,
            folder,
            region,
            now,
        })
    }

    /// The region that buckets are in.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.region
    }

    /// `CreateBucket`. A bucket of one's own may be made again.
    ///
    /// # Errors
    /// A bad name, or the store failed.
    pub async fn create_bucket(&self, bucket: &str) -> Result<(), S3Error> {
        let characters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || ".-".contains(c);
        let ends = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
        if !(3..=63).contains(&bucket.len())
            || !bucket.chars().all(characters)
            || !ends(bucket.chars().next())
            || !ends(bucket.chars().last())
        {
            return Err(S3Error::new(
                StatusCode::BAD_REQUEST,
                "InvalidBucketName",
                "The specified bucket is not valid.",
            ));
        }
        if self.bucket(bucket).await.is_err() {
            let created = (self.now)();
            self.documents
                .put(BUCKETS, bucket, &Bucket { created })
                .await?;
        }
        Ok(())
    }

    /// `ListBuckets`: names and when they were made.
    ///
    /// # Errors
    /// The store failed.
    pub async fn buckets(&self) -> Result<Vec<(String, Millis)>, S3Error> {
        let buckets: Vec<(String, Bucket)> = self.documents.list(BUCKETS).await?;
        Ok(buckets
            .into_iter()
            .map(|(name, bucket)| (name, bucket.created))
            .collect())
    }

    /// `HeadBucket`.
    ///
    /// # Errors
    /// There is none, or the store failed.
    pub async fn bucket(&self, bucket: &str) -> Result<(), S3Error> {
        let found: Option<Bucket> = self.documents.get(BUCKETS, bucket).await?;
        found.map(|_| ()).ok_or_else(S3Error::no_such_bucket)
    }

    /// `DeleteBucket`.
    ///
    /// # Errors
    /// There is none, it is not empty, or the store failed.
    pub async fn delete_bucket(&self, bucket: &str) -> Result<(), S3Error> {
        self.bucket(bucket).await?;
        let kind = objects_of(bucket);
        let first: Vec<(String, Object)> = self.documents.page(&kind, None, 1).await?;
        if !first.is_empty() {
            return Err(S3Error::new(
                StatusCode::CONFLICT,
                "BucketNotEmpty",
                "The bucket you tried to delete is not empty",
            ));
        }
        self.documents.delete(BUCKETS, bucket).await?;
        Ok(())
    }

    /// `PutObject`. On disk on return.
    ///
    /// # Errors
    /// No such bucket, a bad key, too many bytes, or the disk failed.
    pub async fn put(
        &self,
        bucket: &str,
        key: &str,
        content: Bytes,
        properties: Properties,
    ) -> Result<Object, S3Error> {
        self.bucket(bucket).await?;
        if key.len() > LONGEST_KEY {
            let message = "Your key is too long";
            return Err(S3Error::new(
                StatusCode::BAD_REQUEST,
                "KeyTooLongError",
                message,
            ));
        }
        if content.len() > OBJECT_LIMIT {
            return Err(S3Error::too_large());
        }
        let object = Object {
            size: content.len() as u64,
            etag: format!("\"{}\"", hex(&Md5::digest(&content))),
            modified: (self.now)(),
            properties,
            blob: Uuid::new_v4(),
        };
        let folder = self.folder.clone();
        let blob = object.blob;
        blocking(move || write(&folder, blob, &content)).await?;
        let kind = objects_of(bucket);
        let before: Option<Object> = self.documents.get(&kind, key).await?;
        self.documents.put(&kind, key, &object).await?;
        if let Some(before) = before {
            self.forget(before.blob).await;
        }
        Ok(object)
    }

    /// `HeadObject`.
    ///
    /// # Errors
    /// No such bucket or key, or the store failed.
    pub async fn head(&self, bucket: &str, key: &str) -> Result<Object, S3Error> {
        self.bucket(bucket).await?;
        let found: Option<Object> = self.documents.get(&objects_of(bucket), key).await?;
        found.ok_or_else(S3Error::no_such_key)
    }

    /// `GetObject`, the whole of it.
    ///
    /// # Errors
    /// No such bucket or key, or the disk failed.
    pub async fn get(&self, bucket: &str, key: &str) -> Result<(Object, Bytes), S3Error> {
        loop {
            let object = self.head(bucket, key).await?;
            let file = self.file(object.blob);
            match blocking(move || std::fs::read(file)).await {
                Ok(content) => return Ok((object, content.into())),
                Err(error) => {
                    // Put again meanwhile: the new one is there.
                    if self.head(bucket, key).await?.blob == object.blob {
                        return Err(error);
                    }
                }
            }
        }
    }

    /// `DeleteObject`. One that is not there is no error.
    ///
    /// # Errors
    /// No such bucket, or the store failed.
    pub async fn delete(&self, bucket: &str, key: &str) -> Result<(), S3Error> {
        match self.head(bucket, key).await {
            Ok(object) => {
                self.documents.delete(&objects_of(bucket), key).await?;
                self.forget(object.blob).await;
                Ok(())
            }
            Err(error) if error.code == "NoSuchKey" => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn file(&self, blob: Uuid) -> PathBuf {
        self.folder.join(blob.to_string())
    }

    async fn forget(&self, blob: Uuid) {
        let file = self.file(blob);
        // What stays is not named any more, and only costs room.
        let _ = blocking(move || std::fs::remove_file(file)).await;
    }
}

fn write(folder: &Path, blob: Uuid, content: &[u8]) -> std::io::Result<()> {
    let mut file = std::fs::File::create(folder.join(blob.to_string()))?;
    file.write_all(content)?;
    file.sync_all()?;
    std::fs::File::open(folder)?.sync_all()
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> Result<T, S3Error> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done.map_err(|error| S3Error::internal(&error)),
        Err(error) => Err(S3Error::internal(&error)),
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

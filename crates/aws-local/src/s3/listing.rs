//! `ListObjectsV2`: keys in the order of their bytes, with prefixes, delimiters and pages.

use engine::StorageError;

use super::store::{Object, objects_of};
use super::{S3, S3Error};

/// What to list.
#[derive(Debug, Clone, Default)]
pub struct ListRequest {
    /// Keys that begin with this.
    pub prefix: String,
    /// Keys that agree up to this, after the prefix, count as one.
    pub delimiter: Option<String>,
    /// Only what comes after this.
    pub after: Option<String>,
    /// At most so many.
    pub max: usize,
}

/// One element of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// An object.
    Object(String, Object),
    /// A common prefix.
    Prefix(String),
}

/// A page of a listing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listing {
    /// In order.
    pub entries: Vec<Entry>,
    /// For [`ListRequest::after`], if there is more.
    pub next: Option<String>,
}

/// Documents read at once.
const PAGE: usize = 1000;

impl S3 {
    /// `ListObjectsV2`.
    ///
    /// # Errors
    /// No such bucket, or the store failed.
    pub async fn list(&self, bucket: &str, request: &ListRequest) -> Result<Listing, S3Error> {
        self.bucket(bucket).await?;
        let kind = objects_of(bucket);
        let mut listing = Listing::default();
        let mut after = request.after.clone();
        // The prefix itself may be a key, and pages begin after a key.
        if after.as_deref().unwrap_or_default() < request.prefix.as_str() {
            let own: Option<Object> = self.documents.get(&kind, &request.prefix).await?;
            if let Some(own) = own.filter(|_| !request.prefix.is_empty()) {
                self.take(request, &mut listing, request.prefix.clone(), own);
            }
            after = Some(request.prefix.clone());
        }
        loop {
            let page: Vec<(String, Object)> = self
                .documents
                .page(&kind, after.as_deref(), PAGE)
                .await
                .map_err(|error: StorageError| S3Error::from(error))?;
            let whole = page.len() < PAGE;
            let mut skip: Option<String> = None;
            for (key, object) in page {
                if !key.starts_with(&request.prefix) {
                    return Ok(listing);
                }
                after = Some(key.clone());
                if skip.as_ref().is_some_and(|prefix| key.starts_with(prefix)) {
                    continue;
                }
                if listing.entries.len() >= request.max {
                    listing.next = listing.entries.last().map(Entry::end);
                    return Ok(listing);
                }
                skip = self.take(request, &mut listing, key, object);
            }
            if whole {
                return Ok(listing);
            }
            // The rest of a common prefix need not be read.
            if let Some(prefix) = skip {
                after = Some(beyond(&prefix));
            }
        }
    }

    /// Adds a key, or the common prefix it stands for, which is returned.
    fn take(
        &self,
        request: &ListRequest,
        listing: &mut Listing,
        key: String,
        object: Object,
    ) -> Option<String> {
        let common = request.delimiter.as_ref().and_then(|delimiter| {
            let rest = &key[request.prefix.len()..];
            let end = rest.find(delimiter.as_str())? + delimiter.len();
            Some(key[..request.prefix.len() + end].to_owned())
        });
        match common {
            None => {
                listing.entries.push(Entry::Object(key, object));
                None
            }
            Some(prefix) => {
                listing.entries.push(Entry::Prefix(prefix.clone()));
                Some(prefix)
            }
        }
    }
}

impl Entry {
    /// What the next page comes after.
    fn end(&self) -> String {
        match self {
            Entry::Object(key, _) => key.clone(),
            Entry::Prefix(prefix) => beyond(prefix),
        }
    }
}

/// Greater than every key with this prefix.
fn beyond(prefix: &str) -> String {
    format!("{prefix}{}", char::MAX)
}

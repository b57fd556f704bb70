//! The outbox: where mail goes on one machine. Each mail is an `.eml` file for mail programs and a document for
//! `GET /_restock/mail`; nobody gets it.
//!
//! SES and SNS put mail here; this module knows neither. Start at [`Outbox::send`].

mod address;
mod eml;

use std::{
    io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use engine::{Documents, StorageError};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use address::{BadAddress, check as check_address, parts as address_parts};
pub use eml::header_of;

/// Documents of this kind are mails, the newest first.
const KIND: &str = "mail";

/// The outbox of one installation. Cheap to clone.
#[derive(Clone)]
pub struct Outbox {
    directory: Arc<Path>,
    documents: Documents,
    /// Microseconds of the last mail, so that two mails never share one and the order is that of sending.
    last: Arc<AtomicI64>,
}

/// A mail to be kept.
#[derive(Debug, Clone, Default)]
pub struct NewMail {
    /// `name <address>` or `address`.
    pub from: String,
    /// Recipients, each as `from`.
    pub to: Vec<String>,
    /// Copies.
    pub cc: Vec<String>,
    /// Copies that the other recipients do not see: in the document, not in the file.
    pub bcc: Vec<String>,
    /// Where answers go.
    pub reply_to: Vec<String>,
    /// The subject.
    pub subject: String,
    /// The body as plain text.
    pub text: Option<String>,
    /// The body as HTML.
    pub html: Option<String>,
    /// Further headers.
    pub headers: Vec<(String, String)>,
    /// Files that go with it.
    pub attachments: Vec<Attachment>,
    /// For telling mails apart; not part of the mail.
    pub tags: Vec<Tag>,
    /// A complete message of the caller's making, which is kept as it is. The fields above then only describe it.
    pub raw: Option<Vec<u8>>,
}

/// A file in a mail.
#[derive(Debug, Clone)]
pub struct Attachment {
    /// As the recipient sees it.
    pub file_name: String,
    /// E.g. `application/pdf`.
    pub content_type: String,
    /// The file.
    pub content: Vec<u8>,
    /// Names the part for HTML that shows it inline.
    pub content_id: Option<String>,
}

/// A name and a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tag {
    /// The tag.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// A mail in the outbox, as `GET /_restock/mail` shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mail {
    /// SES's `MessageId`.
    pub id: String,
    /// When it was sent, RFC 3339, UTC.
    pub at: String,
    /// Sender.
    pub from: String,
    /// Recipients.
    pub to: Vec<String>,
    /// Copies.
    pub cc: Vec<String>,
    /// Hidden copies.
    pub bcc: Vec<String>,
    /// The subject.
    pub subject: String,
    /// The body as plain text.
    pub text: Option<String>,
    /// The body as HTML.
    pub html: Option<String>,
    /// As they were given.
    pub tags: Vec<Tag>,
    /// Name of the file in the outbox folder.
    pub file: String,
}

/// Why a mail was not kept. No part of it is left.
#[derive(Debug, thiserror::Error)]
pub enum OutboxError {
    /// The file could not be written.
    #[error("the mail could not be written to {}: {source}", path.display())]
    File {
        /// Where to.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// The document could not be stored or read.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// One page of mails.
#[derive(Debug, Serialize)]
pub struct Page {
    /// The newest first.
    pub mail: Vec<Mail>,
    /// Give it as `next` for the page after; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

impl Outbox {
    /// Opens the outbox folder, or makes it.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub fn open(directory: &Path, documents: Documents) -> io::Result<Outbox> {
        std::fs::create_dir_all(directory)?;
        Ok(Outbox {
            directory: directory.into(),
            documents,
            last: Arc::default(),
        })
    }

    /// Keeps a mail: on return the file and the document are on the disk.
    ///
    /// # Errors
    /// Either could not be written; then there is neither.
    pub async fn send(&self, new: NewMail) -> Result<Mail, OutboxError> {
        let at = self.next_moment();
        let random = Uuid::new_v4();
        // As SES makes them: the time in hexadecimal, then a random part.
        let id = format!(
            "0100{:012x}-{}-000000",
            at.as_millisecond(),
            &random.to_string()[..23]
        );
        let file = format!(
            "{}-{}.eml",
            at.strftime("%Y%m%dT%H%M%S.%6fZ"),
            random.simple()
        );
        let path = self.directory.join(&file);
        let failed = |source| OutboxError::File {
            path: path.clone(),
            source,
        };

        let bytes = match &new.raw {
            Some(raw) => raw.clone(),
            None => eml::write(&new, &id, at).map_err(failed)?,
        };
        let target = path.clone();
        tokio::task::spawn_blocking(move || keep(&target, &bytes))
            .await
            .map_err(|error| failed(io::Error::other(error)))?
            .map_err(failed)?;

        let mail = Mail {
            id,
            at: at.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string(),
            from: new.from,
            to: new.to,
            cc: new.cc,
            bcc: new.bcc,
            subject: new.subject,
            text: new.text,
            html: new.html,
            tags: new.tags,
            file,
        };
        if let Err(error) = self.documents.put(KIND, &key(at, &random), &mail).await {
            // A file without a document would be a mail that nobody was told of.
            if let Err(error) = std::fs::remove_file(&path) {
                tracing::warn!(path = %path.display(), %error, "a mail that was not sent is left behind");
            }
            return Err(error.into());
        }
        Ok(mail)
    }

    /// Mails, the newest first; with `to` only those that go to this address, in any role and any case.
    ///
    /// # Errors
    /// The documents cannot be read.
    pub async fn list(
        &self,
        to: Option<&str>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page, OutboxError> {
        const CHUNK: usize = 200;
        let mut found: Vec<(String, Mail)> = Vec::new();
        let mut after = after.map(str::to_owned);
        loop {
            let chunk = self
                .documents
                .page::<Mail>(KIND, after.as_deref(), CHUNK)
                .await?;
            let last = chunk.len() < CHUNK;
            after = chunk.last().map(|(key, _)| key.clone());
            found.extend(
                chunk
                    .into_iter()
                    .filter(|(_, mail)| to.is_none_or(|to| mail.goes_to(to))),
            );
            if last || found.len() > limit {
                break;
            }
        }
        let more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().filter(|_| more).map(|(key, _)| key.clone());
        Ok(Page {
            mail: found.into_iter().map(|(_, mail)| mail).collect(),
            next,
        })
    }

    fn next_moment(&self) -> Timestamp {
        let now = Timestamp::now().as_microsecond();
        let before = self
            .last
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| {
                Some(now.max(last + 1))
            })
            .unwrap_or_default();
        Timestamp::from_microsecond(now.max(before + 1)).unwrap_or_else(|_| Timestamp::now())
    }
}

impl Mail {
    fn goes_to(&self, address: &str) -> bool {
        [&self.to, &self.cc, &self.bcc]
            .into_iter()
            .flatten()
            .any(|recipient| address::parts(recipient).1.eq_ignore_ascii_case(address))
    }
}

/// Documents are listed by key; this one falls as time rises.
fn key(at: Timestamp, random: &Uuid) -> String {
    let falling = i64::MAX - at.as_microsecond();
    format!("{falling:016x}-{}", random.simple())
}

/// Writes a file that is either complete or not there, also after a power cut.
fn keep(path: &Path, bytes: &[u8]) -> io::Result<()> {
    use std::io::Write;
    let draft = path.with_extension("tmp");
    let written = (|| {
        let mut file = std::fs::File::create(&draft)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&draft, path)?;
        match path.parent() {
            Some(folder) => std::fs::File::open(folder)?.sync_all(),
            None => Ok(()),
        }
    })();
    if written.is_err() {
        // What could not be written is not worth a second error.
        let _ = std::fs::remove_file(&draft);
        let _ = std::fs::remove_file(path);
    }
    written
}

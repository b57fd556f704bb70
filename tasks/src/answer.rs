//! Reading what other people's systems answer: no more than we are ready to hold.

use serde::de::DeserializeOwned;

/// The longest answer we read: the contracts' are below 1 KiB.
pub(crate) const LONGEST: usize = 64 * 1024;

/// Why an answer could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unreadable {
    /// The connection broke, or it took too long.
    #[error(transparent)]
    Lost(reqwest::Error),
    /// It does not end.
    #[error("it is longer than {LONGEST} bytes")]
    TooLong,
}

/// The whole body, of at most [`LONGEST`] bytes.
pub(crate) async fn body(mut response: reqwest::Response) -> Result<Vec<u8>, Unreadable> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(Unreadable::Lost)? {
        body.extend_from_slice(&chunk);
        if body.len() > LONGEST {
            return Err(Unreadable::TooLong);
        }
    }
    Ok(body)
}

/// Reads a body as the contract has it; else says what it is instead, so that a maintenance page is known as one.
pub(crate) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|error| {
        let text = String::from_utf8_lossy(body);
        let start: String = text.chars().filter(|c| !c.is_control()).take(80).collect();
        format!("{error}; it begins with: {start}")
    })
}

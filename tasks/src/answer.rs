//! Reading what other people's systems answer: no more than we are ready to hold.

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

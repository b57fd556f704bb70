//! Task tokens: what a callback answers with.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use serde::{Deserialize, Serialize};

/// Which task of an execution: the id of its `…Scheduled` event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TaskId(pub u64);

impl std::fmt::Display for TaskId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// Names one task of one execution, and proves that its holder was told by us.
///
/// The written form is as long as AWS's own (over 600 characters), so that a column or URL that is too short for a real one
/// shows here. The execution and task are readable in it, so a token finds its task without an index; the nonce is the proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TaskToken {
    /// [`Identity::key`](crate::Identity::key) of the execution.
    pub execution: u64,
    /// The task.
    pub task: TaskId,
    /// Random; compared when the token is answered.
    pub nonce: u128,
}

/// Bytes before encoding: 4 of magic, 8 + 8 + 16 of content, the rest is filling.
const BYTES: usize = 480;
const MAGIC: [u8; 4] = *b"rst1";

/// The text is not a task token of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a task token")]
pub struct NotAToken;

impl TaskToken {
    /// The written form, 640 characters of URL-safe base64.
    pub fn encode(&self) -> String {
        let mut bytes = [0u8; BYTES];
        bytes[..4].copy_from_slice(&MAGIC);
        bytes[4..12].copy_from_slice(&self.execution.to_be_bytes());
        bytes[12..20].copy_from_slice(&self.task.0.to_be_bytes());
        bytes[20..36].copy_from_slice(&self.nonce.to_be_bytes());
        // The filling repeats the nonce, changed by its place, so that no long run of equal characters tempts a reader to shorten it.
        for i in 36..BYTES {
            bytes[i] = bytes[20 + i % 16]
                .wrapping_mul(31)
                .wrapping_add((i % 251) as u8);
        }
        URL_SAFE.encode(bytes)
    }

    /// Reads the written form.
    ///
    /// # Errors
    /// The text is not one that [`TaskToken::encode`] wrote.
    pub fn decode(text: &str) -> Result<Self, NotAToken> {
        let bytes = URL_SAFE.decode(text).map_err(|_| NotAToken)?;
        let field = |from: usize| {
            bytes
                .get(from..from + 8)
                .and_then(|b| b.try_into().ok())
                .map(u64::from_be_bytes)
                .ok_or(NotAToken)
        };
        let token = Self {
            execution: field(4)?,
            task: TaskId(field(12)?),
            nonce: (u128::from(field(20)?) << 64) | u128::from(field(28)?),
        };
        if token.encode() == text {
            Ok(token)
        } else {
            Err(NotAToken)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip_and_length() {
        let token = TaskToken {
            execution: 7,
            task: TaskId(5),
            nonce: u128::MAX / 3,
        };
        let text = token.encode();
        assert_eq!(text.len(), 640);
        assert_eq!(TaskToken::decode(&text), Ok(token));
    }

    #[test]
    fn anything_else_is_refused() {
        let text = TaskToken {
            execution: 7,
            task: TaskId(5),
            nonce: 9,
        }
        .encode();
        for bad in [
            "",
            "x",
            &text[..639],
            &format!("{text}A"),
            &text.replace('A', "B"),
        ] {
            assert_eq!(TaskToken::decode(bad), Err(NotAToken));
        }
    }
}

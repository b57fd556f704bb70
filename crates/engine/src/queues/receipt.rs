//! Receipt handles: which message, and which of its deliveries. They outlive a restart, as the count they hold is durable.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use uuid::Uuid;

use super::QueueError;

/// A delivery of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Receipt {
    /// Our number of the message.
    pub(crate) seq: u64,
    /// Row id of the queue it was received from.
    pub(crate) queue: i64,
    /// How often it had been received, this delivery included.
    pub(crate) receives: u32,
    /// The message's random id: proves that the holder received it.
    pub(crate) id: Uuid,
}

/// Longer than what it carries, as AWS's are: a column that is too short for a real one should show here.
const LENGTH: usize = 168;

impl Receipt {
    pub(crate) fn encode(&self) -> String {
        let mut bytes = Vec::with_capacity(LENGTH);
        bytes.extend(self.seq.to_be_bytes());
        bytes.extend(self.queue.to_be_bytes());
        bytes.extend(self.receives.to_be_bytes());
        bytes.extend(self.id.as_bytes());
        let filling = u8::try_from(self.seq % 251).unwrap_or_default();
        bytes.extend(
            (0..LENGTH - bytes.len())
                .zip(0..=u8::MAX)
                .map(|(_, i)| i.wrapping_mul(73) ^ filling),
        );
        STANDARD.encode(bytes)
    }

    pub(crate) fn decode(text: &str) -> Result<Receipt, QueueError> {
        let read = || -> Option<Receipt> {
            let bytes = STANDARD
                .decode(text)
                .ok()
                .filter(|bytes| bytes.len() == LENGTH)?;
            Some(Receipt {
                seq: u64::from_be_bytes(bytes.get(0..8)?.try_into().ok()?),
                queue: i64::from_be_bytes(bytes.get(8..16)?.try_into().ok()?),
                receives: u32::from_be_bytes(bytes.get(16..20)?.try_into().ok()?),
                id: Uuid::from_slice(bytes.get(20..36)?).ok()?,
            })
        };
        read().ok_or(QueueError::ReceiptHandleIsInvalid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_wrote_and_nothing_else() {
        let receipt = Receipt {
            seq: 77,
            queue: 2,
            receives: 3,
            id: Uuid::from_u128(5),
        };
        let text = receipt.encode();
        assert!(Receipt::decode(&text).is_ok_and(|read| read == receipt));
        for bad in ["", "abc", "%%%", &text[4..]] {
            assert!(matches!(
                Receipt::decode(bad),
                Err(QueueError::ReceiptHandleIsInvalid)
            ));
        }
    }
}

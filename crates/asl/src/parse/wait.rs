//! Wait states.

use super::Builder;
use super::state::Reader;
use crate::interpret::parse_timestamp;
use crate::model::{Text, WaitState};

impl Builder<'_> {
    pub(super) fn wait(&mut self, reader: &Reader<'_, '_>) -> Option<WaitState> {
        let fields = &reader.fields;
        let forms: Vec<&str> = ["Seconds", "SecondsPath", "Timestamp", "TimestampPath"]
            .into_iter()
            .filter(|field| fields.has(field))
            .collect();
        match forms[..] {
            ["Seconds" | "SecondsPath"] => self
                .amount(fields, "Seconds", 0, 99_999_999, reader.language)
                .map(WaitState::Seconds),
            ["Timestamp" | "TimestampPath"] => {
                let text = self.text(fields, "Timestamp", reader.language)?;
                if let Text::Literal(written) = &text
                    && parse_timestamp(written).is_none()
                {
                    self.schema(
                        &fields.at("Timestamp"),
                        "String does not match RFC3339 timestamp",
                    );
                    return None;
                }
                Some(WaitState::Timestamp(text))
            }
            _ => {
                self.schema(&fields.pointer, "State should specify exactly one of Seconds, SecondsPath, Timestamp or TimestampPath");
                None
            }
        }
    }
}

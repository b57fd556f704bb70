//! What a caller may choose of a mapping, and the ranges AWS allows.

use std::ops::RangeInclusive;

use super::{Mapping, MappingError};

/// A mapping to be made.
#[derive(Debug, Clone, Default)]
pub struct NewMapping {
    /// The queue's ARN.
    pub event_source_arn: String,
    /// Any name of the function.
    pub function_name: String,
    /// What shall differ from AWS's defaults: batches of ten, no window, enabled, the batch fails or succeeds as a whole.
    pub settings: Changes,
}

/// What shall be different; `None` leaves it.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    /// Another function.
    pub function_name: Option<String>,
    /// Whether it runs.
    pub enabled: Option<bool>,
    /// 1–10,000; beyond 10 only with a window.
    pub batch_size: Option<i64>,
    /// 0–300 seconds.
    pub window: Option<i64>,
    /// Whether the function says which messages failed.
    pub report_item_failures: Option<bool>,
    /// 2–1,000; `Some(None)` removes the limit.
    pub maximum_concurrency: Option<Option<i64>>,
}

impl Changes {
    /// Changes the mapping, or says which value is out of range.
    pub(super) fn apply(&self, mapping: &mut Mapping) -> Result<(), MappingError> {
        if let Some(size) = self.batch_size {
            mapping.batch_size = within("BatchSize", size, 1..=10_000)?;
        }
        if let Some(seconds) = self.window {
            mapping.window = within("MaximumBatchingWindowInSeconds", seconds, 0..=300)?;
        }
        if let Some(maximum) = self.maximum_concurrency {
            mapping.maximum_concurrency = maximum
                .map(|maximum| within("ScalingConfig.MaximumConcurrency", maximum, 2..=1000))
                .transpose()?;
        }
        if let Some(reports) = self.report_item_failures {
            mapping.report_item_failures = reports;
        }
        if let Some(enabled) = self.enabled {
            mapping.enabled = enabled;
        }
        if mapping.batch_size > 10 && mapping.window == 0 {
            return Err(MappingError::Invalid(
                "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10".to_owned(),
            ));
        }
        Ok(())
    }
}

fn within(name: &str, value: i64, range: RangeInclusive<i64>) -> Result<u32, MappingError> {
    u32::try_from(value).ok().filter(|_| range.contains(&value)).ok_or_else(|| {
        MappingError::Invalid(format!(
            "Value '{value}' at '{name}' failed to satisfy constraint: it must be from {} to {}",
            range.start(),
            range.end()
        ))
    })
}

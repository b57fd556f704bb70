//! `Retry` and `Catch`.

use super::Builder;
use super::machine::elements;
use super::state::{NO_RESULT_PATH, Reader};
use crate::model::{Catcher, Jitter, QueryLanguage, Retrier};

impl Builder<'_> {
    pub(super) fn retry(&mut self, reader: &Reader<'_, '_>) -> Vec<Retrier> {
        let list = elements(self, &reader.fields, "Retry");
        let count = list.len();
        let mut retriers = Vec::with_capacity(count);
        for (i, fields) in list.iter().enumerate() {
            self.require(fields, &["ErrorEquals"]);
            self.known(
                fields,
                &[
                    "ErrorEquals",
                    "IntervalSeconds",
                    "MaxAttempts",
                    "BackoffRate",
                    "MaxDelaySeconds",
                    "JitterStrategy",
                    "Comment",
                ],
            );
            let backoff_rate = match fields.get("BackoffRate") {
                None => 2.0,
                Some(value) => match value.as_f64() {
                    Some(rate) if rate >= 1.0 => rate,
                    _ => {
                        self.schema(
                            &fields.at("BackoffRate"),
                            "Value must be a number of at least 1.0",
                        );
                        continue;
                    }
                },
            };
            let jitter = match self.string(fields, "JitterStrategy") {
                None | Some("NONE") => Jitter::None,
                Some("FULL") => Jitter::Full,
                Some(_) => {
                    self.schema(
                        &fields.at("JitterStrategy"),
                        "Value must be one of FULL, NONE",
                    );
                    continue;
                }
            };
            let most = self.whole(fields, "MaxAttempts", 0, 99_999_999);
            retriers.push(Retrier {
                error_equals: self.error_equals(fields, i + 1 == count),
                interval_seconds: self
                    .whole(fields, "IntervalSeconds", 1, 99_999_999)
                    .unwrap_or(1),
                max_attempts: most.and_then(|most| u32::try_from(most).ok()).unwrap_or(3),
                backoff_rate,
                max_delay_seconds: self.whole(fields, "MaxDelaySeconds", 1, 31_622_400),
                jitter,
            });
        }
        retriers
    }

    pub(super) fn catch(&mut self, reader: &Reader<'_, '_>) -> Vec<Catcher> {
        let list = elements(self, &reader.fields, "Catch");
        let count = list.len();
        let mut catchers = Vec::with_capacity(count);
        for (i, fields) in list.iter().enumerate() {
            self.require(fields, &["ErrorEquals", "Next"]);
            let jsonata = reader.language == QueryLanguage::Jsonata;
            self.known(
                fields,
                if jsonata {
                    &["ErrorEquals", "Next", "Output", "Assign", "Comment"]
                } else {
                    &["ErrorEquals", "Next", "ResultPath", "Assign", "Comment"]
                },
            );
            let error_equals = self.error_equals(fields, i + 1 == count);
            let result_path = if jsonata {
                NO_RESULT_PATH
            } else {
                self.result_path(fields)
            };
            let output = if jsonata {
                self.template(fields, "Output", reader.language)
            } else {
                None
            };
            let assign = self.assign(fields, reader.language);
            let Some(next) = self.target(fields, "Next", reader.around) else {
                continue;
            };
            catchers.push(Catcher {
                error_equals,
                next,
                result_path,
                output,
                assign,
            });
        }
        catchers
    }
}

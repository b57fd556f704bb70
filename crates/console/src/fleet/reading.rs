//! When the last reading was, and what became of it: so that many who ask at the same time share one.

use std::sync::Arc;
use std::time::Instant;

use operate::error::OperateError;

/// The last reading of something.
#[derive(Debug, Default)]
pub(super) struct Reading {
    /// When the last that succeeded began, and when it ended.
    pub began: Option<Instant>,
    pub ended: Option<Instant>,
    /// When the last one failed, if that was the last, and why.
    pub failed: Option<(Instant, Arc<OperateError>)>,
}

impl Reading {
    /// What the last reading says to somebody who has waited for a turn since `asked`; `None` if they are to read.
    pub(super) fn serves(&self, asked: Instant) -> Option<Result<(), Arc<OperateError>>> {
        match &self.failed {
            // Whoever waited while it failed would fail alike; one after the other they would wait for ever.
            Some((at, error)) => (*at >= asked).then(|| Err(error.clone())),
            // What began before somebody asked may lack what they ask for.
            None => self.began.is_some_and(|at| at > asked).then_some(Ok(())),
        }
    }

    /// A reading has ended.
    pub(super) fn end<T>(
        &mut self,
        began: Instant,
        result: Result<T, OperateError>,
    ) -> Result<T, Arc<OperateError>> {
        let now = Instant::now();
        match result {
            Ok(read) => {
                *self = Reading {
                    began: Some(began),
                    ended: Some(now),
                    failed: None,
                };
                Ok(read)
            }
            Err(error) => {
                let error = Arc::new(error);
                self.failed = Some((now, error.clone()));
                Err(error)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn who_waited_while_a_reading_failed_shares_its_error_and_who_asks_later_reads() {
        let mut reading = Reading::default();
        let start = Instant::now();
        assert!(reading.serves(start).is_none(), "nothing was read");
        let failed: Result<(), _> = Err(OperateError::Data("down".to_owned()));
        assert!(reading.end(start, failed).is_err());
        let shared = reading.serves(start).and_then(Result::err);
        assert_eq!(shared.map(|e| e.to_string()).as_deref(), Some("down"));
        let later = Instant::now() + Duration::from_secs(1);
        assert!(reading.serves(later).is_none());
        let began = start + Duration::from_millis(1);
        assert!(reading.end(began, Ok(())).is_ok());
        assert!(matches!(reading.serves(start), Some(Ok(()))));
        assert!(reading.serves(began).is_none(), "it may lack what is new");
    }
}

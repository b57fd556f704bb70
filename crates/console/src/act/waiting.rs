//! Parked tasks and callbacks, read for all pages together: finding them costs a call for each running execution.

use std::sync::Arc;
use std::time::{Duration, Instant};

use operate::waiting::{Waiting, scan};
use operate::{Connection, OperateError};
use tokio::sync::Mutex;

/// Running executions that are looked at. The pages say so where there are more.
pub(crate) const MOST: usize = 2_000;
/// How long a look is good for, on this machine and on AWS, whose history calls are metered.
const LOCAL: Duration = Duration::from_secs(2);
const AWS: Duration = Duration::from_secs(30);

/// The last look. Whoever comes while somebody looks waits for that look and takes it as theirs.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    last: Mutex<Option<(Instant, Arc<Waiting>)>>,
    forgotten: std::sync::atomic::AtomicBool,
}

impl Watch {
    /// What waits, at most seconds old.
    pub(crate) async fn look(&self, at: &Connection) -> Result<Arc<Waiting>, OperateError> {
        let keep = if at.is_aws() { AWS } else { LOCAL };
        let mut last = self.last.lock().await;
        let forgotten = self
            .forgotten
            .swap(false, std::sync::atomic::Ordering::Relaxed);
        if let Some((when, waiting)) = &*last
            && !forgotten
            && when.elapsed() < keep
        {
            return Ok(waiting.clone());
        }
        let waiting = Arc::new(scan(at, MOST).await?);
        *last = Some((Instant::now(), waiting.clone()));
        Ok(waiting)
    }

    /// Something was changed: the next look reads again.
    pub(crate) fn forget(&self) {
        self.forgotten
            .store(true, std::sync::atomic::Ordering::Relaxed);
    }
}

//! Time as a part that is passed in, so that a test can move it instead of waiting for it.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures::FutureExt as _;
use futures::future::BoxFuture;
use tokio::sync::watch;

/// Milliseconds since 1970-01-01T00:00:00Z.
pub use asl::Millis;

/// Where the engine takes the time from, and how it waits for a moment.
pub trait Clock: Send + Sync + 'static {
    /// The time now.
    fn now(&self) -> Millis;
    /// Completes when [`Clock::now`] has reached `at`; at once if it already has.
    fn sleep_until(&self, at: Millis) -> BoxFuture<'static, ()>;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

/// A sleep is cut into pieces of this length, because the monotonic clock behind a sleep stands still while a laptop is
/// suspended and the wall clock may be corrected: the error stays below one piece.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

impl Clock for SystemClock {
    fn now(&self) -> Millis {
        // A clock before 1970 reads as 1970: durations stay non-negative.
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Millis::try_from(since.as_millis()).unwrap_or(Millis::MAX)
    }

    fn sleep_until(&self, at: Millis) -> BoxFuture<'static, ()> {
        async move {
            loop {
                let left = at.saturating_sub(SystemClock.now());
                if left <= 0 {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(left.unsigned_abs()).min(LONGEST_SLEEP))
                    .await;
            }
        }
        .boxed()
    }
}

/// A clock that stands still until it is told to move: for tests.
#[derive(Debug, Clone)]
pub struct ManualClock(Arc<watch::Sender<Millis>>);

impl ManualClock {
    /// A clock that shows `now`.
    #[must_use]
    pub fn new(now: Millis) -> ManualClock {
        ManualClock(Arc::new(watch::Sender::new(now)))
    }

    /// Moves the clock forward and wakes whoever waited for a moment that has now come.
    pub fn advance(&self, by: Duration) {
        let by = Millis::try_from(by.as_millis()).unwrap_or(Millis::MAX);
        self.0.send_modify(|now| *now = now.saturating_add(by));
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Millis {
        *self.0.borrow()
    }

    fn sleep_until(&self, at: Millis) -> BoxFuture<'static, ()> {
        let mut moved = self.0.subscribe();
        async move {
            // The sender can only be gone when the engine is: then nobody polls this any more.
            if moved.wait_for(|now| *now >= at).await.is_err() {
                futures::future::pending().await
            }
        }
        .boxed()
    }
}

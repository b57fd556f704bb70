//! Live updates: a stream of server-sent events that says only that something changed. The page is then asked for again,
//! so that there is one way to render it.

use std::convert::Infallible;
use std::time::Duration;

use axum::response::sse::{Event, KeepAlive, Sse};
use futures::stream::{self, Stream};
use tokio::sync::watch;

/// Least time between two events of one stream, so that a burst of changes is one.
const EVERY: Duration = Duration::from_millis(1_000);

/// A stream of `changed` events, and `ended` when nothing will change any more.
pub(crate) fn stream(
    changes: watch::Receiver<u64>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let events = stream::unfold(Some(changes), |changes| async move {
        let mut changes = changes?;
        match changes.changed().await {
            Ok(()) => {
                tokio::time::sleep(EVERY).await;
                changes.mark_unchanged();
                Some((Ok(event("changed")), Some(changes)))
            }
            Err(_) => Some((Ok(event("ended")), None)),
        }
    });
    Sse::new(events).keep_alive(KeepAlive::new().interval(Duration::from_secs(15)))
}

/// Browsers ignore events without data.
fn event(name: &str) -> Event {
    Event::default().event(name).data("1")
}

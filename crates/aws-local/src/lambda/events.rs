//! Asynchronous invocations (`InvocationType: Event`): accepted, then tried up to three times.
//!
//! They wait in memory: those that have not run when the process ends are lost. Whoever needs more sends to a queue.
//! Source: AWS Lambda developer guide, "How Lambda handles errors and retries with asynchronous invocation".

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use super::{
    functions::Functions,
    invocation::{Invoke, InvokeError},
};

/// How many may wait or run.
const MAX_PENDING: usize = 10_000;

/// Whether an event was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accepted {
    /// It runs as soon as it can.
    Yes,
    /// Too many wait already; try again later.
    TooMany,
}

/// The events on their way.
#[derive(Debug, Clone, Default)]
pub(super) struct Events {
    pending: Arc<AtomicUsize>,
}

/// One place among the pending.
struct Place(Arc<AtomicUsize>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Events {
    /// Takes an event for a function that exists.
    pub(super) fn accept(
        &self,
        functions: &Functions,
        name: &str,
        invoke: Invoke,
    ) -> Result<Accepted, InvokeError> {
        functions.find(name)?;
        let place = Place(self.pending.clone());
        if self.pending.fetch_add(1, Ordering::Relaxed) >= MAX_PENDING {
            return Ok(Accepted::TooMany);
        }
        tokio::spawn(run(functions.clone(), name.to_owned(), invoke, place));
        Ok(Accepted::Yes)
    }
}

async fn run(functions: Functions, name: String, invoke: Invoke, _place: Place) {
    let mut pauses = functions.options().event_retries.clone().into_iter();
    loop {
        match functions.invoke(&name, invoke.clone()).await {
            Ok(answer) => match answer.result {
                Ok(_) => return,
                Err(error) => {
                    let error = String::from_utf8_lossy(&error.payload).into_owned();
                    tracing::warn!(function = name, request_id = %answer.request_id, error, "an asynchronous invocation failed");
                }
            },
            Err(InvokeError::Stopped) => return,
            Err(error) => {
                tracing::warn!(function = name, %error, "an asynchronous invocation failed")
            }
        }
        let Some(pause) = pauses.next() else {
            tracing::error!(
                function = name,
                "an asynchronous invocation failed for the last time and is dropped"
            );
            return;
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = functions.stopping().cancelled() => return,
        }
    }
}

//! A group of statements that happens as a whole or not at all, and the promise of its commit.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::StorageError;

/// What became of a group.
pub(crate) type Outcome<T> = Result<T, StorageError>;

/// Completes when the group is on the disk, or has failed. Dropping it does not take the group back.
#[must_use = "nothing is durable before this completes"]
pub(crate) struct Commit<T>(oneshot::Receiver<Outcome<T>>);

impl<T> Future for Commit<T> {
    type Output = Outcome<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Outcome<T>> {
        // The sender is dropped unused only if the writer died.
        Pin::new(&mut self.0)
            .poll(context)
            .map(|received| received.unwrap_or(Err(StorageError::Closed)))
    }
}

/// A group as the writer sees it: without the type of its result.
pub(crate) trait Group: Send {
    /// Runs the statements in the open transaction and keeps the result.
    fn run(&mut self, connection: &Connection) -> Result<(), StorageError>;
    /// Tells what became of it.
    fn resolve(self: Box<Self>, commit: Result<(), StorageError>);
}

pub(crate) struct Pending<T, R, D> {
    run: R,
    done: D,
    result: Option<T>,
    waiter: oneshot::Sender<Outcome<T>>,
}

impl<T, R, D> Pending<T, R, D> {
    pub(crate) fn new(run: R, done: D) -> (Pending<T, R, D>, Commit<T>) {
        let (waiter, commit) = oneshot::channel();
        (
            Pending {
                run,
                done,
                result: None,
                waiter,
            },
            Commit(commit),
        )
    }
}

impl<T, R, D> Group for Pending<T, R, D>
where
    T: Send,
    R: FnMut(&Connection) -> Result<T, StorageError> + Send,
    D: FnOnce(&Outcome<T>) + Send,
{
    fn run(&mut self, connection: &Connection) -> Result<(), StorageError> {
        self.result = Some((self.run)(connection)?);
        Ok(())
    }

    fn resolve(self: Box<Self>, commit: Result<(), StorageError>) {
        let Pending {
            done,
            result,
            waiter,
            ..
        } = *self;
        // A group that committed without having run does not exist; should it, it is not acknowledged.
        let outcome = commit.and_then(|()| result.ok_or(StorageError::Closed));
        done(&outcome);
        // Nobody may be waiting any more: the fact stands all the same.
        let _ = waiter.send(outcome);
    }
}

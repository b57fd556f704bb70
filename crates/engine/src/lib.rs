//! Durable executions and queues: journal, timers, task dispatch, recovery.
//!
//! Everything lies in one SQLite file, written by one thread that commits the facts of many callers together. Nothing is
//! acknowledged before its commit, nothing polls, and a process that was killed goes on where the last commit left it.
//!
//! The engine knows the language (`asl`) and durability. It must not know: HTTP, AWS's wire formats, or any service behind a
//! task; a [`TaskRunner`] does the calling.
//!
//! Where to start reading: [`Engine`], then `journal` (how a fact becomes durable), `executions` (how a signal becomes facts
//! and effects), `queues`.

mod arn;
mod clock;
mod documents;
mod engine;
mod error;
mod executions;
mod journal;
mod lock;
mod machines;
pub mod measure;
mod queues;

pub use arn::QueueArn;
pub use clock::{Clock, ManualClock, Millis, SystemClock};
pub use documents::{Change, Documents};
pub use engine::{Engine, Settings};
pub use error::{OpenError, StorageError};
pub use executions::{
    AbandonedTask, ChildCounts, Description, Ended, ExecutionError, ExecutionSummary, Executions,
    ListOf, MapRunDescription, MapRunError, MapRunSummary, Page, Paged, Results, StartError,
    StartRequest, Started, Submission, TaskOutcome, TaskRun, TaskRunner, TokenError,
};
pub use journal::JournalStats;
pub use lock::DirectoryLock;
pub use machines::{
    INITIAL_REVISION, Machine, MachineChanges, MachineError, MachineKind, Machines, NewMachine,
    Revision, StoredDefinition, Updated,
};
pub use queues::{
    AttributeValue, Attributes, Counts, MessageAttribute, MessageAttributes, NewMessage, Queue,
    QueueError, Queues, Receive, Received, RedrivePolicy, Sent,
};

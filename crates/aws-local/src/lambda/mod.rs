//! A local AWS Lambda: functions are processes that speak the Lambda Runtime API, started on first use, kept warm, ended when
//! nobody needs them.
//!
//! It knows nothing of workflows or of what the functions do; payloads pass through as bytes. Where to start reading:
//! `functions` (who is asked), `function` (where invocations meet processes), `sandbox` (one process and what it speaks),
//! `api` (AWS's REST API), `mapping` (queues that feed functions), `task` (Task states that call functions).
//!
//! Known differences from AWS: one version of each function, `$LATEST`, for which every alias stands; asynchronous invocations
//! wait in memory and are gone when the process is; memory limits are told, not enforced; a throttled synchronous call waits a
//! while before it is answered 429; functions are registered by the owner of the stack, not uploaded.

mod api;
mod arn;
mod config;
mod events;
mod failure;
mod function;
mod functions;
mod invocation;
mod logs;
mod mapping;
mod sandbox;
mod task;

pub use arn::FunctionRef;
pub use config::{ConfigError, FunctionConfig, LambdaOptions, MAX_TIMEOUT};
pub use events::Accepted;
pub use invocation::{FailureKind, FunctionError, Invoke, InvokeAnswer, InvokeError, LATEST};
pub use mapping::{Changes, Mapping, MappingError, NewMapping};

use std::{
    io,
    sync::{Mutex, MutexGuard, PoisonError},
};

use axum::Router;
use engine::{Engine, StorageError};
use thiserror::Error;

use self::{events::Events, functions::Functions, mapping::Mappings};

/// The service. Clones are the same service.
#[derive(Clone)]
pub struct Lambda {
    functions: Functions,
    events: Events,
    mappings: Mappings,
}

/// Why the service could not be opened.
#[derive(Debug, Error)]
pub enum LambdaOpenError {
    /// The directory of the log files.
    #[error("the directory for the functions' logs cannot be used: {0}")]
    Logs(#[from] io::Error),
    /// The stored mappings.
    #[error("the event source mappings cannot be read: {0}")]
    Mappings(#[from] StorageError),
}

impl Lambda {
    /// Opens the service. Its mappings go on as soon as their functions are registered.
    ///
    /// # Errors
    /// The log directory cannot be made, or the store cannot be read.
    pub async fn open(engine: &Engine, options: LambdaOptions) -> Result<Lambda, LambdaOpenError> {
        let functions = Functions::open(options)?;
        let mappings = Mappings::open(engine.clone(), functions.clone()).await?;
        Ok(Lambda {
            functions,
            events: Events::default(),
            mappings,
        })
    }

    /// Adds a function, or replaces the one of this name; nothing happens if it is the same.
    ///
    /// # Errors
    /// The configuration could never run.
    pub fn register(&self, config: FunctionConfig) -> Result<(), ConfigError> {
        self.functions.register(config)
    }

    /// Runs a function once, under any of its names (see [`FunctionRef`]).
    ///
    /// A future that is dropped before a process has the invocation takes it back; afterwards the function runs on.
    ///
    /// # Errors
    /// It could not be run at all; how the function itself failed is in the answer.
    pub async fn invoke(&self, name: &str, invoke: Invoke) -> Result<InvokeAnswer, InvokeError> {
        self.functions.invoke(name, invoke).await
    }

    /// Takes an asynchronous invocation: it is tried up to three times and its answer is dropped. It waits in memory.
    ///
    /// # Errors
    /// There is no such function.
    pub fn invoke_event(&self, name: &str, invoke: Invoke) -> Result<Accepted, InvokeError> {
        self.events.accept(&self.functions, name, invoke)
    }

    /// Makes a queue feed a function, or changes the mapping between the two. Durable on return.
    ///
    /// # Errors
    /// There is no such function or queue, a value out of range, or the store failed.
    pub async fn put_mapping(&self, new: NewMapping) -> Result<Mapping, MappingError> {
        self.mappings.put(new).await
    }

    /// How many processes a function has at the moment.
    ///
    /// # Errors
    /// There is no such function.
    pub fn processes(&self, name: &str) -> Result<usize, InvokeError> {
        Ok(self.functions.find(name)?.processes())
    }

    /// AWS's REST API under `/2015-03-31/`, and `/_restock/logs` (see `logs/api.rs`).
    pub fn router(&self) -> Router {
        api::router(self.clone()).merge(logs::router(self.functions.clone()))
    }

    /// Ends the mappings, then every process. An invocation that was running is answered [`InvokeError::Stopped`]; the
    /// messages of a batch that was running come again when their visibility ends.
    pub async fn shutdown(&self) {
        self.mappings.stop();
        self.functions.shutdown().await;
    }

    fn functions(&self) -> &Functions {
        &self.functions
    }

    fn mappings(&self) -> &Mappings {
        &self.mappings
    }
}

/// Nothing that holds one of our locks leaves its data half changed, so a panic elsewhere is no reason to stop.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

//! Event source mappings: queues that feed functions. They are durable documents; each enabled one is a task that waits for
//! messages (`poller`), hands them over (`event`) and reads what became of them (`verdict`).
//!
//! Source: AWS Lambda developer guide, "Using Lambda with Amazon SQS".

mod event;
mod poller;
mod settings;
mod verdict;

pub use settings::{Changes, NewMapping};

use std::{
    collections::BTreeMap,
    sync::{Arc, RwLock},
};

use engine::{Engine, QueueArn, StorageError};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tokio_util::sync::CancellationToken;

use super::{FunctionRef, functions::Functions, invocation::InvokeError};

/// The kind of our documents.
const KIND: &str = "lambda.mapping";

/// One mapping, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mapping {
    /// Its id.
    pub uuid: String,
    /// The queue.
    pub event_source_arn: String,
    /// The function, with the qualifier it was named by.
    pub function_arn: String,
    /// At most so many messages in one invocation.
    pub batch_size: u32,
    /// Seconds to wait for a batch to fill up.
    pub window: u32,
    /// At most so many invocations at once; `None`: as many as the function has processes.
    pub maximum_concurrency: Option<u32>,
    /// `ReportBatchItemFailures`: the function says which messages failed.
    pub report_item_failures: bool,
    /// Whether it runs.
    pub enabled: bool,
    /// Last change, milliseconds since 1970.
    pub modified: i64,
}

impl Mapping {
    /// Its ARN.
    pub fn arn(&self) -> String {
        let place: Vec<&str> = self.function_arn.split(':').skip(3).take(2).collect();
        format!(
            "arn:aws:lambda:{}:event-source-mapping:{}",
            place.join(":"),
            self.uuid
        )
    }
}

/// Why a mapping is not as the caller wants it.
#[derive(Debug, Clone, Error)]
pub enum MappingError {
    /// A parameter; says which, and what would be right.
    #[error("{0}")]
    Invalid(String),
    /// The function.
    #[error(transparent)]
    Function(#[from] InvokeError),
    /// No mapping has this id.
    #[error("The resource you requested does not exist.")]
    NotFound,
    /// This queue feeds this function already.
    #[error(
        "The event source arn (\" {source_arn} \") and function (\" {function} \") provided mapping already exists. Please update \
         or delete the existing mapping with UUID {uuid}"
    )]
    Exists {
        /// The queue.
        source_arn: String,
        /// The function's name.
        function: String,
        /// The mapping there is.
        uuid: String,
    },
    /// The store.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// All mappings. Clones are the same.
#[derive(Clone)]
pub(super) struct Mappings {
    shared: Arc<Shared>,
}

struct Shared {
    engine: Engine,
    functions: Functions,
    /// One change at a time.
    changing: tokio::sync::Mutex<()>,
    running: RwLock<BTreeMap<String, Running>>,
}

struct Running {
    mapping: Mapping,
    /// Ends the polling; batches that are being worked on go on.
    stop: CancellationToken,
}

impl Mappings {
    /// Loads the mappings and goes on where they were. One whose function is not registered yet waits for it.
    pub(super) async fn open(
        engine: Engine,
        functions: Functions,
    ) -> Result<Mappings, StorageError> {
        let stored: Vec<(String, Mapping)> = engine.documents().list(KIND).await?;
        let shared = Shared {
            engine,
            functions,
            changing: tokio::sync::Mutex::default(),
            running: RwLock::default(),
        };
        let mappings = Mappings {
            shared: Arc::new(shared),
        };
        for (_, mapping) in stored {
            mappings.run(mapping);
        }
        Ok(mappings)
    }

    pub(super) async fn create(&self, new: NewMapping) -> Result<Mapping, MappingError> {
        let _alone = self.shared.changing.lock().await;
        let (function_arn, event_source_arn) =
            (self.function_arn(&new.function_name)?, new.event_source_arn);
        if let Some(same) =
            self.find(|m| m.event_source_arn == event_source_arn && m.function_arn == function_arn)
        {
            return Err(MappingError::Exists {
                source_arn: event_source_arn,
                function: new.function_name,
                uuid: same.uuid,
            });
        }
        let mut mapping = Mapping {
            uuid: uuid::Uuid::new_v4().to_string(),
            event_source_arn,
            function_arn,
            batch_size: 10,
            window: 0,
            maximum_concurrency: None,
            report_item_failures: false,
            enabled: true,
            modified: 0,
        };
        new.settings.apply(&mut mapping)?;
        self.check(&mapping)?;
        self.store(mapping).await
    }

    pub(super) async fn update(
        &self,
        uuid: &str,
        changes: Changes,
    ) -> Result<Mapping, MappingError> {
        let _alone = self.shared.changing.lock().await;
        let mut mapping = self.get(uuid)?;
        if let Some(name) = &changes.function_name {
            mapping.function_arn = self.function_arn(name)?;
        }
        changes.apply(&mut mapping)?;
        self.check(&mapping)?;
        self.store(mapping).await
    }

    /// Creates the mapping, or changes the one between the same two.
    pub(super) async fn put(&self, new: NewMapping) -> Result<Mapping, MappingError> {
        match self.create(new.clone()).await {
            Err(MappingError::Exists { uuid, .. }) => self.update(&uuid, new.settings).await,
            other => other,
        }
    }

    pub(super) async fn delete(&self, uuid: &str) -> Result<Mapping, MappingError> {
        let _alone = self.shared.changing.lock().await;
        let mapping = self.get(uuid)?;
        self.shared.engine.documents().delete(KIND, uuid).await?;
        if let Some(running) = self.write().remove(uuid) {
            running.stop.cancel();
        }
        Ok(mapping)
    }

    pub(super) fn get(&self, uuid: &str) -> Result<Mapping, MappingError> {
        self.find(|mapping| mapping.uuid == uuid)
            .ok_or(MappingError::NotFound)
    }

    /// Those of a queue, of a function, or all. A function without qualifier means the mappings of the bare name only.
    pub(super) fn list(
        &self,
        source_arn: Option<&str>,
        function: Option<&str>,
    ) -> Result<Vec<Mapping>, MappingError> {
        let function = function.map(|name| self.named(name)).transpose()?;
        let wanted = |mapping: &&Mapping| {
            source_arn.is_none_or(|arn| mapping.event_source_arn == arn)
                && function
                    .as_ref()
                    .is_none_or(|arn| mapping.function_arn == *arn)
        };
        let running = self
            .shared
            .running
            .read()
            .unwrap_or_else(|broken| broken.into_inner());
        Ok(running
            .values()
            .map(|running| &running.mapping)
            .filter(wanted)
            .cloned()
            .collect())
    }

    /// Ends all polling.
    pub(super) fn stop(&self) {
        for running in self.write().values() {
            running.stop.cancel();
        }
    }

    fn find(&self, wanted: impl Fn(&Mapping) -> bool) -> Option<Mapping> {
        let running = self
            .shared
            .running
            .read()
            .unwrap_or_else(|broken| broken.into_inner());
        running
            .values()
            .map(|running| &running.mapping)
            .find(|mapping| wanted(mapping))
            .cloned()
    }

    async fn store(&self, mut mapping: Mapping) -> Result<Mapping, MappingError> {
        mapping.modified = jiff::Timestamp::now().as_millisecond();
        self.shared
            .engine
            .documents()
            .put(KIND, &mapping.uuid, &mapping)
            .await?;
        self.run(mapping.clone());
        Ok(mapping)
    }

    fn run(&self, mapping: Mapping) {
        let stop = CancellationToken::new();
        if mapping.enabled {
            let queues = self.shared.engine.queues().clone();
            let functions = self.shared.functions.clone();
            tokio::spawn(stop.clone().run_until_cancelled_owned(poller::poll(
                queues,
                functions,
                mapping.clone(),
            )));
        }
        let before = self
            .write()
            .insert(mapping.uuid.clone(), Running { mapping, stop });
        if let Some(before) = before {
            before.stop.cancel();
        }
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, BTreeMap<String, Running>> {
        self.shared
            .running
            .write()
            .unwrap_or_else(|broken| broken.into_inner())
    }

    fn named(&self, name: &str) -> Result<String, InvokeError> {
        let name =
            FunctionRef::parse(name).ok_or_else(|| InvokeError::InvalidName(name.to_owned()))?;
        Ok(self.shared.functions.arn_of(&name))
    }

    fn function_arn(&self, name: &str) -> Result<String, InvokeError> {
        self.shared.functions.find(name)?;
        self.named(name)
    }

    /// Checks the two ends together.
    fn check(&self, mapping: &Mapping) -> Result<(), MappingError> {
        let Some(queue) = QueueArn::parse(&mapping.event_source_arn) else {
            let message = format!(
                "Unrecognized event source: {}; only SQS queues are supported locally",
                mapping.event_source_arn
            );
            return Err(MappingError::Invalid(message));
        };
        let attributes = self.shared.engine.queues().attributes(&queue.name).map_err(|error| {
            MappingError::Invalid(format!(
                "Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue. SQS Error \
                 Message: {error}"
            ))
        })?;
        let visibility: u64 = attributes
            .get("VisibilityTimeout")
            .and_then(|text| text.parse().ok())
            .unwrap_or(30);
        let timeout = self
            .shared
            .functions
            .find(&mapping.function_arn)?
            .config
            .timeout
            .as_secs();
        if visibility < timeout {
            return Err(MappingError::Invalid(format!(
                "Queue visibility timeout: {visibility} seconds is less than Function timeout: {timeout} seconds"
            )));
        }
        Ok(())
    }
}

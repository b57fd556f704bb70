//! Mocked tasks: executions whose tasks are answered by a file instead of by services, so that a workflow can be tested alone.
//!
//! The file has the format of AWS Step Functions Local (`--mock-config FILE`): test cases by state machine, mocked responses by
//! state and attempt. An execution is mocked if its state machine's ARN was given with `#TestCase` behind it; states that its
//! test case does not name call their services as always.
//!
//! Here start: [`Mocks`] is the file, read and checked ([`config`]); [`MockRunner`] answers ([`runner`]); what the request of a
//! task that waits would have been answered is made in [`response`].
//!
//! Source: AWS Step Functions developer guide, "Testing state machines with Step Functions Local", "mocked service integrations".

mod config;
mod past;
mod response;
mod runner;

use std::collections::BTreeMap;
use std::sync::Arc;

use asl::Data;
use engine::{Engine, StorageError, TaskRunner};

pub use self::config::MockError;
pub use self::runner::MockRunner;

/// The kind of the documents that say which test case an execution is.
const DOCUMENT: &str = "states.test-case";

/// A mock configuration.
#[derive(Debug, Default)]
pub struct Mocks {
    /// By name.
    machines: BTreeMap<String, BTreeMap<String, TestCase>>,
}

/// The responses of a test case, by state.
type TestCase = BTreeMap<String, Arc<Responses>>;

/// The responses of one state, for ranges of attempts (from 0) that do not overlap.
#[derive(Debug, Default)]
struct Responses(Vec<(u64, u64, Response)>);

#[derive(Debug, Clone, PartialEq)]
enum Response {
    Return(Data),
    Throw { error: String, cause: String },
}

impl Responses {
    fn of_attempt(&self, attempt: u64) -> Option<&Response> {
        let found = self
            .0
            .iter()
            .find(|(first, last, _)| (*first..=*last).contains(&attempt));
        found.map(|(_, _, response)| response)
    }
}

impl Mocks {
    /// Reads a configuration.
    ///
    /// # Errors
    /// It is not JSON, or not a mock configuration; all that is wrong is listed.
    pub fn read(text: &str) -> Result<Mocks, MockError> {
        config::read(text)
    }

    /// Whether a state machine, by name, has a test case.
    #[must_use]
    pub fn has(&self, machine: &str, test_case: &str) -> bool {
        self.test_case(machine, test_case).is_some()
    }

    /// Whether a state machine, by name, has test cases.
    #[must_use]
    pub fn has_machine(&self, machine: &str) -> bool {
        self.machines.contains_key(machine)
    }

    /// A runner that answers for these mocks, and hands every other task on.
    #[must_use]
    pub fn runner(self: &Arc<Mocks>, engine: &Engine, others: Arc<dyn TaskRunner>) -> MockRunner {
        MockRunner::new(Arc::clone(self), engine.clone(), others)
    }

    fn test_case(&self, machine: &str, test_case: &str) -> Option<&TestCase> {
        self.machines.get(machine)?.get(test_case)
    }
}

/// Remembers which test case an execution is. Durable on return, so that a restart does not call services instead.
pub(crate) async fn remember(
    engine: &Engine,
    execution: &str,
    test_case: &str,
) -> Result<(), StorageError> {
    engine
        .documents()
        .put(DOCUMENT, execution, &test_case)
        .await
}

/// Which test case an execution is.
async fn recall(engine: &Engine, execution: &str) -> Result<Option<String>, StorageError> {
    engine.documents().get(DOCUMENT, execution).await
}

/// `(ARN, test case)` of `ARN#TestCase`.
pub(crate) fn split(arn: &str) -> (&str, Option<&str>) {
    match arn.split_once('#') {
        Some((arn, test_case)) => (arn, Some(test_case)),
        None => (arn, None),
    }
}

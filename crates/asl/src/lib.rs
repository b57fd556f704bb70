//! The Amazon States Language: parse, check, and decide what an execution does next. Pure.
//!
//! Pure means: no clock, no randomness, no file, no database, no thread. What the outside world knows comes in as a [`Signal`]
//! and an [`Env`]; what it has to do goes out as entries and [`Command`]s. So the same code runs live, in recovery and in tests.
//!
//! - [`parse`] reads a definition's text: a [`Definition`] and all [`Diagnostic`]s.
//! - [`data_flow::check`] follows a definition's data from state to state, by the contracts of what it calls.
//! - [`decide`] takes a signal and says what happens: [`Entry`]s for the journal, commands for the outside.
//! - [`evolve`] applies one entry to an [`Execution`]. It is the only writer; folding it over a journal rebuilds the execution.
//!
//! Where to start reading: [`model`] for what a definition is, `execution.rs` for what a run is, `interpret/mod.rs` for how it goes on.
//!
//! ```
//! use asl::{Data, Env, Execution, Identity, Signal};
//!
//! let parsed = asl::parse(r#"{"StartAt": "Hello", "States": {"Hello": {"Type": "Pass", "End": true}}}"#);
//! let definition = parsed.definition.expect("no errors");
//! # let identity = Identity { execution_arn: "arn:aws:states:us-east-1:0:execution:m:e".into(), name: "e".into(), role_arn: "r".into(),
//! #   state_machine_arn: "arn".into(), state_machine_name: "m".into(), version_arn: None, alias_arn: None, key: 1 };
//! let mut execution = Execution::new(identity);
//! let env = Env { now: 0, seed: [0; 32] };
//! let decision = asl::decide(&definition, &mut execution, Signal::Start { input: Data::empty() }, &env).expect("it can start");
//! assert_eq!(decision.entries.len(), 4); // started, entered, exited, succeeded
//! ```

mod data;
pub mod data_flow;
mod diagnostic;
mod diagram;
mod entry;
pub mod error_name;
mod event;
mod execution;
mod history;
mod interpret;
mod jackson;
pub mod jsonata;
pub mod jsonpath;
mod map_results;
mod map_run;
pub mod model;
mod parse;
mod references;
mod resource;
mod signal;
mod token;

pub use data::{Data, PAYLOAD_LIMIT};
pub use diagnostic::{Code, Diagnostic, Severity};
pub use entry::{BranchId, Entry};
pub use event::{Event, Failure, StateKind};
pub use execution::{Execution, Identity, Status};
pub use history::{Heading, HistoryEvent};
pub use interpret::trial;
pub use interpret::{IllegalEntry, decide, evolve, map_run_children, map_run_label};
pub use jackson::json_mistake;
pub use map_results::{ChildOutcome, map_results, map_results_text};
pub use map_run::{
    Batch, ChildInput, Dataset, Limits, MapItem, MapRun, MapRunStatus, Source, Writer, items_of,
};
pub use model::Definition;
pub use parse::{Parsed, parse};
pub use resource::{Pattern, Resource};
pub use signal::{Command, Decision, Env, Millis, Refusal, Signal, TaskRequest};
pub use token::{NotAToken, TaskId, TaskToken};

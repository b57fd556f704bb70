//! A parsed definition: types that cannot be wrong.
//!
//! Absent, null and a value are different variants; every transition is an index of an existing state; every expression is
//! parsed. Nothing here looks at JSON of the definition again. Start reading at [`Definition`], then [`State`].

mod choice;
mod distributed;
mod flow;
mod kinds;
mod recovery;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use choice::{ChoiceRule, ChoiceState, Comparison, Condition, Operand};
pub use distributed::{
    DatasetFormat, Delimiter, Distributed, InputType, ItemBatcher, ItemReader, ReadAction,
    ResultFormat, ResultWriter, Transformation,
};
pub use flow::{
    Amount, Assignments, Dynamic, Flow, JsonPathFlow, JsonataFlow, PathField, ResultPath, Share,
    Template, Text,
};
pub use kinds::{FailState, Items, Kind, MapState, ParallelState, PassState, TaskState, WaitState};
pub use recovery::{Catcher, Jitter, Retrier};

use crate::event::StateKind;

/// Place of a state in its definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StateId(pub(crate) u32);

/// Place of a scope (a `StartAt` with its `States`) in its definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScopeId(pub(crate) u32);

/// The language of a state's expressions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the two values of QueryLanguage")]
pub enum QueryLanguage {
    JsonPath,
    Jsonata,
}

/// A state machine's definition; immutable, shared as `Arc<Definition>`.
#[derive(Debug)]
pub struct Definition {
    pub(crate) source: Arc<str>,
    pub(crate) comment: Option<String>,
    pub(crate) timeout_seconds: Option<u64>,
    pub(crate) query_language: QueryLanguage,
    pub(crate) scopes: Vec<Scope>,
    pub(crate) states: Vec<State>,
}

/// A `StartAt` with its `States`: the top level, a Parallel branch, or a Map's processor.
#[derive(Debug)]
pub struct Scope {
    pub(crate) start_at: StateId,
    pub(crate) states: Vec<StateId>,
    pub(crate) by_name: BTreeMap<Arc<str>, StateId>,
}

/// Where a state goes when it is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// To this state.
    State(StateId),
    /// Its scope ends with its output: `End`, and Succeed states.
    End,
    /// It never goes on by itself: Fail ends, Choice chooses.
    Nowhere,
}

/// One state.
#[derive(Debug)]
pub struct State {
    pub(crate) name: Arc<str>,
    pub(crate) scope: ScopeId,
    pub(crate) pointer: String,
    pub(crate) line: u32,
    pub(crate) comment: Option<String>,
    pub(crate) query_language: QueryLanguage,
    pub(crate) flow: Flow,
    pub(crate) kind: Kind,
    pub(crate) next: Next,
    pub(crate) retry: Vec<Retrier>,
    pub(crate) catch: Vec<Catcher>,
}

impl Definition {
    /// The text that was parsed.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The machine's `Comment`.
    pub fn comment(&self) -> Option<&str> {
        self.comment.as_deref()
    }

    /// The machine's `TimeoutSeconds`.
    pub fn timeout_seconds(&self) -> Option<u64> {
        self.timeout_seconds
    }

    /// The machine's `QueryLanguage`; states may choose JSONata where this is JSONPath.
    pub fn query_language(&self) -> QueryLanguage {
        self.query_language
    }

    /// The top level.
    pub fn root(&self) -> ScopeId {
        ScopeId(0)
    }

    /// A scope by its id.
    pub fn scope(&self, id: ScopeId) -> &Scope {
        &self.scopes[id.0 as usize]
    }

    /// A state by its id.
    pub fn state(&self, id: StateId) -> &State {
        &self.states[id.0 as usize]
    }

    /// Every state with its id, nested ones too, in the order of the text.
    pub fn states(&self) -> impl Iterator<Item = (StateId, &State)> {
        (0..).map(StateId).zip(&self.states)
    }
}

impl Scope {
    /// The first state.
    pub fn start_at(&self) -> StateId {
        self.start_at
    }

    /// The states, in the order of the text.
    pub fn states(&self) -> &[StateId] {
        &self.states
    }

    /// The state of this name in this scope.
    pub fn find(&self, name: &str) -> Option<StateId> {
        self.by_name.get(name).copied()
    }
}

impl State {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The scope it is in.
    pub fn scope(&self) -> ScopeId {
        self.scope
    }

    /// Where it stands: JSON pointer and line (from 1).
    pub fn place(&self) -> (&str, u32) {
        (&self.pointer, self.line)
    }

    /// Its `Comment`.
    pub fn comment(&self) -> Option<&str> {
        self.comment.as_deref()
    }

    /// The language of its expressions.
    pub fn query_language(&self) -> QueryLanguage {
        self.query_language
    }

    /// Its kind with the fields of that kind.
    pub fn kind(&self) -> &Kind {
        &self.kind
    }

    /// Its `Type`.
    pub fn state_kind(&self) -> StateKind {
        self.kind.state_kind()
    }

    /// How its input, output and variables are made.
    pub fn flow(&self) -> &Flow {
        &self.flow
    }

    /// Where it goes when done.
    pub fn next(&self) -> Next {
        self.next
    }

    /// Its `Retry`.
    pub fn retriers(&self) -> &[Retrier] {
        &self.retry
    }

    /// Its `Catch`.
    pub fn catchers(&self) -> &[Catcher] {
        &self.catch
    }

    /// The scopes inside it: a Parallel's branches, a Map's processor.
    pub fn scopes(&self) -> &[ScopeId] {
        match &self.kind {
            Kind::Parallel(parallel) => &parallel.branches,
            Kind::Map(map) => std::slice::from_ref(&map.processor),
            _ => &[],
        }
    }
}

//! State machines as callers give them and get them.

use std::sync::Arc;

use serde_json::Value;

use crate::Millis;

/// The id of a machine's first revision, before any update; AWS shows none.
pub const INITIAL_REVISION: &str = "INITIAL";

/// AWS's `StateMachineType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "AWS's words")]
pub enum MachineKind {
    Standard,
    Express,
}

impl MachineKind {
    /// As AWS writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            MachineKind::Standard => "STANDARD",
            MachineKind::Express => "EXPRESS",
        }
    }

    pub(crate) fn parse(text: &str) -> MachineKind {
        if text == "EXPRESS" {
            MachineKind::Express
        } else {
            MachineKind::Standard
        }
    }
}

/// A state machine to be made.
#[derive(Debug, Clone)]
pub struct NewMachine {
    /// 1 to 80 characters.
    pub name: String,
    /// The definition's text.
    pub definition: String,
    /// Shown, and in the context object; otherwise without effect here.
    pub role_arn: String,
    /// Its type.
    pub kind: MachineKind,
    /// What only the wire layer knows of a revision; compared when the machine is created again.
    pub settings: Value,
}

/// What an update changes; the rest stays.
#[derive(Debug, Clone, Default)]
pub struct MachineChanges {
    /// A new definition.
    pub definition: Option<String>,
    /// A new role.
    pub role_arn: Option<String>,
    /// New settings, in place of all old ones.
    pub settings: Option<Value>,
}

/// What an update did.
#[derive(Debug, Clone)]
pub struct Updated {
    /// When the current revision was made.
    pub updated: Millis,
    /// Its id.
    pub revision_id: String,
    /// False if everything was as asked for already.
    pub changed: bool,
}

/// A state machine, without its definition's text.
#[derive(Debug, Clone)]
pub struct Machine {
    /// Its ARN.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: MachineKind,
    /// When it was made.
    pub created: Millis,
    /// What new executions run.
    pub revision: Arc<Revision>,
}

/// What an execution runs. Never changes.
#[derive(Debug, Clone)]
pub struct Revision {
    pub(crate) key: i64,
    pub(crate) machine: i64,
    pub(crate) definition: i64,
    /// ARN of the state machine.
    pub state_machine_arn: String,
    /// Its name.
    pub state_machine_name: String,
    /// [`INITIAL_REVISION`], or a UUID.
    pub revision_id: String,
    /// The role.
    pub role_arn: String,
    /// What the wire layer keeps.
    pub settings: Value,
    /// When the revision was made: the machine's `updateDate`.
    pub created: Millis,
}

/// A definition: its text as it was given, and parsed.
#[derive(Debug, Clone)]
pub struct StoredDefinition {
    /// As given.
    pub text: Arc<str>,
    /// As understood.
    pub parsed: Arc<asl::Definition>,
}

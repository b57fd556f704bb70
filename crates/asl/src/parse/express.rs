//! What Express state machines may not contain, and Express children of a Distributed Map neither.

use super::Builder;
use crate::model::{Definition, Kind, ScopeId, State};
use crate::{Code, Diagnostic, Pattern, Resource, Severity};

impl Definition {
    /// What forbids this definition as an Express state machine; empty if nothing does.
    pub fn express_diagnostics(&self) -> Vec<Diagnostic> {
        self.states()
            .filter_map(|(_, state)| forbidden(state))
            .collect()
    }
}

impl Builder<'_> {
    /// The processor of a Distributed Map with `"ExecutionType": "EXPRESS"` is an Express state machine too.
    pub(super) fn check_express_children(&mut self) {
        let express = self.states.iter().flatten().filter_map(|state| {
            let Kind::Map(map) = &state.kind else {
                return None;
            };
            let express = map.distributed.as_ref().is_some_and(|map| map.express);
            express.then_some(map.processor)
        });
        let mut open: Vec<ScopeId> = express.collect();
        let mut found = Vec::new();
        while let Some(scope) = open.pop() {
            for state in self.states.iter().flatten() {
                if state.scope == scope {
                    found.extend(forbidden(state));
                    open.extend(state.scopes());
                }
            }
        }
        self.diagnostics.extend(found);
    }
}

fn forbidden(state: &State) -> Option<Diagnostic> {
    let (field, message, help) = match state.kind() {
        Kind::Map(map) if map.distributed.is_some() => (
            "ItemProcessor",
            "Express state machine does not support Distributed Map".to_owned(),
            "Use a Standard state machine, or an inline Map.",
        ),
        Kind::Task(task) => (
            "Resource",
            task_message(&task.resource)?,
            "Use a Standard state machine, or the request-response form of the integration.",
        ),
        _ => return None,
    };
    let (pointer, line) = state.place();
    Some(Diagnostic {
        severity: Severity::Error,
        code: Code::SchemaValidationFailed,
        pointer: format!("{pointer}/{field}"),
        line,
        message,
        help: Some(help.to_owned()),
    })
}

fn task_message(resource: &Resource) -> Option<String> {
    let message = match resource {
        Resource::Activity { .. } => "Express state machine does not support Activity ARN",
        // The double blank is AWS's.
        Resource::Integration {
            pattern: Pattern::WaitForTaskToken,
            ..
        } => "Express state machine does not support '.waitForTaskToken' service integration ",
        Resource::Integration {
            pattern: Pattern::Sync | Pattern::Sync2,
            ..
        } => "Express state machine does not support '.sync' service integration",
        _ => return None,
    };
    Some(message.to_owned())
}

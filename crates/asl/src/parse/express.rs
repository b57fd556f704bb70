//! What Express state machines may not contain.

use crate::model::{Definition, Kind};
use crate::{Code, Diagnostic, Pattern, Resource, Severity};

impl Definition {
    /// What forbids this definition as an Express state machine; empty if nothing does.
    pub fn express_diagnostics(&self) -> Vec<Diagnostic> {
        let mut diagnostics = Vec::new();
        for (_, state) in self.states() {
            let Kind::Task(task) = state.kind() else {
                continue;
            };
            let message = match &task.resource {
                Resource::Activity { .. } => "Express state machine does not support Activity ARN".to_owned(),
                // The double blank is AWS's.
                Resource::Integration { pattern: Pattern::WaitForTaskToken, .. } => "Express state machine does not support '.waitForTaskToken' service integration ".to_owned(),
                Resource::Integration { pattern: Pattern::Sync | Pattern::Sync2, .. } => "Express state machine does not support '.sync' service integration".to_owned(),
                _ => continue,
            };
            let (pointer, line) = state.place();
            diagnostics.push(Diagnostic {
                severity: Severity::Error,
                code: Code::SchemaValidationFailed,
                pointer: format!("{pointer}/Resource"),
                line,
                message,
                help: Some("Use a Standard state machine, or the request-response form of the integration.".to_owned()),
            });
        }
        diagnostics
    }
}

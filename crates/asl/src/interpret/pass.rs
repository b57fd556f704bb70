//! Pass states.

use super::Run;
use super::fault::Outcome;
use crate::entry::BranchId;
use crate::model::{PassState, State};

impl Run<'_> {
    pub(super) fn pass(&mut self, branch: BranchId, state: &State, pass: &PassState) -> Outcome {
        let arguments = self.arguments(branch, state)?;
        let result = pass.result.clone().unwrap_or(arguments);
        self.exit_with(branch, state, &result)
    }
}

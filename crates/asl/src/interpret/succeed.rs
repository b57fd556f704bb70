//! Succeed states.

use super::Run;
use super::fault::Outcome;
use crate::entry::BranchId;
use crate::model::State;

impl Run<'_> {
    pub(super) fn succeed(&mut self, branch: BranchId, state: &State) -> Outcome {
        let input = self.arguments(branch, state)?;
        self.exit_with(branch, state, &input)
    }
}

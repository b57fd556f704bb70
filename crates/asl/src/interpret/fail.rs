//! Fail states.

use super::Run;
use super::fault::{Fault, Outcome};
use crate::entry::BranchId;
use crate::event::Failure;
use crate::model::{FailState, State};

impl Run<'_> {
    pub(super) fn fail(&mut self, branch: BranchId, _state: &State, fail: &FailState) -> Outcome {
        let lens = self.lens(branch)?;
        let error = fail
            .error
            .as_ref()
            .map(|text| lens.text(text, "Error"))
            .transpose()?;
        let cause = fail
            .cause
            .as_ref()
            .map(|text| lens.text(text, "Cause"))
            .transpose()?;
        Err(Fault::Failed(Failure { error, cause }))
    }
}

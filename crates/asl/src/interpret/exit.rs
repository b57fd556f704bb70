//! How a state is left: its result becomes its output, variables are assigned, and what follows is prepared.

use super::fault::{Fault, Outcome};
use super::lens::Lens;
use super::{Run, Step, assign};
use crate::data::PAYLOAD_LIMIT;
use crate::entry::{BranchId, Note};
use crate::event::{Event, Failure};
use crate::execution::Position;
use crate::model::{Flow, Kind, State, StateId};
use crate::{Data, error_name};

impl Run<'_> {
    /// The effective input after Arguments or Parameters.
    pub(super) fn arguments(&self, branch: BranchId, state: &State) -> Outcome<Data> {
        let input = self.active(branch)?.input.clone();
        let input = self.effective_input(branch, state, &input)?;
        arguments(&self.lens(branch)?.with_input(&input), state)
    }

    /// The input after `InputPath`.
    pub(super) fn effective_input(
        &self,
        branch: BranchId,
        state: &State,
        raw: &Data,
    ) -> Outcome<Data> {
        match &state.flow {
            Flow::Jsonata(_) => Ok(raw.clone()),
            Flow::JsonPath(flow) => self.lens(branch)?.path_field(&flow.input_path, "InputPath"),
        }
    }

    /// Leaves the state with a result.
    pub(super) fn exit_with(&mut self, branch: BranchId, state: &State, result: &Data) -> Outcome {
        let (output, assigned) = match &state.flow {
            Flow::Jsonata(flow) => {
                let has_result =
                    matches!(state.kind, Kind::Task(_) | Kind::Parallel(_) | Kind::Map(_));
                let mut lens = self.lens(branch)?;
                if has_result {
                    lens = lens.with_result(result);
                }
                let assigned = assign::evaluate(&lens, &flow.assign)?;
                let output = match &flow.output {
                    Some(template) => lens.template(template, "Output")?,
                    None => result.clone(),
                };
                (output, assigned)
            }
            Flow::JsonPath(flow) => self.path_output(branch, state, flow, result)?,
        };
        self.leave(branch, state, output, assigned)
    }

    /// Leaves the state by a transition that a Choice rule or a Catch chose.
    pub(super) fn leave_to(
        &mut self,
        branch: BranchId,
        state: &State,
        next: StateId,
        output: Data,
        assigned: assign::Assigned,
    ) -> Outcome {
        let next = self.definition.state(next).name.clone();
        limit(state, &output)?;
        self.note(branch, Note::Goto { next })?;
        self.leave(branch, state, output, assigned)
    }

    fn leave(
        &mut self,
        branch: BranchId,
        state: &State,
        output: Data,
        assigned: assign::Assigned,
    ) -> Outcome {
        limit(state, &output)?;
        let parent = self.execution.parent(branch).map(|parent| parent.branch);
        self.event(
            branch,
            Event::StateExited {
                kind: state.kind.state_kind(),
                name: state.name.clone(),
                output,
                assigned,
            },
        )?;
        self.finish(branch, parent).map_err(Fault::Illegal)
    }

    /// If the branch is at its end: tells its parent, or ends the execution.
    fn finish(&mut self, branch: BranchId, parent: Option<BranchId>) -> Step {
        let Some(at) = self.execution.branches.get(&branch) else {
            // A Parallel's branch was joined by its last event.
            return parent.map_or(Ok(()), |parent| self.join_parallel(parent));
        };
        match (&at.position, &at.parent) {
            (Position::Done { output }, None) => {
                let output = output.clone();
                self.event(branch, Event::ExecutionSucceeded { output })
                    .map(|_| ())
            }
            (Position::Done { .. }, Some(_)) => self.iteration_succeeded(branch),
            _ => Ok(()),
        }
    }
}

/// Arguments or Parameters over an effective input.
pub(super) fn arguments(lens: &Lens<'_>, state: &State) -> Outcome<Data> {
    match &state.flow {
        Flow::Jsonata(flow) => flow.arguments.as_ref().map_or_else(
            || Ok(lens.input.clone()),
            |template| lens.template(template, "Arguments"),
        ),
        Flow::JsonPath(flow) => flow.parameters.as_ref().map_or_else(
            || Ok(lens.input.clone()),
            |template| lens.template(template, "Parameters"),
        ),
    }
}

/// AWS's limit for payloads.
pub(super) fn limit(state: &State, data: &Data) -> Outcome {
    if data.len() <= PAYLOAD_LIMIT {
        return Ok(());
    }
    Err(too_large(state))
}

/// What a state fails with that made too much.
pub(super) fn too_large(state: &State) -> Fault {
    let cause = format!(
        "The state/task '{}' returned a result with a size exceeding the maximum number of bytes service limit.",
        state.name
    );
    Fault::Failed(Failure::new(error_name::DATA_LIMIT_EXCEEDED, cause))
}

//! Choice states.

use super::fault::{Fault, Outcome};
use super::lens::{Lens, unexpected};
use super::{Run, assign};
use crate::entry::BranchId;
use crate::event::Failure;
use crate::model::{ChoiceState, Condition, Dynamic, Flow, State};
use crate::{Data, error_name};

impl Run<'_> {
    pub(super) fn choose(
        &mut self,
        branch: BranchId,
        state: &State,
        choice: &ChoiceState,
    ) -> Outcome {
        let raw = self.active(branch)?.input.clone();
        let input = self.effective_input(branch, state, &raw)?;
        let lens = self.lens(branch)?.with_input(&input);
        for (i, rule) in choice.choices.iter().enumerate() {
            if lens.holds(&rule.condition, i)? {
                let assigned = assign::evaluate(&lens, &rule.assign)?;
                let output = match (&rule.output, &state.flow) {
                    (Some(template), _) => lens.template(template, "Output")?,
                    (None, Flow::Jsonata(_)) => input,
                    (None, Flow::JsonPath(flow)) => {
                        lens.path_field(&flow.output_path, "OutputPath")?
                    }
                };
                return self.leave_to(branch, state, rule.next, output, assigned);
            }
        }
        let Some(default) = choice.default else {
            return Err(Fault::Failed(Failure::new(
                error_name::NO_CHOICE_MATCHED,
                format!(
                    "An error occurred while executing the state '{}' (entered at the event id #{}). Failed to transition out of the state. The state does not point to a next state.",
                    state.name,
                    self.active(branch)?.entered
                ),
            )));
        };
        let assigned = assign::evaluate(&lens, state.flow.assign())?;
        let output = match &state.flow {
            Flow::Jsonata(flow) => flow
                .output
                .as_ref()
                .map_or_else(|| Ok(input), |template| lens.template(template, "Output"))?,
            Flow::JsonPath(flow) => lens.path_field(&flow.output_path, "OutputPath")?,
        };
        self.leave_to(branch, state, default, output, assigned)
    }
}

impl Lens<'_> {
    fn holds(&self, condition: &Condition, index: usize) -> Outcome<bool> {
        Ok(match condition {
            Condition::Constant(constant) => *constant,
            Condition::Jsonata(dynamic) => {
                self.truth(dynamic, &format!("Choices[{index}]/Condition"))?
            }
            Condition::Compare(comparison) => self.compare(comparison)?,
            Condition::Not(inner) => !self.holds(inner, index)?,
            Condition::And(all) => {
                for inner in all {
                    if !self.holds(inner, index)? {
                        return Ok(false);
                    }
                }
                true
            }
            Condition::Or(any) => {
                for inner in any {
                    if self.holds(inner, index)? {
                        return Ok(true);
                    }
                }
                false
            }
        })
    }

    fn truth(&self, dynamic: &Dynamic, field: &str) -> Outcome<bool> {
        let data: Data = self.dynamic(dynamic, field)?;
        match (data.value().as_bool(), dynamic) {
            (Some(truth), _) => Ok(truth),
            (None, Dynamic::Jsonata(expression)) => Err(Fault::query(
                field,
                unexpected(expression.source(), field, "boolean", &data),
            )),
            (None, Dynamic::Path(path)) => Err(Fault::runtime(format!(
                "The condition {} is not a boolean",
                path.text()
            ))),
        }
    }
}

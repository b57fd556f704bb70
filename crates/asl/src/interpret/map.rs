//! Map states, inline; `map_run` has the Distributed mode.

use serde_json::Value;

use super::fault::{Fault, Outcome};
use super::lens::{Lens, unexpected};
use super::parallel::results;
use super::{Run, Step};
use crate::entry::{BranchId, Note};
use crate::event::{Event, Failure};
use crate::execution::Position;
use crate::model::{Dynamic, Flow, Items, Kind, MapState, State, Template};
use crate::{Data, error_name};

impl Run<'_> {
    pub(super) fn map(&mut self, branch: BranchId, state: &State, map: &MapState) -> Outcome {
        if let Some(distributed) = &map.distributed {
            return self.distributed_map(branch, state, map, distributed);
        }
        let raw = self.active(branch)?.input.clone();
        let input = self.effective_input(branch, state, &raw)?;
        let lens = self.lens(branch)?.with_input(&input);
        let items = match &map.items {
            Items::Input => input.clone(),
            Items::Selected(template) => lens.template(
                template,
                if matches!(state.flow, Flow::Jsonata(_)) {
                    "Items"
                } else {
                    "ItemsPath"
                },
            )?,
        };
        let Value::Array(elements) = items.value() else {
            return Err(not_iterable(state, map, &items));
        };
        let limit = map
            .max_concurrency
            .as_ref()
            .map(|amount| lens.amount(amount, "MaxConcurrency"))
            .transpose()?
            .unwrap_or(0);
        let length = u32::try_from(elements.len()).unwrap_or(u32::MAX);
        let tolerated = tolerated(&lens, map, length)?;
        let items: Vec<Data> = elements.iter().cloned().map(Data::new).collect();
        self.note(
            branch,
            Note::MapOver {
                items,
                limit: u32::try_from(limit).unwrap_or(u32::MAX),
                tolerated,
            },
        )?;
        self.event(branch, Event::MapStateStarted { length })?;
        self.join_map(branch).map_err(Fault::Illegal)
    }

    /// Starts the next iteration of a Map that wants one.
    pub(super) fn start_iteration(&mut self, branch: BranchId) -> Step {
        let state = self.state(branch)?;
        let Kind::Map(map) = &state.kind else {
            return super::evolve::illegal("only a Map has iterations");
        };
        let Some((index, item)) = self
            .execution
            .fork(branch)
            .and_then(|fork| fork.pending.front().cloned())
        else {
            return super::evolve::illegal("no iteration is left to start");
        };
        match self.iteration_input(branch, state, map, index, &item) {
            Ok(input) => {
                self.note(branch, Note::Iteration { index, input })?;
                let child = self
                    .execution
                    .fork(branch)
                    .and_then(|fork| fork.running.get(&index).copied());
                let Some(child) = child else {
                    return super::evolve::illegal("the iteration did not begin");
                };
                self.event(
                    child,
                    Event::MapIterationStarted {
                        name: state.name.clone(),
                        index,
                    },
                )
                .map(|_| ())
            }
            Err(fault) => self.settle(branch, Err(fault)),
        }
    }

    fn iteration_input(
        &self,
        branch: BranchId,
        state: &State,
        map: &MapState,
        index: u32,
        item: &Data,
    ) -> Outcome<Data> {
        let Some(selector) = &map.item_selector else {
            return Ok(item.clone());
        };
        let raw = self.active(branch)?.input.clone();
        let input = self.effective_input(branch, state, &raw)?;
        self.lens(branch)?
            .with_input(&input)
            .with_item(index, item)
            .template(selector, "ItemSelector")
    }

    /// An iteration came to its end.
    pub(super) fn iteration_succeeded(&mut self, child: BranchId) -> Step {
        let Some(parent) = self.execution.parent(child).cloned() else {
            return super::evolve::illegal("the top level is no iteration");
        };
        let name = self.state(parent.branch)?.name.clone();
        debug_assert!(matches!(
            self.execution
                .branches
                .get(&child)
                .map(|branch| &branch.position),
            Some(Position::Done { .. })
        ));
        self.event(
            child,
            Event::MapIterationSucceeded {
                name,
                index: parent.index,
            },
        )?;
        self.join_map(parent.branch)
    }

    /// If everything has ended, the state goes on.
    pub(super) fn join_map(&mut self, branch: BranchId) -> Step {
        let output = match self.execution.fork(branch) {
            Some(fork) if fork.is_joined() => results(&fork.results),
            _ => return Ok(()),
        };
        self.event(branch, Event::MapStateSucceeded)?;
        let state = self.state(branch)?;
        let outcome = super::exit::limit(state, &output)
            .and_then(|()| self.exit_with(branch, state, &output));
        self.settle(branch, outcome)
    }
}

/// How many iterations may fail: the smaller of what the two fields say.
fn tolerated(lens: &Lens<'_>, map: &MapState, length: u32) -> Outcome<u32> {
    let count = map.tolerated_failure_count.as_ref();
    let count = count
        .map(|amount| lens.amount(amount, "ToleratedFailureCount"))
        .transpose()?;
    let share = map.tolerated_failure_percentage.as_ref();
    let share = share
        .map(|share| lens.share(share, "ToleratedFailurePercentage"))
        .transpose()?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and the length"
    )]
    let by_share = share.map(|share| (f64::from(length) * share / 100.0) as u32);
    let by_count = count.map(|count| u32::try_from(count).unwrap_or(u32::MAX));
    Ok(by_count.into_iter().chain(by_share).min().unwrap_or(0))
}

/// The items are not a list.
pub(super) fn not_iterable(state: &State, map: &MapState, items: &Data) -> Fault {
    match &map.items {
        Items::Selected(Template::Dynamic(Dynamic::Jsonata(expression))) => Fault::query(
            "Items",
            unexpected(expression.source(), "Items", "array", items),
        ),
        // As it is, without the state in front; and a context path is written with one dollar.
        Items::Selected(Template::Dynamic(Dynamic::Path(path))) => {
            let path = path.text();
            not_a_list(
                path.strip_prefix('$')
                    .filter(|rest| rest.starts_with('$'))
                    .unwrap_or(path),
            )
        }
        Items::Input if matches!(state.flow, Flow::JsonPath(_)) => not_a_list("$"),
        _ => Fault::Query {
            message: format!("Map state input must be an array but was: {}", items.text()),
            location: None,
        },
    }
}

fn not_a_list(path: &str) -> Fault {
    let cause = format!("Reference path \"{path}\" must point to array.");
    Fault::Failed(Failure::new(error_name::RUNTIME, cause))
}

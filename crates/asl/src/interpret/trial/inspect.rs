//! What each field of a tried state made of the data: AWS's `inspectionData`, stage by stage until one fails.
//!
//! Which stages AWS shows depends on the state's kind and query language; recorded answers decide, not the documentation's
//! list of members.

use serde_json::Value;

use super::super::Run;
use super::super::fault::{Fault, Outcome};
use super::super::lens::Lens;
use super::super::map::not_an_array;
use super::BRANCH;
use crate::Data;
use crate::model::{Flow, Items, Kind, MapState, State};

/// The data of a tried state; absent is what the state does not have, or did not come to.
#[derive(Debug, Clone, Default, PartialEq)]
#[expect(missing_docs, reason = "the members are AWS's")]
pub struct Inspection {
    pub input: Option<Data>,
    pub after_input_path: Option<Data>,
    pub after_parameters: Option<Data>,
    pub after_arguments: Option<Data>,
    pub after_items_path: Option<Data>,
    pub after_item_selector: Option<Data>,
    pub after_item_batcher: Option<Data>,
    pub after_items_pointer: Option<Data>,
    pub result: Option<Data>,
    pub after_result_selector: Option<Data>,
    pub after_result_path: Option<Data>,
    pub variables: Option<Data>,
    pub map: Option<MapInspection>,
    /// How many items a Map runs over.
    pub(super) items: Option<usize>,
}

/// The limits of a Map state.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[expect(missing_docs, reason = "the members are AWS's")]
pub struct MapInspection {
    pub max_concurrency: u64,
    pub tolerated_failure_count: Option<u64>,
    pub tolerated_failure_percentage: Option<f64>,
}

/// An inspection up to the fault that ended it.
pub(super) struct Inspected {
    pub(super) inspection: Inspection,
    pub(super) fault: Option<Fault>,
}

/// What happens before the state does its work.
pub(super) fn before(run: &Run<'_>, state: &State, reader_data: Option<&Data>) -> Inspected {
    let mut inspection = Inspection::default();
    let fault = inspect_input(run, state, reader_data, &mut inspection).err();
    if let (Kind::Pass(pass), None) = (&state.kind, &fault) {
        inspection.result.clone_from(&pass.result);
        let result = inspection
            .result
            .as_ref()
            .or(inspection.after_parameters.as_ref());
        if let Some(result) = result.cloned() {
            after(run, state, &result, &mut inspection);
        }
    }
    Inspected { inspection, fault }
}

fn inspect_input(
    run: &Run<'_>,
    state: &State,
    reader_data: Option<&Data>,
    found: &mut Inspection,
) -> Outcome {
    let raw = run.active(BRANCH)?.input.clone();
    found.input = Some(raw.clone());
    match (&state.flow, &state.kind) {
        (Flow::Jsonata(flow), Kind::Task(_)) => {
            if flow.arguments.is_some() {
                found.after_arguments = Some(run.arguments(BRANCH, state)?);
            }
        }
        (_, Kind::Map(map)) => {
            let input = run.effective_input(BRANCH, state, &raw)?;
            if matches!(state.flow, Flow::JsonPath(_)) {
                found.after_input_path = Some(input.clone());
            }
            inspect_items(run, state, map, &input, reader_data, found)?;
        }
        (_, Kind::Parallel(_)) => {
            run.arguments(BRANCH, state)?;
        }
        (Flow::JsonPath(_), Kind::Pass(pass)) if pass.result.is_some() => {}
        (Flow::JsonPath(_), kind) => {
            let input = run.effective_input(BRANCH, state, &raw)?;
            found.after_input_path = Some(input);
            if matches!(kind, Kind::Task(_) | Kind::Pass(_)) {
                found.after_parameters = Some(run.arguments(BRANCH, state)?);
            }
        }
        (Flow::Jsonata(_), _) => {}
    }
    Ok(())
}

fn inspect_items(
    run: &Run<'_>,
    state: &State,
    map: &MapState,
    input: &Data,
    reader_data: Option<&Data>,
    found: &mut Inspection,
) -> Outcome {
    let lens = run.lens(BRANCH)?.with_input(input);
    let path = matches!(state.flow, Flow::JsonPath(_));
    let items = match (reader_data, &map.items) {
        (Some(data), _) => data.clone(),
        (None, Items::Input) => input.clone(),
        (None, Items::Selected(template)) => {
            lens.template(template, if path { "ItemsPath" } else { "Items" })?
        }
    };
    let Value::Array(elements) = items.value() else {
        return Err(not_an_array(map, &items));
    };
    found.items = Some(elements.len());
    if path && reader_data.is_none() {
        found.after_items_path = Some(items.clone());
    }
    inspect_limits(&lens, map, found)?;
    if let Some(selector) = &map.item_selector {
        let mut selected = Vec::with_capacity(elements.len());
        for (index, element) in (0u32..).zip(elements) {
            let item = Data::new(element.clone());
            let lens = run.lens(BRANCH)?.with_input(input).with_item(index, &item);
            selected.push(lens.template(selector, "ItemSelector")?.value().clone());
        }
        found.after_item_selector = Some(Data::new(Value::Array(selected)));
    }
    Ok(())
}

fn inspect_limits(lens: &Lens<'_>, map: &MapState, found: &mut Inspection) -> Outcome {
    let amount = |amount: &Option<crate::model::Amount>, field: &str| {
        let amount = amount.as_ref();
        amount.map(|amount| lens.amount(amount, field)).transpose()
    };
    let share = map.tolerated_failure_percentage.as_ref();
    found.map = Some(MapInspection {
        max_concurrency: amount(&map.max_concurrency, "MaxConcurrency")?.unwrap_or(0),
        tolerated_failure_count: amount(&map.tolerated_failure_count, "ToleratedFailureCount")?,
        tolerated_failure_percentage: share
            .map(|share| lens.share(share, "ToleratedFailurePercentage"))
            .transpose()?,
    });
    Ok(())
}

/// What becomes of the result.
pub(super) fn after(run: &Run<'_>, state: &State, result: &Data, found: &mut Inspection) {
    if matches!(state.kind, Kind::Task(_)) {
        found.result = Some(result.clone());
    }
    // A fault is met again, and reported, when the state is left.
    let _ = inspect_result(run, state, result, found);
}

fn inspect_result(run: &Run<'_>, state: &State, result: &Data, found: &mut Inspection) -> Outcome {
    let Flow::JsonPath(flow) = &state.flow else {
        return Ok(());
    };
    let lens = run.lens(BRANCH)?;
    let raw = lens.input.clone();
    let selected = match &flow.result_selector {
        Some(selector) => lens
            .with_input(result)
            .template(selector, "ResultSelector")?,
        None => result.clone(),
    };
    found.after_result_selector = Some(selected.clone());
    let lens = run.lens(BRANCH)?;
    found.after_result_path = Some(lens.insert(&flow.result_path, &raw, &selected)?);
    Ok(())
}

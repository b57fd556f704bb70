//! What each field of a tried state made of the data: AWS's `inspectionData`, stage by stage until one fails.
//!
//! Which stages AWS shows depends on the state's kind and query language; recorded answers decide, not the documentation's
//! list of members.

use super::super::Run;
use super::super::fault::{Fault, Outcome};
use super::super::map::not_iterable;
use super::super::map_run::{batch, limits};
use super::BRANCH;
use crate::map_run::children;
use crate::model::{Flow, Items, Kind, MapState, State};
use crate::{Data, Limits, items_of};

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
    pub map: Option<Limits>,
    /// How many items a Map runs over.
    pub(super) items: Option<usize>,
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
    let distributed = map.distributed.as_ref();
    let reader = distributed.and_then(|it| it.reader.as_ref());
    let reads = reader.is_some();
    let read = match (reads, &map.items) {
        (true, _) => reader_data.cloned(),
        (false, Items::Input) => Some(input.clone()),
        (false, Items::Selected(template)) => {
            let path = matches!(state.flow, Flow::JsonPath(_));
            Some(lens.template(template, if path { "ItemsPath" } else { "Items" })?)
        }
    };
    let items = match &read {
        None => None,
        Some(data) if data.value().is_array() || map.distributed.is_some() => Some(
            items_of(data.value(), "STATE_DATA").ok_or_else(|| not_iterable(state, map, data))?,
        ),
        Some(data) => return Err(not_iterable(state, map, data)),
    };
    found.items = items.as_ref().map(Vec::len);
    if matches!(state.flow, Flow::JsonPath(_)) && !reads {
        found.after_items_path = read;
    } else if reader.is_some_and(|reader| reader.format.items_pointer.is_some()) {
        found.after_items_pointer = read;
    }
    found.map = Some(limits(&lens, map)?);
    let Some(items) = items else { return Ok(()) };
    let mut selected = Vec::with_capacity(items.len());
    for (index, item) in (0u32..).zip(&items) {
        selected.push(match &map.item_selector {
            None => item.input(),
            Some(selector) => {
                let lens = run.lens(BRANCH)?.with_input(input);
                let lens = match map.distributed {
                    Some(_) => lens.with_map_item(index, item),
                    None => lens.with_item(index, &item.value),
                };
                lens.template(selector, "ItemSelector")?
            }
        });
    }
    let list = |data: &mut dyn Iterator<Item = &Data>| {
        Data::new(data.map(|data| data.value().clone()).collect())
    };
    if map.item_selector.is_some() {
        found.after_item_selector = Some(list(&mut selected.iter()));
    }
    if let Some(distributed) = &map.distributed
        && let Some(batch) = batch(&lens, distributed)?
    {
        let batches = children(Some(&batch), selected);
        found.after_item_batcher = Some(list(&mut batches.iter().map(|it| &it.input)));
    }
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

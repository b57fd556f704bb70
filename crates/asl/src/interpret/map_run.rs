//! Map states in Distributed mode: the state asks for a Map Run and waits for its end. Who runs it asks [`map_run_children`]
//! what to start.

use rand::RngExt;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::fault::{Fault, Outcome};
use super::lens::{Lens, lens_of};
use super::map::not_iterable;
use super::{Run, Step};
use crate::entry::{BranchId, Note};
use crate::event::{Event, Failure};
use crate::execution::{Execution, Phase};
use crate::map_run::{
    Batch, ChildInput, Dataset, Limits, MapItem, MapRun, Source, Writer, children,
};
use crate::model::{Definition, Distributed, Flow, ItemReader, Items, Kind, MapState, State};
use crate::{Command, Data, Env, MapRunStatus, TaskId};

impl Run<'_> {
    pub(super) fn distributed_map(
        &mut self,
        branch: BranchId,
        state: &State,
        map: &MapState,
        distributed: &Distributed,
    ) -> Outcome {
        let raw = self.active(branch)?.input.clone();
        let input = self.effective_input(branch, state, &raw)?;
        let lens = self.lens(branch)?.with_input(&input);
        let items = match (&distributed.reader, &map.items) {
            (Some(_), _) => None,
            (None, Items::Input) => Some(input.clone()),
            (None, Items::Selected(template)) => {
                let field = match state.flow {
                    Flow::Jsonata(_) => "Items",
                    Flow::JsonPath(_) => "ItemsPath",
                };
                Some(lens.template(template, field)?)
            }
        };
        // What a dataset holds is not known yet; AWS writes 0.
        let length = match items.as_ref().map(Data::value) {
            None => 0,
            Some(Value::Array(elements)) => elements.len(),
            Some(Value::Object(members)) => members.len(),
            Some(_) => {
                return Err(not_iterable(state, map, items.as_ref().unwrap_or(&input)));
            }
        };
        let length = u32::try_from(length).unwrap_or(u32::MAX);
        self.event(branch, Event::MapStateStarted { length })?;

        let lens = self.lens(branch)?.with_input(&input);
        let limits = limits(&lens, map)?;
        let source = match (items, &distributed.reader) {
            (Some(items), _) => Source::State(items),
            (None, Some(reader)) => Source::Dataset(dataset(&lens, reader)?),
            (None, None) => Source::State(input.clone()),
        };
        let batch = batch(&lens, distributed)?;
        let writer = writer(&lens, distributed)?;
        let label = map_run_label(state, distributed);
        let id = uuid(self.random.random::<[u8; 16]>());
        let run = MapRun {
            id: TaskId(0),
            arn: self.map_run_arn(&label, &id),
            label,
            express: distributed.express,
            source,
            batch,
            writer,
            limits,
            redrives: 0,
        };
        let arn = run.arn.clone();
        self.note(branch, Note::MapRun(Box::new(run)))?;
        self.event(branch, Event::MapRunStarted { arn })?;
        self.ask_for_map_run(branch).map_err(Fault::Illegal)
    }

    /// `arn:aws:states:REGION:ACCOUNT:mapRun:MACHINE/LABEL:ID`
    fn map_run_arn(&self, label: &str, id: &str) -> String {
        let identity = &self.execution.identity;
        let mut place = identity.execution_arn.splitn(6, ':').take(5);
        let place: Vec<&str> = place.by_ref().collect();
        format!(
            "{}:mapRun:{}/{label}:{id}",
            place.join(":"),
            identity.state_machine_name
        )
    }

    fn ask_for_map_run(&mut self, branch: BranchId) -> Step {
        let run = self.active(branch)?.run.clone();
        if let Some(run) = run {
            self.commands.push(Command::StartMapRun(run));
        }
        Ok(())
    }

    /// A redriven state whose Map Run did not succeed lets the same run go on.
    pub(super) fn redrive_map_run(&mut self, branch: BranchId) -> Step {
        self.note(branch, Note::Retrying)?;
        let Some(run) = self.active(branch)?.run.as_ref() else {
            return super::evolve::illegal("there is no Map Run to redrive");
        };
        let (arn, redrive_count) = (run.arn.clone(), run.redrives + 1);
        self.event(branch, Event::MapRunRedriven { arn, redrive_count })?;
        self.ask_for_map_run(branch)
    }

    /// All children have ended well enough; `output` is what the run gives its state.
    pub(super) fn map_run_succeeded(
        &mut self,
        branch: BranchId,
        run: TaskId,
        output: &Data,
    ) -> Step {
        self.commands
            .push(Command::EndMapRun(run, MapRunStatus::Succeeded));
        let succeeded = self.event(branch, Event::MapRunSucceeded)?;
        self.event_after(branch, succeeded, Event::MapStateSucceeded)?;
        let state = self.state(branch)?;
        let outcome =
            super::exit::limit(state, output).and_then(|()| self.exit_with(branch, state, output));
        self.settle(branch, outcome)
    }

    pub(super) fn map_run_failed(
        &mut self,
        branch: BranchId,
        run: TaskId,
        failure: Failure,
    ) -> Step {
        self.commands
            .push(Command::EndMapRun(run, MapRunStatus::Failed));
        self.event(branch, Event::MapRunFailed(failure.clone()))?;
        self.settle(branch, Err(Fault::Failed(failure)))
    }
}

pub(super) fn limits(lens: &Lens<'_>, map: &MapState) -> Outcome<Limits> {
    let amount = |amount: &Option<crate::model::Amount>, field: &str| {
        let amount = amount.as_ref();
        amount.map(|amount| lens.amount(amount, field)).transpose()
    };
    let share = map.tolerated_failure_percentage.as_ref();
    Ok(Limits {
        tolerated_failure_percentage: share
            .map(|share| lens.share(share, "ToleratedFailurePercentage"))
            .transpose()?,
        tolerated_failure_count: amount(&map.tolerated_failure_count, "ToleratedFailureCount")?,
        max_concurrency: amount(&map.max_concurrency, "MaxConcurrency")?.unwrap_or(0),
    })
}

/// How the fields with arguments are called in the state's language.
fn arguments_field(lens: &Lens<'_>, owner: &str) -> String {
    match lens.state.flow {
        Flow::Jsonata(_) => format!("{owner}/Arguments"),
        Flow::JsonPath(_) => format!("{owner}/Parameters"),
    }
}

fn dataset(lens: &Lens<'_>, reader: &ItemReader) -> Outcome<Dataset> {
    let arguments = match &reader.arguments {
        None => Data::empty(),
        Some(template) => lens.template(template, &arguments_field(lens, "ItemReader"))?,
    };
    let max_items = reader.max_items.as_ref();
    let max_items = max_items
        .map(|amount| lens.amount(amount, "MaxItems"))
        .transpose()?;
    Ok(Dataset {
        action: reader.action,
        arguments,
        format: reader.format.clone(),
        max_items: max_items.filter(|most| *most > 0),
    })
}

pub(super) fn batch(lens: &Lens<'_>, distributed: &Distributed) -> Outcome<Option<Batch>> {
    let Some(batcher) = &distributed.batcher else {
        return Ok(None);
    };
    let amount = |amount: &Option<crate::model::Amount>, field: &str| -> Outcome<Option<u64>> {
        let Some(amount) = amount else {
            return Ok(None);
        };
        match lens.amount(amount, field)? {
            0 => Err(Fault::runtime(format!("{field} must be greater than 0."))),
            number => Ok(Some(number)),
        }
    };
    let input = batcher.input.as_ref();
    Ok(Some(Batch {
        max_items: amount(&batcher.max_items, "MaxItemsPerBatch")?,
        max_bytes: amount(&batcher.max_bytes, "MaxInputBytesPerBatch")?,
        input: input
            .map(|template| lens.template(template, "ItemBatcher/BatchInput"))
            .transpose()?,
    }))
}

fn writer(lens: &Lens<'_>, distributed: &Distributed) -> Outcome<Option<Writer>> {
    let Some(writer) = &distributed.writer else {
        return Ok(None);
    };
    let arguments = writer.arguments.as_ref();
    Ok(Some(Writer {
        arguments: arguments
            .map(|template| lens.template(template, &arguments_field(lens, "ResultWriter")))
            .transpose()?,
        format: writer.format,
    }))
}

/// The state's own label, or one made from its place: the same for every run of this definition.
pub fn map_run_label(state: &State, distributed: &Distributed) -> String {
    distributed.label.clone().unwrap_or_else(|| {
        let digest = Sha256::digest(state.pointer.as_bytes());
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest[..16]);
        uuid(bytes)
    })
}

/// Random bytes in the form of a UUID of version 4.
fn uuid(mut bytes: [u8; 16]) -> String {
    use std::fmt::Write as _;
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let mut text = String::with_capacity(36);
    for (i, byte) in bytes.iter().enumerate() {
        if matches!(i, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        // Writing to a text cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// The children of an open Map Run over these items: each item through `ItemSelector`, then grouped by `ItemBatcher`.
///
/// # Errors
/// An expression of `ItemSelector` failed: with this the run fails.
pub fn map_run_children(
    definition: &Definition,
    execution: &Execution,
    run: TaskId,
    items: &[MapItem],
    env: &Env,
) -> Result<Vec<ChildInput>, Failure> {
    let open = execution
        .map_runs
        .get(&run)
        .and_then(|branch| Some((*branch, execution.active(*branch)?)));
    let Some((branch, active)) = open else {
        return Ok(Vec::new());
    };
    let state = definition.state(active.state);
    let (Kind::Map(map), Some(plan)) = (&state.kind, &active.run) else {
        return Ok(Vec::new());
    };
    let selected = select(definition, execution, branch, env, map, items);
    let selected = selected.map_err(|fault| {
        let at = format!(
            "An error occurred while executing the state '{}' (entered at the event id #{}).",
            state.name, active.entered
        );
        match fault {
            Fault::Failed(failure) => failure,
            Fault::Query { message, .. } => Failure::new(
                crate::error_name::QUERY_EVALUATION_ERROR,
                format!("{at} {message}"),
            ),
            Fault::Runtime { error, message } => Failure::new(error, format!("{at} {message}")),
            Fault::Silent => Failure::named(crate::error_name::TIMEOUT),
            Fault::Illegal(entry) => Failure::new(crate::error_name::RUNTIME, entry.reason),
        }
    })?;
    Ok(children(plan.batch.as_ref(), selected))
}

fn select(
    definition: &Definition,
    execution: &Execution,
    branch: BranchId,
    env: &Env,
    map: &MapState,
    items: &[MapItem],
) -> Outcome<Vec<Data>> {
    let Some(selector) = &map.item_selector else {
        return Ok(items.iter().map(MapItem::input).collect());
    };
    let lens = lens_of(definition, execution, env, branch)?;
    let input = match &lens.state.flow {
        Flow::Jsonata(_) => lens.input.clone(),
        Flow::JsonPath(flow) => lens.path_field(&flow.input_path, "InputPath")?,
    };
    let mut lens = lens.with_input(&input);
    let mut selected = Vec::with_capacity(items.len());
    for (index, item) in (0..).zip(items) {
        lens = lens.with_map_item(index, item);
        selected.push(lens.template(selector, "ItemSelector")?);
    }
    Ok(selected)
}

impl Execution {
    /// The Map Runs that go on: those that a keeper has to run (again, after a crash).
    pub fn map_runs(&self) -> impl Iterator<Item = &MapRun> {
        self.map_runs
            .values()
            .filter_map(|branch| self.active(*branch)?.run.as_deref())
    }

    /// A Map Run ends, whatever its end: nothing more is expected of it.
    pub(crate) fn close_map_run(&mut self, branch: BranchId) {
        self.map_runs.retain(|_, at| *at != branch);
        if let Ok(active) = self.active_mut(branch)
            && matches!(active.phase, Phase::MapRun)
        {
            active.phase = Phase::Entered;
        }
    }
}

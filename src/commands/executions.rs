//! `restock executions`: look at executions, start, stop, redrive and fork them. Data to stdout, the rest to stderr.

use std::process::ExitCode;

use comfy_table::Cell;
use futures::{StreamExt, stream};
use jiff::Timestamp;
use operate::error::refused;
use operate::parked::Parked;
use operate::timeline::{self, Row, short_name};
use operate::{AT_ONCE, Connection, OperateError};
use operate::{change, events, find, fork, list, when, words};
use serde_json::{Value, json};

use super::Outcome;
use crate::operate::args::{
    ExecutionsArgs, ExecutionsVerb, ForkArgs, HistoryArgs, ListArgs, RedriveArgs, ShowArgs,
    StartArgs, StopArgs,
};
use crate::operate::connect::{name_place, open};
use crate::operate::data;
use crate::operate::error::VerbError;
use crate::operate::person::{Counter, confirm};
use crate::operate::view::{self, Rows, print, print_json};
use crate::terminal;

pub(crate) fn run(args: ExecutionsArgs) -> Outcome {
    super::log("error");
    super::runtime()?.block_on(async {
        let at = open(&args.endpoint).await;
        match args.verb {
            ExecutionsVerb::List(args) => list(&at, &args).await?,
            ExecutionsVerb::Show(args) => show(&at, &args).await?,
            ExecutionsVerb::History(args) => history(&at, &args).await?,
            ExecutionsVerb::Start(args) => start(&at, args).await?,
            ExecutionsVerb::Stop(args) => stop(&at, &args).await?,
            ExecutionsVerb::Redrive(args) => redrive(&at, &args).await?,
            ExecutionsVerb::Fork(args) => fork(&at, &args).await?,
        }
        Ok(ExitCode::SUCCESS)
    })
}

async fn list(at: &Connection, args: &ListArgs) -> Result<(), VerbError> {
    let listed = list::executions(at, &(&args.filter).into(), args.limit).await?;
    if args.json {
        let all: Vec<Value> = listed
            .found
            .iter()
            .map(|e| {
                json!({
                    "name": e.name,
                    "arn": e.execution_arn,
                    "state_machine": find::machine_of(&e.execution_arn),
                    "status": e.status.as_str(),
                    "started": when::timestamp(&e.start_date),
                    "stopped": e.stop_date.as_ref().map(when::timestamp),
                    "redrives": e.redrive_count.unwrap_or(0),
                })
            })
            .collect();
        print_json(&all)?;
    } else {
        let mut table = Rows::new(&["EXECUTION", "STATE MACHINE", "STATUS", "STARTED", "TOOK"]);
        for e in &listed.found {
            let started = when::timestamp(&e.start_date);
            let stopped = e
                .stop_date
                .as_ref()
                .map_or_else(Timestamp::now, when::timestamp);
            let status = table.status(e.status.as_str());
            table.add([
                Cell::new(&e.name),
                Cell::new(find::machine_of(&e.execution_arn)),
                status,
                Cell::new(when::local(started)),
                Cell::new(when::duration(started, stopped)),
            ]);
        }
        table.print()?;
    }
    if listed.more {
        terminal::say(&format!(
            "the newest {} are shown; there are more (--limit)",
            args.limit
        ));
    }
    Ok(())
}

async fn show(at: &Connection, args: &ShowArgs) -> Result<(), VerbError> {
    let arn = find::execution(at, &args.execution, None).await?;
    let described = at.sfn.describe_execution().execution_arn(&arn).send().await;
    let e = described.map_err(refused(format!("describe {}", args.execution)))?;
    let events = events::history(at, &arn).await?;
    let rows = timeline::rows(&events);
    let parked = Parked::find(&arn, &events);
    let payload = |text: &Option<String>| {
        text.as_ref()
            .map(|t| serde_json::from_str(t).unwrap_or_else(|_| json!(t)))
    };
    let (started, stopped) = (
        when::timestamp(&e.start_date),
        e.stop_date.as_ref().map(when::timestamp),
    );
    if args.json {
        return print_json(&json!({
            "name": e.name,
            "arn": arn,
            "state_machine": find::machine_of(&arn),
            "status": e.status.as_str(),
            "started": started,
            "stopped": stopped,
            "input": payload(&e.input),
            "output": payload(&e.output),
            "error": e.error,
            "cause": e.cause,
            "redrives": e.redrive_count.unwrap_or(0),
            "states": rows,
            "parked": parked,
        }));
    }
    let took = when::duration(started, stopped.unwrap_or_else(Timestamp::now));
    let mut lines = vec![
        format!(
            "{}  {}{}",
            short_name(&arn),
            e.status.as_str(),
            if parked.is_empty() { "" } else { ", parked" }
        ),
        arn.clone(),
        format!(
            "Started {} ({took}{})",
            when::local(started),
            if stopped.is_none() { " so far" } else { "" }
        ),
    ];
    if let Some(count) = e.redrive_count.filter(|count| *count > 0) {
        lines.push(format!("Redriven {count} time(s)"));
    }
    for (name, text) in [("Input ", &e.input), ("Output", &e.output)] {
        if let Some(value) = payload(text) {
            lines.push(format!("{name}  {value}"));
        }
    }
    if let Some(error) = &e.error {
        lines.push(format!(
            "Failed  {}",
            words::sentence(error, e.cause.as_deref().unwrap_or_default())
        ));
    }
    print(&(lines.join("\n") + "\n"))?;
    view::print_timeline(&rows)?;
    print_where_it_stands(&rows, &parked)
}

fn print_where_it_stands(rows: &[Row], parked: &[Parked]) -> Result<(), VerbError> {
    let mut lines = Vec::new();
    for row in rows.iter().filter(|row| row.is_open()) {
        // What is inside a Parallel has lines of its own, and what is parked is said below.
        let is_parked = parked.iter().any(|p| p.parked_in == row.state);
        if let Some(waits) = &row.waits_for
            && !is_parked
            && !matches!(row.kind.as_str(), "Parallel" | "Map")
        {
            lines.push(format!("{} waits for {waits}", row.state));
        }
    }
    for p in parked {
        lines.push(format!(
            "{} is parked since {} after {} retries: {}",
            p.state,
            when::local(p.since),
            p.retries,
            view::short_error(&p.error, &p.cause)
        ));
        lines.push(format!("  with    {}", view::short(&p.input)));
        lines.push(format!("  replay  {}", p.replay));
        lines.push(format!("  discard {}", p.discard));
    }
    if lines.is_empty() {
        return Ok(());
    }
    print(&format!("\n{}", lines.join("\n")))
}

async fn history(at: &Connection, args: &HistoryArgs) -> Result<(), VerbError> {
    let arn = find::execution(at, &args.execution, None).await?;
    let mut events = events::history(at, &arn).await?;
    if let Some(state) = &args.state {
        events.retain(|e| e.state.as_ref() == Some(state));
        if events.is_empty() {
            terminal::say(&format!("it has no event of a state {state}"));
        }
    }
    if args.json {
        return print_json(&events);
    }
    let mut table = Rows::new(&["ID", "AT", "EVENT", "STATE", "DETAILS"]);
    for event in &events {
        let details = match (&event.error, &event.resource) {
            (Some(error), _) => {
                view::short_error(error, event.cause.as_deref().unwrap_or_default())
            }
            (None, Some(resource)) => resource.clone(),
            (None, None) => event
                .input
                .as_ref()
                .or(event.output.as_ref())
                .map(view::short)
                .unwrap_or_default(),
        };
        table.add([
            Cell::new(event.id),
            Cell::new(when::local(event.at)),
            Cell::new(&event.kind),
            Cell::new(event.state.as_deref().unwrap_or_default()),
            Cell::new(details),
        ]);
    }
    table.print()
}

async fn start(at: &Connection, args: StartArgs) -> Result<(), VerbError> {
    let input = data::read(&args.input)?;
    name_place(at).await?;
    let started = change::start(at, &args.machine, args.name, &input).await?;
    print(&started)
}

async fn stop(at: &Connection, args: &StopArgs) -> Result<(), VerbError> {
    name_place(at).await?;
    let arns = resolve(at, &args.executions).await?;
    if args.change.dry_run {
        for arn in &arns {
            terminal::say(&format!("would stop {}", short_name(arn)));
        }
        return Ok(());
    }
    if arns.len() > 1 && !confirm(&format!("Stop {} executions?", arns.len()), args.change.yes)? {
        return Ok(());
    }
    each(&arns, "stopped", async |arn| {
        change::stop(at, arn, &args.error, &args.cause).await
    })
    .await
}

async fn redrive(at: &Connection, args: &RedriveArgs) -> Result<(), VerbError> {
    name_place(at).await?;
    let arns = if args.all {
        change::redrivable(at, &(&args.filter).into()).await?
    } else {
        resolve(at, &args.executions).await?
    };
    if arns.is_empty() {
        terminal::say("there is nothing to redrive");
        return Ok(());
    }
    if args.change.dry_run {
        for arn in &arns {
            terminal::say(&format!(
                "would redrive {}; these tasks run:",
                short_name(arn)
            ));
            view::say_effects(&change::redrive_effects(at, arn).await?);
        }
        return Ok(());
    }
    if args.all
        && !confirm(
            &format!("Redrive {} executions?", arns.len()),
            args.change.yes,
        )?
    {
        return Ok(());
    }
    each(&arns, "redriven", async |arn| {
        change::redrive(at, arn).await
    })
    .await
}

async fn fork(at: &Connection, args: &ForkArgs) -> Result<(), VerbError> {
    name_place(at).await?;
    let origin = find::execution(at, &args.execution, None).await?;
    let plan = fork::Plan::make(at, &origin, &args.from).await?;
    let had = plan.had.clone();
    let input = match (&args.input, args.edit) {
        (Some(given), _) => data::read(given)?,
        (None, true) => data::edit(&had.clone().unwrap_or_else(|| json!({})))?,
        (None, false) => had.clone().ok_or_else(|| OperateError::NotForkable {
            state: args.from.clone(),
            why: format!(
                "{} never entered it, so it has no input there; give --input",
                args.execution
            ),
        })?,
    };
    let diff = operate::diff::diff(
        &format!("{} of {}", args.from, short_name(&origin)),
        &had.unwrap_or(Value::Null),
        "the fork's input",
        &input,
    );
    terminal::say(if diff.is_empty() {
        "The input is as it was."
    } else {
        diff.trim_end()
    });
    terminal::say(&format!(
        "{} starts with {}; these tasks run:",
        plan.machine, plan.from
    ));
    view::say_effects(&plan.effects);
    if !plan.variables.is_empty() {
        terminal::say(&format!(
            "Restored variables: {}",
            plan.variables.join(", ")
        ));
    }
    if args.change.dry_run || !confirm("Start the fork?", args.change.yes)? {
        return Ok(());
    }
    let forked = plan.start(at, &input).await?;
    terminal::say(&format!(
        "started with the temporary state machine {}; delete it when the fork is of no more use:\n  aws stepfunctions delete-state-machine --state-machine-arn {}",
        plan.machine, forked.machine_arn
    ));
    print(&forked.execution_arn)
}

async fn resolve(at: &Connection, names: &[String]) -> Result<Vec<String>, OperateError> {
    let mut arns = Vec::new();
    for name in names {
        arns.push(find::execution(at, name, None).await?);
    }
    Ok(arns)
}

/// Does the same to many executions, says of each what became of it, and fails if one failed.
async fn each(
    arns: &[String],
    done: &'static str,
    change: impl AsyncFn(&str) -> Result<(), OperateError>,
) -> Result<(), VerbError> {
    let mut counter = Counter::new(done, arns.len());
    let change = &change;
    let mut results = stream::iter(arns)
        .map(async |arn| (arn, change(arn).await))
        .buffer_unordered(AT_ONCE);
    let mut failed = 0;
    while let Some((arn, result)) = results.next().await {
        counter.step();
        match result {
            Ok(()) => terminal::say(&format!("{done} {}", short_name(arn))),
            Err(error) => {
                failed += 1;
                terminal::print_error(&error);
            }
        }
    }
    if failed == 0 {
        return Ok(());
    }
    Err(VerbError::Some {
        failed,
        all: arns.len(),
    })
}

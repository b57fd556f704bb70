//! `restock dlq`: parked tasks. Found in execution histories, answered by their tokens; the message in the queue is
//! cleared afterwards.

use std::process::ExitCode;

use comfy_table::Cell;
use futures::{StreamExt, stream};
use jiff::Timestamp;
use operate::ahead::{self, Effect};
use operate::answer::{self, Answered, Replay};
use operate::parked::{self, Parked};
use operate::timeline::short_name;
use operate::{AT_ONCE, Connection, OperateError};
use operate::{clear, diff, find, when, words};

use super::Outcome;
use crate::operate::args::{DiscardArgs, DlqArgs, DlqListArgs, DlqShowArgs, DlqVerb, ReplayArgs};
use crate::operate::connect::{name_place, open};
use crate::operate::data;
use crate::operate::error::VerbError;
use crate::operate::person::{Counter, confirm};
use crate::operate::view::{self, Rows, print, print_json};
use crate::terminal;

pub(crate) fn run(args: DlqArgs) -> Outcome {
    super::log("error");
    super::runtime()?.block_on(async {
        let at = open(&args.endpoint).await;
        match args.verb {
            DlqVerb::List(args) => list(&at, &args).await?,
            DlqVerb::Show(args) => show(&at, &args).await?,
            DlqVerb::Replay(args) => replay(&at, &args).await?,
            DlqVerb::Discard(args) => discard(&at, &args).await?,
        }
        Ok(ExitCode::SUCCESS)
    })
}

async fn list(at: &Connection, args: &DlqListArgs) -> Result<(), VerbError> {
    let mut found = parked::list(at, &(&args.filter).into()).await?;
    found.retain(|p| args.state.as_ref().is_none_or(|state| p.state == *state));
    if args.json {
        return print_json(&found);
    }
    if found.is_empty() {
        terminal::say("nothing is parked");
        return Ok(());
    }
    let mut table = Rows::new(&[
        "EXECUTION",
        "TASK",
        "STATE",
        "PRODUCT",
        "SINCE",
        "WAITS",
        "ERROR",
    ]);
    let now = Timestamp::now();
    for p in &found {
        table.add([
            Cell::new(&p.execution),
            Cell::new(&p.task),
            Cell::new(&p.state),
            Cell::new(p.product.as_deref().unwrap_or_default()),
            Cell::new(when::local(p.since)),
            Cell::new(when::duration(p.since, now)),
            Cell::new(view::short_error(&p.error, &p.cause)),
        ]);
    }
    table.print()?;
    terminal::say(
        "\nLook: restock dlq show EXECUTION   Replay: restock dlq replay EXECUTION   Discard: restock dlq discard EXECUTION",
    );
    Ok(())
}

async fn show(at: &Connection, args: &DlqShowArgs) -> Result<(), VerbError> {
    let arn = find::execution(at, &args.execution, None).await?;
    let found = parked::of(at, &arn).await?;
    if args.json {
        return print_json(&found);
    }
    if found.is_empty() {
        let execution = short_name(&arn).to_owned();
        return Err(OperateError::NotParked {
            execution,
            with: String::new(),
        }
        .into());
    }
    for p in &found {
        let lines = [
            format!("{} of {}", p.state, p.execution),
            p.execution_arn.clone(),
            format!(
                "Parked   {} in {} ({})",
                when::local(p.since),
                short_name(&p.queue_url),
                p.parked_in
            ),
            format!(
                "Failed   {} (after {} retries)",
                words::sentence(&p.error, &p.cause),
                p.retries
            ),
            format!("Replay   {}", p.replay),
            format!("Discard  {}", p.discard),
            format!("Input\n{}\n", diff::pretty(&p.input)),
        ];
        print(&lines.join("\n"))?;
    }
    Ok(())
}

async fn replay(at: &Connection, args: &ReplayArgs) -> Result<(), VerbError> {
    name_place(at).await?;
    let input = args.input.as_deref().map(data::read).transpose()?;
    let found = parked::choose(at, &args.executions, &(&args.filter).into()).await?;
    let found = if args.all {
        found
    } else {
        one_each(at, found, args.state.as_deref()).await?
    };
    if let Some(state) = &args.state {
        for p in &found {
            answer::check_state(at, p, state).await?;
        }
    }
    let work: Vec<(Parked, Replay)> = found
        .into_iter()
        .map(|p| {
            let replay = Replay::of(&p, args.state.as_deref(), input.as_ref());
            (p, replay)
        })
        .collect();
    if args.change.dry_run {
        for (p, replay) in &work {
            terminal::say(&format!(
                "would replay {} at {}; these tasks run:",
                p.execution, replay.state
            ));
            view::say_effects(&effects(at, p, &replay.state).await?);
        }
        return Ok(());
    }
    if !may(args.all, work.len(), "Replay", args.change.yes)? {
        return Ok(());
    }
    answer_all(at, work, "replayed", async |p, replay| {
        replay.send(at, p).await
    })
    .await
}

async fn discard(at: &Connection, args: &DiscardArgs) -> Result<(), VerbError> {
    name_place(at).await?;
    let mut found = parked::choose(at, &args.executions, &(&args.filter).into()).await?;
    found.retain(|p| args.state.as_ref().is_none_or(|state| p.state == *state));
    if found.is_empty()
        && let (Some(execution), Some(state)) = (args.executions.first(), &args.state)
    {
        return Err(OperateError::NotParked {
            execution: execution.clone(),
            with: format!(" in state {state}"),
        }
        .into());
    }
    if args.change.dry_run {
        for p in &found {
            terminal::say(&format!(
                "would discard {} of {}: it fails with {}",
                p.state, p.execution, p.error
            ));
        }
        return Ok(());
    }
    let found = if args.all {
        found
    } else {
        one_each(at, found, None).await?
    };
    if !may(args.all, found.len(), "Discard", args.change.yes)? {
        return Ok(());
    }
    let work = found.into_iter().map(|p| (p, ())).collect();
    let reason = args.reason.as_deref();
    answer_all(at, work, "discarded", async |p, ()| {
        answer::discard(at, p, reason).await
    })
    .await
}

/// One parked task for each execution that was named; where there are several, the state says which.
async fn one_each(
    at: &Connection,
    found: Vec<Parked>,
    state: Option<&str>,
) -> Result<Vec<Parked>, VerbError> {
    let mut chosen: Vec<Parked> = Vec::new();
    for execution in found.iter().map(|p| &p.execution_arn) {
        if chosen.iter().any(|p| p.execution_arn == *execution) {
            continue;
        }
        let mut candidates: Vec<&Parked> = found
            .iter()
            .filter(|p| p.execution_arn == *execution)
            .collect();
        if let (Some(state), 2..) = (state, candidates.len()) {
            let definition = answer::definition(at, execution).await?;
            candidates.retain(|p| ahead::check_resumable(&definition, &p.parked_in, state).is_ok());
        }
        match candidates.as_slice() {
            [one] => chosen.push((*one).clone()),
            _ => {
                let all: Vec<_> = found
                    .iter()
                    .filter(|p| p.execution_arn == *execution)
                    .collect();
                return Err(VerbError::ManyParked {
                    execution: short_name(execution).to_owned(),
                    tasks: all
                        .iter()
                        .map(|p| format!("{} ({})", p.task, p.state))
                        .collect::<Vec<_>>()
                        .join(", "),
                });
            }
        }
    }
    Ok(chosen)
}

fn may(all: bool, count: usize, verb: &str, yes: bool) -> Result<bool, VerbError> {
    if count == 0 {
        terminal::say("nothing is parked");
        return Ok(false);
    }
    if !all {
        return Ok(true);
    }
    let tasks = if count == 1 { "task" } else { "tasks" };
    confirm(&format!("{verb} {count} parked {tasks}?"), yes)
}

async fn effects(at: &Connection, p: &Parked, state: &str) -> Result<Vec<Effect>, OperateError> {
    let definition = answer::definition(at, &p.execution_arn).await?;
    let from: Vec<_> = ahead::find(&definition, state).into_iter().collect();
    Ok(ahead::effects(&definition, &from))
}

/// Answers every task, says of each what became of it, then clears their messages.
async fn answer_all<T>(
    at: &Connection,
    work: Vec<(Parked, T)>,
    done: &'static str,
    answer: impl AsyncFn(&Parked, &T) -> Result<Answered, OperateError>,
) -> Result<(), VerbError> {
    let all = work.len();
    let mut counter = Counter::new(done, all);
    let answer = &answer;
    let mut results = stream::iter(work)
        .map(async |(p, with)| {
            let result = answer(&p, &with).await;
            (p, result)
        })
        .buffer_unordered(AT_ONCE);
    let (mut answered, mut failed) = (Vec::new(), 0);
    while let Some((p, result)) = results.next().await {
        counter.step();
        match result {
            Ok(Answered::Taken) => {
                terminal::say(&format!("{done} {} of {}", p.state, p.execution));
                answered.push(p);
            }
            Ok(Answered::Stale) => {
                failed += 1;
                terminal::say(&format!(
                    "{} of {} does not wait any more (answered, timed out or ended meanwhile); its message is cleared",
                    p.state, p.execution
                ));
                answered.push(p);
            }
            Err(error) => {
                failed += 1;
                terminal::print_error(&error);
            }
        }
    }
    drop(counter);
    let cleared = clear::clear(at, &answered).await?;
    if cleared.stale > 0 {
        terminal::say(&format!(
            "also cleared {} message(s) that nobody waited for any more",
            cleared.stale
        ));
    }
    if cleared.missing > 0 {
        terminal::say(&format!(
            "{} message(s) were not in the queue just now; the next replay clears them",
            cleared.missing
        ));
    }
    if failed == 0 {
        return Ok(());
    }
    Err(VerbError::Some { failed, all })
}

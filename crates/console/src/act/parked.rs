//! `/act/replay` and `/act/discard`: answer parked tasks. One can be replayed with another input or at another state;
//! several are replayed as they are.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use form_urlencoded::byte_serialize;
use futures::{StreamExt, TryStreamExt, stream};
use maud::{Markup, html};
use operate::ahead;
use operate::answer::{self, Replay};
use operate::parked::Parked;
use operate::{AT_ONCE, parked};

use super::form::{Asked, Csrf, Fields, Query};
use super::work::Work;
use super::{confirm, runs};
use crate::app::App;
use crate::error::PageError;
use crate::fleet::Stuck;
use crate::layout::{Page, Tab, empty};
use crate::pages::execution;
use crate::pages::queues::SHOWN;
use crate::redact;

pub(crate) fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/act/replay", get(replay_page).post(replay))
        .route("/act/discard", get(discard_page).post(discard))
}

/// What names a parked task in a form: its execution and the state it waits in.
fn key(parked: &Parked) -> String {
    key_of(&parked.execution_arn, &parked.parked_in)
}

fn key_of(execution_arn: &str, parked_in: &str) -> String {
    format!("{execution_arn}#{parked_in}")
}

/// The same of a task in a list.
pub(crate) fn listed_key(stuck: &Stuck) -> String {
    key_of(&stuck.execution_arn, &stuck.parked_in)
}

/// Links to replay and to discard one parked task.
pub(crate) fn links(stuck: &Stuck) -> Markup {
    let key: String = byte_serialize(listed_key(stuck).as_bytes()).collect();
    html! {
        span .actions {
            a .button href={ "/act/replay?parked=" (key) } aria-label={ "Replay " (stuck.state) " of " (stuck.execution()) } { "Replay" }
            a .button.danger href={ "/act/discard?parked=" (key) } aria-label={ "Discard " (stuck.state) " of " (stuck.execution()) } { "Discard" }
        }
    }
}

/// The parked tasks that a form names, as they are now; those that do not wait any more are left out.
async fn named(app: &App, fields: &Fields) -> Result<Vec<Parked>, PageError> {
    let keys: Vec<String> = match fields.get("all") {
        // Those that the page shows. Lists do not keep inputs, so that their histories are read like others.
        Some(_) => {
            let waiting = app.fleet.waiting().await?;
            let shown = waiting.parked.iter().take(SHOWN);
            shown.map(|stuck| listed_key(stuck)).collect()
        }
        None => fields.all("parked").map(str::to_owned).collect(),
    };
    // An execution alone stands for everything that is parked in it.
    let mut wanted: Vec<(String, Option<&str>)> = fields
        .all("execution")
        .map(|arn| (arn.to_owned(), None))
        .collect();
    for key in &keys {
        let Some((arn, state)) = key.split_once('#') else {
            return Err(PageError::Invalid(format!("{key} names no parked task")));
        };
        wanted.push((arn.to_owned(), Some(state)));
    }
    let mut arns: Vec<String> = wanted.iter().map(|(arn, _)| arn.clone()).collect();
    arns.dedup();
    let all: Vec<Parked> = stream::iter(arns)
        .map(async |arn: String| parked::of(&app.at, &arn).await)
        .buffered(AT_ONCE)
        .try_concat()
        .await?;
    let is_wanted = |p: &Parked| {
        wanted
            .iter()
            .any(|(arn, state)| *arn == p.execution_arn && state.is_none_or(|s| s == p.parked_in))
    };
    let mut found: Vec<Parked> = Vec::new();
    for parked in all.into_iter().filter(is_wanted) {
        if !found.iter().any(|f| key(f) == key(&parked)) {
            found.push(parked);
        }
    }
    Ok(found)
}

fn nothing(app: &App) -> Markup {
    let body = html! {
        div .card { (empty("Nothing waits there", html! {
            "The task was answered, timed out or ended meanwhile, or none was chosen. "
            a href="/queues" { "Parked tasks" }
        })) }
    };
    Page::new("Parked tasks", Tab::Queues).render(app, body)
}

fn hidden(found: &[Parked]) -> Markup {
    html! { @for p in found { input type="hidden" name="parked" value=(key(p)); } }
}

fn list(found: &[Parked]) -> Markup {
    html! {
        ul {
            @for p in found {
                li {
                    a href=(execution::path(&p.execution_arn)) { (p.execution) } ", " strong { (p.state) } ": "
                    (redact::reason(&p.error, &p.cause))
                }
            }
        }
    }
}

fn count(verb: &str, found: &[Parked]) -> String {
    match found {
        [one] => format!("{verb} {} of {}", one.state, one.execution),
        many => format!("{verb} {} parked tasks", many.len()),
    }
}

async fn replay_page(
    State(app): State<Arc<App>>,
    csrf: Csrf,
    Query(fields): Query,
) -> Result<Markup, PageError> {
    let found = named(&app, &fields).await?;
    match found.as_slice() {
        [] => Ok(nothing(&app)),
        [one] => {
            edit(
                &app,
                &csrf,
                one,
                &Replay::of(one, None, None).state,
                &confirm::editable(&one.input),
                None,
            )
            .await
        }
        many => {
            let title = count("Replay", many);
            let body = html! {
                div .head { h1 { (title) } }
                (confirm::place(&app).await?)
                p { "Each runs the task that failed again, with the input it failed with, and goes on from there." }
                (list(many))
                form method="post" action="/act/replay" {
                    (csrf.field()) (hidden(many))
                    div .actions {
                        button .primary type="submit" name="step" value="go" { (title) }
                        a .button href="/queues" { "Do nothing" }
                    }
                }
            };
            Ok(Page::new(&title, Tab::Queues).render(&app, body))
        }
    }
}

async fn edit(
    app: &App,
    csrf: &Csrf,
    p: &Parked,
    state: &str,
    text: &str,
    problem: Option<&str>,
) -> Result<Markup, PageError> {
    let definition = answer::definition(&app.at, &p.execution_arn).await?;
    let states = ahead::resumable(&definition, &p.parked_in);
    let title = format!("Replay {}", p.state);
    let body = html! {
        p .crumb { a href=(execution::path(&p.execution_arn)) { (p.execution) } }
        div .head { h1 { (title) } }
        (confirm::place(app).await?)
        p .notice.problem { "It failed after " (p.retries) " retries: " (redact::reason(&p.error, &p.cause)) }
        form .stack method="post" action="/act/replay" {
            (csrf.field()) (hidden(std::slice::from_ref(p)))
            label for="state" { "Go on with the state" }
            select #state name="state" {
                @for name in &states { option value=(name) selected[name == state] { (name) } }
            }
            (confirm::json_field(text, problem))
            div .actions {
                button .primary type="submit" name="step" value="review" { "Review" }
                a .button href="/queues" { "Do nothing" }
            }
        }
    };
    Ok(Page::new(&title, Tab::Queues).render(app, body))
}

async fn replay(State(app): State<Arc<App>>, asked: Asked) -> Result<Response, PageError> {
    let found = named(&app, &asked.fields).await?;
    let is_go = asked.fields.get("step") == Some("go");
    let (Some(text), [one]) = (asked.fields.get("input"), found.as_slice()) else {
        if found.is_empty() || !is_go {
            return Ok(nothing(&app).into_response());
        }
        let title = count("Replay", &found);
        let works = found
            .into_iter()
            .map(|p| Work::Replay {
                replay: Replay::of(&p, None, None),
                parked: Box::new(p),
            })
            .collect();
        return Ok(runs::begin(&app, asked.who, title, works).await);
    };
    let state = asked.fields.get("state").unwrap_or(&one.state);
    answer::check_state(&app.at, one, state).await?;
    let input = match confirm::read_json(text, &one.input) {
        Ok(input) => input,
        Err(problem) => {
            let page = edit(&app, &asked.csrf, one, state, text, Some(&problem)).await?;
            return Ok((StatusCode::BAD_REQUEST, page).into_response());
        }
    };
    let replay = Replay::of(one, Some(state), Some(&input));
    if !is_go {
        return Ok(review(&app, &asked.csrf, one, &replay, text)
            .await?
            .into_response());
    }
    let title = count("Replay", &found);
    let work = Work::Replay {
        parked: Box::new(one.clone()),
        replay,
    };
    Ok(runs::begin(&app, asked.who, title, vec![work]).await)
}

async fn review(
    app: &App,
    csrf: &Csrf,
    p: &Parked,
    replay: &Replay,
    text: &str,
) -> Result<Markup, PageError> {
    let definition = answer::definition(&app.at, &p.execution_arn).await?;
    let from: Vec<_> = ahead::find(&definition, &replay.state)
        .into_iter()
        .collect();
    let title = format!("Replay {}", p.state);
    let body = html! {
        p .crumb { a href=(execution::path(&p.execution_arn)) { (p.execution) } }
        div .head { h1 { (title) ": do it?" } }
        (confirm::place(app).await?)
        section .card { h2 { "What differs" } div .body {
            @if replay.state != p.state { p { "It goes on with " strong { (replay.state) } " in place of " (p.state) "." } }
            (confirm::difference(("the input it failed with", &p.input), ("the input of the replay", &replay.input)))
        } }
        section .card { h2 { "What runs" } div .body { (confirm::effects(&ahead::effects(&definition, &from))) } }
        form method="post" action="/act/replay" {
            (csrf.field()) (hidden(std::slice::from_ref(p)))
            input type="hidden" name="state" value=(replay.state);
            input type="hidden" name="input" value=(text);
            div .actions {
                button .primary type="submit" name="step" value="go" { "Replay it" }
                a .button href="/queues" { "Do nothing" }
            }
        }
    };
    Ok(Page::new(&title, Tab::Queues).render(app, body))
}

async fn discard_page(
    State(app): State<Arc<App>>,
    csrf: Csrf,
    Query(fields): Query,
) -> Result<Markup, PageError> {
    let found = named(&app, &fields).await?;
    if found.is_empty() {
        return Ok(nothing(&app));
    }
    let title = count("Discard", &found);
    let body = html! {
        div .head { h1 { (title) } }
        (confirm::place(&app).await?)
        p { "A discarded task is given up: its execution fails with the error it had. It can still be redriven within 14 days." }
        (list(&found))
        form .stack method="post" action="/act/discard" {
            (csrf.field()) (hidden(&found))
            label for="reason" { "Why (added to the cause)" }
            input #reason name="reason" maxlength="500";
            div .actions {
                button .danger type="submit" { (title) }
                a .button href="/queues" { "Do nothing" }
            }
        }
    };
    Ok(Page::new(&title, Tab::Queues).render(&app, body))
}

async fn discard(State(app): State<Arc<App>>, asked: Asked) -> Result<Response, PageError> {
    let found = named(&app, &asked.fields).await?;
    if found.is_empty() {
        return Ok(nothing(&app).into_response());
    }
    let reason = asked.fields.get("reason");
    let title = count("Discard", &found);
    let works = found
        .into_iter()
        .map(|p| Work::Discard {
            parked: Box::new(p),
            reason: reason.map(str::to_owned),
        })
        .collect();
    Ok(runs::begin(&app, asked.who, title, works).await)
}

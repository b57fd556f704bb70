//! `/act/letters`: the dead letters of a queue, looked at on demand, sent back to where they come from, or deleted.
//!
//! To look is to receive, so that it is asked for by a form like a change.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use form_urlencoded::byte_serialize;
use jiff::Timestamp;
use maud::{Markup, html};
use operate::letters::{self, Fate, Letter};
use operate::when;

use super::form::{Asked, Csrf};
use super::work::Work;
use super::{confirm, runs};
use crate::app::App;
use crate::error::PageError;
use crate::layout::{Page, Tab, empty};
use crate::pages::queues::{DeadLetters, dead_letters};
use crate::{payload, redact};

/// Messages that one look shows.
const SHOWN: usize = 50;

pub(crate) fn router() -> Router<Arc<App>> {
    Router::new().route("/act/letters", post(send))
}

/// The way in: a button on the queue's page.
pub(crate) fn button(csrf: &Csrf, queue: &str) -> Markup {
    html! {
        form method="post" action="/act/letters" {
            (csrf.field())
            input type="hidden" name="queue" value=(queue);
            button type="submit" name="step" value="look" { "Look at its messages" }
        }
    }
}

async fn send(State(app): State<Arc<App>>, asked: Asked) -> Result<Response, PageError> {
    let name = asked.fields.need("queue")?;
    let queue = dead_letters(&app, name).await?;
    let ids: Vec<String> = asked.fields.all("letter").map(str::to_owned).collect();
    let fate = match asked.fields.get("fate") {
        Some("return") => Some(Fate::Return(queue.only_source()?.to_owned())),
        Some("delete") => Some(Fate::Delete),
        _ => None,
    };
    let (Some(fate), false) = (fate, ids.is_empty()) else {
        let letters = letters::look(&app.at, &queue.url, SHOWN).await?;
        return Ok(shown(&app, &asked.csrf, &queue, &letters).into_response());
    };
    let title = title(&fate, &queue, ids.len());
    if asked.fields.get("step") != Some("go") {
        return Ok(review(&app, &asked.csrf, &queue, &ids, &fate, &title)
            .await?
            .into_response());
    }
    let work = Work::Letters {
        queue: queue.url,
        ids: ids.into_iter().collect(),
        fate,
    };
    Ok(runs::begin(&app, asked.who, title, vec![work]).await)
}

fn title(fate: &Fate, queue: &DeadLetters, count: usize) -> String {
    match fate {
        Fate::Return(_) => format!("Send {count} message(s) back to {}", queue.sources()),
        Fate::Delete => format!("Delete {count} message(s) of {}", queue.name),
    }
}

fn crumb(queue: &DeadLetters) -> Markup {
    let path: String = byte_serialize(queue.name.as_bytes()).collect();
    html! { p .crumb { a href="/queues" { "Queues" } " / " a href={ "/queues/" (path) } { (queue.name) } } }
}

fn shown(app: &App, csrf: &Csrf, queue: &DeadLetters, letters: &[Letter]) -> Markup {
    let title = format!("Messages of {}", queue.name);
    let body = html! {
        (crumb(queue))
        div .head { h1 { (title) } }
        p {
            "Messages of " strong { (queue.sources()) } " that its consumer gave back too often. "
            "Why stands in the consumer's log. They are in the queue as before."
        }
        div .card {
            @if letters.is_empty() {
                (empty("Nothing is in this queue", html! { "Or somebody else is looking at it just now: look again in a minute." }))
            } @else {
                form method="post" action="/act/letters" {
                    (csrf.field())
                    input type="hidden" name="queue" value=(queue.name);
                    div .scroll { table .records {
                        @if letters.len() == SHOWN { caption { "The first " (SHOWN) } }
                        thead { tr {
                            th scope="col" { span .quiet { "Choose" } } th scope="col" { "Sent" } th .num scope="col" { "Received" } th scope="col" { "Message" }
                        } }
                        tbody { @for (n, letter) in letters.iter().enumerate() { (row(n, letter)) } }
                    } }
                    div .pages.actions {
                        // Whose they are is not known where several queues share it.
                        @if queue.only_source().is_ok() {
                            button type="submit" name="fate" value="return" { "Send the chosen back to " (queue.sources()) }
                        }
                        button .danger type="submit" name="fate" value="delete" { "Delete the chosen" }
                    }
                }
            }
        }
    };
    Page::new(&title, Tab::Queues).render(app, body)
}

fn row(n: usize, letter: &Letter) -> Markup {
    html! {
        tr data-row {
            td { input type="checkbox" name="letter" value=(letter.id) aria-label={ "Choose message " (n + 1) }; }
            td data-name="Sent" {
                @match letter.sent {
                    Some(sent) => { time datetime=(sent) title=(when::local(sent)) { (when::duration(sent, Timestamp::now())) " ago" } }
                    None => { "–" }
                }
            }
            td .num data-name="Received" { (letter.receives) "×" }
            td .wide {
                @match serde_json::from_str::<serde_json::Value>(&letter.body) {
                    Ok(body) => { (payload::value(&format!("letter-{n}"), &letter.id, &body)) }
                    Err(_) => { (payload::text(&format!("letter-{n}"), &letter.id, &redact::text(&letter.body))) }
                }
                @for (name, value) in &letter.attributes { span .key { span .soft { (name) " " } (redact::member(name, value)) } " " }
            }
        }
    }
}

async fn review(
    app: &App,
    csrf: &Csrf,
    queue: &DeadLetters,
    ids: &[String],
    fate: &Fate,
    title: &str,
) -> Result<Markup, PageError> {
    let (word, class) = match fate {
        Fate::Return(_) => ("return", "primary"),
        Fate::Delete => ("delete", "danger"),
    };
    let body = html! {
        (crumb(queue))
        div .head { h1 { (title) ": do it?" } }
        (confirm::place(app).await?)
        @match fate {
            Fate::Return(_) => { p { "Its consumer gets each of them again, as a new message. What failed before fails again unless something was mended." } }
            Fate::Delete => { p .notice.problem { "What a message asks for is never done then, and nothing brings it back." } }
        }
        ul { @for id in ids { li .mono { (id) } } }
        form method="post" action="/act/letters" {
            (csrf.field())
            input type="hidden" name="queue" value=(queue.name);
            input type="hidden" name="fate" value=(word);
            @for id in ids { input type="hidden" name="letter" value=(id); }
            div .actions {
                button class=(class) type="submit" name="step" value="go" { (title) }
                a .button href="/queues" { "Do nothing" }
            }
        }
    };
    Ok(Page::new(title, Tab::Queues).render(app, body))
}

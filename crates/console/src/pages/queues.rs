//! `/queues`: parked tasks and every queue's depth; `/queues/{name}`: one queue.
//!
//! Looking takes nothing away: parked tasks are found in the histories of executions, and a queue is asked for its
//! attributes only. The messages of a queue that no task parks in are counted; dead letters can be looked at on demand.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::IntoResponse;
use axum::routing::get;
use futures::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use maud::{Markup, html};
use operate::queues::{self, Queue};
use operate::{AT_ONCE, when};

use super::execution;
use super::executions::number;
use crate::act::{self, Csrf, parked_key, parked_links};
use crate::app::App;
use crate::error::{PageError, partial};
use crate::fleet::{Everything, Stuck};
use crate::layout::{Page, Tab, empty, status};
use crate::live;

/// Parked tasks on the page, the oldest.
pub(crate) const SHOWN: usize = 200;

pub(crate) fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/queues", get(all))
        .route("/queues/events", get(events))
        .route("/queues/{name}", get(one))
}

async fn events(State(app): State<Arc<App>>) -> impl IntoResponse {
    live::stream(app.fleet.changes())
}

async fn all(State(app): State<Arc<App>>) -> Result<Markup, PageError> {
    let queues = read_all(&app).await;
    let waiting = app.fleet.waiting().await;
    let body = html! {
        div .head { h1 { "Queues" } }
        section .card #parked data-live aria-labelledby="parked-title" {
            h2 #parked-title { "Parked tasks" }
            @match &waiting {
                Ok(waiting) => { (unread(waiting)) (parked(waiting.parked.iter().map(AsRef::as_ref).collect(), true)) }
                Err(error) => { div .body { (partial("The parked tasks", error)) } }
            }
        }
        section .card #queues data-live aria-labelledby="queues-title" {
            h2 #queues-title { "All queues" }
            @match &queues {
                Ok(queues) if queues.is_empty() => {
                    (empty("There is no queue here", html! { "Queues are made with the stack: by " code { "restock up" } ", or by the deployment on AWS." }))
                }
                Ok(queues) => { (table(queues, waiting.as_ref().map(|w| w.parked.as_slice()).unwrap_or_default())) }
                Err(error) => { div .body { (partial("The queues", error)) } }
            }
        }
    };
    Ok(Page::new("Queues", Tab::Queues)
        .live("/queues/events")
        .render(&app, body))
}

async fn read_all(app: &App) -> Result<Vec<Queue>, operate::OperateError> {
    let urls = queues::urls(&app.at).await?;
    let mut queues: Vec<Queue> = stream::iter(urls)
        .map(|url| {
            let at = app.at.clone();
            async move { queues::read(&at, &url).await }
        })
        .buffer_unordered(AT_ONCE)
        .try_filter_map(async |queue| Ok(queue))
        .try_collect()
        .await?;
    queues.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(queues)
}

/// A queue of dead letters and the queues they come from.
#[derive(Clone, Debug)]
pub(crate) struct DeadLetters {
    pub name: String,
    pub url: String,
    /// Names and URLs, one or more.
    pub from: Vec<(String, String)>,
}

impl DeadLetters {
    /// The names of the queues that its messages come from.
    pub(crate) fn sources(&self) -> String {
        let names: Vec<_> = self.from.iter().map(|(name, _)| name.as_str()).collect();
        names.join(", ")
    }

    /// The queue that every message in it comes from (its URL).
    ///
    /// # Errors
    /// There are several: SQS keeps no note of which one a message comes from.
    pub(crate) fn only_source(&self) -> Result<&str, PageError> {
        match self.from.as_slice() {
            [(_, url)] => Ok(url),
            _ => Err(PageError::Invalid(format!(
                "{} takes the dead letters of several queues ({}), and a message does not say which of them it comes from: \
                 it could reach the wrong consumer. Nothing was sent. Send it to the right queue with your own tool of SQS, \
                 then delete it here",
                self.name,
                self.sources()
            ))),
        }
    }
}

/// The queue of dead letters of this name.
pub(crate) async fn dead_letters(app: &App, name: &str) -> Result<DeadLetters, PageError> {
    let all = read_all(app).await?;
    find_dead_letters(&all, name).ok_or_else(|| {
        PageError::NotFound(format!(
            "there is no queue {name} here that takes the dead letters of another"
        ))
    })
}

fn find_dead_letters(all: &[Queue], name: &str) -> Option<DeadLetters> {
    let queue = all.iter().find(|queue| queue.name == name)?;
    let from: Vec<_> = all
        .iter()
        .filter(|queue| queue.dead_letters.as_deref() == Some(name))
        .map(|queue| (queue.name.clone(), queue.url.clone()))
        .collect();
    (!from.is_empty()).then(|| DeadLetters {
        name: queue.name.clone(),
        url: queue.url.clone(),
        from,
    })
}

async fn one(
    State(app): State<Arc<App>>,
    csrf: Csrf,
    Path(name): Path<String>,
) -> Result<Markup, PageError> {
    let missing = || PageError::NotFound(format!("there is no queue {name} here"));
    let all = read_all(&app).await?;
    let queue = all.iter().find(|q| q.name == name).ok_or_else(missing)?;
    let dead = find_dead_letters(&all, &name);
    let waiting = app.fleet.waiting().await?;
    let inside: Vec<_> = waiting
        .parked
        .iter()
        .map(AsRef::as_ref)
        .filter(|p: &&Stuck| p.queue_url == queue.url || queues::name_of(&p.queue_url) == name)
        .collect();
    let title = format!("Queue {name}");
    let body = html! {
        p .crumb { a href="/queues" { "Queues" } }
        div .head { h1 { (name) } }
        div .stats {
            div .stat { b { (queue.visible) } "to be received" }
            div .stat { b { (queue.in_flight) } "in flight" }
            div .stat { b { (queue.delayed) } "delayed" }
            div .stat { b { (oldest(&inside)) } "oldest" }
        }
        dl .facts {
            dt { "Kept for" } dd { (days(queue.kept_seconds)) }
            dt { "Hidden while worked on" } dd { (queue.visibility_seconds) " s" }
            @if let Some(dlq) = &queue.dead_letters {
                dt { "Dead letters go to" }
                dd { a href={ "/queues/" (dlq) } { (dlq) } @if let Some(n) = queue.receives { " after " (n) " receives" } }
            }
        }
        section .card aria-labelledby="messages" {
            h2 #messages { "Messages" }
            @if let Some(dead) = &dead {
                (empty("Dead letters", html! {
                    "Here lies what the consumer of "
                    @for (n, (from, _)) in dead.from.iter().enumerate() { @if n > 0 { ", of " } a href={ "/queues/" (from) } { (from) } }
                    " gave back too often. "
                    "To look at messages is to receive them; they are put back at once."
                    (act::look_at_letters(&csrf, &name))
                }))
            } @else if inside.is_empty() {
                (empty("No task is parked here", html! {
                    @if queue.visible + queue.in_flight + queue.delayed > 0 {
                        "Its messages are counted and not read: receiving them would take them from whoever works on them. "
                        "To read one, use your own tool of SQS."
                    } @else { "Nothing waits in this queue." }
                }))
            } @else { (parked(inside, false)) }
        }
    };
    Ok(Page::new(&title, Tab::Queues).render(&app, body))
}

/// What is not known yet, or could not be read, of what waits.
pub(crate) fn unread(waiting: &Everything) -> Markup {
    html! {
        @if let Some(problem) = &waiting.problem {
            div .notice.problem role="status" { "This may be old: " (problem) }
        }
        @if waiting.unread > 0 {
            div .notice role="status" {
                (number(waiting.unread)) " running executions have not been looked at yet: a few at a time are, to leave calls for others."
            }
        }
    }
}

/// Parked tasks with their reason, to be answered one by one or several at once.
/// `is_all`: there are no others.
fn parked(parked: Vec<&Stuck>, is_all: bool) -> Markup {
    let now = Timestamp::now();
    html! {
        @if parked.is_empty() {
            (empty("Nothing is parked", html! {
                "A task that fails for good waits here for you, with its input and its error, and nothing is lost meanwhile."
            }))
        } @else {
            form method="get" {
                div .scroll {
                    table .records {
                        caption { "Oldest first" @if parked.len() > SHOWN { ", the first " (SHOWN) " of " (number(parked.len())) } }
                        thead { tr {
                            th scope="col" { span .quiet { "Choose" } } th scope="col" { "Execution" } th scope="col" { "Task" }
                            th scope="col" { "Why" } th scope="col" { "Product" } th scope="col" { "Waits" } th scope="col" { "Answer" }
                        } }
                        tbody { @for p in parked.iter().take(SHOWN) { (row(p, now)) } }
                    }
                }
                div .pages.actions {
                    button formaction="/act/replay" type="submit" { "Replay the chosen" }
                    button .danger formaction="/act/discard" type="submit" { "Discard the chosen" }
                    @if is_all && parked.len() > 1 {
                        button formaction="/act/replay" type="submit" name="all" value="yes" { "Replay all " (parked.len().min(SHOWN)) " …" }
                        button .danger formaction="/act/discard" type="submit" name="all" value="yes" { "Discard all " (parked.len().min(SHOWN)) " …" }
                    }
                }
            }
        }
    }
}

fn row(p: &Stuck, now: Timestamp) -> Markup {
    html! {
        tr data-row {
            td {
                input type="checkbox" name="parked" value=(parked_key(p))
                    aria-label={ "Choose " (p.state) " of " (p.execution()) };
            }
            td .id.wide { a href=(execution::path(&p.execution_arn)) { (p.execution()) } }
            td data-name="Task" { (status("parked")) " " (p.state) br; span .sub { "after " (p.retries) " retries" } }
            td .wide { (p.why) }
            td data-name="Product" { (p.product.as_deref().unwrap_or("–")) }
            td data-name="Waits" { time datetime=(p.since) title=(when::local(p.since)) { (when::duration(p.since, now)) } }
            td .wide { (parked_links(p)) }
        }
    }
}

fn table(queues: &[Queue], parked: &[Arc<Stuck>]) -> Markup {
    html! {
        div .scroll {
            table .records {
                thead { tr {
                    th scope="col" { "Queue" } th .num scope="col" { "To be received" } th .num scope="col" { "In flight" }
                    th .num scope="col" { "Delayed" } th scope="col" { "Oldest" } th scope="col" { "Dead letters to" }
                } }
                tbody {
                    @for queue in queues {
                        @let inside: Vec<_> = parked.iter().map(AsRef::as_ref).filter(|p: &&Stuck| queues::name_of(&p.queue_url) == queue.name).collect();
                        tr data-row {
                            td .wide { a href={ "/queues/" (queue.name) } { (queue.name) } }
                            td .num data-name="To be received" { (queue.visible) }
                            td .num data-name="In flight" { (queue.in_flight) }
                            td .num data-name="Delayed" { (queue.delayed) }
                            td data-name="Oldest" { (oldest(&inside)) }
                            td data-name="Dead letters to" { (queue.dead_letters.as_deref().unwrap_or("–")) }
                        }
                    }
                }
            }
        }
    }
}

/// The age of the oldest parked task; SQS itself tells no ages.
fn oldest(parked: &[&Stuck]) -> String {
    let since = parked.iter().map(|p| p.since).min();
    since.map_or_else(
        || "–".to_owned(),
        |since| when::duration(since, Timestamp::now()),
    )
}

fn days(seconds: u64) -> String {
    format!("{} days", seconds / 86_400)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(name: &str, dead_letters: Option<&str>) -> Queue {
        Queue {
            name: name.to_owned(),
            url: format!("http://h/0/{name}"),
            dead_letters: dead_letters.map(str::to_owned),
            ..Queue::default()
        }
    }

    #[test]
    fn dead_letters_of_several_queues_are_sent_back_to_none() {
        let mut all = vec![queue("dlq", None), queue("b", Some("dlq"))];
        let one = find_dead_letters(&all, "dlq").unwrap();
        assert_eq!(one.only_source().unwrap(), "http://h/0/b");
        assert!(find_dead_letters(&all, "b").is_none());
        all.push(queue("a", Some("dlq")));
        let several = find_dead_letters(&all, "dlq").unwrap();
        let refused = several.only_source().unwrap_err().to_string();
        assert!(refused.contains("several queues (b, a)"), "{refused}");
    }
}

//! `/callbacks`: executions that wait for an answer from outside, the oldest first.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use jiff::Timestamp;
use maud::{Markup, html};
use operate::waiting::Callback;
use operate::when;

use super::executions::number;
use super::queues::SHOWN;
use super::{execution, queues};
use crate::app::App;
use crate::error::PageError;
use crate::layout::{Page, Tab, empty};

pub(crate) fn router() -> Router<Arc<App>> {
    Router::new().route("/callbacks", get(page))
}

async fn page(State(app): State<Arc<App>>) -> Result<Markup, PageError> {
    let waiting = app.fleet.waiting().await?;
    let now = Timestamp::now();
    let body = html! {
        div .head { h1 { "Waiting callbacks" } }
        p { "Executions whose task token somebody outside has to answer: the factory, a mail worker. The token itself is never shown." }
        div #callbacks data-live {
        (queues::unread(&waiting))
        div .card {
            @if waiting.callbacks.is_empty() {
                (empty("Nothing waits for a callback", html! {
                    "A reorder waits here from the moment the factory is asked until it delivers. "
                    a href="/queues" { "Parked tasks" } " wait for you and are listed there."
                }))
            } @else {
                div .scroll {
                    table .records {
                        caption { "Oldest first" @if waiting.callbacks.len() > SHOWN { ", the first " (SHOWN) " of " (number(waiting.callbacks.len())) } }
                        thead { tr {
                            th scope="col" { "Execution" } th scope="col" { "State" } th scope="col" { "Token sent to" }
                            th scope="col" { "Product" } th scope="col" { "Waits" } th scope="col" { "Times out" }
                        } }
                        tbody { @for callback in waiting.callbacks.iter().take(SHOWN) { (row(callback, now)) } }
                    }
                }
            }
        }
        }
    };
    Ok(Page::new("Waiting callbacks", Tab::Callbacks)
        .live("/queues/events")
        .render(&app, body))
}

fn row(callback: &Callback, now: Timestamp) -> Markup {
    html! {
        tr data-row {
            td .id.wide { a href=(execution::path(&callback.execution_arn)) { (callback.execution) } }
            td data-name="State" { (callback.state) }
            td data-name="Token sent to" { (callback.sent_to.as_deref().unwrap_or("–")) }
            td data-name="Product" { (callback.product.as_deref().unwrap_or("–")) }
            td data-name="Waits" {
                time datetime=(callback.since) title=(when::local(callback.since)) { (when::duration(callback.since, now)) }
            }
            td data-name="Times out" {
                @match callback.until {
                    Some(until) => { "in " (when::duration(now, until)) }
                    None => { "never" }
                }
            }
        }
    }
}

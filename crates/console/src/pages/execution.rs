//! `/executions/{arn}`: one execution: where it stands and why, its picture, its times, every state's data, every event.

mod data;
pub(crate) mod definition;
mod events;
mod facts;
mod timeline;

use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use form_urlencoded::byte_serialize;
use jiff::Timestamp;
use maud::{Markup, html};
use serde::Deserialize;

use crate::act;
use crate::app::App;
use crate::error::PageError;
use crate::graph;
use crate::layout::{Page, Tab, status};
use crate::live;
use crate::run::{Run, paint};

pub(crate) fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/executions/{arn}", get(show))
        .route("/executions/{arn}/events", get(changes))
}

/// What the address asks for.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    /// The state whose data is shown.
    state: String,
    /// Which stay in it, from 1.
    visit: String,
    /// The page of the events.
    events: String,
    /// Only events of this type, or whose type contains this.
    kind: String,
    /// Only events of this state.
    of: String,
}

/// The address of an execution's page.
pub(crate) fn path(arn: &str) -> String {
    // Colons may stand in a path, and ARNs stay legible with them.
    let encoded: String = byte_serialize(arn.as_bytes()).collect();
    format!(
        "/executions/{}",
        encoded.replace("%3A", ":").replace('+', "%20")
    )
}

async fn changes(State(app): State<Arc<App>>, Path(arn): Path<String>) -> impl IntoResponse {
    live::stream(app.watchers.watch(&app.at, &arn))
}

async fn show(
    State(app): State<Arc<App>>,
    Path(arn): Path<String>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, PageError> {
    let Query(asked) = asked?;
    if !arn.starts_with("arn:") {
        // A name, as people paste it.
        let found = operate::find::execution(&app.at, &arn, None).await?;
        return Ok(Redirect::to(&path(&found)).into_response());
    }
    let run = app.runs.load(&app.at, &arn).await?;
    let chosen = chosen(&run, &asked);
    let now = Timestamp::now();
    let body = html! {
        p .crumb { a href="/executions" { "Executions" } " / " a href={ "/executions?machine=" (encode(&run.machine)) } { (run.machine) } }
        div .head #head data-live {
            h1 .mono { (run.name()) }
            (status(run.standing().word()))
            span .grow {}
            (act::buttons(&run.arn, &run.machine, run.status, &run.parked))
        }
        div #facts data-live { (facts::show(&run, now)) }
        (picture(&run, chosen))
        (timeline::show(&run, chosen, now))
        (data::show(&app, &run, chosen))
        (events::show(&run, &asked))
        (definition::show(&run))
    };
    let title = format!(
        "{} ({})",
        run.name(),
        run.standing().word().to_lowercase().replace('_', " ")
    );
    let mut page = Page::new(&title, Tab::Executions);
    if run.status.is_running() {
        page = page.live(format!("{}/events", path(&run.arn)));
    }
    Ok(page.render(&app, body).into_response())
}

/// The row whose data is shown: what the address names, else the telling one.
fn chosen(run: &Run, asked: &Asked) -> Option<usize> {
    let of_state: Vec<usize> = (0..run.rows.len())
        .filter(|row| run.rows[*row].state == asked.state)
        .collect();
    let visit = asked.visit.parse::<usize>().ok();
    visit
        .and_then(|n| of_state.get(n.checked_sub(1)?))
        .or(of_state.last())
        .copied()
        .or_else(|| run.telling_row())
}

fn picture(run: &Run, chosen: Option<usize>) -> Markup {
    let name = chosen.map(|row| run.rows[row].state.as_str());
    html! {
        section .card #picture data-live aria-labelledby="picture-title" {
            h2 #picture-title { "Graph" span .soft.key { "✓ succeeded  ● running  ◔ waiting  ↻ retrying  ⤵ caught  ‖ parked  ✕ failed" } }
            @match &run.definition {
                Ok(definition) => {
                    div #canvas .canvas tabindex="0" role="group" aria-label="The graph" {
                        (graph::draw(&graph::chart(definition), &paint(run, name, format!("{}?state=", path(&run.arn))),
                            &format!("The states of {} and what happened in them", run.machine)))
                    }
                }
                Err(problem) => div .body { div .notice.problem role="status" { "The graph cannot be drawn: " (problem) } }
            }
        }
    }
}

/// The address of a state's data on this page.
fn to_row(run: &Run, row: usize) -> String {
    let state = &run.rows[row].state;
    let visit = run.rows[..row].iter().filter(|r| r.state == *state).count() + 1;
    format!(
        "{}?state={}&visit={visit}#state",
        path(&run.arn),
        encode(state)
    )
}

fn encode(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_stands_in_a_path_as_it_is() {
        assert_eq!(
            path("arn:aws:states:us-east-1:0:execution:reorder:a b/c"),
            "/executions/arn:aws:states:us-east-1:0:execution:reorder:a%20b%2Fc"
        );
    }
}

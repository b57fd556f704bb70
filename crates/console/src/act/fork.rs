//! `/act/fork`: a new execution from a state of another one, with an edited input. Edit, look at the difference and at
//! what will run, then start.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use maud::{Markup, html};
use operate::fork::{Plan, starts};
use operate::timeline::short_name;
use operate::{answer, find};
use serde_json::Value;

use super::form::{Asked, Csrf, Query};
use super::work::Work;
use super::{confirm, runs};
use crate::app::App;
use crate::error::PageError;
use crate::layout::{Page, Tab};
use crate::pages::execution;

pub(crate) fn router() -> Router<Arc<App>> {
    Router::new().route("/act/fork", get(page).post(send))
}

async fn page(
    State(app): State<Arc<App>>,
    csrf: Csrf,
    Query(fields): Query,
) -> Result<Markup, PageError> {
    let arn = find::execution(&app.at, fields.need("execution")?, None).await?;
    let Some(from) = fields.get("from") else {
        return choose(&app, &arn).await;
    };
    let plan = Plan::make(&app.at, &arn, from).await?;
    let text = confirm::editable(plan.had.as_ref().unwrap_or(&Value::Null));
    edit(&app, &csrf, &plan, &text, None).await
}

/// Which state to start with.
async fn choose(app: &App, arn: &str) -> Result<Markup, PageError> {
    let definition = answer::definition(&app.at, arn).await?;
    let body = html! {
        div .head { h1 { "Fork " (short_name(arn)) } }
        form .stack method="get" {
            input type="hidden" name="execution" value=(arn);
            label for="from" { "Start with the state" }
            select #from name="from" { @for state in starts(&definition) { option value=(state) { (state) } } }
            p { "States inside a Parallel or a Map cannot be started alone." }
            div .actions { button .primary type="submit" { "Go on" } a .button href=(execution::path(arn)) { "Back" } }
        }
    };
    Ok(Page::new("Fork", Tab::Executions).render(app, body))
}

async fn edit(
    app: &App,
    csrf: &Csrf,
    plan: &Plan,
    text: &str,
    problem: Option<&str>,
) -> Result<Markup, PageError> {
    let title = format!("Fork from {}", plan.from);
    let body = html! {
        p .crumb { a href=(execution::path(&plan.origin)) { (short_name(&plan.origin)) } }
        div .head { h1 { (title) } }
        (confirm::place(app).await?)
        p {
            "A new execution starts in the middle: with " strong { (plan.from) } " and this input. "
            "It runs on a temporary state machine, " code { (plan.machine) } "; the execution it is forked from is not touched."
        }
        @if plan.had.is_none() {
            p .notice { "The execution never entered this state, so it has no input there: write one." }
        }
        form .stack method="post" action="/act/fork" {
            (csrf.field())
            input type="hidden" name="execution" value=(plan.origin);
            input type="hidden" name="from" value=(plan.from);
            (confirm::json_field(text, problem))
            div .actions {
                button .primary type="submit" name="step" value="review" { "Review" }
                a .button href=(execution::path(&plan.origin)) { "Do nothing" }
            }
        }
    };
    Ok(Page::new(&title, Tab::Executions).render(app, body))
}

async fn send(State(app): State<Arc<App>>, asked: Asked) -> Result<Response, PageError> {
    let fields = &asked.fields;
    let plan = Plan::make(&app.at, fields.need("execution")?, fields.need("from")?).await?;
    let text = fields.get("input").unwrap_or_default();
    let input = match confirm::read_json(text, plan.had.as_ref().unwrap_or(&Value::Null)) {
        Ok(input) => input,
        Err(problem) => {
            let page = edit(&app, &asked.csrf, &plan, text, Some(&problem)).await?;
            return Ok((StatusCode::BAD_REQUEST, page).into_response());
        }
    };
    if fields.get("step") != Some("start") {
        return Ok(review(&app, &asked.csrf, &plan, text, &input)
            .await?
            .into_response());
    }
    let title = format!("Fork {} from {}", short_name(&plan.origin), plan.from);
    let work = Work::Fork {
        plan: Box::new(plan),
        input,
    };
    Ok(runs::begin(&app, asked.who, title, vec![work]).await)
}

/// What differs and what will run.
async fn review(
    app: &App,
    csrf: &Csrf,
    plan: &Plan,
    text: &str,
    input: &Value,
) -> Result<Markup, PageError> {
    let had = plan.had.clone().unwrap_or_default();
    let title = format!("Fork from {}", plan.from);
    let body = html! {
        p .crumb { a href=(execution::path(&plan.origin)) { (short_name(&plan.origin)) } }
        div .head { h1 { (title) ": start it?" } }
        (confirm::place(app).await?)
        section .card {
            h2 { "What differs" }
            div .body { (confirm::difference(("the input it had", &had), ("the fork's input", input))) }
        }
        section .card {
            h2 { "What runs" }
            div .body {
                p { "If nothing fails, these tasks run, with all their side effects:" }
                (confirm::effects(&plan.effects))
                @if !plan.variables.is_empty() {
                    p { "Variables are restored: " (plan.variables.join(", ")) "." }
                }
            }
        }
        form .stack method="post" action="/act/fork" {
            (csrf.field())
            input type="hidden" name="execution" value=(plan.origin);
            input type="hidden" name="from" value=(plan.from);
            input type="hidden" name="input" value=(text);
            div .actions {
                button .primary type="submit" name="step" value="start" { "Start the fork" }
                a .button href=(execution::path(&plan.origin)) { "Do nothing" }
            }
        }
    };
    Ok(Page::new(&title, Tab::Executions).render(app, body))
}

//! `/act/start`: start a workflow, with a form from its input's schema where that is known, else with JSON.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use maud::{Markup, html};
use operate::diff::pretty;
use operate::error::refused;
use operate::{ahead, find};
use serde_json::{Value, json};

use super::form::{Asked, Csrf, Fields, Query};
use super::schema::{self, Field};
use super::work::Work;
use super::{confirm, runs};
use crate::app::App;
use crate::error::PageError;
use crate::layout::{Page, Tab, empty};
use crate::redact;

pub(crate) fn router() -> Router<Arc<App>> {
    Router::new().route("/act/start", get(page).post(send))
}

/// What stands in the field of a member.
type Typed<'a> = Box<dyn Fn(&str) -> Option<String> + Send + Sync + 'a>;

/// What the page shows in its fields.
struct Shown<'a> {
    machine: &'a str,
    /// The execution whose input it begins with.
    origin: Option<&'a str>,
    name: Option<&'a str>,
    /// The whole input, for the field for JSON.
    text: String,
    values: Typed<'a>,
    wrong: Vec<(String, String)>,
    problem: Option<String>,
}

async fn page(
    State(app): State<Arc<App>>,
    csrf: Csrf,
    Query(fields): Query,
) -> Result<Response, PageError> {
    let Some(machine) = fields.get("machine") else {
        return Ok(choose(&app).await?.into_response());
    };
    // Another execution's input to begin with.
    let input = redact::value(&original(&app, &fields).await?);
    let shown = Shown {
        machine,
        origin: fields.get("execution"),
        name: None,
        text: pretty(&input),
        values: Box::new(schema::typed(&input)),
        wrong: Vec::new(),
        problem: None,
    };
    Ok(edit(&app, &csrf, &shown).await?.into_response())
}

async fn choose(app: &App) -> Result<Markup, PageError> {
    let machines = find::machines(&app.at).await?;
    let body = html! {
        div .head { h1 { "Start a workflow" } }
        @if machines.is_empty() {
            div .card { (empty("No workflow is deployed here", html! {
                "Run " code { "restock up" } " for the workflows on this machine, or apply the deployment on AWS."
            })) }
        } @else {
            form .stack method="get" {
                label for="machine" { "Workflow" }
                select #machine name="machine" { @for m in &machines { option value=(m.name) { (m.name) } } }
                div .actions { button .primary type="submit" { "Go on" } }
            }
        }
    };
    Ok(Page::new("Start a workflow", Tab::Workflows).render(app, body))
}

/// The input that the fields begin with.
async fn original(app: &App, fields: &Fields) -> Result<Value, PageError> {
    match fields.get("execution") {
        Some(arn) => input_of(app, arn).await,
        None => Ok(json!({})),
    }
}

async fn input_of(app: &App, arn: &str) -> Result<Value, PageError> {
    let described = app
        .at
        .sfn
        .describe_execution()
        .execution_arn(arn)
        .send()
        .await;
    let described = described.map_err(refused("read the input of that execution"))?;
    let input = described.input.as_deref().unwrap_or("{}");
    Ok(serde_json::from_str(input).unwrap_or_else(|_| json!({})))
}

/// The form for the workflow's input: that of the task which is given the input as it is.
async fn form_of(app: &App, machine: &str) -> Result<Option<Vec<Field>>, PageError> {
    let arn = find::machine(&app.at, machine).await?;
    let described = app
        .at
        .sfn
        .describe_state_machine()
        .state_machine_arn(arn)
        .send()
        .await;
    let described = described.map_err(refused(format!("read the definition of {machine}")))?;
    let definition = ahead::parse(&described.definition)?;
    let function = ahead::takes_input(&definition);
    let contract = function.and_then(|function| app.contracts.get(&function));
    Ok(contract.and_then(|contract| schema::fields(&contract.input)))
}

async fn edit(app: &App, csrf: &Csrf, shown: &Shown<'_>) -> Result<Markup, PageError> {
    let title = format!("Start {}", shown.machine);
    let form = form_of(app, shown.machine).await?;
    let name = html! {
        div .stack {
            label for="name" { "Name (may be empty: Step Functions then makes one)" }
            input #name name="name" maxlength="80" autocomplete="off" value=[shown.name];
        }
    };
    let problem_of = |field: &Field| {
        let wrong = shown.wrong.iter().find(|(name, _)| *name == field.name);
        wrong.map(|(_, problem)| problem.as_str())
    };
    let origin = html! {
        @if let Some(arn) = shown.origin { input type="hidden" name="execution" value=(arn); }
    };
    let json = html! {
        form .stack method="post" action="/act/start" {
            (csrf.field()) (origin)
            input type="hidden" name="machine" value=(shown.machine);
            @if form.is_none() { (name) }
            (confirm::json_field(&shown.text, shown.problem.as_deref()))
            div .actions { button .primary[form.is_none()] type="submit" { "Start with this JSON" } }
        }
    };
    let body = html! {
        div .head { h1 { (title) } }
        (confirm::place(app).await?)
        @if let Some(fields) = &form {
            @if !shown.wrong.is_empty() {
                p .notice.problem role="alert" { "Nothing was started: " (shown.wrong.len()) " field(s) are not right." }
            }
            form .stack method="post" action="/act/start" {
                (csrf.field()) (origin)
                input type="hidden" name="machine" value=(shown.machine);
                (name)
                @for field in fields { (field.render((shown.values)(&field.name).as_deref(), problem_of(field))) }
                div .actions { button .primary type="submit" name="by" value="fields" { "Start" } }
            }
            details #as-json open[shown.problem.is_some()] { summary { "Give the whole input as JSON" } (json) }
        } @else { (json) }
    };
    Ok(Page::new(&title, Tab::Workflows).render(app, body))
}

async fn send(State(app): State<Arc<App>>, asked: Asked) -> Result<Response, PageError> {
    let fields = &asked.fields;
    let machine = fields.need("machine")?;
    let form = form_of(&app, machine).await?;
    let original = original(&app, fields).await?;
    let input = match read(form.as_deref(), machine, fields, &original) {
        Ok(input) => input,
        Err(shown) => {
            let page = edit(&app, &asked.csrf, &shown).await?;
            return Ok((StatusCode::BAD_REQUEST, page).into_response());
        }
    };
    let work = Work::Start {
        machine: machine.to_owned(),
        name: fields.get("name").map(str::to_owned),
        input,
    };
    let title = format!("Start {machine}");
    Ok(runs::begin(&app, asked.who.clone(), title, vec![work]).await)
}

/// The input, or the page again with what is wrong with it.
fn read<'a>(
    form: Option<&[Field]>,
    machine: &'a str,
    fields: &'a Fields,
    original: &Value,
) -> Result<Value, Box<Shown<'a>>> {
    let again = |wrong, problem, text: &str| {
        Box::new(Shown {
            machine,
            origin: fields.get("execution"),
            name: fields.get("name"),
            text: text.to_owned(),
            values: Box::new(schema::typed_in(fields)),
            wrong,
            problem,
        })
    };
    match (fields.get("by"), form) {
        (Some("fields"), Some(form)) => {
            let input = schema::read(form, fields).map_err(|wrong| again(wrong, None, "{}"))?;
            confirm::read_json(&input.to_string(), original)
                .map_err(|problem| again(Vec::new(), Some(problem), &pretty(&input)))
        }
        _ => {
            let text = fields.get("input").unwrap_or("{}");
            confirm::read_json(text, original)
                .map_err(|problem| again(Vec::new(), Some(problem), text))
        }
    }
}

//! `/`: what an operator wants to see first.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use maud::{Markup, html};

use crate::app::App;
use crate::error::PageError;
use crate::layout::{Page, Tab, empty};

pub(crate) fn router() -> Router<Arc<App>> {
    Router::new().route("/", get(overview))
}

async fn overview(State(app): State<Arc<App>>) -> Result<Markup, PageError> {
    let machines = operate::find::machines(&app.at).await?;
    let body = html! {
        div .head { h1 { "Overview" } }
        @if machines.is_empty() {
            (empty("No workflow is deployed here", html! {
                "Run " code { "restock up" } " for the workflows on this machine, or apply the deployment on AWS."
            }))
        } @else {
            ul { @for machine in &machines { li { (machine.name) } } }
        }
    };
    Ok(Page::new("Overview", Tab::Overview).render(&app, body))
}

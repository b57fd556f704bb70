//! The pages: a file each, with its address, what it reads and how it looks.

mod execution;
mod executions;
mod home;

use std::sync::Arc;

use axum::Router;

use crate::app::App;
use crate::{assets, login};

/// Every page.
pub(crate) fn router(app: &Arc<App>) -> Router {
    Router::new()
        .merge(home::router())
        .merge(executions::router())
        .merge(assets::router())
        .merge(login::router())
        .with_state(app.clone())
}

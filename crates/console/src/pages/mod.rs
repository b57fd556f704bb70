//! The pages: a file each, with its address, what it reads and how it looks.

mod callbacks;
pub(crate) mod execution;
mod executions;
mod home;
mod logs;
mod mail;
pub(crate) mod queues;
mod shop;
mod workflows;

use std::sync::Arc;

use axum::Router;

use crate::app::App;
use crate::{act, assets, login};

/// Every page.
pub(crate) fn router(app: &Arc<App>) -> Router {
    Router::new()
        .merge(home::router())
        .merge(workflows::router())
        .merge(executions::router())
        .merge(execution::router())
        .merge(logs::router())
        .merge(queues::router())
        .merge(callbacks::router())
        .merge(mail::router())
        .merge(shop::router())
        .merge(act::router())
        .merge(assets::router())
        .merge(login::router())
        .with_state(app.clone())
}

//! Changing things: redrive, stop, start, fork, replay, discard, and what becomes of dead letters.
//!
//! Every change takes the same way. A GET page says what would happen ([`confirm`]); its form is sent by POST with a
//! token that only our pages have ([`form`]); the work ([`work`]) is done in the background by a run ([`runs`]), one or
//! a thousand pieces alike, whose page shows each result and goes on without a browser; and before and after each piece
//! a line is written to the audit ([`audit`]). What cannot be written down is not done.

mod audit;
mod buttons;
mod confirm;
mod fork;
mod form;
mod letters;
mod log_page;
mod parked;
mod redrive;
mod runs;
mod runs_page;
mod schema;
mod start;
mod stop;
mod token;
mod work;

use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;

use crate::app::App;

pub(crate) use buttons::{buttons, several};
pub(crate) use form::Csrf;
pub(crate) use letters::button as look_at_letters;
pub(crate) use parked::{links as parked_links, listed_key as parked_key};

use audit::Audit;
use runs::Runs;
use token::Secret;

/// What changing things needs to remember.
#[derive(Debug)]
pub(crate) struct Act {
    secret: Secret,
    audit: Audit,
    runs: Runs,
}

impl Act {
    /// The audit lies in `data_dir`; without one it is kept in memory and logged.
    pub(crate) fn new(data_dir: Option<PathBuf>) -> Act {
        Act {
            secret: Secret::new(),
            audit: Audit::new(data_dir),
            runs: Runs::default(),
        }
    }
}

/// Every page that changes something or tells of changes.
pub(crate) fn router() -> Router<Arc<App>> {
    Router::new()
        .merge(redrive::router())
        .merge(stop::router())
        .merge(start::router())
        .merge(fork::router())
        .merge(parked::router())
        .merge(letters::router())
        .merge(runs_page::router())
        .merge(log_page::router())
}

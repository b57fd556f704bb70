//! The ready file: how scripts learn where the parts listen. It exists only while it is true: removed before the start,
//! renamed into place once everything listens.

use std::io;
use std::path::Path;

use serde::Serialize;

use crate::data_dir::write_atomically;

/// Where the parts of a running installation listen.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Listening {
    pub pid: u32,
    pub api: String,
    pub aws: String,
    pub console: String,
    /// The simulated factory, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub factory: Option<String>,
    /// The simulated marketing system, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub marketing: Option<String>,
}

pub(crate) fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

pub(crate) fn write(path: &Path, listening: &Listening) -> io::Result<()> {
    write_atomically(path, serde_json::to_string(listening)?.as_bytes())
}

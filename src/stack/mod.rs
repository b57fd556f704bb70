//! The one list of the stack, `workflows/stack.json`: what it says ([`model`]), where it comes from ([`source`]), how
//! its placeholders become ARNs and URLs ([`render`]), and how it becomes real through AWS's own protocols
//! ([`provision`]). Terraform reads the same file; nothing that it also needs may be written anywhere else.

pub(crate) mod contracts;
pub(crate) mod definitions;
pub(crate) mod model;
pub(crate) mod provision;
pub(crate) mod render;
pub(crate) mod source;

use std::path::PathBuf;

use thiserror::Error;

/// Why the stack cannot be used.
#[derive(Debug, Error)]
pub(crate) enum StackError {
    #[error("cannot read {}: {source}. Check --workflows", path.display())]
    Read {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("{file} is not in the workflows folder; stack.json names it")]
    Missing { file: String },
    #[error("{file} is not a valid stack: {source}")]
    Parse {
        file: String,
        source: serde_json::Error,
    },
    #[error("stack.json: {0}")]
    Inconsistent(String),
    #[error("{file}: unknown placeholder ${{{name}}}. Known are {known}")]
    Placeholder {
        file: String,
        name: String,
        known: String,
    },
}

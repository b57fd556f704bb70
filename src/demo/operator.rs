//! The shop's operator: looks and acts with the same verbs a person would type, on the same endpoint.

use std::path::PathBuf;
use std::process::Stdio;

use owo_colors::{OwoColorize, Stream};
use serde_json::Value;
use tokio::process::Command;

use super::child::without_settings;
use super::{Child, DemoError, in_step};
use crate::terminal;

/// Someone at a terminal.
pub(crate) struct Operator {
    program: PathBuf,
    endpoint: String,
}

impl Operator {
    pub(crate) fn new(child: &Child) -> Result<Operator, DemoError> {
        Ok(Operator {
            program: std::env::current_exe().map_err(in_step("search for its own program"))?,
            endpoint: child.aws().to_owned(),
        })
    }

    /// `restock …`, shown as it would be typed; its stdout.
    pub(crate) async fn types(&self, words: &[&str]) -> Result<String, DemoError> {
        let typed = format!("$ restock {}", words.join(" "));
        let typed = typed.if_supports_color(Stream::Stderr, |t| t.cyan());
        terminal::say(&format!("  {typed}"));
        let mut command = Command::new(&self.program);
        without_settings(&mut command);
        let output = command
            .args(words)
            .env("RESTOCK_ENDPOINT_URL", &self.endpoint)
            .stdin(Stdio::null())
            .output()
            .await
            .map_err(in_step("operator's command"))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            let why = format!("restock {}: {}", words.join(" "), said.trim());
            return Err(in_step("operator's command")(why));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// As [`types`](Self::types), of a command that answers with JSON.
    pub(crate) async fn reads(&self, words: &[&str]) -> Result<Value, DemoError> {
        let text = self.types(words).await?;
        serde_json::from_str(&text).map_err(in_step("operator's command"))
    }
}

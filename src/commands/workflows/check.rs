//! `restock workflows check`: all that is wrong with the definitions, with place and remedy.

use std::path::Path;

use serde_json::{Value, json};

use super::super::Outcome;
use super::verdict;
use crate::stack::definitions::{self, Definition};
use crate::terminal;

pub(super) fn run(as_json: bool, folder: Option<&Path>) -> Outcome {
    let all = definitions::load_all(folder)?;
    let good = all.iter().all(Definition::is_valid);
    if as_json {
        let found: Vec<Value> = all.iter().map(to_json).collect();
        terminal::answer(&serde_json::to_string_pretty(&found)?)?;
        return Ok(verdict(good));
    }
    for definition in &all {
        let Definition {
            name,
            file,
            diagnostics,
            ..
        } = definition;
        for diagnostic in diagnostics {
            // A syntax error goes on with the text around it, as AWS has it.
            let told = diagnostic.to_string();
            let first = told.lines().next().unwrap_or_default();
            terminal::answer(&format!("{file}:{}: {first}", diagnostic.line))?;
            if let Some(help) = &diagnostic.help {
                terminal::answer(&format!("    {help}"))?;
            }
        }
        if definition.is_valid() {
            terminal::say(&format!("{name}: {file} is valid"));
        }
    }
    Ok(verdict(good))
}

fn to_json(definition: &Definition) -> Value {
    let diagnostics = definition.diagnostics.iter().map(|it| {
        json!({
            "severity": match it.severity {
                asl::Severity::Error => "error",
                asl::Severity::Warning => "warning",
            },
            "code": it.code.as_str(),
            "pointer": it.pointer,
            "line": it.line,
            "message": it.message,
            "help": it.help,
        })
    });
    json!({
        "state_machine": definition.name,
        "file": definition.file,
        "valid": definition.is_valid(),
        "diagnostics": diagnostics.collect::<Vec<_>>(),
    })
}

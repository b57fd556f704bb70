//! JSON that an operator gives: on the command line, in a file, on standard input, or in an editor.

use std::fs;
use std::io::{self, Read, Write};
use std::process::Command;

use operate::diff::pretty;
use serde_json::Value;

use super::error::VerbError;

/// Reads `JSON`, `@file` or `-`.
pub(crate) fn read(argument: &str) -> Result<Value, VerbError> {
    let (from, text) = if argument == "-" {
        let mut text = String::new();
        io::stdin().read_to_string(&mut text)?;
        ("standard input".to_owned(), text)
    } else if let Some(path) = argument.strip_prefix('@') {
        let text = fs::read_to_string(path)
            .map_err(|error| VerbError::Data(format!("cannot read {path}: {error}")))?;
        (path.to_owned(), text)
    } else {
        ("--input".to_owned(), argument.to_owned())
    };
    parse(&from, &text)
}

fn parse(from: &str, text: &str) -> Result<Value, VerbError> {
    serde_json::from_str(text).map_err(|error| {
        VerbError::Data(format!(
            "{from} is not JSON: {error}. Give JSON, @file, or - for standard input"
        ))
    })
}

/// Opens the value in `$VISUAL` or `$EDITOR` and gives what was saved.
pub(crate) fn edit(value: &Value) -> Result<Value, VerbError> {
    let editor = ["VISUAL", "EDITOR"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok().filter(|v| !v.trim().is_empty()))
        .ok_or_else(|| {
            VerbError::Data("--edit needs $VISUAL or $EDITOR; or give --input".to_owned())
        })?;
    let mut file = tempfile::Builder::new()
        .prefix("restock-")
        .suffix(".json")
        .tempfile()?;
    writeln!(file, "{}", pretty(value))?;
    file.flush()?;
    // Editors are often given with flags: EDITOR="code --wait".
    let mut words = editor.split_whitespace();
    let program = words.next().unwrap_or("vi");
    let status = Command::new(program)
        .args(words)
        .arg(file.path())
        .status()
        .map_err(|error| VerbError::Data(format!("cannot start the editor {program}: {error}")))?;
    if !status.success() {
        return Err(VerbError::Data(format!(
            "the editor ended with {status}; nothing was changed"
        )));
    }
    parse("what the editor saved", &fs::read_to_string(file.path())?)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn input_comes_from_the_argument_or_a_file() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), r#"{"a":1}"#).unwrap();
        let at = format!("@{}", file.path().display());
        for (argument, expected) in [
            (r#"{"a":1}"#, Some(json!({"a": 1}))),
            ("[]", Some(json!([]))),
            (at.as_str(), Some(json!({"a": 1}))),
            ("{a:1}", None),
            ("@/does/not/exist", None),
        ] {
            assert_eq!(read(argument).ok(), expected, "{argument}");
        }
    }
}

//! The text itself: size, syntax, duplicate members, and on which line everything stands.

use std::collections::HashMap;

use serde_json::Value;

use crate::{Code, Diagnostic, Severity, jackson};

/// AWS's limit for a definition, in bytes.
const LARGEST: usize = 1 << 20;

/// From AWS's form of a JSON pointer (`/States/A/Choices[0]`) to the line it begins on.
pub(super) struct Lines(HashMap<String, u32>);

impl Lines {
    /// The line of a place, or of the nearest place around it.
    pub(super) fn of(&self, pointer: &str) -> u32 {
        let mut at = pointer;
        loop {
            if let Some(line) = self.0.get(at) {
                return *line;
            }
            match at.rfind(['/', '[']) {
                Some(end) => at = &at[..end],
                None => return 1,
            }
        }
    }
}

/// The JSON value and its lines; `None` after a diagnostic if there is no point in reading on.
pub(super) fn read(text: &str, diagnostics: &mut Vec<Diagnostic>) -> Option<(Value, Lines)> {
    let mut refuse =
        |code: Code, line: u32, pointer: String, message: String, help: Option<&str>| {
            let help = help.map(str::to_owned);
            diagnostics.push(Diagnostic {
                severity: Severity::Error,
                code,
                pointer,
                line,
                message,
                help,
            });
        };
    if text.len() > LARGEST {
        let message = format!(
            "The definition has {} bytes; the limit is {LARGEST}",
            text.len()
        );
        refuse(
            Code::DefinitionTooLarge,
            1,
            String::new(),
            message,
            Some("Split the state machine, or move data out of it."),
        );
        return None;
    }
    if text.trim().is_empty() {
        refuse(
            Code::SchemaValidationFailed,
            1,
            String::new(),
            "Definition must be a valid JSON object".to_owned(),
            None,
        );
        return None;
    }
    let value: Value = match serde_json::from_str(text) {
        Ok(value) => value,
        Err(error) => {
            let (line, location, message) = match jackson::mistake(text) {
                Some(mistake) => (mistake.line, mistake.location.clone(), mistake.text()),
                None => (error.line(), String::new(), error.to_string()),
            };
            let line = u32::try_from(line).unwrap_or(u32::MAX);
            refuse(Code::InvalidJsonDescription, line, location, message, None);
            return None;
        }
    };
    if !value.is_object() {
        refuse(
            Code::SchemaValidationFailed,
            1,
            String::new(),
            "Definition must be a valid JSON object".to_owned(),
            None,
        );
        return None;
    }
    let mut scanner = Scanner {
        bytes: text.as_bytes(),
        at: 0,
        line: 1,
        lines: HashMap::new(),
        duplicates: Vec::new(),
    };
    scanner.value(&mut String::new());
    for (pointer, line) in std::mem::take(&mut scanner.duplicates) {
        let message = format!(
            "Duplicate field '{}'",
            pointer.rsplit('/').next().unwrap_or_default()
        );
        refuse(
            Code::InvalidJsonDescription,
            line,
            pointer,
            message,
            Some("Keep one of the two."),
        );
    }
    Some((value, Lines(scanner.lines)))
}

/// Walks a text that is known to be JSON, at most 128 levels deep.
struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
    line: u32,
    lines: HashMap<String, u32>,
    duplicates: Vec<(String, u32)>,
}

impl Scanner<'_> {
    fn value(&mut self, pointer: &mut String) {
        self.blanks();
        if self.lines.insert(pointer.clone(), self.line).is_some() {
            self.duplicates.push((pointer.clone(), self.line));
        }
        match self.bytes.get(self.at) {
            Some(b'{') => self.object(pointer),
            Some(b'[') => self.array(pointer),
            Some(b'"') => {
                self.string();
            }
            _ => {
                while self.bytes.get(self.at).is_some_and(|byte| {
                    !matches!(byte, b',' | b']' | b'}' | b' ' | b'\t' | b'\r' | b'\n')
                }) {
                    self.at += 1;
                }
            }
        }
        self.blanks();
    }

    fn object(&mut self, pointer: &mut String) {
        self.at += 1;
        self.blanks();
        while self.bytes.get(self.at).is_some_and(|byte| *byte != b'}') {
            let key = self.string();
            self.blanks();
            self.at += 1; // the colon
            let length = pointer.len();
            pointer.push('/');
            pointer.push_str(&key);
            self.value(pointer);
            pointer.truncate(length);
            if self.bytes.get(self.at) == Some(&b',') {
                self.at += 1;
                self.blanks();
            }
        }
        self.at += 1;
    }

    fn array(&mut self, pointer: &mut String) {
        self.at += 1;
        self.blanks();
        let mut index = 0;
        while self.bytes.get(self.at).is_some_and(|byte| *byte != b']') {
            let length = pointer.len();
            pointer.push_str(&format!("[{index}]"));
            self.value(pointer);
            pointer.truncate(length);
            index += 1;
            if self.bytes.get(self.at) == Some(&b',') {
                self.at += 1;
            }
        }
        self.at += 1;
    }

    fn string(&mut self) -> String {
        let begin = self.at;
        self.at += 1;
        while let Some(byte) = self.bytes.get(self.at) {
            self.at += match byte {
                b'\\' => 2,
                b'"' => break,
                _ => 1,
            };
        }
        self.at += 1;
        self.bytes
            .get(begin..self.at)
            .and_then(|raw| serde_json::from_slice(raw).ok())
            .unwrap_or_default()
    }

    fn blanks(&mut self) {
        while let Some(byte) = self.bytes.get(self.at) {
            match byte {
                b'\n' => self.line += 1,
                b' ' | b'\t' | b'\r' => {}
                _ => return,
            }
            self.at += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_duplicates() {
        let mut diagnostics = Vec::new();
        let (_, lines) = read(
            "{\n \"a\": [1,\n 2],\n \"b\": {\"c\": \"}\\\"\"},\n \"a\": 0}",
            &mut diagnostics,
        )
        .unwrap();
        assert_eq!(lines.of("/a[1]"), 3);
        assert_eq!(lines.of("/b/c"), 4);
        assert_eq!(lines.of("/b/unknown/x"), 4);
        assert_eq!(diagnostics.len(), 1);
        assert_eq!(
            (diagnostics[0].pointer.as_str(), diagnostics[0].line),
            ("/a", 5)
        );
    }

    #[test]
    fn what_is_not_a_definition_is_refused() {
        for text in [
            "",
            "  ",
            "[]",
            "1",
            "{",
            &"[".repeat(1_000_000),
            &" ".repeat(LARGEST + 1),
            &format!("{}{}", "{\"a\":".repeat(5000), "}".repeat(5000)),
        ] {
            let mut diagnostics = Vec::new();
            assert!(read(text, &mut diagnostics).is_none());
            assert_eq!(diagnostics.len(), 1);
        }
    }
}

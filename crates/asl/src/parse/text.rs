//! The text itself: size, syntax, duplicate members, and on which line everything stands.

use std::collections::HashMap;

use serde_json::Value;

use crate::{Code, Diagnostic, Severity};

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
            let (line, location, message) = jackson::describe(text, &error);
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

/// Syntax errors in the words of the JSON parser that AWS uses.
mod jackson {
    /// Line, AWS's location and message of a syntax error.
    pub(super) fn describe(text: &str, error: &serde_json::Error) -> (u32, String, String) {
        let line = u32::try_from(error.line()).unwrap_or(u32::MAX);
        let shown: String = text.chars().take(500).collect();
        let offset = text
            .lines()
            .take(error.line().saturating_sub(1))
            .map(|line| line.len() + 1)
            .sum::<usize>()
            + error.column().saturating_sub(1);
        if let Some((token, end)) = bare_word(text, offset) {
            let location = format!("[Source: (String)\"{shown}\"; line: {line}, column: {end}]");
            let message = format!(
                "Unrecognized token '{token}': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')\n at {location}"
            );
            return (line, location, message);
        }
        let location = format!(
            "[Source: (String)\"{shown}\"; line: {line}, column: {}]",
            error.column()
        );
        (line, location.clone(), format!("{error}\n at {location}"))
    }

    /// The word around an offset that is no JSON, and the column after it.
    fn bare_word(text: &str, offset: usize) -> Option<(String, usize)> {
        let line_start = text.get(..offset)?.rfind('\n').map_or(0, |at| at + 1);
        let start = text[line_start..offset]
            .rfind(|c: char| !c.is_alphanumeric() && c != '_')
            .map_or(line_start, |at| line_start + at + 1);
        let token: String = text
            .get(start..)?
            .chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect();
        let end = start - line_start + token.chars().count() + 1;
        (token.chars().next().is_some_and(char::is_alphabetic)).then_some((token, end))
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

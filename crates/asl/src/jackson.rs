//! What is wrong with a text that is no JSON, in the words of the parser that AWS uses, Jackson.
//!
//! Reads the text once more, after our own parser has refused it. Knows what users get wrong; for what it cannot put in those
//! words the caller has the words of our parser.

/// The most characters of a text that a message repeats.
const SHOWN: usize = 500;

/// The first mistake in a text.
pub(crate) struct Mistake {
    /// Without the place.
    pub(crate) message: String,
    /// Line of the place, from 1.
    pub(crate) line: usize,
    /// `[Source: (String)"…"; line: 1, column: 4]`
    pub(crate) location: String,
}

impl Mistake {
    /// The whole message, as AWS shows it.
    pub(crate) fn text(&self) -> String {
        format!("{}\n at {}", self.message, self.location)
    }
}

/// Finds the first mistake; `None` if Jackson would find none.
pub(crate) fn mistake(text: &str) -> Option<Mistake> {
    let mut scanner = Scanner { text, at: 0 };
    let message = scanner.document().err()?;
    Some(scanner.place(message, scanner.at))
}

/// What is wrong with a text that is no JSON, in the words of the parser that AWS uses; `otherwise` if that would take it.
pub fn json_mistake(text: &str, otherwise: &dyn std::fmt::Display) -> String {
    mistake(text).map_or_else(|| otherwise.to_string(), |mistake| mistake.text())
}

/// A collection that is open.
#[derive(Clone, Copy)]
struct Open {
    object: bool,
    begin: usize,
}

impl Open {
    fn kind(self) -> &'static str {
        if self.object { "Object" } else { "Array" }
    }
}

struct Scanner<'t> {
    text: &'t str,
    /// Behind what was read last: there Jackson sees the mistake.
    at: usize,
}

type Read<T = ()> = Result<T, String>;

const VALUE: &str = "expected a valid value (JSON String, Number, Array, Object or token 'null', 'true' or 'false')";

impl Scanner<'_> {
    fn place(&self, message: String, at: usize) -> Mistake {
        let before = &self.text[..at];
        let line = before.matches('\n').count() + 1;
        let begin = before.rfind('\n').map_or(0, |newline| newline + 1);
        let column = before[begin..].encode_utf16().count() + usize::from(!self.text.is_empty());
        let shown: String = self.text.chars().take(SHOWN).collect();
        let rest = self.text[shown.len()..].encode_utf16().count();
        let cut = match rest {
            0 => String::new(),
            rest => format!("[truncated {rest} chars]"),
        };
        Mistake {
            message,
            line,
            location: format!("[Source: (String)\"{shown}\"{cut}; line: {line}, column: {column}]"),
        }
    }

    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(' ' | '\t' | '\r' | '\n')) {
            self.at += 1;
        }
    }

    /// The next character that is no blank, read.
    fn significant(&mut self) -> Option<char> {
        self.blanks();
        self.next()
    }

    fn document(&mut self) -> Read {
        let mut open: Vec<Open> = Vec::new();
        let Some(mut next) = self.significant() else {
            return Err("No content to map due to end-of-input".to_owned());
        };
        loop {
            // A value begins with `next`, or a collection that was just opened ends with it.
            let opened = match next {
                '{' | '[' => {
                    open.push(Open {
                        object: next == '{',
                        begin: self.at - 1,
                    });
                    true
                }
                _ => {
                    self.scalar(next)?;
                    false
                }
            };
            let Some(again) = self.after_value(&mut open, opened)? else {
                return Ok(());
            };
            next = again;
        }
    }

    /// Closes what ends here; the beginning of the next value, or nothing at the end of the text.
    fn after_value(&mut self, open: &mut Vec<Open>, mut opened: bool) -> Read<Option<char>> {
        loop {
            let Some(innermost) = open.last().copied() else {
                return match self.significant() {
                    None => Ok(None),
                    Some(next) => self
                        .scalar(next)
                        .and(Err(unexpected(next, "expected end of input"))),
                };
            };
            let Some(mut next) = self.significant() else {
                let begin = self.place(String::new(), innermost.begin).location;
                return Err(format!(
                    "Unexpected end-of-input: expected close marker for {} (start marker at {begin})",
                    innermost.kind()
                ));
            };
            match (next, innermost.object) {
                ('}', true) | (']', false) => {
                    open.pop();
                    opened = false;
                    continue;
                }
                ('}' | ']', _) => {
                    let begin = self.place(String::new(), innermost.begin).location;
                    let wanted = if innermost.object { '}' } else { ']' };
                    return Err(format!(
                        "Unexpected close marker '{next}': expected '{wanted}' (for {} starting at {begin})",
                        innermost.kind()
                    ));
                }
                (',', _) if !opened => next = self.within(innermost)?,
                _ if !opened => {
                    let kind = innermost.kind();
                    return Err(unexpected(
                        next,
                        &format!("was expecting comma to separate {kind} entries"),
                    ));
                }
                _ => {}
            }
            if innermost.object {
                if next != '"' {
                    return Err(unexpected(
                        next,
                        "was expecting double-quote to start field name",
                    ));
                }
                self.string(" in field name")?;
                match self.within(innermost)? {
                    ':' => {}
                    other => {
                        return Err(unexpected(
                            other,
                            "was expecting a colon to separate field name and value",
                        ));
                    }
                }
                next = self.within(innermost)?;
            }
            return Ok(Some(next));
        }
    }

    /// The next character, which has to be there.
    fn within(&mut self, innermost: Open) -> Read<char> {
        self.significant().ok_or_else(|| {
            format!(
                "Unexpected end-of-input within/between {} entries",
                innermost.kind()
            )
        })
    }

    fn scalar(&mut self, first: char) -> Read {
        match first {
            '"' => self.string(": was expecting closing quote for a string value"),
            '-' | '0'..='9' => self.number(first),
            '}' => Err(unexpected(first, "expected a value")),
            _ if is_word(first) => self.word(first),
            _ => Err(unexpected(first, VALUE)),
        }
    }

    fn word(&mut self, first: char) -> Read {
        let begin = self.at - first.len_utf8();
        while self.peek().is_some_and(is_word) {
            self.next();
        }
        match &self.text[begin..self.at] {
            "true" | "false" | "null" => Ok(()),
            token => Err(format!(
                "Unrecognized token '{token}': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')"
            )),
        }
    }

    fn number(&mut self, first: char) -> Read {
        let mut digit = first;
        if first == '-' {
            digit =
                self.digit("expected digit (0-9) to follow minus sign, for valid numeric value")?;
        }
        if digit == '0' && matches!(self.peek(), Some('0'..='9')) {
            self.next();
            return Err("Invalid numeric value: Leading zeroes not allowed".to_owned());
        }
        self.digits();
        if self.peek() == Some('.') {
            self.next();
            self.digit("Decimal point not followed by a digit")?;
            self.digits();
        }
        if matches!(self.peek(), Some('e' | 'E')) {
            self.next();
            if matches!(self.peek(), Some('+' | '-')) {
                self.next();
            }
            self.digit("Exponent indicator not followed by a digit")?;
            self.digits();
        }
        match self.peek() {
            None | Some(' ' | '\t' | '\r' | '\n' | ',' | ']' | '}') => Ok(()),
            Some(other) => {
                self.next();
                Err(unexpected(
                    other,
                    "Expected space separating root-level values",
                ))
            }
        }
    }

    fn digits(&mut self) {
        while matches!(self.peek(), Some('0'..='9')) {
            self.at += 1;
        }
    }

    fn digit(&mut self, wanted: &str) -> Read<char> {
        match self.next() {
            Some(digit @ '0'..='9') => Ok(digit),
            Some(other) => Err(format!(
                "Unexpected character ({}) in numeric value: {wanted}",
                named(other)
            )),
            None => Err("Unexpected end-of-input in a Number value".to_owned()),
        }
    }

    /// The rest of a text in quotes.
    fn string(&mut self, at_the_end: &str) -> Read {
        loop {
            match self.next() {
                None => return Err(format!("Unexpected end-of-input{at_the_end}")),
                Some('"') => return Ok(()),
                Some('\\') => match self.next() {
                    Some('u') => {
                        for _ in 0..4 {
                            match self.next() {
                                Some(digit) if digit.is_ascii_hexdigit() => {}
                                Some(other) => {
                                    return Err(unexpected(
                                        other,
                                        "expected a hex-digit for character escape sequence",
                                    ));
                                }
                                None => {
                                    return Err(
                                        "Unexpected end-of-input in character escape sequence"
                                            .to_owned(),
                                    );
                                }
                            }
                        }
                    }
                    Some('"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't') => {}
                    Some(other) => {
                        return Err(format!("Unrecognized character escape {}", named(other)));
                    }
                    None => {
                        return Err(
                            "Unexpected end-of-input in character escape sequence".to_owned()
                        );
                    }
                },
                Some(control) if control < ' ' => {
                    return Err(format!(
                        "Illegal unquoted character ({}): has to be escaped using backslash to be included in string value",
                        named(control)
                    ));
                }
                Some(_) => {}
            }
        }
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

fn unexpected(found: char, wanted: &str) -> String {
    format!("Unexpected character ({}): {wanted}", named(found))
}

fn named(c: char) -> String {
    let code = u32::from(c);
    if c < ' ' {
        format!("(CTRL-CHAR, code {code})")
    } else {
        format!("'{c}' (code {code})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_are_named_where_they_are() {
        let check = |text: &str, message: &str, column: usize| {
            let found = mistake(text).unwrap();
            assert_eq!(found.message, message, "{text}");
            let location = format!("[Source: (String)\"{text}\"; line: 1, column: {column}]");
            assert_eq!(found.location, location);
        };
        let close = |begin: &str, kind: &str| {
            format!(
                "Unexpected end-of-input: expected close marker for {kind} (start marker at [Source: (String)\"{begin}\"; line: 1, column: 1])"
            )
        };
        let comma = "was expecting comma to separate";
        check("", "No content to map due to end-of-input", 0);
        check(
            "not some json",
            "Unrecognized token 'not': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')",
            4,
        );
        check(
            "{'not': 1}",
            "Unexpected character (''' (code 39)): was expecting double-quote to start field name",
            3,
        );
        check(
            "{\"a\":1,}",
            "Unexpected character ('}' (code 125)): was expecting double-quote to start field name",
            9,
        );
        check(
            "{\"a\" 1}",
            "Unexpected character ('1' (code 49)): was expecting a colon to separate field name and value",
            7,
        );
        check(
            "{\"a\":1 \"b\":2}",
            &format!("Unexpected character ('\"' (code 34)): {comma} Object entries"),
            9,
        );
        check(
            "[1 2]",
            &format!("Unexpected character ('2' (code 50)): {comma} Array entries"),
            5,
        );
        check(
            "[1,]",
            &format!("Unexpected character (']' (code 93)): {VALUE}"),
            5,
        );
        check(
            "{\"a\":}",
            "Unexpected character ('}' (code 125)): expected a value",
            7,
        );
        check(
            "'",
            &format!("Unexpected character (''' (code 39)): {VALUE}"),
            2,
        );
        check(
            "\"",
            "Unexpected end-of-input: was expecting closing quote for a string value",
            2,
        );
        check("{\"a", "Unexpected end-of-input in field name", 4);
        check(
            "{\"a\"",
            "Unexpected end-of-input within/between Object entries",
            5,
        );
        check(
            "[1,",
            "Unexpected end-of-input within/between Array entries",
            4,
        );
        check("{", &close("{", "Object"), 2);
        check("[1", &close("[1", "Array"), 3);
        check("01", "Invalid numeric value: Leading zeroes not allowed", 3);
        check("\"\\x\"", "Unrecognized character escape 'x' (code 120)", 4);
        check(
            "[1}",
            "Unexpected close marker '}': expected ']' (for Array starting at [Source: (String)\"[1}\"; line: 1, column: 1])",
            4,
        );
    }

    #[test]
    fn long_texts_are_cut_and_lines_counted() {
        let found = mistake(&format!("[\n1,\n{}x]", " ".repeat(600))).unwrap();
        assert!(
            found
                .location
                .ends_with("\"[truncated 107 chars]; line: 3, column: 602]"),
            "{}",
            found.location
        );
        assert_eq!(found.line, 3);
    }

    #[test]
    fn json_has_no_mistakes() {
        for text in [
            "1",
            " {\"a\": [1, -2.5e+3, true, null, \"\\u00e9\\n\", {}, []]} ",
            "\"ä\"",
        ] {
            assert!(mistake(text).is_none(), "{text}");
        }
        assert!(mistake(&"[".repeat(1_000_000)).is_some());
    }
}

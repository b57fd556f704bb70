//! Reading paths and intrinsic function calls.

use regex::{Regex, RegexBuilder};
use serde_json::Value;

use super::filter::{Comparator, Filter, Operand};
use super::{Argument, Call, Form, Function, Path, PathExpression, Root, Selector, intrinsic};

/// How deep calls and filters may nest.
const DEPTH: usize = 20;

pub(super) fn parse(text: &str) -> Result<Form, String> {
    let mut reader = Reader { text, at: 0 };
    let form = if text.starts_with("States.") {
        Form::Call(reader.call(DEPTH)?)
    } else {
        Form::Path(reader.path()?)
    };
    reader.blanks();
    if reader.at < text.len() {
        Err(format!("unexpected '{}'", reader.rest()))
    } else {
        Ok(form)
    }
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Reader<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn eat(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    fn expect(&mut self, token: &str) -> Result<(), String> {
        if self.eat(token) {
            Ok(())
        } else {
            Err(format!("expected '{token}' at '{}'", self.rest()))
        }
    }

    fn blanks(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    /// Characters for which the condition holds.
    fn take(&mut self, holds: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let end = rest.find(|c| !holds(c)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    fn path(&mut self) -> Result<Path, String> {
        self.expect("$")?;
        let root = if self.eat("$") {
            Root::Context
        } else {
            let name = self.take(|c| c.is_alphanumeric() || c == '_');
            if name.is_empty() {
                Root::Input
            } else {
                Root::Variable(name.into())
            }
        };
        Ok(Path {
            root,
            selectors: self.selectors(DEPTH)?,
        })
    }

    fn selectors(&mut self, depth: usize) -> Result<Vec<Selector>, String> {
        let mut selectors = Vec::new();
        loop {
            if self.eat("..") {
                let inner = if self.rest().starts_with('[') {
                    self.bracket(depth)?
                } else {
                    self.name()?
                };
                if matches!(inner, Selector::Function(_)) {
                    return Err("a function takes one dot".to_owned());
                }
                selectors.push(Selector::Descend(Box::new(inner)));
            } else if self.eat(".") {
                let selector = self.name()?;
                let ends = matches!(selector, Selector::Function(_));
                selectors.push(selector);
                if ends {
                    return Ok(selectors);
                }
            } else if self.rest().starts_with('[') {
                selectors.push(self.bracket(depth)?);
            } else {
                return Ok(selectors);
            }
        }
    }

    /// After a dot.
    fn name(&mut self) -> Result<Selector, String> {
        if self.eat("*") {
            return Ok(Selector::Wildcard);
        }
        if let Some((_, function)) = Function::ALL.iter().find(|(name, _)| self.eat(name)) {
            return Ok(Selector::Function(*function));
        }
        let name = self.take(|c| !c.is_whitespace() && !".[]()'\"*?,:@$&|=<>!{}".contains(c));
        if name.is_empty() {
            Err(format!("a name is missing at '{}'", self.rest()))
        } else {
            Ok(Selector::Key(name.to_owned()))
        }
    }

    fn bracket(&mut self, depth: usize) -> Result<Selector, String> {
        self.expect("[")?;
        self.blanks();
        let selector = if self.eat("*") {
            Selector::Wildcard
        } else if self.eat("?") {
            self.blanks();
            self.expect("(")?;
            let filter = self.either(depth)?;
            self.blanks();
            self.expect(")")?;
            Selector::Filter(filter)
        } else {
            self.union()?
        };
        self.blanks();
        self.expect("]")?;
        Ok(selector)
    }

    fn union(&mut self) -> Result<Selector, String> {
        let mut parts = Vec::new();
        loop {
            self.blanks();
            parts.push(if matches!(self.peek(), Some('\'' | '"')) {
                Selector::Key(self.quoted()?)
            } else {
                self.index_or_slice()?
            });
            self.blanks();
            if !self.eat(",") {
                break;
            }
        }
        Ok(match parts.pop() {
            Some(only) if parts.is_empty() => only,
            last => Selector::Union(parts.into_iter().chain(last).collect()),
        })
    }

    fn index_or_slice(&mut self) -> Result<Selector, String> {
        let from = self.integer()?;
        self.blanks();
        if !self.eat(":") {
            return from
                .map(Selector::Index)
                .ok_or_else(|| format!("an index is missing at '{}'", self.rest()));
        }
        self.blanks();
        let to = self.integer()?;
        self.blanks();
        let step = if self.eat(":") {
            self.integer()?.unwrap_or(1)
        } else {
            1
        };
        if step < 1 {
            return Err("the step of a slice must be positive".to_owned());
        }
        Ok(Selector::Slice { from, to, step })
    }

    fn integer(&mut self) -> Result<Option<i64>, String> {
        let digits = self.take(|c| c.is_ascii_digit() || c == '-');
        if digits.is_empty() {
            Ok(None)
        } else {
            digits
                .parse()
                .map(Some)
                .map_err(|_| format!("'{digits}' is not an index"))
        }
    }

    /// A quoted text with backslash escapes.
    fn quoted(&mut self) -> Result<String, String> {
        let quote = self.peek().ok_or("a quoted text is missing")?;
        self.at += quote.len_utf8();
        let mut text = String::new();
        let mut characters = self.rest().char_indices();
        while let Some((offset, character)) = characters.next() {
            if character == quote {
                self.at += offset + character.len_utf8();
                return Ok(text);
            }
            match character {
                '\\' => text.extend(characters.next().map(|(_, escaped)| escaped)),
                _ => text.push(character),
            }
        }
        Err("a quote is not closed".to_owned())
    }

    fn either(&mut self, depth: usize) -> Result<Filter, String> {
        let any = self.separated("||", |reader| reader.both(depth))?;
        Ok(one_or(any, Filter::Or))
    }

    fn both(&mut self, depth: usize) -> Result<Filter, String> {
        let all = self.separated("&&", |reader| reader.term(depth))?;
        Ok(one_or(all, Filter::And))
    }

    fn separated(
        &mut self,
        separator: &str,
        read: impl Fn(&mut Self) -> Result<Filter, String>,
    ) -> Result<Vec<Filter>, String> {
        let mut filters = vec![read(self)?];
        loop {
            self.blanks();
            if !self.eat(separator) {
                return Ok(filters);
            }
            filters.push(read(self)?);
        }
    }

    fn term(&mut self, depth: usize) -> Result<Filter, String> {
        let depth = depth.checked_sub(1).ok_or("the filter nests too deep")?;
        self.blanks();
        if self.eat("!") {
            return Ok(Filter::Not(Box::new(self.term(depth)?)));
        }
        if self.eat("(") {
            let inner = self.either(depth)?;
            self.blanks();
            self.expect(")")?;
            return Ok(inner);
        }
        let left = self.operand(depth)?;
        self.blanks();
        if self.eat("=~") {
            self.blanks();
            return Ok(Filter::Matches(left, self.pattern()?));
        }
        let comparators = [
            ("==", Comparator::Equal),
            ("!=", Comparator::NotEqual),
            ("<=", Comparator::LessOrEqual),
            (">=", Comparator::GreaterOrEqual),
            ("<", Comparator::Less),
            (">", Comparator::Greater),
            ("in ", Comparator::In),
            ("nin ", Comparator::NotIn),
            ("contains ", Comparator::Contains),
            ("size ", Comparator::Size),
            ("empty ", Comparator::Empty),
            ("subsetof ", Comparator::SubsetOf),
            ("anyof ", Comparator::AnyOf),
            ("noneof ", Comparator::NoneOf),
        ];
        match comparators.into_iter().find(|(token, _)| self.eat(token)) {
            Some((_, comparator)) => Ok(Filter::Compare(left, comparator, self.operand(depth)?)),
            None => Ok(Filter::Exists(left)),
        }
    }

    /// `/pattern/` with flags; a slash in it is escaped.
    fn pattern(&mut self) -> Result<Regex, String> {
        self.expect("/")?;
        let mut escaped = false;
        let end = self.rest().find(|c| {
            let ends = c == '/' && !escaped;
            escaped = c == '\\' && !escaped;
            ends
        });
        let end = end.ok_or("a pattern is not closed")?;
        let pattern = self.rest()[..end].replace("\\/", "/");
        self.at += end + 1;
        let flags = self.take(char::is_alphabetic);
        RegexBuilder::new(&format!("^(?:{pattern})$"))
            .case_insensitive(flags.contains('i'))
            .dot_matches_new_line(flags.contains('s'))
            .ignore_whitespace(flags.contains('x'))
            .build()
            .map_err(|error| error.to_string())
    }

    fn operand(&mut self, depth: usize) -> Result<Operand, String> {
        self.blanks();
        if self.eat("@") {
            return self.selectors(depth).map(Operand::Element);
        }
        if self.eat("$") {
            return self.selectors(depth).map(Operand::Root);
        }
        if matches!(self.peek(), Some('\'' | '"')) {
            return self
                .quoted()
                .map(|text| Operand::Literal(Value::String(text)));
        }
        if self.rest().starts_with('[') {
            let end = self.rest().find(']').ok_or("a list is not closed")?;
            let list = self.rest()[..=end].replace('\'', "\"");
            self.at += end + 1;
            return serde_json::from_str(&list)
                .map(Operand::Literal)
                .map_err(|error| error.to_string());
        }
        self.word().map(Operand::Literal)
    }

    /// A number, `true`, `false` or `null`.
    fn word(&mut self) -> Result<Value, String> {
        let word = self.take(|c| c.is_alphanumeric() || "+-.".contains(c));
        match serde_json::from_str::<Value>(word) {
            Ok(value) => Ok(value),
            Err(_) => Err(format!("'{word}' is neither a path nor a literal")),
        }
    }

    fn call(&mut self, depth: usize) -> Result<Call, String> {
        let depth = depth.checked_sub(1).ok_or("the calls nest too deep")?;
        let name = self.take(|c| c.is_alphanumeric() || c == '.');
        if !intrinsic::exists(name) {
            return Err(format!("there is no intrinsic function '{name}'"));
        }
        let name = name.to_owned();
        self.blanks();
        self.expect("(")?;
        let mut arguments = Vec::new();
        self.blanks();
        while !self.eat(")") {
            if !arguments.is_empty() {
                self.expect(",")?;
                self.blanks();
            }
            arguments.push(self.argument(depth)?);
            self.blanks();
        }
        intrinsic::check_arity(&name, arguments.len())?;
        Ok(Call { name, arguments })
    }

    fn argument(&mut self, depth: usize) -> Result<Argument, String> {
        match self.peek() {
            Some('\'') => self
                .literal()
                .map(|text| Argument::Literal(Value::String(text))),
            Some('$') => {
                let begin = self.at;
                let path = self.path()?;
                Ok(Argument::Path(PathExpression {
                    text: self.text[begin..self.at].into(),
                    form: Form::Path(path),
                }))
            }
            _ if self.rest().starts_with("States.") => self.call(depth).map(Argument::Call),
            _ => self.word().map(Argument::Literal),
        }
    }

    /// A text argument: only `'`, `{`, `}` and `\` may be escaped; braces keep their backslash, for `States.Format`.
    fn literal(&mut self) -> Result<String, String> {
        self.expect("'")?;
        let mut text = String::new();
        let mut characters = self.rest().char_indices();
        while let Some((offset, character)) = characters.next() {
            match character {
                '\'' => {
                    self.at += offset + 1;
                    return Ok(text);
                }
                '\\' => match characters.next() {
                    Some((_, '\'')) => text.push('\''),
                    Some((_, escaped @ ('{' | '}' | '\\'))) => {
                        text.push('\\');
                        text.push(escaped);
                    }
                    _ => return Err("only \\', \\{, \\} and \\\\ can be escaped".to_owned()),
                },
                _ => text.push(character),
            }
        }
        Err("a quote is not closed".to_owned())
    }
}

/// The only one, or all together.
fn one_or(mut filters: Vec<Filter>, together: impl Fn(Vec<Filter>) -> Filter) -> Filter {
    match filters.pop() {
        Some(only) if filters.is_empty() => only,
        last => together(filters.into_iter().chain(last).collect()),
    }
}

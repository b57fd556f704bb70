//! Constraints on the members of a request, checked before anything is looked up.
//!
//! AWS collects what is wrong with all members and answers one `ValidationException` that lists it. A request's `check`
//! function names each member once, with the limits of its type in the API reference, and gets back plain values.

use std::fmt::Display;

use super::error;
use crate::protocol::json::JsonError;

/// Limits of a text member.
#[derive(Debug, Clone, Copy)]
pub(super) struct Text {
    pub(super) min: usize,
    pub(super) max: usize,
    /// How the length counts: payloads in bytes of UTF-8, everything else in characters.
    pub(super) bytes: bool,
    /// AWS does not repeat the value of a member that may hold secrets.
    pub(super) sensitive: bool,
    pub(super) pattern: Option<Pattern>,
}

/// A regular expression of AWS's, and the same rule in Rust.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pattern {
    pub(super) expression: &'static str,
    pub(super) matches: fn(&str) -> bool,
}

impl Text {
    const fn new(min: usize, max: usize) -> Text {
        Text {
            min,
            max,
            bytes: false,
            sensitive: false,
            pattern: None,
        }
    }

    const fn sensitive(self) -> Text {
        Text {
            sensitive: true,
            ..self
        }
    }

    const fn payload(self) -> Text {
        Text {
            bytes: true,
            ..self.sensitive()
        }
    }

    fn length_of(self, value: &str) -> usize {
        if self.bytes {
            value.len()
        } else {
            value.chars().count()
        }
    }
}

/// `Arn`
pub(super) const ARN: Text = Text::new(1, 256);
/// `LongArn`
pub(super) const LONG_ARN: Text = Text::new(1, 2000);
/// `Name`
pub(super) const NAME: Text = Text::new(1, 80);
/// `CharacterRestrictedName`
pub(super) const ALIAS_NAME: Text = Text {
    pattern: Some(Pattern {
        expression: r"^(?=.*[a-zA-Z_\-\.])[a-zA-Z0-9_\-\.]+$",
        matches: is_alias_name,
    }),
    ..Text::new(1, 80)
};
/// `Definition`
pub(super) const DEFINITION: Text = Text::new(1, 1_048_576).payload();
/// `AliasDescription` and `VersionDescription`
pub(super) const DESCRIPTION: Text = Text::new(0, 256).sensitive();
/// `SensitiveData`: an execution's or a task's payload
pub(super) const PAYLOAD: Text = Text::new(0, asl::PAYLOAD_LIMIT).payload();
/// `SensitiveError`
pub(super) const ERROR: Text = Text::new(0, 256).sensitive();
/// `SensitiveCause`
pub(super) const CAUSE: Text = Text::new(0, 32_768).sensitive();
/// `ClientToken`
pub(super) const CLIENT_TOKEN: Text = Text {
    pattern: Some(Pattern {
        expression: "[!-~]+",
        matches: is_client_token,
    }),
    ..Text::new(1, 64)
};
/// `TaskToken`
pub(super) const TASK_TOKEN: Text = Text::new(1, 2048);
/// `TraceHeader`
pub(super) const TRACE_HEADER: Text = Text {
    pattern: Some(Pattern {
        expression: r"\p{ASCII}*",
        matches: str::is_ascii,
    }),
    ..Text::new(0, 256)
};
/// `TagKey`
pub(super) const TAG_KEY: Text = Text::new(1, 128);
/// `TagValue`
pub(super) const TAG_VALUE: Text = Text::new(0, 256);
/// `PageToken`
pub(super) const PAGE_TOKEN: Text = Text::new(1, 1024);
/// `ListExecutionsPageToken`
pub(super) const EXECUTIONS_PAGE_TOKEN: Text = Text::new(1, 3096);
/// `KmsKeyId`
pub(super) const KMS_KEY: Text = Text::new(1, 2048);

fn is_alias_name(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    name.chars().all(allowed) && name.chars().any(|c| !c.is_ascii_digit())
}

fn is_client_token(token: &str) -> bool {
    !token.is_empty() && token.bytes().all(|byte| matches!(byte, b'!'..=b'~'))
}

/// What is wrong so far.
#[derive(Debug, Default)]
pub(super) struct Check {
    violations: Vec<String>,
}

impl Check {
    /// A text that must be there. Returns an empty one if it is not: [`Check::done`] refuses the request then.
    pub(super) fn required(&mut self, member: &str, value: Option<String>, rule: Text) -> String {
        match self.text(member, value, rule) {
            Some(value) => value,
            None => {
                self.missing(member);
                String::new()
            }
        }
    }

    /// A text that may be missing.
    pub(super) fn text(
        &mut self,
        member: &str,
        value: Option<String>,
        rule: Text,
    ) -> Option<String> {
        let value = value?;
        let length = rule.length_of(&value);
        let bound = if length > rule.max {
            Some(format!(
                "Member must have length less than or equal to {}",
                rule.max
            ))
        } else if length < rule.min {
            Some(format!(
                "Member must have length greater than or equal to {}",
                rule.min
            ))
        } else {
            None
        };
        let shown = if rule.sensitive { None } else { Some(&value) };
        if let Some(bound) = bound {
            self.violation(member, shown, &bound);
        }
        if let Some(pattern) = rule.pattern
            && !(pattern.matches)(&value)
        {
            let constraint = format!(
                "Member must satisfy regular expression pattern: {}",
                pattern.expression
            );
            self.violation(member, shown, &constraint);
        }
        Some(value)
    }

    /// A whole number between two bounds.
    pub(super) fn number(
        &mut self,
        member: &str,
        value: Option<i64>,
        min: i64,
        max: i64,
    ) -> Option<i64> {
        let value = value?;
        if value > max {
            self.violation(
                member,
                Some(value),
                &format!("Member must have value less than or equal to {max}"),
            );
        } else if value < min {
            self.violation(
                member,
                Some(value),
                &format!("Member must have value greater than or equal to {min}"),
            );
        }
        Some(value)
    }

    /// One of a set of words. `from` reads a word, `set` is AWS's list of them.
    pub(super) fn word<T>(
        &mut self,
        member: &str,
        value: Option<String>,
        from: impl Fn(&str) -> Option<T>,
        set: &str,
    ) -> Option<T> {
        let value = value?;
        let read = from(&value);
        if read.is_none() {
            self.violation(
                member,
                Some(value),
                &format!("Member must satisfy enum value set: [{set}]"),
            );
        }
        read
    }

    /// The number of elements of a list; `shown` is AWS's way to write it.
    pub(super) fn count(
        &mut self,
        member: &str,
        shown: impl Display,
        count: usize,
        min: usize,
        max: usize,
    ) {
        if count > max {
            self.violation(
                member,
                Some(shown),
                &format!("Member must have length less than or equal to {max}"),
            );
        } else if count < min {
            self.violation(
                member,
                Some(shown),
                &format!("Member must have length greater than or equal to {min}"),
            );
        }
    }

    /// A member that must be there is not.
    pub(super) fn missing(&mut self, member: &str) {
        self.violations.push(format!(
            "Value null at '{member}' failed to satisfy constraint: Member must not be null"
        ));
    }

    fn violation(&mut self, member: &str, value: Option<impl Display>, constraint: &str) {
        let value = value.map_or_else(|| "Value".to_owned(), |value| format!("Value '{value}'"));
        self.violations.push(format!(
            "{value} at '{member}' failed to satisfy constraint: {constraint}"
        ));
    }

    /// Refuses the request if anything was wrong with it.
    pub(super) fn done(self) -> Result<(), JsonError> {
        match self.violations.len() {
            0 => Ok(()),
            1 => Err(error::validation(format!(
                "1 validation error detected: {}",
                self.violations[0]
            ))),
            n => Err(error::validation(format!(
                "{n} validation errors detected: {}",
                self.violations.join("; ")
            ))),
        }
    }
}

/// Whether a name has only characters that names of state machines, executions and activities may have.
///
/// Source: API reference, `CreateStateMachine`, `name`.
pub(super) fn is_name(name: &str) -> bool {
    let refused = |c: char| {
        c.is_whitespace()
            || c.is_control()
            || matches!(c, '\u{fffe}' | '\u{ffff}' | '\u{10ffff}')
            || "<>{}[]?*\"#%\\^|~`$&,;:/".contains(c)
    };
    !name.chars().any(refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_wrong_is_listed_in_one_error() {
        let mut check = Check::default();
        check.required("stateMachineArn", None, ARN);
        check.number("maxResults", Some(1001), 0, 1000);
        check.text("name", Some("a b".into()), ALIAS_NAME);
        check.text(
            "input",
            Some(format!("\"{}\"", "ö".repeat(131_072))),
            PAYLOAD,
        );
        let error = check.done().unwrap_err();
        assert_eq!(error.shape(), "ValidationException");
        assert_eq!(
            error.message,
            "4 validation errors detected: \
             Value null at 'stateMachineArn' failed to satisfy constraint: Member must not be null; \
             Value '1001' at 'maxResults' failed to satisfy constraint: Member must have value less than or equal to 1000; \
             Value 'a b' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: \
             ^(?=.*[a-zA-Z_\\-\\.])[a-zA-Z0-9_\\-\\.]+$; \
             Value at 'input' failed to satisfy constraint: Member must have length less than or equal to 262144"
        );
    }

    #[test]
    fn names_refuse_what_the_reference_lists() {
        for name in ["a", "reorder-1.b_c", "도너츠", "a+b=c@d!e'f(g)"] {
            assert!(is_name(name), "{name}");
        }
        for name in [
            "a b", "a\tb", "a/b", "a:b", "a*", "a\u{7f}", "a\u{85}", "<a>", "a#b",
        ] {
            assert!(!is_name(name), "{name}");
        }
    }
}

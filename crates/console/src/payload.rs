//! JSON as people read it: indented, without its secrets, to be copied, and compared.

use maud::{Markup, html};
use operate::diff::{diff, pretty};
use serde_json::Value;

use crate::redact;

/// Longest text of a payload on a page, in bytes: what is longer is cut, and says so.
const LONGEST: usize = 64 * 1024;
/// The same where a page has a hundred of them.
const SHORTER: usize = 16 * 1024;

/// A named value with a button that copies it. `id` must be unique on the page.
pub(crate) fn value(id: &str, name: &str, value: &Value) -> Markup {
    cut_text(id, name, &pretty(&redact::value(value)), LONGEST)
}

/// The same in a list of many: less of it.
pub(crate) fn one_of_many(id: &str, name: &str, value: &Value) -> Markup {
    cut_text(id, name, &pretty(&redact::value(value)), SHORTER)
}

/// A text that is shown as it is, its secrets already hidden.
pub(crate) fn text(id: &str, name: &str, text: &str) -> Markup {
    cut_text(id, name, text, LONGEST)
}

fn cut_text(id: &str, name: &str, text: &str, longest: usize) -> Markup {
    let (shown, rest) = cut(text, longest);
    html! {
        div .payload {
            header {
                span .grow { (name) }
                button type="button" data-copy=(id) hidden { "Copy" }
            }
            pre id=(id) tabindex="0" { (shown) }
            @if rest > 0 { p .cut { "… and " (rest) " bytes more; " code { "restock executions history" } " prints all." } }
        }
    }
}

/// What changed from one value to the other; says so if nothing did.
pub(crate) fn difference(id: &str, from: (&str, &Value), to: (&str, &Value)) -> Markup {
    if from.1 == to.1 {
        return html! { p .soft { (to.0) " is the same as " (from.0) "." } };
    }
    let told = diff(from.0, &redact::value(from.1), to.0, &redact::value(to.1));
    if told.is_empty() {
        return html! { p .soft { (to.0) " and " (from.0) " differ only in what is never shown." } };
    }
    html! {
        details id=(id) {
            summary { "Compare " (from.0) " with " (to.0) }
            div .payload.diff {
                pre tabindex="0" {
                    @for line in cut(&told, LONGEST).0.lines().skip(2) {
                        @match line.as_bytes().first() {
                            Some(b'+') => ins .add { (line) "\n" },
                            Some(b'-') => del .del { (line) "\n" },
                            Some(b'@') => span .soft { (line) "\n" },
                            _ => { (line) "\n" }
                        }
                    }
                }
            }
        }
    }
}

/// The beginning of a text, whole characters only, and how many bytes are left out.
fn cut(text: &str, longest: usize) -> (&str, usize) {
    if text.len() <= longest {
        return (text, 0);
    }
    let mut end = longest;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    (&text[..end], text.len() - end)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_cut_text_is_whole_characters_and_says_what_is_missing() {
        assert_eq!(cut("재고", 4), ("재", 3));
        assert_eq!(cut("ab", 2), ("ab", 0));
    }

    #[test]
    fn payloads_and_differences_hide_secrets() {
        let from = json!({"token": "one", "n": 1});
        let to = json!({"token": "two", "n": 2, "html": "<b>"});
        let shown = value("p", "Input", &from).into_string()
            + &difference("d", ("input", &from), ("output", &to)).into_string();
        assert!(!shown.contains("one") && !shown.contains("two"), "{shown}");
        assert!(shown.contains("&lt;b&gt;"), "{shown}");
        assert!(shown.contains("+  &quot;n&quot;: 2"), "{shown}");
    }
}

//! The definition that an execution runs, with the lines of the states it is in.

use std::collections::BTreeSet;

use asl::Definition;
use maud::{Markup, html};

use crate::redact;
use crate::run::Run;

pub(super) fn show(run: &Run) -> Markup {
    let Ok(definition) = &run.definition else {
        return html! {};
    };
    let open: BTreeSet<&str> = run
        .rows
        .iter()
        .filter(|row| row.is_open() && !operate::lineage::is_fork(&row.kind))
        .map(|row| row.state.as_str())
        .collect();
    html! {
        section .card aria-labelledby="definition-title" {
            h2 #definition-title { "Definition" @if let Some(comment) = definition.comment() { span .soft { (comment) } } }
            details .body #definition data-live { summary { "Amazon States Language" @if !open.is_empty() { ", running states marked" } }
                (text(definition, &open))
            }
        }
    }
}

/// The text with line numbers; the states of these names are marked.
pub(crate) fn text(definition: &Definition, marked: &BTreeSet<&str>) -> Markup {
    let lines: Vec<&str> = definition.source().lines().collect();
    let mut is_marked = vec![false; lines.len()];
    for (_, state) in definition.states() {
        if marked.contains(state.name()) {
            let (_, line) = state.place();
            let first = (line as usize).saturating_sub(1);
            let last = last_line(&lines, first);
            for line in is_marked.iter_mut().take(last + 1).skip(first) {
                *line = true;
            }
        }
    }
    html! {
        pre #source .source tabindex="0" {
            @for (line, marked) in lines.iter().zip(is_marked) {
                @let shown = redact::text(line);
                @if marked { mark { (shown) "\n" } } @else { span { (shown) "\n" } }
            }
        }
    }
}

/// The line where the braces that open on `first` are all closed. Braces inside strings do not count.
fn last_line(lines: &[&str], first: usize) -> usize {
    let mut depth = 0_i32;
    let mut has_begun = false;
    for (i, line) in lines.iter().enumerate().skip(first) {
        let mut is_text = false;
        let mut is_escaped = false;
        for c in line.chars() {
            match c {
                _ if is_escaped => is_escaped = false,
                '\\' if is_text => is_escaped = true,
                '"' => is_text = !is_text,
                '{' | '[' if !is_text => {
                    depth += 1;
                    has_begun = true;
                }
                '}' | ']' if !is_text => depth -= 1,
                _ => {}
            }
        }
        if has_begun && depth <= 0 {
            return i;
        }
    }
    lines.len().saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_ends_where_its_braces_close() {
        let lines = [
            r#""A": {"#,
            r#"  "Comment": "not here: } \" }","#,
            r#"  "Retry": [{}]"#,
            r#"},"#,
            r#""B": {}"#,
        ];
        assert_eq!(last_line(&lines, 0), 3);
        assert_eq!(last_line(&lines, 4), 4);
    }

    #[test]
    fn the_running_state_is_marked() {
        let definition = crate::run::parse(
            r#"{"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B"}, "B": {"Type": "Succeed"}}}"#,
        )
        .unwrap();
        let shown = text(&definition, &BTreeSet::from(["B"])).into_string();
        let marked: Vec<&str> = shown
            .split("<mark>")
            .skip(1)
            .filter_map(|part| part.split('\n').next())
            .map(str::trim)
            .collect();
        assert_eq!(
            marked,
            [
                "&quot;B&quot;: {",
                "&quot;Type&quot;: &quot;Succeed&quot;",
                "}"
            ]
        );
    }
}

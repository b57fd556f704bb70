//! A definition as a picture: Mermaid, for READMEs and pages.

use std::fmt::{self, Write};

use crate::Resource;
use crate::model::{
    Comparison, Condition, Definition, Kind, Next, Operand, ScopeId, State, StateId,
};

/// Longest label of a transition; what is longer ends in `…`.
const LABEL: usize = 60;

impl Definition {
    /// A Mermaid flow diagram: transitions drawn through, `Retry` and `Catch` dotted, branches and iterations as boxes.
    /// The same definition always gives the same text.
    pub fn diagram(&self) -> String {
        let mut diagram = Diagram {
            definition: self,
            text: "flowchart TD\n".to_owned(),
        };
        diagram.line(1, "begin((\" \"))");
        diagram.scope(self.root(), 1);
        diagram.line(
            1,
            &format!("begin --> {}", node(self.scope(self.root()).start_at())),
        );
        if self.states().any(|(_, state)| ends(state)) {
            diagram.line(1, "done(((\" \")))");
        }
        for (id, state) in self.states() {
            diagram.transitions(id, state);
        }
        diagram.text
    }
}

struct Diagram<'d> {
    definition: &'d Definition,
    text: String,
}

impl Diagram<'_> {
    fn line(&mut self, depth: usize, line: &str) {
        let _ = writeln!(self.text, "{}{line}", "  ".repeat(depth));
    }

    /// The states of a scope, each with what is inside it.
    fn scope(&mut self, scope: ScopeId, depth: usize) {
        for id in self.definition.scope(scope).states() {
            let state = self.definition.state(*id);
            let label = escape(&label(state));
            let node = node(*id);
            match state.kind() {
                Kind::Choice(_) => self.line(depth, &format!("{node}{{\"{label}\"}}")),
                Kind::Succeed | Kind::Fail(_) => {
                    self.line(depth, &format!("{node}([\"{label}\"])"))
                }
                Kind::Wait(_) => self.line(depth, &format!("{node}[/\"{label}\"/]")),
                Kind::Task(_) | Kind::Pass(_) => self.line(depth, &format!("{node}[\"{label}\"]")),
                Kind::Parallel(_) | Kind::Map(_) => {
                    self.line(depth, &format!("subgraph {node}[\"{label}\"]"));
                    let is_parallel = matches!(state.kind(), Kind::Parallel(_));
                    for (i, inner) in state.scopes().iter().enumerate() {
                        let inside = if is_parallel { depth + 2 } else { depth + 1 };
                        if is_parallel {
                            self.line(depth + 1, &format!("subgraph {node}b{i}[\" \"]"));
                        }
                        self.scope(*inner, inside);
                        if is_parallel {
                            self.line(depth + 1, "end");
                        }
                    }
                    self.line(depth, "end");
                }
            }
        }
    }

    fn transitions(&mut self, id: StateId, state: &State) {
        let from = node(id);
        match state.next() {
            Next::State(next) => self.line(1, &format!("{from} --> {}", node(next))),
            Next::End if ends(state) => self.line(1, &format!("{from} --> done")),
            Next::End | Next::Nowhere => {}
        }
        if let Kind::Choice(choice) = state.kind() {
            for rule in &choice.choices {
                self.edge(&from, "-->", &condition(&rule.condition), rule.next);
            }
            if let Some(default) = choice.default {
                self.edge(&from, "-->", "otherwise", default);
            }
        }
        if !state.retriers().is_empty() {
            let errors: Vec<&str> = state
                .retriers()
                .iter()
                .flat_map(|retrier| &retrier.error_equals)
                .map(String::as_str)
                .collect();
            self.edge(&from, "-.->", &format!("retry {}", errors.join(", ")), id);
        }
        for catcher in state.catchers() {
            self.edge(
                &from,
                "-.->",
                &catcher.error_equals.join(", "),
                catcher.next,
            );
        }
    }

    fn edge(&mut self, from: &str, arrow: &str, label: &str, to: StateId) {
        self.line(
            1,
            &format!(
                "{from} {arrow}|\"{}\"| {}",
                escape(&shorten(label)),
                node(to)
            ),
        );
    }
}

/// Whether the execution ends with this state.
fn ends(state: &State) -> bool {
    state.scope() == ScopeId(0)
        && state.next() == Next::End
        && !matches!(state.kind(), Kind::Succeed)
}

fn node(id: StateId) -> String {
    format!("s{}", id.0)
}

/// The state's name, and under it what it calls.
fn label(state: &State) -> String {
    let Kind::Task(task) = state.kind() else {
        return state.name().to_owned();
    };
    let called = match &task.resource {
        Resource::Integration {
            service,
            action,
            pattern,
            ..
        } => format!("{service}:{action}{}", pattern.suffix()),
        Resource::Lambda { arn } | Resource::Activity { arn } => {
            arn.rsplit(':').next().unwrap_or_default().to_owned()
        }
    };
    format!("{}\n{called}", state.name())
}

impl fmt::Display for Condition {
    /// As people write it down: the expression, or `$.a NumericEquals 1 and not (…)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&condition(self))
    }
}

fn condition(condition: &Condition) -> String {
    match condition {
        Condition::Constant(constant) => constant.to_string(),
        Condition::Jsonata(crate::model::Dynamic::Jsonata(expression)) => {
            expression.source().to_owned()
        }
        Condition::Jsonata(crate::model::Dynamic::Path(path)) => path.text().to_owned(),
        Condition::Compare(comparison) => compared(comparison),
        Condition::Not(inner) => format!("not ({})", self::condition(inner)),
        Condition::And(parts) => parts
            .iter()
            .map(self::condition)
            .collect::<Vec<_>>()
            .join(" and "),
        Condition::Or(parts) => parts
            .iter()
            .map(self::condition)
            .collect::<Vec<_>>()
            .join(" or "),
    }
}

fn compared(comparison: &Comparison) -> String {
    let operand = match &comparison.operand {
        Operand::Literal(data) => data.text(),
        Operand::Path(path) => path.text(),
    };
    format!(
        "{} {} {operand}",
        comparison.variable.text(),
        comparison.operator
    )
}

fn shorten(label: &str) -> String {
    if label.chars().count() <= LABEL {
        label.to_owned()
    } else {
        label.chars().take(LABEL - 1).chain(['…']).collect()
    }
}

/// Mermaid's escapes; a line break in a label is `<br/>`.
fn escape(label: &str) -> String {
    let mut escaped = String::with_capacity(label.len());
    for character in label.chars() {
        match character {
            '"' => escaped.push_str("#quot;"),
            '#' => escaped.push_str("#35;"),
            '<' => escaped.push_str("#lt;"),
            '>' => escaped.push_str("#gt;"),
            '\n' => escaped.push_str("<br/>"),
            _ => escaped.push(character),
        }
    }
    escaped
}

//! The stack's definitions, rendered and parsed, for the verbs that only look at them.

use std::path::Path;

use super::StackError;
use super::model::Stack;
use super::render::{Placeholders, Setting};
use super::source::Source;

/// One state machine of the stack.
#[derive(Debug)]
pub(crate) struct Definition {
    pub name: String,
    /// Path inside the workflows folder.
    pub file: String,
    /// Absent when the text has errors.
    pub parsed: Option<asl::Definition>,
    pub diagnostics: Vec<asl::Diagnostic>,
}

impl Definition {
    pub(crate) fn is_valid(&self) -> bool {
        let is_error = |it: &asl::Diagnostic| it.severity == asl::Severity::Error;
        self.parsed.is_some() && !self.diagnostics.iter().any(is_error)
    }
}

/// Loads the stack and every definition in it, with stand-in values for the settings of an installation. What is wrong
/// with a definition only as it is rendered for AWS is told too, and what can never be right in what it does with its data.
pub(crate) fn load_all(folder: Option<&Path>) -> Result<Vec<Definition>, StackError> {
    let source = Source::choose(folder);
    let stack = stack(folder)?;
    let placeholders = placeholders(&stack);
    let on_aws = Placeholders::aws(&stack, stand_ins());
    let load = |(name, machine): (&String, &super::model::StateMachine)| {
        let template = source.read(&machine.definition)?;
        let parsed = asl::parse(&placeholders.render(&machine.definition, &template)?);
        let on_aws = asl::parse(&on_aws.render(&machine.definition, &template)?);
        let mut diagnostics = parsed.diagnostics;
        // A syntax error quotes the text around it, which differs.
        let same = |a: &asl::Diagnostic, b: &asl::Diagnostic| {
            let is_syntax = a.code == asl::Code::InvalidJsonDescription;
            a.code == b.code && a.line == b.line && (is_syntax || a.pointer == b.pointer)
        };
        for diagnostic in on_aws.diagnostics {
            if !diagnostics.iter().any(|known| same(known, &diagnostic)) {
                diagnostics.push(diagnostic);
            }
        }
        if let Some(definition) = &parsed.definition {
            diagnostics.extend(super::contracts::check(&stack, name, definition));
        }
        Ok(Definition {
            name: name.clone(),
            file: machine.definition.clone(),
            parsed: parsed.definition.filter(|_| on_aws.definition.is_some()),
            diagnostics,
        })
    };
    stack.state_machines.iter().map(load).collect()
}

/// The stack alone.
pub(crate) fn stack(folder: Option<&Path>) -> Result<Stack, StackError> {
    Stack::parse(&Source::choose(folder).read("stack.json")?)
}

/// The values that stand in for an installation's.
pub(crate) fn placeholders(stack: &Stack) -> Placeholders {
    Placeholders::local(stack, "us-east-1", "http://127.0.0.1:4566", stand_ins())
}

/// Settings a definition may name, as `restock up` has them by default.
fn stand_ins() -> Vec<Setting> {
    vec![Setting {
        name: "callback_timeout_seconds",
        value: "86400".to_owned(),
    }]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;

    fn stack() -> Stack {
        Stack::parse(&Source::Embedded.read("stack.json").unwrap()).unwrap()
    }

    #[test]
    fn every_definition_is_valid() {
        for definition in load_all(None).unwrap() {
            let told: Vec<_> = definition
                .diagnostics
                .iter()
                .map(ToString::to_string)
                .collect();
            assert!(
                definition.is_valid() && told.is_empty(),
                "{}:\n{}",
                definition.file,
                told.join("\n")
            );
        }
    }

    /// What differs between two values: both texts, where only texts differ; a panic, where anything else does.
    fn differing_texts<'a>(here: &'a Value, aws: &'a Value, found: &mut Vec<(&'a str, &'a str)>) {
        match (here, aws) {
            (Value::String(here), Value::String(aws)) if here != aws => found.push((here, aws)),
            (Value::Array(here), Value::Array(aws)) if here.len() == aws.len() => {
                let pairs = here.iter().zip(aws);
                pairs.for_each(|(here, aws)| differing_texts(here, aws, found));
            }
            (Value::Object(here), Value::Object(aws)) if here.len() == aws.len() => {
                for ((name, here), (same, aws)) in here.iter().zip(aws) {
                    assert_eq!(name, same);
                    differing_texts(here, aws, found);
                }
            }
            _ => assert_eq!(here, aws),
        }
    }

    #[test]
    fn here_and_on_aws_definitions_differ_only_in_the_values_of_placeholders() {
        let stack = stack();
        let (here, aws) = (placeholders(&stack), Placeholders::aws(&stack, stand_ins()));
        for machine in stack.state_machines.values() {
            let template = Source::Embedded.read(&machine.definition).unwrap();
            let json = |values: &Placeholders| -> Value {
                serde_json::from_str(&values.render("f", &template).unwrap()).unwrap()
            };
            let (local, on_aws) = (json(&here), json(&aws));
            let mut found = Vec::new();
            differing_texts(&local, &on_aws, &mut found);
            assert!(
                !found.is_empty(),
                "{}: no placeholder at all",
                machine.definition
            );
            let names: Vec<_> = template
                .split("${")
                .skip(1)
                .filter_map(|rest| rest.split_once('}').map(|(name, _)| name))
                .collect();
            for (local, on_aws) in found {
                let moved = names.iter().fold(local.to_owned(), |text, name| {
                    text.replace(here.get(name), aws.get(name))
                });
                assert_eq!(moved, on_aws);
            }
        }
    }

    #[test]
    fn the_diagram_in_the_readme_is_the_definitions() {
        let readme = include_str!("../../README.md");
        let definitions = load_all(None).unwrap();
        let reorder = definitions.iter().find(|d| d.name == "reorder").unwrap();
        let diagram = reorder.parsed.as_ref().unwrap().diagram();
        assert!(
            readme.contains(diagram.trim()),
            "put the output of `restock workflows graph reorder` into README.md"
        );
    }

    #[test]
    fn every_function_is_a_task_and_gets_exactly_the_variables_it_declares() {
        let stack = stack();
        let functions: BTreeSet<_> = stack.functions.keys().map(String::as_str).collect();
        let tasks: BTreeSet<_> = tasks::registry::TASKS
            .iter()
            .map(|task| task.name)
            .collect();
        assert_eq!(functions, tasks);
        for task in tasks::registry::TASKS {
            let declared: BTreeSet<_> = task.variables.iter().map(|v| v.name()).collect();
            let given: BTreeSet<_> = stack.functions[task.name]
                .environment
                .keys()
                .map(String::as_str)
                .collect();
            assert_eq!(given, declared, "{}", task.name);
        }
    }
}

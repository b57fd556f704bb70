//! What the definitions of this stack may rely on: the contracts of the tasks that their states call, directly or through a
//! queue that a task consumes.

use std::collections::BTreeSet;

use asl::data_flow::{Contract, Contracts, Shape};
use asl::model::{Kind, State};
use asl::{Definition, Diagnostic, Pattern, Resource};
use serde_json::Value;
use tasks::registry::{self, Task};

use super::model::Stack;

/// Everything that can never be right in what a definition does with its data.
pub(crate) fn check(stack: &Stack, machine: &str, definition: &Definition) -> Vec<Diagnostic> {
    let task = |state: &State| contract(stack, state);
    let input = registry::execution_input(machine);
    let input = input.map_or(Shape::Unknown, shape);
    let contracts = Contracts { input, task: &task };
    asl::data_flow::check(definition, &contracts)
}

fn contract(stack: &Stack, state: &State) -> Option<Contract> {
    let Kind::Task(task) = state.kind() else {
        return None;
    };
    let calls = operate::ahead::calls(&task.resource, state.flow());
    let (service, action, pattern) = match &task.resource {
        Resource::Lambda { .. } => {
            let task = registry::find(&calls)?;
            return Some(Contract {
                name: task.name.to_owned(),
                takes: None,
                gives: shape((task.output)()),
                errors: Some(errors(task, &OF_LAMBDA)),
            });
        }
        Resource::Activity { .. } => return None,
        Resource::Integration {
            service,
            action,
            pattern,
            ..
        } => (&**service, &**action, *pattern),
    };
    // None where an expression says what is called.
    let target = calls.split_once(' ').map(|(_, target)| target);
    let answer = |task: &Task| task.token_answer().map_or(Shape::Unknown, shape);
    match (service, action, pattern) {
        ("lambda", "invoke", _) => {
            let task = registry::find(target?)?;
            Some(Contract {
                name: task.name.to_owned(),
                takes: Some(("Payload".to_owned(), shape((task.input)()))),
                gives: match pattern {
                    Pattern::WaitForTaskToken => answer(task),
                    _ => invoked(shape((task.output)())),
                },
                errors: Some(errors(task, &OF_LAMBDA)),
            })
        }
        ("sqs", "sendMessage", Pattern::WaitForTaskToken) => {
            let mut mappings = stack.event_source_mappings.iter();
            let Some(mapping) = mappings.find(|mapping| Some(&*mapping.queue) == target) else {
                // Parked: no task reads the queue. An operator does, and answers with an input for a replay.
                return Some(Contract {
                    name: "an operator".to_owned(),
                    takes: None,
                    gives: Shape::Alike,
                    errors: None,
                });
            };
            let task = registry::find(&mapping.function)?;
            let message = task.message()?;
            Some(Contract {
                name: task.name.to_owned(),
                takes: Some(("MessageBody".to_owned(), shape(message))),
                gives: answer(task),
                errors: Some(errors(task, &["SQS.*"])),
            })
        }
        _ => None,
    }
}

/// What Lambda calls the end of a function that it stopped or that died (`Sandbox.Timedout`, `Runtime.ExitError`), whichever it is.
const OF_LAMBDA: [&str; 3] = ["Lambda.*", "Sandbox.*", "Runtime.*"];

fn errors(task: &Task, of_the_service: &[&str]) -> BTreeSet<String> {
    let names = (task.errors)().into_iter().map(str::to_owned);
    let service = of_the_service.iter().map(|name| (*name).to_owned());
    names.chain(service).collect()
}

/// The result of `lambda:invoke`. Source: the response of Lambda's Invoke, as Step Functions passes it on.
fn invoked(payload: Shape) -> Shape {
    Shape::object(
        [
            ("ExecutedVersion", Shape::text()),
            ("Payload", payload),
            ("SdkHttpMetadata", Shape::Unknown),
            ("SdkResponseMetadata", Shape::Unknown),
            ("StatusCode", Shape::number()),
        ]
        .map(|(name, shape)| (name.to_owned(), shape)),
    )
}

fn shape(schema: impl Into<Value>) -> Shape {
    Shape::from_schema(&schema.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stack::definitions;
    use crate::stack::source::Source;

    /// What is wrong with the reorder workflow after a change of its text.
    fn broken(machine: &str, from: &str, to: &str) -> Vec<String> {
        let stack = definitions::stack(None).unwrap();
        let file = &stack.state_machines[machine].definition;
        let template = Source::Embedded.read(file).unwrap();
        let changed = template.replacen(from, to, 1);
        assert_ne!(changed, template, "{from} is not in {file}");
        let text = definitions::placeholders(&stack)
            .render(file, &changed)
            .unwrap();
        let parsed = asl::parse(&text);
        let definition = parsed
            .definition
            .unwrap_or_else(|| panic!("{:?}", parsed.diagnostics));
        check(&stack, machine, &definition)
            .iter()
            .map(|it| format!("{}: {}", it.pointer, it.message))
            .collect()
    }

    #[test]
    fn the_names_that_lambda_gives_are_known() {
        for name in ["Sandbox.Timedout", "Runtime.ExitError", "Lambda.Unknown"] {
            let name = format!("\"{name}\"");
            let found = broken("reorder", "\"Factory.Unavailable\"", &name);
            assert_eq!(found, Vec::<String>::new(), "{name}");
        }
    }

    #[test]
    fn a_mistake_in_the_flow_of_data_is_found_before_anything_runs() {
        for (machine, from, to, expected) in [
            (
                "reorder",
                "'attempt_id': $states.input.attempt_id",
                "'attempt_id': $states.input.atempt_id",
                "/States/Replenish/Branches[1]/States/AwaitCallback/Arguments/Payload: It reads $states.input.atempt_id, which is never there",
            ),
            (
                "reorder",
                "'attempt_id': $states.input.attempt_id",
                // Which only the state before has; replays lead to both.
                "'attempt_id': $states.input.wanted",
                "/States/Replenish/Branches[1]/States/AwaitCallback/Arguments/Payload: It reads $states.input.wanted, which is never there",
            ),
            (
                "reorder",
                "'attempt_id': $states.input.attempt_id, ",
                "",
                "/States/Replenish/Branches[1]/States/AwaitCallback/Arguments/Payload: Payload.attempt_id is missing",
            ),
            (
                "reorder",
                "'action': 'resume'",
                "'action': 3",
                "/States/EmailAdsResume/Arguments/MessageBody: MessageBody.action is number, not text",
            ),
            (
                "reorder",
                "\"Factory.Unavailable\"",
                "\"Factory.Unavailabel\"",
                "/States/Replenish/Branches[1]/States/RequestFactory/Retry[0]/ErrorEquals[0]: Nothing that this state does fails with Factory.Unavailabel",
            ),
            (
                "reorder",
                "$states.input.needed",
                "$needed",
                "/States/StillMissing/Choices[0]/Condition: It reads $needed, which no state before this one assigns",
            ),
            (
                "vip",
                "\"Marketing.Throttled\"",
                "\"Marketing.Throtled\"",
                "/States/SyncMarketing/Catch[0]/ErrorEquals[0]: Nothing that this state does fails with Marketing.Throtled",
            ),
            (
                "vip",
                "'name': $states.input.name",
                "'name': $states.input.title",
                "/States/SyncMarketing/Arguments/Payload: It reads $states.input.title, which is never there",
            ),
        ] {
            assert_eq!(broken(machine, from, to), [expected], "{from}");
        }
    }
}

//! From state to state: what each may get, until nothing new comes; then a last look at each, which notes what is wrong.

mod errors;
mod fields;

use std::collections::{BTreeMap, BTreeSet};

use super::expression::{self, Variables};
use super::shape::{Member, Shape};
use super::{Contract, Contracts};
use crate::model::{
    Assignments, Catcher, Definition, Flow, Items, JsonataFlow, Kind, Next, ScopeId, Share, State,
    StateId, WaitState,
};

/// A state whose input grows more often than this is left as it is; cut shapes do not get there.
const MOST_VISITS: u32 = 100;

/// One thing that can never be right.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Finding {
    pub pointer: String,
    pub message: String,
    pub help: String,
}

pub(super) fn findings(definition: &Definition, contracts: &Contracts<'_>) -> BTreeSet<Finding> {
    let mut walk = Walk {
        definition,
        contracts,
        entered: BTreeMap::new(),
        outputs: BTreeMap::new(),
        reads: definition.variable_references(),
        notes: None,
    };
    walk.scope(definition.root(), contracts.input.clone(), Variables::new());
    walk.notes = Some(BTreeSet::new());
    for id in walk.entered.keys().copied().collect::<Vec<_>>() {
        walk.visit(id);
    }
    walk.notes.unwrap_or_default()
}

struct Walk<'a> {
    definition: &'a Definition,
    contracts: &'a Contracts<'a>,
    /// What each state may get, and how often that grew.
    entered: BTreeMap<StateId, Entered>,
    /// What each inner scope may give.
    outputs: BTreeMap<ScopeId, Shape>,
    /// The variables that each state reads.
    reads: BTreeMap<String, Vec<String>>,
    /// Where what is wrong is noted, in the last look.
    notes: Option<BTreeSet<Finding>>,
}

struct Entered {
    input: Shape,
    variables: Variables,
    visits: u32,
}

/// Where a state may go, with what.
struct Exit {
    to: Next,
    output: Shape,
    variables: Variables,
}

/// What expressions of a state may read.
struct Lens<'a> {
    state: &'a State,
    states: BTreeMap<&'static str, Shape>,
    variables: &'a Variables,
}

impl Lens<'_> {
    fn with(&self, name: &'static str, shape: &Shape) -> Self {
        let mut states = self.states.clone();
        states.insert(name, shape.clone());
        Self { states, ..*self }
    }
}

impl Walk<'_> {
    /// Follows a scope until nothing new comes; what it may give.
    fn scope(&mut self, scope: ScopeId, input: Shape, variables: Variables) -> Shape {
        let start = self.definition.scope(scope).start_at();
        let mut waiting = Vec::new();
        self.enter(start, input, variables, &mut waiting);
        while let Some(id) = waiting.pop() {
            for exit in self.visit(id) {
                match exit.to {
                    Next::State(next) => {
                        self.enter(next, exit.output, exit.variables, &mut waiting);
                    }
                    Next::End => {
                        let known = self.outputs.remove(&scope);
                        let output = match known {
                            Some(known) => known.join(exit.output),
                            None => exit.output,
                        };
                        self.outputs.insert(scope, output.cut());
                    }
                    Next::Nowhere => {}
                }
            }
        }
        self.output(scope)
    }

    fn output(&self, scope: ScopeId) -> Shape {
        self.outputs.get(&scope).cloned().unwrap_or(Shape::Unknown)
    }

    fn enter(
        &mut self,
        id: StateId,
        input: Shape,
        variables: Variables,
        waiting: &mut Vec<StateId>,
    ) {
        let Some(entered) = self.entered.get_mut(&id) else {
            let input = input.cut();
            let entered = Entered {
                input,
                variables,
                visits: 0,
            };
            self.entered.insert(id, entered);
            waiting.push(id);
            return;
        };
        let joined = entered.input.clone().join(input).cut();
        let mut known = entered.variables.clone();
        for (name, shape) in variables {
            let shape = match known.remove(&name) {
                Some(before) => before.join(shape).cut(),
                None => shape.cut(),
            };
            known.insert(name, shape);
        }
        let grew = joined != entered.input || known != entered.variables;
        if grew && entered.visits < MOST_VISITS {
            entered.visits += 1;
            entered.input = joined;
            entered.variables = known;
            waiting.push(id);
        }
    }

    fn visit(&mut self, id: StateId) -> Vec<Exit> {
        let definition = self.definition;
        let state = definition.state(id);
        let Some(Entered {
            input, variables, ..
        }) = self.entered.get(&id)
        else {
            return Vec::new();
        };
        let (input, variables) = (input.clone(), variables.clone());
        let context = fields::context(&self.contracts.input);
        let lens = Lens {
            state,
            states: BTreeMap::from([("input", input.clone()), ("context", context)]),
            variables: &variables,
        };
        match state.flow() {
            Flow::Jsonata(flow) => self.jsonata(&lens, flow, &input),
            Flow::JsonPath(_) => self.json_path(&lens),
        }
    }

    fn jsonata(&mut self, lens: &Lens<'_>, flow: &JsonataFlow, input: &Shape) -> Vec<Exit> {
        let state = lens.state;
        let arguments = flow
            .arguments
            .as_ref()
            .map(|template| self.template(lens, template, "/Arguments"));
        let mut errors = Some(BTreeSet::new());
        let result = match state.kind() {
            Kind::Task(task) => {
                self.amount(lens, task.timeout.as_ref(), "/TimeoutSeconds");
                self.amount(lens, task.heartbeat.as_ref(), "/HeartbeatSeconds");
                let contract = (self.contracts.task)(state);
                errors = contract.as_ref().and_then(|it| it.errors.clone());
                let gives = contract
                    .as_ref()
                    .map_or(Shape::Unknown, |it| it.gives.clone());
                if let Some(contract) = contract {
                    self.takes(state, &contract, arguments.as_ref());
                }
                Some(gives)
            }
            Kind::Parallel(parallel) => {
                let input = arguments.as_ref().unwrap_or(input);
                let outputs = parallel
                    .branches
                    .iter()
                    .map(|branch| self.inner(*branch, input, lens.variables))
                    .collect();
                errors = self.errors_inside(&parallel.branches);
                Some(Shape::tuple(outputs))
            }
            Kind::Map(map) => {
                let items = match &map.items {
                    Items::Selected(items) => self.template(lens, items, "/Items"),
                    Items::Input => input.clone(),
                };
                let item = match (&map.item_selector, &map.distributed) {
                    (Some(selector), _) => self.template(lens, selector, "/ItemSelector"),
                    (None, Some(_)) => Shape::Unknown,
                    (None, None) => items.element(None),
                };
                self.amount(lens, map.max_concurrency.as_ref(), "/MaxConcurrency");
                let failures = map.tolerated_failure_count.as_ref();
                self.amount(lens, failures, "/ToleratedFailureCount");
                if let Some(Share::Dynamic(dynamic)) = &map.tolerated_failure_percentage {
                    self.dynamic(lens, dynamic, "/ToleratedFailurePercentage");
                }
                let output = self.inner(map.processor, &item, lens.variables);
                errors = self.errors_inside(std::slice::from_ref(&map.processor));
                Some(match map.distributed {
                    Some(_) => Shape::Unknown,
                    None => Shape::array(output),
                })
            }
            Kind::Choice(choice) => {
                let mut exits = Vec::new();
                for (i, rule) in choice.choices.iter().enumerate() {
                    let at = format!("/Choices[{i}]");
                    self.condition(lens, &rule.condition, &format!("{at}/Condition"));
                    let output = rule.output.as_ref();
                    let output = output.map(|it| self.template(lens, it, &format!("{at}/Output")));
                    exits.push(Exit {
                        to: Next::State(rule.next),
                        output: output.unwrap_or_else(|| input.clone()),
                        variables: self.assign(lens, &rule.assign, &format!("{at}/Assign")),
                    });
                }
                if let Some(default) = choice.default {
                    exits.push(self.exit(lens, flow, Next::State(default), input));
                }
                return exits;
            }
            Kind::Wait(WaitState::Seconds(seconds)) => {
                self.amount(lens, Some(seconds), "/Seconds");
                None
            }
            Kind::Wait(WaitState::Timestamp(timestamp)) => {
                self.text(lens, Some(timestamp), "/Timestamp");
                None
            }
            Kind::Fail(fail) => {
                self.text(lens, fail.error.as_ref(), "/Error");
                self.text(lens, fail.cause.as_ref(), "/Cause");
                return Vec::new();
            }
            Kind::Pass(_) | Kind::Succeed => None,
        };
        let mut exits = self.caught(lens, errors.as_ref());
        exits.push(match &result {
            Some(result) => self.exit(&lens.with("result", result), flow, state.next(), result),
            None => self.exit(lens, flow, state.next(), input),
        });
        exits
    }

    /// Leaves a state in the usual way; its output is `otherwise` where nothing else is written.
    fn exit(&mut self, lens: &Lens<'_>, flow: &JsonataFlow, to: Next, otherwise: &Shape) -> Exit {
        let output = flow.output.as_ref();
        Exit {
            to,
            output: match output {
                Some(output) => self.template(lens, output, "/Output"),
                None => otherwise.clone(),
            },
            variables: self.assign(lens, &flow.assign, "/Assign"),
        }
    }

    /// What is checked and known of a JSONPath state: its names of errors, and its variables.
    fn json_path(&mut self, lens: &Lens<'_>) -> Vec<Exit> {
        let state = lens.state;
        let with = |names: &Assignments| {
            let mut variables = lens.variables.clone();
            let assigned = names.iter().map(|(name, _)| (name.clone(), Shape::Unknown));
            variables.extend(assigned);
            variables
        };
        let errors = match state.kind() {
            Kind::Task(_) => (self.contracts.task)(state).and_then(|contract| contract.errors),
            Kind::Parallel(_) | Kind::Map(_) => {
                for scope in state.scopes() {
                    self.inner(*scope, &Shape::Unknown, lens.variables);
                }
                self.errors_inside(state.scopes())
            }
            _ => None,
        };
        self.names(state, errors.as_ref());
        let read = self.reads.get(state.name()).cloned().unwrap_or_default();
        for name in read {
            if !lens.variables.contains_key(name.as_str()) {
                let trouble = expression::unassigned(&name, lens.variables);
                self.note(state, "", trouble.message, trouble.help);
            }
        }
        let variables = with(state.flow().assign());
        let mut exits = vec![Exit {
            to: state.next(),
            output: Shape::Unknown,
            variables,
        }];
        let mut to = |next, names: &Assignments| {
            exits.push(Exit {
                to: Next::State(next),
                output: Shape::Unknown,
                variables: with(names),
            });
        };
        for Catcher { next, assign, .. } in state.catchers() {
            to(*next, assign);
        }
        if let Kind::Choice(choice) = state.kind() {
            for rule in &choice.choices {
                to(rule.next, &rule.assign);
            }
            if let Some(default) = choice.default {
                to(default, state.flow().assign());
            }
        }
        exits
    }

    /// The catchers of a state that may fail so.
    fn caught(&mut self, lens: &Lens<'_>, errors: Option<&BTreeSet<String>>) -> Vec<Exit> {
        self.names(lens.state, errors);
        let error = Shape::object(["Error", "Cause"].map(|name| (name.to_owned(), Shape::text())));
        let lens = lens.with("errorOutput", &error);
        let mut exits = Vec::new();
        for (i, catcher) in lens.state.catchers().iter().enumerate() {
            let at = format!("/Catch[{i}]");
            let output = catcher.output.as_ref();
            let output = output.map(|it| self.template(&lens, it, &format!("{at}/Output")));
            exits.push(Exit {
                to: Next::State(catcher.next),
                output: output.unwrap_or_else(|| error.clone()),
                variables: self.assign(&lens, &catcher.assign, &format!("{at}/Assign")),
            });
        }
        exits
    }

    fn inner(&mut self, scope: ScopeId, input: &Shape, variables: &Variables) -> Shape {
        if self.notes.is_some() {
            return self.output(scope);
        }
        self.scope(scope, input.clone(), variables.clone())
    }

    /// Whether the arguments fit what is called.
    fn takes(&mut self, state: &State, contract: &Contract, arguments: Option<&Shape>) {
        let (Some((argument, wanted)), Some(arguments)) = (&contract.takes, arguments) else {
            return;
        };
        let help = format!(
            "{} would refuse it; see the contract of its input.",
            contract.name
        );
        let given = match arguments.member(argument) {
            Member::Found(given) => given,
            Member::Missing(_) => {
                let message = format!("{argument} is missing");
                self.note(state, "/Arguments", message, help);
                return;
            }
        };
        for (at, what) in given.misfits(wanted) {
            self.note(
                state,
                &format!("/Arguments/{argument}"),
                format!("{argument}{at} {what}"),
                help.clone(),
            );
        }
    }

    fn assign(&mut self, lens: &Lens<'_>, assign: &Assignments, at: &str) -> Variables {
        let mut variables = lens.variables.clone();
        for (name, template) in assign {
            let shape = self.template(lens, template, &format!("{at}/{name}"));
            variables.insert(name.clone(), shape);
        }
        variables
    }

    fn note(&mut self, state: &State, at: &str, message: String, help: String) {
        let (pointer, _) = state.place();
        if let Some(notes) = &mut self.notes {
            notes.insert(Finding {
                pointer: format!("{pointer}{at}"),
                message,
                help,
            });
        }
    }
}

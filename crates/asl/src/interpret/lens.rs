//! What a state's expressions see, and their evaluation.

use std::cell::{Cell, OnceCell};

use serde_json::{Map, Value};

use super::evolve::illegal;
use super::exit::too_large;
use super::fault::{Fault, Outcome};
use super::{IllegalEntry, Run, context};
use crate::data::{HEAVIEST, weight};
use crate::entry::BranchId;
use crate::execution::Execution;
use crate::jsonata::{Needs, Session, Shortcut};
use crate::model::{Amount, Definition, Dynamic, Share, State, Template, Text};
use crate::{Data, Env, MapItem};

/// A view of an execution from one state of one branch.
pub(super) struct Lens<'a> {
    pub(super) execution: &'a Execution,
    pub(super) env: &'a Env,
    pub(super) branch: BranchId,
    pub(super) state: &'a State,
    /// `$states.input`, and what JSONPath's `$` means.
    pub(super) input: Data,
    /// `$states.result`.
    pub(super) result: Option<Data>,
    /// `$states.errorOutput`.
    pub(super) error: Option<Data>,
    /// `Task.Token` of the context object.
    pub(super) token: Option<String>,
    /// The item that an ItemSelector is evaluated for.
    pub(super) item: Option<Item>,
    /// The whole context object, if it is given.
    pub(super) context: Option<Data>,
    /// One for each of [`Needs`].
    sessions: [OnceCell<Session>; 2],
}

/// `Map.Item` of the context object.
pub(super) struct Item {
    pub(super) index: u32,
    pub(super) value: Data,
    /// In Distributed mode: the member's name, if the items are those of an object.
    pub(super) key: Option<String>,
    /// In Distributed mode: where the item was found.
    pub(super) source: Option<String>,
}

impl Run<'_> {
    /// The view of the state that a branch is in; `$` is its raw input.
    pub(super) fn lens(&self, branch: BranchId) -> Result<Lens<'_>, IllegalEntry> {
        Ok(Lens {
            context: self.context.clone(),
            ..lens_of(self.definition, self.execution, self.env, branch)?
        })
    }
}

/// The view of the state that a branch is in; `$` is its raw input.
pub(super) fn lens_of<'a>(
    definition: &'a Definition,
    execution: &'a Execution,
    env: &'a Env,
    branch: BranchId,
) -> Result<Lens<'a>, IllegalEntry> {
    let Some(active) = execution.active(branch) else {
        return illegal(format!("branch {} is not in a state", branch.0));
    };
    Ok(Lens {
        execution,
        env,
        branch,
        state: definition.state(active.state),
        input: active.input.clone(),
        result: None,
        error: None,
        token: None,
        item: None,
        context: None,
        sessions: Default::default(),
    })
}

impl<'a> Lens<'a> {
    /// The same view of another input.
    pub(super) fn with_input(self, input: &Data) -> Self {
        Self {
            input: input.clone(),
            sessions: Default::default(),
            ..self
        }
    }

    /// The same view with a result.
    pub(super) fn with_result(self, result: &Data) -> Self {
        Self {
            result: Some(result.clone()),
            sessions: Default::default(),
            ..self
        }
    }

    /// The same view with an error.
    pub(super) fn with_error(self, error: &Data) -> Self {
        Self {
            error: Some(error.clone()),
            sessions: Default::default(),
            ..self
        }
    }

    /// The same view with a task token.
    pub(super) fn with_token(self, token: Option<String>) -> Self {
        Self {
            token,
            sessions: Default::default(),
            ..self
        }
    }

    /// The same view for one item of a Map.
    pub(super) fn with_item(self, index: u32, value: &Data) -> Self {
        Self {
            item: Some(Item {
                index,
                value: value.clone(),
                key: None,
                source: None,
            }),
            sessions: Default::default(),
            ..self
        }
    }

    /// The same view for one item of a Distributed Map.
    pub(super) fn with_map_item(self, index: u32, item: &MapItem) -> Self {
        Self {
            item: Some(Item {
                index,
                value: item.value.clone(),
                key: item.key.clone(),
                source: Some(item.source.clone()),
            }),
            sessions: Default::default(),
            ..self
        }
    }

    /// Evaluates a template; `field` is its place, for messages.
    pub(super) fn template(&self, template: &Template, field: &str) -> Outcome<Data> {
        match template {
            Template::Literal(data) => Ok(data.clone()),
            Template::Dynamic(dynamic) => self.dynamic(dynamic, field),
            _ => self
                .tree(template, field, &Cell::new(HEAVIEST))
                .map(Data::new),
        }
    }

    fn tree(&self, template: &Template, field: &str, left: &Cell<usize>) -> Outcome<Value> {
        match template {
            Template::Literal(data) => Ok(data.value().clone()),
            Template::Dynamic(dynamic) => {
                let data = self.dynamic(dynamic, field)?;
                let rest = left.get().checked_sub(weight(data.value()));
                left.set(rest.ok_or_else(|| too_large(self.state))?);
                Ok(data.value().clone())
            }
            Template::Object(members) => {
                let mut object = Map::with_capacity(members.len());
                for (name, member) in members {
                    object.insert(
                        name.clone(),
                        self.tree(member, &self.member_field(field, name, member), left)?,
                    );
                }
                Ok(Value::Object(object))
            }
            Template::Array(elements) => {
                let elements = elements
                    .iter()
                    .enumerate()
                    .map(|(i, element)| self.tree(element, &format!("{field}[{i}]"), left));
                elements.collect::<Outcome<Vec<Value>>>().map(Value::Array)
            }
        }
    }

    /// How AWS names a member's place: JSONata by the way from the field, JSONPath by the member alone, with its `.$`.
    fn member_field(&self, field: &str, name: &str, member: &Template) -> String {
        match member {
            Template::Dynamic(Dynamic::Path(_)) => format!("{name}.$"),
            _ => format!("{field}/{name}"),
        }
    }

    /// Evaluates one expression.
    pub(super) fn dynamic(&self, dynamic: &Dynamic, field: &str) -> Outcome<Data> {
        match dynamic {
            Dynamic::Path(path) => self.path(path, field),
            Dynamic::Jsonata(expression) => {
                match (expression.shortcut(), &self.result) {
                    (Some(Shortcut::Input), _) => return Ok(self.input.clone()),
                    (Some(Shortcut::Result), Some(result)) => return Ok(result.clone()),
                    _ => {}
                }
                let outcome = self.session(expression.needs()).evaluate(expression);
                outcome
                    .map(Data::new)
                    .map_err(|error| Fault::query(field, error.message(expression.source(), field)))
            }
        }
    }

    /// A whole number of seconds, items or failures.
    pub(super) fn amount(&self, amount: &Amount, field: &str) -> Outcome<u64> {
        match amount {
            Amount::Literal(number) => Ok(*number),
            Amount::Dynamic(dynamic) => {
                let data = self.dynamic_of_field(dynamic, field)?;
                let number = data.value().as_u64().or_else(|| whole(data.value()));
                number.map_or_else(|| self.number_in_text(dynamic, field, &data, "integer"), Ok)
            }
        }
    }

    /// A percentage.
    pub(super) fn share(&self, share: &Share, field: &str) -> Outcome<f64> {
        let share = match share {
            Share::Literal(share) => *share,
            Share::Dynamic(dynamic) => {
                let data = self.dynamic_of_field(dynamic, field)?;
                match data.value().as_f64() {
                    Some(share) => share,
                    None => self.number_in_text(dynamic, field, &data, "float")?,
                }
            }
        };
        if (0.0..=100.0).contains(&share) {
            return Ok(share);
        }
        Err(Fault::runtime(format!(
            "{field} must be between 0 and 100."
        )))
    }

    /// AWS takes digits in a text where a path leads to them.
    fn number_in_text<T: std::str::FromStr>(
        &self,
        dynamic: &Dynamic,
        field: &str,
        data: &Data,
        wanted: &str,
    ) -> Outcome<T> {
        let text = data.value().as_str();
        match dynamic {
            Dynamic::Path(path) => text.and_then(|text| text.parse().ok()).ok_or_else(|| {
                let shown = text.unwrap_or_else(|| data.text());
                Fault::runtime(format!(
                    "The {field}Path field refers to value \"{shown}\" which is not a valid {wanted}: {}",
                    path.text()
                ))
            }),
            Dynamic::Jsonata(expression) => {
                let wanted = if data.value().is_number() { wanted } else { "number" };
                Err(Fault::query(field, unexpected(expression.source(), field, wanted, data)))
            }
        }
    }

    /// A text.
    pub(super) fn text(&self, text: &Text, field: &str) -> Outcome<String> {
        let dynamic = match text {
            Text::Literal(text) => return Ok(text.clone()),
            Text::Dynamic(dynamic) => dynamic,
        };
        let data = self.dynamic_of_field(dynamic, field)?;
        if let Some(text) = data.value().as_str() {
            return Ok(text.to_owned());
        }
        Err(match dynamic {
            Dynamic::Path(path) => Fault::runtime(format!(
                "The value of the field '{field}Path' must be a string: {}",
                path.text()
            )),
            Dynamic::Jsonata(expression) => Fault::query(
                field,
                unexpected(expression.source(), field, "string", &data),
            ),
        })
    }

    /// A field whose JSONPath form has its own name, with `Path` at the end.
    fn dynamic_of_field(&self, dynamic: &Dynamic, field: &str) -> Outcome<Data> {
        match dynamic {
            Dynamic::Path(_) => self.dynamic(dynamic, &format!("{field}Path")),
            Dynamic::Jsonata(_) => self.dynamic(dynamic, field),
        }
    }

    fn session(&self, needs: Needs) -> &Session {
        let place = usize::from(needs == Needs::Everything);
        self.sessions[place].get_or_init(|| {
            let mut states = vec![("input", self.input.clone())];
            states.extend(self.result.clone().map(|result| ("result", result)));
            states.extend(self.error.clone().map(|error| ("errorOutput", error)));
            if needs == Needs::Everything {
                states.push(("context", Data::new(context::object(self))));
            }
            let variables = self.execution.variables(self.branch);
            Session::new(
                &states,
                &variables,
                self.env,
                self.execution.last_event_id,
                needs,
            )
        })
    }
}

/// A number such as `3.0`.
fn whole(value: &Value) -> Option<u64> {
    let number = value.as_f64()?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked to be a whole number in range"
    )]
    (number.fract() == 0.0 && (0.0..9e15).contains(&number)).then_some(number as u64)
}

/// AWS's text for an expression whose value has the wrong type.
pub(super) fn unexpected(source: &str, field: &str, expected: &str, data: &Data) -> String {
    format!(
        "The JSONata expression '{source}' specified for the field '{field}' returned an unexpected result type. Expected '{expected}', but was '{}' for value: {}",
        type_name(data.value()),
        data.text()
    )
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

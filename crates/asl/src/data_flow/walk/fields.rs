//! The fields of a state: what its templates and expressions give, by what they read.

use super::super::expression;
use super::super::shape::Shape;
use super::{Lens, Walk};
use crate::model::{Amount, Condition, Dynamic, Template, Text};

impl Walk<'_> {
    pub(super) fn template(&mut self, lens: &Lens<'_>, template: &Template, at: &str) -> Shape {
        match template {
            Template::Literal(data) => Shape::of(data.value()),
            Template::Dynamic(dynamic) => self.dynamic(lens, dynamic, at),
            Template::Object(members) => Shape::object(members.iter().map(|(name, member)| {
                let shape = self.template(lens, member, &format!("{at}/{name}"));
                (name.clone(), shape)
            })),
            Template::Array(elements) => {
                let elements = elements.iter().enumerate();
                let elements = elements
                    .map(|(i, element)| self.template(lens, element, &format!("{at}[{i}]")));
                Shape::tuple(elements.collect())
            }
        }
    }

    pub(super) fn dynamic(&mut self, lens: &Lens<'_>, dynamic: &Dynamic, at: &str) -> Shape {
        let Dynamic::Jsonata(expression) = dynamic else {
            return Shape::Unknown;
        };
        let states = lens.states.iter();
        let states = Shape::object(states.map(|(name, shape)| ((*name).to_owned(), shape.clone())));
        let (shape, troubles) = expression::shape(&expression.ast, &states, lens.variables);
        for trouble in troubles {
            self.note(lens.state, at, trouble.message, trouble.help);
        }
        shape
    }

    pub(super) fn condition(&mut self, lens: &Lens<'_>, condition: &Condition, at: &str) {
        if let Condition::Jsonata(dynamic) = condition {
            self.dynamic(lens, dynamic, at);
        }
    }

    pub(super) fn amount(&mut self, lens: &Lens<'_>, amount: Option<&Amount>, at: &str) {
        if let Some(Amount::Dynamic(dynamic)) = amount {
            self.dynamic(lens, dynamic, at);
        }
    }

    pub(super) fn text(&mut self, lens: &Lens<'_>, text: Option<&Text>, at: &str) {
        if let Some(Text::Dynamic(dynamic)) = text {
            self.dynamic(lens, dynamic, at);
        }
    }
}

/// The context object. Source: "Accessing execution data from the Context object in Step Functions".
pub(super) fn context(input: &Shape) -> Shape {
    let texts = |names: &[&str]| -> Vec<(String, Shape)> {
        let texts = names.iter().map(|name| ((*name).to_owned(), Shape::text()));
        texts.collect()
    };
    let mut execution = texts(&["Id", "Name", "RoleArn", "StartTime", "RedriveTime"]);
    execution.push(("Input".to_owned(), input.clone()));
    execution.push(("RedriveCount".to_owned(), Shape::number()));
    let mut state = texts(&["EnteredTime", "Name"]);
    state.push(("RetryCount".to_owned(), Shape::number()));
    let parts = [
        ("Execution", Shape::object(execution)),
        ("State", Shape::object(state)),
        ("StateMachine", Shape::object(texts(&["Id", "Name"]))),
        ("Task", Shape::object(texts(&["Token"]))),
        ("Map", Shape::Unknown),
    ];
    Shape::object(parts.map(|(name, shape)| (name.to_owned(), shape)))
}

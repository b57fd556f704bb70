//! Choice states.

use serde_json::Value;

use super::Builder;
use super::fields::Fields;
use super::machine::elements;
use super::state::Reader;
use crate::Data;
use crate::jsonpath::PathExpression;
use crate::model::{
    ChoiceRule, ChoiceState, Comparison, Condition, Dynamic, Operand, QueryLanguage,
};

/// What an operator's value has to be.
#[derive(Clone, Copy)]
enum Wants {
    Text,
    Number,
    Truth,
    Time,
}

/// Every comparison operator; those with a `Path` twin are marked. Source: "Choice workflow state", comparison operators.
const OPERATORS: &[(&str, Wants, bool)] = &[
    ("StringEquals", Wants::Text, true),
    ("StringLessThan", Wants::Text, true),
    ("StringGreaterThan", Wants::Text, true),
    ("StringLessThanEquals", Wants::Text, true),
    ("StringGreaterThanEquals", Wants::Text, true),
    ("StringMatches", Wants::Text, false),
    ("NumericEquals", Wants::Number, true),
    ("NumericLessThan", Wants::Number, true),
    ("NumericGreaterThan", Wants::Number, true),
    ("NumericLessThanEquals", Wants::Number, true),
    ("NumericGreaterThanEquals", Wants::Number, true),
    ("BooleanEquals", Wants::Truth, true),
    ("TimestampEquals", Wants::Time, true),
    ("TimestampLessThan", Wants::Time, true),
    ("TimestampGreaterThan", Wants::Time, true),
    ("TimestampLessThanEquals", Wants::Time, true),
    ("TimestampGreaterThanEquals", Wants::Time, true),
    ("IsNull", Wants::Truth, false),
    ("IsPresent", Wants::Truth, false),
    ("IsNumeric", Wants::Truth, false),
    ("IsString", Wants::Truth, false),
    ("IsBoolean", Wants::Truth, false),
    ("IsTimestamp", Wants::Truth, false),
];

impl Builder<'_> {
    pub(super) fn choice(&mut self, reader: &Reader<'_, '_>) -> Option<ChoiceState> {
        let fields = &reader.fields;
        self.require(fields, &["Choices"]);
        let rules = elements(self, fields, "Choices");
        if rules.is_empty() && fields.has("Choices") {
            self.schema(&fields.at("Choices"), "Choices must not be empty");
        }
        let choices = rules
            .iter()
            .filter_map(|rule| self.rule(rule, reader))
            .collect();
        let default = self.target(fields, "Default", reader.around);
        Some(ChoiceState { choices, default })
    }

    fn rule(&mut self, fields: &Fields<'_>, reader: &Reader<'_, '_>) -> Option<ChoiceRule> {
        self.require(fields, &["Next"]);
        let next = self.target(fields, "Next", reader.around);
        let assign = self.assign(fields, reader.language);
        let (condition, output) = match reader.language {
            QueryLanguage::Jsonata => {
                self.known(
                    fields,
                    &["Condition", "Next", "Output", "Assign", "Comment"],
                );
                self.require(fields, &["Condition"]);
                (
                    self.jsonata_condition(fields),
                    self.template(fields, "Output", reader.language),
                )
            }
            QueryLanguage::JsonPath => (self.condition(fields, true), None),
        };
        Some(ChoiceRule {
            condition: condition?,
            next: next?,
            output,
            assign,
        })
    }

    fn jsonata_condition(&mut self, fields: &Fields<'_>) -> Option<Condition> {
        let at = fields.at("Condition");
        match fields.get("Condition")? {
            Value::Bool(constant) => Some(Condition::Constant(*constant)),
            Value::String(text) => match self.jsonata(text, &at)? {
                Some(expression) => Some(Condition::Jsonata(Dynamic::Jsonata(expression))),
                None => {
                    self.schema(&at, "Condition must be a boolean or a JSONata expression");
                    None
                }
            },
            _ => {
                self.schema(&at, "Condition must be a boolean or a JSONata expression");
                None
            }
        }
    }

    fn condition(&mut self, fields: &Fields<'_>, top: bool) -> Option<Condition> {
        let around: &[&str] = if top {
            &["Next", "Assign", "Comment"]
        } else {
            &["Comment"]
        };
        let own: Vec<&String> = fields
            .map
            .keys()
            .filter(|field| !around.contains(&field.as_str()) && *field != "Variable")
            .collect();
        let [operator] = own[..] else {
            self.schema(
                &fields.pointer,
                "A choice rule needs exactly one comparison operator, 'And', 'Or' or 'Not'",
            );
            return None;
        };
        match operator.as_str() {
            "And" | "Or" => {
                let parts = elements(self, fields, operator);
                if parts.is_empty() {
                    self.schema(
                        &fields.at(operator),
                        format!("{operator} must not be empty"),
                    );
                }
                let parts: Vec<Condition> = parts
                    .iter()
                    .filter_map(|part| self.condition(part, false))
                    .collect();
                Some(if operator == "And" {
                    Condition::And(parts)
                } else {
                    Condition::Or(parts)
                })
            }
            "Not" => {
                let part = self.fields(fields.get("Not")?, &fields.at("Not"))?;
                self.condition(&part, false)
                    .map(|part| Condition::Not(Box::new(part)))
            }
            _ => self.comparison(fields, operator),
        }
    }

    fn comparison(&mut self, fields: &Fields<'_>, operator: &str) -> Option<Condition> {
        self.require(fields, &["Variable"]);
        let at = fields.at(operator);
        let by_path = operator.strip_suffix("Path");
        let found = OPERATORS
            .iter()
            .find(|(name, _, path)| *name == operator || (*path && by_path == Some(name)));
        let Some((name, wants, _)) = found else {
            self.not_supported(fields, operator);
            return None;
        };
        let variable = self.path(fields, "Variable");
        let value = fields.get(operator)?;
        let operand = if by_path.is_some() {
            match value.as_str().map(PathExpression::parse) {
                Some(Ok(path)) => Operand::Path(path),
                _ => {
                    self.schema(&at, "Value is not a Reference Path");
                    return None;
                }
            }
        } else {
            let expected = match (wants, value) {
                (Wants::Text, Value::String(_))
                | (Wants::Number, Value::Number(_))
                | (Wants::Truth, Value::Bool(_)) => None,
                (Wants::Time, Value::String(text))
                    if crate::interpret::parse_timestamp(text).is_some() =>
                {
                    None
                }
                (Wants::Time, Value::String(_)) => {
                    self.schema(&at, "String does not match RFC3339 timestamp");
                    return None;
                }
                (Wants::Text | Wants::Time, _) => Some("String"),
                (Wants::Number, _) => Some("Number"),
                (Wants::Truth, _) => Some("Boolean"),
            };
            if let Some(expected) = expected {
                self.wrong_type(&at, expected);
                return None;
            }
            Operand::Literal(Data::new(value.clone()))
        };
        Some(Condition::Compare(Box::new(Comparison {
            variable: variable?,
            operator: name,
            operand,
        })))
    }
}

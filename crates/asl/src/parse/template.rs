//! Expressions and the JSON around them.

use std::sync::Arc;

use serde_json::Value;

use super::Builder;
use super::fields::Fields;
use crate::Data;
use crate::jsonata::Jsonata;
use crate::jsonpath::PathExpression;
use crate::model::{
    Amount, Assignments, Dynamic, PathField, QueryLanguage, ResultPath, Share, Template, Text,
};

/// The longest name of a variable.
const LONGEST_VARIABLE: usize = 80;

impl Builder<'_> {
    /// `{% … %}`: the expression, if the text is one.
    pub(super) fn jsonata(&mut self, text: &str, pointer: &str) -> Option<Option<Jsonata>> {
        if !text.starts_with("{%") {
            return Some(None);
        }
        let Some(source) = text
            .strip_prefix("{%")
            .and_then(|rest| rest.strip_suffix("%}"))
        else {
            self.schema(pointer, "The JSONata expression must end with '%}'");
            return None;
        };
        match Jsonata::parse(source) {
            Ok(expression) => Some(Some(expression)),
            Err(message) => {
                self.schema(
                    pointer,
                    format!("The JSONata expression is not valid: {message}"),
                );
                None
            }
        }
    }

    /// A field that holds JSON with expressions in it.
    pub(super) fn template(
        &mut self,
        fields: &Fields<'_>,
        field: &str,
        language: QueryLanguage,
    ) -> Option<Template> {
        let value = fields.get(field)?;
        self.template_value(value, &fields.at(field), language)
    }

    pub(super) fn template_value(
        &mut self,
        value: &Value,
        pointer: &str,
        language: QueryLanguage,
    ) -> Option<Template> {
        match value {
            Value::String(text) if language == QueryLanguage::Jsonata => {
                Some(match self.jsonata(text, pointer)? {
                    Some(expression) => Template::Dynamic(Dynamic::Jsonata(expression)),
                    None => literal(value),
                })
            }
            Value::Array(elements) => {
                let parsed: Vec<Template> = elements
                    .iter()
                    .enumerate()
                    .filter_map(|(i, element)| {
                        self.template_value(element, &format!("{pointer}[{i}]"), language)
                    })
                    .collect();
                let whole = parsed
                    .iter()
                    .all(|element| matches!(element, Template::Literal(_)));
                Some(if whole {
                    literal(value)
                } else {
                    Template::Array(parsed)
                })
            }
            Value::Object(members) => {
                let mut parsed = Vec::with_capacity(members.len());
                for (name, member) in members {
                    let at = format!("{pointer}/{name}");
                    match name.strip_suffix(".$") {
                        Some(plain) if language == QueryLanguage::JsonPath => {
                            parsed.extend(self.payload_path(name, member, pointer).map(|path| {
                                (plain.to_owned(), Template::Dynamic(Dynamic::Path(path)))
                            }));
                        }
                        _ => parsed.extend(
                            self.template_value(member, &at, language)
                                .map(|member| (name.clone(), member)),
                        ),
                    }
                }
                let whole = parsed
                    .iter()
                    .all(|(_, member)| matches!(member, Template::Literal(_)));
                Some(if whole {
                    literal(value)
                } else {
                    Template::Object(parsed)
                })
            }
            _ => Some(literal(value)),
        }
    }

    /// The value of a member whose name ends in `.$`.
    fn payload_path(
        &mut self,
        name: &str,
        member: &Value,
        pointer: &str,
    ) -> Option<PathExpression> {
        let path = member
            .as_str()
            .and_then(|text| PathExpression::parse(text).ok());
        if path.is_none() {
            self.schema(pointer, format!("The value for the field '{name}' must be a valid JSONPath or a valid intrinsic function call"));
        }
        path
    }

    /// A field that holds a path.
    pub(super) fn path(&mut self, fields: &Fields<'_>, field: &str) -> Option<PathExpression> {
        let text = self.string(fields, field)?;
        self.path_text(text, &fields.at(field))
    }

    fn path_text(&mut self, text: &str, pointer: &str) -> Option<PathExpression> {
        match PathExpression::parse(text) {
            Ok(path) => Some(path),
            Err(message) => {
                self.schema(pointer, format!("Value is not a valid JSONPath: {message}"));
                None
            }
        }
    }

    /// `InputPath`, `OutputPath`.
    pub(super) fn path_field(&mut self, fields: &Fields<'_>, field: &str) -> PathField {
        match fields.get(field) {
            None => PathField::Whole,
            Some(Value::Null) => PathField::Null,
            Some(Value::String(text)) if text == "$" => PathField::Whole,
            Some(_) => self
                .path(fields, field)
                .map_or(PathField::Whole, PathField::Path),
        }
    }

    /// `ResultPath`.
    pub(super) fn result_path(&mut self, fields: &Fields<'_>) -> ResultPath {
        match fields.get("ResultPath") {
            None => ResultPath::Replace,
            Some(Value::Null) => ResultPath::Discard,
            Some(_) => {
                let steps = self.path(fields, "ResultPath").map(|path| path.reference());
                match steps {
                    Some(Some(steps)) if steps.is_empty() => ResultPath::Replace,
                    Some(Some(steps)) => ResultPath::Insert(steps),
                    Some(None) => {
                        self.schema(&fields.at("ResultPath"), "Value is not a Reference Path");
                        ResultPath::Replace
                    }
                    None => ResultPath::Replace,
                }
            }
        }
    }

    /// A number: `field` in either language, `fieldPath` in JSONPath states.
    pub(super) fn amount(
        &mut self,
        fields: &Fields<'_>,
        field: &str,
        least: u64,
        most: u64,
        language: QueryLanguage,
    ) -> Option<Amount> {
        let path_field = format!("{field}Path");
        if let Some(dynamic) = self.path_twin(fields, field, &path_field, language) {
            return dynamic.map(Amount::Dynamic);
        }
        match fields.get(field)? {
            Value::String(text) if language == QueryLanguage::Jsonata => {
                let at = fields.at(field);
                match self.jsonata(text, &at)? {
                    Some(expression) => Some(Amount::Dynamic(Dynamic::Jsonata(expression))),
                    None => {
                        self.wrong_type(&at, "Integer");
                        None
                    }
                }
            }
            _ => self.whole(fields, field, least, most).map(Amount::Literal),
        }
    }

    /// A percentage: `field` in either language, `fieldPath` in JSONPath states.
    pub(super) fn share(
        &mut self,
        fields: &Fields<'_>,
        field: &str,
        language: QueryLanguage,
    ) -> Option<Share> {
        match fields.get(field).and_then(Value::as_f64) {
            Some(share) if (0.0..=100.0).contains(&share) => Some(Share::Literal(share)),
            Some(_) => {
                self.schema(&fields.at(field), "Value must be between 0 and 100");
                None
            }
            None => match self.amount(fields, field, 0, 100, language)? {
                Amount::Dynamic(dynamic) => Some(Share::Dynamic(dynamic)),
                Amount::Literal(_) => None,
            },
        }
    }

    /// A text: `field` in either language, `fieldPath` in JSONPath states.
    pub(super) fn text(
        &mut self,
        fields: &Fields<'_>,
        field: &str,
        language: QueryLanguage,
    ) -> Option<Text> {
        let path_field = format!("{field}Path");
        if let Some(dynamic) = self.path_twin(fields, field, &path_field, language) {
            return dynamic.map(Text::Dynamic);
        }
        let text = self.string(fields, field)?;
        match language {
            QueryLanguage::Jsonata => Some(match self.jsonata(text, &fields.at(field))? {
                Some(expression) => Text::Dynamic(Dynamic::Jsonata(expression)),
                None => Text::Literal(text.to_owned()),
            }),
            QueryLanguage::JsonPath => Some(Text::Literal(text.to_owned())),
        }
    }

    /// The `…Path` form of a field, if it is there.
    fn path_twin(
        &mut self,
        fields: &Fields<'_>,
        field: &str,
        path_field: &str,
        language: QueryLanguage,
    ) -> Option<Option<Dynamic>> {
        if !fields.has(path_field) {
            return None;
        }
        if fields.has(field) {
            self.schema(
                &fields.pointer,
                format!("Only one of '{field}' and '{path_field}' can be used"),
            );
        }
        if language == QueryLanguage::Jsonata {
            self.schema(&fields.at(path_field), format!("'{path_field}' is not supported when QueryLanguage is JSONata; write an expression in '{field}'"));
            return Some(None);
        }
        Some(self.path(fields, path_field).map(Dynamic::Path))
    }

    /// `Assign`.
    pub(super) fn assign(&mut self, fields: &Fields<'_>, language: QueryLanguage) -> Assignments {
        let Some(assign) = fields
            .get("Assign")
            .and_then(|value| self.fields(value, &fields.at("Assign")))
        else {
            return Vec::new();
        };
        let mut assignments = Assignments::new();
        for (name, value) in assign.map {
            let at = assign.at(name);
            let (plain, template) = match name.strip_suffix(".$") {
                Some(plain) if language == QueryLanguage::JsonPath => (
                    plain,
                    self.payload_path(name, value, &assign.pointer)
                        .map(|path| Template::Dynamic(Dynamic::Path(path))),
                ),
                _ => (name.as_str(), self.template_value(value, &at, language)),
            };
            if !is_variable_name(plain) {
                self.schema(&at, format!("'{plain}' is not a valid variable name; use letters, digits and '_', not a digit first, at most {LONGEST_VARIABLE}, and not 'states'"));
            }
            assignments.extend(template.map(|template| (Arc::from(plain), template)));
        }
        assignments
    }
}

fn is_variable_name(name: &str) -> bool {
    let mut characters = name.chars();
    let first = characters
        .next()
        .is_some_and(|first| first.is_alphabetic() || first == '_');
    first
        && name != "states"
        && name.chars().count() <= LONGEST_VARIABLE
        && characters.all(|c| c.is_alphanumeric() || c == '_')
}

fn literal(value: &Value) -> Template {
    Template::Literal(Data::new(value.clone()))
}

//! Reading members of an object, with AWS's messages for what is wrong with them.

use serde_json::{Map, Value};

use super::Builder;
use crate::Code;

/// An object of the definition and its place.
pub(super) struct Fields<'a> {
    pub(super) map: &'a Map<String, Value>,
    pub(super) pointer: String,
}

impl<'a> Fields<'a> {
    /// The place of a member.
    pub(super) fn at(&self, field: &str) -> String {
        format!("{}/{field}", self.pointer)
    }

    pub(super) fn get(&self, field: &str) -> Option<&'a Value> {
        self.map.get(field)
    }

    pub(super) fn has(&self, field: &str) -> bool {
        self.map.contains_key(field)
    }
}

impl Builder<'_> {
    pub(super) fn fields<'v>(&mut self, value: &'v Value, pointer: &str) -> Option<Fields<'v>> {
        match value {
            Value::Object(map) => Some(Fields {
                map,
                pointer: pointer.to_owned(),
            }),
            _ => {
                self.wrong_type(pointer, "Object");
                None
            }
        }
    }

    pub(super) fn wrong_type(&mut self, pointer: &str, expected: &str) {
        self.schema(pointer, format!("Expected value of type {expected}"));
    }

    pub(super) fn require(&mut self, fields: &Fields<'_>, required: &[&str]) -> bool {
        let missing: Vec<&str> = required
            .iter()
            .copied()
            .filter(|field| !fields.has(field))
            .collect();
        if !missing.is_empty() {
            self.schema(
                &fields.pointer,
                format!("These fields are required: [{}]", missing.join(", ")),
            );
        }
        missing.is_empty()
    }

    /// Refuses members that nobody reads: a misspelt field must not be ignored.
    pub(super) fn known(&mut self, fields: &Fields<'_>, known: &[&str]) {
        for field in fields
            .map
            .keys()
            .filter(|field| !known.contains(&field.as_str()))
        {
            self.not_supported(fields, field);
        }
    }

    /// AWS names the object as the place, and the field in the message; the line is the field's own.
    pub(super) fn not_supported(&mut self, fields: &Fields<'_>, field: &str) {
        self.error(
            Code::SchemaValidationFailed,
            &fields.pointer,
            format!("Field '{field}' is not supported"),
            Some("Check its spelling, or remove it: which fields there are depends on Type and QueryLanguage."),
        );
        if let Some(found) = self.diagnostics.last_mut() {
            found.line = self.lines.of(&fields.at(field));
        }
    }

    pub(super) fn string<'v>(&mut self, fields: &Fields<'v>, field: &str) -> Option<&'v str> {
        let value = fields.get(field)?;
        if value.as_str().is_none() {
            self.wrong_type(&fields.at(field), "String");
        }
        value.as_str()
    }

    pub(super) fn boolean(&mut self, fields: &Fields<'_>, field: &str) -> Option<bool> {
        let value = fields.get(field)?;
        if value.as_bool().is_none() {
            self.wrong_type(&fields.at(field), "Boolean");
        }
        value.as_bool()
    }

    pub(super) fn array<'v>(&mut self, fields: &Fields<'v>, field: &str) -> Option<&'v [Value]> {
        let value = fields.get(field)?;
        if value.as_array().is_none() {
            self.wrong_type(&fields.at(field), "Array");
        }
        value.as_array().map(Vec::as_slice)
    }

    /// A whole number within bounds.
    pub(super) fn whole(
        &mut self,
        fields: &Fields<'_>,
        field: &str,
        least: u64,
        most: u64,
    ) -> Option<u64> {
        let value = fields.get(field)?;
        match value.as_u64() {
            Some(number) if (least..=most).contains(&number) => Some(number),
            Some(_) => {
                self.schema(
                    &fields.at(field),
                    format!("Value must be between {least} and {most}"),
                );
                None
            }
            None => {
                self.wrong_type(&fields.at(field), "Integer");
                None
            }
        }
    }

    /// The value of `ErrorEquals`.
    pub(super) fn error_equals(&mut self, fields: &Fields<'_>, last: bool) -> Vec<String> {
        let Some(names) = self.array(fields, "ErrorEquals") else {
            return Vec::new();
        };
        let pointer = fields.at("ErrorEquals");
        if names.is_empty() {
            self.schema(&pointer, "ErrorEquals must not be empty");
        }
        let mut errors = Vec::with_capacity(names.len());
        for (i, name) in names.iter().enumerate() {
            match name.as_str() {
                Some(name) => errors.push(name.to_owned()),
                None => self.wrong_type(&format!("{pointer}[{i}]"), "String"),
            }
        }
        if errors.iter().any(|name| name == crate::error_name::ALL) && (errors.len() > 1 || !last) {
            self.schema(
                &pointer,
                "States.ALL must appear alone and at the end of the list",
            );
        }
        errors
    }
}

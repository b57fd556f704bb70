//! Shapes from JSON Schema.

use serde_json::Value;

use super::{DEEPEST, Object, Others, Shape};

impl Shape {
    /// The shape that a JSON Schema describes, as far as it says: references, types, members, elements and choices.
    pub fn from_schema(schema: &Value) -> Self {
        Self::schema(schema, schema, DEEPEST)
    }

    fn schema(root: &Value, schema: &Value, depth: usize) -> Self {
        let Some(fields) = schema.as_object().filter(|_| depth > 0) else {
            return Self::Unknown;
        };
        if let Some(path) = fields.get("$ref").and_then(Value::as_str) {
            let target = path.strip_prefix('#').and_then(|path| root.pointer(path));
            return target.map_or(Self::Unknown, |to| Self::schema(root, to, depth - 1));
        }
        for choice in ["anyOf", "oneOf"] {
            if let Some(of) = fields.get(choice).and_then(Value::as_array) {
                let shapes = of.iter().map(|one| Self::schema(root, one, depth - 1));
                return Self::any_of(shapes);
            }
        }
        if let Some(values) = fields.get("enum").and_then(Value::as_array) {
            return Self::any_of(values.iter().map(Self::of));
        }
        if let Some(value) = fields.get("const") {
            return Self::of(value);
        }
        match fields.get("type") {
            Some(Value::String(name)) => Self::typed(root, schema, name, depth),
            Some(Value::Array(names)) => {
                let names = names.iter().filter_map(Value::as_str);
                Self::any_of(names.map(|name| Self::typed(root, schema, name, depth)))
            }
            _ => Self::Unknown,
        }
    }

    fn typed(root: &Value, schema: &Value, name: &str, depth: usize) -> Self {
        match name {
            "string" => Self::text(),
            "integer" | "number" => Self::number(),
            "boolean" => Self::truth(),
            "null" => Self::null(),
            "array" => {
                let of = schema.get("items");
                Self::array(of.map_or(Self::Unknown, |of| Self::schema(root, of, depth - 1)))
            }
            "object" => {
                let listed = schema.get("properties").and_then(Value::as_object);
                let members = listed.into_iter().flatten();
                let members =
                    members.map(|(name, of)| (name.clone(), Self::schema(root, of, depth - 1)));
                let required = schema.get("required").and_then(Value::as_array);
                let required = required.into_iter().flatten().filter_map(Value::as_str);
                Self::of_object(Object {
                    members: members.collect(),
                    required: required.map(str::to_owned).collect(),
                    others: match schema.get("additionalProperties") {
                        Some(Value::Bool(false)) => Others::Refused,
                        None if listed.is_some() => Others::Absent,
                        _ => Others::Possible,
                    },
                })
            }
            _ => Self::Unknown,
        }
    }
}

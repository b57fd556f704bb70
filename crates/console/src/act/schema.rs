//! A form from a JSON Schema: a field for each member of an object, and back from what was typed to JSON.
//!
//! Made for inputs as tasks and workflows declare them: flat objects of texts, numbers, truths and choices. Any other
//! member is a field for JSON.

use maud::{Markup, html};
use serde_json::{Map, Value};

use super::form::Fields;

/// In front of a member's name, so that it meets no field of ours.
const PREFIX: &str = "input.";

/// One member of an object.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Field {
    pub name: String,
    pub about: Option<String>,
    pub is_required: bool,
    kind: Kind,
}

#[derive(Clone, Debug, PartialEq)]
enum Kind {
    Text,
    Integer { least: Option<i64> },
    Number,
    Truth,
    Choice(Vec<String>),
    Json,
}

/// The fields of an object's schema; `None` where it describes no object or one without members.
pub(crate) fn fields(schema: &Value) -> Option<Vec<Field>> {
    let members = schema.get("properties")?.as_object()?;
    let required: Vec<_> = schema
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let fields: Vec<_> = members
        .iter()
        .map(|(name, member)| Field {
            name: name.clone(),
            about: text(member, "description"),
            is_required: required.contains(&name.as_str()),
            kind: kind(schema, member),
        })
        .collect();
    (!fields.is_empty()).then_some(fields)
}

fn text(schema: &Value, key: &str) -> Option<String> {
    schema.get(key)?.as_str().map(str::to_owned)
}

fn kind(root: &Value, member: &Value) -> Kind {
    let resolved = member
        .get("$ref")
        .and_then(Value::as_str)
        .and_then(|path| path.strip_prefix('#'))
        .and_then(|pointer| root.pointer(pointer));
    if let Some(resolved) = resolved {
        return kind(root, resolved);
    }
    if let Some(choices) = choices(member) {
        return Kind::Choice(choices);
    }
    // `["string", "null"]` is an optional text.
    let types: Vec<&str> = match member.get("type") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(many)) => many
            .iter()
            .filter_map(Value::as_str)
            .filter(|t| *t != "null")
            .collect(),
        _ => Vec::new(),
    };
    match types.as_slice() {
        ["string"] => Kind::Text,
        ["integer"] => Kind::Integer {
            least: member.get("minimum").and_then(Value::as_i64),
        },
        ["number"] => Kind::Number,
        ["boolean"] => Kind::Truth,
        _ => Kind::Json,
    }
}

/// The texts that may be chosen from.
fn choices(member: &Value) -> Option<Vec<String>> {
    if let Some(all) = member.get("enum").and_then(Value::as_array) {
        return all.iter().map(|v| v.as_str().map(str::to_owned)).collect();
    }
    let all = member.get("oneOf")?.as_array()?;
    all.iter().map(|one| text(one, "const")).collect()
}

/// What was typed, as JSON; or what is wrong, by the member's name.
pub(crate) fn read(fields: &[Field], typed: &Fields) -> Result<Value, Vec<(String, String)>> {
    let mut object = Map::new();
    let mut wrong = Vec::new();
    for field in fields {
        let typed = typed.get(&format!("{PREFIX}{}", field.name));
        match typed.map(|typed| field.read(typed.trim())) {
            Some(Ok(value)) => {
                object.insert(field.name.clone(), value);
            }
            Some(Err(problem)) => wrong.push((field.name.clone(), problem)),
            None if field.is_required => {
                wrong.push((field.name.clone(), "is needed".to_owned()));
            }
            None => {}
        }
    }
    if wrong.is_empty() {
        Ok(Value::Object(object))
    } else {
        Err(wrong)
    }
}

/// What stands in the fields: of an input, or as it was typed.
pub(crate) fn typed(input: &Value) -> impl Fn(&str) -> Option<String> + '_ {
    move |name| match input.get(name)? {
        Value::String(text) => Some(text.clone()),
        Value::Null => None,
        other => Some(other.to_string()),
    }
}

/// The same of a form that was sent.
pub(crate) fn typed_in(fields: &Fields) -> impl Fn(&str) -> Option<String> + '_ {
    move |name| fields.get(&format!("{PREFIX}{name}")).map(str::to_owned)
}

impl Field {
    fn read(&self, typed: &str) -> Result<Value, String> {
        match &self.kind {
            Kind::Text => Ok(typed.into()),
            Kind::Integer { least } => match typed.parse::<i64>() {
                Ok(n) if least.is_some_and(|least| n < least) => {
                    Err(format!("must be {} at least", least.unwrap_or_default()))
                }
                Ok(n) => Ok(n.into()),
                Err(_) => Err("must be a whole number".to_owned()),
            },
            Kind::Number => serde_json::from_str::<serde_json::Number>(typed)
                .map(Value::Number)
                .map_err(|_| "must be a number".to_owned()),
            Kind::Truth => typed
                .parse::<bool>()
                .map(Value::Bool)
                .map_err(|_| "must be true or false".to_owned()),
            Kind::Choice(choices) if choices.iter().any(|c| c == typed) => Ok(typed.into()),
            Kind::Choice(choices) => Err(format!("must be one of {}", choices.join(", "))),
            Kind::Json => {
                serde_json::from_str(typed).map_err(|error| format!("must be JSON: {error}"))
            }
        }
    }

    /// The field with its label, and what is wrong with what was typed.
    pub(crate) fn render(&self, typed: Option<&str>, problem: Option<&str>) -> Markup {
        let name = format!("{PREFIX}{}", self.name);
        let help = format!("{name}-help");
        let typed = typed.unwrap_or_default();
        let invalid = problem.map(|_| "true");
        html! {
            div .stack {
                label for=(name) { (self.name) @if !self.is_required { " (may be empty)" } }
                @match &self.kind {
                    Kind::Choice(choices) => { (select(&name, &help, choices, typed, invalid)) }
                    Kind::Truth => { (select(&name, &help, &["true".to_owned(), "false".to_owned()], typed, invalid)) }
                    Kind::Json => {
                        textarea id=(name) name=(name) rows="4" spellcheck="false" aria-invalid=[invalid] aria-describedby=(help) { (typed) }
                    }
                    kind => {
                        input id=(name) name=(name) value=(typed) autocomplete="off" aria-invalid=[invalid] aria-describedby=(help)
                            inputmode=[match kind { Kind::Integer { .. } => Some("numeric"), Kind::Number => Some("decimal"), _ => None }];
                    }
                }
                span .sub id=(help) {
                    @if let Some(problem) = problem { strong { (self.name) " " (problem) ". " } }
                    @if let Some(about) = &self.about { (about) }
                }
            }
        }
    }
}

fn select(
    name: &str,
    help: &str,
    choices: &[String],
    typed: &str,
    invalid: Option<&str>,
) -> Markup {
    html! {
        select id=(name) name=(name) aria-invalid=[invalid] aria-describedby=(help) {
            option value="" { "" }
            @for choice in choices { option value=(choice) selected[choice == typed] { (choice) } }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn schema() -> Value {
        json!({
            "type": "object",
            "required": ["product_id", "quantity"],
            "properties": {
                "product_id": {"type": "string", "description": "What"},
                "quantity": {"type": "integer", "minimum": 1},
                "order_id": {"type": ["string", "null"]},
                "kind": {"$ref": "#/$defs/Kind"},
                "urgent": {"type": "boolean"},
                "lines": {"type": "array"}
            },
            "$defs": {"Kind": {"oneOf": [{"const": "stop", "type": "string"}, {"const": "resume", "type": "string"}]}}
        })
    }

    fn check(typed: &str, expected: Result<Value, &[&str]>) {
        let fields = fields(&schema()).unwrap();
        let read = read(&fields, &Fields::read(typed.as_bytes()));
        let told = read.map_err(|wrong| {
            let told: Vec<_> = wrong.into_iter().map(|(n, p)| format!("{n} {p}")).collect();
            told
        });
        match (told, expected) {
            (Ok(value), Ok(expected)) => assert_eq!(value, expected),
            (Err(told), Err(expected)) => assert_eq!(told, expected),
            (told, expected) => panic!("{told:?} in place of {expected:?}"),
        }
    }

    #[test]
    fn what_was_typed_becomes_json_or_says_what_is_wrong() {
        check(
            "input.product_id=CP-1&input.quantity=3&input.order_id=&input.kind=stop&input.urgent=true&input.lines=[1]",
            Ok(
                json!({"product_id": "CP-1", "quantity": 3, "kind": "stop", "urgent": true, "lines": [1]}),
            ),
        );
        check(
            "input.quantity=0&input.kind=other&input.lines=[",
            Err(&[
                "product_id is needed",
                "quantity must be 1 at least",
                "kind must be one of stop, resume",
                "lines must be JSON: EOF while parsing a list at line 1 column 1",
            ]),
        );
        check(
            "input.product_id=a&input.quantity=many",
            Err(&["quantity must be a whole number"]),
        );
    }

    #[test]
    fn what_describes_no_object_has_no_form() {
        for schema in [
            json!(true),
            json!({"type": "string"}),
            json!({"type": "object", "properties": {}}),
        ] {
            assert_eq!(fields(&schema), None, "{schema}");
        }
    }

    #[test]
    fn a_field_is_labelled_and_escaped() {
        let fields = fields(&schema()).unwrap();
        let html = fields[0]
            .render(Some("\"><script>"), Some("is odd"))
            .into_string();
        assert!(html.contains("<label for=\"input.product_id\">"), "{html}");
        assert!(!html.contains("<script>"), "{html}");
        assert!(html.contains("product_id is odd"), "{html}");
    }
}

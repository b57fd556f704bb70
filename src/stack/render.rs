//! Placeholders. Definitions and environments contain only `${name}`; here they become local ARNs and URLs, on AWS
//! Terraform gives the same names its own. The names follow one rule: `<kind>_<name>` with the kinds `function_arn`,
//! `queue_url`, `queue_arn`, `topic_arn`, `state_machine_arn`, and the installation's settings by their own names.

use std::collections::BTreeMap;

use serde_json::{Number, Value};

use super::StackError;
use super::model::Stack;

/// The account of every local ARN.
pub(crate) const ACCOUNT: &str = "000000000000";

/// What one installation says of itself: URLs, keys, addresses. The names are the placeholders' names.
#[derive(Debug)]
pub(crate) struct Setting {
    pub name: &'static str,
    pub value: String,
}

/// Every placeholder's value.
#[derive(Debug)]
pub(crate) struct Placeholders(BTreeMap<String, String>);

impl Placeholders {
    /// `aws_url` is the local endpoint, without a slash at the end.
    pub(crate) fn local(
        stack: &Stack,
        region: &str,
        aws_url: &str,
        settings: Vec<Setting>,
    ) -> Placeholders {
        let mut values = BTreeMap::new();
        for name in stack.functions.keys() {
            values.insert(
                format!("function_arn_{name}"),
                format!("arn:aws:lambda:{region}:{ACCOUNT}:function:{name}:live"),
            );
        }
        for name in stack.queues.keys() {
            values.insert(
                format!("queue_url_{name}"),
                format!("{aws_url}/{ACCOUNT}/{name}"),
            );
            values.insert(
                format!("queue_arn_{name}"),
                format!("arn:aws:sqs:{region}:{ACCOUNT}:{name}"),
            );
        }
        for name in stack.topics.keys() {
            values.insert(
                format!("topic_arn_{name}"),
                format!("arn:aws:sns:{region}:{ACCOUNT}:{name}"),
            );
        }
        for name in stack.state_machines.keys() {
            values.insert(
                format!("state_machine_arn_{name}"),
                format!("arn:aws:states:{region}:{ACCOUNT}:stateMachine:{name}"),
            );
        }
        values.extend(settings.into_iter().map(|s| (s.name.to_owned(), s.value)));
        Placeholders(values)
    }

    /// Values of the shape that Terraform gives them on AWS: other accounts, addresses and lengths, functions and state
    /// machines by their alias. Of no installation; for checks.
    pub(crate) fn aws(stack: &Stack, settings: Vec<Setting>) -> Placeholders {
        let region = "ap-southeast-2";
        let sqs = format!("https://sqs.{region}.amazonaws.com");
        let mut placeholders = Placeholders::local(stack, region, &sqs, settings);
        for (name, value) in &mut placeholders.0 {
            *value = value.replace(ACCOUNT, "123456789012");
            if name.starts_with("state_machine_arn_") {
                value.push_str(":live");
            }
        }
        placeholders
    }

    /// The value of one placeholder, empty where there is none.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// Replaces every `${name}` in `text`; `file` is named in the error. `$${` stays `${`, as in Terraform's templates.
    pub(crate) fn render(&self, file: &str, text: &str) -> Result<String, StackError> {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find("${") {
            if rest[..at].ends_with('$') {
                out.push_str(&rest[..at - 1]);
                out.push_str("${");
                rest = &rest[at + 2..];
                continue;
            }
            out.push_str(&rest[..at]);
            let (name, after) = rest[at + 2..]
                .split_once('}')
                .unwrap_or((&rest[at + 2..], ""));
            let value = self.0.get(name).ok_or_else(|| StackError::Placeholder {
                file: file.to_owned(),
                name: name.to_owned(),
                known: self.0.keys().cloned().collect::<Vec<_>>().join(", "),
            })?;
            out.push_str(value);
            rest = after;
        }
        out.push_str(rest);
        Ok(out)
    }

    /// Replaces the placeholders in every text of a JSON value. A text that is one placeholder and nothing else becomes
    /// a number where its value is one: in a numeric filter, `"${vip_threshold}"` is `100`.
    pub(crate) fn render_json(&self, file: &str, value: &Value) -> Result<Value, StackError> {
        Ok(match value {
            Value::String(text) => {
                let rendered = self.render(file, text)?;
                let alone = text.starts_with("${") && text.find('}') == Some(text.len() - 1);
                match rendered.parse::<Number>() {
                    Ok(number) if alone => Value::Number(number),
                    _ => Value::String(rendered),
                }
            }
            Value::Array(values) => {
                let rendered = values.iter().map(|value| self.render_json(file, value));
                Value::Array(rendered.collect::<Result<_, _>>()?)
            }
            Value::Object(members) => {
                let rendered = members
                    .iter()
                    .map(|(name, value)| Ok((name.clone(), self.render_json(file, value)?)));
                Value::Object(rendered.collect::<Result<_, StackError>>()?)
            }
            other => other.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placeholders() -> Placeholders {
        Placeholders(
            [
                ("a".to_owned(), "1".to_owned()),
                ("long_name".to_owned(), "two".to_owned()),
            ]
            .into(),
        )
    }

    #[test]
    fn placeholders_are_replaced_and_escapes_kept() {
        for (text, expected) in [
            ("", ""),
            ("plain", "plain"),
            ("${a}", "1"),
            ("x${a}y${long_name}z", "x1ytwoz"),
            ("$${a} ${a}", "${a} 1"),
            ("{% $x %}", "{% $x %}"),
        ] {
            assert_eq!(
                placeholders().render("f", text).unwrap(),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn a_lone_placeholder_in_json_becomes_a_number() {
        let filter = serde_json::json!({
            "q": [{ "numeric": [">=", "${a}"] }],
            "texts": ["1", "${long_name}", "${a}${a}", "$${a}", null, 7],
        });
        let rendered = placeholders().render_json("stack.json", &filter).unwrap();
        assert_eq!(
            rendered,
            serde_json::json!({
                "q": [{ "numeric": [">=", 1] }],
                "texts": ["1", "two", "11", "${a}", null, 7],
            })
        );
    }

    #[test]
    fn an_unknown_placeholder_names_the_file_and_what_is_known() {
        let told = placeholders()
            .render("reorder.asl.json", "${b}")
            .unwrap_err()
            .to_string();
        assert_eq!(
            told,
            "reorder.asl.json: unknown placeholder ${b}. Known are a, long_name"
        );
    }
}

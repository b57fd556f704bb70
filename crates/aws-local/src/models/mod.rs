//! What services answer, by the published models of their APIs: mocked results are held against them ([`check`]), and they say
//! which members of an answer are times ([`write_times`]) and which errors have names ([`knows_error`]).
//!
//! A file for each service. `!` is followed by the codes of its errors; `@Action<TAB>Shape` names an action's response; every
//! other line is a structure: its name, then its members as `Name:type`, `Name!:type` if required. Types: `string[1..20]`, `blob[..]`,
//! `number[..]` with bounds of length or value, `boolean`, `time`, `any`, `enum(A|B)`, `[type]`, `{type}` (a map), or the name of a
//! structure. Members are in Pascal case, as Step Functions writes them. The files were made from the API models that AWS
//! publishes with its SDKs; services without a file are not checked.
//!
//! Messages are from recorded answers; of those for maps, booleans and long texts there is no recording.

pub(crate) mod wire;

use asl::{Pattern, Resource};
use jiff::Timestamp;
use serde_json::{Map, Value};

/// What is asked of a mocked result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Strictness {
    /// Required members must be there, and every member must fit.
    Strict,
    /// Every member that is there must fit.
    Present,
}

/// By the service's name in `aws-sdk:` resources; optimised integrations that differ are mapped in [`action_of`].
const MODELS: [(&str, &str); 20] = [
    ("athena", include_str!("athena.txt")),
    ("batch", include_str!("batch.txt")),
    ("cloudwatch", include_str!("cloudwatch.txt")),
    ("codebuild", include_str!("codebuild.txt")),
    ("dynamodb", include_str!("dynamodb.txt")),
    ("ecs", include_str!("ecs.txt")),
    ("eventbridge", include_str!("events.txt")),
    ("glue", include_str!("glue.txt")),
    ("kinesis", include_str!("kinesis.txt")),
    ("kms", include_str!("kms.txt")),
    ("lambda", include_str!("lambda.txt")),
    ("s3", include_str!("s3.txt")),
    ("scheduler", include_str!("scheduler.txt")),
    ("secretsmanager", include_str!("secretsmanager.txt")),
    ("sesv2", include_str!("sesv2.txt")),
    ("sfn", include_str!("states.txt")),
    ("sns", include_str!("sns.txt")),
    ("sqs", include_str!("sqs.txt")),
    ("ssm", include_str!("ssm.txt")),
    ("sts", include_str!("sts.txt")),
];

/// Whether a result is one that the called action can have.
pub(crate) fn check(
    resource: &Resource,
    result: &Value,
    strictness: Strictness,
) -> Result<(), String> {
    let Some((service, action, texts_are_json)) = action_of(resource) else {
        return Ok(());
    };
    let Some((_, text)) = MODELS.iter().find(|(name, _)| *name == service) else {
        return Ok(());
    };
    let model = Model {
        text,
        strictness,
        texts_are_json,
    };
    match model.response(&action) {
        Some(shape) => model.check(shape, result, "$"),
        None => Ok(()),
    }
}

/// Whether a service's model names this error. Of a service without a model nothing is known: it does.
pub(crate) fn knows_error(service: &str, code: &str) -> bool {
    match MODELS.iter().find(|(name, _)| *name == service) {
        None => true,
        Some((_, text)) => {
            line_of(text, "!").is_some_and(|codes| codes.split('\t').any(|it| it == code))
        }
    }
}

/// Writes the times in an answer, seconds on the wire, as texts: `2025-01-02T03:04:05.678Z`.
pub(crate) fn write_times(service: &str, action: &str, answer: &mut Value) {
    let Some((_, text)) = MODELS.iter().find(|(name, _)| *name == service) else {
        return;
    };
    if let Some(shape) = line_of(text, &format!("@{action}")) {
        write_times_of(text, shape, answer);
    }
}

fn write_times_of(text: &str, shape: &str, value: &mut Value) {
    match (shape, &mut *value) {
        ("time", Value::Number(seconds)) => {
            let seconds = seconds.as_f64().unwrap_or_default();
            #[expect(
                clippy::cast_possible_truncation,
                reason = "a time, or nonsense either way"
            )]
            let time = Timestamp::from_millisecond((seconds * 1000.0).round() as i64);
            if let Ok(time) = time {
                *value = time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string().into();
            }
        }
        (_, Value::Array(elements)) => {
            let element = shape.trim_start_matches('[').trim_end_matches(']');
            for value in elements {
                write_times_of(text, element, value);
            }
        }
        (_, Value::Object(members)) if shape.starts_with('{') => {
            let member = shape.trim_start_matches('{').trim_end_matches('}');
            for (_, value) in members.iter_mut() {
                write_times_of(text, member, value);
            }
        }
        (_, Value::Object(members)) => {
            for member in line_of(text, shape).unwrap_or_default().split('\t') {
                if let Some((name, shape)) = member.split_once(':')
                    && let Some(value) = members.get_mut(name.trim_end_matches('!'))
                {
                    write_times_of(text, shape, value);
                }
            }
        }
        _ => {}
    }
}

/// What stands behind a name in a model.
fn line_of<'m>(text: &'m str, name: &str) -> Option<&'m str> {
    text.lines().find_map(|line| {
        let (first, rest) = line.split_once('\t').unwrap_or((line, ""));
        (first == name).then_some(rest)
    })
}

/// The service and action whose response is the state's result, and whether payloads in it come parsed.
fn action_of(resource: &Resource) -> Option<(&str, String, bool)> {
    let Resource::Integration {
        service,
        action,
        pattern,
        ..
    } = resource
    else {
        return None;
    };
    let service = service.strip_prefix("aws-sdk:").unwrap_or(service);
    let service = match service {
        "events" => "eventbridge",
        "states" => "sfn",
        service => service,
    };
    let mut characters = action.chars();
    let first = characters.next()?.to_ascii_uppercase();
    let action: String = std::iter::once(first).chain(characters).collect();
    match (pattern, service) {
        (Pattern::RequestResponse, _) => Some((service, action, false)),
        // The job's own description ends the task.
        (Pattern::Sync, "sfn") => Some((service, "DescribeExecution".to_owned(), false)),
        (Pattern::Sync2, "sfn") => Some((service, "DescribeExecution".to_owned(), true)),
        // Whatever answers the token.
        _ => None,
    }
}

struct Model<'m> {
    text: &'m str,
    strictness: Strictness,
    texts_are_json: bool,
}

impl<'m> Model<'m> {
    fn response(&self, action: &str) -> Option<&'m str> {
        self.line(&format!("@{action}"))
    }

    fn line(&self, name: &str) -> Option<&'m str> {
        line_of(self.text, name)
    }

    fn check(&self, shape: &str, value: &Value, field: &str) -> Result<(), String> {
        // A member that is null is one that is not there.
        if value.is_null() || shape == "any" {
            return Ok(());
        }
        if let Some(element) = shape.strip_prefix('[').and_then(|it| it.strip_suffix(']')) {
            let elements = value.as_array().ok_or_else(|| must_be(field, "an array"))?;
            return elements
                .iter()
                .try_for_each(|value| self.check(element, value, field));
        }
        if let Some(member) = shape.strip_prefix('{').and_then(|it| it.strip_suffix('}')) {
            let members = value
                .as_object()
                .ok_or_else(|| must_be(field, "an object"))?;
            return members
                .values()
                .try_for_each(|value| self.check(member, value, field));
        }
        if let Some(words) = shape
            .strip_prefix("enum(")
            .and_then(|it| it.strip_suffix(')'))
        {
            let word = value.as_str().ok_or_else(|| must_be(field, "a string"))?;
            return match words.split('|').any(|known| known == word) {
                true => Ok(()),
                false => Err(format!("Field '{field}' is not an expected value")),
            };
        }
        let (name, bounds) = match shape.split_once('[') {
            Some((name, bounds)) => (name, bounds.trim_end_matches(']')),
            None => (shape, ".."),
        };
        match name {
            "string" | "blob" => check_text(value, bounds, field),
            "time" if value.is_string() => Ok(()),
            "time" => Err(must_be(field, "a string")),
            "boolean" if value.is_boolean() => Ok(()),
            "boolean" => Err(must_be(field, "a boolean")),
            "number" => check_number(value, bounds, field),
            name => {
                let members = value
                    .as_object()
                    .ok_or_else(|| must_be(field, "an object"))?;
                self.check_structure(self.line(name).unwrap_or_default(), members)
            }
        }
    }

    fn check_structure(&self, shape: &str, members: &Map<String, Value>) -> Result<(), String> {
        for member in shape.split('\t').filter(|member| !member.is_empty()) {
            let Some((name, shape)) = member.split_once(':') else {
                continue;
            };
            let (name, required) = match name.strip_suffix('!') {
                Some(name) => (name, self.strictness == Strictness::Strict),
                None => (name, false),
            };
            match members.get(name) {
                None if required => return Err(format!("Required field '{name}' is missing")),
                None => {}
                Some(_) if self.texts_are_json && matches!(name, "Input" | "Output") => {}
                Some(value) => self.check(shape, value, name)?,
            }
        }
        Ok(())
    }
}

fn check_text(value: &Value, bounds: &str, field: &str) -> Result<(), String> {
    let text = value.as_str().ok_or_else(|| must_be(field, "a string"))?;
    let (least, most) = limits::<usize>(bounds);
    let length = text.chars().count();
    if least.is_some_and(|least| length < least) {
        return Err(format!(
            "Field '{field}' is smaller than the minimum length"
        ));
    }
    if most.is_some_and(|most| length > most) {
        return Err(format!("Field '{field}' exceeds the maximum length"));
    }
    Ok(())
}

fn check_number(value: &Value, bounds: &str, field: &str) -> Result<(), String> {
    let number = value.as_f64().ok_or_else(|| must_be(field, "a number"))?;
    let (least, most) = limits::<f64>(bounds);
    if least.is_some_and(|least| number < least) {
        return Err(format!("Field '{field}' is less than the minimum value"));
    }
    if most.is_some_and(|most| number > most) {
        return Err(format!("Field '{field}' exceeds the maximum value"));
    }
    Ok(())
}

/// `least..most`, either of them open.
fn limits<T: std::str::FromStr>(bounds: &str) -> (Option<T>, Option<T>) {
    let (least, most) = bounds.split_once("..").unwrap_or_default();
    (least.parse().ok(), most.parse().ok())
}

fn must_be(field: &str, what: &str) -> String {
    format!("Field '{field}' must be {what}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn found(resource: &str, result: Value, strictness: Strictness) -> String {
        let resource = Resource::from_arn(&format!("arn:aws:states:::{resource}")).unwrap();
        check(&resource, &result, strictness)
            .err()
            .unwrap_or_default()
    }

    #[test]
    fn results_are_held_against_the_model_of_their_action() {
        let check = |resource: &str, result: Value, expected: &str| {
            assert_eq!(
                found(resource, result, Strictness::Strict),
                expected,
                "{resource}"
            );
        };
        check(
            "aws-sdk:secretsmanager:getSecretValue",
            json!({"Name": ""}),
            "Field 'Name' is smaller than the minimum length",
        );
        check(
            "aws-sdk:dynamodb:describeTable",
            json!({"Table": {"ItemCount": "1"}}),
            "Field 'ItemCount' must be a number",
        );
        check(
            "aws-sdk:sqs:getQueueAttributes",
            json!({"Attributes": {"DelaySeconds": 7}}),
            "Field 'Attributes' must be a string",
        );
        check(
            "sns:publish",
            json!({"MessageId": {}}),
            "Field 'MessageId' must be a string",
        );
        check(
            "lambda:invoke",
            json!({"Payload": {"any": ["thing"]}, "StatusCode": 200}),
            "",
        );
        check(
            "aws-sdk:kms:describeKey",
            json!({"KeyMetadata": {}}),
            "Required field 'KeyId' is missing",
        );
        check(
            "states:startExecution.sync",
            json!({"ExecutionArn": "e"}),
            "Required field 'StateMachineArn' is missing",
        );
        // Nothing is known of these.
        check(
            "sqs:sendMessage.waitForTaskToken",
            json!({"MessageId": 1}),
            "",
        );
        check("http:invoke", json!([1]), "");
        check("aws-sdk:polly:describeVoices", json!({"Voices": 1}), "");
    }

    #[test]
    fn present_asks_for_nothing() {
        let result = json!({"KeyMetadata": {}});
        assert_eq!(
            found("aws-sdk:kms:describeKey", result, Strictness::Present),
            ""
        );
    }

    #[test]
    fn every_shape_that_is_named_is_there() {
        for (service, text) in MODELS {
            let model = Model {
                text,
                strictness: Strictness::Strict,
                texts_are_json: false,
            };
            let lines = text.lines().filter(|line| !line.starts_with(['#', '!']));
            for line in lines {
                let (name, rest) = line.split_once('\t').unwrap_or((line, ""));
                let types = if name.starts_with('@') {
                    vec![rest]
                } else {
                    rest.split('\t')
                        .filter_map(|it| Some(it.split_once(':')?.1))
                        .collect()
                };
                for found in types {
                    let word = found.trim_matches(['[', ']', '{', '}']);
                    let known = [
                        "string", "blob", "number", "boolean", "time", "any", "enum(",
                    ];
                    let is_word = known.iter().any(|known| word.starts_with(known));
                    assert!(
                        is_word || model.line(word).is_some(),
                        "{service}: {line}: {word}"
                    );
                }
            }
        }
    }
}

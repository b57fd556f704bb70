//! Intrinsic functions. Source: "Intrinsics for JSONPath states in Step Functions".

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use serde_json::{Map, Value};

use super::{Argument, Call, PathExpression};
use crate::data::{HEAVIEST, weight};
use crate::jsonata::{digest, uuid};

/// Names and how many arguments they take.
const FUNCTIONS: &[(&str, usize, usize)] = &[
    ("States.Format", 1, usize::MAX),
    ("States.StringToJson", 1, 1),
    ("States.JsonToString", 1, 1),
    ("States.Array", 0, usize::MAX),
    ("States.ArrayPartition", 2, 2),
    ("States.ArrayContains", 2, 2),
    ("States.ArrayRange", 3, 3),
    ("States.ArrayGetItem", 2, 2),
    ("States.ArrayLength", 1, 1),
    ("States.ArrayUnique", 1, 1),
    ("States.Base64Encode", 1, 1),
    ("States.Base64Decode", 1, 1),
    ("States.Hash", 2, 2),
    ("States.JsonMerge", 3, 3),
    ("States.MathRandom", 2, 3),
    ("States.MathAdd", 2, 2),
    ("States.StringSplit", 2, 2),
    ("States.UUID", 0, 0),
];

/// The most characters of what `States.Hash` and the Base64 functions take.
const LONGEST: usize = 10_000;
/// The most elements `States.ArrayRange` makes.
const MOST_ELEMENTS: i64 = 1000;

pub(super) fn exists(name: &str) -> bool {
    FUNCTIONS.iter().any(|(known, _, _)| *known == name)
}

pub(super) fn check_arity(name: &str, count: usize) -> Result<(), String> {
    match FUNCTIONS.iter().find(|(known, _, _)| *known == name) {
        Some((_, least, most)) if (*least..=*most).contains(&count) => Ok(()),
        _ => Err(format!("{name} does not take {count} arguments")),
    }
}

/// What a call needs from around it.
pub(crate) trait Host {
    /// Why a path gave nothing.
    type Error: From<String>;
    /// The value of a path argument.
    fn path(&self, path: &PathExpression) -> Result<Value, Self::Error>;
    /// Randomness.
    fn random(&self) -> ChaCha8Rng;
}

impl Call {
    /// The value of the call; a `String` error is the message of `States.IntrinsicFailure`.
    pub(crate) fn evaluate<H: Host>(&self, host: &H) -> Result<Value, H::Error> {
        let arguments = self.arguments.iter().map(|argument| match argument {
            Argument::Literal(Value::String(text)) if self.name != "States.Format" => {
                Ok(Value::String(unescape(text)))
            }
            Argument::Literal(value) => Ok(value.clone()),
            Argument::Path(path) => host.path(path),
            Argument::Call(call) => call.evaluate(host),
        });
        let mut left = HEAVIEST;
        let arguments = arguments.map(|argument| {
            let argument = argument?;
            let rest = left.checked_sub(weight(&argument));
            left = rest.ok_or_else(|| H::Error::from("the arguments are too large".to_owned()))?;
            Ok(argument)
        });
        let arguments = arguments.collect::<Result<Vec<Value>, H::Error>>()?;
        apply(&self.name, &arguments, || host.random()).map_err(H::Error::from)
    }
}

fn apply(
    name: &str,
    arguments: &[Value],
    random: impl Fn() -> ChaCha8Rng,
) -> Result<Value, String> {
    Ok(match (name, arguments) {
        ("States.Array", items) => Value::Array(items.to_vec()),
        ("States.UUID", []) => Value::String(uuid(&mut random())),
        ("States.Format", [template, values @ ..]) => {
            Value::String(format_text(text(template)?, values)?)
        }
        ("States.StringToJson", [Value::String(json)]) if json.trim().is_empty() => Value::Null,
        ("States.StringToJson", [json]) => {
            serde_json::from_str(text(json)?).map_err(|error| format!("not JSON: {error}"))?
        }
        ("States.JsonToString", [value]) => Value::String(value.to_string()),
        ("States.ArrayPartition", [items, size]) => {
            let size = usize::try_from(integer(size)?)
                .ok()
                .filter(|size| *size > 0)
                .ok_or("the chunk size must be positive")?;
            Value::Array(
                array(items)?
                    .chunks(size)
                    .map(|chunk| Value::Array(chunk.to_vec()))
                    .collect(),
            )
        }
        ("States.ArrayContains", [items, wanted]) => Value::Bool(array(items)?.contains(wanted)),
        ("States.ArrayRange", [first, last, step]) => {
            range(integer(first)?, integer(last)?, integer(step)?)?
        }
        ("States.ArrayGetItem", [items, index]) => {
            let item = usize::try_from(integer(index)?)
                .ok()
                .and_then(|index| array(items).ok()?.get(index));
            item.cloned().ok_or("the index is outside the array")?
        }
        ("States.ArrayLength", [items]) => Value::from(array(items)?.len()),
        ("States.ArrayUnique", [items]) => {
            let mut unique: Vec<Value> = Vec::new();
            for item in array(items)? {
                if !unique.contains(item) {
                    unique.push(item.clone());
                }
            }
            Value::Array(unique)
        }
        ("States.Base64Encode", [value]) => Value::String(STANDARD.encode(short(value)?)),
        ("States.Base64Decode", [value]) => {
            let bytes = STANDARD
                .decode(short(value)?)
                .map_err(|error| format!("not Base64: {error}"))?;
            Value::String(String::from_utf8(bytes).map_err(|_| "the decoded bytes are no text")?)
        }
        ("States.Hash", [value, algorithm]) => {
            let data = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            if data.chars().count() > LONGEST {
                return Err(format!("the text is longer than {LONGEST} characters"));
            }
            Value::String(
                digest(data.as_bytes(), text(algorithm)?)
                    .ok_or("the algorithm must be one of MD5, SHA-1, SHA-256, SHA-384, SHA-512")?,
            )
        }
        (
            "States.JsonMerge",
            [
                Value::Object(left),
                Value::Object(right),
                Value::Bool(false),
            ],
        ) => {
            let mut merged: Map<String, Value> = left.clone();
            merged.extend(
                right
                    .iter()
                    .map(|(name, value)| (name.clone(), value.clone())),
            );
            Value::Object(merged)
        }
        ("States.JsonMerge", [_, _, Value::Bool(true)]) => {
            return Err("deep merging is not supported".to_owned());
        }
        ("States.MathRandom", [first, last, seed @ ..]) => {
            let (first, last) = (integer(first)?, integer(last)?);
            if first >= last {
                return Err("the range is empty".to_owned());
            }
            let mut generator = match seed {
                [seed] => ChaCha8Rng::seed_from_u64(integer(seed)?.cast_unsigned()),
                _ => random(),
            };
            Value::from(generator.random_range(first..last))
        }
        ("States.MathAdd", [left, right]) => Value::from(
            integer(left)?
                .checked_add(integer(right)?)
                .ok_or("the sum is too large")?,
        ),
        ("States.StringSplit", [value, splitter]) => {
            let (value, splitter) = (text(value)?, text(splitter)?);
            // Every character of the splitter splits; empty parts disappear.
            let parts = value
                .split(|c| splitter.contains(c))
                .filter(|part| !part.is_empty());
            Value::Array(parts.map(|part| Value::String(part.to_owned())).collect())
        }
        _ => return Err(format!("{name} cannot be applied to these arguments")),
    })
}

fn text(value: &Value) -> Result<&str, String> {
    value
        .as_str()
        .ok_or_else(|| format!("a text is needed, not {value}"))
}

fn short(value: &Value) -> Result<&str, String> {
    text(value).and_then(|text| {
        if text.chars().count() <= LONGEST {
            Ok(text)
        } else {
            Err(format!("the text is longer than {LONGEST} characters"))
        }
    })
}

fn array(value: &Value) -> Result<&Vec<Value>, String> {
    value
        .as_array()
        .ok_or_else(|| format!("an array is needed, not {value}"))
}

/// Numbers with a fraction are rounded to the nearest whole number, a half up: -1.5 is -1, as in the language AWS runs on.
fn integer(value: &Value) -> Result<i64, String> {
    #[expect(clippy::cast_possible_truncation, reason = "saturates")]
    let rounded = || value.as_f64().map(|number| (number + 0.5).floor() as i64);
    value
        .as_i64()
        .or_else(rounded)
        .ok_or_else(|| format!("a number is needed, not {value}"))
}

fn range(first: i64, last: i64, step: i64) -> Result<Value, String> {
    if step == 0 {
        return Err("the step cannot be 0".to_owned());
    }
    let length = last
        .checked_sub(first)
        .and_then(|span| (span / step).checked_add(1))
        .ok_or("the range is too long")?;
    if length > MOST_ELEMENTS {
        return Err(format!("the range has more than {MOST_ELEMENTS} elements"));
    }
    let forward = if step > 0 {
        first <= last
    } else {
        first >= last
    };
    Ok(Value::Array(if forward {
        (0..length).map(|i| Value::from(first + i * step)).collect()
    } else {
        Vec::new()
    }))
}

/// Fills `{}` by the values; `\{`, `\}` and `\\` stand for themselves.
fn format_text(template: &str, values: &[Value]) -> Result<String, String> {
    let mut values = values.iter();
    let mut text = String::new();
    let mut characters = template.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\\' if characters
                .peek()
                .is_some_and(|next| "{}\\'".contains(*next)) =>
            {
                text.extend(characters.next())
            }
            '{' if characters.peek() == Some(&'}') => {
                characters.next();
                match values.next() {
                    Some(Value::String(value)) => text.push_str(value),
                    Some(value) => text.push_str(&value.to_string()),
                    None => return Err("there are more '{}' than values".to_owned()),
                }
            }
            _ => text.push(character),
        }
    }
    if values.next().is_some() {
        Err("there are more values than '{}'".to_owned())
    } else {
        Ok(text)
    }
}

fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => plain.extend(characters.next()),
            _ => plain.push(character),
        }
    }
    plain
}

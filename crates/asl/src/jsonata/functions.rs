//! The functions that Step Functions adds to JSONata, and those it takes from the environment or takes away.
//! Source: "Transforming data with JSONata in Step Functions", "Functions provided by Step Functions".

use std::cell::RefCell;
use std::rc::Rc;

use jsonata_core::evaluator::{Context, Evaluator, EvaluatorError, HostFnResult};
use jsonata_core::value::JValue;
use md5::Md5;
use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::convert::to_jsonata;
use super::guard;
use crate::Env;

/// The most elements `$range` and `$partition` make, as `States.ArrayRange`.
const MOST_ELEMENTS: f64 = 1000.0;

/// The most characters `$pad` makes. More than any payload, and little enough to be made at once: the evaluator's time limit
/// does not reach into a function.
const LONGEST_PAD: f64 = 1_000_000.0;

/// Their names.
pub(super) const NAMES: [&str; 10] = [
    "now",
    "millis",
    "random",
    "uuid",
    "eval",
    "partition",
    "range",
    "hash",
    "parse",
    "pad",
];

pub(super) fn register(evaluator: &mut Evaluator, env: &Env, salt: u64) {
    guard::register(evaluator);
    let mut generator = ChaCha8Rng::from_seed(env.seed);
    generator.set_stream(salt);
    let generator = Rc::new(RefCell::new(generator));
    let now = env.now;
    for name in NAMES {
        let generator = Rc::clone(&generator);
        let function = move |args: &[JValue]| call(name, args, now, &mut generator.borrow_mut());
        // Fails only for a built-in that the evaluator compiles in; none of these is.
        let registered = evaluator.register_fn_override(name, function);
        debug_assert!(registered.is_ok(), "${name} cannot be replaced");
    }
}

fn call(name: &str, args: &[JValue], now: i64, generator: &mut ChaCha8Rng) -> HostFnResult {
    match name {
        "now" => format_time(now, args),
        #[expect(
            clippy::cast_precision_loss,
            reason = "milliseconds of this millennium fit a double's 53 bits"
        )]
        "millis" => Ok(JValue::Number(now as f64)),
        "random" => random(args, generator),
        "uuid" => Ok(JValue::string(uuid(generator))),
        "partition" => partition(args),
        "range" => range(args),
        "hash" => hash(args),
        "parse" => parse(args),
        "pad" => pad(args),
        _ => fail(format!("${name} is not supported")),
    }
}

fn fail(message: impl Into<String>) -> HostFnResult {
    Err(EvaluatorError::EvaluationError(message.into()))
}

/// `$now()` with its optional picture and zone, through the evaluator's own `$fromMillis`.
fn format_time(now: i64, args: &[JValue]) -> HostFnResult {
    let ast = jsonata_core::parser::parse("$fromMillis($m, $p, $z)")
        .map_err(|error| EvaluatorError::EvaluationError(error.to_string()))?;
    let mut context = Context::new();
    #[expect(
        clippy::cast_precision_loss,
        reason = "milliseconds of this millennium fit a double's 53 bits"
    )]
    context.bind("m".into(), JValue::Number(now as f64));
    context.bind(
        "p".into(),
        args.first().cloned().unwrap_or(JValue::Undefined),
    );
    context.bind(
        "z".into(),
        args.get(1).cloned().unwrap_or(JValue::Undefined),
    );
    Evaluator::with_context(context).evaluate(&ast, &JValue::Undefined)
}

/// `$random([seed])`: from 0 to below 1; the same seed gives the same number.
fn random(args: &[JValue], generator: &mut ChaCha8Rng) -> HostFnResult {
    let number = match args.first() {
        None | Some(JValue::Undefined) => generator.random::<f64>(),
        Some(JValue::Number(seed)) => ChaCha8Rng::seed_from_u64(seed.to_bits()).random::<f64>(),
        Some(_) => {
            return fail(
                "T0410: Argument 1 of function \"random\" does not match function signature",
            );
        }
    };
    Ok(JValue::Number(number))
}

/// A version 4 UUID.
pub(crate) fn uuid(generator: &mut impl Rng) -> String {
    let mut bytes = generator.random::<u128>().to_be_bytes();
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let hex = hex(&bytes);
    format!(
        "{}-{}-{}-{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..]
    )
}

/// `$partition(array, size)`: chunks of that size.
fn partition(args: &[JValue]) -> HostFnResult {
    let items = match args.first() {
        None | Some(JValue::Undefined) => return Ok(JValue::Undefined),
        Some(JValue::Array(items)) => items.to_vec(),
        Some(single) => vec![single.clone()],
    };
    let size = match args.get(1) {
        Some(JValue::Number(size)) if size.trunc() >= 1.0 => *size,
        _ => return fail("T0410: Argument 2 of function \"partition\" must be a positive number"),
    };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "at least 1; a larger size than the array makes one chunk"
    )]
    let size = size as usize;
    Ok(JValue::array(
        items
            .chunks(size)
            .map(|chunk| JValue::array(chunk.to_vec()))
            .collect(),
    ))
}

/// `$range(first, last, step)`: both ends included.
fn range(args: &[JValue]) -> HostFnResult {
    let [
        JValue::Number(first),
        JValue::Number(last),
        JValue::Number(step),
    ] = args
    else {
        return fail("T0410: $range takes three numbers");
    };
    // To the nearest whole number, a half up, as `States.ArrayRange`.
    let whole = |number: &f64| (number + 0.5).floor();
    let (first, last, step) = (whole(first), whole(last), whole(step));
    if step == 0.0 {
        return fail("The step of $range cannot be 0");
    }
    let length = ((last - first) / step).floor() + 1.0;
    if length > MOST_ELEMENTS {
        return fail(format!("$range makes at most {MOST_ELEMENTS} elements"));
    }
    let mut numbers = Vec::new();
    let mut at = 0.0;
    while at < length {
        numbers.push(JValue::Number(first + at * step));
        at += 1.0;
    }
    Ok(JValue::array(numbers))
}

/// `$hash(data, algorithm)`, in hexadecimal.
fn hash(args: &[JValue]) -> HostFnResult {
    let text = match args.first() {
        None | Some(JValue::Undefined) => return Ok(JValue::Undefined),
        Some(JValue::String(text)) => text.to_string(),
        Some(other) if guard::is_large(other) => return fail("The value is too large for $hash"),
        Some(other) => other
            .to_json_string()
            .map_err(|error| EvaluatorError::EvaluationError(error.to_string()))?,
    };
    match digest(
        text.as_bytes(),
        args.get(1).and_then(JValue::as_str).unwrap_or("SHA-1"),
    ) {
        Some(digest) => Ok(JValue::string(digest)),
        None => fail("$hash knows the algorithms MD5, SHA-1, SHA-256, SHA-384 and SHA-512"),
    }
}

/// A digest in hexadecimal; `None` for an unknown algorithm.
pub(crate) fn digest(bytes: &[u8], algorithm: &str) -> Option<String> {
    Some(match algorithm {
        "MD5" => hex(&Md5::digest(bytes)),
        "SHA-1" => hex(&Sha1::digest(bytes)),
        "SHA-256" => hex(&Sha256::digest(bytes)),
        "SHA-384" => hex(&Sha384::digest(bytes)),
        "SHA-512" => hex(&Sha512::digest(bytes)),
        _ => return None,
    })
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

/// `$pad(text, width [, characters])`: JSONata's own, with a limit. A negative width pads in front.
fn pad(args: &[JValue]) -> HostFnResult {
    let refuse = |place: usize| {
        fail(format!(
            "T0410: Argument {place} of function \"pad\" does not match function signature"
        ))
    };
    let text = match args.first() {
        None | Some(JValue::Undefined) => return Ok(JValue::Undefined),
        Some(JValue::String(text)) => text,
        Some(_) => return refuse(1),
    };
    let Some(JValue::Number(width)) = args.get(1) else {
        return refuse(2);
    };
    let filling = match args.get(2) {
        None | Some(JValue::Undefined) => " ",
        Some(JValue::String(filling)) if filling.is_empty() => " ",
        Some(JValue::String(filling)) => filling,
        Some(_) => return refuse(3),
    };
    if width.abs() > LONGEST_PAD {
        return fail(format!("$pad makes at most {LONGEST_PAD} characters"));
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "below the limit"
    )]
    let missing = (width.abs() as usize).saturating_sub(text.chars().count());
    let padding: String = filling.chars().cycle().take(missing).collect();
    Ok(JValue::string(if *width < 0.0 {
        format!("{padding}{text}")
    } else {
        format!("{text}{padding}")
    }))
}

/// `$parse(text)`: JSON.
fn parse(args: &[JValue]) -> HostFnResult {
    match args.first() {
        None | Some(JValue::Undefined) => Ok(JValue::Undefined),
        Some(JValue::String(text)) => match serde_json::from_str(text) {
            Ok(value) => Ok(to_jsonata(&value)),
            Err(error) => fail(format!("$parse: not JSON: {error}")),
        },
        Some(_) => {
            fail("T0410: Argument 1 of function \"parse\" does not match function signature")
        }
    }
}

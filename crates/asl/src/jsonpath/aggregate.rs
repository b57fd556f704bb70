//! The functions at the end of a path, as Jayway's library has them: `$.items.length()`.

use serde_json::{Number, Value};

use super::Function;

impl Function {
    pub(super) const ALL: [(&'static str, Function); 8] = [
        ("length()", Function::Length),
        ("size()", Function::Length),
        ("keys()", Function::Keys),
        ("sum()", Function::Sum),
        ("min()", Function::Min),
        ("max()", Function::Max),
        ("avg()", Function::Average),
        ("stddev()", Function::Deviation),
    ];
}

/// `None` if the function does not apply to the value.
pub(super) fn apply(function: Function, value: &Value) -> Option<Value> {
    let result = match function {
        Function::Length => {
            return Some(Value::from(match value {
                Value::Array(items) => items.len(),
                Value::Object(members) => members.len(),
                Value::String(text) => text.chars().count(),
                _ => return None,
            }));
        }
        Function::Keys => {
            let keys = value.as_object()?.keys().cloned();
            return Some(Value::Array(keys.map(Value::String).collect()));
        }
        Function::Sum => numbers(value)?.iter().sum(),
        Function::Min => numbers(value)?.into_iter().reduce(f64::min)?,
        Function::Max => numbers(value)?.into_iter().reduce(f64::max)?,
        Function::Average => average(&numbers(value)?)?,
        Function::Deviation => {
            let numbers = numbers(value)?;
            let middle = average(&numbers)?;
            let squares: Vec<f64> = numbers.iter().map(|it| (it - middle).powi(2)).collect();
            average(&squares)?.sqrt()
        }
    };
    Number::from_f64(result).map(Value::Number)
}

/// The numbers of a list that has some.
fn numbers(value: &Value) -> Option<Vec<f64>> {
    let numbers: Vec<f64> = value.as_array()?.iter().filter_map(Value::as_f64).collect();
    Some(numbers).filter(|numbers| !numbers.is_empty())
}

fn average(numbers: &[f64]) -> Option<f64> {
    #[expect(
        clippy::cast_precision_loss,
        reason = "a payload holds fewer numbers than 2^52"
    )]
    let count = numbers.len() as f64;
    (count > 0.0).then(|| numbers.iter().sum::<f64>() / count)
}

//! One condition in a policy's array, e.g. `"rugby"`, `{"prefix": "bas"}` or `{"numeric": [">=", 100]}`.

use std::net::IpAddr;

use serde_json::Value;

use super::policy::PolicyError;

/// A value that is asked about. Numbers are compared with five digits after the point, as AWS compares them.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Operand {
    Text(String),
    Number(Decimal),
    Bool(bool),
    Null,
}

impl Operand {
    /// A JSON scalar; `None` for arrays and objects. A number beyond AWS's range equals nothing.
    pub(super) fn from_json(value: &Value) -> Option<Operand> {
        match value {
            Value::String(text) => Some(Operand::Text(text.clone())),
            Value::Number(number) => Some(Operand::Number(Decimal::from_f64(number.as_f64()?)?)),
            Value::Bool(flag) => Some(Operand::Bool(*flag)),
            Value::Null => Some(Operand::Null),
            Value::Array(_) | Value::Object(_) => None,
        }
    }
}

/// A number between -10^9 and 10^9, in steps of 0.00001.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Decimal(i64);

impl Decimal {
    pub(super) fn from_f64(number: f64) -> Option<Decimal> {
        const LIMIT: f64 = 1e9;
        // Within the limit the product has at most 15 digits, which both types hold exactly.
        (-LIMIT..=LIMIT)
            .contains(&number)
            .then(|| Decimal((number * 1e5).round() as i64))
    }
}

/// What is asked of a value. The alternatives of one array are joined by OR.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Condition {
    Equals(Operand),
    Prefix(String),
    Suffix(String),
    EqualsIgnoreCase(String),
    Numeric(Vec<(Order, Decimal)>),
    Cidr(Network),
    AnythingBut(Vec<Condition>),
    Exists(bool),
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Order {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Network {
    address: u128,
    mask: u128,
    four: bool,
}

impl Condition {
    pub(super) fn parse(value: &Value) -> Result<Condition, PolicyError> {
        match value {
            Value::Object(members) => {
                let mut members = members.iter();
                let (Some((operator, argument)), None) = (members.next(), members.next()) else {
                    return Err(PolicyError::new("Only one key allowed in match expression"));
                };
                Self::parse_operator(operator, argument)
            }
            Value::Array(_) => Err(PolicyError::new(
                "Match value must be String, number, true, false, or null",
            )),
            scalar => Self::parse_scalar(scalar),
        }
    }

    fn parse_scalar(value: &Value) -> Result<Condition, PolicyError> {
        Operand::from_json(value)
            .map(Condition::Equals)
            .ok_or_else(|| match value {
                Value::Number(_) => PolicyError::range(),
                _ => PolicyError::new("Match value must be String, number, true, false, or null"),
            })
    }

    fn parse_operator(operator: &str, argument: &Value) -> Result<Condition, PolicyError> {
        let text = || {
            argument
                .as_str()
                .filter(|text| !text.is_empty())
                .map(str::to_owned)
                .ok_or_else(|| {
                    PolicyError::new(format!(
                        "{operator} match pattern must be a non-empty string"
                    ))
                })
        };
        match operator {
            "prefix" => text().map(Condition::Prefix),
            "suffix" => text().map(Condition::Suffix),
            "equals-ignore-case" => text().map(Condition::EqualsIgnoreCase),
            "cidr" => Network::parse(&text()?).map(Condition::Cidr),
            "numeric" => parse_numeric(argument).map(Condition::Numeric),
            "anything-but" => parse_anything_but(argument).map(Condition::AnythingBut),
            "exists" => argument.as_bool().map(Condition::Exists).ok_or_else(|| {
                PolicyError::new("exists match pattern must be either true or false.")
            }),
            unknown => Err(PolicyError::new(format!(
                "Unrecognized match type {unknown}"
            ))),
        }
    }

    /// Whether one present value passes. [`Condition::Exists`] is answered by the caller, who knows of absence.
    pub(super) fn passes(&self, value: &Operand) -> bool {
        match (self, value) {
            (Condition::Equals(wanted), value) => wanted == value,
            (Condition::Prefix(prefix), Operand::Text(text)) => text.starts_with(prefix.as_str()),
            (Condition::Suffix(suffix), Operand::Text(text)) => text.ends_with(suffix.as_str()),
            (Condition::EqualsIgnoreCase(wanted), Operand::Text(text)) => {
                wanted.to_lowercase() == text.to_lowercase()
            }
            (Condition::Numeric(conditions), Operand::Number(number)) => {
                conditions.iter().all(|(order, bound)| match order {
                    Order::Equal => number == bound,
                    Order::Less => number < bound,
                    Order::LessOrEqual => number <= bound,
                    Order::Greater => number > bound,
                    Order::GreaterOrEqual => number >= bound,
                })
            }
            (Condition::Cidr(network), Operand::Text(text)) => network.contains(text),
            (Condition::AnythingBut(excluded), value) => {
                !excluded.iter().any(|test| test.passes(value))
            }
            (Condition::Exists(wanted), _) => *wanted,
            _ => false,
        }
    }
}

/// `["=", 5]`, `[">", 0]`, `[">=", 0, "<", 100]`.
fn parse_numeric(argument: &Value) -> Result<Vec<(Order, Decimal)>, PolicyError> {
    let parts = argument
        .as_array()
        .ok_or_else(|| PolicyError::new("Value of numeric must be an array."))?;
    let mut conditions = Vec::new();
    for pair in parts.chunks(2) {
        let operator = pair[0].as_str().ok_or_else(|| {
            PolicyError::new(format!("Invalid member in numeric match: {}", pair[0]))
        })?;
        let order = match operator {
            "=" => Order::Equal,
            "<" => Order::Less,
            "<=" => Order::LessOrEqual,
            ">" => Order::Greater,
            ">=" => Order::GreaterOrEqual,
            other => {
                return Err(PolicyError::new(format!(
                    "Unrecognized numeric range operator: {other}"
                )));
            }
        };
        let bound = pair
            .get(1)
            .and_then(Value::as_f64)
            .ok_or_else(|| PolicyError::new(format!("Value of {operator} must be numeric")))?;
        conditions.push((
            order,
            Decimal::from_f64(bound).ok_or_else(PolicyError::range)?,
        ));
    }
    match conditions.as_slice() {
        [_] => Ok(conditions),
        [
            (Order::Greater | Order::GreaterOrEqual, bottom),
            (Order::Less | Order::LessOrEqual, top),
        ] => {
            if bottom < top {
                Ok(conditions)
            } else {
                Err(PolicyError::new("Bottom must be less than top"))
            }
        }
        [] => Err(PolicyError::new("Invalid member in numeric match: ]")),
        _ => Err(PolicyError::new("Too many elements in numeric expression")),
    }
}

/// A value, a list of values, or one of `prefix`, `suffix`, `equals-ignore-case`.
fn parse_anything_but(argument: &Value) -> Result<Vec<Condition>, PolicyError> {
    match argument {
        Value::Array(values) if values.is_empty() => {
            Err(PolicyError::new("Empty arrays are not allowed"))
        }
        Value::Array(values) => values.iter().map(parse_excluded).collect(),
        Value::Object(members) => {
            let mut members = members.iter();
            match (
                members.next().map(|(name, value)| (name.as_str(), value)),
                members.next(),
            ) {
                (
                    Some((operator @ ("prefix" | "suffix" | "equals-ignore-case"), argument)),
                    None,
                ) => match argument {
                    Value::Array(values) if !values.is_empty() => values
                        .iter()
                        .map(|value| Condition::parse_operator(operator, value))
                        .collect(),
                    single => Ok(vec![Condition::parse_operator(operator, single)?]),
                },
                _ => Err(PolicyError::new(
                    "Unsupported anything-but pattern: use a value, a list, prefix, suffix or equals-ignore-case",
                )),
            }
        }
        single => Ok(vec![parse_excluded(single)?]),
    }
}

fn parse_excluded(value: &Value) -> Result<Condition, PolicyError> {
    match value {
        Value::String(_) | Value::Number(_) => Condition::parse_scalar(value),
        _ => Err(PolicyError::new(
            "Inside anything but list, start|null|boolean is not supported.",
        )),
    }
}

impl Network {
    fn parse(text: &str) -> Result<Network, PolicyError> {
        let malformed = || PolicyError::new(format!("Malformed CIDR, one '/' required: {text}"));
        let (address, bits) = text.split_once('/').ok_or_else(malformed)?;
        let address: IpAddr = address.parse().map_err(|_| malformed())?;
        let bits: u32 = bits.parse().map_err(|_| malformed())?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        if bits > width {
            return Err(malformed());
        }
        let mask = u128::MAX.checked_shl(width - bits).unwrap_or(0);
        Ok(Network {
            address: number_of(address) & mask,
            mask,
            four: address.is_ipv4(),
        })
    }

    fn contains(&self, text: &str) -> bool {
        text.parse::<IpAddr>().is_ok_and(|address| {
            address.is_ipv4() == self.four && number_of(address) & self.mask == self.address
        })
    }
}

fn number_of(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_bits()),
        IpAddr::V6(address) => address.to_bits(),
    }
}

//! The ARNs that requests name.
//!
//! Source: IAM service authorization reference, "Resource types defined by AWS Step Functions".

use std::fmt;

use super::error;
use crate::protocol::json::JsonError;

/// `arn:aws:states:REGION:ACCOUNT:stateMachine:NAME[:VERSION|:ALIAS]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MachineArn {
    /// As it was given.
    pub(super) text: String,
    /// Without version or alias.
    pub(super) machine: String,
    pub(super) qualifier: Qualifier,
}

/// What follows a state machine's name in its ARN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Qualifier {
    None,
    Version(u64),
    Alias(String),
}

impl MachineArn {
    /// Reads an ARN of a state machine, a version or an alias.
    pub(super) fn parse(text: &str) -> Result<MachineArn, JsonError> {
        let resource = resource(text, "stateMachine")?;
        let (name, qualifier) = match resource.split_once(':') {
            None => (resource, Qualifier::None),
            Some((name, qualifier)) => (name, Qualifier::parse(qualifier)),
        };
        if name.is_empty()
            || matches!(&qualifier, Qualifier::Alias(name) if name.is_empty() || name.contains(':'))
        {
            return Err(error::invalid_arn(format!("Invalid ARN: {text}")));
        }
        if name.contains('/') {
            return Err(error::unfit(
                "API_DOES_NOT_SUPPORT_LABELED_ARNS",
                "This action does not support ARNs of Distributed Map states",
            ));
        }
        let unqualified = match qualifier {
            Qualifier::None => text.len(),
            _ => text.len() - resource.len() + name.len(),
        };
        Ok(MachineArn {
            text: text.to_owned(),
            machine: text[..unqualified].to_owned(),
            qualifier,
        })
    }

    /// Reads an ARN where only a state machine itself can be meant; AWS answers others as if they did not exist.
    pub(super) fn unqualified(text: &str) -> Result<MachineArn, JsonError> {
        let arn = MachineArn::parse(text)?;
        match arn.qualifier {
            Qualifier::None => Ok(arn),
            _ => Err(error::state_machine_does_not_exist(text)),
        }
    }
}

impl fmt::Display for Qualifier {
    /// What kind of resource an ARN with this qualifier names.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Qualifier::None => "stateMachine",
            Qualifier::Version(_) => "version",
            Qualifier::Alias(_) => "alias",
        })
    }
}

impl Qualifier {
    fn parse(text: &str) -> Qualifier {
        // An alias cannot be all digits, so a number is a version.
        match text.parse() {
            Ok(number) if text.bytes().all(|byte| byte.is_ascii_digit()) => {
                Qualifier::Version(number)
            }
            _ => Qualifier::Alias(text.to_owned()),
        }
    }
}

/// Checks the ARN of an execution.
pub(super) fn execution(text: &str) -> Result<(), JsonError> {
    match resource(text, "execution")?.split_once(':') {
        Some((machine, name)) if !machine.is_empty() && !name.is_empty() => Ok(()),
        _ => Err(error::invalid_arn(format!("Invalid ARN: {text}"))),
    }
}

/// Checks the ARN of a Map Run: `…:mapRun:MACHINE/LABEL:ID`.
pub(super) fn map_run(text: &str) -> Result<(), JsonError> {
    let parts = resource(text, "mapRun")?.split_once(':');
    match parts.and_then(|(machine, id)| Some((machine.split_once('/')?, id))) {
        Some(((machine, label), id))
            if ![machine, label, id].iter().any(|part| part.is_empty()) =>
        {
            Ok(())
        }
        _ => Err(error::invalid_arn(format!("Invalid ARN: {text}"))),
    }
}

/// Checks the ARN of an activity.
pub(super) fn activity(text: &str) -> Result<(), JsonError> {
    let name = resource(text, "activity")?;
    if name.is_empty() || name.contains(':') {
        return Err(error::invalid_arn(format!("Invalid ARN: {text}")));
    }
    Ok(())
}

/// What an ARN of Step Functions names: `stateMachine`, `execution`, `activity`, …
pub(super) fn kind(text: &str) -> Result<&str, JsonError> {
    Ok(parts(text)?.0)
}

/// Checks the ARN of a role.
pub(super) fn role(text: &str) -> Result<(), JsonError> {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    match parts[..] {
        ["arn", partition, "iam", "", _, resource]
            if !partition.is_empty()
                && resource
                    .strip_prefix("role/")
                    .is_some_and(|name| !name.is_empty()) =>
        {
            Ok(())
        }
        _ => Err(error::invalid_role(text)),
    }
}

/// The part after `kind:`, if the ARN is of that kind.
fn resource<'a>(text: &'a str, kind: &str) -> Result<&'a str, JsonError> {
    let (found, resource) = parts(text)?;
    if found != kind {
        return Err(error::invalid_arn(format!(
            "Resource type not valid in this context: {found}"
        )));
    }
    Ok(resource)
}

fn parts(text: &str) -> Result<(&str, &str), JsonError> {
    let Some(rest) = text.strip_prefix("arn:") else {
        return Err(error::invalid_arn(format!("Invalid ARN prefix: {text}")));
    };
    let parts: Vec<&str> = rest.splitn(5, ':').collect();
    match parts[..] {
        [partition, "states", region, account, resource]
            if !partition.is_empty() && !region.is_empty() && !account.is_empty() =>
        {
            Ok(resource.split_once(':').unwrap_or((resource, "")))
        }
        _ => Err(error::invalid_arn(format!("Invalid ARN: {text}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MACHINE: &str = "arn:aws:states:us-east-1:000000000000:stateMachine:reorder";

    #[test]
    fn a_number_is_a_version_and_a_word_an_alias() {
        for (qualifier, expected) in [
            ("", Qualifier::None),
            (":12", Qualifier::Version(12)),
            (":live", Qualifier::Alias("live".into())),
            (":1.0", Qualifier::Alias("1.0".into())),
        ] {
            let arn = MachineArn::parse(&format!("{MACHINE}{qualifier}")).unwrap();
            assert_eq!(arn.machine, MACHINE);
            assert_eq!(arn.qualifier, expected);
        }
    }

    #[test]
    fn other_texts_are_refused_with_a_reason() {
        for (text, shape, message) in [
            (
                "nonsense",
                "InvalidArn",
                "Invalid Arn: 'Invalid ARN prefix: nonsense'",
            ),
            (
                "arn:aws:sqs:r:1:q",
                "InvalidArn",
                "Invalid Arn: 'Invalid ARN: arn:aws:sqs:r:1:q'",
            ),
            (
                "arn:aws:states:r:1:execution:m:e",
                "InvalidArn",
                "Invalid Arn: 'Resource type not valid in this context: execution'",
            ),
            (
                "arn:aws:states:r:1:stateMachine:",
                "InvalidArn",
                "Invalid Arn: 'Invalid ARN: arn:aws:states:r:1:stateMachine:'",
            ),
            (
                "arn:aws:states:r:1:stateMachine:m/label",
                "ValidationException",
                "This action does not support ARNs of Distributed Map states",
            ),
        ] {
            let error = MachineArn::parse(text).unwrap_err();
            assert_eq!((error.shape(), error.message.as_str()), (shape, message));
        }
    }
}

//! Amazon Resource Names of what lives in the engine: built and read in one place.

use std::fmt;

/// Where the resources pretend to live: part of every ARN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) region: String,
    pub(crate) account: String,
}

impl Place {
    pub(crate) fn queue(&self, name: &str) -> QueueArn {
        QueueArn {
            region: self.region.clone(),
            account: self.account.clone(),
            name: name.to_owned(),
        }
    }

    pub(crate) fn state_machine(&self, name: &str) -> String {
        format!(
            "arn:aws:states:{}:{}:stateMachine:{name}",
            self.region, self.account
        )
    }

    pub(crate) fn execution(&self, machine: &str, name: &str) -> String {
        format!(
            "arn:aws:states:{}:{}:execution:{machine}:{name}",
            self.region, self.account
        )
    }

    /// The name in the ARN of a state machine of ours; `None` for anything else.
    pub(crate) fn state_machine_name<'a>(&self, arn: &'a str) -> Option<&'a str> {
        let [name] = self.states_resource(arn, "stateMachine")?;
        Some(name)
    }

    /// State machine and execution in the ARN of an execution of ours; `None` for anything else.
    pub(crate) fn execution_names<'a>(&self, arn: &'a str) -> Option<(&'a str, &'a str)> {
        let [machine, name] = self.states_resource(arn, "execution")?;
        Some((machine, name))
    }

    fn states_resource<'a, const N: usize>(
        &self,
        arn: &'a str,
        kind: &str,
    ) -> Option<[&'a str; N]> {
        let rest = arn.strip_prefix("arn:aws:states:")?;
        let rest = rest.strip_prefix(self.region.as_str())?.strip_prefix(':')?;
        let rest = rest
            .strip_prefix(self.account.as_str())?
            .strip_prefix(':')?;
        let rest = rest.strip_prefix(kind)?.strip_prefix(':')?;
        let parts: Vec<&str> = rest.split(':').collect();
        parts.try_into().ok()
    }
}

/// `arn:aws:sqs:REGION:ACCOUNT:NAME`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct QueueArn {
    /// As in `us-east-1`.
    pub region: String,
    /// Twelve digits.
    pub account: String,
    /// The queue's name.
    pub name: String,
}

impl QueueArn {
    /// Reads the written form; `None` if it is not the ARN of a queue.
    #[must_use]
    pub fn parse(text: &str) -> Option<QueueArn> {
        let mut parts = text
            .strip_prefix("arn:aws:sqs:")?
            .split(':')
            .map(str::to_owned);
        let arn = QueueArn {
            region: parts.next()?,
            account: parts.next()?,
            name: parts.next()?,
        };
        let complete = parts.next().is_none()
            && !arn.region.is_empty()
            && !arn.account.is_empty()
            && !arn.name.is_empty();
        complete.then_some(arn)
    }
}

impl fmt::Display for QueueArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "arn:aws:sqs:{}:{}:{}",
            self.region, self.account, self.name
        )
    }
}

/// Whether Step Functions allows this as the name of a state machine or an execution.
/// Source: "AWS Step Functions API Reference", `CreateStateMachine` and `StartExecution`, parameter `name`.
pub(crate) fn is_name(name: &str) -> bool {
    let forbidden =
        |c: char| c.is_whitespace() || c.is_control() || "<>{}[]?*\"#%\\^|~`$&,;:/".contains(c);
    (1..=80).contains(&name.chars().count()) && !name.chars().any(forbidden)
}

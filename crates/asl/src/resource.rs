//! What a Task state calls.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// How a service integration ends. Source: "Discover service integration patterns in Step Functions".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Pattern {
    /// The task ends with the response of the call.
    RequestResponse,
    /// The task ends when its token is answered: `.waitForTaskToken`.
    WaitForTaskToken,
    /// The task ends when the started job ends: `.sync`.
    Sync,
    /// As `Sync`, with the job's output as JSON: `.sync:2`.
    Sync2,
}

impl Pattern {
    /// The suffix in an ARN, with its dot.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::RequestResponse => "",
            Self::WaitForTaskToken => ".waitForTaskToken",
            Self::Sync => ".sync",
            Self::Sync2 => ".sync:2",
        }
    }
}

/// The `Resource` of a Task state.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Resource {
    /// A function called by its own ARN; its events are `LambdaFunction…`.
    Lambda {
        /// The function's ARN, with version or alias if the definition has one.
        arn: Arc<str>,
    },
    /// An activity, polled for by workers; its events are `Activity…`.
    Activity {
        /// The activity's ARN.
        arn: Arc<str>,
    },
    /// A service integration, `arn:aws:states:::service:action[.pattern]`; its events are `Task…`.
    Integration {
        /// Partition of the ARN, nearly always `aws`.
        partition: Arc<str>,
        /// `sqs`, `lambda`, `aws-sdk:dynamodb`, …: AWS's `resourceType`.
        service: Arc<str>,
        /// `sendMessage`, `invoke`, …, without the pattern.
        action: Arc<str>,
        /// How the task ends.
        pattern: Pattern,
    },
}

impl Resource {
    /// Reads an ARN; `None` if it is not one a Task state can have.
    pub fn from_arn(arn: &str) -> Option<Self> {
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        let [scheme, partition, service, region, account, rest] = parts[..] else {
            return None;
        };
        if scheme != "arn" || partition.is_empty() || rest.is_empty() {
            return None;
        }
        match service {
            "lambda" if rest.starts_with("function:") && !account.is_empty() => {
                Some(Self::Lambda { arn: arn.into() })
            }
            "states" if rest.starts_with("activity:") && !region.is_empty() => {
                Some(Self::Activity { arn: arn.into() })
            }
            "states" if region.is_empty() && account.is_empty() => {
                Self::integration(partition, rest)
            }
            _ => None,
        }
    }

    fn integration(partition: &str, rest: &str) -> Option<Self> {
        let (rest, pattern) = match rest {
            _ if rest.ends_with(".waitForTaskToken") => {
                (&rest[..rest.len() - 17], Pattern::WaitForTaskToken)
            }
            _ if rest.ends_with(".sync:2") => (&rest[..rest.len() - 7], Pattern::Sync2),
            _ if rest.ends_with(".sync") => (&rest[..rest.len() - 5], Pattern::Sync),
            _ => (rest, Pattern::RequestResponse),
        };
        let (service, action) = rest.rsplit_once(':')?;
        if service.is_empty() || action.is_empty() {
            return None;
        }
        Some(Self::Integration {
            partition: partition.into(),
            service: service.into(),
            action: action.into(),
            pattern,
        })
    }

    /// Whether the task waits for a token: its request carries one, and its success comes from outside.
    pub fn waits_for_token(&self) -> bool {
        matches!(
            self,
            Self::Integration {
                pattern: Pattern::WaitForTaskToken,
                ..
            }
        )
    }

    /// Whether the task waits for the end of the job that it starts: `.sync`.
    pub fn waits_for_job(&self) -> bool {
        matches!(
            self,
            Self::Integration {
                pattern: Pattern::Sync | Pattern::Sync2,
                ..
            }
        )
    }

    /// Whether its tasks have a token: those that wait for one, activities, and jobs that are waited for.
    pub fn has_token(&self) -> bool {
        match self {
            Self::Lambda { .. } => false,
            Self::Activity { .. } => true,
            Self::Integration { pattern, .. } => *pattern != Pattern::RequestResponse,
        }
    }

    /// AWS's `resourceType` in `Task…` events.
    pub fn resource_type(&self) -> &str {
        match self {
            Self::Lambda { .. } => "lambda",
            Self::Activity { .. } => "activity",
            Self::Integration { service, .. } => service,
        }
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lambda { arn } | Self::Activity { arn } => f.write_str(arn),
            Self::Integration {
                partition,
                service,
                action,
                pattern,
            } => {
                write!(
                    f,
                    "arn:{partition}:states:::{service}:{action}{}",
                    pattern.suffix()
                )
            }
        }
    }
}

impl Serialize for Resource {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Resource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let arn = String::deserialize(deserializer)?;
        Self::from_arn(&arn)
            .ok_or_else(|| serde::de::Error::custom(format!("not a resource: {arn}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_survives_the_round_trip() {
        for arn in [
            "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
            "arn:aws:states:::lambda:invoke",
            "arn:aws:states:::states:startExecution.sync:2",
            "arn:aws:states:::states:startExecution.sync",
            "arn:aws:states:::aws-sdk:dynamodb:putItem",
            "arn:aws:lambda:us-east-1:000000000000:function:check_stock:live",
            "arn:aws:states:us-east-1:000000000000:activity:pack",
        ] {
            assert_eq!(Resource::from_arn(arn).unwrap().to_string(), arn);
        }
        for arn in [
            "",
            "arn",
            "arn:aws:states:::sqs",
            "arn:aws:s3:::bucket",
            "arn:aws:states:us-east-1:0:stateMachine:x",
        ] {
            assert_eq!(Resource::from_arn(arn), None, "{arn}");
        }
    }
}

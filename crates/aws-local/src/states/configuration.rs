//! Logging, tracing and encryption of a state machine: accepted, checked, kept with the revision and shown.
//!
//! They change nothing here: histories are always kept, and the data directory is not encrypted by us.

use engine::Revision;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error;
use super::validate::{ARN, Check, KMS_KEY};
use crate::protocol::json::JsonError;

/// What belongs to a revision beside definition and role.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Configuration {
    pub(super) encryption_configuration: Encryption,
    pub(super) logging_configuration: Logging,
    pub(super) tracing_configuration: Tracing,
}

impl Configuration {
    /// The configuration of a revision.
    pub(super) fn of(revision: &Revision) -> Result<Configuration, JsonError> {
        Configuration::deserialize(&revision.settings).map_err(|error| {
            tracing::error!(%error, machine = revision.state_machine_arn, "a stored configuration cannot be read");
            JsonError::internal()
        })
    }

    /// As the engine keeps it with a revision.
    pub(super) fn settings(&self) -> Result<Value, JsonError> {
        serde_json::to_value(self).map_err(|error| {
            tracing::error!(%error, "a configuration cannot be stored");
            JsonError::internal()
        })
    }
}

/// What an update may change of it.
#[derive(Debug, Clone, Default)]
pub(super) struct Changes {
    pub(super) encryption: Option<Encryption>,
    pub(super) logging: Option<Logging>,
    pub(super) tracing: Option<Tracing>,
}

impl Changes {
    pub(super) fn is_empty(&self) -> bool {
        self.encryption.is_none() && self.logging.is_none() && self.tracing.is_none()
    }

    pub(super) fn apply(self, configuration: Configuration) -> Configuration {
        Configuration {
            encryption_configuration: self
                .encryption
                .unwrap_or(configuration.encryption_configuration),
            logging_configuration: self.logging.unwrap_or(configuration.logging_configuration),
            tracing_configuration: self.tracing.unwrap_or(configuration.tracing_configuration),
        }
    }
}

/// `LoggingConfiguration`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Logging {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    destinations: Vec<LogDestination>,
    include_execution_data: bool,
    level: String,
}

/// `LogDestination`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct LogDestination {
    cloud_watch_logs_log_group: LogGroup,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct LogGroup {
    log_group_arn: String,
}

impl Default for Logging {
    fn default() -> Logging {
        Logging {
            destinations: Vec::new(),
            include_execution_data: false,
            level: "OFF".to_owned(),
        }
    }
}

/// `TracingConfiguration`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Tracing {
    enabled: bool,
}

/// `EncryptionConfiguration`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Encryption {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kms_data_key_reuse_period_seconds: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kms_key_id: Option<String>,
    r#type: String,
}

impl Default for Encryption {
    fn default() -> Encryption {
        Encryption {
            kms_data_key_reuse_period_seconds: None,
            kms_key_id: None,
            r#type: AWS_OWNED_KEY.to_owned(),
        }
    }
}

const AWS_OWNED_KEY: &str = "AWS_OWNED_KEY";
const CUSTOMER_MANAGED_KEY: &str = "CUSTOMER_MANAGED_KMS_KEY";

/// How long a data key is used if the request does not say.
const DEFAULT_REUSE_SECONDS: i64 = 300;

/// The three members as requests carry them.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Members {
    logging_configuration: Option<LoggingMember>,
    tracing_configuration: Option<TracingMember>,
    encryption_configuration: Option<EncryptionMember>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct LoggingMember {
    level: Option<String>,
    include_execution_data: Option<bool>,
    destinations: Option<Vec<DestinationMember>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct DestinationMember {
    cloud_watch_logs_log_group: Option<LogGroupMember>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct LogGroupMember {
    log_group_arn: Option<String>,
}

#[derive(Debug, Deserialize)]
struct TracingMember {
    enabled: Option<bool>,
}

/// `EncryptionConfiguration` of a request.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EncryptionMember {
    kms_key_id: Option<String>,
    kms_data_key_reuse_period_seconds: Option<i64>,
    r#type: Option<String>,
}

impl Members {
    /// Checks each member by itself; [`Changes::check_rules`] follows when the whole request is well formed.
    pub(super) fn check(self, check: &mut Check) -> Changes {
        Changes {
            encryption: self
                .encryption_configuration
                .map(|member| member.check(check)),
            logging: self.logging_configuration.map(|member| member.check(check)),
            tracing: self.tracing_configuration.map(|member| Tracing {
                enabled: member.enabled.unwrap_or_default(),
            }),
        }
    }
}

impl LoggingMember {
    fn check(self, check: &mut Check) -> Logging {
        let level = check.word(
            "loggingConfiguration.level",
            self.level,
            |word| matches!(word, "ALL" | "ERROR" | "FATAL" | "OFF").then(|| word.to_owned()),
            "ALL, FATAL, ERROR, OFF",
        );
        let mut destinations = Vec::new();
        for (place, member) in (1..).zip(self.destinations.unwrap_or_default()) {
            let arn = check.text(
                &format!(
                    "loggingConfiguration.destinations.{place}.member.cloudWatchLogsLogGroup.logGroupArn"
                ),
                member.cloud_watch_logs_log_group.and_then(|group| group.log_group_arn),
                ARN,
            );
            destinations.push(LogDestination {
                cloud_watch_logs_log_group: LogGroup {
                    log_group_arn: arn.unwrap_or_default(),
                },
            });
        }
        Logging {
            destinations,
            include_execution_data: self.include_execution_data.unwrap_or_default(),
            level: level.unwrap_or_else(|| "OFF".to_owned()),
        }
    }
}

impl EncryptionMember {
    /// Checks the members by themselves.
    pub(super) fn check(self, check: &mut Check) -> Encryption {
        let member = |name: &str| format!("encryptionConfiguration.{name}");
        let kms_key_id = check.text(&member("kmsKeyId"), self.kms_key_id, KMS_KEY);
        let reuse = check.number(
            &member("kmsDataKeyReusePeriodSeconds"),
            self.kms_data_key_reuse_period_seconds,
            60,
            900,
        );
        if self.r#type.is_none() {
            check.missing(&member("type"));
        }
        let kind = check.word(
            &member("type"),
            self.r#type,
            |word| matches!(word, AWS_OWNED_KEY | CUSTOMER_MANAGED_KEY).then(|| word.to_owned()),
            "CUSTOMER_MANAGED_KMS_KEY, AWS_OWNED_KEY",
        );
        let kind = kind.unwrap_or_else(|| AWS_OWNED_KEY.to_owned());
        let reuse = match reuse {
            None if kind == CUSTOMER_MANAGED_KEY => Some(DEFAULT_REUSE_SECONDS),
            given => given,
        };
        Encryption {
            kms_data_key_reuse_period_seconds: reuse,
            kms_key_id,
            r#type: kind,
        }
    }
}

impl Changes {
    /// Rules between members.
    pub(super) fn check_rules(&self) -> Result<(), JsonError> {
        if let Some(logging) = &self.logging {
            logging.check_rules()?;
        }
        match &self.encryption {
            Some(encryption) => encryption.check_rules(),
            None => Ok(()),
        }
    }
}

impl Logging {
    fn check_rules(&self) -> Result<(), JsonError> {
        let wanted = match self.level.as_str() {
            "OFF" => self.destinations.len() <= 1,
            _ => self.destinations.len() == 1,
        };
        if !wanted {
            return Err(error::invalid_logging_configuration(
                "Must specify exactly one Log Destination.",
            ));
        }
        let is_log_group = |destination: &LogDestination| {
            let arn = &destination.cloud_watch_logs_log_group.log_group_arn;
            arn.starts_with("arn:")
                && arn.contains(":logs:")
                && arn.contains(":log-group:")
                && arn.ends_with(":*")
        };
        if !self.destinations.iter().all(is_log_group) {
            return Err(error::invalid_logging_configuration(
                "Log Destination must be a CloudWatch Logs log group ARN that ends with ':*'.",
            ));
        }
        Ok(())
    }
}

impl Encryption {
    /// Rules between the members.
    pub(super) fn check_rules(&self) -> Result<(), JsonError> {
        if self.r#type == CUSTOMER_MANAGED_KEY {
            if self.kms_key_id.is_none() {
                return Err(error::invalid_encryption_configuration(
                    "kmsKeyId must be set for CUSTOMER_MANAGED_KMS_KEY.",
                ));
            }
        } else if self.kms_key_id.is_some() || self.kms_data_key_reuse_period_seconds.is_some() {
            return Err(error::invalid_encryption_configuration(
                "kmsKeyId and kmsDataKeyReusePeriodSeconds are only for CUSTOMER_MANAGED_KMS_KEY.",
            ));
        }
        Ok(())
    }
}

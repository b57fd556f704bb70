//! Clients of the place that operators work on: a local endpoint, or AWS through a named profile.

use aws_config::SdkConfig;

use crate::error::{OperateError, refused};

/// Calls made at the same time in bulk work. Step Functions refills some of its buckets slowly.
pub const AT_ONCE: usize = 8;

/// The clients, and the place they reach.
#[derive(Clone, Debug)]
pub struct Connection {
    /// Step Functions.
    pub sfn: aws_sdk_sfn::Client,
    /// SQS.
    pub sqs: aws_sdk_sqs::Client,
    config: SdkConfig,
    /// The profile, where AWS itself is meant.
    profile: Option<String>,
}

/// An account of AWS, as it calls itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The account's number.
    pub account: String,
    /// Such as `eu-central-1`.
    pub region: String,
    /// The profile that reaches it.
    pub profile: String,
    /// ARN of whoever calls.
    pub caller: String,
}

impl Connection {
    /// Clients of this configuration. `profile` is named where AWS itself is meant; nothing else may reach AWS.
    pub fn new(config: SdkConfig, profile: Option<String>) -> Connection {
        Connection {
            sfn: aws_sdk_sfn::Client::new(&config),
            sqs: aws_sdk_sqs::Client::new(&config),
            config,
            profile,
        }
    }

    /// Whether this is AWS itself.
    pub fn is_aws(&self) -> bool {
        self.profile.is_some()
    }

    /// The region that requests are signed for.
    pub fn region(&self) -> Option<&str> {
        self.config.region().map(AsRef::as_ref)
    }

    /// The account and the region that a change is about to reach; `None` for a local endpoint.
    ///
    /// # Errors
    /// AWS does not answer or does not know the profile's keys.
    pub async fn place(&self) -> Result<Option<Place>, OperateError> {
        let Some(profile) = &self.profile else {
            return Ok(None);
        };
        let caller = aws_sdk_sts::Client::new(&self.config)
            .get_caller_identity()
            .send()
            .await
            .map_err(refused(format!("find the account of profile {profile}")))?;
        Ok(Some(Place {
            account: caller.account().unwrap_or("unknown").to_owned(),
            region: self.region().unwrap_or("no region").to_owned(),
            profile: profile.clone(),
            caller: caller.arn().unwrap_or("unknown caller").to_owned(),
        }))
    }
}

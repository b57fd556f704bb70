//! Clients of the endpoint that operators work on: the local one with test credentials, or AWS through a named profile.

use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};

use super::args::EndpointArgs;
use super::error::{OperateError, refused};
use crate::{endpoint, terminal};

/// Where `restock up` listens by default.
const LOCAL: &str = "http://127.0.0.1:4566";
const LOCAL_REGION: &str = "us-east-1";

/// Calls made at the same time in bulk work. Step Functions refills some of its buckets slowly.
pub(crate) const AT_ONCE: usize = 8;

/// The clients, and the place they reach.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    pub sfn: aws_sdk_sfn::Client,
    pub sqs: aws_sdk_sqs::Client,
    config: SdkConfig,
    /// The profile, where AWS itself is meant.
    profile: Option<String>,
}

impl Connection {
    pub(crate) async fn open(args: &EndpointArgs) -> Connection {
        let config = match &args.profile {
            Some(profile) => {
                let mut loader = aws_config::defaults(BehaviorVersion::latest())
                    .profile_name(profile)
                    .retry_config(RetryConfig::adaptive().with_max_attempts(8));
                if let Some(region) = &args.region {
                    loader = loader.region(Region::new(region.clone()));
                }
                loader.load().await
            }
            None => {
                let url = args.endpoint_url.as_deref().unwrap_or(LOCAL);
                endpoint::local(url, args.region.as_deref().unwrap_or(LOCAL_REGION)).await
            }
        };
        Connection {
            sfn: aws_sdk_sfn::Client::new(&config),
            sqs: aws_sdk_sqs::Client::new(&config),
            config,
            profile: args.profile.clone(),
        }
    }

    /// Names the account and the region that a change is about to reach. Says nothing of a local endpoint.
    pub(crate) async fn name_place(&self) -> Result<(), OperateError> {
        let Some(profile) = &self.profile else {
            return Ok(());
        };
        let caller = aws_sdk_sts::Client::new(&self.config)
            .get_caller_identity()
            .send()
            .await
            .map_err(refused(format!("find the account of profile {profile}")))?;
        let region = self.config.region().map_or("no region", |r| r.as_ref());
        terminal::say(&format!(
            "AWS account {} in {region} (profile {profile}, {})",
            caller.account().unwrap_or("unknown"),
            caller.arn().unwrap_or("unknown caller"),
        ));
        Ok(())
    }
}

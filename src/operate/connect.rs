//! From the flags to clients: the local endpoint with test credentials, or AWS through a named profile.

use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, Region};
use operate::Connection;

use super::args::EndpointArgs;
use super::error::VerbError;
use crate::{endpoint, terminal};

/// Where `restock up` listens by default.
pub(crate) const LOCAL: &str = "http://127.0.0.1:4566";
const LOCAL_REGION: &str = "us-east-1";

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
            endpoint::local(
                endpoint_url(args),
                args.region.as_deref().unwrap_or(LOCAL_REGION),
            )
            .await
        }
    };
    Connection::new(config, args.profile.clone())
}

/// The endpoint that is meant where no profile is named.
pub(crate) fn endpoint_url(args: &EndpointArgs) -> &str {
    args.endpoint_url.as_deref().unwrap_or(LOCAL)
}

/// Names the account and the region that a change is about to reach. Says nothing of a local endpoint.
pub(crate) async fn name_place(at: &Connection) -> Result<(), VerbError> {
    if let Some(place) = at.place().await? {
        terminal::say(&format!(
            "AWS account {} in {} (profile {}, {})",
            place.account, place.region, place.profile, place.caller
        ));
    }
    Ok(())
}

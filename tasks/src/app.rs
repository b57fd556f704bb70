//! What handlers work with: settings, the databases, AWS clients.
//!
//! Everything here is made on first use. A function's first answer waits for what that one task needs
//! and for nothing else.

use std::{sync::OnceLock, time::Duration};

use aws_config::{BehaviorVersion, SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use shop::{Customers, Warehouse};
use tokio::sync::OnceCell;

use crate::{config::Config, error::Common, relay_outbox::Bell};

/// Connections one Lambda process keeps to a database: it handles one event at a time, and a
/// handler uses one connection at a time.
const LAMBDA_CONNECTIONS: u32 = 2;

/// The surroundings of every handler.
#[derive(Debug)]
pub struct App {
    /// The settings.
    pub config: Config,
    /// Rings when a sale to a customer was committed.
    pub sales: Bell,
    warehouse: OnceLock<Warehouse>,
    customers: OnceLock<Customers>,
    aws: OnceCell<SdkConfig>,
    sns: OnceCell<aws_sdk_sns::Client>,
    step_functions: OnceCell<aws_sdk_sfn::Client>,
    ses: OnceCell<aws_sdk_sesv2::Client>,
    http: OnceCell<reqwest::Client>,
}

impl App {
    /// Surroundings that connect to what the settings name, when first needed.
    pub fn new(config: Config) -> Self {
        Self {
            config,
            sales: Bell::default(),
            warehouse: OnceLock::new(),
            customers: OnceLock::new(),
            aws: OnceCell::new(),
            sns: OnceCell::new(),
            step_functions: OnceCell::new(),
            ses: OnceCell::new(),
            http: OnceCell::new(),
        }
    }

    /// Uses this AWS configuration instead of reading the SDK's environment variables.
    #[must_use]
    pub fn with_aws(mut self, aws: SdkConfig) -> Self {
        self.aws = OnceCell::new_with(Some(limited(aws)));
        self
    }

    /// Uses an open warehouse instead of connecting to the configured one.
    #[must_use]
    pub fn with_warehouse(mut self, warehouse: Warehouse) -> Self {
        self.warehouse = OnceLock::from(warehouse);
        self
    }

    /// The warehouse. Connects with its first statement.
    pub fn warehouse(&self) -> Result<&Warehouse, Common> {
        if let Some(open) = self.warehouse.get() {
            return Ok(open);
        }
        let url = self.config.database_url()?.expose();
        let opened = Warehouse::open(url, LAMBDA_CONNECTIONS)?;
        Ok(self.warehouse.get_or_init(|| opened))
    }

    /// The customers database. Connects with its first statement.
    pub fn customers(&self) -> Result<&Customers, Common> {
        if let Some(open) = self.customers.get() {
            return Ok(open);
        }
        let url = self.config.customers_url()?.expose();
        let opened = Customers::open(url, LAMBDA_CONNECTIONS)?;
        Ok(self.customers.get_or_init(|| opened))
    }

    /// The SNS client.
    pub async fn sns(&self) -> &aws_sdk_sns::Client {
        let make = async || aws_sdk_sns::Client::new(self.aws().await);
        self.sns.get_or_init(make).await
    }

    /// The Step Functions client.
    pub async fn step_functions(&self) -> &aws_sdk_sfn::Client {
        let make = async || aws_sdk_sfn::Client::new(self.aws().await);
        self.step_functions.get_or_init(make).await
    }

    /// The SES client.
    pub async fn ses(&self) -> &aws_sdk_sesv2::Client {
        let make = async || aws_sdk_sesv2::Client::new(self.aws().await);
        self.ses.get_or_init(make).await
    }

    /// The HTTP client for the factory and the marketing system: connects within 3 s, answers within 10 s,
    /// follows no redirect (a signed URL or a customer is not handed to whom they point to).
    pub async fn http(&self) -> Result<&reqwest::Client, reqwest::Error> {
        let make = async || {
            reqwest::Client::builder()
                .connect_timeout(Duration::from_secs(3))
                .timeout(Duration::from_secs(10))
                .redirect(reqwest::redirect::Policy::none())
                .build()
        };
        self.http.get_or_try_init(make).await
    }

    async fn aws(&self) -> &SdkConfig {
        self.aws.get_or_init(aws).await
    }
}

/// The AWS configuration of this process, by the SDK's environment variables.
pub(crate) async fn aws() -> SdkConfig {
    limited(aws_config::load_defaults(BehaviorVersion::latest()).await)
}

/// Bounds every AWS call, so that a dead endpoint becomes an error while somebody still waits for it.
fn limited(aws: SdkConfig) -> SdkConfig {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(2))
        .operation_attempt_timeout(Duration::from_secs(5))
        .operation_timeout(Duration::from_secs(12))
        .build();
    let retries = RetryConfig::standard()
        .with_max_attempts(3)
        .with_initial_backoff(Duration::from_millis(100));
    aws.into_builder()
        .timeout_config(timeouts)
        .retry_config(retries)
        .build()
}

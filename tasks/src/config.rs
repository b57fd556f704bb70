//! Settings of the tasks, and the only place of this package that reads the environment.
//!
//! | variable | what it is |
//! |---|---|
//! | `RESTOCK_DATABASE_URL` | warehouse database, `mysql://…` or `sqlite://…`; secret |
//! | `RESTOCK_CUSTOMERS_URL` | customers database; secret |
//! | `RESTOCK_FACTORY_URL` | base URL of the factory; tasks append `/api/manufactures` |
//! | `RESTOCK_CALLBACK_URL` | base URL of our own API, as the factory reaches it |
//! | `RESTOCK_CALLBACK_KEY` | key of the callback signatures, hexadecimal, 32 bytes or more; secret |
//! | `RESTOCK_STOCK_EMPTY_TOPIC_ARN` | SNS topic of refused checkouts |
//! | `RESTOCK_OPS_ALERTS_TOPIC_ARN` | SNS topic operations listen to |
//! | `RESTOCK_REORDER_STATE_MACHINE_ARN` | state machine of the reorder flow |
//! | `RESTOCK_ORDER_PLACED_TOPIC_ARN` | SNS topic of sales to customers |
//! | `RESTOCK_VIP_STATE_MACHINE_ARN` | state machine of the VIP flow |
//! | `RESTOCK_VIP_THRESHOLD` | from how many items on a customer is a VIP, default 100 |
//! | `RESTOCK_VIP_MODE` | `order` (default): one order must reach the threshold; `cumulative`: all orders of a customer |
//! | `RESTOCK_MARKETING_URL` | base URL of the marketing system; tasks append `/api/customers` |
//! | `RESTOCK_MAIL_FROM` | sender of our mail, an address that SES has verified |
//! | `RESTOCK_TASK_STDIN` | `watch`: the process ends when its stdin closes (a supervisor's child) |
//! | `_HANDLER` | the name of the task; Lambda sets it to the function's handler |
//! | `RUST_LOG` | log filter, default `info` |
//!
//! A variable that is not set may be given as the ARN of a secret in `<VARIABLE>_SECRET_ARN` instead
//! ([`secrets`](crate::secrets) reads it): so a function's environment holds no secret.
//!
//! `AWS_LAMBDA_FUNCTION_NAME` is Lambda's; `AWS_REGION`, `AWS_ENDPOINT_URL` and the credentials are the AWS
//! SDK's own. Which task needs which variable is a column of the [registry](crate::registry); a missing one
//! ends the process at its start with a message that names it.

use std::{collections::HashMap, fmt};

use reqwest::Url;

/// A setting that must not be printed: `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes a secret text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the one call that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// One variable that tasks read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variable {
    /// `RESTOCK_DATABASE_URL`
    DatabaseUrl,
    /// `RESTOCK_CUSTOMERS_URL`
    CustomersUrl,
    /// `RESTOCK_FACTORY_URL`
    FactoryUrl,
    /// `RESTOCK_CALLBACK_URL`
    CallbackUrl,
    /// `RESTOCK_CALLBACK_KEY`
    CallbackKey,
    /// `RESTOCK_STOCK_EMPTY_TOPIC_ARN`
    StockEmptyTopic,
    /// `RESTOCK_OPS_ALERTS_TOPIC_ARN`
    OpsAlertsTopic,
    /// `RESTOCK_REORDER_STATE_MACHINE_ARN`
    ReorderStateMachine,
    /// `RESTOCK_MAIL_FROM`
    MailFrom,
    /// `RESTOCK_ORDER_PLACED_TOPIC_ARN`
    OrderPlacedTopic,
    /// `RESTOCK_VIP_STATE_MACHINE_ARN`
    VipStateMachine,
    /// `RESTOCK_VIP_THRESHOLD`
    VipThreshold,
    /// `RESTOCK_VIP_MODE`
    VipMode,
    /// `RESTOCK_MARKETING_URL`
    MarketingUrl,
}

impl Variable {
    /// The name in the environment.
    pub const fn name(self) -> &'static str {
        match self {
            Self::DatabaseUrl => "RESTOCK_DATABASE_URL",
            Self::CustomersUrl => "RESTOCK_CUSTOMERS_URL",
            Self::FactoryUrl => "RESTOCK_FACTORY_URL",
            Self::CallbackUrl => "RESTOCK_CALLBACK_URL",
            Self::CallbackKey => "RESTOCK_CALLBACK_KEY",
            Self::StockEmptyTopic => "RESTOCK_STOCK_EMPTY_TOPIC_ARN",
            Self::OpsAlertsTopic => "RESTOCK_OPS_ALERTS_TOPIC_ARN",
            Self::ReorderStateMachine => "RESTOCK_REORDER_STATE_MACHINE_ARN",
            Self::MailFrom => "RESTOCK_MAIL_FROM",
            Self::OrderPlacedTopic => "RESTOCK_ORDER_PLACED_TOPIC_ARN",
            Self::VipStateMachine => "RESTOCK_VIP_STATE_MACHINE_ARN",
            Self::VipThreshold => "RESTOCK_VIP_THRESHOLD",
            Self::VipMode => "RESTOCK_VIP_MODE",
            Self::MarketingUrl => "RESTOCK_MARKETING_URL",
        }
    }
}

/// What must reach the threshold to make a customer a VIP.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum VipMode {
    /// The items of one order.
    #[default]
    Order,
    /// The items of all orders of the customer.
    Cumulative,
}

/// From how many items on a customer is a VIP, where no setting says otherwise.
pub const VIP_THRESHOLD: i64 = 100;

/// Why the settings cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A needed variable is absent or empty.
    #[error(
        "{0} is not set; see the table of variables in tasks/src/config.rs and the environment of this function in workflows/stack.json"
    )]
    Missing(&'static str),
    /// A variable's value cannot be used. The value itself is not shown: it may be a secret.
    #[error("{0} cannot be used: {1}")]
    Invalid(&'static str, String),
}

/// The settings, read once. Each task reads only those that its registry line declares.
#[derive(Debug, Clone, Default)]
pub struct Config {
    database_url: Option<Secret>,
    customers_url: Option<Secret>,
    factory_url: Option<Url>,
    callback_url: Option<Url>,
    callback_key: Option<Secret>,
    stock_empty_topic: Option<String>,
    ops_alerts_topic: Option<String>,
    reorder_state_machine: Option<String>,
    mail_from: Option<String>,
    order_placed_topic: Option<String>,
    vip_state_machine: Option<String>,
    vip_threshold: Option<i64>,
    vip_mode: VipMode,
    marketing_url: Option<Url>,
}

impl Config {
    /// Reads the process's environment, with `secrets` by their variables' names where it has nothing; fails on the
    /// first of `needed` that is in neither.
    pub fn from_env(
        needed: &[Variable],
        secrets: &HashMap<&'static str, String>,
    ) -> Result<Self, ConfigError> {
        let lookup = |name| {
            let set = std::env::var(name).ok().filter(|value| !value.is_empty());
            set.or_else(|| secrets.get(name).cloned())
        };
        Self::read(lookup, needed)
    }

    /// Reads from any source of names and values: the environment, or what `restock up` computed.
    pub fn read(
        lookup: impl Fn(&'static str) -> Option<String>,
        needed: &[Variable],
    ) -> Result<Self, ConfigError> {
        let get = |variable: Variable| lookup(variable.name()).filter(|value| !value.is_empty());
        if let Some(missing) = needed.iter().find(|variable| get(**variable).is_none()) {
            return Err(ConfigError::Missing(missing.name()));
        }
        let url = |variable: Variable| -> Result<Option<Url>, ConfigError> {
            get(variable)
                .map(|text| base_url(variable, &text))
                .transpose()
        };
        let callback_key = get(Variable::CallbackKey);
        if let Some(key) = &callback_key {
            check_key(key)?;
        }
        Ok(Self {
            database_url: get(Variable::DatabaseUrl).map(Secret),
            customers_url: get(Variable::CustomersUrl).map(Secret),
            factory_url: url(Variable::FactoryUrl)?,
            callback_url: url(Variable::CallbackUrl)?,
            callback_key: callback_key.map(Secret),
            stock_empty_topic: get(Variable::StockEmptyTopic),
            ops_alerts_topic: get(Variable::OpsAlertsTopic),
            reorder_state_machine: get(Variable::ReorderStateMachine),
            mail_from: get(Variable::MailFrom),
            order_placed_topic: get(Variable::OrderPlacedTopic),
            vip_state_machine: get(Variable::VipStateMachine),
            vip_threshold: get(Variable::VipThreshold)
                .map(|text| threshold(&text))
                .transpose()?,
            vip_mode: get(Variable::VipMode)
                .map(|text| vip_mode(&text))
                .transpose()?
                .unwrap_or_default(),
            marketing_url: url(Variable::MarketingUrl)?,
        })
    }

    /// The warehouse database.
    pub fn database_url(&self) -> Result<&Secret, ConfigError> {
        need(&self.database_url, Variable::DatabaseUrl)
    }

    /// The customers database.
    pub fn customers_url(&self) -> Result<&Secret, ConfigError> {
        need(&self.customers_url, Variable::CustomersUrl)
    }

    /// The factory's base URL, without a trailing slash in its path.
    pub fn factory_url(&self) -> Result<&Url, ConfigError> {
        need(&self.factory_url, Variable::FactoryUrl)
    }

    /// Our API's base URL as the factory reaches it.
    pub fn callback_url(&self) -> Result<&Url, ConfigError> {
        need(&self.callback_url, Variable::CallbackUrl)
    }

    /// The key of callback signatures.
    pub fn callback_key(&self) -> Result<&Secret, ConfigError> {
        need(&self.callback_key, Variable::CallbackKey)
    }

    /// ARN of `stock_empty`.
    pub fn stock_empty_topic(&self) -> Result<&str, ConfigError> {
        need(&self.stock_empty_topic, Variable::StockEmptyTopic).map(String::as_str)
    }

    /// ARN of `ops_alerts`.
    pub fn ops_alerts_topic(&self) -> Result<&str, ConfigError> {
        need(&self.ops_alerts_topic, Variable::OpsAlertsTopic).map(String::as_str)
    }

    /// ARN of the reorder state machine (or of its alias).
    pub fn reorder_state_machine(&self) -> Result<&str, ConfigError> {
        need(&self.reorder_state_machine, Variable::ReorderStateMachine).map(String::as_str)
    }

    /// The sender of our mail.
    pub fn mail_from(&self) -> Result<&str, ConfigError> {
        need(&self.mail_from, Variable::MailFrom).map(String::as_str)
    }

    /// ARN of `order_placed`.
    pub fn order_placed_topic(&self) -> Result<&str, ConfigError> {
        need(&self.order_placed_topic, Variable::OrderPlacedTopic).map(String::as_str)
    }

    /// ARN of the VIP state machine (or of its alias).
    pub fn vip_state_machine(&self) -> Result<&str, ConfigError> {
        need(&self.vip_state_machine, Variable::VipStateMachine).map(String::as_str)
    }

    /// From how many items on a customer is a VIP.
    pub fn vip_threshold(&self) -> i64 {
        self.vip_threshold.unwrap_or(VIP_THRESHOLD)
    }

    /// What must reach the threshold.
    pub fn vip_mode(&self) -> VipMode {
        self.vip_mode
    }

    /// The marketing system's base URL, without a trailing slash in its path.
    pub fn marketing_url(&self) -> Result<&Url, ConfigError> {
        need(&self.marketing_url, Variable::MarketingUrl)
    }
}

/// Whether a supervisor asked that this process end with its stdin.
pub fn ends_with_stdin() -> bool {
    std::env::var("RESTOCK_TASK_STDIN").is_ok_and(|value| value == "watch")
}

/// Which of these variables are not set but name a secret, and its ARN.
pub fn secret_arns(needed: &[Variable]) -> Vec<(Variable, String)> {
    secret_arns_in(|name| std::env::var(name).ok(), needed)
}

fn secret_arns_in(
    lookup: impl Fn(&str) -> Option<String>,
    needed: &[Variable],
) -> Vec<(Variable, String)> {
    let set = |name: &str| lookup(name).filter(|value| !value.is_empty());
    let absent = needed
        .iter()
        .filter(|variable| set(variable.name()).is_none());
    absent
        .filter_map(|variable| {
            let arn = set(&format!("{}_SECRET_ARN", variable.name()))?;
            Some((*variable, arn))
        })
        .collect()
}

/// The function's handler, which names its task; empty outside Lambda.
pub fn handler() -> String {
    std::env::var("_HANDLER").unwrap_or_default()
}

/// The function's name on Lambda, which is a dimension of its metrics; empty elsewhere.
pub(crate) fn function_name() -> String {
    std::env::var("AWS_LAMBDA_FUNCTION_NAME").unwrap_or_default()
}

/// The log filter, in `tracing`'s syntax.
pub fn log_filter() -> String {
    std::env::var("RUST_LOG").unwrap_or_else(|_| "info".to_owned())
}

fn need<T>(value: &Option<T>, variable: Variable) -> Result<&T, ConfigError> {
    value.as_ref().ok_or(ConfigError::Missing(variable.name()))
}

fn base_url(variable: Variable, text: &str) -> Result<Url, ConfigError> {
    let invalid = |why: String| ConfigError::Invalid(variable.name(), why);
    let url = Url::parse(text.trim_end_matches('/'))
        .map_err(|error| invalid(format!("it is not a URL ({error})")))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(invalid("its scheme must be http or https".to_owned()));
    }
    Ok(url)
}

fn threshold(text: &str) -> Result<i64, ConfigError> {
    let count = text.parse().ok().filter(|count| *count >= 1);
    count.ok_or_else(|| {
        let why = "it must be a whole number of items, 1 or more".to_owned();
        ConfigError::Invalid(Variable::VipThreshold.name(), why)
    })
}

fn vip_mode(text: &str) -> Result<VipMode, ConfigError> {
    match text {
        "order" => Ok(VipMode::Order),
        "cumulative" => Ok(VipMode::Cumulative),
        _ => {
            let why = "it must be order or cumulative".to_owned();
            Err(ConfigError::Invalid(Variable::VipMode.name(), why))
        }
    }
}

fn check_key(hex: &str) -> Result<(), ConfigError> {
    let invalid = |why: &str| ConfigError::Invalid(Variable::CallbackKey.name(), why.to_owned());
    if !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(invalid("it must be hexadecimal"));
    }
    if hex.len() < 64 || hex.len() % 2 == 1 {
        return Err(invalid("it must be 32 bytes or more, two digits each"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&'static str, &str)], needed: &[Variable]) -> Result<Config, ConfigError> {
        Config::read(
            |name| {
                let found = pairs.iter().find(|(key, _)| *key == name);
                found.map(|(_, value)| (*value).to_owned())
            },
            needed,
        )
    }

    #[test]
    fn a_missing_or_empty_variable_is_named() {
        let needed = [Variable::DatabaseUrl, Variable::MailFrom];
        for pairs in [
            &[("RESTOCK_DATABASE_URL", "sqlite://w.db")][..],
            &[
                ("RESTOCK_DATABASE_URL", "sqlite://w.db"),
                ("RESTOCK_MAIL_FROM", ""),
            ][..],
        ] {
            let error = read(pairs, &needed).unwrap_err();
            assert_eq!(error, ConfigError::Missing("RESTOCK_MAIL_FROM"));
        }
        let config = read(&[], &[]).unwrap();
        assert_eq!(
            config.factory_url(),
            Err(ConfigError::Missing("RESTOCK_FACTORY_URL"))
        );
    }

    #[test]
    fn unusable_values_are_refused_without_showing_them() {
        for (name, value) in [
            ("RESTOCK_FACTORY_URL", "not a url"),
            ("RESTOCK_FACTORY_URL", "ftp://factory"),
            ("RESTOCK_CALLBACK_KEY", "zz"),
            ("RESTOCK_CALLBACK_KEY", "abcdef"),
            ("RESTOCK_MARKETING_URL", "nowhere"),
            ("RESTOCK_VIP_THRESHOLD", "-3"),
            ("RESTOCK_VIP_THRESHOLD", "many"),
            ("RESTOCK_VIP_MODE", "Ordered"),
        ] {
            let error = read(&[(name, value)], &[]).unwrap_err();
            assert!(matches!(&error, ConfigError::Invalid(n, _) if *n == name));
            assert!(!error.to_string().contains(value), "{error}");
        }
    }

    #[test]
    fn only_what_is_not_set_is_looked_for_among_the_secrets() {
        let environment = [
            ("RESTOCK_DATABASE_URL", "sqlite://w.db"),
            ("RESTOCK_DATABASE_URL_SECRET_ARN", "arn:1"),
            ("RESTOCK_CUSTOMERS_URL", ""),
            ("RESTOCK_CUSTOMERS_URL_SECRET_ARN", "arn:2"),
            ("RESTOCK_CALLBACK_KEY_SECRET_ARN", ""),
        ];
        let lookup = |name: &str| {
            let found = environment.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let needed = [
            Variable::DatabaseUrl,
            Variable::CustomersUrl,
            Variable::CallbackKey,
            Variable::MailFrom,
        ];
        assert_eq!(
            secret_arns_in(lookup, &needed),
            [(Variable::CustomersUrl, "arn:2".to_owned())]
        );
    }

    #[test]
    fn the_vip_settings_have_defaults() {
        let config = read(&[], &[]).unwrap();
        assert_eq!(
            (config.vip_threshold(), config.vip_mode()),
            (100, VipMode::Order)
        );
        let set = [
            ("RESTOCK_VIP_THRESHOLD", "7"),
            ("RESTOCK_VIP_MODE", "cumulative"),
        ];
        let config = read(&set, &[]).unwrap();
        assert_eq!(
            (config.vip_threshold(), config.vip_mode()),
            (7, VipMode::Cumulative)
        );
    }

    #[test]
    fn secrets_are_not_in_debug_output() {
        let config = read(
            &[
                ("RESTOCK_DATABASE_URL", "mysql://u:hunter2@db/warehouse"),
                ("RESTOCK_CALLBACK_KEY", &"ab".repeat(32)),
            ],
            &[],
        )
        .unwrap();
        let shown = format!("{config:?}");
        assert!(
            !shown.contains("hunter2") && !shown.contains("abab"),
            "{shown}"
        );
    }
}

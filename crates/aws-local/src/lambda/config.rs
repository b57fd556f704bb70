//! What the owner of the stack says about a function, and about the service as a whole.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use thiserror::Error;

/// The longest time AWS lets a function run.
pub const MAX_TIMEOUT: Duration = Duration::from_secs(900);

/// One function: a program that speaks the Lambda Runtime API, and how it is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionConfig {
    /// 1–64 characters of `a-z A-Z 0-9 - _`.
    pub name: String,
    /// For the reader of `GetFunction`.
    pub description: String,
    /// The program and its arguments. The processes of a function are this command and nothing else.
    pub command: Vec<String>,
    /// The function's own variables. They win over those that Lambda sets, except the reserved ones.
    pub environment: BTreeMap<String, String>,
    /// How long one invocation may take, whole seconds, at most [`MAX_TIMEOUT`]. Its process is killed then.
    pub timeout: Duration,
    /// MiB. Told to the process and reported, not enforced.
    pub memory_mb: u32,
    /// How many processes run at once; invocations beyond wait in order.
    pub max_concurrency: usize,
    /// A process that had nothing to do for this long is ended.
    pub idle_timeout: Duration,
    /// Names that, besides `$LATEST`, stand for the one code there is.
    pub aliases: Vec<String>,
}

impl FunctionConfig {
    /// A function with AWS's defaults (3 s, 128 MiB), ten processes at most, ended after a minute without work, and the
    /// alias `live`.
    pub fn new(name: impl Into<String>, command: Vec<String>) -> FunctionConfig {
        FunctionConfig {
            name: name.into(),
            description: String::new(),
            command,
            environment: BTreeMap::new(),
            timeout: Duration::from_secs(3),
            memory_mb: 128,
            max_concurrency: 10,
            idle_timeout: Duration::from_secs(60),
            aliases: vec!["live".to_owned()],
        }
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let name = || self.name.clone();
        if !super::arn::is_name(&self.name) {
            return Err(ConfigError::Name(name()));
        }
        if self.command.first().is_none_or(String::is_empty) {
            return Err(ConfigError::Command(name()));
        }
        if self.timeout < Duration::from_secs(1) || self.timeout > MAX_TIMEOUT {
            return Err(ConfigError::Timeout(name()));
        }
        if self.max_concurrency == 0 {
            return Err(ConfigError::Concurrency(name()));
        }
        Ok(())
    }
}

/// Why a function cannot be registered.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ConfigError {
    /// The name has characters that AWS does not allow.
    #[error("function name {0:?}: use 1 to 64 letters, digits, '-' and '_'")]
    Name(String),
    /// There is nothing to run.
    #[error(
        "function {0}: the command is empty; give a program that speaks the Lambda Runtime API"
    )]
    Command(String),
    /// Out of AWS's range.
    #[error("function {0}: the timeout must be from 1 to 900 seconds")]
    Timeout(String),
    /// It could never run.
    #[error("function {0}: the maximum concurrency must be at least 1")]
    Concurrency(String),
}

/// Settings of the whole service.
#[derive(Debug, Clone)]
pub struct LambdaOptions {
    /// The one region there is; part of every ARN.
    pub region: String,
    /// The one account there is; part of every ARN.
    pub account: String,
    /// Where each function's output is appended to `NAME.log`; `None` keeps it in memory only.
    pub log_dir: Option<PathBuf>,
    /// How long a process may take until its first request for work; a function's timeout, if longer, counts instead.
    /// AWS gives 10 s.
    pub init_timeout: Duration,
    /// How long a synchronous Invoke waits for a free process before it is answered `TooManyRequestsException`.
    pub queue_wait: Duration,
    /// Pauses before the retries of an asynchronous invocation that failed. AWS: one minute, then two.
    pub event_retries: Vec<Duration>,
}

impl Default for LambdaOptions {
    fn default() -> LambdaOptions {
        LambdaOptions {
            region: "us-east-1".to_owned(),
            account: "000000000000".to_owned(),
            log_dir: None,
            init_timeout: Duration::from_secs(10),
            queue_wait: Duration::from_secs(10),
            event_retries: vec![Duration::from_secs(60), Duration::from_secs(120)],
        }
    }
}

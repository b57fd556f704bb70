//! The variables a process finds, as on AWS. Nothing of our own environment leaks into it.
//!
//! Source: AWS Lambda developer guide, "Using Lambda environment variables", defined runtime variables.

use std::collections::BTreeMap;

use super::super::{function::Function, invocation::LATEST};

/// Everything a process of this function gets. `runtime_api` is `host:port`.
pub(super) fn variables(function: &Function, runtime_api: &str) -> BTreeMap<String, String> {
    let config = &function.config;
    let today = jiff::Timestamp::now().strftime("%Y/%m/%d");
    let stream = format!("{today}/[{LATEST}]{}", uuid::Uuid::new_v4().simple());
    // The function's own values may replace these …
    let defaults = [
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_SESSION_TOKEN", "test"),
        ("LANG", "en_US.UTF-8"),
        ("PATH", "/usr/local/bin:/usr/bin:/bin"),
        ("TZ", ":UTC"),
    ];
    // … but not these, which AWS reserves.
    let reserved = [
        ("AWS_DEFAULT_REGION", function.region.clone()),
        (
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
            config.memory_mb.to_string(),
        ),
        ("AWS_LAMBDA_FUNCTION_NAME", config.name.clone()),
        ("AWS_LAMBDA_FUNCTION_VERSION", LATEST.to_owned()),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".to_owned()),
        (
            "AWS_LAMBDA_LOG_GROUP_NAME",
            format!("/aws/lambda/{}", config.name),
        ),
        ("AWS_LAMBDA_LOG_STREAM_NAME", stream),
        ("AWS_LAMBDA_RUNTIME_API", runtime_api.to_owned()),
        ("AWS_REGION", function.region.clone()),
        ("LAMBDA_TASK_ROOT", task_root(function)),
        ("_HANDLER", "bootstrap".to_owned()),
    ];
    let mut variables: BTreeMap<String, String> = defaults
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    variables.extend(config.environment.clone());
    variables.extend(reserved.map(|(name, value)| (name.to_owned(), value)));
    variables
}

/// The directory of the program.
fn task_root(function: &Function) -> String {
    let program = function.config.command.first().map(std::path::Path::new);
    let directory = program.and_then(std::path::Path::parent);
    directory
        .map(|d| d.display().to_string())
        .unwrap_or_default()
}

/// The most memory a process has used, MiB; only where `/proc` tells it.
pub(super) fn peak_memory_mb(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = peak.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib.div_ceil(1024))
}

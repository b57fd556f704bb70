//! The Lambda functions of the stack: each is this very program, started as `restock task NAME`.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_local::lambda::{FunctionConfig, Lambda};
use shop::Warehouse;
use tasks::{App, Config};

use super::LocalError;
use crate::stack::StackError;
use crate::stack::model::Stack;
use crate::stack::render::Placeholders;

/// How long an unused process stays warm.
const IDLE: Duration = Duration::from_secs(60);

/// Tells the Lambda service of every function in the stack.
pub(super) fn register(
    lambda: &Lambda,
    stack: &Stack,
    placeholders: &Placeholders,
    aws_url: &str,
) -> Result<(), LocalError> {
    let program = std::env::current_exe().map_err(|source| StackError::Read {
        path: "this program".into(),
        source,
    })?;
    for (name, function) in &stack.functions {
        let mut environment = environment(placeholders, &function.environment)?;
        environment.insert("AWS_ENDPOINT_URL".to_owned(), aws_url.to_owned());
        // A task ends when we do, however that happens.
        environment.insert("RESTOCK_TASK_STDIN".to_owned(), "watch".to_owned());
        let command = vec![
            program.display().to_string(),
            "task".to_owned(),
            name.clone(),
        ];
        lambda.register(FunctionConfig {
            environment,
            timeout: Duration::from_secs(function.timeout.into()),
            memory_mb: function.memory,
            max_concurrency: function.concurrency as usize,
            idle_timeout: IDLE,
            ..FunctionConfig::new(name, command)
        })?;
    }
    Ok(())
}

fn environment(
    placeholders: &Placeholders,
    variables: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, StackError> {
    let render = |(name, value): (&String, &String)| {
        Ok((name.clone(), placeholders.render("stack.json", value)?))
    };
    variables.iter().map(render).collect()
}

/// What the Sales API works with when it is served in this process: the settings its Lambdas have on AWS.
pub(super) fn sales_app(
    stack: &Stack,
    placeholders: &Placeholders,
    sdk: SdkConfig,
    warehouse: Warehouse,
) -> Result<App, LocalError> {
    let mut variables = BTreeMap::new();
    for function in ["sales_api", "factory_callback"]
        .iter()
        .filter_map(|name| stack.functions.get(*name))
    {
        variables.extend(environment(placeholders, &function.environment)?);
    }
    let config = Config::read(|name| variables.get(name).cloned(), &[])?;
    Ok(App::new(config).with_aws(sdk).with_warehouse(warehouse))
}

//! The process of a Lambda function: logs, settings, and the loop over the Runtime API.
//!
//! Nothing else is built before the first event. The same code runs on AWS, where the
//! `bootstrap` binary calls it, and locally, where `restock task <name>` does.

use std::{collections::HashMap, io::Read, process::ExitCode, sync::Arc};

use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::Value;
use tracing::Instrument;
use tracing_subscriber::EnvFilter;

use crate::{
    app::{self, App},
    config::{self, Config, ConfigError},
    error::{Common, Failure},
    registry::{self, Task},
    secrets::{self, SecretError},
};

/// Why a task's process could not run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The registry has no such task.
    #[error("there is no task {0:?}; a function's handler must be one of: {1}")]
    UnknownTask(String, String),
    /// The settings do not suffice.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A setting that is a secret cannot be had.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The Runtime API could not be reached.
    #[error("the Lambda Runtime API failed: {0}")]
    Runtime(#[source] lambda_runtime::Error),
    /// No thread for the async runtime.
    #[error("could not start: {0}")]
    Start(#[from] std::io::Error),
}

/// The whole `main` of a function: runs the task until its process is ended.
pub fn main(name: &str) -> ExitCode {
    let outcome = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(RunError::from)
        .and_then(|runtime| runtime.block_on(run(name)));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("task {name}: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Serves events from the Runtime API with the named task.
pub async fn run(name: &str) -> Result<(), RunError> {
    let Some(task) = registry::find(name) else {
        let names: Vec<_> = registry::TASKS.iter().map(|task| task.name).collect();
        return Err(RunError::UnknownTask(name.to_owned(), names.join(", ")));
    };
    start_logs();
    let app = Arc::new(surroundings(task).await?);
    if config::ends_with_stdin() {
        end_with_stdin();
    }
    let handler = |event: LambdaEvent<Value>| {
        let app = app.clone();
        let request_id = event.context.request_id;
        async move { invoke(task, app, event.payload, &request_id).await }
    };
    lambda_runtime::run(service_fn(handler))
        .await
        .map_err(RunError::Runtime)
}

/// The settings, with those that are secrets, and everything else still to be made.
async fn surroundings(task: &Task) -> Result<App, RunError> {
    let arns = config::secret_arns(task.variables);
    if arns.is_empty() {
        let config = Config::from_env(task.variables, &HashMap::new())?;
        return Ok(App::new(config));
    }
    let aws = app::aws().await;
    let secrets = secrets::read(&aws, arns).await?;
    let config = Config::from_env(task.variables, &secrets)?;
    Ok(App::new(config).with_aws(aws))
}

/// One invocation: the task in a span that carries the ids to follow, a panic turned into an error that
/// reaches the workflow by name.
pub async fn invoke(
    task: &'static Task,
    app: Arc<App>,
    payload: Value,
    request_id: &str,
) -> Result<Value, Failure> {
    let id = |name: &str| payload.get(name).and_then(Value::as_str).map(str::to_owned);
    let span = tracing::info_span!(
        "task",
        name = task.name,
        request_id,
        order_id = id("order_id"),
        reorder_id = id("reorder_id"),
        attempt_id = id("attempt_id"),
    );
    let handling = tokio::spawn((task.handle)(app, payload).instrument(span.clone()));
    let outcome = match handling.await {
        Ok(outcome) => outcome,
        Err(ended) => Err(Common::Panicked(panic_text(ended)).into()),
    };
    span.in_scope(|| match &outcome {
        Ok(_) => tracing::debug!("done"),
        Err(failure) => tracing::error!(error = failure.name, cause = failure.message, "failed"),
    });
    outcome
}

fn panic_text(ended: tokio::task::JoinError) -> String {
    let Ok(payload) = ended.try_into_panic() else {
        return "it was cancelled".to_owned();
    };
    let text = payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned())
}

/// JSON lines on stderr, which Lambda and `restock up` both collect.
fn start_logs() {
    let filter = EnvFilter::new(config::log_filter());
    let subscriber = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    // A second subscriber in one process (tests, `restock` itself) keeps the first.
    let _ = subscriber.try_init();
}

/// Ends the process when whoever started it goes away, however that happened.
fn end_with_stdin() {
    std::thread::spawn(|| {
        let mut sink = [0_u8; 256];
        while matches!(std::io::stdin().read(&mut sink), Ok(read) if read > 0) {}
        std::process::exit(0);
    });
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    static PANICS: Task = Task {
        name: "panics",
        about: "",
        variables: &[],
        input: || schemars::schema_for!(Value),
        output: || schemars::schema_for!(Value),
        errors: Vec::new,
        handle: |_, _| Box::pin(async { panic!("oh") }),
    };

    #[tokio::test]
    async fn a_panic_becomes_a_named_error() {
        let app = Arc::new(App::new(Config::default()));
        let failure = invoke(&PANICS, app, json!({}), "r-1").await.unwrap_err();
        assert_eq!(failure.name, "Task.Panicked");
        assert_eq!(failure.message, "the handler panicked: oh");
    }

    #[tokio::test]
    async fn input_that_does_not_fit_is_a_named_error() {
        for task in registry::TASKS.iter().filter(|task| !task.serves_http()) {
            let app = Arc::new(App::new(Config::default()));
            let failure = invoke(task, app, json!(7), "r-1").await.unwrap_err();
            assert_eq!(failure.name, "Task.InvalidInput", "{}", task.name);
        }
    }

    #[tokio::test]
    async fn an_unknown_task_is_told_which_there_are() {
        let error = run("bake").await.unwrap_err().to_string();
        assert!(
            error.contains("\"bake\"") && error.contains("check_stock"),
            "{error}"
        );
    }
}

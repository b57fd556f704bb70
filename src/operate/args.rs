//! The flags of `restock executions` and `restock dlq`. Scripts rely on these names.

use aws_sdk_sfn::types::ExecutionStatus;
use clap::{Args, Subcommand};
use jiff::Timestamp;
use operate::filter::{Filter, ParkedFilter};
use operate::when;

/// Where the state machines are.
#[derive(Clone, Debug, Args)]
pub(crate) struct EndpointArgs {
    /// The AWS endpoint of `restock up` [default: http://127.0.0.1:4566]
    #[arg(
        long,
        global = true,
        env = "RESTOCK_ENDPOINT_URL",
        value_parser = http_url,
        conflicts_with = "profile"
    )]
    pub endpoint_url: Option<String>,
    /// Use AWS itself, with this profile of ~/.aws; nothing else reaches AWS
    #[arg(long, global = true)]
    pub profile: Option<String>,
    /// The region; default: us-east-1 locally, the profile's on AWS
    #[arg(long, global = true, env = "RESTOCK_REGION")]
    pub region: Option<String>,
}

/// Before something is changed.
#[derive(Clone, Copy, Debug, Default, Args)]
pub(crate) struct ChangeArgs {
    /// Do not ask
    #[arg(long, short)]
    pub yes: bool,
    /// Change nothing; say what would happen and which side effects would run again
    #[arg(long)]
    pub dry_run: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ExecutionsArgs {
    #[command(flatten)]
    pub endpoint: EndpointArgs,
    #[command(subcommand)]
    pub verb: ExecutionsVerb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ExecutionsVerb {
    /// List executions, newest first
    List(ListArgs),
    /// Show one execution: where it stands, why it failed, each state, what it waits for
    Show(ShowArgs),
    /// Print the history, event by event
    History(HistoryArgs),
    /// Start an execution; prints its ARN
    Start(StartArgs),
    /// Stop executions
    Stop(StopArgs),
    /// Go on with executions that FAILED, TIMED_OUT or were ABORTED, from where they failed
    Redrive(RedriveArgs),
    /// Start a new execution of the same input, or an edited one, from a chosen top-level state
    Fork(ForkArgs),
}

/// Which executions.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct FilterArgs {
    /// Only of this state machine (name or ARN)
    #[arg(long)]
    pub machine: Option<String>,
    /// Only with one of these statuses: RUNNING, SUCCEEDED, FAILED, TIMED_OUT, ABORTED
    #[arg(long, value_delimiter = ',', value_parser = status)]
    pub status: Vec<ExecutionStatus>,
    /// Only started since then: `2h`, `1d 12h`, or a time such as 2026-03-01T09:00:00Z
    #[arg(long, value_parser = when::since)]
    pub since: Option<Timestamp>,
    /// Only for this product (`product_id` in the input)
    #[arg(long)]
    pub product: Option<String>,
}

impl From<&FilterArgs> for Filter {
    fn from(args: &FilterArgs) -> Filter {
        Filter {
            machine: args.machine.clone(),
            status: args.status.clone(),
            since: args.since,
            product: args.product.clone(),
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    pub filter: FilterArgs,
    /// At most so many
    #[arg(long, default_value_t = 50)]
    pub limit: usize,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// Name or ARN
    pub execution: String,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct HistoryArgs {
    /// Name or ARN
    pub execution: String,
    /// Only events of this state
    #[arg(long)]
    pub state: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct StartArgs {
    /// The state machine (name or ARN)
    pub machine: String,
    /// The input: JSON, `@file`, or `-` for standard input
    #[arg(long, default_value = "{}")]
    pub input: String,
    /// The execution's name; default: AWS chooses one
    #[arg(long)]
    pub name: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct StopArgs {
    /// Names or ARNs
    #[arg(required = true)]
    pub executions: Vec<String>,
    /// The error they end with
    #[arg(long, default_value = "Operator.Stopped")]
    pub error: String,
    /// Why
    #[arg(long, default_value = "stopped with restock executions stop")]
    pub cause: String,
    #[command(flatten)]
    pub change: ChangeArgs,
}

#[derive(Debug, Args)]
pub(crate) struct RedriveArgs {
    /// Names or ARNs
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    pub executions: Vec<String>,
    /// Every execution that the filters leave; asks first
    #[arg(long)]
    pub all: bool,
    #[command(flatten)]
    pub filter: FilterArgs,
    #[command(flatten)]
    pub change: ChangeArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ForkArgs {
    /// Name or ARN of the execution to fork
    pub execution: String,
    /// The top-level state that the fork starts with
    #[arg(long)]
    pub from: String,
    /// That state's input: JSON, `@file`, or `-`; default: the input it last had
    #[arg(long, conflicts_with = "edit")]
    pub input: Option<String>,
    /// Edit that state's input in $VISUAL or $EDITOR
    #[arg(long)]
    pub edit: bool,
    #[command(flatten)]
    pub change: ChangeArgs,
}

#[derive(Debug, Args)]
pub(crate) struct DlqArgs {
    #[command(flatten)]
    pub endpoint: EndpointArgs,
    #[command(subcommand)]
    pub verb: DlqVerb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DlqVerb {
    /// List parked tasks: those that failed for good and wait for a replay or a discard
    List(DlqListArgs),
    /// Show the parked tasks of one execution with their inputs
    Show(DlqShowArgs),
    /// Run parked tasks again, with the same input or another
    Replay(ReplayArgs),
    /// Give parked tasks up: their executions fail with the original error
    Discard(DiscardArgs),
}

/// Which parked tasks.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ParkedFilterArgs {
    /// Only of this state machine (name or ARN)
    #[arg(long)]
    pub machine: Option<String>,
    /// Only this task, such as request_factory
    #[arg(long)]
    pub task: Option<String>,
    /// Only for this product (`product_id` in the input)
    #[arg(long)]
    pub product: Option<String>,
}

impl From<&ParkedFilterArgs> for ParkedFilter {
    fn from(args: &ParkedFilterArgs) -> ParkedFilter {
        ParkedFilter {
            machine: args.machine.clone(),
            task: args.task.clone(),
            product: args.product.clone(),
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct DlqListArgs {
    #[command(flatten)]
    pub filter: ParkedFilterArgs,
    /// Only where this state failed
    #[arg(long)]
    pub state: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct DlqShowArgs {
    /// Name or ARN of the execution
    pub execution: String,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    /// Names or ARNs of the executions
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    pub executions: Vec<String>,
    /// Every parked task that the filters leave; asks first
    #[arg(long)]
    pub all: bool,
    #[command(flatten)]
    pub filter: ParkedFilterArgs,
    /// Go on with this state of the same branch; default: the one that failed
    #[arg(long)]
    pub state: Option<String>,
    /// The state's input: JSON, `@file`, or `-`; default: the input it failed with
    #[arg(long)]
    pub input: Option<String>,
    #[command(flatten)]
    pub change: ChangeArgs,
}

#[derive(Debug, Args)]
pub(crate) struct DiscardArgs {
    /// Names or ARNs of the executions
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    pub executions: Vec<String>,
    /// Every parked task that the filters leave; asks first
    #[arg(long)]
    pub all: bool,
    #[command(flatten)]
    pub filter: ParkedFilterArgs,
    /// Only where this state failed
    #[arg(long)]
    pub state: Option<String>,
    /// Why; added to the original cause
    #[arg(long)]
    pub reason: Option<String>,
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// An address of another service. What comes of a bad one later helps nobody.
pub(crate) fn http_url(text: &str) -> Result<String, String> {
    let uri = text.parse::<http::Uri>().ok();
    let is_http = |uri: &http::Uri| {
        matches!(uri.scheme_str(), Some("http" | "https"))
            && uri.host().is_some_and(|it| !it.is_empty())
    };
    match uri.as_ref().is_some_and(is_http) {
        true => Ok(text.to_owned()),
        false => Err("write it as http://127.0.0.1:4566".to_owned()),
    }
}

/// A status in any case, with `-` or `_`.
fn status(text: &str) -> Result<ExecutionStatus, String> {
    let name = text.to_uppercase().replace('-', "_");
    match ExecutionStatus::try_parse(&name) {
        Ok(status) => Ok(status),
        Err(_) => Err(format!(
            "there are {}",
            ExecutionStatus::values().join(", ")
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_may_be_written_as_people_write_it() {
        for (text, expected) in [
            ("FAILED", Some(ExecutionStatus::Failed)),
            ("failed", Some(ExecutionStatus::Failed)),
            ("timed-out", Some(ExecutionStatus::TimedOut)),
            ("timed_out", Some(ExecutionStatus::TimedOut)),
            ("broken", None),
        ] {
            assert_eq!(status(text).ok(), expected, "{text}");
        }
    }

    #[test]
    fn an_address_of_a_service_is_an_http_url() {
        for good in [
            "http://127.0.0.1:4566",
            "https://example.com/",
            "http://[::1]:1",
        ] {
            assert_eq!(http_url(good), Ok(good.to_owned()));
        }
        for bad in [
            "",
            "nonsense",
            "127.0.0.1:4566",
            "localhost:4566",
            "ftp://a",
            "http://",
        ] {
            assert!(
                http_url(bad).unwrap_err().contains("http://127.0.0.1:4566"),
                "{bad}"
            );
        }
    }
}

//! The command line: every verb, flag and environment twin (`RESTOCK_…`). Tests and scripts rely on these names.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::factory::FactoryArgs;
use crate::marketing::MarketingArgs;
use crate::operate::args::{DlqArgs, EndpointArgs, ExecutionsArgs, http_url};

/// Durable stock-reorder workflows: on AWS Step Functions, or all of it on this machine.
#[derive(Debug, Parser)]
#[command(name = "restock", version, args_conflicts_with_subcommands = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub verb: Option<Verb>,
    #[command(flatten)]
    pub up: UpArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Run everything on this machine: the Sales API, the AWS endpoint, the Lambdas (also what `restock` alone does)
    Up(Box<UpArgs>),
    /// Drive a fresh installation through a surge, a VIP, an outage with replay and more; exits non-zero if one is missing
    Demo(DemoArgs),
    /// Measure this program on this machine, each figure next to a yardstick of the same run
    Bench(BenchArgs),
    /// The function that `bench` invokes
    #[command(hide = true)]
    BenchEcho,
    /// Run the simulated legacy factory alone
    Factory(FactoryArgs),
    /// Run the simulated marketing system alone
    Marketing(MarketingArgs),
    /// Bring the databases to this version's schema (safe to repeat)
    Migrate(MigrateArgs),
    /// Look at workflow definitions and test them
    #[command(subcommand)]
    Workflows(WorkflowsVerb),
    /// Look at executions; start, stop, redrive and fork them
    Executions(Box<ExecutionsArgs>),
    /// Look at parked tasks; replay or discard them
    Dlq(Box<DlqArgs>),
    /// Serve the console alone, over `restock up`, another endpoint, or AWS
    Console(Box<ConsoleVerbArgs>),
    /// Empty a local installation
    Reset(ResetArgs),
    /// Run one Lambda task (what the local Lambda service starts)
    #[command(hide = true)]
    Task {
        /// The task's name, such as `check_stock`
        name: String,
    },
}

/// Where the data lies, and where the parts listen.
#[derive(Clone, Debug, Args)]
pub(crate) struct UpArgs {
    /// The installation's folder: databases, mail, keys, logs
    #[arg(long, env = "RESTOCK_DATA_DIR", default_value = ".restock")]
    pub data_dir: PathBuf,
    /// Address of the Sales API; port 0 picks a free one, and keeps it for this data directory
    #[arg(long, env = "RESTOCK_API", default_value = "127.0.0.1:3000")]
    pub api: SocketAddr,
    /// Address of the AWS endpoint (Step Functions, SQS, SNS, SES, Lambda)
    #[arg(long, env = "RESTOCK_AWS", default_value = "127.0.0.1:4566")]
    pub aws: SocketAddr,
    #[command(flatten)]
    pub console: ConsoleArgs,
    /// The region in ARNs
    #[arg(long, env = "RESTOCK_REGION", default_value = "us-east-1")]
    pub region: String,
    /// The warehouse database (`mysql://…` or `sqlite:…`); default: warehouse.db in the data directory
    #[arg(long, env = "RESTOCK_DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<String>,
    /// The customers database; default: customers.db in the data directory
    #[arg(long, env = "RESTOCK_CUSTOMERS_URL", hide_env_values = true)]
    pub customers_url: Option<String>,
    /// Base URL of the factory; default: a simulated one is started
    #[arg(long, env = "RESTOCK_FACTORY_URL", value_parser = http_url)]
    pub factory_url: Option<String>,
    /// How long the simulated factory takes to deliver, in milliseconds
    #[arg(long, env = "RESTOCK_FACTORY_DELAY_MS", default_value_t = 3_000)]
    pub factory_delay_ms: u64,
    /// Base URL of the marketing system; default: a simulated one is started
    #[arg(long, env = "RESTOCK_MARKETING_URL", value_parser = http_url)]
    pub marketing_url: Option<String>,
    /// From how many items on a customer becomes a VIP
    #[arg(long, env = "RESTOCK_VIP_THRESHOLD", default_value_t = 100,
          value_parser = clap::value_parser!(u32).range(1..=1_000_000_000))]
    pub vip_threshold: u32,
    /// What must reach the threshold: one order, or all orders of a customer together
    #[arg(long, env = "RESTOCK_VIP_MODE", value_parser = ["order", "cumulative"], default_value = "order")]
    pub vip_mode: String,
    /// How long a reorder waits for the factory's callback, in seconds
    #[arg(long, env = "RESTOCK_CALLBACK_TIMEOUT_SECONDS", default_value_t = 86_400,
          value_parser = clap::value_parser!(u32).range(1..=31_536_000))]
    pub callback_timeout_seconds: u32,
    /// Remove executions with their histories so many days after their end (their names stay refused for 90 days); default:
    /// keep all
    #[arg(long, env = "RESTOCK_RETAIN_DAYS", value_parser = clap::value_parser!(u32).range(1..=36_500))]
    pub retain_days: Option<u32>,
    /// Folder of the workflows (stack.json and definitions); default: ./workflows, else the copy in this program
    #[arg(long, env = "RESTOCK_WORKFLOWS")]
    pub workflows: Option<PathBuf>,
    /// Answer tasks from this file, in the format of AWS Step Functions Local, in executions started as `ARN#TestCase`
    #[arg(long, env = "RESTOCK_MOCK_CONFIG")]
    pub mock_config: Option<PathBuf>,
    /// Write a JSON file with pid and URLs here once everything listens
    #[arg(long, env = "RESTOCK_READY_FILE")]
    pub ready_file: Option<PathBuf>,
}

/// Where the console listens if nobody says so.
pub(crate) const CONSOLE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 4500);

/// Where the console listens, and who may look at it.
#[derive(Clone, Debug, Args)]
pub(crate) struct ConsoleArgs {
    /// Address of the console; other than loopback only with --console-token
    #[arg(long, env = "RESTOCK_CONSOLE", default_value_t = CONSOLE)]
    pub console: SocketAddr,
    /// What people must know to open the console, 16 characters or more; nobody is asked without it
    #[arg(long, env = "RESTOCK_CONSOLE_TOKEN", hide_env_values = true)]
    pub console_token: Option<String>,
    /// A name besides localhost that the console is reached by; may be repeated
    #[arg(long, env = "RESTOCK_CONSOLE_HOST", value_delimiter = ',')]
    pub console_host: Vec<String>,
}

impl ConsoleArgs {
    pub(crate) fn token(&self) -> Option<&str> {
        self.console_token.as_deref()
    }
}

/// The console alone, over an endpoint that runs already.
#[derive(Debug, Args)]
pub(crate) struct ConsoleVerbArgs {
    #[command(flatten)]
    pub endpoint: EndpointArgs,
    #[command(flatten)]
    pub console: ConsoleArgs,
    /// The warehouse database (`mysql://…` or `sqlite:…`), for the shop's pages; none without it
    #[arg(
        long,
        env = "RESTOCK_DATABASE_URL",
        hide_env_values = true,
        requires = "customers_url"
    )]
    pub database_url: Option<String>,
    /// The customers database
    #[arg(
        long,
        env = "RESTOCK_CUSTOMERS_URL",
        hide_env_values = true,
        requires = "database_url"
    )]
    pub customers_url: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Print the report as JSON
    #[arg(long)]
    pub json: bool,
    /// Keep the installation here; default: a temporary folder that is removed
    #[arg(long)]
    pub data_dir: Option<PathBuf>,
    /// The warehouse database, an empty one; default: a SQLite file in the demo's folder
    #[arg(long, env = "RESTOCK_DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<String>,
    /// The customers database, an empty one; default: a SQLite file in the demo's folder
    #[arg(long, env = "RESTOCK_CUSTOMERS_URL", hide_env_values = true)]
    pub customers_url: Option<String>,
    /// How many checkouts the surge makes
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub checkouts: u32,
    /// How many clients make them at the same time
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=500))]
    pub clients: u32,
}

#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    /// What to measure: engine, start, lambda, queues, checkout, up, waiting, growth; default: all of it
    #[arg(value_name = "NAME")]
    pub parts: Vec<String>,
    /// Print the figures as JSON
    #[arg(long)]
    pub json: bool,
    /// How many seconds each figure is measured
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=60))]
    pub seconds: u32,
    /// An empty MySQL or MariaDB database to measure checkouts on, besides SQLite
    #[arg(long, env = "RESTOCK_BENCH_MYSQL_URL", hide_env_values = true)]
    pub mysql_url: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct MigrateArgs {
    /// The installation's folder, for the default SQLite databases
    #[arg(long, env = "RESTOCK_DATA_DIR", default_value = ".restock")]
    pub data_dir: PathBuf,
    /// The warehouse database; default: warehouse.db in the data directory
    #[arg(long, env = "RESTOCK_DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<String>,
    /// The customers database; default: customers.db in the data directory
    #[arg(long, env = "RESTOCK_CUSTOMERS_URL", hide_env_values = true)]
    pub customers_url: Option<String>,
    /// Also add the sample product and customers, where there are none
    #[arg(long)]
    pub seed: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum WorkflowsVerb {
    /// Check every definition and its flow of data, and say all that is wrong
    Check {
        /// Print what is wrong as JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        workflows: WorkflowsArgs,
    },
    /// Print a definition's diagram (Mermaid)
    Graph {
        /// The state machine's name in stack.json
        name: String,
        /// Put it into the README.md beside the definition instead
        #[arg(long)]
        write: bool,
        #[command(flatten)]
        workflows: WorkflowsArgs,
    },
    /// Run the cases of the workflows (`workflows/*/cases/*.json`) without any server
    Test {
        /// Only those of this state machine
        name: Option<String>,
        /// Print the outcomes as JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        workflows: WorkflowsArgs,
    },
    /// What the ways through the workflows cost on AWS: state transitions of each case, and a million of it
    Cost(CostArgs),
}

#[derive(Debug, Args)]
pub(crate) struct CostArgs {
    /// Only of this state machine
    pub name: Option<String>,
    /// What 1,000 state transitions cost, in US dollars: differs by region (us-east-1's if absent)
    #[arg(long, env = "RESTOCK_TRANSITION_PRICE", default_value_t = 0.025, value_parser = price)]
    pub price: f64,
    /// Print the table as JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub workflows: WorkflowsArgs,
}

fn price(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(price) if price.is_finite() && price >= 0.0 => Ok(price),
        _ => Err("a price is a number such as 0.025".to_owned()),
    }
}

#[derive(Debug, Args)]
pub(crate) struct WorkflowsArgs {
    /// Folder of the workflows; default: ./workflows, else the copy in this program
    #[arg(long, env = "RESTOCK_WORKFLOWS")]
    pub workflows: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ResetArgs {
    /// The installation's folder
    #[arg(long, env = "RESTOCK_DATA_DIR", default_value = ".restock")]
    pub data_dir: PathBuf,
    /// Do not ask
    #[arg(long, short)]
    pub yes: bool,
}

//! One installation on this machine: opens the parts, wires them, provisions the stack and runs everything.
//!
//! Start reading at [`Local::open`]; its order matters and is explained there.

pub(crate) mod console;
pub(crate) mod databases;
mod functions;
mod parts;
pub(crate) mod ready;
mod rule;
mod schedule;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use aws_local::lambda::ConfigError;
use aws_local::mock::{MockError, Mocks};
use aws_local::runner::aws_sdk::{BadEndpoint, Endpoints};
use aws_local::{Server, ServerError};
use engine::Engine;
use thiserror::Error;
use tokio::task::JoinSet;

use crate::cli::UpArgs;
use crate::data_dir::{DataDir, DataDirError, Part};
use crate::endpoint;
use crate::factory::FactoryError;
use crate::listen::ListenError;
use crate::marketing::MarketingError;
use crate::stack::StackError;
use crate::stack::model::Stack;
use crate::stack::provision::{Clients, ProvisionError, provision};
use crate::stack::render::{ACCOUNT, Placeholders, Setting};
use crate::stack::source::Source;
use databases::Databases;
use ready::Listening;

/// Everything of an installation, listening and running.
pub(crate) struct Local {
    args: UpArgs,
    data: DataDir,
    engine: Engine,
    server: Server,
    listening: Listening,
    factory_url: String,
    marketing_url: String,
    reorder_arn: String,
    workflows: String,
    product: String,
    /// Servers, schedules and rules; any of them that ends is a reason to stop.
    running: JoinSet<()>,
}

/// Why the installation did not start, or stopped.
#[derive(Debug, Error)]
pub(crate) enum LocalError {
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    #[error("cannot open the engine: {0}")]
    Engine(#[from] engine::OpenError),
    #[error("cannot start the engine: {0}")]
    Start(#[from] engine::StorageError),
    #[error("--mock-config {}: {source}", path.display())]
    MockFile { path: PathBuf, source: io::Error },
    #[error("--mock-config {}: {source}", path.display())]
    Mocks { path: PathBuf, source: MockError },
    #[error(transparent)]
    Endpoint(#[from] BadEndpoint),
    #[error("cannot open the AWS endpoint: {0}")]
    Server(#[from] ServerError),
    #[error("stack.json: {0}")]
    Function(#[from] ConfigError),
    #[error(transparent)]
    Console(#[from] ::console::OpenError),
    #[error(transparent)]
    Listen(#[from] ListenError),
    #[error(transparent)]
    Databases(#[from] databases::Unusable),
    #[error("the database cannot be used: {0}")]
    Shop(#[from] shop::Error),
    #[error(transparent)]
    Stack(#[from] StackError),
    #[error(transparent)]
    Provision(#[from] ProvisionError),
    #[error(transparent)]
    Factory(#[from] FactoryError),
    #[error(transparent)]
    Marketing(#[from] MarketingError),
    #[error("the settings of the tasks are not right: {0}")]
    Tasks(#[from] tasks::config::ConfigError),
    #[error("a part of restock stopped; the log above says why")]
    PartStopped,
}

impl Local {
    /// Opens everything. The order matters: databases before tasks that use them; listeners before the URLs that
    /// name them; functions before messages that invoke them; the stack before executions that go on.
    pub(crate) async fn open(args: UpArgs) -> Result<Local, LocalError> {
        let data = DataDir::open(&args.data_dir)?;
        let engine = Engine::open(
            data.path(),
            engine::Settings {
                region: args.region.clone(),
                account: ACCOUNT.to_owned(),
                retain: args
                    .retain_days
                    .map(|days| Duration::from_secs(u64::from(days) * 86_400)),
                ..engine::Settings::default()
            },
        )?;
        let databases = Databases::choose(
            &args.data_dir,
            args.database_url.clone(),
            args.customers_url.clone(),
        )?;
        let (warehouse, customers) = databases.migrate().await?;
        warehouse.seed().await?;
        customers.seed().await?;

        let (aws, aws_address) =
            parts::bind(&data, Part::Aws, "the AWS endpoint", "--aws", args.aws).await?;
        let (api, api_address) =
            parts::bind(&data, Part::Api, "the Sales API", "--api", args.api).await?;
        ::console::check_address(args.console.console, args.console.token())?;
        let (console, console_address) = parts::console(&data, args.console.console).await?;
        let mut running = JoinSet::new();
        let factory_url = match &args.factory_url {
            Some(url) => url.clone(),
            None => parts::factory(&mut running, &data, &args).await?,
        };
        let marketing_url = match &args.marketing_url {
            Some(url) => url.clone(),
            None => parts::marketing(&mut running, &data).await?,
        };
        let listening = Listening {
            pid: std::process::id(),
            api: format!("http://{api_address}"),
            aws: format!("http://{aws_address}"),
            console: format!("http://{console_address}"),
            factory: args.factory_url.is_none().then(|| factory_url.clone()),
            marketing: args.marketing_url.is_none().then(|| marketing_url.clone()),
        };

        let source = Source::choose(args.workflows.as_deref());
        let stack = Stack::parse(&source.read("stack.json")?)?;
        let mut settings = settings(&args, &data, &databases, &listening, &factory_url)?;
        settings.extend(vip_settings(&args, &marketing_url));
        let placeholders = Placeholders::local(&stack, &args.region, &listening.aws, settings);

        let options = aws_local::Options {
            data_dir: data.path().to_owned(),
            public_url: listening.aws.clone(),
            endpoints: Endpoints::read(|name| std::env::var(name).ok())?,
        };
        let mocks = mocks(args.mock_config.as_deref())?;
        let server = Server::open_mocked(&engine, options, Arc::new(mocks)).await?;
        functions::register(server.lambda(), &stack, &placeholders, &listening.aws)?;
        parts::serve(&mut running, "the AWS endpoint", aws, server.router());

        let sdk = endpoint::local(&listening.aws, &args.region).await;
        let clients = Clients::new(&sdk);
        provision(&clients, &stack, &source, &placeholders).await?;
        engine.start(server.runner())?;
        schedule::start(&mut running, &clients.lambda, stack.schedules.iter());
        rule::start(&mut running, &engine, &clients.sns, &stack, &placeholders);

        let opened = console::open(
            &args.console,
            &listening.aws,
            sdk.clone(),
            &data,
            (warehouse.clone(), customers),
        )?;
        console::serve(&mut running, opened, console);

        let app = Arc::new(functions::sales_app(
            &stack,
            &placeholders,
            sdk,
            warehouse.clone(),
        )?);
        running.spawn(tasks::relay_outbox::follow(app.clone()));
        parts::serve(
            &mut running,
            "the Sales API",
            api,
            tasks::sales_api::router(app),
        );

        let product = shop::product::list(&warehouse).await?.into_iter().next();
        let product = product.map_or_else(String::new, |p| {
            format!("{} ({}), {} in stock", p.product_id, p.name, p.stock)
        });
        let reorder_arn = placeholders.get("state_machine_arn_reorder").to_owned();
        let workflows = source.describe();
        Ok(Local {
            args,
            data,
            engine,
            server,
            listening,
            factory_url,
            marketing_url,
            reorder_arn,
            workflows,
            product,
            running,
        })
    }

    /// Runs until a part ends, which none should.
    pub(crate) async fn run(&mut self) -> Result<(), LocalError> {
        if let Some(Err(error)) = self.running.join_next().await {
            tracing::error!(%error, "a part of restock panicked");
        }
        Err(LocalError::PartStopped)
    }

    /// Ends the Lambda processes and commits what is on its way.
    pub(crate) async fn close(mut self) {
        self.running.shutdown().await;
        self.server.shutdown().await;
        self.engine.shutdown().await;
    }

    pub(crate) fn listening(&self) -> &Listening {
        &self.listening
    }

    pub(crate) fn data_dir(&self) -> &DataDir {
        &self.data
    }

    pub(crate) fn region(&self) -> &str {
        &self.args.region
    }

    pub(crate) fn factory_url(&self) -> &str {
        &self.factory_url
    }

    pub(crate) fn marketing_url(&self) -> &str {
        &self.marketing_url
    }

    pub(crate) fn reorder_arn(&self) -> &str {
        &self.reorder_arn
    }

    pub(crate) fn workflows(&self) -> &str {
        &self.workflows
    }

    /// The first product, for people: what there is to buy.
    pub(crate) fn product(&self) -> &str {
        &self.product
    }
}

fn settings(
    args: &UpArgs,
    data: &DataDir,
    databases: &Databases,
    listening: &Listening,
    factory_url: &str,
) -> Result<Vec<Setting>, LocalError> {
    let setting = |name, value: &str| Setting {
        name,
        value: value.to_owned(),
    };
    Ok(vec![
        setting("warehouse_url", &databases.warehouse),
        setting("customers_url", &databases.customers),
        setting("factory_url", factory_url),
        setting("callback_url", &listening.api),
        setting("callback_key", &data.callback_key()?),
        setting(
            "callback_timeout_seconds",
            &args.callback_timeout_seconds.to_string(),
        ),
        setting("mail_from", "restock@donut-states.example"),
        setting("ops_email", "ops@donut-states.example"),
    ])
}

fn vip_settings(args: &UpArgs, marketing_url: &str) -> [Setting; 3] {
    let setting = |name, value| Setting { name, value };
    [
        setting("marketing_url", marketing_url.to_owned()),
        setting("vip_threshold", args.vip_threshold.to_string()),
        setting("vip_mode", args.vip_mode.clone()),
    ]
}

/// What `--mock-config` says; nothing is mocked without it.
fn mocks(file: Option<&Path>) -> Result<Mocks, LocalError> {
    let Some(path) = file else {
        return Ok(Mocks::default());
    };
    let text = std::fs::read_to_string(path).map_err(|source| LocalError::MockFile {
        path: path.to_owned(),
        source,
    })?;
    Mocks::read(&text).map_err(|source| LocalError::Mocks {
        path: path.to_owned(),
        source,
    })
}

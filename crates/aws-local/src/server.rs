//! All services over one engine: what there is, joined into one router and one task runner.
//!
//! Adding a service is a few lines in [`Server::open`].

use std::{io, path::PathBuf, sync::Arc};

use axum::Router;
use engine::{Engine, StorageError, TaskRunner};

use crate::{
    front::{self, Front},
    lambda::{Lambda, LambdaOpenError, LambdaOptions},
    local,
    mock::Mocks,
    outbox::Outbox,
    runner::{
        Integration, Runner,
        aws_sdk::{AwsSdk, Endpoints},
        sns::SnsIntegration,
        sqs::SqsIntegration,
        states::StatesIntegration,
    },
    s3::S3,
    ses::Ses,
    sns::Sns,
    sqs::{self, Sqs},
    states::{self, StepFunctions},
};

/// What the wire needs to know besides the engine, which has the region and the account of all ARNs.
#[derive(Debug, Clone)]
pub struct Options {
    /// The installation's data directory: mail lies in `mail/` in it, what functions write in `logs/`.
    pub data_dir: PathBuf,
    /// Where this server is reached, e.g. `http://127.0.0.1:4566`: for links in notifications that no request asked for.
    pub public_url: String,
    /// Where services are that tasks call and that are not here.
    pub endpoints: Endpoints,
}

/// Why the services could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The folder for mail cannot be made.
    #[error("the outbox folder {} cannot be made: {source}; check the data directory's permissions", path.display())]
    Outbox {
        /// The folder.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// The folder for objects cannot be made.
    #[error("the folder for S3's objects {} cannot be made: {source}; check the data directory's permissions", path.display())]
    Objects {
        /// The folder.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// The public address is none.
    #[error(
        "{0} is not an address under which this endpoint can be reached, such as http://127.0.0.1:4566"
    )]
    PublicUrl(String),
    /// The Lambda service.
    #[error(transparent)]
    Lambda(#[from] LambdaOpenError),
    /// What the services keep cannot be read.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// The services, ready to be served.
pub struct Server {
    sqs: Sqs,
    lambda: Lambda,
    outbox: Outbox,
    s3: S3,
    http: Router,
    step_functions: Arc<StepFunctions>,
    runner: Runner,
    mocks: Arc<Mocks>,
    engine: Engine,
}

impl Server {
    /// Opens the services over an engine. Functions are registered with [`Server::lambda`]; queues that feed them go on then.
    ///
    /// # Errors
    /// A folder cannot be made, or what is stored cannot be read.
    pub async fn open(engine: &Engine, options: Options) -> Result<Server, ServerError> {
        Server::open_mocked(engine, options, Arc::default()).await
    }

    /// As [`Server::open`], with test cases that executions can be started as.
    ///
    /// # Errors
    /// As of [`Server::open`].
    pub async fn open_mocked(
        engine: &Engine,
        options: Options,
        mocks: Arc<Mocks>,
    ) -> Result<Server, ServerError> {
        let Options {
            data_dir,
            public_url,
            endpoints,
        } = options;
        let (region, account) = (engine.region().to_owned(), engine.account().to_owned());
        let (queues, documents) = (engine.queues().clone(), engine.documents().clone());
        let folder = data_dir.join("mail");
        let outbox =
            Outbox::open(&folder, documents.clone()).map_err(|source| ServerError::Outbox {
                path: folder,
                source,
            })?;
        let lambda_options = LambdaOptions {
            log_dir: Some(data_dir.join("logs")),
            region: region.clone(),
            account: account.clone(),
            ..LambdaOptions::default()
        };
        let lambda = Lambda::open(engine, lambda_options).await?;
        let folder = data_dir.join("s3");
        let s3 = S3::open(folder.clone(), documents.clone(), region.clone()).map_err(|source| {
            ServerError::Objects {
                path: folder,
                source,
            }
        })?;
        let sqs = Sqs::new(queues.clone(), documents.clone(), account.clone());
        let sns = Sns::open(documents.clone(), queues, outbox.clone(), region, account).await?;
        let ses = Ses::new(outbox.clone(), documents);
        let step_functions =
            Arc::new(StepFunctions::new(engine.clone()).with_mocks(Arc::clone(&mocks)));

        let front = Front {
            json: vec![
                (sqs::TARGET, Arc::new(sqs.clone())),
                (states::TARGET, Arc::clone(&step_functions) as _),
            ],
            sns: sns.clone(),
        };
        let rest = ses
            .router()
            .merge(lambda.router())
            .merge(local::router(outbox.clone()));
        let http = front::router(front, rest, s3.clone());
        let public = public_url
            .parse()
            .map_err(|_| ServerError::PublicUrl(public_url.clone()))?;
        let region = engine.region().to_owned();
        let aws_sdk = AwsSdk::new(http.clone(), public, endpoints, region);
        let runner = Runner::default()
            .with("aws-sdk", Arc::new(aws_sdk))
            .with_s3(s3.clone())
            .with("activity", Arc::new(step_functions.offers()))
            .with("lambda", Arc::new(lambda.clone()))
            .with("sqs", Arc::new(SqsIntegration::new(sqs.clone())))
            .with(
                "states",
                Arc::new(StatesIntegration::new(
                    engine.clone(),
                    Arc::clone(&step_functions),
                )),
            )
            .with(
                "sns",
                Arc::new(SnsIntegration::new(sns.clone(), public_url)),
            );
        Ok(Server {
            http,
            sqs,
            lambda,
            outbox,
            step_functions,
            s3,
            runner,
            mocks,
            engine: engine.clone(),
        })
    }

    /// Adds a service that Task states can call (`arn:aws:states:::SERVICE:action`), or replaces one.
    #[must_use]
    pub fn with_integration(
        mut self,
        service: &'static str,
        integration: Arc<dyn Integration>,
    ) -> Server {
        self.runner = self.runner.with(service, integration);
        self
    }

    /// Everything that listens on the AWS port.
    pub fn router(&self) -> Router {
        // Services may have been added until now.
        self.step_functions.call_services_with(self.runner.clone());
        self.http.clone()
    }

    /// What runs the tasks of executions.
    pub fn runner(&self) -> Arc<dyn TaskRunner> {
        let services = Arc::new(self.runner.clone());
        Arc::new(self.mocks.runner(&self.engine, services))
    }

    /// The functions: the owner of the stack registers them here.
    pub fn lambda(&self) -> &Lambda {
        &self.lambda
    }

    /// Ends what feeds functions, and the functions' processes. Call it before the engine's own shutdown.
    pub async fn shutdown(&self) {
        self.lambda.shutdown().await;
    }

    /// The queues' wire, for parts that send or receive without a network.
    pub fn sqs(&self) -> &Sqs {
        &self.sqs
    }

    /// The objects.
    pub fn s3(&self) -> &S3 {
        &self.s3
    }

    /// The outbox.
    pub fn outbox(&self) -> &Outbox {
        &self.outbox
    }
}

//! A running server and the clients that talk to it.

use std::net::SocketAddr;
use std::sync::Arc;

use aws_credential_types::Credentials;
use aws_local::mock::Mocks;
use aws_local::{Options, Server};
use aws_sdk_sfn::Client;
use aws_sdk_sfn::types::ExecutionStatus;
use engine::{Ended, Engine, Settings};
use tempfile::TempDir;
use tokio::sync::broadcast::Receiver;
use tokio::task::JoinHandle;

pub(crate) const ROLE: &str = "arn:aws:iam::000000000000:role/r";

/// One state that passes its input on.
pub(crate) const PASS: &str = r#"{"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}}"#;

/// One state that waits for an hour.
pub(crate) const WAIT: &str =
    r#"{"StartAt":"A","States":{"A":{"Type":"Wait","Seconds":3600,"End":true}}}"#;

/// A server on a free loopback port. Ends with the test.
pub(crate) struct Fixture {
    pub(crate) client: Client,
    address: SocketAddr,
    engine: Engine,
    server: Server,
    ended: Receiver<Ended>,
    directory: TempDir,
    serving: JoinHandle<()>,
}

impl Fixture {
    pub(crate) async fn start() -> Fixture {
        Self::start_with(Settings::default()).await
    }

    pub(crate) async fn start_with(settings: Settings) -> Fixture {
        Self::start_in(tempfile::tempdir().unwrap(), settings, Mocks::default()).await
    }

    /// With a mock configuration.
    pub(crate) async fn start_mocked(mocks: &str) -> Fixture {
        let mocks = Mocks::read(mocks).unwrap();
        Self::start_in(tempfile::tempdir().unwrap(), Settings::default(), mocks).await
    }

    async fn start_in(directory: TempDir, settings: Settings, mocks: Mocks) -> Fixture {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let engine = Engine::open(directory.path(), settings).unwrap();
        let options = Options {
            data_dir: directory.path().to_owned(),
            public_url: format!("http://{address}"),
            endpoints: Default::default(),
        };
        let server = Server::open_mocked(&engine, options, Arc::new(mocks));
        let server = server.await.unwrap();
        let ended = engine.executions().ended();
        engine.start(server.runner()).unwrap();
        let router = server.router();
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let client = Client::new(&config(address).await);
        Fixture {
            client,
            address,
            engine,
            server,
            ended,
            directory,
            serving,
        }
    }

    /// Stops and starts again on the same data.
    pub(crate) async fn restart(self) -> Fixture {
        self.restart_with(Settings::default()).await
    }

    pub(crate) async fn restart_with(self, settings: Settings) -> Fixture {
        let directory = self.stop().await;
        Self::start_in(directory, settings, Mocks::default()).await
    }

    /// The same, with something done in between by an engine that runs no tasks: as if the process had died right after it.
    pub(crate) async fn restart_after(self, act: impl AsyncFnOnce(&Engine)) -> Fixture {
        let directory = self.stop().await;
        let engine = Engine::open(directory.path(), Settings::default()).unwrap();
        act(&engine).await;
        engine.shutdown().await;
        Self::start_in(directory, Settings::default(), Mocks::default()).await
    }

    /// The same, with a statement carried out on the engine's database.
    pub(crate) async fn restart_after_damage(self, statement: &str) -> Fixture {
        let directory = self.stop().await;
        let db = rusqlite::Connection::open(directory.path().join("engine.db")).unwrap();
        db.execute_batch(statement).unwrap();
        assert!(db.total_changes() > 0, "{statement} changed nothing");
        drop(db);
        Self::start_in(directory, Settings::default(), Mocks::default()).await
    }

    async fn stop(self) -> TempDir {
        self.serving.abort();
        self.server.shutdown().await;
        self.engine.shutdown().await;
        self.directory
    }

    pub(crate) fn s3(&self) -> &aws_local::s3::S3 {
        self.server.s3()
    }

    pub(crate) async fn sqs(&self) -> aws_sdk_sqs::Client {
        aws_sdk_sqs::Client::new(&config(self.address).await)
    }

    /// Makes a state machine; its ARN.
    pub(crate) async fn machine(&self, name: &str, definition: &str) -> String {
        let request = self.client.create_state_machine().name(name);
        let made = request
            .definition(definition)
            .role_arn(ROLE)
            .send()
            .await
            .unwrap();
        made.state_machine_arn
    }

    /// Starts an execution; its ARN.
    pub(crate) async fn execution(&self, machine: &str, input: &str) -> String {
        let request = self.client.start_execution().state_machine_arn(machine);
        request.input(input).send().await.unwrap().execution_arn
    }

    /// Waits until an execution has ended.
    pub(crate) async fn end_of(&mut self, execution: &str) -> ExecutionStatus {
        loop {
            let request = self.client.describe_execution().execution_arn(execution);
            let status = request.send().await.unwrap().status;
            if status != ExecutionStatus::Running {
                return status;
            }
            while self.ended.recv().await.unwrap().arn != execution {}
        }
    }

    /// One action as it is on the wire: status, and the JSON of the answer.
    pub(crate) async fn raw(&self, action: &str, body: &str) -> (u16, serde_json::Value) {
        let request = http::Request::post(format!("http://{}/", self.address))
            .header("content-type", "application/x-amz-json-1.0")
            .header("x-amz-target", format!("AWSStepFunctions.{action}"))
            .body(http_body_util::Full::new(bytes::Bytes::copy_from_slice(
                body.as_bytes(),
            )))
            .unwrap();
        let executor = hyper_util::rt::TokioExecutor::new();
        let client = hyper_util::client::legacy::Client::builder(executor).build_http();
        let response = client.request(request).await.unwrap();
        let status = response.status().as_u16();
        let body = http_body_util::BodyExt::collect(response.into_body())
            .await
            .unwrap()
            .to_bytes();
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }
}

async fn config(address: SocketAddr) -> aws_config::SdkConfig {
    aws_config::defaults(aws_config::BehaviorVersion::latest())
        .endpoint_url(format!("http://{address}"))
        // Another region than the server's: it must not matter.
        .region("eu-west-3")
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .load()
        .await
}

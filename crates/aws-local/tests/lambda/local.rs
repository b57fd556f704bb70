//! A Lambda service over a real engine in a temporary directory.

use std::{net::SocketAddr, time::Duration};

use aws_local::lambda::{FunctionConfig, Invoke, InvokeAnswer, InvokeError, Lambda, LambdaOptions};
use aws_sdk_lambda::config::{BehaviorVersion, Credentials, Region};
use engine::{Engine, Settings};
use serde_json::Value;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

use super::fixture;

pub(crate) struct Local {
    pub(crate) engine: Engine,
    pub(crate) lambda: Lambda,
    pub(crate) directory: TempDir,
}

impl Local {
    pub(crate) async fn open() -> Local {
        Local::open_with(|_| {}).await
    }

    pub(crate) async fn open_with(change: impl FnOnce(&mut LambdaOptions)) -> Local {
        let directory = tempfile::tempdir().unwrap();
        let engine = Engine::open(&directory.path().join("data"), Settings::default()).unwrap();
        let mut options = LambdaOptions {
            log_dir: Some(directory.path().join("logs")),
            ..LambdaOptions::default()
        };
        change(&mut options);
        let lambda = Lambda::open(&engine, options).await.unwrap();
        Local {
            engine,
            lambda,
            directory,
        }
    }

    /// Registers a function that is this program.
    pub(crate) fn function(&self, name: &str, change: impl FnOnce(&mut FunctionConfig)) {
        let mut config = FunctionConfig::new(name, fixture::function_command());
        config
            .environment
            .insert("TEST_FUNCTION".to_owned(), "run".to_owned());
        config.timeout = Duration::from_secs(30);
        change(&mut config);
        self.lambda.register(config).unwrap();
    }

    pub(crate) async fn invoke(
        &self,
        name: &str,
        payload: Value,
    ) -> Result<InvokeAnswer, InvokeError> {
        self.lambda
            .invoke(name, Invoke::new(payload.to_string()))
            .await
    }

    /// The function's answer, or its error's document.
    pub(crate) async fn call(&self, name: &str, payload: Value) -> Result<Value, Value> {
        let answer = self.invoke(name, payload).await.unwrap();
        let read = |bytes: &[u8]| serde_json::from_slice(bytes).unwrap();
        answer
            .result
            .map(|payload| read(&payload))
            .map_err(|error| read(&error.payload))
    }

    /// Serves the REST API.
    pub(crate) async fn serve(&self) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = self.lambda.router();
        tokio::spawn(async move { axum::serve(listener, router).await });
        address
    }

    /// AWS's own client of that API.
    pub(crate) async fn client(&self) -> aws_sdk_lambda::Client {
        let config = aws_sdk_lambda::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::new("test", "test", None, None, "test"))
            .retry_config(aws_sdk_lambda::config::retry::RetryConfig::disabled())
            .endpoint_url(format!("http://{}", self.serve().await));
        aws_sdk_lambda::Client::from_conf(config.build())
    }
}

/// Where functions that are told to `meet` say who they are.
pub(crate) struct Meeting {
    listener: TcpListener,
}

/// A function that has said so and waits.
pub(crate) struct Guest {
    pub(crate) name: String,
    connection: BufReader<TcpStream>,
}

impl Meeting {
    pub(crate) async fn new() -> Meeting {
        Meeting {
            listener: TcpListener::bind("127.0.0.1:0").await.unwrap(),
        }
    }

    pub(crate) fn port(&self) -> u16 {
        self.listener.local_addr().unwrap().port()
    }

    pub(crate) async fn guest(&self) -> Guest {
        let mut connection = BufReader::new(self.listener.accept().await.unwrap().0);
        let mut name = String::new();
        connection.read_line(&mut name).await.unwrap();
        Guest {
            name: name.trim().to_owned(),
            connection,
        }
    }

    /// Whether another one has come already.
    pub(crate) fn is_empty(&self) -> bool {
        use futures::FutureExt;
        self.listener.accept().now_or_never().is_none()
    }
}

impl Guest {
    /// Lets it go on, with this as its answer.
    pub(crate) async fn go(mut self, answer: &str) {
        self.connection.write_all(answer.as_bytes()).await.unwrap();
        self.connection.shutdown().await.unwrap();
    }

    /// Waits until its process has gone.
    pub(crate) async fn gone(mut self) {
        let mut rest = String::new();
        let _ = self.connection.read_line(&mut rest).await;
        assert_eq!(rest, "");
    }
}

/// Waits for something that nothing tells.
pub(crate) async fn eventually(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    for _ in 0..1000 {
        if is_so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("never: {what}");
}

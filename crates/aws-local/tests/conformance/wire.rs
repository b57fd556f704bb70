//! The server under test, and calls over HTTP with answers in the form of the recordings (boto3's).

use std::net::SocketAddr;
use std::sync::Arc;

use aws_local::mock::Mocks;
use aws_local::s3::{Properties, S3};
use aws_local::{Options, Server};
use bytes::Bytes;
use engine::{Ended, Engine, Settings};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio::sync::{Mutex, MutexGuard};
use tokio::task::JoinHandle;

use crate::case::{Case, S3Object};
use crate::run::mocked;

pub(crate) const ACCOUNT: &str = "000000000000";
pub(crate) const REGION: &str = "us-east-1";
pub(crate) const ROLE: &str = "arn:aws:iam::000000000000:role/test-sfn-role";

/// A real engine behind a real socket.
pub(crate) struct Wire {
    address: SocketAddr,
    client: Client<HttpConnector, Full<Bytes>>,
    engine: Engine,
    s3: S3,
    files: Mutex<()>,
    serving: JoinHandle<()>,
    _directory: TempDir,
}

/// What came back.
pub(crate) struct Reply {
    /// Members, with `ResponseMetadata`; of an error also `Error`.
    pub(crate) body: Value,
    /// What boto3 raises.
    pub(crate) failure: Option<Failure>,
}

pub(crate) struct Failure {
    pub(crate) code: String,
    /// The exception as a text.
    pub(crate) text: String,
}

impl Wire {
    pub(crate) async fn start(cases: &[Case]) -> Wire {
        let directory = tempfile::tempdir().unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let engine = Engine::open(directory.path(), Settings::default()).unwrap();
        let options = Options {
            data_dir: directory.path().to_owned(),
            public_url: format!("http://{address}"),
            endpoints: Default::default(),
        };
        let mocks = Mocks::read(&mocked::configuration(cases).to_string()).unwrap();
        let server = Server::open_mocked(&engine, options, Arc::new(mocks))
            .await
            .unwrap();
        engine.start(server.runner()).unwrap();
        let s3 = server.s3().clone();
        let router = server.router();
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let executor = hyper_util::rt::TokioExecutor::new();
        let client = Client::builder(executor).build_http();
        Wire {
            address,
            client,
            engine,
            s3,
            files: Mutex::default(),
            serving,
            _directory: directory,
        }
    }

    pub(crate) async fn stop(self) {
        self.serving.abort();
        self.engine.shutdown().await;
    }

    /// Calls an action, named as in `StartExecution`.
    pub(crate) async fn call(&self, action: &str, request: &Value) -> Reply {
        let request = http::Request::post(format!("http://{}/", self.address))
            .header("content-type", "application/x-amz-json-1.0")
            .header("x-amz-target", format!("AWSStepFunctions.{action}"))
            .body(Full::new(Bytes::from(request.to_string())))
            .unwrap();
        let response = self.client.request(request).await.unwrap();
        let status = response.status().as_u16();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        let mut body: Value = serde_json::from_slice(&bytes).unwrap_or_else(|_| json!({}));
        let mut failure = None;
        if status >= 300 {
            let members = body.as_object_mut().unwrap();
            let shape = members.shift_remove("__type").unwrap_or_default();
            let shape = shape.as_str().unwrap_or_default();
            let code = shape.rsplit('#').next().unwrap_or_default().to_owned();
            let message = members.get("message").or_else(|| members.get("Message"));
            let message = message.cloned().unwrap_or_default();
            let shown = message.as_str().unwrap_or_default();
            failure = Some(Failure {
                text: format!(
                    "An error occurred ({code}) when calling the {action} operation: {shown}"
                ),
                code: code.clone(),
            });
            members.insert("Error".into(), json!({ "Code": code, "Message": message }));
        }
        body["ResponseMetadata"] = json!({ "HTTPHeaders": {}, "HTTPStatusCode": status });
        Reply { body, failure }
    }

    /// Puts files into their buckets; nobody else does while the guard lives.
    pub(crate) async fn put(&self, files: &[S3Object]) -> MutexGuard<'_, ()> {
        let guard = self.files.lock().await;
        for file in files {
            self.s3.create_bucket(&file.bucket).await.unwrap();
            let content = Bytes::from(file.body.clone());
            let put = self
                .s3
                .put(&file.bucket, &file.key, content, Properties::default());
            put.await.unwrap();
        }
        guard
    }

    /// Tells of ended executions; to be asked for before one is started.
    pub(crate) fn ended(&self) -> Receiver<Ended> {
        self.engine.executions().ended()
    }

    /// Waits until an execution has ended; the answer of `DescribeExecution`.
    pub(crate) async fn end_of(&self, execution: &str, mut ended: Receiver<Ended>) -> Value {
        loop {
            let described = self
                .call("DescribeExecution", &json!({ "executionArn": execution }))
                .await;
            if described.failure.is_some() || described.body["status"] != "RUNNING" {
                return described.body;
            }
            loop {
                match ended.recv().await {
                    Ok(ended) if ended.arn != execution => {}
                    // Some were missed: look again.
                    Ok(_) | Err(RecvError::Lagged(_)) => break,
                    Err(RecvError::Closed) => panic!("the engine has ended"),
                }
            }
        }
    }

    /// All events of an execution.
    pub(crate) async fn history_of(&self, execution: &str) -> Vec<Value> {
        let mut events = Vec::new();
        let mut request = json!({ "executionArn": execution, "maxResults": 1000 });
        loop {
            let mut page = self.call("GetExecutionHistory", &request).await.body;
            if let Some(Value::Array(more)) = page.get_mut("events").map(Value::take) {
                events.extend(more);
            }
            match page.get("nextToken") {
                Some(token) => request["nextToken"] = token.clone(),
                None => return events,
            }
        }
    }
}

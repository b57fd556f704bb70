//! A running server and the clients that talk to it.

use std::net::SocketAddr;

use aws_credential_types::Credentials;
use aws_local::runner::aws_sdk::Endpoints;
use aws_local::{Options, Server};
use engine::{Engine, Settings};
use tempfile::TempDir;
use tokio::task::JoinHandle;

/// A server on a free loopback port. Ends with the test.
pub(crate) struct Wire {
    pub(crate) address: SocketAddr,
    pub(crate) engine: Engine,
    pub(crate) server: Server,
    pub(crate) directory: TempDir,
    serving: JoinHandle<()>,
}

impl Wire {
    pub(crate) async fn start() -> Wire {
        Self::start_with(Settings::default()).await
    }

    pub(crate) async fn start_with(settings: Settings) -> Wire {
        Self::start_in(tempfile::tempdir().unwrap(), settings, Endpoints::default()).await
    }

    /// With services elsewhere.
    pub(crate) async fn start_calling(endpoints: Endpoints) -> Wire {
        let directory = tempfile::tempdir().unwrap();
        Self::start_in(directory, Settings::default(), endpoints).await
    }

    async fn start_in(directory: TempDir, settings: Settings, endpoints: Endpoints) -> Wire {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let engine = Engine::open(directory.path(), settings).unwrap();
        let options = Options {
            data_dir: directory.path().to_owned(),
            public_url: format!("http://{address}"),
            endpoints,
        };
        let server = Server::open(&engine, options).await.unwrap();
        let router = server.router();
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Wire {
            address,
            engine,
            server,
            directory,
            serving,
        }
    }

    /// Stops and starts again on the same data.
    pub(crate) async fn restart(self) -> Wire {
        self.serving.abort();
        self.server.shutdown().await;
        self.engine.shutdown().await;
        drop((self.server, self.engine));
        Self::start_in(self.directory, Settings::default(), Endpoints::default()).await
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    async fn config(&self) -> aws_config::SdkConfig {
        aws_config::defaults(aws_config::BehaviorVersion::latest())
            .endpoint_url(self.url())
            // Another region than the server's: it must not matter.
            .region("eu-west-3")
            .credentials_provider(Credentials::new("test", "test", None, None, "test"))
            .load()
            .await
    }

    pub(crate) async fn sqs(&self) -> aws_sdk_sqs::Client {
        aws_sdk_sqs::Client::new(&self.config().await)
    }

    pub(crate) async fn sns(&self) -> aws_sdk_sns::Client {
        aws_sdk_sns::Client::new(&self.config().await)
    }

    pub(crate) async fn ses(&self) -> aws_sdk_sesv2::Client {
        aws_sdk_sesv2::Client::new(&self.config().await)
    }

    /// A queue's URL.
    pub(crate) async fn queue(&self, name: &str) -> String {
        let made = self
            .sqs()
            .await
            .create_queue()
            .queue_name(name)
            .send()
            .await
            .unwrap();
        made.queue_url.unwrap()
    }

    /// One HTTP request, as it is on the wire.
    pub(crate) async fn raw(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let client =
            hyper_util::client::legacy::Client::builder(hyper_util::rt::TokioExecutor::new())
                .build_http();
        let mut request = http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url()));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request
            .body(http_body_util::Full::new(bytes::Bytes::copy_from_slice(
                body.as_bytes(),
            )))
            .unwrap();
        let response = client.request(request).await.unwrap();
        let (head, body) = response.into_parts();
        let body = http_body_util::BodyExt::collect(body)
            .await
            .unwrap()
            .to_bytes();
        Answer {
            status: head.status.as_u16(),
            headers: head.headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
        }
    }

    /// `GET` of one of our own paths.
    pub(crate) async fn local(&self, path: &str) -> serde_json::Value {
        let answer = self.raw("GET", path, &[], "").await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        serde_json::from_str(&answer.body).unwrap()
    }
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}

/// The code under which an SDK reports an error.
pub(crate) fn code(error: &impl aws_sdk_sqs::error::ProvideErrorMetadata) -> &str {
    error.code().unwrap_or("no code")
}

//! For tests: an endpoint that answers as a function says, and notes what it was asked for.

use std::sync::{Arc, Mutex};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use operate::Connection;
use serde_json::Value;

/// What was called, in order.
pub(crate) type Calls = Arc<Mutex<Vec<String>>>;

/// Serves until the test ends. `answer` gets the operation (`ListExecutions`) and its input.
pub(crate) async fn stand_in<F>(answer: F) -> (Connection, Calls)
where
    F: Fn(&str, &Value) -> (u16, Value) + Clone + Send + Sync + 'static,
{
    let calls = Calls::default();
    let noted = calls.clone();
    let handler = async move |headers: HeaderMap, body: Bytes| {
        let target = headers["x-amz-target"].to_str().unwrap();
        let operation = target.rsplit('.').next().unwrap();
        noted.lock().unwrap().push(operation.to_owned());
        let (status, answer) = answer(operation, &serde_json::from_slice(&body).unwrap());
        let body = if answer.is_null() {
            String::new()
        } else {
            answer.to_string()
        };
        (StatusCode::from_u16(status).unwrap(), body)
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let app = Router::new().route("/", post(handler));
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    let credentials = Credentials::new("test", "test", None, None, "test");
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(url)
        .region(Region::new("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .build();
    (Connection::new(config, None), calls)
}

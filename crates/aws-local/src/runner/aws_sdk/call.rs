//! A request before it is known where it goes, and how it gets there: to a service here without a network, or to its endpoint.

use std::time::{Duration, SystemTime};

use axum::Router;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Uri, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use tower::ServiceExt as _;

use super::endpoints::Endpoints;
use super::services::Service;
use super::sign::Signer;

/// The largest answer that is read: a payload with room for what it is wrapped in.
const MOST_BYTES: usize = 8 * 1024 * 1024;

/// How long an endpoint has to take a connection: what the SDK for Java, in whose words failures are told, gives it.
const TO_CONNECT: Duration = Duration::from_secs(2);

/// How long an endpoint has to answer: a call holds one of the engine's places for tasks, so it must not take for ever. For
/// Lambda, whose functions run for up to a quarter of an hour, a little more than that; for others a little more than the
/// minute for which `sfn:GetActivityTask` waits.
fn time_to_answer(service: &Service) -> Duration {
    match service.name {
        "lambda" => Duration::from_secs(905),
        _ => Duration::from_secs(65),
    }
}

/// A request without an address.
#[derive(Debug, Default)]
pub(super) struct Call {
    pub(super) method: Method,
    /// Path and query, encoded.
    pub(super) path: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// What came back.
pub(super) type Answer = http::Response<Bytes>;

/// Brings calls to services.
pub(super) struct Carrier {
    here: Router,
    /// Where this endpoint's clients reach it: services here build links from it.
    public: Uri,
    endpoints: Endpoints,
    region: String,
    client: Client<HttpConnector, Full<Bytes>>,
    time_to_answer: fn(&Service) -> Duration,
}

impl Carrier {
    /// `here` answers what no endpoint is set for.
    pub(super) fn new(here: Router, public: Uri, endpoints: Endpoints, region: String) -> Carrier {
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(TO_CONNECT));
        Carrier {
            here,
            public,
            endpoints,
            region,
            client: Client::builder(TokioExecutor::new()).build(connector),
            time_to_answer,
        }
    }

    /// Whether an action of a service can be called: an endpoint goes before what is here.
    pub(super) fn reaches(&self, service: &Service, action: &str) -> bool {
        self.endpoints.get(service.name).is_some() || service.here.contains(&action)
    }

    /// Makes a call. The error says why nothing came back.
    pub(super) async fn carry(&self, service: &Service, call: Call) -> Result<Answer, String> {
        let endpoint = self.endpoints.get(service.name);
        let address = endpoint.unwrap_or(&self.public);
        let unreachable =
            |reason: &dyn std::fmt::Display| format!("{address} could not be called: {reason}");
        let base = address.path().trim_end_matches('/');
        let authority = address.authority().map_or("localhost", |it| it.as_str());
        let host = HeaderValue::from_str(authority).map_err(|error| unreachable(&error))?;
        let uri = format!("http://{authority}{base}{}", call.path);
        let mut request = http::Request::new(call.body);
        *request.method_mut() = call.method;
        *request.uri_mut() = uri.parse().map_err(|error| unreachable(&error))?;
        *request.headers_mut() = call.headers;
        request.headers_mut().insert(header::HOST, host);
        let signer = Signer {
            credentials: self.endpoints.credentials(),
            region: &self.region,
            service: service.signed_as,
            now: SystemTime::now(),
        };
        signer
            .sign(&mut request)
            .map_err(|error| unreachable(&error))?;

        if endpoint.is_none() {
            let request = request.map(axum::body::Body::from);
            let Ok(response) = self.here.clone().oneshot(request).await;
            return whole(response).await.map_err(|error| unreachable(&error));
        }
        let time = (self.time_to_answer)(service);
        let answer = async {
            let response = self.client.request(request.map(Full::new)).await;
            let response = response.map_err(|error| unreachable(&error))?;
            whole(response).await.map_err(|error| unreachable(&error))
        };
        let answer = tokio::time::timeout(time, answer).await;
        answer.unwrap_or_else(|_| {
            Err(unreachable(&format_args!(
                "it has not answered within {time:?}"
            )))
        })
    }
}

/// An answer with all of its body.
async fn whole<B>(response: http::Response<B>) -> Result<Answer, axum::BoxError>
where
    B: hyper::body::Body<Data = Bytes>,
    B::Error: Into<axum::BoxError>,
{
    let (head, body) = response.into_parts();
    let body = Limited::new(body, MOST_BYTES).collect().await?;
    Ok(http::Response::from_parts(head, body.to_bytes()))
}

#[cfg(test)]
mod tests {
    use super::super::services;
    use super::*;

    #[tokio::test]
    async fn an_endpoint_that_never_answers_is_given_up() {
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", silent.local_addr().unwrap());
        let endpoints = Endpoints::read(|name| name.starts_with("AWS_END").then(|| url.clone()));
        let public = Uri::from_static("http://localhost");
        let region = "us-east-1".to_owned();
        let mut carrier = Carrier::new(Router::new(), public, endpoints.unwrap(), region);
        carrier.time_to_answer = |_| Duration::from_millis(1);
        let call = Call {
            path: "/".to_owned(),
            ..Call::default()
        };
        let service = services::find("dynamodb").unwrap();
        let error = carrier.carry(service, call).await.unwrap_err();
        let expected = format!("{url}/ could not be called: it has not answered within 1ms");
        assert_eq!(error, expected);
    }

    #[test]
    fn no_call_that_a_service_answers_late_is_cut_off() {
        let seconds = |name| time_to_answer(services::find(name).unwrap()).as_secs();
        assert!(seconds("sfn") > 60, "GetActivityTask waits for a minute");
        assert!(seconds("lambda") > 900, "a function runs for 15 minutes");
    }
}

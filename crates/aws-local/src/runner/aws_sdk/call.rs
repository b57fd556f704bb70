//! A request before it is known where it goes, and how it gets there: to a service here without a network, or to its endpoint.

use std::time::SystemTime;

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
}

impl Carrier {
    /// `here` answers what no endpoint is set for.
    pub(super) fn new(here: Router, public: Uri, endpoints: Endpoints, region: String) -> Carrier {
        Carrier {
            here,
            public,
            endpoints,
            region,
            client: Client::builder(TokioExecutor::new()).build_http(),
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

        let (head, body) = match endpoint {
            Some(_) => {
                let response = self.client.request(request.map(Full::new)).await;
                let (head, body) = response.map_err(|error| unreachable(&error))?.into_parts();
                (head, axum::body::Body::new(body))
            }
            None => {
                let request = request.map(axum::body::Body::from);
                let Ok(response) = self.here.clone().oneshot(request).await;
                response.into_parts()
            }
        };
        let body = Limited::new(body, MOST_BYTES).collect().await;
        let body = body.map_err(|error| unreachable(&error))?.to_bytes();
        Ok(http::Response::from_parts(head, body))
    }
}

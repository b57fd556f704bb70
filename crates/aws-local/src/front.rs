//! The front door: one port for all services, told apart as AWS's own clients write their requests.
//!
//! `X-Amz-Target` names an awsJson service, a form with `Action` is SNS, what is signed for S3 is S3's, anything else went to a path of a REST service before
//! it came here. Signatures are not checked and their region is ignored; the service in them only makes refusals clearer.

use std::sync::Arc;

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode, header},
    middleware::{self, Next},
    response::Response,
};
use bytes::Bytes;

use crate::{
    protocol::{
        BodyError, base_url,
        json::{self, JsonError, JsonRequest, JsonService},
        new_request_id,
        query::{Form, QueryError},
        read_body,
    },
    s3::{S3, is_for_s3},
    sns::{NAMESPACE, Sns},
};

/// The largest request of an awsJson or Query service: 1 MiB of message, each character escaped.
const BODY_LIMIT: usize = 8 * 1024 * 1024;

/// The services behind the door.
pub(crate) struct Front {
    /// By the prefix of their target.
    pub(crate) json: Vec<(&'static str, Arc<dyn JsonService>)>,
    pub(crate) sns: Sns,
}

/// Everything that listens on the port: the paths of REST services first, then the door.
pub(crate) fn router(front: Front, rest: Router, s3: S3) -> Router {
    let front = Arc::new(front);
    rest.fallback(async move |request: Request| dispatch(front, request).await)
        .layer(middleware::from_fn_with_state(s3, s3_first))
        .layer(middleware::from_fn(refuse_browsers))
}

/// Answers every request that no REST path took.
async fn dispatch(front: Arc<Front>, request: Request) -> Response {
    let request_id = new_request_id();
    let (head, body) = request.into_parts();
    let base_url = base_url(&head.headers);

    if let Some(target) = text(&head.headers, "x-amz-target") {
        let target = target.to_owned();
        let Some((service, action)) = front.find(&target) else {
            return JsonError::unknown_operation(&target).into_response(&request_id);
        };
        return match read_body(body, BODY_LIMIT).await {
            Ok(body) => {
                let request = JsonRequest {
                    body,
                    base_url,
                    request_id,
                };
                json::serve(service.as_ref(), action, request).await
            }
            Err(error) => json_body_error(error).into_response(&request_id),
        };
    }

    let form = if head.method == Method::GET {
        // The links in notifications are plain GETs; nothing else is.
        let query = head.uri.query().unwrap_or_default();
        let is_link = Form::parse(query.as_bytes()).get("Action") == Some("Unsubscribe");
        Ok(Bytes::from(if is_link {
            query.to_owned()
        } else {
            String::new()
        }))
    } else if text(&head.headers, header::CONTENT_TYPE.as_str())
        .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"))
    {
        read_body(body, BODY_LIMIT).await
    } else {
        Ok(Bytes::new())
    };
    let form = match form {
        Ok(body) => Form::parse(&body),
        Err(error) => return query_body_error(error).into_response(NAMESPACE, &request_id),
    };
    match (form.get("Action"), signed_service(&head.headers)) {
        (Some(_), Some("sns") | None) => front.sns.serve(form, &base_url, &request_id).await,
        (None, Some("sns")) => front.sns.serve(form, &base_url, &request_id).await,
        (Some(action), Some(_)) => {
            QueryError::invalid_action(action).into_response(NAMESPACE, &request_id)
        }
        (None, _) => {
            let mut error =
                JsonError::unknown_operation(&format!("{} {}", head.method, head.uri.path()));
            error.status = StatusCode::NOT_FOUND;
            error.into_response(&request_id)
        }
    }
}

/// Refuses what a page in a browser sends. Signatures are not checked here, so without this any page that its user visits could
/// act on this machine's services; clients of AWS send no `Origin`.
async fn refuse_browsers(request: Request, next: Next) -> Response {
    if request.headers().contains_key(header::ORIGIN) {
        tracing::warn!(
            path = request.uri().path(),
            "a request from a web page was refused"
        );
        return JsonError {
            status: StatusCode::FORBIDDEN,
            ..JsonError::client(
                "com.amazon.coral.service#AccessDeniedException",
                "Requests from web pages are refused by this endpoint.",
            )
        }
        .into_response(&new_request_id());
    }
    next.run(request).await
}

/// S3 owns every path, so its requests are told by their signature or host before any path is looked at.
async fn s3_first(State(s3): State<S3>, request: Request, next: Next) -> Response {
    if is_for_s3(request.headers(), request.uri()) {
        s3.serve(request).await
    } else {
        next.run(request).await
    }
}

impl Front {
    fn find<'a>(&self, target: &'a str) -> Option<(&Arc<dyn JsonService>, &'a str)> {
        let (prefix, action) = target.split_once('.')?;
        let (_, service) = self.json.iter().find(|(name, _)| *name == prefix)?;
        Some((service, action))
    }
}

fn json_body_error(error: BodyError) -> JsonError {
    match error {
        BodyError::TooLarge => JsonError::too_large(BODY_LIMIT),
        BodyError::Broken => JsonError::serialization("the request body ended too early"),
    }
}

fn query_body_error(error: BodyError) -> QueryError {
    match error {
        BodyError::TooLarge => QueryError::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "RequestEntityTooLarge",
            format!("The request body must not be larger than {BODY_LIMIT} bytes."),
        ),
        BodyError::Broken => QueryError::new(
            StatusCode::BAD_REQUEST,
            "MalformedInput",
            "The request body ended too early.",
        ),
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// The service of the credential scope: `Credential=KEY/20260102/us-east-1/sns/aws4_request`.
fn signed_service(headers: &HeaderMap) -> Option<&str> {
    let authorization = text(headers, header::AUTHORIZATION.as_str())?;
    let (_, scope) = authorization.split_once("Credential=")?;
    scope.split([',', ' ']).next()?.split('/').nth(3)
}

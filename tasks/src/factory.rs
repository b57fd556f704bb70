//! The legacy factory's API, in its own spelling.
//!
//! `POST {base}/api/manufactures` asks for donuts; some time later the factory posts the same six fields
//! to `CallbackUrl`. The types here are the contract in both directions; counts come as text or number.

use reqwest::{StatusCode, Url};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{answer, error::with_sources, quantity::Quantity};

/// The group the factory expects with each request.
pub const MESSAGE_GROUP_ID: &str = "stock-arrival-group";

/// What the factory is asked for.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Manufacture {
    /// Always [`MESSAGE_GROUP_ID`].
    pub message_group_id: String,
    /// The product's SKU.
    pub message_attribute_product_id: String,
    /// How many, as text.
    pub message_attribute_product_cnt: String,
    /// The factory's identifier for the product.
    pub message_attribute_factory_id: String,
    /// Who asks: the product's manager.
    pub message_attribute_requester: String,
    /// Where to deliver.
    pub callback_url: String,
}

/// What the factory posts when it delivers: the six fields of the request. Only the count matters to us,
/// and the SKU, which must be the attempt's; the rest may be missing.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Delivery {
    /// `stock-arrival-group`
    pub message_group_id: Option<String>,
    /// The product's SKU.
    pub message_attribute_product_id: String,
    /// How many were delivered.
    pub message_attribute_product_cnt: Quantity,
    /// The factory's identifier for the product.
    pub message_attribute_factory_id: Option<String>,
    /// Who asked.
    pub message_attribute_requester: Option<String>,
    /// The URL this delivery was posted to.
    pub callback_url: Option<String>,
}

/// Why the factory did not take a request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FactoryError {
    /// No connection, no answer in time, or a 5xx: try again later.
    #[error("the factory is not available: {0}")]
    Unavailable(String),
    /// A 4xx or a redirect: the request itself is refused.
    #[error("the factory refused the request with {0}")]
    Rejected(u16),
    /// A 2xx that is not the documented answer. Whether it will deliver is unknown.
    #[error("the factory's answer makes no sense: {0}")]
    BadAnswer(String),
}

/// `{"data":{"data":{…echo},"id":"uuid","reqestor":"…"}}`, their spelling.
#[derive(Deserialize)]
struct Answer {
    data: AnswerData,
}

#[derive(Deserialize)]
struct AnswerData {
    id: String,
}

/// Asks the factory once. Returns the factory's own order id.
pub async fn manufacture(
    http: &reqwest::Client,
    base: &Url,
    request: &Manufacture,
) -> Result<String, FactoryError> {
    let url = format!("{}/api/manufactures", base.as_str().trim_end_matches('/'));
    let sent = http.post(url).json(request).send().await;
    let response = sent.map_err(|error| FactoryError::Unavailable(explain(error)))?;
    let status = response.status();
    if status.is_server_error()
        || matches!(
            status,
            StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT
        )
    {
        return Err(FactoryError::Unavailable(format!("it answered {status}")));
    }
    if !status.is_success() {
        return Err(FactoryError::Rejected(status.as_u16()));
    }
    let body = match answer::body(response).await {
        Ok(body) => body,
        Err(answer::Unreadable::Lost(error)) => {
            return Err(FactoryError::Unavailable(explain(error)));
        }
        Err(error) => return Err(FactoryError::BadAnswer(error.to_string())),
    };
    let answer: Answer = answer::parse(&body).map_err(FactoryError::BadAnswer)?;
    Ok(answer.data.id)
}

/// Without the URL.
fn explain(error: reqwest::Error) -> String {
    with_sources(&error.without_url())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::{Router, http::StatusCode, routing::post};

    use super::*;
    use crate::testing::serve;

    async fn ask(router: Router) -> Result<String, FactoryError> {
        let base = Url::parse(&serve(router).await).unwrap();
        let http = reqwest::Client::builder()
            .timeout(Duration::from_millis(500))
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        let request = Manufacture {
            message_group_id: MESSAGE_GROUP_ID.into(),
            message_attribute_product_id: "CP-502101".into(),
            message_attribute_product_cnt: "3".into(),
            message_attribute_factory_id: "FF-500293".into(),
            message_attribute_requester: "name".into(),
            callback_url: "http://callback".into(),
        };
        manufacture(&http, &base, &request).await
    }

    fn answering(status: StatusCode, body: impl Into<String>) -> Router {
        let body = body.into();
        let answer = move || async move { (status, body) };
        Router::new().route("/api/manufactures", post(answer))
    }

    #[tokio::test]
    async fn the_documented_answer_is_understood() {
        let router = Router::new().route(
            "/api/manufactures",
            post(|body: axum::Json<serde_json::Value>| async move {
                let keys: Vec<_> = body.as_object().unwrap().keys().cloned().collect();
                assert_eq!(
                    keys,
                    [
                        "MessageGroupId",
                        "MessageAttributeProductId",
                        "MessageAttributeProductCnt",
                        "MessageAttributeFactoryId",
                        "MessageAttributeRequester",
                        "CallbackUrl"
                    ]
                );
                axum::Json(serde_json::json!({"data":{"data":body.0,"id":"f-1","reqestor":"name"}}))
            }),
        );
        assert_eq!(ask(router).await, Ok("f-1".into()));
    }

    #[tokio::test]
    async fn each_bad_answer_has_its_own_name() {
        for status in [500, 502, 503, 429, 408] {
            let status = StatusCode::from_u16(status).unwrap();
            let answer = ask(answering(status, "")).await;
            assert!(
                matches!(answer, Err(FactoryError::Unavailable(_))),
                "{answer:?}"
            );
        }
        for code in [302, 400, 404, 422] {
            let status = StatusCode::from_u16(code).unwrap();
            assert_eq!(
                ask(answering(status, "")).await,
                Err(FactoryError::Rejected(code))
            );
        }
        for body in ["", "hello", "{}", r#"{"data":{}}"#, r#"{"data":{"id":7}}"#] {
            let answer = ask(answering(StatusCode::OK, body)).await;
            assert!(
                matches!(answer, Err(FactoryError::BadAnswer(_))),
                "{answer:?}"
            );
        }
        let long = ask(answering(StatusCode::OK, "x".repeat(answer::LONGEST + 1))).await;
        assert!(matches!(long, Err(FactoryError::BadAnswer(_))), "{long:?}");
    }

    #[tokio::test]
    async fn silence_and_a_closed_port_are_unavailable() {
        let silent = Router::new().route(
            "/api/manufactures",
            post(|| async { std::future::pending::<()>().await }),
        );
        let answer = ask(silent).await;
        assert!(
            matches!(answer, Err(FactoryError::Unavailable(_))),
            "{answer:?}"
        );

        let closed = Url::parse("http://127.0.0.1:9").unwrap();
        let http = reqwest::Client::new();
        let request = Manufacture {
            message_group_id: String::new(),
            message_attribute_product_id: String::new(),
            message_attribute_product_cnt: String::new(),
            message_attribute_factory_id: String::new(),
            message_attribute_requester: String::new(),
            callback_url: "http://secret/?sig=1".into(),
        };
        let error = manufacture(&http, &closed, &request).await.unwrap_err();
        assert!(matches!(error, FactoryError::Unavailable(_)), "{error:?}");
        assert!(!error.to_string().contains("sig="), "{error}");
    }
}

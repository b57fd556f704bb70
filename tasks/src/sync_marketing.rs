//! SyncMarketing: hands a new VIP to the outside marketing system.
//!
//! One call per run: the workflow decides when to try again, where people see it. Every run for a customer
//! carries the same idempotency key and the same facts, whichever order's execution it belongs to, so the
//! marketing system takes each VIP once.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    app::App,
    declare_errors,
    error::{Common, with_sources},
    marketing::{self, MarketingError, NewCustomer},
};

/// What UpgradeTier answered about a VIP; its other fields are not needed.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Input {
    /// The order of this execution.
    pub order_id: String,
    /// The VIP.
    pub customer_id: String,
    /// Its name.
    pub name: String,
    /// Since when, in milliseconds since 1970.
    pub vip_since: Option<i64>,
    /// The order that made it one.
    pub vip_order_id: Option<String>,
}

/// What the marketing system has now.
#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Output {
    /// As in the input.
    pub order_id: String,
    /// As in the input.
    pub customer_id: String,
    /// The marketing system's own id of the customer.
    pub marketing_id: String,
}

/// How it fails.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No connection, no answer in time, or a 5xx. Worth a retry.
    #[error("{0}")]
    Unavailable(MarketingError),
    /// It asks to be left alone for a while; the text ends with `retry after N s`, which the workflow reads.
    #[error("{0}")]
    Throttled(MarketingError),
    /// It refuses this customer; another try would be refused as well.
    #[error("{0}")]
    Rejected(MarketingError),
    /// The answer makes no sense.
    #[error("{0}")]
    BadAnswer(MarketingError),
    /// As in every task.
    #[error(transparent)]
    Common(#[from] Common),
}

declare_errors!(Error {
    Unavailable => "Marketing.Unavailable",
    Throttled => "Marketing.Throttled",
    Rejected => "Marketing.Rejected",
    BadAnswer => "Marketing.BadAnswer",
});

impl From<MarketingError> for Error {
    fn from(error: MarketingError) -> Self {
        match error {
            MarketingError::Unavailable(_) => Self::Unavailable(error),
            MarketingError::Throttled { .. } => Self::Throttled(error),
            MarketingError::Rejected(_) => Self::Rejected(error),
            MarketingError::BadAnswer(_) => Self::BadAnswer(error),
        }
    }
}

/// Hands the customer over.
pub async fn handle(app: &App, input: Input) -> Result<Output, Error> {
    let since = input.vip_since.and_then(|ms| {
        let since = jiff::Timestamp::from_millisecond(ms).ok()?;
        Some(format!("{since:.3}"))
    });
    let customer = NewCustomer {
        customer_id: input.customer_id.clone(),
        name: input.name,
        kind: "vip",
        since,
        order_id: input.vip_order_id,
    };
    let http = app
        .http()
        .await
        .map_err(|error| Error::Unavailable(MarketingError::Unavailable(with_sources(&error))))?;
    let key = key(&input.customer_id);
    let put = marketing::put(http, app.config.marketing_url()?, &key, &customer).await;
    tracing::info!(
        order_id = input.order_id,
        customer_id = input.customer_id,
        answer = ?put,
        "marketing was told"
    );
    Ok(Output {
        order_id: input.order_id,
        customer_id: input.customer_id,
        marketing_id: put?,
    })
}

/// One key per VIP. A digest, because an id may have characters that no header takes.
fn key(customer_id: &str) -> String {
    let digest = Sha256::digest(customer_id);
    let hex = digest.iter().take(16).map(|byte| format!("{byte:02x}"));
    format!("vip-{}", hex.collect::<String>())
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use axum::{
        Router,
        http::{HeaderMap, StatusCode},
        routing::post,
    };
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        error::Failure,
        testing::{Shop, serve},
    };

    /// What the marketing system was sent: key and body.
    type Received = Arc<Mutex<Vec<(String, Value)>>>;

    /// A marketing system that answers so.
    async fn system(
        status: u16,
        headers: &'static [(&'static str, &'static str)],
        body: &'static str,
    ) -> (String, Received) {
        let received = Received::default();
        let log = received.clone();
        let take = move |sent: HeaderMap, text: String| async move {
            let key = sent["idempotency-key"].to_str().unwrap().to_owned();
            log.lock()
                .unwrap()
                .push((key, serde_json::from_str(&text).unwrap()));
            let mut answer = HeaderMap::new();
            for (name, value) in headers {
                answer.insert(*name, value.parse().unwrap());
            }
            (StatusCode::from_u16(status).unwrap(), answer, body)
        };
        let router = Router::new().route("/api/customers", post(take));
        (serve(router).await, received)
    }

    async fn run(url: &str, customer_id: &str) -> Result<Output, Failure> {
        let shop = Shop::with_marketing(url).await;
        let input = Input {
            order_id: "OR-2".to_owned(),
            customer_id: customer_id.to_owned(),
            name: "Kim Do-nut".to_owned(),
            vip_since: Some(1_700_000_000_123),
            vip_order_id: Some("OR-1".to_owned()),
        };
        Ok(handle(&shop.app, input).await?)
    }

    #[tokio::test]
    async fn a_customer_is_handed_over_with_its_own_key() {
        let (url, received) = system(201, &[], r#"{"id": "MK-7", "more": 1}"#).await;
        for customer in ["CU-1", "CU-1", "고객"] {
            let output = run(&url, customer).await.unwrap();
            assert_eq!((&*output.marketing_id, &*output.order_id), ("MK-7", "OR-2"));
        }
        let received = received.lock().unwrap();
        assert_eq!(
            received[0].1,
            json!({
                "customer_id": "CU-1", "name": "Kim Do-nut", "type": "vip",
                "since": "2023-11-14T22:13:20.123Z", "order_id": "OR-1"
            })
        );
        assert_eq!(received[0], received[1], "the same key and the same facts");
        assert_ne!(received[0].0, received[2].0);
        assert!(received[2].0.is_ascii());
    }

    #[tokio::test]
    async fn each_bad_answer_has_its_name() {
        let past = &[("retry-after", "Tue, 14 Nov 2023 22:13:20 GMT")];
        let busy = "the marketing system is busy; retry after";
        for (status, headers, body, name, says) in [
            (500, &[][..], "", "Marketing.Unavailable", "500"),
            (503, &[], "", "Marketing.Unavailable", "503"),
            (408, &[], "", "Marketing.Unavailable", "408"),
            (
                503,
                &[("retry-after", "7")],
                "",
                "Marketing.Throttled",
                "retry after 7 s",
            ),
            (
                429,
                &[("retry-after", "120")],
                "",
                "Marketing.Throttled",
                "retry after 120 s",
            ),
            (
                429,
                &[("retry-after", "999999")],
                "",
                "Marketing.Throttled",
                "retry after 86400 s",
            ),
            (429, past, "", "Marketing.Throttled", "retry after 1 s"),
            (
                429,
                &[("retry-after", "soon")],
                "",
                "Marketing.Throttled",
                "retry after 30 s",
            ),
            (429, &[], "", "Marketing.Throttled", busy),
            (400, &[], "", "Marketing.Rejected", "400"),
            (
                409,
                &[("retry-after", "7")],
                "",
                "Marketing.Rejected",
                "409",
            ),
            (
                302,
                &[("location", "/elsewhere")],
                "",
                "Marketing.Rejected",
                "302",
            ),
            (200, &[], "", "Marketing.BadAnswer", "no sense"),
            (200, &[], "<html>", "Marketing.BadAnswer", "no sense"),
            (200, &[], "{}", "Marketing.BadAnswer", "no sense"),
        ] {
            let (url, received) = system(status, headers, body).await;
            let failure = run(&url, "CU-1").await.unwrap_err();
            assert_eq!(failure.name, name, "{failure:?}");
            assert!(failure.message.contains(says), "{failure:?}");
            assert_eq!(received.lock().unwrap().len(), 1, "one call per run");
        }
    }

    #[tokio::test]
    async fn a_date_to_come_again_is_understood() {
        let in_a_minute = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(60);
        let date = in_a_minute
            .strftime("%a, %d %b %Y %H:%M:%S GMT")
            .to_string();
        let header: &'static [(&str, &str)] = Box::leak(Box::new([(
            "retry-after",
            &*Box::leak(date.into_boxed_str()),
        )]));
        let (url, _) = system(429, header, "").await;
        let message = run(&url, "CU-1").await.unwrap_err().message;
        let seconds = message
            .split(' ')
            .rev()
            .nth(1)
            .unwrap()
            .parse::<u64>()
            .unwrap();
        assert!((1..=60).contains(&seconds), "{message}");
    }

    #[tokio::test]
    async fn a_closed_port_is_unavailable_and_its_url_not_told() {
        let failure = run("http://127.0.0.1:9/secret", "CU-1").await.unwrap_err();
        assert_eq!(failure.name, "Marketing.Unavailable");
        assert!(!failure.message.contains("secret"), "{failure:?}");
    }
}

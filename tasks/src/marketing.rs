//! The outside marketing system's API.
//!
//! `POST {base}/api/customers` with an `Idempotency-Key`: a repeated key is the same customer, whatever
//! became of the first answer. A 2xx answer is `{"id": …}`.

use reqwest::{Response, StatusCode, Url, header::RETRY_AFTER};
use serde::{Deserialize, Serialize};

use crate::{answer, error::with_sources};

/// The pause after a 429 that does not say how long.
const USUAL_PAUSE: u64 = 30;

/// The longest pause we take their word for: a day.
const LONGEST_PAUSE: u64 = 86_400;

/// A customer as the marketing system takes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewCustomer {
    /// Its id in our database.
    pub customer_id: String,
    /// Its name.
    pub name: String,
    /// Always `vip`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Since when, RFC 3339 in UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// The order that made it a VIP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order_id: Option<String>,
}

/// Why the marketing system did not take a customer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MarketingError {
    /// No connection, no answer in time, or a 5xx: try again later.
    #[error("the marketing system is not available: {0}")]
    Unavailable(String),
    /// A 429, or a 503 that says when to come again.
    #[error("the marketing system is busy; retry after {seconds} s")]
    Throttled {
        /// How long to leave it alone.
        seconds: u64,
    },
    /// Another 4xx or a redirect: the request itself is refused.
    #[error("the marketing system refused the customer with {0}")]
    Rejected(u16),
    /// A 2xx that is not the documented answer.
    #[error("the marketing system's answer makes no sense: {0}")]
    BadAnswer(String),
}

#[derive(Deserialize)]
struct Answer {
    id: String,
}

/// Hands over a customer, once. Returns the marketing system's own id of it.
pub async fn put(
    http: &reqwest::Client,
    base: &Url,
    key: &str,
    customer: &NewCustomer,
) -> Result<String, MarketingError> {
    let url = format!("{}/api/customers", base.as_str().trim_end_matches('/'));
    let request = http.post(url).header("Idempotency-Key", key).json(customer);
    let response = request.send().await.map_err(lost)?;
    check(&response)?;
    let body = match answer::body(response).await {
        Ok(body) => body,
        Err(answer::Unreadable::Lost(error)) => return Err(lost(error)),
        Err(error) => return Err(MarketingError::BadAnswer(error.to_string())),
    };
    let answer: Answer = answer::parse(&body).map_err(MarketingError::BadAnswer)?;
    Ok(answer.id)
}

fn check(response: &Response) -> Result<(), MarketingError> {
    let status = response.status();
    let pause = retry_after(response, jiff::Timestamp::now());
    match (status, pause) {
        (StatusCode::TOO_MANY_REQUESTS, pause) => Err(MarketingError::Throttled {
            seconds: pause.unwrap_or(USUAL_PAUSE),
        }),
        (StatusCode::SERVICE_UNAVAILABLE, Some(seconds)) => {
            Err(MarketingError::Throttled { seconds })
        }
        (StatusCode::REQUEST_TIMEOUT, _) => Err(unavailable(status)),
        _ if status.is_server_error() => Err(unavailable(status)),
        _ if !status.is_success() => Err(MarketingError::Rejected(status.as_u16())),
        _ => Ok(()),
    }
}

/// How many seconds the answer asks to wait: a number, or a date (RFC 9110, 10.2.3).
fn retry_after(response: &Response, now: jiff::Timestamp) -> Option<u64> {
    let text = response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim();
    let seconds = match text.parse::<u64>() {
        Ok(seconds) => seconds,
        Err(_) => {
            let date = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
            u64::try_from(date.as_second() - now.as_second()).unwrap_or(0)
        }
    };
    Some(seconds.clamp(1, LONGEST_PAUSE))
}

fn unavailable(status: StatusCode) -> MarketingError {
    MarketingError::Unavailable(format!("it answered {status}"))
}

/// Without the URL.
fn lost(error: reqwest::Error) -> MarketingError {
    MarketingError::Unavailable(with_sources(&error.without_url()))
}

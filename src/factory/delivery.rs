//! Delivers an order to its callback URL: waits until it is due, then tries until somebody takes it.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::StatusCode;

use super::Fault;
use super::orders::{Order, Orders};

/// Pause before the second try; each next one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// Longest pause between two tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// After so long a time nobody is going to take it any more.
const GIVE_UP_AFTER: Duration = Duration::from_secs(24 * 3600);

pub(crate) fn now_ms() -> i64 {
    Timestamp::now().as_millisecond()
}

/// Delivers `order`, once for each delivery it asks for, and removes it.
pub(crate) async fn deliver(client: reqwest::Client, orders: Orders, mut order: Order) {
    let wait = u64::try_from(order.due - now_ms()).unwrap_or(0);
    tokio::time::sleep(Duration::from_millis(wait)).await;
    let give_up = tokio::time::Instant::now() + GIVE_UP_AFTER;
    let mut pause = FIRST_PAUSE;
    while order.deliveries > 0 {
        match send(&client, &order).await {
            Ok(status) if is_final(status) => {
                tracing::info!(order = order.id, %status, "delivered");
                order.deliveries -= 1;
                if order.deliveries > 0
                    && let Err(error) = orders.put(&order)
                {
                    tracing::warn!(order = order.id, %error, "could not note the delivery; it may come once more");
                }
            }
            answer => {
                tracing::warn!(order = order.id, ?answer, "not taken; trying again");
                if tokio::time::Instant::now() + pause > give_up {
                    tracing::error!(
                        order = order.id,
                        "nobody took the delivery for a day; dropped"
                    );
                    break;
                }
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    }
    if let Err(error) = orders.remove(&order.id) {
        tracing::warn!(order = order.id, %error, "could not remove the order; it will be delivered again after a restart");
    }
}

/// Whether an answer settles a delivery: it was taken, or the receiver read it and does not want it. A receiver may be
/// down (5xx), busy (408, 429) or not there: while it is, a gateway in front of it, or a stranger on its port, answers 404
/// or points elsewhere. Donuts are made by then, so the driver comes again.
fn is_final(status: StatusCode) -> bool {
    let not_now = [
        StatusCode::NOT_FOUND,
        StatusCode::REQUEST_TIMEOUT,
        StatusCode::TOO_MANY_REQUESTS,
    ];
    status.is_success() || (status.is_client_error() && !not_now.contains(&status))
}

async fn send(client: &reqwest::Client, order: &Order) -> Result<StatusCode, reqwest::Error> {
    let mut request = order.request.clone();
    let mut url = request.callback_url.clone();
    match order.fault {
        Fault::Short => request.product_cnt = short_by(&request.product_cnt, order.missing),
        Fault::WrongSignature => url = spoil_signature(&url),
        _ => {}
    }
    let answer = client
        .post(url)
        .json(&request)
        .timeout(Duration::from_secs(10))
        .send()
        .await?;
    Ok(answer.status())
}

/// The count less `missing`, in the form it came (the contract has it as a string).
fn short_by(count: &serde_json::Value, missing: u64) -> serde_json::Value {
    let ordered = count
        .as_u64()
        .or_else(|| count.as_str().and_then(|s| s.parse().ok()))
        .unwrap_or(0);
    let made = ordered.saturating_sub(missing);
    if count.is_string() {
        made.to_string().into()
    } else {
        made.into()
    }
}

/// The last character changed to another one.
fn spoil_signature(url: &str) -> String {
    let mut spoiled = url.to_owned();
    let last = spoiled.pop();
    spoiled.push(if last == Some('0') { '1' } else { '0' });
    spoiled
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_short_delivery_keeps_the_form_of_the_count() {
        assert_eq!(short_by(&json!("30"), 4), json!("26"));
        assert_eq!(short_by(&json!(30), 4), json!(26));
        assert_eq!(short_by(&json!("3"), 9), json!("0"));
    }

    #[test]
    fn an_answer_is_final_where_the_receiver_itself_gave_it() {
        for (code, settled) in [
            (200, true),
            (204, true),
            (302, false),
            (400, true),
            (403, true),
            (404, false),
            (408, false),
            (422, true),
            (429, false),
            (500, false),
            (503, false),
        ] {
            let status = StatusCode::from_u16(code).unwrap();
            assert_eq!(is_final(status), settled, "{code}");
        }
    }

    #[test]
    fn a_spoiled_signature_differs() {
        assert_eq!(spoil_signature("http://h/p?sig=a0"), "http://h/p?sig=a1");
        assert_eq!(spoil_signature("http://h/p?sig=af"), "http://h/p?sig=a0");
    }
}

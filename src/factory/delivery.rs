//! Delivers an order to its callback URL: waits until it is due, then tries until somebody takes it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::orders::{Order, Orders};
use super::{FactoryArgs, Fault};

/// Longest pause between two tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// After so long a time nobody is going to take it any more.
const GIVE_UP_AFTER: Duration = Duration::from_secs(24 * 3600);

pub(crate) fn now_ms() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |d| u64::try_from(d.as_millis()).unwrap_or(u64::MAX))
}

/// Delivers `order`, once for each delivery it asks for, and removes it. A 4xx answer is final: the receiver does not
/// want it. Everything else is tried again, as the receiver may only be down.
pub(crate) async fn deliver(
    client: reqwest::Client,
    orders: Orders,
    args: FactoryArgs,
    mut order: Order,
) {
    tokio::time::sleep(Duration::from_millis(order.due.saturating_sub(now_ms()))).await;
    let give_up = tokio::time::Instant::now() + GIVE_UP_AFTER;
    let mut pause = Duration::from_millis(200);
    while order.deliveries > 0 {
        match send(&client, args.short_by, &order).await {
            Ok(status) if status < 500 => {
                tracing::info!(order = order.id, status, "delivered");
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

async fn send(
    client: &reqwest::Client,
    missing: u64,
    order: &Order,
) -> Result<u16, reqwest::Error> {
    let mut request = order.request.clone();
    let mut url = request.callback_url.clone();
    match order.fault {
        Fault::Short => request.product_cnt = short_by(&request.product_cnt, missing),
        Fault::WrongSignature => url = spoil_signature(&url),
        _ => {}
    }
    let answer = client
        .post(url)
        .json(&request)
        .timeout(Duration::from_secs(10))
        .send()
        .await?;
    Ok(answer.status().as_u16())
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
    fn a_spoiled_signature_differs() {
        assert_eq!(spoil_signature("http://h/p?sig=a0"), "http://h/p?sig=a1");
        assert_eq!(spoil_signature("http://h/p?sig=af"), "http://h/p?sig=a0");
    }
}

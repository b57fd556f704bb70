//! The shop's clients: they look and buy through the Sales API, as curl or k6 would.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use serde::Deserialize;
use tokio::task::JoinSet;

use super::{Child, DemoError, in_step};

const SKU: &str = "CP-502101";

/// A client of the Sales API.
#[derive(Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    api: Arc<str>,
}

/// `GET /product/donut`.
#[derive(Debug, Deserialize)]
pub(crate) struct Product {
    pub sku: String,
    pub stock: i64,
}

/// `POST /checkout`.
#[derive(Debug, Deserialize, PartialEq, Eq)]
pub(crate) struct Checkout {
    pub outcome: String,
    pub order_id: String,
    pub remaining: i64,
}

/// How a surge went.
#[derive(Debug, Default)]
pub(crate) struct Surge {
    pub sold: u32,
    pub refused: u32,
    pub failed: u32,
}

impl fmt::Display for Surge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} sold, {} refused, {} not answered",
            self.sold, self.refused, self.failed
        )
    }
}

impl Client {
    pub(crate) fn new(child: &Child) -> Result<Client, DemoError> {
        let http = reqwest::Client::builder()
            .build()
            .map_err(in_step("HTTP client"))?;
        Ok(Client {
            http,
            api: child.api().into(),
        })
    }

    pub(crate) async fn look(&self) -> Result<Product, DemoError> {
        let answer = self
            .http
            .get(format!("{}/product/donut", self.api))
            .send()
            .await;
        answer
            .map_err(in_step("look"))?
            .json()
            .await
            .map_err(in_step("look"))
    }

    pub(crate) async fn buy(&self, count: i64, key: Option<&str>) -> Result<Checkout, DemoError> {
        let bought = self.checkout(count, key, None).await;
        bought.map_err(in_step("checkout"))
    }

    /// Buys as a customer of ours.
    pub(crate) async fn buy_as(&self, customer: &str, count: i64) -> Result<Checkout, DemoError> {
        let bought = self.checkout(count, None, Some(customer)).await;
        bought.map_err(in_step("checkout"))
    }

    /// Buys `more` than there is: a refusal, and so a reorder. Gives what was asked for.
    pub(crate) async fn buy_too_much(&self, more: i64) -> Result<(i64, Checkout), DemoError> {
        let count = self.look().await?.stock + more;
        Ok((count, self.buy(count, None).await?))
    }

    async fn checkout(
        &self,
        count: i64,
        key: Option<&str>,
        customer: Option<&str>,
    ) -> Result<Checkout, reqwest::Error> {
        let mut body =
            serde_json::json!({ "product_id": SKU, "quantity": count, "requester": "demo" });
        if let Some(customer) = customer {
            body["customer_id"] = customer.into();
        }
        let mut request = self.http.post(format!("{}/checkout", self.api)).json(&body);
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key);
        }
        request.send().await?.error_for_status()?.json().await
    }

    /// `checkouts` orders of one item each, `clients` at a time.
    pub(crate) async fn surge(&self, checkouts: u32, clients: u32) -> Result<Surge, DemoError> {
        let next = Arc::new(AtomicU32::new(0));
        let mut set = JoinSet::new();
        for _ in 0..clients {
            let (shop, next) = (self.clone(), next.clone());
            set.spawn(async move {
                let mut surge = Surge::default();
                while next.fetch_add(1, Ordering::Relaxed) < checkouts {
                    match shop.checkout(1, None, None).await {
                        Ok(answer) if answer.outcome == "sold" => surge.sold += 1,
                        Ok(_) => surge.refused += 1,
                        Err(error) => {
                            tracing::warn!(?error, "a checkout was not answered");
                            surge.failed += 1;
                        }
                    }
                }
                surge
            });
        }
        let mut total = Surge::default();
        while let Some(one) = set.join_next().await {
            let one = one.map_err(in_step("surge"))?;
            total.sold += one.sold;
            total.refused += one.refused;
            total.failed += one.failed;
        }
        Ok(total)
    }
}

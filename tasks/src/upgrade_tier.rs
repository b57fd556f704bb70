//! UpgradeTier: a bulk buyer becomes a VIP in the customers' own database.
//!
//! The subscription's filter let only orders over the threshold through, but a changed filter takes
//! minutes to spread, so the threshold is checked again. An unknown customer is an answer and not a
//! failure: anyone may type anything at a checkout. The same order again is the same answer.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shop::customer::{self, Customer, Upgrade};

use crate::{
    app::App,
    declare_errors,
    error::{Common, with_sources},
};

/// An execution's input: facts of the order that never change.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Input {
    /// The order, which also names the execution.
    pub order_id: String,
    /// Who bought.
    pub customer_id: String,
    /// What was bought.
    pub product_id: String,
    /// Items of this order.
    pub quantity: i64,
    /// What a VIP is measured by: this order's quantity, or the customer's total.
    pub vip_quantity: i64,
}

/// What became of the customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// This order made the customer a VIP.
    Upgraded,
    /// Another order had.
    AlreadyVip,
    /// There is no such customer.
    UnknownCustomer,
    /// The order is below the threshold.
    BelowThreshold,
}

/// The answer, with what SyncMarketing needs where the customer is a VIP.
#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Output {
    /// What became of the customer.
    pub outcome: Outcome,
    /// Whether the customer is a VIP now.
    pub vip: bool,
    /// As in the input.
    pub order_id: String,
    /// As in the input.
    pub customer_id: String,
    /// As in the input.
    pub vip_quantity: i64,
    /// From how many items on a customer is a VIP.
    pub threshold: i64,
    /// The customer's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Since when the customer is a VIP, in milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vip_since: Option<i64>,
    /// The order that made it one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vip_order_id: Option<String>,
}

/// How it fails.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The customers database is locked, gone or refuses us. Worth a retry.
    #[error("the customers database did not answer: {0}")]
    Unavailable(String),
    /// As in every task.
    #[error(transparent)]
    Common(#[from] Common),
}

declare_errors!(Error {
    Unavailable => "Customers.Unavailable",
});

/// Upgrades the customer, unless there is nothing to upgrade.
pub async fn handle(app: &App, input: Input) -> Result<Output, Error> {
    let threshold = app.config.vip_threshold();
    let (outcome, customer) = if input.vip_quantity < threshold {
        (Outcome::BelowThreshold, None)
    } else {
        upgrade(app, &input).await?
    };
    tracing::info!(
        order_id = input.order_id,
        customer_id = input.customer_id,
        vip_quantity = input.vip_quantity,
        ?outcome,
        "customer"
    );
    let vip = customer.is_some();
    let (name, vip_since, vip_order_id) = match customer {
        Some(customer) => (
            Some(customer.name),
            customer.vip_since,
            customer.vip_order_id,
        ),
        None => (None, None, None),
    };
    Ok(Output {
        outcome,
        vip,
        order_id: input.order_id,
        customer_id: input.customer_id,
        vip_quantity: input.vip_quantity,
        threshold,
        name,
        vip_since,
        vip_order_id,
    })
}

async fn upgrade(app: &App, input: &Input) -> Result<(Outcome, Option<Customer>), Error> {
    match customer::upgrade(app.customers()?, &input.customer_id, &input.order_id).await {
        Ok(Upgrade::Upgraded(customer)) => Ok((Outcome::Upgraded, Some(customer))),
        Ok(Upgrade::AlreadyVip(customer)) => Ok((Outcome::AlreadyVip, Some(customer))),
        Err(shop::Error::NotFound { .. }) => Ok((Outcome::UnknownCustomer, None)),
        Err(error) => Err(Error::Unavailable(with_sources(&error))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{error::Failure, testing::Shop};

    async fn run(shop: &Shop, customer_id: &str, vip_quantity: i64) -> Result<Value, Failure> {
        let input = Input {
            order_id: format!("OR-{vip_quantity}"),
            customer_id: customer_id.to_owned(),
            product_id: "CP-502101".to_owned(),
            quantity: 1,
            vip_quantity,
        };
        Ok(serde_json::to_value(handle(&shop.app, input).await?).unwrap())
    }

    #[tokio::test]
    async fn each_order_has_its_outcome() {
        let shop = Shop::open().await;
        for (customer_id, vip_quantity, outcome, vip) in [
            ("CU-1", 99, "below_threshold", false),
            ("CU-9", 100, "unknown_customer", false),
            ("CU-1", 100, "upgraded", true),
            ("CU-1", 100, "upgraded", true),
            ("CU-1", 101, "already_vip", true),
            ("CU-1", 99, "below_threshold", false),
        ] {
            let output = run(&shop, customer_id, vip_quantity).await.unwrap();
            assert_eq!(output["outcome"], outcome, "{output}");
            assert_eq!(output["vip"], vip, "{output}");
            assert_eq!(output["threshold"], 100);
            if vip {
                assert_eq!(output["vip_order_id"], "OR-100", "the first order stands");
                assert_eq!(output["name"], json!("Kim Do-nut"));
                assert!(output["vip_since"].is_i64(), "{output}");
            }
        }
    }

    #[tokio::test]
    async fn a_database_that_is_gone_has_its_own_name() {
        let shop = Shop::open().await;
        shop.app.customers().unwrap().close().await;
        let failure = run(&shop, "CU-1", 100).await.unwrap_err();
        assert_eq!(failure.name, "Customers.Unavailable");
    }
}

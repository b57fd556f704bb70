//! CheckStock: is the reorder still needed? If the stock came back, this closes it and the flow is done.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shop::reorder::{self, Check};

use crate::{app::App, declare_errors, error::Common};

/// The execution's input; what else is in it is not needed here.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Input {
    /// The reorder of this execution.
    pub reorder_id: String,
    /// Its product.
    pub product_id: String,
    /// The refused order that opened it.
    pub order_id: Option<String>,
}

/// What the next states work with.
#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Output {
    /// Whether the factory must be asked. If not, the reorder is closed now.
    pub needed: bool,
    /// As in the input.
    pub reorder_id: String,
    /// As in the input.
    pub product_id: String,
    /// As in the input.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order_id: Option<String>,
    /// Items in the warehouse.
    pub stock: i64,
    /// Items to ask the factory for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quantity: Option<i64>,
    /// The largest count a customer asked for in vain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wanted: Option<i64>,
    /// By how much that count exceeds the stock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing: Option<i64>,
}

/// How it fails.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The reorder has no row: the execution was started by hand with a wrong id.
    #[error("there is no reorder {0}")]
    NotFound(String),
    /// Another reorder of the product is open, and this one must not ask as well.
    #[error("reorder {0} is open for this product instead")]
    Superseded(String),
    /// As in every task.
    #[error(transparent)]
    Common(#[from] Common),
}

declare_errors!(Error {
    NotFound => "Reorder.NotFound",
    Superseded => "Reorder.Superseded",
});

/// Looks, and closes the reorder if the stock came back.
pub async fn handle(app: &App, input: Input) -> Result<Output, Error> {
    let checked = reorder::check(app.warehouse()?, &input.reorder_id).await;
    let check = checked.map_err(|error| match error {
        shop::Error::NotFound { id, .. } => Error::NotFound(id),
        other => other.into(),
    })?;
    let mut output = Output {
        needed: false,
        reorder_id: input.reorder_id,
        product_id: input.product_id,
        order_id: input.order_id,
        stock: 0,
        quantity: None,
        wanted: None,
        missing: None,
    };
    match check {
        Check::InStock { stock } => output.stock = stock,
        Check::Short {
            reorder,
            stock,
            missing,
        } => {
            output.needed = true;
            output.stock = stock;
            output.quantity = Some(reorder.quantity);
            output.wanted = Some(reorder.wanted);
            output.missing = Some(missing);
        }
        Check::Superseded { by } => return Err(Error::Superseded(by)),
    }
    Ok(output)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Shop;

    async fn check(shop: &Shop, reorder_id: &str) -> Result<Output, Error> {
        let input = Input {
            reorder_id: reorder_id.to_owned(),
            product_id: "CP-502101".to_owned(),
            order_id: None,
        };
        handle(&shop.app, input).await
    }

    #[tokio::test]
    async fn a_missing_stock_is_named_and_a_full_one_closes_the_reorder() {
        let shop = Shop::open().await;
        let short = shop.claim(1_500).await;
        let output = check(&shop, &short.reorder_id).await.unwrap();
        assert!(output.needed);
        assert_eq!(
            (output.stock, output.quantity, output.wanted, output.missing),
            (1_000, Some(1_500), Some(1_500), Some(500))
        );
        shop.deliver(&short.reorder_id, 1_500).await;
        for _ in 0..2 {
            let output = check(&shop, &short.reorder_id).await.unwrap();
            assert_eq!((output.needed, output.stock), (false, 2_500));
        }
    }

    #[tokio::test]
    async fn unknown_and_superseded_reorders_have_names() {
        let shop = Shop::open().await;
        let error = check(&shop, "RO-none").await.unwrap_err();
        assert_eq!(crate::error::Failure::from(error).name, "Reorder.NotFound");

        let dead = shop.claim(1_500).await;
        let next =
            reorder::release_and_claim(shop.app.warehouse().unwrap(), &dead.reorder_id, 1_500);
        next.await.unwrap();
        let error = check(&shop, &dead.reorder_id).await.unwrap_err();
        assert_eq!(
            crate::error::Failure::from(error).name,
            "Reorder.Superseded"
        );
    }
}

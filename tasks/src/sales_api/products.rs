//! `GET /product/donut`, `GET /products`, `GET /products/{id}`: what is for sale.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State, rejection::PathRejection},
    http::StatusCode,
};
use schemars::JsonSchema;
use serde::Serialize;

use super::request::DEFAULT_PRODUCT;
use crate::{app::App, http::path_id, problem::Problem};

/// A product as clients see it: the original contract's five fields. The manager's address stays inside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Product", deny_unknown_fields)]
pub(super) struct ProductView {
    /// The id to buy by, for example CP-502101.
    pub product_id: String,
    /// The stock keeping unit.
    pub sku: String,
    /// The name.
    pub name: String,
    /// How many are there.
    pub stock: i64,
    /// The identifier of the factory that makes it.
    pub identifier: String,
}

impl From<shop::product::Product> for ProductView {
    fn from(product: shop::product::Product) -> Self {
        Self {
            product_id: product.product_id,
            sku: product.sku,
            name: product.name,
            stock: product.stock,
            identifier: product.identifier,
        }
    }
}

/// `GET /product/donut`
pub(super) async fn donut(State(app): State<Arc<App>>) -> Result<Json<ProductView>, Problem> {
    find(&app, DEFAULT_PRODUCT, StatusCode::BAD_REQUEST).await
}

/// `GET /products/{id}`
pub(super) async fn one(
    State(app): State<Arc<App>>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<ProductView>, Problem> {
    find(&app, &path_id(id)?, StatusCode::NOT_FOUND).await
}

/// `GET /products`
pub(super) async fn all(State(app): State<Arc<App>>) -> Result<Json<Vec<ProductView>>, Problem> {
    let products = shop::product::list(app.warehouse()?).await?;
    Ok(Json(products.into_iter().map(ProductView::from).collect()))
}

async fn find(app: &App, id: &str, missing: StatusCode) -> Result<Json<ProductView>, Problem> {
    match shop::product::get(app.warehouse()?, id).await {
        Ok(product) => Ok(Json(product.into())),
        Err(shop::Error::NotFound { .. }) => Err(Problem::no_product(missing)),
        Err(error) => Err(error.into()),
    }
}

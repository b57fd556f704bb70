//! What a first start finds: one product and two customers. Safe to repeat.

use crate::customer;
use crate::db::{Customers, Warehouse};
use crate::error::Result;
use crate::product::{self, NewProduct};

pub(crate) async fn warehouse(warehouse: &Warehouse) -> Result<()> {
    let donut = NewProduct {
        product_id: "CP-502101",
        sku: "CP-502101",
        name: "donut",
        identifier: "FF-500293",
        manager_email: "ads@donut-states.example",
        stock: 1_000,
        reorder_quantity: 1_000,
    };
    product::add(warehouse, &donut).await.map(drop)
}

pub(crate) async fn customers(customers: &Customers) -> Result<()> {
    customer::add(customers, "CU-1", "Kim Do-nut").await?;
    customer::add(customers, "CU-2", "Lee Ho-yong")
        .await
        .map(drop)
}

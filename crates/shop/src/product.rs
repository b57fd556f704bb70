//! Products and their stock. Owns the table `products`.
//!
//! A product's row is also the lock of its stock and its reorders: see [`lock`].

use std::collections::HashMap;

use sqlx::{AnyConnection, FromRow, QueryBuilder};

use crate::db::Warehouse;
use crate::error::{Entity, Result};
use crate::{id, many, write};

/// A product. The manager's address is for our own mail, not for clients; this type is therefore not
/// serialisable.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Product {
    /// Its id, `CP-502101`.
    pub product_id: String,
    /// Stock keeping unit.
    pub sku: String,
    /// Its name for people.
    pub name: String,
    /// The identifier of the factory that makes it, `FF-500293`.
    pub identifier: String,
    /// Mail address of the advertising manager.
    pub manager_email: String,
    /// Items in the warehouse; never negative.
    pub stock: i64,
    /// Items in the warehouse when the product was added.
    pub initial_stock: i64,
    /// The least that the factory is asked for at once.
    pub reorder_quantity: i64,
    /// The id of its open reorder.
    pub open_reorder: Option<String>,
}

/// A product to add.
#[derive(Debug, Clone)]
pub struct NewProduct<'a> {
    /// See [`Product::product_id`].
    pub product_id: &'a str,
    /// See [`Product::sku`].
    pub sku: &'a str,
    /// See [`Product::name`].
    pub name: &'a str,
    /// See [`Product::identifier`].
    pub identifier: &'a str,
    /// See [`Product::manager_email`].
    pub manager_email: &'a str,
    /// Items in the warehouse now.
    pub stock: i64,
    /// See [`Product::reorder_quantity`].
    pub reorder_quantity: i64,
}

/// The product with this id.
pub async fn get(warehouse: &Warehouse, product_id: &str) -> Result<Product> {
    let mut connection = warehouse.pool().acquire().await?;
    find(&mut connection, product_id).await
}

/// Every product, by id.
pub async fn list(warehouse: &Warehouse) -> Result<Vec<Product>> {
    let products = sqlx::query_as(
        "select product_id, sku, name, identifier, manager_email, stock, initial_stock, \
         reorder_quantity, open_reorder from products order by product_id",
    )
    .fetch_all(warehouse.pool())
    .await?;
    Ok(products)
}

/// Adds a product. Returns false, and changes nothing, where its id exists.
pub async fn add(warehouse: &Warehouse, product: &NewProduct<'_>) -> Result<bool> {
    let now = id::now_ms();
    let added = write::transaction!(&warehouse.0, "product::add", |c| {
        sqlx::query(
            "insert into products (product_id, sku, name, identifier, manager_email, stock, \
             initial_stock, reorder_quantity, created_at) values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(product.product_id)
        .bind(product.sku)
        .bind(product.name)
        .bind(product.identifier)
        .bind(product.manager_email)
        .bind(product.stock)
        .bind(product.stock)
        .bind(product.reorder_quantity)
        .bind(now)
        .execute(c)
        .await?;
        Ok(())
    });
    match added {
        Err(error) if error.is_unique_violation() => Ok(false),
        other => other.map(|()| true),
    }
}

/// Reads one; inside a transaction, under its [`lock`].
pub(crate) async fn find(c: &mut AnyConnection, product_id: &str) -> Result<Product> {
    let product: Option<Product> = sqlx::query_as(
        "select product_id, sku, name, identifier, manager_email, stock, initial_stock, \
         reorder_quantity, open_reorder from products where product_id = ?",
    )
    .bind(product_id)
    .fetch_optional(c)
    .await?;
    product
        // MySQL's comparison ignores trailing spaces.
        .filter(|product| product.product_id == product_id)
        .ok_or_else(|| Entity::Product.missing(product_id))
}

/// Makes every other transaction that wants this product wait until ours ends, then reads the product.
///
/// An update that changes nothing takes the row's lock on both databases; the portable SQL has no
/// locking read. It must be a transaction's first statement: on MySQL the snapshot of all later reads
/// is taken by the first read, so after this they see everything that earlier holders committed, and
/// transactions that take the lock first cannot deadlock with each other.
pub(crate) async fn lock(c: &mut AnyConnection, product_id: &str) -> Result<Product> {
    sqlx::query("update products set stock = stock where product_id = ?")
        .bind(product_id)
        .execute(&mut *c)
        .await?;
    find(c, product_id).await
}

/// Those of these products that exist, by id.
pub(crate) async fn find_all(
    c: &mut AnyConnection,
    product_ids: &[&str],
) -> Result<HashMap<String, Product>> {
    let mut query = QueryBuilder::new(
        "select product_id, sku, name, identifier, manager_email, stock, initial_stock, \
         reorder_quantity, open_reorder from products where product_id in ",
    );
    many::push_list(&mut query, product_ids);
    let found: Vec<Product> = query.build_query_as().fetch_all(c).await?;
    Ok(found
        .into_iter()
        .map(|product| (product.product_id.clone(), product))
        .collect())
}

/// [`lock`] for several products, which both databases lock in the order of their ids.
pub(crate) async fn lock_all(
    c: &mut AnyConnection,
    product_ids: &[&str],
) -> Result<HashMap<String, Product>> {
    let mut query = QueryBuilder::new("update products set stock = stock where product_id in ");
    many::push_list(&mut query, product_ids);
    query.build().execute(&mut *c).await?;
    find_all(c, product_ids).await
}

/// Puts items into the stock; a negative number takes them out. The caller holds the lock and knows that there are enough.
pub(crate) async fn put(c: &mut AnyConnection, product_id: &str, quantity: i64) -> Result<()> {
    sqlx::query("update products set stock = stock + ? where product_id = ?")
        .bind(quantity)
        .bind(product_id)
        .execute(c)
        .await?;
    Ok(())
}

/// Sets or clears the open reorder. The caller holds the lock and has looked at what it replaces.
pub(crate) async fn point(
    c: &mut AnyConnection,
    product_id: &str,
    open_reorder: Option<&str>,
) -> Result<()> {
    sqlx::query("update products set open_reorder = ? where product_id = ?")
        .bind(open_reorder)
        .bind(product_id)
        .execute(c)
        .await?;
    Ok(())
}

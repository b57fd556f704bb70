//! `/shop`: stock, open reorders, recent orders, VIPs; `/shop/{product}`: a product's ledger.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;
use jiff::Timestamp;
use maud::{Markup, html};
use operate::when;
use shop::customer::{self, Customer};
use shop::ledger::{self, Posting};
use shop::order::{self, Order, Outcome};
use shop::product::{self, Product};
use shop::reorder::{self, Reorder};

use crate::app::{App, Shop};
use crate::error::{PageError, partial};
use crate::layout::{Page, Tab, empty, status};

/// Orders, VIPs and ledger entries that are shown.
const SHOWN: u32 = 50;
const LEDGER: u32 = 200;

pub(crate) fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/shop", get(all))
        .route("/shop/{product}", get(one))
}

async fn all(State(app): State<Arc<App>>) -> Result<Markup, PageError> {
    let body = html! {
        div .head { h1 { "Shop" } }
        @match &app.shop {
            None => { (absent()) }
            Some(shop) => { (overview(shop).await?) }
        }
    };
    Ok(Page::new("Shop", Tab::Shop).render(&app, body))
}

fn absent() -> Markup {
    html! {
        div .card {
            (empty("This console has no shop database", html! {
                "Start it with " code { "--database-url" } " and " code { "--customers-url" }
                ", or open the console of " code { "restock up" } ", which has both."
            }))
        }
    }
}

async fn overview(shop: &Shop) -> Result<Markup, PageError> {
    let products = product::list(&shop.warehouse).await?;
    let reorders = reorder::list_open(&shop.warehouse).await?;
    let orders = order::latest(&shop.warehouse, SHOWN).await?;
    let vips = customer::latest_vips(&shop.customers, SHOWN).await;
    Ok(html! {
        (stock(&products))
        (open_reorders(&reorders))
        (recent_orders(&orders))
        section .card aria-labelledby="vips" {
            h2 #vips { "VIP customers" }
            @match &vips {
                Ok(vips) => { (customers(vips)) }
                // A database of its own, which may be away while the warehouse is there.
                Err(error) => { div .body { (partial("The customers", error)) } }
            }
        }
    })
}

fn stock(products: &[Product]) -> Markup {
    html! {
        section .card aria-labelledby="stock" {
            h2 #stock { "Stock" }
            @if products.is_empty() {
                (empty("There is no product", html! { code { "restock up" } " adds a sample product to an empty warehouse." }))
            } @else {
                div .scroll { table .records {
                    thead { tr {
                        th scope="col" { "Product" } th scope="col" { "Name" } th .num scope="col" { "In stock" }
                        th .num scope="col" { "At the beginning" } th .num scope="col" { "Reordered by" } th scope="col" { "Open reorder" }
                    } }
                    tbody { @for p in products {
                        tr data-row {
                            td .wide { a href={ "/shop/" (p.product_id) } { (p.product_id) } }
                            td data-name="Name" { (p.name) }
                            td .num data-name="In stock" { (p.stock) }
                            td .num data-name="At the beginning" { (p.initial_stock) }
                            td .num data-name="Reordered by" { (p.reorder_quantity) }
                            td data-name="Open reorder" {
                                @match p.open_reorder.as_deref() { Some(id) => { a href={ "/executions?q=" (id) } { (id) } } None => { "–" } }
                            }
                        }
                    } }
                } }
            }
        }
    }
}

fn open_reorders(reorders: &[Reorder]) -> Markup {
    html! {
        section .card aria-labelledby="reorders" {
            h2 #reorders { "Open reorders" }
            @if reorders.is_empty() {
                (empty("No reorder is open", html! { "A checkout that finds too little stock opens one." }))
            } @else {
                div .scroll { table .records {
                    thead { tr {
                        th scope="col" { "Reorder" } th scope="col" { "Product" } th .num scope="col" { "Asked for" }
                        th .num scope="col" { "Wanted" } th scope="col" { "Open for" }
                    } }
                    tbody { @for r in reorders {
                        tr data-row {
                            td .id.wide { a href={ "/executions?q=" (r.execution_name()) } { (r.reorder_id) } }
                            td data-name="Product" { (r.product_id) }
                            td .num data-name="Asked for" { (r.quantity) }
                            td .num data-name="Wanted" { (r.wanted) }
                            td data-name="Open for" { (when::duration(at(r.opened_at), Timestamp::now())) }
                        }
                    } }
                } }
            }
        }
    }
}

fn recent_orders(orders: &[Order]) -> Markup {
    html! {
        section .card aria-labelledby="orders" {
            h2 #orders { "Recent orders" }
            @if orders.is_empty() {
                (empty("Nobody has bought anything yet", html! { "The Sales API takes orders at " code { "POST /checkout" } "." }))
            } @else {
                div .scroll { table .records {
                    caption { "The latest " (orders.len()) ", newest first" }
                    thead { tr {
                        th scope="col" { "When" } th scope="col" { "Order" } th scope="col" { "Product" } th .num scope="col" { "Items" }
                        th scope="col" { "Customer" } th scope="col" { "Outcome" } th .num scope="col" { "Left in stock" }
                    } }
                    tbody { @for o in orders {
                        tr data-row {
                            td data-name="When" { (time(o.created_at)) }
                            td .id.wide { (o.order_id) }
                            td data-name="Product" { (o.product_id) }
                            td .num data-name="Items" { (o.quantity) }
                            td data-name="Customer" { (o.customer_id.as_deref().unwrap_or("–")) }
                            td data-name="Outcome" {
                                @match o.outcome { Outcome::Sold => { "sold" } Outcome::Refused => { span .status.warn { "refused" } } }
                            }
                            td .num data-name="Left in stock" { (o.remaining) }
                        }
                    } }
                } }
            }
        }
    }
}

fn customers(vips: &[Customer]) -> Markup {
    html! {
        @if vips.is_empty() {
            (empty("Nobody is a VIP yet", html! { "A purchase at or over the threshold, 100 items by default, makes its customer one." }))
        } @else {
            div .scroll { table .records {
                caption { "The latest " (vips.len()) }
                thead { tr { th scope="col" { "Customer" } th scope="col" { "Name" } th scope="col" { "Since" } th scope="col" { "By order" } } }
                tbody { @for c in vips {
                    tr data-row {
                        td data-name="Customer" { (c.customer_id) }
                        td data-name="Name" { (c.name) }
                        td data-name="Since" { @if let Some(since) = c.vip_since { (time(since)) } }
                        td .id.wide { (c.vip_order_id.as_deref().unwrap_or("–")) }
                    }
                } }
            } }
        }
    }
}

async fn one(
    State(app): State<Arc<App>>,
    Path(product): Path<String>,
) -> Result<Markup, PageError> {
    let Some(shop) = &app.shop else {
        let body = html! { div .head { h1 { "Shop" } } (absent()) };
        return Ok(Page::new("Shop", Tab::Shop).render(&app, body));
    };
    let p = match product::get(&shop.warehouse, &product).await {
        Err(shop::Error::NotFound { .. }) => {
            return Err(PageError::NotFound(format!(
                "there is no product {product}"
            )));
        }
        other => other?,
    };
    let postings = ledger::latest(&shop.warehouse, &p.product_id, LEDGER).await?;
    let title = format!("{} {}", p.product_id, p.name);
    let body = html! {
        p .crumb { a href="/shop" { "Shop" } }
        div .head { h1 { (title) } @if p.open_reorder.is_some() { (status("waiting")) " for its reorder" } }
        div .stats {
            div .stat { b { (p.stock) } "in stock" }
            div .stat { b { (p.initial_stock) } "at the beginning" }
            div .stat { b { (p.reorder_quantity) } "least reorder" }
        }
        dl .facts {
            dt { "SKU" } dd { (p.sku) }
            dt { "Factory" } dd { (p.identifier) }
            dt { "Open reorder" } dd { (p.open_reorder.as_deref().unwrap_or("none")) }
        }
        section .card aria-labelledby="ledger" {
            h2 #ledger { "Ledger" }
            @if postings.is_empty() {
                (empty("Nothing has moved yet", html! { "Every sale and every arrival is written here once." }))
            } @else { (ledger_table(&p, &postings)) }
        }
    };
    Ok(Page::new(&title, Tab::Shop).render(&app, body))
}

/// The latest movements, each with the stock after it, counted back from now.
fn ledger_table(p: &Product, postings: &[Posting]) -> Markup {
    let mut stock = p.stock;
    let rows: Vec<(&Posting, i64)> = postings
        .iter()
        .map(|posting| {
            let after = stock;
            stock -= posting.amount;
            (posting, after)
        })
        .collect();
    html! {
        div .scroll { table .records {
            caption { "Newest first" @if postings.len() == LEDGER as usize { ", the latest " (LEDGER) } }
            thead { tr {
                th scope="col" { "When" } th scope="col" { "What" } th scope="col" { "Order or attempt" }
                th .num scope="col" { "Items" } th .num scope="col" { "Stock after it" }
            } }
            tbody { @for (posting, after) in rows {
                tr data-row {
                    td data-name="When" { (time(posting.created_at)) }
                    td data-name="What" { (posting.kind) }
                    td .id.wide { (posting.source_id) }
                    td .num data-name="Items" { @if posting.amount > 0 { "+" } (posting.amount) }
                    td .num data-name="Stock after it" { (after) }
                }
            } }
        } }
    }
}

/// Milliseconds since 1970.
fn at(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or_default()
}

fn time(ms: i64) -> Markup {
    let at = at(ms);
    html! { time datetime=(at) { (when::local(at)) } }
}

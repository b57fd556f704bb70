//! What each customer has bought so far, counted up with each sale: the table `buyers`.

use std::collections::{BTreeMap, HashMap};

use sqlx::{AnyConnection, QueryBuilder};

use crate::error::Result;
use crate::many;
use crate::order::Order;

/// What the sales of one customer add up to.
struct Addition<'a> {
    customer_id: &'a str,
    items: i64,
    orders: i64,
    /// The first order's time, in milliseconds since 1970.
    at: i64,
}

/// Counts orders for their customers, and gives what each has bought with them and the ordinal of its last. From here
/// to the end of the transaction these customers' rows are ours.
pub(super) async fn count(
    c: &mut AnyConnection,
    buyers: &BTreeMap<&str, Vec<&Order>>,
) -> Result<HashMap<String, (i64, i64)>> {
    let ids: Vec<&str> = buyers.keys().copied().collect();
    // Asked without a lock first: on MySQL an update that finds nothing locks the gap, and two of those
    // who then insert into it wait for each other.
    let mut query = QueryBuilder::new("select customer_id from buyers where customer_id in ");
    many::push_list(&mut query, &ids);
    let known: Vec<String> = query.build_query_scalar().fetch_all(&mut *c).await?;
    let additions = buyers.iter().map(|(customer_id, orders)| Addition {
        customer_id,
        items: orders.iter().map(|order| order.quantity).sum(),
        orders: i64::try_from(orders.len()).unwrap_or(i64::MAX),
        at: orders.first().map_or(0, |order| order.created_at),
    });
    let (mut old, new): (Vec<_>, Vec<_>) =
        additions.partition(|it| known.iter().any(|known| known == it.customer_id));
    for addition in new {
        if !insert(c, &addition).await? {
            // The customer's first two orders, of different products, at the same time.
            old.push(addition);
        }
    }
    if !old.is_empty() {
        old.sort_unstable_by_key(|addition| addition.customer_id);
        add(c, &old).await?;
    }
    let mut query = QueryBuilder::new(
        "select customer_id, bought, last_ordinal from buyers where customer_id in ",
    );
    many::push_list(&mut query, &ids);
    let rows: Vec<(String, i64, i64)> = query.build_query_as().fetch_all(c).await?;
    Ok(rows
        .into_iter()
        .map(|(id, bought, last)| (id, (bought, last)))
        .collect())
}

/// A new customer's row; false if it is there by now.
async fn insert(c: &mut AnyConnection, addition: &Addition<'_>) -> Result<bool> {
    let inserted =
        sqlx::query("insert into buyers (customer_id, bought, last_ordinal) values (?, ?, ?)")
            .bind(addition.customer_id)
            .bind(addition.items)
            .bind(addition.at + addition.orders - 1)
            .execute(c)
            .await
            .map_err(crate::Error::from);
    match inserted {
        Err(error) if error.is_unique_violation() => Ok(false),
        other => other.map(|_| true),
    }
}

/// Adds to rows that are there. Each order gets the next ordinal: its time, or one more than the last where that is later.
async fn add(c: &mut AnyConnection, additions: &[Addition<'_>]) -> Result<()> {
    let mut query = QueryBuilder::new("update buyers set bought = bought + case customer_id");
    for it in many::filled(additions) {
        query.push(" when ").push_bind(it.customer_id.to_owned());
        query.push(" then ").push_bind(it.items);
    }
    // All orders of one transaction are of one time.
    let before = additions.iter().map(|it| it.at).min().unwrap_or(0) - 1;
    query.push(" end, last_ordinal = case when last_ordinal < ");
    query.push_bind(before).push(" then ").push_bind(before);
    query.push(" else last_ordinal end + case customer_id");
    for it in many::filled(additions) {
        query.push(" when ").push_bind(it.customer_id.to_owned());
        query.push(" then ").push_bind(it.orders);
    }
    query.push(" end where customer_id in ");
    let ids: Vec<&str> = additions.iter().map(|it| it.customer_id).collect();
    many::push_list(&mut query, &ids);
    query.build().execute(c).await?;
    Ok(())
}

//! Reorders: a product has at most one open request to the factory. Owns the table `reorders`.
//!
//! The claim is `products.open_reorder`, set from null under the product's row lock, so 10,000 refused
//! checkouts open one reorder. Whoever claims, or joins the claim of another, starts the reorder's
//! execution under [`Reorder::execution_name`] with [`Reorder::input`] and nothing else, so that
//! starting is also the look-up: the same name and input may be started again while it runs. If the
//! start says that an execution of that name has ended, the claim is dead: [`release_and_claim`].
//!
//! A reorder closes when its delivery is counted ([`arrival::apply`](crate::arrival::apply)) or when
//! [`check`] finds that the stock is back, never later: mail that waits for an operator must not
//! keep the product from being reordered. A close that leaves someone's count unmet opens the next
//! reorder in the same transaction, unless the factory has been short too often in a row.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sqlx::{AnyConnection, FromRow};

use crate::db::Warehouse;
use crate::error::{Entity, Error, Result};
use crate::product::{self, Product};
use crate::{MAX_QUANTITY, id, write};

/// Where a reorder stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It holds its product's claim.
    Open,
    /// Closed: a delivery of one of its attempts was counted.
    Arrived,
    /// Closed: there was enough stock before the factory was asked.
    InStock,
    /// Its execution ended without closing it, and another claim took its place.
    Released,
}

impl Status {
    /// As the database writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Arrived => "arrived",
            Self::InStock => "in_stock",
            Self::Released => "released",
        }
    }
}

impl TryFrom<String> for Status {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        [Self::Open, Self::Arrived, Self::InStock, Self::Released]
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or_else(|| format!("no reorder status is called {text}"))
    }
}

/// A request to the factory.
#[derive(Debug, Clone, PartialEq, Eq, FromRow, Serialize, JsonSchema)]
pub struct Reorder {
    /// Its id, `RO-…`.
    pub reorder_id: String,
    /// What is asked for.
    pub product_id: String,
    /// The factory's identifier.
    pub factory_id: String,
    /// Items asked for: the product's reorder quantity, or the unmet count that opened this if larger.
    pub quantity: i64,
    /// The refused order that it can be followed back to. Its successors inherit it.
    pub order_id: Option<String>,
    /// The largest count that a customer asked for in vain, so far.
    pub wanted: i64,
    /// Where it stands.
    #[sqlx(try_from = "String")]
    pub status: Status,
    /// The reorder that this one follows, if one's close or release opened it.
    pub follows: Option<String>,
    /// When it was opened, in milliseconds since 1970 in UTC.
    pub opened_at: i64,
    /// When it was closed.
    pub closed_at: Option<i64>,
}

/// The input of a reorder's execution: what never changes in its row, so that two starts of one reorder
/// are equal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReorderInput {
    /// See [`Reorder::reorder_id`].
    pub reorder_id: String,
    /// See [`Reorder::product_id`].
    pub product_id: String,
    /// See [`Reorder::factory_id`].
    pub factory_id: String,
    /// See [`Reorder::quantity`].
    pub quantity: i64,
    /// See [`Reorder::order_id`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order_id: Option<String>,
}

impl Reorder {
    /// The name of its execution: `reorder-RO-…`, 43 characters of those that AWS allows.
    pub fn execution_name(&self) -> String {
        format!("reorder-{}", self.reorder_id)
    }

    /// The input of its execution.
    pub fn input(&self) -> ReorderInput {
        ReorderInput {
            reorder_id: self.reorder_id.clone(),
            product_id: self.product_id.clone(),
            factory_id: self.factory_id.clone(),
            quantity: self.quantity,
            order_id: self.order_id.clone(),
        }
    }
}

/// The open reorder that a claim came to. Start its execution in either case: who opened it may have
/// crashed before that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The product's open reorder.
    pub reorder: Reorder,
    /// Whether this call opened it; otherwise its wanted count was raised where ours is larger.
    pub won: bool,
}

/// What [`check`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Check {
    /// There is enough; the reorder is closed. The flow is done.
    InStock {
        /// Items in the warehouse.
        stock: i64,
    },
    /// The factory must be asked; the reorder is open.
    Short {
        /// The reorder, with the wanted count of now.
        reorder: Reorder,
        /// Items in the warehouse.
        stock: i64,
        /// By how many items the largest unmet count exceeds the stock.
        missing: i64,
    },
    /// Another reorder of the product is open: this one must not ask as well.
    Superseded {
        /// The open one.
        by: String,
    },
}

/// Claims the product's one open reorder, because a customer asked for `count` items in vain, or joins
/// the claim of another and raises its wanted count.
///
/// # Errors
/// `NotFound` for an unknown product, `Invalid` for a count outside 1 to [`MAX_QUANTITY`].
pub async fn claim(warehouse: &Warehouse, product_id: &str, count: i64) -> Result<Claim> {
    claim_after(warehouse, product_id, count, None, None).await
}

/// As [`claim`], on behalf of a refused order that the reorder can be followed back to.
pub async fn claim_for(
    warehouse: &Warehouse,
    product_id: &str,
    count: i64,
    order_id: &str,
) -> Result<Claim> {
    claim_after(warehouse, product_id, count, Some(order_id), None).await
}

/// Gives up the claim of `dead`, a reorder whose execution has ended, and claims the next one in the
/// same transaction, with the larger of both wanted counts. If `dead` does not hold the claim (any
/// more), this is [`claim`].
pub async fn release_and_claim(warehouse: &Warehouse, dead: &str, count: i64) -> Result<Claim> {
    let product_id = get(warehouse, dead).await?.product_id;
    claim_after(warehouse, &product_id, count, None, Some(dead)).await
}

/// The rule asks for a conditional write, and on a lost claim for reading the winner in a new
/// transaction, because MySQL's snapshot may predate the winner. Here the product's lock comes first and
/// the snapshot after it, which gives the same in one transaction.
async fn claim_after(
    warehouse: &Warehouse,
    product_id: &str,
    count: i64,
    order_id: Option<&str>,
    dead: Option<&str>,
) -> Result<Claim> {
    if !(1..=MAX_QUANTITY).contains(&count) {
        return Err(Error::Invalid {
            field: "count",
            problem: format!("must be from 1 to {MAX_QUANTITY}"),
        });
    }
    let reorder_id = id::new("RO");
    write::transaction!(&warehouse.0, "reorder::claim", |c| {
        let product = product::lock(c, product_id).await?;
        let (wanted, order_id, follows) = match &product.open_reorder {
            Some(open) if Some(open.as_str()) == dead => {
                let dead = find(c, open).await?;
                set_status(c, open, Status::Released).await?;
                (count.max(dead.wanted), dead.order_id, Some(dead.reorder_id))
            }
            Some(open) => {
                raise_wanted(c, open, count).await?;
                let reorder = find(c, open).await?;
                return Ok(Claim {
                    reorder,
                    won: false,
                });
            }
            None => (count, order_id.map(str::to_owned), None),
        };
        let reorder = open(c, &product, &reorder_id, order_id, wanted, follows).await?;
        Ok(Claim { reorder, won: true })
    })
}

/// Looks whether the stock came back before the factory is asked; if so, closes the reorder. A repeated
/// call gives the answer of the closed reorder again. A reorder that lost its claim takes it again if
/// it is free.
pub async fn check(warehouse: &Warehouse, reorder_id: &str) -> Result<Check> {
    let product_id = get(warehouse, reorder_id).await?.product_id;
    write::transaction!(&warehouse.0, "reorder::check", |c| {
        let product = product::lock(c, &product_id).await?;
        let stock = product.stock;
        let reorder = find(c, reorder_id).await?;
        if matches!(reorder.status, Status::Arrived | Status::InStock) {
            return Ok(Check::InStock { stock });
        }
        let reorder = match hold(c, &product, reorder).await? {
            Standing::Held(reorder) => reorder,
            Standing::Superseded { by } => return Ok(Check::Superseded { by }),
        };
        if stock >= reorder.wanted {
            set_status(c, reorder_id, Status::InStock).await?;
            product::point(c, &product_id, None).await?;
            return Ok(Check::InStock { stock });
        }
        let missing = reorder.wanted - stock;
        Ok(Check::Short {
            reorder,
            stock,
            missing,
        })
    })
}

/// The reorder with this id.
pub async fn get(warehouse: &Warehouse, reorder_id: &str) -> Result<Reorder> {
    let mut connection = warehouse.pool().acquire().await?;
    find(&mut connection, reorder_id).await
}

/// Every open reorder, oldest first. A schedule may start each one's execution again, which does nothing
/// where it runs.
pub async fn list_open(warehouse: &Warehouse) -> Result<Vec<Reorder>> {
    let reorders = sqlx::query_as(
        "select reorder_id, product_id, factory_id, quantity, order_id, wanted, status, follows, opened_at, \
         closed_at from reorders where status = 'open' order by opened_at, reorder_id",
    )
    .fetch_all(warehouse.pool())
    .await?;
    Ok(reorders)
}

/// After so many short deliveries in a row the factory is not asked again by itself.
const MOST_SHORT: usize = 5;

/// A close that left a count unmet and opened no successor.
pub(crate) struct GivenUp {
    wanted: i64,
}

impl std::fmt::Display for GivenUp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{MOST_SHORT} deliveries in a row were short, and a customer still wants {}: the factory is not asked \
             again until the next checkout is refused.",
            self.wanted
        )
    }
}

/// Whether a reorder may act for its product.
pub(crate) enum Standing {
    /// It holds the claim, perhaps since just now.
    Held(Reorder),
    /// Another does.
    Superseded { by: String },
}

/// Lets a reorder keep its claim, or take it again where nobody else has it. The caller holds the
/// product's lock and read `reorder` under it.
pub(crate) async fn hold(
    c: &mut AnyConnection,
    product: &Product,
    mut reorder: Reorder,
) -> Result<Standing> {
    match &product.open_reorder {
        Some(open) if *open == reorder.reorder_id => Ok(Standing::Held(reorder)),
        Some(open) => Ok(Standing::Superseded { by: open.clone() }),
        None => {
            sqlx::query(
                "update reorders set status = 'open', closed_at = null where reorder_id = ?",
            )
            .bind(&reorder.reorder_id)
            .execute(&mut *c)
            .await?;
            product::point(c, &product.product_id, Some(&reorder.reorder_id)).await?;
            reorder.status = Status::Open;
            reorder.closed_at = None;
            Ok(Standing::Held(reorder))
        }
    }
}

/// Closes a reorder because a delivery of it was counted, and opens the next one if the largest unmet
/// count is still above `stock`. Only the holder of the claim is closed with a successor: where
/// another reorder is open, that one answers for the product. The caller holds the product's lock.
///
/// A factory that delivers less each time would be asked for ever: after [`MOST_SHORT`] short deliveries in a row for
/// one unmet count there is no successor, and the answer says so. The next refused checkout begins anew.
pub(crate) async fn close_arrived(
    c: &mut AnyConnection,
    product: &Product,
    reorder_id: &str,
    next_id: &str,
    stock: i64,
) -> Result<Option<GivenUp>> {
    set_status(c, reorder_id, Status::Arrived).await?;
    if product.open_reorder.as_deref() != Some(reorder_id) {
        return Ok(None);
    }
    let closed = find(c, reorder_id).await?;
    let wanted = closed.wanted;
    let unmet = wanted > stock;
    let given_up = unmet && short_in_a_row(c, reorder_id, wanted).await? == MOST_SHORT;
    if unmet && !given_up {
        let follows = Some(closed.reorder_id);
        open(c, product, next_id, closed.order_id, wanted, follows).await?;
    } else {
        product::point(c, &product.product_id, None).await?;
    }
    Ok(given_up.then_some(GivenUp { wanted }))
}

/// How many reorders up to this one, each opened by the close of the one before, got less than was asked for while the
/// same count stayed unmet (a larger one is new demand, and begins anew); counts no further than [`MOST_SHORT`].
async fn short_in_a_row(c: &mut AnyConnection, reorder_id: &str, wanted: i64) -> Result<usize> {
    let mut next = Some(reorder_id.to_owned());
    for count in 0..MOST_SHORT {
        let Some(current) = next else {
            return Ok(count);
        };
        let found: Option<Option<String>> = sqlx::query_scalar(
            "select follows from reorders where reorder_id = ? and wanted = ? and status = 'arrived' and exists \
             (select 1 from arrivals a where a.reorder_id = reorders.reorder_id \
             and a.applied_at is not null and a.delivered < a.asked)",
        )
        .bind(&current)
        .bind(wanted)
        .fetch_optional(&mut *c)
        .await?;
        let Some(follows) = found else {
            return Ok(count);
        };
        next = follows;
    }
    Ok(MOST_SHORT)
}

/// The open reorder that followed this one, whose execution may not have been started yet.
pub(crate) async fn successor(c: &mut AnyConnection, reorder_id: &str) -> Result<Option<Reorder>> {
    let next = sqlx::query_as(
        "select reorder_id, product_id, factory_id, quantity, order_id, wanted, status, follows, opened_at, \
         closed_at from reorders where follows = ? and status = 'open'",
    )
    .bind(reorder_id)
    .fetch_optional(c)
    .await?;
    Ok(next)
}

/// Reads one; under the product's lock where its changing columns matter.
pub(crate) async fn find(c: &mut AnyConnection, reorder_id: &str) -> Result<Reorder> {
    let reorder = sqlx::query_as(
        "select reorder_id, product_id, factory_id, quantity, order_id, wanted, status, follows, opened_at, \
         closed_at from reorders where reorder_id = ?",
    )
    .bind(reorder_id)
    .fetch_optional(c)
    .await?;
    reorder.ok_or_else(|| Entity::Reorder.missing(reorder_id))
}

async fn open(
    c: &mut AnyConnection,
    product: &Product,
    reorder_id: &str,
    order_id: Option<String>,
    wanted: i64,
    follows: Option<String>,
) -> Result<Reorder> {
    let reorder = Reorder {
        reorder_id: reorder_id.to_owned(),
        product_id: product.product_id.clone(),
        factory_id: product.identifier.clone(),
        quantity: wanted.max(product.reorder_quantity),
        order_id,
        wanted,
        status: Status::Open,
        follows,
        opened_at: id::now_ms(),
        closed_at: None,
    };
    sqlx::query(
        "insert into reorders (reorder_id, product_id, factory_id, quantity, order_id, wanted, status, \
         follows, opened_at) values (?, ?, ?, ?, ?, ?, 'open', ?, ?)",
    )
    .bind(&reorder.reorder_id)
    .bind(&reorder.product_id)
    .bind(&reorder.factory_id)
    .bind(reorder.quantity)
    .bind(reorder.order_id.as_deref())
    .bind(reorder.wanted)
    .bind(reorder.follows.as_deref())
    .bind(reorder.opened_at)
    .execute(&mut *c)
    .await?;
    product::point(c, &product.product_id, Some(reorder_id)).await?;
    Ok(reorder)
}

async fn raise_wanted(c: &mut AnyConnection, reorder_id: &str, count: i64) -> Result<()> {
    sqlx::query("update reorders set wanted = ? where reorder_id = ? and wanted < ?")
        .bind(count)
        .bind(reorder_id)
        .bind(count)
        .execute(c)
        .await?;
    Ok(())
}

async fn set_status(c: &mut AnyConnection, reorder_id: &str, status: Status) -> Result<()> {
    sqlx::query("update reorders set status = ?, closed_at = ? where reorder_id = ?")
        .bind(status.as_str())
        .bind(id::now_ms())
        .bind(reorder_id)
        .execute(c)
        .await?;
    Ok(())
}

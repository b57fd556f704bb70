//! The first scenes: a customer buys, a bulk buyer becomes a VIP, a surge empties the warehouse.

use std::collections::BTreeSet;

use aws_sdk_sfn::types::ExecutionStatus;
use serde_json::{Value, json};
use shop::{Customers, customer};

use super::{Capability, Child, DemoError, Stage, in_step};
use crate::cli::DemoArgs;

const VIP: &str = "arn:aws:states:us-east-1:000000000000:execution:vip:";

/// One customer, who asks twice.
pub(super) async fn a_customer_buys(stage: &mut Stage) -> Result<(), DemoError> {
    stage.report.scene("A customer buys");
    let before = stage.shop.look().await?;
    stage.report.tell(
        "look",
        format!("{} of {} in stock", before.stock, before.sku),
    );
    let bought = stage.shop.buy(3, Some("demo-first-order")).await?;
    let again = stage.shop.buy(3, Some("demo-first-order")).await?;
    let id = &bought.order_id;
    stage.report.tell(
        "buy",
        format!("3 as order {id}, {} remain", bought.remaining),
    );
    let evidence = json!({ "order": id, "answers": 2, "remaining": again.remaining });
    stage
        .report
        .show(Capability::CheckoutOnce, bought == again, evidence);
    Ok(())
}

/// One customer buys little, another in bulk.
pub(super) async fn a_bulk_buyer_becomes_a_vip(
    stage: &mut Stage,
    child: &Child,
) -> Result<(), DemoError> {
    stage.report.scene("A bulk buyer becomes a VIP");
    let small = stage.shop.buy_as("CU-2", 5).await?;
    let big = stage.shop.buy_as("CU-1", 150).await?;
    stage
        .report
        .tell("buy", "CU-2 bought 5, CU-1 bought 150".to_owned());
    let arn = format!("{VIP}{}", big.order_id);
    let (status, output) = stage.watch.ended(&arn).await?;
    let output: Value = serde_json::from_str(&output).unwrap_or_default();
    let executions = stage.watch.executions("vip").await?;
    let customers =
        Customers::open(child.customers_url(), 1).map_err(in_step("look at the customers"))?;
    let kind = async |id| {
        let found = customer::get(&customers, id).await;
        let found = found.map_err(in_step("look at the customers"))?;
        Ok::<_, DemoError>(found.kind.as_str())
    };
    let (buyer, other) = (kind("CU-1").await?, kind("CU-2").await?);
    customers.close().await;
    let states = stage.watch.states(&arn).await?;
    stage
        .report
        .tell("workflow", format!("{} {}", big.order_id, status.as_str()));
    let shown = status == ExecutionStatus::Succeeded
        && output["outcome"] == "upgraded"
        && (buyer, other) == ("vip", "normal")
        && executions.iter().all(|it| it.name != small.order_id);
    let evidence = json!({
        "order": big.order_id, "quantity": 150, "execution": arn, "status": status.as_str(), "states": states,
        "outcome": output["outcome"], "CU-1": buyer, "CU-2": other, "executions": executions.len()
    });
    stage.report.show(Capability::Vip, shown, evidence);

    let marketed = stage.partners.marketed().await?;
    let ids: Vec<_> = marketed
        .iter()
        .map(|it| &it["customer"]["customer_id"])
        .collect();
    let evidence = json!({
        "received": ids.len(), "customers": ids, "marketing_id": output["marketing_id"],
        "idempotency_key": marketed.first().map(|it| &it["key"])
    });
    let shown = ids == [&json!("CU-1")] && marketed[0]["id"] == output["marketing_id"];
    stage.report.show(Capability::Marketing, shown, evidence);
    Ok(())
}

/// Many clients at once, and a factory that delivers everything twice.
pub(super) async fn a_surge_empties_the_warehouse(
    stage: &mut Stage,
    args: &DemoArgs,
) -> Result<(), DemoError> {
    let title = format!(
        "A surge: {} checkouts from {} clients, and a factory that delivers twice",
        args.checkouts, args.clients
    );
    stage.report.scene(&title);
    stage
        .partners
        .factory(json!({ "fault": "duplicate" }))
        .await?;
    let surge = stage.shop.surge(args.checkouts, args.clients).await?;
    stage.report.tell("surge", surge.to_string());
    stage.report.check(
        "every checkout was answered",
        surge.failed == 0,
        surge.to_string(),
    );
    let (asked, refused) = stage.shop.buy_too_much(500).await?;
    stage
        .report
        .tell("buy too much", format!("{asked}: {}", refused.outcome));
    // A reorder of the surge may be on its way, and may bring enough: then this one ends at once.
    stage.watch.settled().await?;
    stage.partners.repair_factory().await?;

    let executions = stage.watch.executions("reorder").await?;
    for execution in &executions {
        let status = execution.status.as_str();
        stage
            .report
            .tell("reorder", format!("{} {status}", execution.name));
    }
    let succeeded = executions
        .iter()
        .all(|it| it.status == ExecutionStatus::Succeeded);
    let arns: Vec<_> = executions.iter().map(|it| &it.execution_arn).collect();
    let books = stage.watch.books().await?;
    let states = match arns.first() {
        Some(arn) => stage.watch.states(arn).await?,
        None => Vec::new(),
    };
    let names: BTreeSet<&str> = states.iter().map(String::as_str).collect();
    let steps = [
        "CheckStock",
        "RequestFactory",
        "AwaitCallback",
        "IncreaseStock",
    ];
    let shown = refused.outcome == "refused"
        && succeeded
        && books.arrivals > 0
        && steps.iter().all(|step| names.contains(step));
    let evidence = json!({
        "refused_checkouts": books.orders_refused, "reorders": arns.len(), "executions": arns, "states": states,
        "items_arrived": books.items_arrived, "stock": books.stock
    });
    stage.report.show(Capability::Reorder, shown, evidence);
    let once =
        books.arrivals == books.arrivals_counted && books.items_arrived == books.ledger_arrived;
    let evidence = json!({
        "factory": "every order was delivered twice", "arrivals": books.arrivals, "ledger_rows": books.arrivals_counted,
        "items": books.ledger_arrived
    });
    stage.report.show(
        Capability::DeliveredTwice,
        once && books.arrivals > 0,
        evidence,
    );
    Ok(())
}

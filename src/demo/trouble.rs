//! The scenes of trouble: the factory is down, and a delivery comes after its execution has ended.

use aws_sdk_sfn::types::ExecutionStatus;
use serde_json::json;

use super::{Capability, DemoError, Stage};

/// The queue that a failed call to the factory parks in.
const QUEUE: &str = "request_factory_dlq";

/// Every order gets the factory's maintenance page, until an operator has it repaired and replays.
pub(super) async fn the_factory_is_down(stage: &mut Stage) -> Result<(), DemoError> {
    stage
        .report
        .scene("The factory is down: it answers with its maintenance page");
    stage
        .partners
        .factory(json!({ "fault": "rubbish" }))
        .await?;
    let (asked, _) = stage.shop.buy_too_much(700).await?;
    stage
        .report
        .tell("buy too much", format!("{asked}: refused"));
    let execution = stage.watch.running_reorder().await?;
    let arn = execution.execution_arn;
    let depth = stage
        .watch
        .until("a message in the task's DLQ", async || {
            let depth = stage.watch.depth(QUEUE).await?;
            Ok((depth > 0).then_some(depth))
        })
        .await?;
    let alert = ["failed and is parked", &arn];
    let alert = stage
        .watch
        .mail("the alert of a parked task", &alert)
        .await?;
    stage.report.tell("operations", alert.subject.clone());
    let list = stage.operator.reads(&["dlq", "list", "--json"]).await?;
    let parked = &list[0];
    stage.report.tell(
        "parked",
        format!(
            "{} with {}",
            parked["state"].as_str().unwrap_or_default(),
            parked["error"].as_str().unwrap_or_default()
        ),
    );
    let shown = parked["execution_arn"] == json!(arn)
        && parked["state"] == "RequestFactory"
        && parked["error"] == "Factory.BadAnswer"
        && depth == 1;
    let evidence = json!({
        "execution": arn, "state": parked["state"], "error": parked["error"], "cause": parked["cause"], "queue": QUEUE,
        "messages": depth, "since": parked["since"], "alert": alert.text()
    });
    stage.report.show(Capability::Parking, shown, evidence);

    stage.partners.repair_factory().await?;
    stage
        .report
        .tell("factory", "repaired; the operator replays".to_owned());
    let replay = ["dlq", "replay", &execution.name];
    stage.operator.types(&replay).await?;
    let (status, _) = stage.watch.ended(&arn).await?;
    let left = stage.watch.depth(QUEUE).await?;
    let states = stage.watch.states(&arn).await?;
    let asked_twice = states.iter().filter(|it| *it == "RequestFactory").count() == 2;
    let checked_once = states.iter().filter(|it| *it == "CheckStock").count() == 1;
    stage
        .report
        .tell("reorder", format!("{} {}", execution.name, status.as_str()));
    let shown = status == ExecutionStatus::Succeeded && left == 0 && asked_twice && checked_once;
    let evidence = json!({
        "command": format!("restock {}", replay.join(" ")), "execution": arn, "status": status.as_str(), "states": states,
        "messages_left": left
    });
    stage.report.show(Capability::Replay, shown, evidence);
    Ok(())
}

/// An operator stops an execution that waits for the factory; the factory delivers all the same.
pub(super) async fn a_delivery_comes_too_late(stage: &mut Stage) -> Result<(), DemoError> {
    stage
        .report
        .scene("An execution is stopped by mistake, and its delivery comes later");
    stage.partners.factory(json!({ "delay_ms": 2_500 })).await?;
    let (asked, _) = stage.shop.buy_too_much(900).await?;
    stage
        .report
        .tell("buy too much", format!("{asked}: refused"));
    let execution = stage.watch.running_reorder().await?;
    let (name, arn) = (execution.name, execution.execution_arn);
    stage
        .watch
        .until("an execution that waits for the factory", async || {
            let events = stage.watch.history(&arn).await?;
            let waits = events.iter().any(|event| {
                let submitted = event.task_submitted_event_details.as_ref();
                submitted.is_some_and(|it| it.resource_type == "lambda")
            });
            Ok(waits.then_some(()))
        })
        .await?;
    let before = stage.watch.books().await?;
    stage
        .operator
        .types(&["executions", "stop", &name, "--yes"])
        .await?;
    let (stopped, _) = stage.watch.ended(&arn).await?;
    stage
        .watch
        .mail("the alert of an ended execution", &["ended ABORTED", &arn])
        .await?;
    let alert = ["counted without its execution", &name];
    let alert = stage
        .watch
        .mail("the alert of a late delivery", &alert)
        .await?;
    stage.report.tell("operations", alert.subject.clone());
    let counted = stage.watch.books().await?;
    let shown = stopped == ExecutionStatus::Aborted
        && before.arrivals + 1 == counted.arrivals
        && counted.arrivals_counted == counted.arrivals;
    let evidence = json!({
        "execution": arn, "status": stopped.as_str(), "arrivals_before": before.arrivals_counted,
        "arrivals_after": counted.arrivals_counted, "stock": counted.stock, "alert": alert.text()
    });
    stage.report.show(Capability::LateArrival, shown, evidence);

    stage
        .operator
        .types(&["executions", "redrive", &name])
        .await?;
    let (status, _) = stage.watch.ended(&arn).await?;
    let events = stage.watch.history(&arn).await?;
    let redriven = events
        .iter()
        .any(|it| it.r#type.as_str() == "ExecutionRedriven");
    let after = stage.watch.books().await?;
    stage
        .report
        .tell("reorder", format!("{name} {}", status.as_str()));
    let shown = redriven && status == ExecutionStatus::Succeeded && after.stock == counted.stock;
    let evidence = json!({
        "command": format!("restock executions redrive {name}"), "execution": arn, "status": status.as_str(),
        "stock_before": counted.stock, "stock_after": after.stock, "history_events": events.len()
    });
    stage.report.show(Capability::Redrive, shown, evidence);
    Ok(())
}

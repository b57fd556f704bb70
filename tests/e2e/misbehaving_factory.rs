//! Everything the factory can do wrong, and what must come of it.

use aws_sdk_sfn::types::{ExecutionStatus, HistoryEventType};
use serde_json::json;

use crate::harness::{Factory, SKU, Up, eventually};

async fn with_fault(flags: &[&str]) -> (Factory, Up) {
    with_fault_and(flags, &[]).await
}

async fn with_fault_and(flags: &[&str], up_flags: &[&str]) -> (Factory, Up) {
    let factory = Factory::start(flags).await;
    let args: Vec<&str> = ["--factory-url", &factory.url]
        .into_iter()
        .chain(up_flags.iter().copied())
        .collect();
    let up = Up::start_with(&args).await;
    let (_, refused) = up.buy(2_000).await;
    assert_eq!(refused["outcome"], "refused");
    (factory, up)
}

/// What the factory posts.
fn delivery(count: u64) -> serde_json::Value {
    json!({
        "MessageGroupId": "stock-arrival-group",
        "MessageAttributeProductId": SKU,
        "MessageAttributeProductCnt": count.to_string(),
        "MessageAttributeFactoryId": "FF-500293",
        "MessageAttributeRequester": "somebody",
        "CallbackUrl": "http://127.0.0.1/",
    })
}

#[tokio::test]
async fn an_outage_is_outwaited() {
    let (_factory, up) = with_fault(&["--fault", "error", "--fault-count", "2"]).await;
    assert_eq!(up.ended_reorder().await.status, ExecutionStatus::Succeeded);
    up.settle().await;
    assert_eq!(up.assert_books().await.items_arrived, 2_000);
}

#[tokio::test]
async fn a_refusal_alerts_and_parks_until_it_is_replayed_or_discarded() {
    let (_factory, up) = with_fault(&["--fault", "reject", "--fault-count", "1"]).await;
    let message = up.parked("request_factory_dlq").await;
    assert_eq!(message["failed"]["state"], "RequestFactory");
    assert_eq!(message["failed"]["error"], "Factory.Rejected");
    assert_eq!(
        up.mails_about("parked").await.len(),
        1,
        "operations were told"
    );
    assert_eq!(up.executions().await[0].status, ExecutionStatus::Running);

    // The factory takes the second order.
    let token = message["token"].as_str().unwrap();
    up.sfn()
        .await
        .send_task_success()
        .task_token(token)
        .output("{}")
        .send()
        .await
        .unwrap();
    let ended = up.ended_reorder().await;
    assert_eq!(ended.status, ExecutionStatus::Succeeded);
    assert_eq!(up.assert_books().await.items_arrived, 2_000);
}

#[tokio::test]
async fn a_discarded_task_fails_the_execution_with_the_original_error() {
    let (_factory, up) = with_fault(&["--fault", "reject"]).await;
    let message = up.parked("request_factory_dlq").await;
    let fail = up
        .sfn()
        .await
        .send_task_failure()
        .task_token(message["token"].as_str().unwrap());
    fail.error("Factory.Rejected")
        .cause("discarded")
        .send()
        .await
        .unwrap();
    let ended = up.ended_reorder().await;
    assert_eq!(ended.status, ExecutionStatus::Failed);
    let failed = up.history(&ended.execution_arn).await.pop().unwrap();
    assert_eq!(failed.r#type, HistoryEventType::ExecutionFailed);
    assert_eq!(
        failed
            .execution_failed_event_details
            .unwrap()
            .error
            .as_deref(),
        Some("Factory.Rejected")
    );
    eventually("the alert of the ended execution", async || {
        let told = up
            .mails_saying(&["ended FAILED", &ended.execution_arn])
            .await;
        (!told.is_empty()).then_some(())
    })
    .await;
}

#[tokio::test]
async fn rubbish_parks_with_its_own_name() {
    let (_factory, up) = with_fault(&["--fault", "rubbish"]).await;
    assert_eq!(
        up.parked("request_factory_dlq").await["failed"]["error"],
        "Factory.BadAnswer"
    );
}

#[tokio::test]
async fn silence_ends_in_a_parked_timeout_and_a_replay_asks_again() {
    let (_factory, up) = with_fault_and(
        &["--fault", "silent", "--fault-count", "1"],
        &["--callback-timeout-seconds", "2"],
    )
    .await;
    let message = up.parked("await_callback_dlq").await;
    assert_eq!(message["failed"]["error"], "States.Timeout");
    // Awaiting again would ask nobody: go back to the state that asks, with its own input.
    let input = json!({ "reorder_id": message["failed"]["input"]["reorder_id"], "product_id": SKU, "quantity": 2_000 });
    let output = json!({ "state": "RequestFactory", "input": input }).to_string();
    let answer = up
        .sfn()
        .await
        .send_task_success()
        .task_token(message["token"].as_str().unwrap())
        .output(output);
    answer.send().await.unwrap();
    assert_eq!(up.ended_reorder().await.status, ExecutionStatus::Succeeded);
    assert_eq!(up.assert_books().await.items_arrived, 2_000);
}

#[tokio::test]
async fn a_delivery_after_the_timeout_is_still_counted_once() {
    let (_factory, up) = with_fault_and(
        &["--delay-ms", "4000"],
        &["--callback-timeout-seconds", "1"],
    )
    .await;
    let message = up.parked("await_callback_dlq").await;
    eventually("the late delivery in the books", async || {
        (up.books().await.arrivals_counted == 1).then_some(())
    })
    .await;
    // Replayed, the state finds the arrival that is already counted.
    up.sfn()
        .await
        .send_task_success()
        .task_token(message["token"].as_str().unwrap())
        .output("{}")
        .send()
        .await
        .unwrap();
    assert_eq!(up.ended_reorder().await.status, ExecutionStatus::Succeeded);
    let books = up.assert_books().await;
    assert_eq!((books.arrivals, books.items_arrived), (1, 2_000));
}

#[tokio::test]
async fn a_delivery_after_its_task_was_discarded_is_counted_once_and_reported() {
    // The factory would deliver in an hour; the test does it in its place, when it wants.
    let (factory, up) = with_fault_and(
        &["--delay-ms", "3600000"],
        &["--callback-timeout-seconds", "1"],
    )
    .await;
    let message = up.parked("await_callback_dlq").await;
    let fail = up.sfn().await.send_task_failure();
    fail.task_token(message["token"].as_str().unwrap())
        .error("States.Timeout")
        .cause("discarded")
        .send()
        .await
        .unwrap();
    let ended = up.ended_reorder().await;
    assert_eq!(ended.status, ExecutionStatus::Failed);

    let orders = factory.orders().await;
    let request = &orders[0]["request"];
    let callback = request["CallbackUrl"].as_str().unwrap();
    for _ in 0..2 {
        let posted = up.http.post(callback).json(request).send().await.unwrap();
        assert_eq!(posted.status(), 200);
    }
    let books = up.assert_books().await;
    assert_eq!((books.arrivals, books.items_arrived), (1, 2_000));
    let told = eventually("the report of the late delivery", async || {
        let words = [
            "counted without its execution",
            "does not wait any more",
            &ended.name,
        ];
        let told = up.mails_saying(&words).await;
        (!told.is_empty()).then_some(told)
    })
    .await;
    assert_eq!(told.len(), 1, "{told:?}");
    let (_, sold) = up.buy(2_500).await;
    assert_eq!(sold["outcome"], "sold", "what came late can be bought");
}

#[tokio::test]
async fn a_repeated_callback_counts_once() {
    let (_factory, up) = with_fault(&["--fault", "duplicate"]).await;
    assert_eq!(up.ended_reorder().await.status, ExecutionStatus::Succeeded);
    up.settle().await;
    let books = up.assert_books().await;
    assert_eq!((books.arrivals, books.items_arrived), (1, 2_000));
}

#[tokio::test]
async fn a_callback_before_the_token_is_counted() {
    let (_factory, up) = with_fault(&["--fault", "early"]).await;
    assert_eq!(up.ended_reorder().await.status, ExecutionStatus::Succeeded);
    assert_eq!(up.assert_books().await.items_arrived, 2_000);
}

#[tokio::test]
async fn a_short_delivery_is_counted_as_it_came_and_reported() {
    let (_factory, up) = with_fault(&["--fault", "short", "--short-by", "300"]).await;
    assert_eq!(up.ended_reorder().await.status, ExecutionStatus::Succeeded);
    assert_eq!(up.assert_books().await.items_arrived, 1_700);
    eventually("the report of the difference", async || {
        let words = ["fewer items", "asked for 2000 and brought 1700"];
        let told = !up.mails_saying(&words).await.is_empty();
        told.then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_wrong_signature_changes_nothing() {
    let (_factory, up) = with_fault(&["--fault", "wrong-signature"]).await;
    let attempt = eventually("the attempt", async || up.attempts().await.pop())
        .await
        .attempt_id;
    for (path, expected) in [
        (format!("/factory/callbacks/{attempt}?sig=00"), 403),
        (format!("/factory/callbacks/{attempt}"), 403),
        ("/factory/callbacks/unknown?sig=00".to_owned(), 404),
    ] {
        let (status, answer) = up.post(&path, &delivery(2_000)).await;
        assert_eq!(status, expected, "{path}: {answer}");
    }
    tokio::time::sleep(std::time::Duration::from_millis(800)).await;
    let books = up.books().await;
    assert_eq!((books.arrivals, books.stock), (0, 1_000));
}

#[tokio::test]
async fn the_sales_api_sells_on_while_the_factory_hangs() {
    let (_factory, up) = with_fault(&["--fault", "hang"]).await;
    let (status, sold) = up.buy(5).await;
    assert_eq!((status, sold["outcome"].as_str()), (200, Some("sold")));
}

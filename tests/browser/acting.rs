//! Acting: redrive, replay a parked task with another input, discard, fork, start; and the audit of it all.

use aws_sdk_sfn::types::ExecutionStatus;
use serde_json::Value;

use crate::browser::{Browser, Screen};
use crate::harness::{Factory, Up, eventually};

/// An installation whose first orders to the factory are refused, with the task that is parked for it.
async fn with_a_parked_task(refused: &str) -> (Factory, Up, Browser) {
    let factory = Factory::start(&["--fault", "reject", "--fault-count", refused]).await;
    let up = Up::start_with(&["--factory-url", &factory.url]).await;
    up.buy(2_000).await;
    up.parked("request_factory_dlq").await;
    let browser = Browser::open(up.console()).await;
    (factory, up, browser)
}

/// The audit's lines.
fn audit(up: &Up) -> Vec<Value> {
    let text = std::fs::read_to_string(up.data_dir().join("console-audit.jsonl")).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[tokio::test]
async fn a_parked_task_is_replayed_with_an_edited_input() {
    let (_factory, up, browser) = with_a_parked_task("1").await;
    // It is told from what runs where everything is listed.
    browser.go("/executions").await;
    browser.sees("RequestFactory: Factory.Rejected").await;
    browser.click_css("nav.tabs a[href*=PARKED]").await;
    browser.sees("Replay the 1 shown").await;
    for screen in [Screen::Light, Screen::Dark, Screen::Phone] {
        browser.check_accessible(screen).await;
    }
    browser.check_fits(Screen::Phone).await;
    browser.click_css("tbody tr[data-row] a").await;
    browser.stands("parked").await;
    // The state that is told about is inside its frame, however large the picture is.
    let inside = "const [s, f] = ['.canvas .chosen', '.canvas'].map((q) => document.querySelector(q).getBoundingClientRect());
        return s.top >= f.top && s.bottom <= f.bottom && s.left >= f.left && s.right <= f.right;";
    for screen in [Screen::Light, Screen::Phone] {
        browser.screen(screen).await;
        browser.go(&browser.path().await).await;
        assert_eq!(browser.run(inside, vec![]).await, true, "{screen:?}");
    }
    browser.screen(Screen::Light).await;

    browser.go("/queues").await;
    browser.sees("Factory.Rejected").await;
    for screen in [Screen::Light, Screen::Dark, Screen::Phone] {
        browser.check_accessible(screen).await;
    }
    browser.picture("parked", Screen::Dark).await;
    browser.picture("parked", Screen::Phone).await;
    browser.check_fits(Screen::Phone).await;

    browser.click("Replay").await;
    browser.sees("It failed after").await;
    browser.check_accessible(Screen::Dark).await;
    let text = browser.value("#input").await;
    // What is no JSON is told, and nothing is sent.
    browser.fill("#input", "{").await;
    browser.click("Review").await;
    browser.sees("This is not JSON").await;

    let mut input: Value = serde_json::from_str(&text).unwrap();
    input["note"] = "by an operator".into();
    browser.fill("#input", &input.to_string()).await;
    browser.click("Review").await;
    browser.sees("by an operator").await;
    browser.sees("again: RequestFactory").await;
    browser.check_accessible(Screen::Light).await;
    browser.picture("replay", Screen::Light).await;
    browser.click("Replay it").await;
    browser.sees("1 of 1 worked").await;
    browser.check_accessible(Screen::Light).await;

    assert_eq!(up.ended_reorder().await.status, ExecutionStatus::Succeeded);
    up.settle().await;
    let lines = audit(&up);
    assert_eq!(lines.len(), 2, "before and after: {lines:?}");
    assert_eq!(lines[0]["action"], "replay");
    assert_eq!(lines[0]["what"]["input"]["note"], "by an operator");
    assert_eq!(lines[1]["result"]["ok"], true);
    let all = serde_json::to_string(&lines).unwrap();
    assert!(!all.contains("\"token\""), "{all}");
    browser.go("/audit").await;
    browser.sees("replay").await;
    browser.check_accessible(Screen::Phone).await;
    browser.close().await;
    up.assert_books().await;
}

#[tokio::test]
async fn what_was_discarded_is_redriven_then_forked() {
    let (_factory, up, browser) = with_a_parked_task("1").await;
    browser.go("/queues").await;
    browser.click_css("input[name=parked]").await;
    browser.click("Discard the chosen").await;
    browser.sees("fails with the error it had").await;
    browser.fill("#reason", "not today").await;
    browser.click_css("main form button.danger").await;
    browser.sees("1 of 1 worked").await;
    let failed = up.ended_reorder().await;
    assert_eq!(failed.status, ExecutionStatus::Failed);
    browser.go("/queues").await;
    browser.sees("Nothing is parked").await;

    let page = format!("/executions/{}", failed.execution_arn);
    browser.go(&page).await;
    browser.sees("not today").await;
    browser.check_accessible(Screen::Dark).await;
    // It parks again where it was parked; this time it is replayed.
    browser.click("Redrive").await;
    browser.sees("These tasks run").await;
    browser.check_accessible(Screen::Light).await;
    browser.click("Redrive the execution").await;
    browser.sees("1 of 1 worked").await;
    up.parked("request_factory_dlq").await;
    eventually("the task on the page", async || {
        browser.go("/queues").await;
        browser
            .text()
            .await
            .contains("Factory.Rejected")
            .then_some(())
    })
    .await;
    browser.click_css("input[name=parked]").await;
    browser.click("Replay the chosen").await;
    browser.click("Review").await;
    browser.sees("The input is as it was").await;
    browser.click("Replay it").await;
    browser.sees("1 of 1 worked").await;
    assert_eq!(up.ended_reorder().await.status, ExecutionStatus::Succeeded);

    browser
        .go(&format!("/act/fork?execution={}", failed.execution_arn))
        .await;
    browser
        .run(
            "document.querySelector('#from').value = 'EmailAdsResume'",
            vec![],
        )
        .await;
    browser.click("Go on").await;
    let mut input: Value = serde_json::from_str(&browser.value("#input").await).unwrap();
    assert!(input.is_object(), "the state's own input: {input}");
    input["note"] = "forked".into();
    browser.fill("#input", &input.to_string()).await;
    browser.check_accessible(Screen::Light).await;
    browser.click("Review").await;
    browser.sees("again: EmailAdsResume").await;
    browser.sees("forked").await;
    browser.check_accessible(Screen::Light).await;
    browser.click("Start the fork").await;
    browser.sees("temporary state machine").await;
    browser.click_css("tbody tr a").await;
    browser.stands("succeeded").await;

    let actions: Vec<_> = audit(&up)
        .iter()
        .filter(|line| line.get("result").is_some())
        .map(|line| line["action"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(actions, ["discard", "redrive", "replay", "fork"]);
    browser.close().await;
}

#[tokio::test]
async fn an_execution_is_started_by_a_form_and_stopped() {
    let factory = Factory::start(&["--fault", "silent"]).await;
    let up = Up::start_with(&["--factory-url", &factory.url]).await;
    let browser = Browser::open(up.console()).await;
    browser.go("/act/start?machine=vip").await;
    browser.sees("customer_id").await;
    browser.check_accessible(Screen::Light).await;
    browser.check_fits(Screen::Phone).await;
    browser.fill("[name='input.customer_id']", "CU-1").await;
    browser.fill("[name='input.quantity']", "many").await;
    browser.click("Start").await;
    browser.sees("quantity must be a whole number").await;
    for (field, text) in [
        ("order_id", "OR-1"),
        ("product_id", "CP-502101"),
        ("quantity", "150"),
        ("vip_quantity", "150"),
    ] {
        browser.fill(&format!("[name='input.{field}']"), text).await;
    }
    browser.click("Start").await;
    browser.sees("1 of 1 worked").await;
    browser.click_css("tbody tr a").await;
    browser.stands("succeeded").await;

    up.buy(2_000).await;
    eventually("the wait for the factory", async || {
        browser.go("/callbacks").await;
        browser
            .text()
            .await
            .contains("await_callback")
            .then_some(())
    })
    .await;
    browser.check_accessible(Screen::Light).await;
    browser.check_fits(Screen::Phone).await;
    let arn = up.executions().await.remove(0).execution_arn;
    browser.go(&format!("/executions/{arn}")).await;
    browser.click("Stop").await;
    browser.fill("#cause", "enough").await;
    browser.click("Stop the execution").await;
    browser.sees("1 of 1 worked").await;
    assert_eq!(up.ended_reorder().await.status, ExecutionStatus::Aborted);
    browser.close().await;
}

#[tokio::test]
async fn dead_letters_are_looked_at_and_sent_back() {
    let up = Up::start().await;
    let sqs = up.sqs().await;
    let queue = sqs.get_queue_url().queue_name("vip_queue_dlq");
    let url = queue.send().await.unwrap().queue_url.unwrap();
    let sent = sqs.send_message().queue_url(&url).message_body("no order");
    sent.send().await.unwrap();
    let browser = Browser::open(up.console()).await;
    browser.go("/queues/vip_queue_dlq").await;
    browser.check_accessible(Screen::Light).await;
    browser.click("Look at its messages").await;
    browser.sees("no order").await;
    for screen in [Screen::Light, Screen::Dark, Screen::Phone] {
        browser.check_accessible(screen).await;
    }
    browser.check_fits(Screen::Phone).await;
    browser.click_css("input[name=letter]").await;
    browser.click("Send the chosen back to vip_queue").await;
    browser.sees("as a new message").await;
    browser.check_accessible(Screen::Light).await;
    browser.click("Send 1 message(s) back to vip_queue").await;
    browser.sees("1 sent back to vip_queue").await;
    browser.close().await;
}

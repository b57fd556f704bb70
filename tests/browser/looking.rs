//! Looking: browse, filter, open, watch; every page empty and full, light, dark and on a phone.

use aws_sdk_sfn::types::ExecutionStatus;

use crate::browser::{Browser, Screen};
use crate::harness::{Factory, Up};

/// Pages that are there in an empty installation, and a text of each that says what to do.
const EMPTY: [(&str, &str); 8] = [
    ("/", "Overview"),
    ("/executions", "Executions"),
    ("/workflows", "reorder"),
    ("/queues", "Nothing is parked"),
    ("/callbacks", "Nothing waits for a callback"),
    ("/shop", "Nobody has bought anything yet"),
    ("/mail", "No mail was sent yet"),
    ("/audit", "Nothing was changed through this console yet"),
];

#[tokio::test]
async fn every_page_says_what_to_do_while_it_is_empty() {
    let up = Up::start().await;
    let browser = Browser::open(up.console()).await;
    for (path, part) in EMPTY {
        browser.go(path).await;
        browser.sees(part).await;
        for screen in [Screen::Light, Screen::Dark, Screen::Phone] {
            browser.check_accessible(screen).await;
        }
        browser.check_fits(Screen::Phone).await;
    }
    browser.go("/no/such/page").await;
    browser.sees("Not found").await;
    browser.close().await;
}

#[tokio::test]
async fn a_reorder_is_watched_while_it_runs() {
    let factory = Factory::start(&["--delay-ms", "4000"]).await;
    let up = Up::start_with(&["--factory-url", &factory.url]).await;
    let browser = Browser::open(up.console()).await;
    browser.go("/executions").await;
    // A page that was loaded anew would have forgotten this.
    browser.run("window.stays = true", vec![]).await;
    let (_, refused) = up.buy(2_000).await;
    assert_eq!(refused["outcome"], "refused");
    browser.sees("reorder-RO-").await;
    assert_eq!(browser.run("return window.stays", vec![]).await, true);

    browser.click_css("tbody tr[data-row] a").await;
    browser.sees("AwaitCallback").await;
    browser.stands("running").await;
    browser.run("window.stays = true", vec![]).await;
    for screen in [Screen::Light, Screen::Dark, Screen::Phone] {
        browser.picture("execution", screen).await;
    }
    browser.stands("succeeded").await;
    assert_eq!(browser.run("return window.stays", vec![]).await, true);
    assert_eq!(up.ended_reorder().await.status, ExecutionStatus::Succeeded);
    up.settle().await;

    for screen in [Screen::Light, Screen::Dark, Screen::Phone] {
        browser.check_accessible(screen).await;
    }
    browser.check_fits(Screen::Phone).await;
    // The shop's and the outbox's side of the same story.
    for (path, part) in [
        ("/shop", "refused"),
        ("/shop/CP-502101", "arrival"),
        ("/mail", "newest first"),
        ("/queues/stock_queue", "dead letters"),
        ("/workflows/reorder", "CheckStock"),
        ("/logs?function=request_factory", "the factory was asked"),
    ] {
        browser.go(path).await;
        let wanted = part.to_lowercase();
        let text = browser.text().await.to_lowercase();
        assert!(
            text.contains(&wanted),
            "{path} does not tell {part}:\n{text}"
        );
        browser.check_accessible(Screen::Light).await;
        browser.check_fits(Screen::Phone).await;
    }
    browser.close().await;
}

#[tokio::test]
async fn the_list_is_filtered_and_searched() {
    let up = Up::start().await;
    up.buy(2_000).await;
    up.ended_reorder().await;
    let sfn = up.sfn().await;
    for n in 0..3 {
        sfn.start_execution()
            .state_machine_arn(crate::harness::REORDER)
            .name(format!("by-hand-{n}"))
            .input(r#"{"product_id":"CP-502101"}"#)
            .send()
            .await
            .unwrap();
    }
    let browser = Browser::open(up.console()).await;
    browser.go("/executions").await;
    browser.sees("by-hand-2").await;
    let shown = async || {
        let count = "return document.querySelectorAll('tbody tr[data-row]').length";
        browser.run(count, vec![]).await.as_u64().unwrap()
    };
    assert_eq!(shown().await, 4);
    for screen in [Screen::Light, Screen::Dark, Screen::Phone] {
        browser.check_accessible(screen).await;
    }
    browser.picture("executions", Screen::Light).await;
    browser.check_fits(Screen::Phone).await;
    browser.go("/executions?status=SUCCEEDED").await;
    assert_eq!(shown().await, 1);
    browser.go("/executions?q=by-hand-1").await;
    assert_eq!(shown().await, 1);
    browser.go("/executions?q=no-such-thing").await;
    assert_eq!(shown().await, 0);
    // By the keyboard: into the search, then to another page.
    browser.go("/executions").await;
    browser.keys("/").await;
    let focused = "return document.activeElement.matches('[data-search]')";
    assert_eq!(browser.run(focused, vec![]).await, true);
    browser.go("/executions").await;
    browser.keys("gq").await;
    browser.sees("All queues").await;
    browser.close().await;
}

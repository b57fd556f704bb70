//! Executions and their histories.

use aws_sdk_sfn::error::ProvideErrorMetadata as _;
use aws_sdk_sfn::types::{ExecutionRedriveStatus, ExecutionStatus, HistoryEventType};

use crate::support::{Fixture, PASS, WAIT};

const CHOOSE: &str = r#"{"StartAt":"Choose","QueryLanguage":"JSONata","States":{
    "Choose":{"Type":"Choice","Choices":[{"Condition":"{% $states.input.n > 1 %}","Next":"Many"}],"Default":"Few"},
    "Many":{"Type":"Pass","Output":{"found":"many"},"End":true},
    "Few":{"Type":"Fail","Error":"TooFew","Cause":"not enough"}}}"#;

#[tokio::test]
async fn an_execution_ends_as_its_definition_says() {
    let mut fixture = Fixture::start().await;
    let machine = fixture.machine("choose", CHOOSE).await;

    let many = fixture.execution(&machine, r#"{"n": 2}"#).await;
    assert_eq!(fixture.end_of(&many).await, ExecutionStatus::Succeeded);
    let described = fixture
        .client
        .describe_execution()
        .execution_arn(&many)
        .send()
        .await
        .unwrap();
    assert_eq!(described.input.as_deref(), Some(r#"{"n": 2}"#));
    assert_eq!(described.output.as_deref(), Some(r#"{"found":"many"}"#));
    assert!(described.input_details.unwrap().included);
    assert!(described.stop_date.unwrap() >= described.start_date);
    assert_eq!(
        described.redrive_status,
        Some(ExecutionRedriveStatus::NotRedrivable)
    );
    assert_eq!(
        described.redrive_status_reason.as_deref(),
        Some("Execution is SUCCEEDED and cannot be redriven")
    );

    let few = fixture.execution(&machine, r#"{"n": 1}"#).await;
    assert_eq!(fixture.end_of(&few).await, ExecutionStatus::Failed);
    let described = fixture
        .client
        .describe_execution()
        .execution_arn(&few)
        .send()
        .await
        .unwrap();
    assert_eq!(
        (described.error.as_deref(), described.cause.as_deref()),
        (Some("TooFew"), Some("not enough"))
    );
    assert_eq!(described.output, None);
    assert_eq!(
        described.redrive_status,
        Some(ExecutionRedriveStatus::Redrivable)
    );
}

#[tokio::test]
async fn a_history_is_paged_in_both_directions() {
    let mut fixture = Fixture::start().await;
    let machine = fixture.machine("pass", PASS).await;
    let execution = fixture.execution(&machine, r#"{"secret":1}"#).await;
    fixture.end_of(&execution).await;
    let expected = [
        HistoryEventType::ExecutionStarted,
        HistoryEventType::PassStateEntered,
        HistoryEventType::PassStateExited,
        HistoryEventType::ExecutionSucceeded,
    ];
    for reverse in [false, true] {
        let request = fixture
            .client
            .get_execution_history()
            .execution_arn(&execution)
            .reverse_order(reverse);
        let mut pages = request.into_paginator().page_size(3).send();
        let mut sizes = Vec::new();
        let mut types = Vec::new();
        while let Some(page) = pages.next().await {
            let events = page.unwrap().events;
            sizes.push(events.len());
            types.extend(events.into_iter().map(|event| event.r#type));
        }
        if reverse {
            types.reverse();
        }
        assert_eq!(types, expected);
        assert_eq!(sizes, [3, 1]);
    }

    let request = fixture
        .client
        .get_execution_history()
        .execution_arn(&execution);
    let with_data = request.clone().send().await.unwrap();
    let started = with_data.events[0]
        .execution_started_event_details()
        .unwrap();
    assert_eq!(started.input(), Some(r#"{"secret":1}"#));
    let without = request.include_execution_data(false).send().await.unwrap();
    assert_eq!(
        without.events[0]
            .execution_started_event_details()
            .unwrap()
            .input(),
        None
    );
}

#[tokio::test]
async fn starting_again_is_the_same_only_while_it_runs_with_that_input() {
    let fixture = Fixture::start().await;
    let machine = fixture.machine("wait", WAIT).await;
    let start = |input: &str| {
        fixture
            .client
            .start_execution()
            .state_machine_arn(&machine)
            .name("once")
            .input(input)
    };
    let first = start("{}").send().await.unwrap();
    let again = start("{}").send().await.unwrap();
    assert_eq!(
        (first.execution_arn.clone(), first.start_date),
        (again.execution_arn, again.start_date)
    );
    let expected = format!("Execution Already Exists: '{}'", first.execution_arn);
    let error = start("[]").send().await.unwrap_err();
    assert_eq!(
        (error.code(), error.message()),
        (Some("ExecutionAlreadyExists"), Some(expected.as_str()))
    );

    let stop = || {
        fixture
            .client
            .stop_execution()
            .execution_arn(&first.execution_arn)
            .error("E")
            .cause("why")
    };
    let stopped = stop().send().await.unwrap();
    let error = start("{}").send().await.unwrap_err();
    assert_eq!(error.code(), Some("ExecutionAlreadyExists"));

    // Stopping what has ended changes nothing.
    assert_eq!(stop().send().await.unwrap().stop_date, stopped.stop_date);
    let described = fixture
        .client
        .describe_execution()
        .execution_arn(&first.execution_arn)
        .send()
        .await
        .unwrap();
    assert_eq!(described.status, ExecutionStatus::Aborted);
    assert_eq!(
        (described.error.as_deref(), described.cause.as_deref()),
        (Some("E"), Some("why"))
    );
}

#[tokio::test]
async fn executions_are_listed_newest_first_and_by_status() {
    let mut fixture = Fixture::start().await;
    let machine = fixture.machine("pass", PASS).await;
    let mut expected = Vec::new();
    for _ in 0..5 {
        let execution = fixture.execution(&machine, "{}").await;
        fixture.end_of(&execution).await;
        expected.insert(0, execution);
    }
    let list = || fixture.client.list_executions().state_machine_arn(&machine);
    let succeeded = list().status_filter(ExecutionStatus::Succeeded);
    let mut pages = succeeded.into_paginator().page_size(2).send();
    let mut listed = Vec::new();
    while let Some(page) = pages.next().await {
        listed.extend(
            page.unwrap()
                .executions
                .into_iter()
                .map(|execution| execution.execution_arn),
        );
    }
    assert_eq!(listed, expected);
    let running = list()
        .status_filter(ExecutionStatus::Running)
        .send()
        .await
        .unwrap();
    assert!(running.executions.is_empty());

    // A token is good for its own list only.
    let token = list()
        .max_results(1)
        .send()
        .await
        .unwrap()
        .next_token
        .unwrap();
    let other = list()
        .status_filter(ExecutionStatus::Running)
        .next_token(token);
    assert_eq!(other.send().await.unwrap_err().code(), Some("InvalidToken"));
}

#[tokio::test]
async fn a_running_execution_keeps_its_revision_after_update_and_deletion() {
    let fixture = Fixture::start().await;
    let machine = fixture.machine("wait", WAIT).await;
    let execution = fixture.execution(&machine, "{}").await;
    let update = fixture
        .client
        .update_state_machine()
        .state_machine_arn(&machine)
        .definition(PASS);
    update.send().await.unwrap();
    fixture
        .client
        .delete_state_machine()
        .state_machine_arn(&machine)
        .send()
        .await
        .unwrap();

    let fixture = fixture.restart().await;
    let request = fixture
        .client
        .describe_state_machine_for_execution()
        .execution_arn(&execution);
    let described = request.send().await.unwrap();
    assert_eq!(
        (described.definition.as_str(), described.name.as_str()),
        (WAIT, "wait")
    );
    let described = fixture
        .client
        .describe_execution()
        .execution_arn(&execution)
        .send()
        .await
        .unwrap();
    assert_eq!(described.status, ExecutionStatus::Running);
}

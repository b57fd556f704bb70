//! State machines and their versions.

use aws_sdk_sfn::error::ProvideErrorMetadata as _;
use aws_sdk_sfn::types::{
    LoggingConfiguration, StateMachineType, ValidateStateMachineDefinitionResultCode,
};

use crate::support::{Fixture, PASS, ROLE, WAIT};

#[tokio::test]
async fn a_machine_is_described_as_it_was_made() {
    let fixture = Fixture::start().await;
    let arn = fixture.machine("reorder", PASS).await;
    assert_eq!(
        arn,
        "arn:aws:states:us-east-1:000000000000:stateMachine:reorder"
    );

    let described = fixture
        .client
        .describe_state_machine()
        .state_machine_arn(&arn)
        .send()
        .await
        .unwrap();
    assert_eq!(described.definition, PASS);
    assert_eq!(described.role_arn, ROLE);
    assert_eq!(described.name, "reorder");
    assert_eq!(described.r#type, StateMachineType::Standard);
    assert_eq!(described.revision_id, None);
    assert_eq!(
        described
            .logging_configuration
            .unwrap()
            .level
            .unwrap()
            .as_str(),
        "OFF"
    );
    assert!(!described.tracing_configuration.unwrap().enabled);
}

#[tokio::test]
async fn creating_again_is_the_same_or_refused() {
    let fixture = Fixture::start().await;
    let create = || {
        fixture
            .client
            .create_state_machine()
            .name("m")
            .role_arn(ROLE)
            .definition(PASS)
    };
    let first = create().send().await.unwrap();
    let again = create()
        .role_arn("arn:aws:iam::000000000000:role/other")
        .send()
        .await
        .unwrap();
    assert_eq!(again.creation_date, first.creation_date);

    let different = [
        create().definition(WAIT),
        create().definition(format!(" {PASS}")),
        create().r#type(StateMachineType::Express),
        create().publish(true),
        create().tracing_configuration(
            aws_sdk_sfn::types::TracingConfiguration::builder()
                .enabled(true)
                .build(),
        ),
    ];
    for request in different {
        let error = request.send().await.unwrap_err();
        assert_eq!(error.code(), Some("StateMachineAlreadyExists"));
        assert_eq!(
            error.message(),
            Some(
                "State Machine Already Exists: 'arn:aws:states:us-east-1:000000000000:stateMachine:m'"
            )
        );
    }
}

#[tokio::test]
async fn an_update_makes_a_revision_only_if_something_changes() {
    let fixture = Fixture::start().await;
    let arn = fixture.machine("m", PASS).await;
    let update = || {
        fixture
            .client
            .update_state_machine()
            .state_machine_arn(&arn)
    };

    let same = update().definition(PASS).send().await.unwrap();
    assert_eq!(same.revision_id, None);
    let changed = update().definition(WAIT).send().await.unwrap();
    assert!(changed.revision_id.is_some());
    let logging = LoggingConfiguration::builder()
        .include_execution_data(true)
        .build();
    let relogged = update()
        .logging_configuration(logging)
        .send()
        .await
        .unwrap();
    assert_ne!(relogged.revision_id, changed.revision_id);

    let described = fixture
        .client
        .describe_state_machine()
        .state_machine_arn(&arn)
        .send()
        .await
        .unwrap();
    assert_eq!(described.definition, WAIT);
    assert_eq!(described.revision_id, relogged.revision_id);
    assert!(
        described
            .logging_configuration
            .unwrap()
            .include_execution_data
    );
}

#[tokio::test]
async fn versions_are_numbered_once_and_survive_updates_and_restarts() {
    let fixture = Fixture::start().await;
    let arn = fixture.machine("m", PASS).await;
    let version = |number: u32| format!("{arn}:{number}");
    let publish = |fixture: &Fixture| {
        fixture
            .client
            .publish_state_machine_version()
            .state_machine_arn(&arn)
    };
    let list = |fixture: &Fixture| {
        fixture
            .client
            .list_state_machine_versions()
            .state_machine_arn(&arn)
    };

    let first = publish(&fixture).description("first").send().await.unwrap();
    assert_eq!(first.state_machine_version_arn, version(1));
    // The same revision is not published twice.
    assert_eq!(
        publish(&fixture)
            .send()
            .await
            .unwrap()
            .state_machine_version_arn,
        version(1)
    );
    let update = fixture
        .client
        .update_state_machine()
        .state_machine_arn(&arn)
        .definition(WAIT)
        .publish(true);
    let updated = update.version_description("second").send().await.unwrap();
    assert_eq!(updated.state_machine_version_arn, Some(version(2)));

    let fixture = fixture.restart().await;
    let listed = list(&fixture).send().await.unwrap().state_machine_versions;
    let listed: Vec<_> = listed
        .into_iter()
        .map(|version| version.state_machine_version_arn)
        .collect();
    assert_eq!(listed, [version(2), version(1)]);
    for (number, definition, description) in [(1, PASS, "first"), (2, WAIT, "second")] {
        let request = fixture
            .client
            .describe_state_machine()
            .state_machine_arn(version(number));
        let described = request.send().await.unwrap();
        assert_eq!(described.definition, definition);
        assert_eq!(described.description.as_deref(), Some(description));
        assert_eq!(described.state_machine_arn, version(number));
    }

    let delete = fixture
        .client
        .delete_state_machine_version()
        .state_machine_version_arn(version(2));
    delete.clone().send().await.unwrap();
    delete.send().await.unwrap();
    assert_eq!(
        publish(&fixture)
            .send()
            .await
            .unwrap()
            .state_machine_version_arn,
        version(3)
    );

    let error = publish(&fixture)
        .revision_id("other")
        .send()
        .await
        .unwrap_err();
    assert_eq!(error.code(), Some("ConflictException"));
}

#[tokio::test]
async fn lists_are_paged_by_name() {
    let fixture = Fixture::start().await;
    for name in ["b", "a", "d", "c", "e"] {
        fixture.machine(name, PASS).await;
    }
    let mut pages = fixture
        .client
        .list_state_machines()
        .into_paginator()
        .page_size(2)
        .send();
    let mut names = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.unwrap();
        names.push(
            page.state_machines
                .into_iter()
                .map(|machine| machine.name)
                .collect::<String>(),
        );
    }
    assert_eq!(names, ["ab", "cd", "e"]);
}

#[tokio::test]
async fn deleting_takes_everything_of_the_machine_along() {
    let fixture = Fixture::start().await;
    let create = || {
        fixture
            .client
            .create_state_machine()
            .name("m")
            .role_arn(ROLE)
            .definition(PASS)
    };
    let arn = create()
        .publish(true)
        .send()
        .await
        .unwrap()
        .state_machine_arn;
    let delete = || {
        fixture
            .client
            .delete_state_machine()
            .state_machine_arn(&arn)
    };
    delete().send().await.unwrap();
    delete().send().await.unwrap();

    let error = fixture
        .client
        .describe_state_machine()
        .state_machine_arn(&arn)
        .send()
        .await
        .unwrap_err();
    assert_eq!(error.code(), Some("StateMachineDoesNotExist"));
    // A new machine of that name begins anew.
    create().send().await.unwrap();
    let versions = fixture
        .client
        .list_state_machine_versions()
        .state_machine_arn(&arn)
        .send()
        .await
        .unwrap();
    assert!(versions.state_machine_versions.is_empty());
}

#[tokio::test]
async fn definitions_are_validated_without_being_stored() {
    let fixture = Fixture::start().await;
    let validate = |definition: &str| {
        fixture
            .client
            .validate_state_machine_definition()
            .definition(definition)
    };
    let good = validate(PASS).send().await.unwrap();
    assert_eq!(good.result, ValidateStateMachineDefinitionResultCode::Ok);
    assert!(good.diagnostics.is_empty());

    let token = r#"{"StartAt":"A","States":{"A":{"Type":"Task","Resource":"arn:aws:states:::sqs:sendMessage.waitForTaskToken",
        "Parameters":{"QueueUrl":"q","MessageBody":{"t.$":"$$.Task.Token"}},"End":true}}}"#;
    assert_eq!(
        validate(token).send().await.unwrap().result,
        ValidateStateMachineDefinitionResultCode::Ok
    );
    let refused = validate(token)
        .r#type(StateMachineType::Express)
        .send()
        .await
        .unwrap();
    assert_eq!(
        refused.result,
        ValidateStateMachineDefinitionResultCode::Fail
    );
    assert_eq!(
        refused.diagnostics[0].location.as_deref(),
        Some("/States/A/Resource")
    );

    let broken = r#"{"StartAt":"A","States":{"A":{"Type":"Pass","Next":"B"},"C":{"Type":"Pass"}}}"#;
    let refused = validate(broken).max_results(1).send().await.unwrap();
    assert_eq!(refused.diagnostics.len(), 1);
    assert_eq!(refused.truncated, Some(true));
    assert!(
        fixture
            .client
            .list_state_machines()
            .send()
            .await
            .unwrap()
            .state_machines
            .is_empty()
    );
}

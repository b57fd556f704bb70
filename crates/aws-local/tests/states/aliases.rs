//! Aliases: names that route executions to versions.

use aws_sdk_sfn::error::ProvideErrorMetadata as _;
use aws_sdk_sfn::types::RoutingConfigurationListItem;

use crate::support::{Fixture, PASS, ROLE, WAIT};

fn route(version: &str, weight: i32) -> RoutingConfigurationListItem {
    let route = RoutingConfigurationListItem::builder().state_machine_version_arn(version);
    route.weight(weight).build().unwrap()
}

/// A machine with versions 1 (PASS) and 2 (WAIT); their ARNs.
async fn versions(fixture: &Fixture) -> (String, String) {
    let create = fixture
        .client
        .create_state_machine()
        .name("m")
        .role_arn(ROLE)
        .definition(PASS);
    let made = create.publish(true).send().await.unwrap();
    let update = fixture
        .client
        .update_state_machine()
        .state_machine_arn(&made.state_machine_arn);
    let updated = update.definition(WAIT).publish(true).send().await.unwrap();
    (
        made.state_machine_version_arn.unwrap(),
        updated.state_machine_version_arn.unwrap(),
    )
}

#[tokio::test]
async fn an_alias_chooses_the_version_of_an_execution() {
    let mut fixture = Fixture::start().await;
    let (pass, wait) = versions(&fixture).await;
    let create = |weight| {
        let request = fixture
            .client
            .create_state_machine_alias()
            .name("live")
            .description("d");
        request
            .routing_configuration(route(&pass, weight))
            .routing_configuration(route(&wait, 100 - weight))
    };
    let alias = create(100).send().await.unwrap().state_machine_alias_arn;
    assert_eq!(
        create(100).send().await.unwrap().state_machine_alias_arn,
        alias
    );
    assert_eq!(
        create(50).send().await.unwrap_err().code(),
        Some("ConflictException")
    );

    let execution = fixture.execution(&alias, "{}").await;
    fixture.end_of(&execution).await;
    let described = fixture
        .client
        .describe_execution()
        .execution_arn(&execution)
        .send()
        .await
        .unwrap();
    assert_eq!(
        described.state_machine_alias_arn.as_deref(),
        Some(alias.as_str())
    );
    assert_eq!(
        described.state_machine_version_arn.as_deref(),
        Some(pass.as_str())
    );
    assert_eq!(
        described.state_machine_arn,
        "arn:aws:states:us-east-1:000000000000:stateMachine:m"
    );

    // The other version, by its own name.
    let waiting = fixture.execution(&wait, "{}").await;
    for (arn, expected) in [(&alias, &execution), (&pass, &execution), (&wait, &waiting)] {
        let listed = fixture
            .client
            .list_executions()
            .state_machine_arn(arn)
            .send()
            .await
            .unwrap();
        let listed: Vec<_> = listed
            .executions
            .iter()
            .map(|listed| &listed.execution_arn)
            .collect();
        assert_eq!(listed, [expected], "{arn}");
    }
    let request = fixture
        .client
        .describe_state_machine_for_execution()
        .execution_arn(&execution);
    assert_eq!(request.send().await.unwrap().definition, PASS);
}

#[tokio::test]
async fn a_version_stays_while_an_alias_points_to_it() {
    let fixture = Fixture::start().await;
    let (first, second) = versions(&fixture).await;
    let create = fixture.client.create_state_machine_alias().name("live");
    let alias = create
        .routing_configuration(route(&first, 100))
        .send()
        .await
        .unwrap()
        .state_machine_alias_arn;
    let delete = |version: &str| {
        fixture
            .client
            .delete_state_machine_version()
            .state_machine_version_arn(version)
    };
    let error = delete(&first).send().await.unwrap_err();
    assert_eq!(error.code(), Some("ConflictException"));
    assert_eq!(
        error.message(),
        Some(
            "Version to be deleted must not be referenced by an alias. Current list of aliases referencing this version: [live]"
        )
    );

    let fixture = fixture.restart().await;
    let update = fixture
        .client
        .update_state_machine_alias()
        .state_machine_alias_arn(&alias);
    update
        .routing_configuration(route(&second, 100))
        .send()
        .await
        .unwrap();
    fixture
        .client
        .delete_state_machine_version()
        .state_machine_version_arn(&first)
        .send()
        .await
        .unwrap();
    let described = fixture
        .client
        .describe_state_machine_alias()
        .state_machine_alias_arn(&alias)
        .send()
        .await
        .unwrap();
    assert_eq!(
        described.routing_configuration.unwrap(),
        [route(&second, 100)]
    );
    assert!(described.update_date.unwrap() >= described.creation_date.unwrap());

    let delete = || {
        fixture
            .client
            .delete_state_machine_alias()
            .state_machine_alias_arn(&alias)
    };
    delete().send().await.unwrap();
    assert_eq!(
        delete().send().await.unwrap_err().code(),
        Some("ResourceNotFound")
    );
}

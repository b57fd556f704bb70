//! Tags of state machines and activities.

use aws_sdk_sfn::error::ProvideErrorMetadata as _;
use aws_sdk_sfn::types::Tag;

use crate::support::{Fixture, PASS, ROLE};

fn tag(key: &str, value: &str) -> Tag {
    Tag::builder().key(key).value(value).build()
}

async fn tags(fixture: &Fixture, arn: &str) -> Vec<Tag> {
    let request = fixture.client.list_tags_for_resource().resource_arn(arn);
    request.send().await.unwrap().tags.unwrap_or_default()
}

#[tokio::test]
async fn tags_are_set_changed_and_removed() {
    let fixture = Fixture::start().await;
    let create = fixture
        .client
        .create_state_machine()
        .name("m")
        .role_arn(ROLE)
        .definition(PASS);
    let machine = create
        .tags(tag("a", "1"))
        .send()
        .await
        .unwrap()
        .state_machine_arn;
    let create = fixture.client.create_activity().name("pack");
    let activity = create
        .tags(tag("a", "1"))
        .send()
        .await
        .unwrap()
        .activity_arn;
    for arn in [machine, activity] {
        let request = fixture.client.tag_resource().resource_arn(&arn);
        request
            .tags(tag("b", ""))
            .tags(tag("a", "2"))
            .send()
            .await
            .unwrap();
        assert_eq!(tags(&fixture, &arn).await, [tag("a", "2"), tag("b", "")]);
        let request = fixture.client.untag_resource().resource_arn(&arn);
        request.tag_keys("a").tag_keys("none").send().await.unwrap();
        assert_eq!(tags(&fixture, &arn).await, [tag("b", "")]);

        let mut request = fixture.client.tag_resource().resource_arn(&arn);
        for number in 0..50 {
            request = request.tags(tag(&format!("k{number}"), ""));
        }
        assert_eq!(
            request.send().await.unwrap_err().code(),
            Some("TooManyTags")
        );
        assert_eq!(tags(&fixture, &arn).await, [tag("b", "")]);
    }
}

//! Activities: tasks that workers ask for.

use aws_sdk_sfn::error::ProvideErrorMetadata as _;
use aws_sdk_sfn::types::{ExecutionStatus, HistoryEventType};

use crate::support::Fixture;

fn definition(activity: &str) -> String {
    format!(
        r#"{{"StartAt":"Pack","States":{{"Pack":{{"Type":"Task","Resource":"{activity}","End":true}}}}}}"#
    )
}

#[tokio::test]
async fn a_worker_gets_the_task_and_answers_it() {
    let fixture = Fixture::start().await;
    let create = || fixture.client.create_activity().name("pack");
    let activity = create().send().await.unwrap().activity_arn;
    assert_eq!(create().send().await.unwrap().activity_arn, activity);
    let machine = fixture.machine("pack", &definition(&activity)).await;

    // The worker asks before there is anything to do.
    let work = fixture
        .client
        .get_activity_task()
        .activity_arn(&activity)
        .worker_name("w1");
    let (task, execution) = tokio::join!(work.send(), fixture.execution(&machine, r#"{"n":1}"#));
    let task = task.unwrap();
    assert_eq!(task.input.as_deref(), Some(r#"{"n":1}"#));

    // Taken is taken, also after a restart.
    let mut fixture = fixture.restart().await;
    let answer = fixture
        .client
        .send_task_success()
        .task_token(task.task_token.unwrap());
    answer.output("2").send().await.unwrap();
    assert_eq!(fixture.end_of(&execution).await, ExecutionStatus::Succeeded);
    let history = fixture
        .client
        .get_execution_history()
        .execution_arn(&execution)
        .send()
        .await
        .unwrap();
    let started = history
        .events
        .iter()
        .find(|event| event.r#type == HistoryEventType::ActivityStarted)
        .unwrap();
    assert_eq!(
        started
            .activity_started_event_details()
            .unwrap()
            .worker_name(),
        Some("w1")
    );
}

#[tokio::test]
async fn what_no_worker_took_is_offered_again_after_a_restart_unless_it_ended() {
    let fixture = Fixture::start().await;
    let activity = fixture
        .client
        .create_activity()
        .name("pack")
        .send()
        .await
        .unwrap()
        .activity_arn;
    let machine = fixture.machine("pack", &definition(&activity)).await;
    let stopped = fixture.execution(&machine, "1").await;
    let fixture = fixture.restart().await;
    fixture
        .client
        .stop_execution()
        .execution_arn(&stopped)
        .send()
        .await
        .unwrap();
    fixture.execution(&machine, "2").await;

    let task = fixture
        .client
        .get_activity_task()
        .activity_arn(&activity)
        .send()
        .await
        .unwrap();
    assert_eq!(task.input.as_deref(), Some("2"));
}

#[tokio::test]
async fn a_task_of_an_activity_that_does_not_exist_fails() {
    let mut fixture = Fixture::start().await;
    let activity = "arn:aws:states:us-east-1:000000000000:activity:nobody";
    let machine = fixture.machine("pack", &definition(activity)).await;
    let execution = fixture.execution(&machine, "{}").await;
    assert_eq!(fixture.end_of(&execution).await, ExecutionStatus::Failed);
    let described = fixture.client.describe_execution().execution_arn(execution);
    let described = described.send().await.unwrap();
    assert_eq!(described.error(), Some("States.Runtime"));
    let cause = described.cause().unwrap();
    assert!(cause.contains(activity), "{cause}");
}

#[tokio::test]
async fn activities_are_listed_described_and_deleted() {
    let fixture = Fixture::start().await;
    for name in ["b", "a"] {
        fixture
            .client
            .create_activity()
            .name(name)
            .send()
            .await
            .unwrap();
    }
    let listed = fixture
        .client
        .list_activities()
        .send()
        .await
        .unwrap()
        .activities;
    assert_eq!(
        listed
            .iter()
            .map(|activity| activity.name.as_str())
            .collect::<String>(),
        "ab"
    );
    let arn = &listed[0].activity_arn;
    let described = fixture
        .client
        .describe_activity()
        .activity_arn(arn)
        .send()
        .await
        .unwrap();
    assert_eq!(described.name, "a");
    fixture
        .client
        .delete_activity()
        .activity_arn(arn)
        .send()
        .await
        .unwrap();
    let error = fixture
        .client
        .describe_activity()
        .activity_arn(arn)
        .send()
        .await
        .unwrap_err();
    assert_eq!(error.code(), Some("ActivityDoesNotExist"));
    let error = fixture
        .client
        .get_activity_task()
        .activity_arn(arn)
        .send()
        .await
        .unwrap_err();
    assert_eq!(error.code(), Some("ActivityDoesNotExist"));
}

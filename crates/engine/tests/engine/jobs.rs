//! Jobs of `.sync` tasks: one that may go on after its task is ended.

use asl::{Data, Status};
use engine::{StorageError, TaskOutcome};
use serde_json::json;

use crate::fixture::{Call, Fixture, job};

/// An execution whose job runs.
async fn waiting(f: &mut Fixture, name: &str) -> (String, Call) {
    let machine = f.machine(name, job()).await;
    let arn = f.begin(&machine, "e", json!({})).await.arn;
    let call = f.tasks.next().await;
    call.run.submitted(Data::empty()).await;
    (arn, call)
}

#[tokio::test]
async fn a_job_ends_unless_its_own_end_is_the_tasks() {
    let mut f = Fixture::started();
    let text = |text: &str| (text.to_owned(), text.to_owned());
    let (arn, call) = waiting(&mut f, "succeeded").await;
    call.succeed(json!({}));
    assert_eq!(f.end_of(&arn).await.summary.status, Status::Succeeded);
    let (arn, call) = waiting(&mut f, "job-failed").await;
    let (error, cause) = text("ended");
    call.answer(TaskOutcome::JobFailed { error, cause });
    let end = f.end_of(&arn).await;
    assert_eq!(end.error.as_deref(), Some("ended"));

    let (arn, call) = waiting(&mut f, "lost").await;
    let effect = call.run.effect();
    let (error, cause) = text("not known");
    call.answer(TaskOutcome::Failed { error, cause });
    let end = f.end_of(&arn).await;
    assert_eq!(end.error.as_deref(), Some("not known"));
    // The first of all.
    assert_eq!(f.tasks.abandoned(Ok(())).await.effect(), effect);

    let (arn, call) = waiting(&mut f, "panicked").await;
    let effect = call.run.effect();
    // The runner panics when nobody answers.
    drop(call);
    assert_eq!(f.end_of(&arn).await.summary.status, Status::Failed);
    assert_eq!(f.tasks.abandoned(Ok(())).await.effect(), effect);
}

#[tokio::test]
async fn ending_a_job_is_tried_again_but_not_what_cannot_be_read() {
    let mut f = Fixture::started();
    let (arn, call) = waiting(&mut f, "m").await;
    let effect = call.run.effect();
    let stopped = f.engine.executions().stop(&arn, None, None);
    stopped.await.unwrap();
    call.succeed(json!({}));
    for _ in 0..3 {
        let failed = f.tasks.abandoned(Err(StorageError::Full)).await;
        assert_eq!(failed.effect(), effect);
        while f.tasks.none_abandoned() {
            f.pass(60);
            tokio::task::yield_now().await;
        }
    }
    let corrupt = StorageError::Corrupt("a page".to_owned());
    assert_eq!(f.tasks.abandoned(Err(corrupt)).await.effect(), effect);
    f.pass(3600);
    let (other, call) = waiting(&mut f, "other").await;
    f.engine
        .executions()
        .stop(&other, None, None)
        .await
        .unwrap();
    let effect = call.run.effect();
    drop(call);
    assert_eq!(f.tasks.abandoned(Ok(())).await.effect(), effect);
    assert!(f.tasks.none_abandoned());
}

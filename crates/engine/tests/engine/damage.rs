//! A damaged execution ends, where everybody can see it; the engine starts, and the others go on.

use std::path::Path;

use asl::{Data, Status};
use engine::{ExecutionError, TaskOutcome, TokenError};
use serde_json::json;

use crate::fixture::{Fixture, callback, job, wait};

/// An execution of `machine` that waits for an answer; its ARN and the token. It has two records and five events.
async fn asking(f: &mut Fixture, machine: &str, name: &str) -> (String, String) {
    let arn = f.begin(machine, name, json!({"of": name})).await.arn;
    let call = f.tasks.next().await;
    let token = call.token();
    call.answer(TaskOutcome::Submitted(Data::empty()));
    while f.history(&arn).await.len() < 5 {
        tokio::task::yield_now().await;
    }
    (arn, token)
}

fn sql(statement: &str) -> impl FnOnce(&Path) {
    move |file| {
        let db = rusqlite::Connection::open(file).unwrap();
        db.execute_batch(statement).unwrap();
        assert!(db.total_changes() > 0, "{statement} changed nothing");
    }
}

/// Ids are dense, and each event follows an earlier one.
async fn assert_well_formed(f: &Fixture, arn: &str) {
    let page = engine::Page {
        max: 1000,
        token: None,
    };
    let history = f.engine.executions().history(arn, false, page).await;
    for (index, entry) in history.unwrap().items.iter().enumerate() {
        let heading = entry.history().unwrap().heading();
        assert_eq!(heading.id, index as u64 + 1);
        assert!(heading.previous_event_id < heading.id);
    }
}

const FIRST: &str = "(select id << 20 | 1 from executions where name = 'hurt')";
const SECOND: &str = "(select id << 20 | 2 from executions where name = 'hurt')";

/// Damages the execution `hurt` among others; the types of the events that are left of it, and its cause.
async fn hurt(statement: &str) -> (Vec<String>, String) {
    let mut f = Fixture::started();
    let machine = f.machine("m", callback()).await;
    let (before, before_token) = asking(&mut f, &machine, "before").await;
    let (hurt, hurt_token) = asking(&mut f, &machine, "hurt").await;
    let (after, after_token) = asking(&mut f, &machine, "after").await;
    let sleeping = f.machine("w", wait(60)).await;
    let sleeping = f.begin(&sleeping, "sleeping", json!({})).await.arn;

    let mut f = f.reopen_after(sql(statement));
    let mut ended = f.engine.executions().ended();
    f.start();
    // Found by whoever needs it first: the clock, somebody who answers, or somebody who looks.
    let executions = f.engine.executions();
    let answered = executions
        .succeed(&hurt_token, Data::new(json!("late")))
        .await;
    assert!(
        matches!(answered, Err(TokenError::TaskTimedOut)),
        "{answered:?}"
    );
    let end = f.end_of(&hurt).await;
    assert_eq!(
        (end.summary.status, end.error.as_deref()),
        (Status::Failed, Some("States.Runtime"))
    );
    assert_eq!(ended.recv().await.unwrap().arn, hurt);
    assert_well_formed(&f, &hurt).await;

    for (arn, token) in [(&before, before_token), (&after, after_token)] {
        executions
            .succeed(&token, Data::new(json!("yes")))
            .await
            .unwrap();
        assert_eq!(f.end_of(arn).await.output, Some(Data::new(json!("yes"))));
    }
    f.pass(60);
    assert_eq!(f.end_of(&sleeping).await.summary.status, Status::Succeeded);

    // It stays as it is, and its name is taken.
    let history = f.history(&hurt).await;
    let f = f.crash();
    assert_eq!(f.end_of(&hurt).await, end);
    assert_eq!(f.history(&hurt).await, history);
    let again = f.engine.executions().redrive(&hurt).await;
    let whole = history.len() == 6;
    match again {
        Err(ExecutionError::ExecutionNotRedrivable { reason }) if !whole => {
            assert_eq!(reason, "Part of the execution's history is lost");
        }
        again => assert!(whole, "{again:?}"),
    }
    (history, end.cause.unwrap())
}

#[tokio::test]
async fn what_can_be_read_stays_its_history() {
    let rest = [
        "ExecutionStarted",
        "TaskStateEntered",
        "TaskScheduled",
        "TaskStarted",
        "ExecutionFailed",
    ];
    for statement in [
        format!("update records set entries = substr(entries, 10) where id = {SECOND}"),
        format!("update records set entries = x'c328' where id = {SECOND}"),
        format!("delete from records where id = {SECOND}"),
        // Another one's record, which can be read but does not continue this one.
        format!(
            "update records set entries = (select entries from records where id = {FIRST}) where id = {SECOND}"
        ),
    ] {
        let (history, cause) = hurt(&statement).await;
        assert_eq!(history, rest, "{statement}");
        assert!(
            cause.contains("What happened after event 4 is lost"),
            "{cause}"
        );
    }
}

#[tokio::test]
async fn without_its_beginning_it_ends_too() {
    for statement in [
        format!("update records set entries = '[' where id = {FIRST}"),
        format!("delete from records where id = {FIRST}"),
    ] {
        let (history, cause) = hurt(&statement).await;
        assert_eq!(
            history,
            ["ExecutionStarted", "ExecutionFailed"],
            "{statement}"
        );
        assert!(
            cause.contains("Its input and its history are lost"),
            "{cause}"
        );
    }
}

#[tokio::test]
async fn its_jobs_end_with_it() {
    let mut f = Fixture::started();
    let machine = f.machine("m", job()).await;
    let arn = f.begin(&machine, "hurt", json!({})).await.arn;
    let call = f.tasks.next().await;
    let effect = call.run.effect();
    call.run.submitted(Data::empty()).await;
    let mut f = f.reopen_after(sql(&format!(
        "update records set entries = '' where id = {SECOND}"
    )));
    f.start();
    assert_eq!(f.end_of(&arn).await.summary.status, Status::Failed);
    assert_eq!(f.tasks.abandoned(Ok(())).await.effect(), effect);
}

#[tokio::test]
async fn a_row_that_cannot_be_read_ends_it_too() {
    let hurt_row = "where name = 'hurt'";
    for (statement, said) in [
        (
            format!("update executions set next_due = 'soon' {hurt_row}"),
            "next_due",
        ),
        (
            format!("update executions set revision = 77 {hurt_row}"),
            "revision 77 is missing",
        ),
    ] {
        let (history, cause) = hurt(&statement).await;
        assert_eq!(history.len(), 6, "{statement}");
        assert!(cause.contains(said), "{cause}");
    }
}

#[tokio::test]
async fn an_execution_whose_definition_is_mended_can_be_redriven() {
    let mut f = Fixture::started();
    let machine = f.machine("m", callback()).await;
    let (arn, token) = asking(&mut f, &machine, "e").await;
    let text = callback().to_string();
    let mut f = f.reopen_after(sql("update definitions set text = '{'"));
    f.start();
    let answered = f.engine.executions().fail(&token, "E".into(), "C".into());
    assert!(matches!(answered.await, Err(TokenError::TaskTimedOut)));
    let end = f.end_of(&arn).await;
    assert_eq!(end.error.as_deref(), Some("States.Runtime"));
    assert!(end.cause.unwrap().contains("a stored definition"));
    let mended = move |file: &Path| {
        let db = rusqlite::Connection::open(file).unwrap();
        db.execute("update definitions set text = ?1", [text])
            .unwrap();
    };
    let mut f = f.reopen_after(mended);
    f.start();
    f.engine.executions().redrive(&arn).await.unwrap();
    let token = f.tasks.next().await.token();
    let executions = f.engine.executions();
    executions
        .succeed(&token, Data::new(json!(1)))
        .await
        .unwrap();
    assert_eq!(f.end_of(&arn).await.summary.status, Status::Succeeded);
}

#[tokio::test]
async fn whoever_looks_at_it_finds_how_it_ended() {
    let mut f = Fixture::started();
    let machine = f.machine("m", callback()).await;
    let (hurt, _) = asking(&mut f, &machine, "hurt").await;
    let (other, _) = asking(&mut f, &machine, "other").await;
    let mut f = f.reopen_after(sql(&format!(
        "update records set entries = '' where id = {SECOND}; \
         update records set entries = '' where id = (select id << 20 | 1 from executions where name = 'other')"
    )));
    f.start();
    assert_eq!(f.history(&hurt).await.last().unwrap(), "ExecutionFailed");
    let described = f.engine.executions().describe(&other).await.unwrap();
    assert_eq!(
        (described.summary.status, described.error.as_deref()),
        (Status::Failed, Some("States.Runtime"))
    );
}

#[tokio::test]
async fn a_damaged_page_of_the_file_hurts_the_execution_in_it() {
    let mut f = Fixture::started();
    let machine = f.machine("m", callback()).await;
    let (other, other_token) = asking(&mut f, &machine, "other").await;
    let large = json!({"text": format!("{}here{}", "x".repeat(40_000), "y".repeat(40_000))});
    let hurt = f.begin(&machine, "hurt", large).await.arn;
    let _unanswered = f.tasks.next().await;
    // A page in the middle of a long text says where the text goes on, and then does not.
    let damage = |file: &Path| {
        let mut bytes = std::fs::read(file).unwrap();
        let found = bytes.windows(6).position(|it| it == b"xherey").unwrap();
        let page = found / 8192 * 8192;
        bytes[page..page + 8].copy_from_slice(&[0xff; 8]);
        std::fs::write(file, bytes).unwrap();
    };
    let mut f = f.reopen_after(damage);
    f.start();
    let end = f.end_of(&hurt).await;
    assert_eq!(
        (end.summary.status, end.error.as_deref(), end.input),
        (Status::Failed, Some("States.Runtime"), None)
    );
    assert!(end.cause.unwrap().contains("malformed"));
    f.engine
        .executions()
        .succeed(&other_token, Data::new(json!(1)))
        .await
        .unwrap();
    assert_eq!(f.end_of(&other).await.summary.status, Status::Succeeded);
}

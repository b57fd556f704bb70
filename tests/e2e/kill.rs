//! A reorder survives SIGKILL at any moment: after the next start it finishes, and every invariant holds.

use std::time::Duration;

use aws_sdk_sfn::types::ExecutionStatus;

use crate::harness::{Up, eventually};

/// Milliseconds after the refused checkout at which `restock up` is killed. A flow takes about a second here; the
/// early moments are close together because most of the steps are there.
const MOMENTS: &[u64] = &[
    0, 5, 10, 20, 30, 45, 60, 80, 100, 130, 160, 200, 250, 300, 350, 400, 500, 650, 800, 1_000,
];

#[tokio::test]
async fn a_reorder_survives_a_kill_at_any_moment() {
    let mut up = Up::start().await;
    for (round, moment) in MOMENTS.iter().enumerate() {
        let stock = u64::try_from(up.books().await.stock).unwrap();
        let (_, sold) = up.buy(stock).await;
        assert_eq!(sold["outcome"], "sold", "{sold}");
        let before = up.books().await;
        let (status, answer) = up.buy(1).await;
        assert_eq!(
            (status, answer["outcome"].as_str()),
            (200, Some("refused")),
            "{answer}"
        );
        tokio::time::sleep(Duration::from_millis(*moment)).await;
        up.restart().await;
        let after = eventually("the delivery after a kill", async || {
            let books = up.books().await;
            (books.items_arrived > before.items_arrived && books.arrivals_waiting == 0)
                .then_some(books)
        })
        .await;
        up.settle().await;
        let after = if after.broken().is_empty() {
            after
        } else {
            up.assert_books().await
        };
        assert!(
            after.reorders > before.reorders,
            "round {round}, killed after {moment} ms: no reorder was opened"
        );
    }
    for execution in up.executions().await {
        assert_eq!(
            execution.status,
            ExecutionStatus::Succeeded,
            "{}",
            execution.name
        );
        assert_dense(
            &up.history(&execution.execution_arn)
                .await
                .iter()
                .map(|e| (e.id, e.previous_event_id))
                .collect::<Vec<_>>(),
        );
    }
    up.assert_books().await;
}

/// Ids count from 1 without a gap, and each event follows an earlier one.
pub(crate) fn assert_dense(ids: &[(i64, i64)]) {
    for (index, (id, previous)) in ids.iter().enumerate() {
        assert_eq!(*id, i64::try_from(index).unwrap() + 1);
        assert!(previous < id, "event {id} follows {previous}");
    }
}

#[tokio::test]
async fn it_ends_in_order_when_asked_to() {
    let mut up = Up::start().await;
    assert!(up.terminate().await.success(), "before any work");
    up.restart().await;
    up.buy(100_000).await;
    assert!(up.terminate().await.success(), "in the middle of a reorder");
    up.restart().await;
    up.settle().await;
    up.assert_books().await;
}

#[tokio::test]
async fn no_process_is_left_behind() {
    let mut up = Up::start().await;
    up.buy(100_000).await;
    up.settle().await;
    let children = children_of(up.pid());
    assert!(
        !children.is_empty(),
        "the flow ran without Lambda processes"
    );
    up.kill();
    eventually("the end of every child", async || {
        children.iter().all(|pid| !is_alive(*pid)).then_some(())
    })
    .await;
}

fn children_of(pid: u64) -> Vec<u64> {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    let lists =
        tasks.filter_map(|t| std::fs::read_to_string(t.unwrap().path().join("children")).ok());
    lists
        .flat_map(|l| {
            l.split_whitespace()
                .map(|p| p.parse().unwrap())
                .collect::<Vec<u64>>()
        })
        .collect()
}

fn is_alive(pid: u64) -> bool {
    // A zombie waits to be reaped by whoever adopted it; it runs no more.
    std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

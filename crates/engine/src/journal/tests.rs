//! The writer: one commit for many groups, one bad group harms no other, memory follows the order of the commits.

use std::sync::{Arc, Mutex, mpsc};

use super::*;
use crate::journal::group::Outcome;

struct Fixture {
    directory: tempfile::TempDir,
    journal: Journal,
}

impl Fixture {
    fn new() -> Fixture {
        let directory = tempfile::tempdir().unwrap();
        let journal = Journal::open(directory.path(), None).unwrap();
        Fixture { directory, journal }
    }

    /// Holds the writer until the sender is used or dropped, so that what is submitted meanwhile makes one batch.
    fn hold(&self) -> (mpsc::Sender<()>, Commit<()>) {
        let (release, held) = mpsc::channel();
        let commit = self.journal.write(move |_| {
            // Called again only if the batch fails; then the sender is gone.
            let _ = held.recv();
            Ok(())
        });
        (release, commit)
    }

    fn put(&self, key: &str) -> Commit<usize> {
        let key = key.to_owned();
        self.journal.write(move |db| {
            Ok(db.execute("insert into documents values ('test', ?1, '1')", [&key])?)
        })
    }

    async fn keys(&self) -> Vec<String> {
        let query = |db: &Connection| {
            let mut query = db.prepare("select key from documents order by key")?;
            let keys = query.query_map([], |row| row.get(0))?;
            Ok(keys.collect::<Result<_, _>>()?)
        };
        self.journal.read(query).await.unwrap()
    }
}

#[tokio::test]
async fn what_waits_together_is_committed_together() {
    let f = Fixture::new();
    let before = f.journal.stats();
    let (release, held) = f.hold();
    let writes: Vec<_> = (0..500).map(|n| f.put(&n.to_string())).collect();
    drop(release);
    held.await.unwrap();
    for write in writes {
        assert_eq!(write.await.unwrap(), 1);
    }
    let after = f.journal.stats();
    assert_eq!(after.groups - before.groups, 501);
    // The one that held the writer may have been a batch of its own.
    assert!(after.commits - before.commits <= 2, "{after:?}");
}

#[tokio::test]
async fn a_group_that_fails_harms_no_other() {
    let f = Fixture::new();
    let (release, held) = f.hold();
    let writes = ["a", "b", "a", "c"].map(|key| f.put(key));
    drop(release);
    held.await.unwrap();
    let [a, b, again, c] = writes;
    assert_eq!(
        (a.await.unwrap(), b.await.unwrap(), c.await.unwrap()),
        (1, 1, 1)
    );
    assert!(matches!(again.await, Err(StorageError::Sqlite(_))));
    assert_eq!(f.keys().await, ["a", "b", "c"]);
    assert_eq!(f.journal.stats().failures, 1);
}

#[tokio::test]
async fn a_failed_group_leaves_nothing_of_itself() {
    let f = Fixture::new();
    let half = f.journal.write(|db| {
        db.execute("insert into documents values ('test', 'half', '1')", [])?;
        Err::<(), _>(StorageError::Stale)
    });
    assert!(matches!(half.await, Err(StorageError::Stale)));
    assert!(f.keys().await.is_empty());
}

#[tokio::test]
async fn memory_is_told_in_the_order_of_submission_before_the_caller() {
    let f = Fixture::new();
    let told = Arc::new(Mutex::new(Vec::new()));
    let (release, held) = f.hold();
    let writes: Vec<_> = (0..20)
        .map(|n| {
            let told = Arc::clone(&told);
            let run = move |_: &Connection| {
                if n == 7 {
                    Err(StorageError::Stale)
                } else {
                    Ok(n)
                }
            };
            f.journal.submit(run, move |outcome: &Outcome<i32>| {
                told.lock().unwrap().push((n, outcome.is_ok()))
            })
        })
        .collect();
    drop(release);
    held.await.unwrap();
    for write in writes.into_iter().rev() {
        let _ = write.await;
        assert_eq!(told.lock().unwrap().len(), 20);
    }
    assert_eq!(
        *told.lock().unwrap(),
        (0..20).map(|n| (n, n != 7)).collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn a_closed_journal_has_stored_what_came_before_and_refuses_the_rest() {
    let f = Fixture::new();
    let (release, _held) = f.hold();
    let before = f.put("before");
    drop(release);
    f.journal.close();
    assert_eq!(before.await.unwrap(), 1);
    assert!(matches!(f.put("after").await, Err(StorageError::Closed)));
    assert!(matches!(
        f.journal.read(|_| Ok(())).await,
        Err(StorageError::Closed)
    ));
    // The log was moved into the database: nothing is left to recover.
    assert!(!f.directory.path().join("engine.db-wal").exists());
    let f = Fixture {
        journal: Journal::open(f.directory.path(), None).unwrap(),
        ..f
    };
    assert_eq!(f.keys().await, ["before"]);
}

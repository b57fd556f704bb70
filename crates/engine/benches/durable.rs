//! How fast facts become durable, each figure next to a yardstick measured in the same run on the same disk.
//!
//! `cargo bench -p engine` prints one line per figure; nothing is asserted, as times depend on the machine.
//! The directory for the databases is the system's temporary one; set `TMPDIR` to measure another disk.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement stops at the first surprise and prints"
)]

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use asl::Data;
use engine::{
    Engine, MachineKind, NewMachine, NewMessage, Receive, Settings, StartRequest, TaskOutcome,
    TaskRun, TaskRunner,
};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use serde_json::{Value, json};

/// Each figure is measured for so long.
const SPAN: Duration = Duration::from_secs(3);

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let syncs = fdatasync();
    println!(
        "{:44} {syncs:>10.0} /s",
        "yardstick: write 4 KiB + fdatasync"
    );
    let raw = raw_inserts(3072);
    println!(
        "{:44} {raw:>10.0} /s",
        "yardstick: durable 3 KiB rows, batches of 100"
    );
    for callers in [1, 16, 256] {
        runtime.block_on(executions("12 Pass states", passes(12), 12, callers, raw));
    }
    runtime.block_on(executions("3 tasks", tasks(3), 3, 256, raw));
    for callers in [1, 16, 64] {
        runtime.block_on(queues(callers, raw));
    }
    runtime.block_on(waiting(100_000));
}

/// What was counted, and in what.
struct Figure<'a> {
    name: &'a str,
    unit: &'a str,
    callers: usize,
    count: u64,
    /// Transitions in each.
    per: u64,
    elapsed: Duration,
    commits: u64,
}

impl Figure<'_> {
    fn print(&self, raw: f64) {
        let Figure {
            name,
            unit,
            callers,
            count,
            per,
            elapsed,
            commits,
        } = self;
        let rate = *count as f64 / elapsed.as_secs_f64();
        let transitions = if *per > 0 {
            format!("; {:.0} transitions/s", rate * *per as f64)
        } else {
            String::new()
        };
        println!(
            "{:44} {rate:>10.0} {unit}/s{transitions}; {:.2} of the raw rows; {:.1} {unit} a commit",
            format!("{name}, {callers} callers"),
            rate / raw,
            *count as f64 / (*commits).max(1) as f64,
        );
    }
}

fn fdatasync() -> f64 {
    let directory = tempfile::tempdir().unwrap();
    let mut file = File::create(directory.path().join("f")).unwrap();
    let (begin, mut count) = (Instant::now(), 0u32);
    while begin.elapsed() < SPAN / 3 {
        file.write_all(&[7; 4096]).unwrap();
        file.sync_data().unwrap();
        count += 1;
    }
    f64::from(count) / begin.elapsed().as_secs_f64()
}

fn raw_inserts(bytes: usize) -> f64 {
    let directory = tempfile::tempdir().unwrap();
    let db = rusqlite::Connection::open(directory.path().join("raw.db")).unwrap();
    db.pragma_update(None, "journal_mode", "wal").unwrap();
    db.pragma_update(None, "synchronous", "full").unwrap();
    db.execute_batch("create table t (id integer primary key, body text not null)")
        .unwrap();
    let body = "x".repeat(bytes);
    let (begin, mut count) = (Instant::now(), 0u32);
    while begin.elapsed() < SPAN {
        let transaction = db.unchecked_transaction().unwrap();
        for _ in 0..100 {
            transaction
                .prepare_cached("insert into t (body) values (?1)")
                .unwrap()
                .execute([&body])
                .unwrap();
        }
        transaction.commit().unwrap();
        count += 100;
    }
    f64::from(count) / begin.elapsed().as_secs_f64()
}

fn passes(states: usize) -> Value {
    let state = |n: usize| {
        let next = if n + 1 == states {
            json!({"Type": "Pass", "End": true})
        } else {
            json!({"Type": "Pass", "Next": format!("S{}", n + 1)})
        };
        (format!("S{n}"), next)
    };
    json!({"StartAt": "S0", "States": (0..states).map(state).collect::<serde_json::Map<_, _>>()})
}

fn tasks(states: usize) -> Value {
    let state = |n: usize| {
        let mut task =
            json!({"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:000000000000:function:f"});
        if n + 1 == states {
            task["End"] = json!(true);
        } else {
            task["Next"] = json!(format!("S{}", n + 1));
        }
        (format!("S{n}"), task)
    };
    json!({"StartAt": "S0", "States": (0..states).map(state).collect::<serde_json::Map<_, _>>()})
}

struct Echo;

impl TaskRunner for Echo {
    fn run(&self, run: TaskRun) -> BoxFuture<'static, TaskOutcome> {
        async move { TaskOutcome::Succeeded(run.request.parameters) }.boxed()
    }
}

fn open(directory: &Path) -> Engine {
    let engine = Engine::open(directory, Settings::default()).unwrap();
    engine.start(Arc::new(Echo)).unwrap();
    engine
}

/// Executions started by so many callers, each waiting for its acknowledgement, and run to their end.
async fn executions(name: &str, definition: Value, per: u64, callers: usize, raw: f64) {
    let directory = tempfile::tempdir().unwrap();
    let engine = open(directory.path());
    let machine = machine(&engine, definition).await;
    let ended = Arc::new(AtomicU64::new(0));
    let counting = {
        let (ended, mut listener) = (Arc::clone(&ended), engine.executions().ended());
        tokio::spawn(async move {
            loop {
                match listener.recv().await {
                    Ok(_) => ended.fetch_add(1, Ordering::Relaxed),
                    Err(tokio::sync::broadcast::error::RecvError::Lagged(missed)) => {
                        ended.fetch_add(missed, Ordering::Relaxed)
                    }
                    Err(tokio::sync::broadcast::error::RecvError::Closed) => return,
                };
            }
        })
    };
    let input = Data::new(json!({"order": "o-1", "items": [1, 2, 3]}));
    let before = engine.journal_stats();
    let begin = Instant::now();
    let starters: Vec<_> = (0..callers)
        .map(|_| {
            let (executions, machine, input) =
                (engine.executions().clone(), machine.clone(), input.clone());
            tokio::spawn(async move {
                while begin.elapsed() < SPAN {
                    executions
                        .start(StartRequest::new(machine.as_str(), input.clone()))
                        .await
                        .unwrap();
                }
            })
        })
        .collect();
    for starter in starters {
        starter.await.unwrap();
    }
    let elapsed = begin.elapsed();
    let commits = engine.journal_stats().commits - before.commits;
    let count = ended.load(Ordering::Relaxed);
    Figure {
        name,
        unit: "executions",
        callers,
        count,
        per,
        elapsed,
        commits,
    }
    .print(raw);
    engine.shutdown().await;
    counting.abort();
}

async fn machine(engine: &Engine, definition: Value) -> String {
    let new = NewMachine {
        name: "m".to_owned(),
        definition: definition.to_string(),
        role_arn: "role".to_owned(),
        kind: MachineKind::Standard,
        settings: Value::Null,
    };
    engine.machines().create(new).await.unwrap().arn
}

/// Messages sent, received and deleted in batches of ten; counted once when they are gone.
async fn queues(callers: usize, raw: f64) {
    let directory = tempfile::tempdir().unwrap();
    let engine = open(directory.path());
    engine
        .queues()
        .create("q", engine::Attributes::new())
        .await
        .unwrap();
    let body = "x".repeat(1024);
    let before = engine.journal_stats();
    let begin = Instant::now();
    let workers: Vec<_> = (0..callers)
        .map(|_| {
            let (queues, body) = (engine.queues().clone(), body.clone());
            tokio::spawn(async move {
                let mut count = 0u64;
                while begin.elapsed() < SPAN {
                    queues
                        .send(
                            "q",
                            (0..10).map(|_| NewMessage::new(body.as_str())).collect(),
                        )
                        .await
                        .unwrap();
                    let received = queues
                        .receive(
                            "q",
                            Receive {
                                max: 10,
                                ..Receive::default()
                            },
                        )
                        .await
                        .unwrap();
                    let handles: Vec<_> = received
                        .into_iter()
                        .map(|message| message.receipt_handle)
                        .collect();
                    count += queues.delete_messages("q", &handles).await.unwrap().len() as u64;
                }
                count
            })
        })
        .collect();
    let mut count = 0;
    for worker in workers {
        count += worker.await.unwrap();
    }
    let elapsed = begin.elapsed();
    let commits = engine.journal_stats().commits - before.commits;
    let name = "send, receive, delete by ten";
    Figure {
        name,
        unit: "messages",
        callers,
        count,
        per: 0,
        elapsed,
        commits,
    }
    .print(raw);
    engine.shutdown().await;
}

/// Many executions that wait for a day: what they cost, and how long opening takes.
async fn waiting(count: u64) {
    let directory = tempfile::tempdir().unwrap();
    let engine = open(directory.path());
    let definition =
        json!({"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 86_400, "End": true}}});
    let machine = machine(&engine, definition).await;
    let before = resident();
    let starters: Vec<_> = (0..256)
        .map(|_| {
            let (executions, machine) = (engine.executions().clone(), machine.clone());
            tokio::spawn(async move {
                for _ in 0..count / 256 {
                    executions
                        .start(StartRequest::new(machine.as_str(), Data::empty()))
                        .await
                        .unwrap();
                }
            })
        })
        .collect();
    for starter in starters {
        starter.await.unwrap();
    }
    let grown = resident() - before;
    engine.shutdown().await;
    drop(engine);
    let begin = Instant::now();
    let engine = open(directory.path());
    let elapsed = begin.elapsed();
    println!(
        "{:44} {grown:>10.1} MiB more in memory; opened in {elapsed:.2?}",
        format!("{count} waiting executions")
    );
    engine.shutdown().await;
}

/// Resident memory in MiB.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .unwrap_or("0");
    line.trim()
        .trim_end_matches(" kB")
        .parse::<f64>()
        .unwrap_or(0.0)
        / 1024.0
}

//! Kills a real process with SIGKILL, again and again, and checks that nothing it acknowledged is lost.
//!
//! The program starts itself as the victim. The victim works on a data directory from several sides at once and prints a line
//! for every fact after its acknowledgement (and before it deletes a message). The parent kills it after a random number of
//! lines, opens the directory itself and compares. `ENGINE_KILLS` sets the number of rounds.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test may stop at the first surprise; the lines are the protocol"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use asl::{Data, Status};
use engine::{
    Clock as _, Engine, MachineKind, ManualClock, NewMachine, NewMessage, Page, Receive, Settings,
    StartRequest, SystemClock, TaskOutcome, TaskRun, TaskRunner,
};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use serde_json::json;
use tokio::sync::mpsc;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let arguments: Vec<String> = std::env::args().collect();
    match arguments.iter().position(|argument| argument == "--victim") {
        Some(at) => runtime.block_on(victim(Path::new(&arguments[at + 1]))),
        None => runtime.block_on(parent()),
    }
}

async fn parent() {
    let rounds = std::env::var("ENGINE_KILLS").map_or(6, |rounds| rounds.parse().unwrap());
    let directory = tempfile::tempdir().unwrap();
    let mut facts = Facts::default();
    for round in 1..=rounds {
        let until = rand::random_range(1..250);
        facts.collect(directory.path(), until);
        let engine = facts.check(directory.path()).await;
        engine.shutdown().await;
        println!(
            "round {round}: killed after {until} facts; {} starts, {} sends stand",
            facts.started.len(),
            facts.sent.len()
        );
    }
}

/// What the victims have acknowledged.
#[derive(Default)]
struct Facts {
    started: BTreeSet<String>,
    answered: BTreeSet<String>,
    sent: BTreeSet<String>,
    deleting: BTreeSet<String>,
    deleted: BTreeSet<String>,
    kept: BTreeMap<String, u64>,
}

impl Facts {
    /// Runs a victim and kills it after so many lines; lines it had written until then count too.
    fn collect(&mut self, directory: &Path, until: usize) {
        let mut victim = Command::new(std::env::current_exe().unwrap())
            .arg("--victim")
            .arg(directory)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(victim.stdout.take().unwrap()).lines();
        for line in lines.by_ref().take(until) {
            self.note(&line.unwrap());
        }
        victim.kill().unwrap();
        victim.wait().unwrap();
        lines
            .map_while(Result::ok)
            .for_each(|line| self.note(&line));
    }

    fn note(&mut self, line: &str) {
        // The last line may be cut; every complete one ends in a full stop.
        let Some(line) = line.strip_suffix(" .") else {
            return;
        };
        let (fact, what) = line.split_once(' ').unwrap();
        let what = what.to_owned();
        match fact {
            "started" => self.started.insert(what),
            "answered" => self.answered.insert(what),
            "sent" => self.sent.insert(what),
            "deleting" => self.deleting.insert(what),
            "deleted" => self.deleted.insert(what),
            "kept" => {
                let (key, value) = what.split_once(' ').unwrap();
                self.kept.insert(key.to_owned(), value.parse().unwrap());
                true
            }
            other => panic!("the victim printed {other}"),
        };
    }

    async fn check(&self, directory: &Path) -> Engine {
        // An hour later: whatever was in flight is visible again.
        let clock = ManualClock::new(SystemClock.now());
        clock.advance(Duration::from_secs(3600));
        let engine = Engine::open(
            directory,
            Settings {
                clock: Arc::new(clock),
                ..Settings::default()
            },
        )
        .unwrap();
        let mut ended = engine.executions().ended();
        let (tokens, _kept) = mpsc::unbounded_channel();
        engine.start(Arc::new(Runner { tokens })).unwrap();
        for arn in &self.started {
            let described = loop {
                let described = engine.executions().describe(arn).await.unwrap();
                let waits = arn.contains(":ask:") && !self.answered.contains(arn);
                if described.summary.status != Status::Running || waits {
                    break described;
                }
                let _ = ended.recv().await;
            };
            assert!(
                matches!(
                    described.summary.status,
                    Status::Running | Status::Succeeded
                ),
                "{described:?}"
            );
            self.check_history(&engine, arn).await;
        }
        self.check_queue(&engine).await;
        for (key, value) in &self.kept {
            // The victim may have stored a newer value without the time to say so.
            let stored = engine
                .documents()
                .get::<u64>("kept", key)
                .await
                .unwrap()
                .unwrap();
            assert!(stored >= *value, "{key}: {stored} is older than {value}");
        }
        engine
    }

    /// Ids are dense, and every event points to an earlier one.
    async fn check_history(&self, engine: &Engine, arn: &str) {
        let history = engine
            .executions()
            .history(
                arn,
                false,
                Page {
                    max: 10_000,
                    token: None,
                },
            )
            .await
            .unwrap();
        for (index, entry) in history.items.iter().enumerate() {
            let heading = entry.history().unwrap().heading();
            assert_eq!(heading.id, index as u64 + 1, "{arn}");
            assert!(heading.previous_event_id < heading.id, "{arn}");
        }
    }

    async fn check_queue(&self, engine: &Engine) {
        let (mut there, mut handles) = (BTreeSet::new(), Vec::new());
        loop {
            let request = Receive {
                max: 10,
                wait: Some(0),
                visibility: Some(43_200),
                in_process: false,
            };
            let received = engine.queues().receive("q", request).await.unwrap();
            if received.is_empty() {
                break;
            }
            for message in received {
                assert!(
                    there.insert(message.message_id),
                    "a message was received twice"
                );
                handles.push((message.receipt_handle, 0));
            }
        }
        // Visible again for the next victim.
        for changed in engine
            .queues()
            .change_visibility("q", &handles)
            .await
            .unwrap()
        {
            changed.unwrap();
        }
        for id in self.sent.difference(&self.deleting) {
            assert!(
                there.contains(id),
                "message {id} was acknowledged and is lost"
            );
        }
        for id in &self.deleted {
            assert!(!there.contains(id), "message {id} was deleted and is back");
        }
    }
}

/// Answers plain tasks at once and hands tokens over.
struct Runner {
    tokens: mpsc::UnboundedSender<(String, String)>,
}

impl TaskRunner for Runner {
    fn run(&self, run: TaskRun) -> BoxFuture<'static, TaskOutcome> {
        let tokens = self.tokens.clone();
        async move {
            match run.request.token {
                Some(token) => {
                    // Nobody listens in the parent.
                    let _ = tokens.send((run.execution_arn, token));
                    TaskOutcome::Submitted(Data::empty())
                }
                None => TaskOutcome::Succeeded(Data::new(json!({"Payload": 1}))),
            }
        }
        .boxed()
    }
}

fn acknowledged(fact: &str, what: &str) {
    println!("{fact} {what} .");
}

async fn victim(directory: &Path) {
    let engine = Engine::open(directory, Settings::default()).unwrap();
    let (tokens, mut answers) = mpsc::unbounded_channel();
    engine.start(Arc::new(Runner { tokens })).unwrap();
    engine
        .queues()
        .create("q", engine::Attributes::new())
        .await
        .unwrap();
    for (name, resource) in [
        ("call", "lambda:invoke"),
        ("ask", "lambda:invoke.waitForTaskToken"),
    ] {
        let arn = machine(&engine, name, resource).await;
        for _ in 0..3 {
            let (engine, arn) = (engine.clone(), arn.clone());
            tokio::spawn(async move {
                loop {
                    let started = engine
                        .executions()
                        .start(StartRequest::new(arn.as_str(), Data::empty()))
                        .await
                        .unwrap();
                    acknowledged("started", &started.arn);
                }
            });
        }
    }
    for worker in 0..3 {
        tokio::spawn(messages(engine.clone()));
        tokio::spawn(documents(engine.clone(), worker));
    }
    while let Some((arn, token)) = answers.recv().await {
        if engine
            .executions()
            .succeed(&token, Data::new(json!("yes")))
            .await
            .is_ok()
        {
            acknowledged("answered", &arn);
        }
    }
}

async fn machine(engine: &Engine, name: &str, resource: &str) -> String {
    let definition = json!({"StartAt": "S", "QueryLanguage": "JSONata", "States": {
        "S": {
            "Type": "Task",
            "Resource": format!("arn:aws:states:::{resource}"),
            "Arguments": {"FunctionName": "f", "Payload": {"token": "{% $states.context.Task.Token %}"}},
            "End": true,
        },
    }});
    let definition = if name == "call" {
        definition
            .to_string()
            .replace("{% $states.context.Task.Token %}", "none")
    } else {
        definition.to_string()
    };
    let settings = serde_json::Value::Null;
    let machine = NewMachine {
        name: name.to_owned(),
        definition,
        role_arn: "r".to_owned(),
        kind: MachineKind::Standard,
        settings,
    };
    engine.machines().create(machine).await.unwrap().arn
}

async fn messages(engine: Engine) {
    let queues = engine.queues();
    loop {
        let sent = queues
            .send(
                "q",
                vec![
                    NewMessage::new("one"),
                    NewMessage::new("two"),
                    NewMessage::new("three"),
                ],
            )
            .await
            .unwrap();
        sent.iter()
            .for_each(|sent| acknowledged("sent", &sent.message_id));
        let received = queues
            .receive(
                "q",
                Receive {
                    max: 2,
                    ..Receive::default()
                },
            )
            .await
            .unwrap();
        received
            .iter()
            .for_each(|message| acknowledged("deleting", &message.message_id));
        let handles: Vec<_> = received
            .iter()
            .map(|message| message.receipt_handle.clone())
            .collect();
        queues.delete_messages("q", &handles).await.unwrap();
        received
            .iter()
            .for_each(|message| acknowledged("deleted", &message.message_id));
    }
}

async fn documents(engine: Engine, worker: u32) {
    let key = worker.to_string();
    let mut value = engine
        .documents()
        .get::<u64>("kept", &key)
        .await
        .unwrap()
        .unwrap_or(0);
    loop {
        value += 1;
        engine.documents().put("kept", &key, &value).await.unwrap();
        acknowledged("kept", &format!("{key} {value}"));
    }
}

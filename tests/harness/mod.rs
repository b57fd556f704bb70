//! A running installation under test: starts `restock up`, kills it, starts it again on the same data.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_sdk_sfn::types::{ExecutionListItem, ExecutionStatus, HistoryEvent};
use aws_sdk_sqs::types::QueueAttributeName;
use serde_json::Value;
use shop::Warehouse;
use shop::attempt::Attempt;
use shop::report::Balance;

pub(crate) use self::factory::Factory;
pub(crate) use self::small_disk::SmallDisk;

mod factory;
mod small_disk;

/// Longer than anything takes on a busy machine; a test that waits so long has failed. What a crash left between is
/// settled by a sweep that takes what is a minute old, once a minute: two minutes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(240);
pub(crate) const REORDER: &str = "arn:aws:states:us-east-1:000000000000:stateMachine:reorder";
pub(crate) const SKU: &str = "CP-502101";

/// A process that is killed when the test ends.
pub(crate) struct Process(pub(crate) Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(crate) fn restock(args: &[&str], log: &Path) -> Process {
    run(Command::new(program()).args(args), log)
}

/// The program under test.
pub(crate) fn program() -> String {
    let built = env!("CARGO_BIN_EXE_restock").to_owned();
    std::env::var("RESTOCK_TEST_BINARY").unwrap_or(built)
}

pub(crate) fn run(command: &mut Command, log: &Path) -> Process {
    let log = File::options().create(true).append(true).open(log).unwrap();
    let child = command
        .env_clear()
        .env("PATH", std::env::var("PATH").unwrap_or_default())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .unwrap_or_else(|error| {
            panic!(
                "{} does not start: {error}",
                command.get_program().display()
            )
        });
    Process(child)
}

/// A port nobody listens on, below those the system gives to outgoing connections: a test that kills and starts again
/// finds it free, whatever else runs meanwhile.
pub(crate) fn free_port() -> u16 {
    loop {
        let port = rand::random_range(20_000..32_000);
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// Asks again and again until there is an answer; another process has nothing to notify us by.
pub(crate) async fn eventually<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(
            Instant::now() < deadline,
            "{what} did not happen within {PATIENCE:?}"
        );
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
}

/// One installation.
pub(crate) struct Up {
    process: Option<Process>,
    folder: tempfile::TempDir,
    /// Where its data lies, if not in the folder.
    disk: Option<SmallDisk>,
    listen: [String; 2],
    args: Vec<String>,
    ready: Value,
    pub http: reqwest::Client,
}

/// What the installation said last, for whoever reads a test that failed.
impl Drop for Up {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.process = None;
            self.folder.disable_cleanup(true);
            let log = std::fs::read_to_string(self.log()).unwrap_or_default();
            let lines: Vec<&str> = log.lines().collect();
            let last = &lines[lines.len().saturating_sub(80)..];
            eprintln!("the end of restock up's log:\n{}", last.join("\n"));
            eprintln!("kept for you: {}", self.folder.path().display());
        }
    }
}

impl Up {
    /// Starts a fresh installation whose simulated factory delivers after 300 ms.
    pub(crate) async fn start() -> Up {
        Up::start_with(&["--factory-delay-ms", "300"]).await
    }

    pub(crate) async fn start_with(args: &[&str]) -> Up {
        Up::start_on(None, args).await
    }

    /// The same, with its data on a disk of its own.
    pub(crate) async fn start_on(disk: Option<SmallDisk>, args: &[&str]) -> Up {
        let mut up = Up {
            process: None,
            folder: tempfile::tempdir().unwrap(),
            disk,
            listen: [free_port(), free_port()].map(|port| format!("127.0.0.1:{port}")),
            args: args.iter().map(ToString::to_string).collect(),
            ready: Value::Null,
            http: reqwest::Client::new(),
        };
        up.restart().await;
        up
    }

    /// SIGKILL: nothing is told, nothing is flushed.
    pub(crate) fn kill(&mut self) {
        self.process = None;
    }

    /// SIGTERM, as a supervisor does; gives how it ended.
    pub(crate) async fn terminate(&mut self) -> ExitStatus {
        let pid = self.pid().to_string();
        assert!(Command::new("kill").arg(pid).status().unwrap().success());
        let mut process = self.process.take().unwrap();
        eventually("the end after SIGTERM", async || {
            process.0.try_wait().unwrap()
        })
        .await
    }

    /// Starts it and kills it after this long, ready or not.
    pub(crate) async fn start_and_kill(&mut self, after: Duration) {
        self.kill();
        self.process = Some(self.spawn());
        tokio::time::sleep(after).await;
        self.kill();
    }

    /// Starts it again on the same data and the same ports.
    pub(crate) async fn restart(&mut self) {
        self.kill();
        let mut process = self.spawn();
        let (ready, log) = (self.ready_file(), self.log());
        self.ready = eventually("the ready file", async || {
            if let Some(status) = process.0.try_wait().unwrap() {
                panic!(
                    "restock up ended with {status}:\n{}",
                    std::fs::read_to_string(&log).unwrap_or_default()
                );
            }
            serde_json::from_slice(&std::fs::read(&ready).ok()?).ok()
        })
        .await;
        self.process = Some(process);
    }

    fn spawn(&self) -> Process {
        let ready = self.ready_file();
        let data = match &self.disk {
            Some(disk) => disk.inside().join("data"),
            None => self.data_dir(),
        };
        let _ = std::fs::remove_file(&ready);
        let [api, aws] = &self.listen;
        let mut args = vec!["up", "--api", api, "--aws", aws];
        args.extend(["--console", "127.0.0.1:0"]);
        args.extend([
            "--data-dir",
            data.to_str().unwrap(),
            "--ready-file",
            ready.to_str().unwrap(),
        ]);
        args.extend(self.args.iter().map(String::as_str));
        match &self.disk {
            Some(disk) => disk.restock(&args, &self.log()),
            None => restock(&args, &self.log()),
        }
    }

    fn ready_file(&self) -> PathBuf {
        self.folder.path().join("ready.json")
    }

    pub(crate) fn data_dir(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Ends with the disk that the data lies on, and keeps the data: from now on it lies in the folder.
    pub(crate) fn leave_disk(&mut self) {
        self.kill();
        let disk = self.disk.take().unwrap();
        std::fs::create_dir_all(self.data_dir()).unwrap();
        for file in std::fs::read_dir(disk.outside().join("data")).unwrap() {
            let file = file.unwrap();
            if file.file_type().unwrap().is_file() {
                std::fs::copy(file.path(), self.data_dir().join(file.file_name())).unwrap();
            }
        }
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.folder.path().join("up.log")
    }

    pub(crate) fn api(&self) -> &str {
        self.ready["api"].as_str().unwrap()
    }

    pub(crate) fn console(&self) -> &str {
        self.ready["console"].as_str().unwrap()
    }

    pub(crate) fn aws(&self) -> &str {
        self.ready["aws"].as_str().unwrap()
    }

    pub(crate) fn pid(&self) -> u64 {
        self.ready["pid"].as_u64().unwrap()
    }

    pub(crate) async fn sdk(&self) -> SdkConfig {
        aws_config::defaults(BehaviorVersion::latest())
            .endpoint_url(self.aws())
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::new("test", "test", None, None, "test"))
            .load()
            .await
    }

    pub(crate) async fn sfn(&self) -> aws_sdk_sfn::Client {
        aws_sdk_sfn::Client::new(&self.sdk().await)
    }

    pub(crate) async fn sqs(&self) -> aws_sdk_sqs::Client {
        aws_sdk_sqs::Client::new(&self.sdk().await)
    }

    pub(crate) fn queue_url(&self, name: &str) -> String {
        format!("{}/000000000000/{name}", self.aws())
    }

    /// `POST /checkout` of `count` items: status and body.
    pub(crate) async fn buy(&self, count: u64) -> (u16, Value) {
        self.post(
            "/checkout",
            &serde_json::json!({ "product_id": SKU, "quantity": count }),
        )
        .await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let answer = self
            .http
            .post(format!("{}{path}", self.api()))
            .json(body)
            .send()
            .await
            .unwrap();
        (
            answer.status().as_u16(),
            answer.json().await.unwrap_or(Value::Null),
        )
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        let answer = self
            .http
            .get(format!("{}{path}", self.api()))
            .send()
            .await
            .unwrap();
        (
            answer.status().as_u16(),
            answer.json().await.unwrap_or(Value::Null),
        )
    }

    pub(crate) async fn mails(&self) -> Vec<Value> {
        let answer = self
            .http
            .get(format!("{}/_restock/mail", self.aws()))
            .send()
            .await
            .unwrap();
        let body: Value = answer.json().await.unwrap();
        body["mail"].as_array().unwrap().clone()
    }

    /// Subjects of the mails so far that contain `part`.
    pub(crate) async fn mails_about(&self, part: &str) -> Vec<String> {
        let subjects = self
            .mails()
            .await
            .into_iter()
            .map(|m| m["subject"].as_str().unwrap().to_owned());
        subjects.filter(|s| s.contains(part)).collect()
    }

    /// The texts of the mails so far that say all of this.
    pub(crate) async fn mails_saying(&self, parts: &[&str]) -> Vec<String> {
        let texts = self
            .mails()
            .await
            .into_iter()
            .filter_map(|m| m["text"].as_str().map(str::to_owned));
        texts
            .filter(|text| parts.iter().all(|part| text.contains(part)))
            .collect()
    }

    pub(crate) async fn executions(&self) -> Vec<ExecutionListItem> {
        let answer = self
            .sfn()
            .await
            .list_executions()
            .state_machine_arn(REORDER)
            .send()
            .await
            .unwrap();
        answer.executions
    }

    /// The only reorder, once it has ended.
    pub(crate) async fn ended_reorder(&self) -> ExecutionListItem {
        eventually("the end of the reorder", async || {
            let first = self.executions().await.into_iter().next()?;
            (first.status != ExecutionStatus::Running).then_some(first)
        })
        .await
    }

    pub(crate) async fn history(&self, arn: &str) -> Vec<HistoryEvent> {
        let sfn = self.sfn().await;
        let mut pages = sfn
            .get_execution_history()
            .execution_arn(arn)
            .into_paginator()
            .items()
            .send();
        let mut events = Vec::new();
        while let Some(event) = pages.next().await {
            events.push(event.unwrap());
        }
        events
    }

    /// Messages in a queue: visible, in flight or delayed.
    pub(crate) async fn depth(&self, queue: &str) -> u64 {
        let ask = self
            .sqs()
            .await
            .get_queue_attributes()
            .queue_url(self.queue_url(queue))
            .attribute_names(QueueAttributeName::All);
        let attributes = ask.send().await.unwrap().attributes.unwrap();
        let counts = attributes
            .iter()
            .filter(|(name, _)| name.as_str().starts_with("ApproximateNumberOfMessages"));
        counts.map(|(_, value)| value.parse::<u64>().unwrap()).sum()
    }

    /// Waits until a task is parked in `queue` and gives its message, which stays there.
    pub(crate) async fn parked(&self, queue: &str) -> Value {
        eventually("a parked task", async || {
            (self.depth(queue).await > 0).then_some(())
        })
        .await;
        let receive = self
            .sqs()
            .await
            .receive_message()
            .queue_url(self.queue_url(queue))
            .visibility_timeout(0);
        let message = receive.send().await.unwrap().messages.unwrap().remove(0);
        serde_json::from_str(message.body.as_deref().unwrap()).unwrap()
    }

    /// Waits until no execution runs and no message waits anywhere.
    pub(crate) async fn settle(&self) {
        let mut seen = String::new();
        eventually("quiet", async || {
            let executions = self.executions().await;
            let mut moving: Vec<String> = executions
                .iter()
                .filter(|e| e.status == ExecutionStatus::Running)
                .map(|e| e.name.clone())
                .collect();
            let queues = self
                .sqs()
                .await
                .list_queues()
                .send()
                .await
                .unwrap()
                .queue_urls
                .unwrap_or_default();
            for queue in queues.iter().map(|url| url.rsplit('/').next().unwrap()) {
                let depth = self.depth(queue).await;
                if depth > 0 {
                    moving.push(format!("{depth} in {queue}"));
                }
            }
            // For whoever wants to know what kept it from being quiet.
            if seen != moving.join(", ") {
                seen = moving.join(", ");
                eprintln!("moving: {seen}");
            }
            (!executions.is_empty() && moving.is_empty()).then_some(())
        })
        .await;
    }

    /// The warehouse, read beside the running installation.
    fn warehouse(&self) -> Warehouse {
        let url = format!("sqlite:{}", self.data_dir().join("warehouse.db").display());
        Warehouse::open(&url, 1).unwrap()
    }

    /// The shop's own books.
    pub(crate) async fn books(&self) -> Balance {
        let warehouse = self.warehouse();
        let mut balances = shop::report::balances(&warehouse).await.unwrap();
        warehouse.close().await;
        assert_eq!(balances.len(), 1);
        balances.remove(0)
    }

    /// Every call to the factory of the open reorders.
    pub(crate) async fn attempts(&self) -> Vec<Attempt> {
        let warehouse = self.warehouse();
        let mut attempts = Vec::new();
        for reorder in shop::reorder::list_open(&warehouse).await.unwrap() {
            attempts.extend(
                shop::attempt::list(&warehouse, &reorder.reorder_id)
                    .await
                    .unwrap(),
            );
        }
        warehouse.close().await;
        attempts
    }

    /// Every invariant of the books holds.
    pub(crate) async fn assert_books(&self) -> Balance {
        let books = self.books().await;
        assert_eq!(books.broken(), Vec::<String>::new());
        books
    }
}

//! `restock up` as a child process: started on free ports, found through its ready file, ended with the demo.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use serde::Deserialize;
use thiserror::Error;
use tokio::process::Command;
use tokio::time::{Instant, sleep};

const PATIENCE: Duration = Duration::from_secs(60);

/// Long enough to be seen waiting, short enough for a demo.
const FACTORY_DELAY_MS: &str = "1000";

/// A running installation of our own.
pub(crate) struct Child {
    process: tokio::process::Child,
    folder: PathBuf,
    warehouse_url: String,
    customers_url: String,
    ready: Ready,
}

#[derive(Debug, Deserialize)]
struct Ready {
    pid: u32,
    api: String,
    aws: String,
    factory: String,
    marketing: String,
}

/// Settings of whoever runs the demo are not the demo's.
pub(super) fn without_settings(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        if name.as_encoded_bytes().starts_with(b"RESTOCK_") {
            command.env_remove(name);
        }
    }
}

#[derive(Debug, Error)]
pub(crate) enum ChildError {
    #[error("could not start restock up: {0}")]
    Start(#[from] io::Error),
    #[error("restock up ended at its start ({status}). Its log is {}", log.display())]
    Ended { status: ExitStatus, log: PathBuf },
    #[error("restock up was not ready after {} seconds. Its log is {}", PATIENCE.as_secs(), log.display())]
    NotReady { log: PathBuf },
    #[error("restock up wrote a ready file that cannot be read: {0}")]
    ReadyFile(#[from] serde_json::Error),
}

impl Child {
    /// Starts it and waits until it listens. Its log goes to `up.log` in `folder`.
    /// The databases are SQLite files there unless their URLs are given.
    pub(crate) async fn start(
        folder: &Path,
        database_url: Option<&str>,
        customers_url: Option<&str>,
    ) -> Result<Child, ChildError> {
        std::fs::create_dir_all(folder)?;
        let ready_file = folder.join("ready.json");
        let log = folder.join("up.log");
        // Of an earlier start in the same folder.
        if ready_file.exists() {
            std::fs::remove_file(&ready_file)?;
        }
        let mut command = Command::new(std::env::current_exe()?);
        without_settings(&mut command);
        let mut process = command
            .args(["up", "--api", "127.0.0.1:0", "--aws", "127.0.0.1:0"])
            .args(["--console", "127.0.0.1:0"])
            .args(["--factory-delay-ms", FACTORY_DELAY_MS, "--data-dir"])
            .arg(folder.join("data"))
            .arg("--ready-file")
            .arg(&ready_file)
            // By the environment: arguments can be read by every user of the machine.
            .envs(database_url.map(|url| ("RESTOCK_DATABASE_URL", url)))
            .envs(customers_url.map(|url| ("RESTOCK_CUSTOMERS_URL", url)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&log)?)
            .kill_on_drop(true)
            .spawn()?;
        let deadline = Instant::now() + PATIENCE;
        while !ready_file.exists() {
            if let Some(status) = process.try_wait()? {
                return Err(ChildError::Ended { status, log });
            }
            if Instant::now() > deadline {
                return Err(ChildError::NotReady { log });
            }
            // Another process's file: there is nothing to be notified by.
            sleep(Duration::from_millis(20)).await;
        }
        let ready = serde_json::from_slice(&std::fs::read(&ready_file)?)?;
        let sqlite = |name: &str| format!("sqlite:{}", folder.join("data").join(name).display());
        let or_sqlite =
            |url: Option<&str>, name: &str| url.map_or_else(|| sqlite(name), str::to_owned);
        Ok(Child {
            process,
            folder: folder.to_owned(),
            warehouse_url: or_sqlite(database_url, "warehouse.db"),
            customers_url: or_sqlite(customers_url, "customers.db"),
            ready,
        })
    }

    /// The number of its process.
    pub(crate) fn pid(&self) -> u32 {
        self.ready.pid
    }

    /// Base URL of the Sales API.
    pub(crate) fn api(&self) -> &str {
        &self.ready.api
    }

    /// URL of the AWS endpoint.
    pub(crate) fn aws(&self) -> &str {
        &self.ready.aws
    }

    /// Base URL of the simulated factory.
    pub(crate) fn factory(&self) -> &str {
        &self.ready.factory
    }

    /// Base URL of the simulated marketing system.
    pub(crate) fn marketing(&self) -> &str {
        &self.ready.marketing
    }

    /// URL of the customers database; secret.
    pub(crate) fn customers_url(&self) -> &str {
        &self.customers_url
    }

    /// URL of the warehouse database; secret.
    pub(crate) fn warehouse_url(&self) -> &str {
        &self.warehouse_url
    }

    pub(crate) fn log(&self) -> String {
        self.folder.join("up.log").display().to_string()
    }

    /// Ends it with SIGKILL.
    pub(crate) async fn stop(mut self) -> Result<(), ChildError> {
        self.process.kill().await?;
        Ok(())
    }
}

//! Runs a verb of the binary and gives what it said.

use std::process::{Command, Stdio};

use serde_json::Value;

use crate::harness::{Factory, Up, eventually};

/// What a verb said.
#[derive(Debug)]
pub(crate) struct Said {
    pub ok: bool,
    pub stdout: String,
    pub stderr: String,
}

impl Said {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// It worked.
    pub(crate) fn done(self) -> Said {
        assert!(self.ok, "{self:?}");
        self
    }

    /// It was refused, with this in its words.
    pub(crate) fn refused(self, part: &str) -> Said {
        assert!(!self.ok && self.stderr.contains(part), "{self:?}");
        self
    }
}

/// Runs `restock …` against the installation, without a terminal.
pub(crate) fn restock(up: &Up, args: &[&str]) -> Said {
    let output = Command::new(env!("CARGO_BIN_EXE_restock"))
        .args(args)
        .env_clear()
        .env("RESTOCK_ENDPOINT_URL", up.aws())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    Said {
        ok: output.status.success(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// An installation whose first order to the factory is refused, and the task that is parked for it.
pub(crate) async fn with_a_parked_task() -> (Factory, Up, Value) {
    let factory = Factory::start(&["--fault", "reject", "--fault-count", "1"]).await;
    let up = Up::start_with(&["--factory-url", &factory.url]).await;
    let (_, refused) = up.buy(2_000).await;
    assert_eq!(refused["outcome"], "refused");
    let parked = parked(&up).await;
    (factory, up, parked)
}

/// Waits for the only parked task whose message is in its queue.
pub(crate) async fn parked(up: &Up) -> Value {
    eventually("a parked task", async || {
        let parked = restock(up, &["dlq", "list", "--json"]).done().json();
        let one = parked.as_array().unwrap().first()?.clone();
        let queue = format!("{}_dlq", one["task"].as_str().unwrap());
        (up.depth(&queue).await > 0).then_some(one)
    })
    .await
}

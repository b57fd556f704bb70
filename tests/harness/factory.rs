//! A factory beside the installation under test.

use serde_json::Value;

use super::{Process, eventually, free_port, restock};

/// A simulated factory of its own, with the given flags.
pub(crate) struct Factory {
    _process: Process,
    _folder: tempfile::TempDir,
    pub url: String,
}

impl Factory {
    pub(crate) async fn start(flags: &[&str]) -> Factory {
        let folder = tempfile::tempdir().unwrap();
        let listen = format!("127.0.0.1:{}", free_port());
        let orders = folder.path().join("orders");
        let mut args = vec![
            "factory",
            "--listen",
            &listen,
            "--orders",
            orders.to_str().unwrap(),
        ];
        if !flags.contains(&"--delay-ms") {
            args.extend(["--delay-ms", "200"]);
        }
        args.extend(flags);
        let process = restock(&args, &folder.path().join("factory.log"));
        let url = format!("http://{listen}");
        let http = reqwest::Client::new();
        eventually("the factory", async || {
            http.get(format!("{url}/api/manufactures"))
                .send()
                .await
                .ok()
        })
        .await;
        Factory {
            _process: process,
            _folder: folder,
            url,
        }
    }

    /// What it is yet to deliver.
    pub(crate) async fn orders(&self) -> Vec<Value> {
        let url = format!("{}/api/manufactures", self.url);
        let answer = reqwest::get(url).await.unwrap();
        let body: Value = answer.json().await.unwrap();
        body["orders"].as_array().unwrap().clone()
    }
}

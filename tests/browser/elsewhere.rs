//! Reading, over an endpoint of Step Functions that is not ours: the console is an ordinary client.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use aws_sdk_sfn::types::ExecutionStatus;

use crate::browser::{Browser, Screen, told};
use crate::harness::eventually;

const MACHINE: &str = r#"{"StartAt":"Look","States":{
    "Look":{"Type":"Pass","Next":"Choose"},
    "Choose":{"Type":"Choice","Choices":[{"Variable":"$.fail","BooleanEquals":true,"Next":"Broken"}],"Default":"Fine"},
    "Fine":{"Type":"Succeed"},
    "Broken":{"Type":"Fail","Error":"Factory.Broken","Cause":"the oven is cold"}}}"#;

/// `restock console` over the endpoint.
struct Console {
    process: Child,
    url: String,
}

impl Drop for Console {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Console {
    fn start(endpoint: &str) -> Console {
        let process = Command::new(env!("CARGO_BIN_EXE_restock"))
            .args([
                "console",
                "--endpoint-url",
                endpoint,
                "--console",
                "127.0.0.1:0",
            ])
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // From here on it is ended, whatever happens.
        let mut console = Console {
            process,
            url: String::new(),
        };
        let mut said = String::new();
        let lines = BufReader::new(console.process.stderr.take().unwrap()).lines();
        for line in lines.map_while(Result::ok) {
            if let Some((_, url)) = line.split_once("the console is at ") {
                console.url = url.trim().to_owned();
                return console;
            }
            said += &line;
        }
        panic!("the console did not start: {said}");
    }
}

#[tokio::test]
async fn executions_of_another_endpoint_are_browsed_filtered_and_opened() {
    let endpoint = told("RESTOCK_TEST_ENDPOINT");
    let config = aws_config::defaults(BehaviorVersion::latest())
        .endpoint_url(&endpoint)
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .load()
        .await;
    let sfn = aws_sdk_sfn::Client::new(&config);
    let made = sfn
        .create_state_machine()
        .name(format!("oven-{}", std::process::id()))
        .role_arn("arn:aws:iam::000000000000:role/any")
        .definition(MACHINE)
        .send()
        .await
        .unwrap();
    let mut failed = String::new();
    for (name, input) in [
        ("baked", r#"{"fail":false}"#),
        ("burnt", r#"{"fail":true}"#),
    ] {
        let started = sfn
            .start_execution()
            .state_machine_arn(&made.state_machine_arn)
            .name(name)
            .input(input)
            .send()
            .await
            .unwrap();
        failed = started.execution_arn;
    }
    eventually("the end of the execution", async || {
        let told = sfn
            .describe_execution()
            .execution_arn(&failed)
            .send()
            .await
            .unwrap();
        (told.status == ExecutionStatus::Failed).then_some(())
    })
    .await;

    let console = Console::start(&endpoint);
    let browser = Browser::open(&console.url).await;
    browser.go("/executions").await;
    browser.sees("baked").await;
    browser.sees("burnt").await;
    browser.go("/executions?status=FAILED").await;
    browser.sees("burnt").await;
    assert!(!browser.text().await.contains("baked"));
    browser.click_css("tbody tr[data-row] a").await;
    browser.sees("the oven is cold").await;
    browser.sees("Choose").await;
    browser.check_accessible(Screen::Light).await;
    for (path, part) in [
        ("/queues", "Nothing is parked"),
        ("/callbacks", "Nothing waits"),
        ("/mail", "keeps no mail"),
        ("/shop", "has no shop database"),
        ("/audit", "no data directory"),
    ] {
        browser.go(path).await;
        browser.sees(part).await;
    }
    browser.close().await;
}

//! Executions: listed, shown, started, stopped, redriven, forked; and `reset`.

use aws_sdk_sfn::types::ExecutionStatus;
use serde_json::{Value, json};

use crate::harness::{Up, eventually};
use crate::verb::{restock, with_a_parked_task};

/// A machine with a variable, a failure that depends on the input, and a state nothing else leads back to.
const MACHINE: &str = r#"{"QueryLanguage":"JSONata","StartAt":"Count","States":{
    "Count":{"Type":"Pass","Assign":{"count":"{% $states.input.n + 1 %}"},"Next":"Check"},
    "Check":{"Type":"Choice","Choices":[{"Condition":"{% $states.input.ok %}","Next":"Good"}],"Default":"Bad"},
    "Good":{"Type":"Succeed","Output":{"count":"{% $count %}"}},
    "Bad":{"Type":"Fail","Error":"Input.Bad","Cause":"ok is false"}}}"#;

async fn with_a_failed_execution() -> (Up, String) {
    let up = Up::start().await;
    let create = up
        .sfn()
        .await
        .create_state_machine()
        .name("small")
        .definition(MACHINE);
    create
        .role_arn("arn:aws:iam::000000000000:role/small")
        .send()
        .await
        .unwrap();
    let started = restock(
        &up,
        &[
            "executions",
            "start",
            "small",
            "--name",
            "one",
            "--input",
            r#"{"n":1,"ok":false}"#,
        ],
    );
    let arn = started.done().stdout.trim().to_owned();
    ended(&up, &arn, ExecutionStatus::Failed).await;
    (up, arn)
}

async fn ended(up: &Up, arn: &str, status: ExecutionStatus) -> Option<String> {
    let answer = eventually("the end of the execution", async || {
        let answer = up
            .sfn()
            .await
            .describe_execution()
            .execution_arn(arn)
            .send()
            .await
            .unwrap();
        (answer.status != ExecutionStatus::Running).then_some(answer)
    })
    .await;
    assert_eq!(answer.status, status);
    answer.output
}

fn names(list: &Value) -> Vec<&str> {
    list.as_array()
        .unwrap()
        .iter()
        .map(|e| e["name"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn executions_are_listed_and_shown() {
    let (up, arn) = with_a_failed_execution().await;
    for (args, expected) in [
        (vec![], vec!["one"]),
        (vec!["--machine", "small"], vec!["one"]),
        (vec!["--machine", "reorder"], vec![]),
        (vec!["--status", "failed,timed-out"], vec!["one"]),
        (vec!["--status", "RUNNING"], vec![]),
        (vec!["--since", "1h"], vec!["one"]),
        (vec!["--since", "2999-01-01T00:00:00Z"], vec![]),
        (vec!["--product", "CP-1"], vec![]),
        (vec!["--limit", "0"], vec![]),
    ] {
        let all: Vec<&str> = ["executions", "list", "--json"]
            .into_iter()
            .chain(args.iter().copied())
            .collect();
        assert_eq!(
            names(&restock(&up, &all).done().json()),
            expected,
            "{args:?}"
        );
    }
    let shown = restock(&up, &["executions", "show", "one", "--json"])
        .done()
        .json();
    assert_eq!(shown["arn"], arn);
    assert_eq!(
        (&shown["status"], &shown["error"]),
        (&json!("FAILED"), &json!("Input.Bad"))
    );
    let states = shown["states"].as_array().unwrap();
    let outcomes: Vec<_> = states
        .iter()
        .map(|s| (s["state"].as_str().unwrap(), s["outcome"].as_str().unwrap()))
        .collect();
    assert_eq!(
        outcomes,
        [
            ("Count", "succeeded"),
            ("Check", "succeeded"),
            ("Bad", "failed")
        ]
    );
    let text = restock(&up, &["executions", "show", &arn]).done().stdout;
    assert!(text.contains("Input.Bad: ok is false"), "{text}");
    let history = restock(&up, &["executions", "history", "one", "--json"])
        .done()
        .json();
    assert_eq!(history[1]["type"], "PassStateEntered");
    assert_eq!(history[2]["assigned"], json!({ "count": 2 }));
    restock(&up, &["executions", "show", "nothing"])
        .refused("no state machine has an execution named nothing");
}

#[tokio::test]
async fn a_fork_starts_in_the_middle_with_its_variables() {
    let (up, arn) = with_a_failed_execution().await;
    restock(
        &up,
        &["executions", "fork", "one", "--from", "Nowhere", "--yes"],
    )
    .refused("no such state");
    restock(&up, &["executions", "fork", "one", "--from", "Check"]).refused("--yes");
    let args = [
        "executions",
        "fork",
        "one",
        "--from",
        "Check",
        "--input",
        r#"{"n":1,"ok":true}"#,
        "--yes",
    ];
    let forked = restock(&up, &args).done();
    assert!(
        forked.stderr.contains("-  \"ok\": false") && forked.stderr.contains("+  \"ok\": true"),
        "{forked:?}"
    );
    let fork = forked.stdout.trim();
    assert_eq!(
        ended(&up, fork, ExecutionStatus::Succeeded)
            .await
            .as_deref(),
        Some(r#"{"count":2}"#)
    );

    // Linked to its origin.
    let machine = up
        .sfn()
        .await
        .describe_state_machine_for_execution()
        .execution_arn(fork)
        .send()
        .await
        .unwrap();
    assert!(
        machine.name.starts_with("small-fork-") && machine.definition.contains(&arn),
        "{machine:?}"
    );
    assert!(
        !machine.definition.contains("\"Count\""),
        "what is not reached is dropped"
    );
    let tags = up
        .sfn()
        .await
        .list_tags_for_resource()
        .resource_arn(machine.state_machine_arn)
        .send()
        .await
        .unwrap();
    let tags = tags.tags.unwrap();
    assert!(
        tags.iter()
            .any(|t| t.key() == Some("restock:fork-of") && t.value() == Some(arn.as_str())),
        "{tags:?}"
    );
}

#[tokio::test]
async fn executions_are_stopped_and_redriven() {
    let (_factory, up, parked) = with_a_parked_task().await;
    let execution = parked["execution"].as_str().unwrap();
    let arn = parked["execution_arn"].as_str().unwrap();
    restock(
        &up,
        &[
            "executions",
            "stop",
            execution,
            "--error",
            "Operator.Test",
            "--dry-run",
        ],
    )
    .done();
    restock(
        &up,
        &["executions", "stop", execution, "--error", "Operator.Test"],
    )
    .done();
    ended(&up, arn, ExecutionStatus::Aborted).await;
    restock(&up, &["executions", "stop", execution]).refused("has ended already: ABORTED");

    restock(&up, &["executions", "redrive", "--all"]).refused("--yes");
    let plan = restock(&up, &["executions", "redrive", execution, "--dry-run"])
        .done()
        .stderr;
    assert!(plan.contains("again  ParkFactory"), "{plan}");
    restock(
        &up,
        &[
            "executions",
            "redrive",
            "--all",
            "--status",
            "ABORTED",
            "--yes",
        ],
    )
    .done();
    // It is parked again, with a new token and a second message; the first one is stale.
    eventually("the second message", async || {
        (up.depth("request_factory_dlq").await == 2).then_some(())
    })
    .await;
    let shown = restock(&up, &["executions", "show", execution])
        .done()
        .stdout;
    assert!(
        shown.contains("Redriven 1") && shown.contains("RequestFactory is parked"),
        "{shown}"
    );
    restock(&up, &["dlq", "replay", execution]).done();
    assert_eq!(
        up.depth("request_factory_dlq").await,
        0,
        "the stale message goes too"
    );
    ended(&up, arn, ExecutionStatus::Succeeded).await;
    up.assert_books().await;
    restock(&up, &["executions", "redrive", execution]).refused("redriv");
}

#[tokio::test]
async fn a_reset_empties_what_nobody_uses() {
    let mut up = Up::start().await;
    let data = up.data_dir();
    let data = data.to_str().unwrap();
    restock(&up, &["reset", "--data-dir", data, "--yes"]).refused("in use");
    up.kill();
    restock(&up, &["reset", "--data-dir", data]).refused("--yes");
    restock(&up, &["reset", "--data-dir", data, "--yes"]).done();
    assert!(!up.data_dir().join("engine.db").exists());
    let elsewhere = tempfile::tempdir().unwrap();
    std::fs::write(elsewhere.path().join("precious"), "").unwrap();
    restock(
        &up,
        &[
            "reset",
            "--data-dir",
            elsewhere.path().to_str().unwrap(),
            "--yes",
        ],
    )
    .refused("does not look like");
    assert!(elsewhere.path().join("precious").exists());
    up.restart().await;
    assert!(up.executions().await.is_empty());
}

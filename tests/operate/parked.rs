//! Parked tasks: found, shown, replayed, discarded, and their messages cleared.

use aws_sdk_sfn::types::ExecutionStatus;
use serde_json::json;

use crate::harness::{SKU, Up, eventually};
use crate::verb::{restock, with_a_parked_task};

const QUEUE: &str = "request_factory_dlq";

async fn send_to_queue(up: &Up, body: &str) {
    let send = up.sqs().await.send_message().queue_url(up.queue_url(QUEUE));
    send.message_body(body).send().await.unwrap();
}

#[tokio::test]
async fn a_parked_task_is_listed_shown_and_replayed() {
    let (_factory, up, parked) = with_a_parked_task().await;
    let execution = parked["execution"].as_str().unwrap();
    for (member, expected) in [
        ("state_machine", json!("reorder")),
        ("task", json!("request_factory")),
        ("state", json!("RequestFactory")),
        ("error", json!("Factory.Rejected")),
        ("product", json!(SKU)),
        ("parked_in", json!("ParkFactory")),
        ("retries", json!(0)),
    ] {
        assert_eq!(parked[member], expected, "{member}");
    }
    assert!(
        parked.get("token").is_none(),
        "whoever has the token can answer it"
    );

    // Filters.
    for (args, expected) in [
        (vec!["--task", "request_factory"], 1),
        (vec!["--task", "check_stock"], 0),
        (vec!["--state", "RequestFactory"], 1),
        (vec!["--state", "CheckStock"], 0),
        (vec!["--product", SKU], 1),
        (vec!["--product", "CP-0"], 0),
        (vec!["--machine", "reorder"], 1),
    ] {
        let all: Vec<&str> = ["dlq", "list", "--json"]
            .into_iter()
            .chain(args.iter().copied())
            .collect();
        assert_eq!(
            restock(&up, &all).done().json().as_array().unwrap().len(),
            expected,
            "{args:?}"
        );
    }
    restock(&up, &["dlq", "list", "--machine", "nothing"]).refused("There are");

    // Tables are plain text where no terminal is.
    let table = restock(&up, &["dlq", "list"]).done().stdout;
    assert!(
        table.contains(execution) && !table.contains('\u{1b}'),
        "{table}"
    );
    let shown = restock(&up, &["dlq", "show", execution]).done().stdout;
    assert!(
        shown.contains("Factory.Rejected") && shown.contains("restock dlq replay"),
        "{shown}"
    );
    assert_eq!(up.depth(QUEUE).await, 1, "looking takes nothing away");

    // What would happen, and what may not.
    let plan = restock(&up, &["dlq", "replay", execution, "--dry-run"])
        .done()
        .stderr;
    assert!(
        plan.contains("again  RequestFactory") && plan.contains("lambda:invoke request_factory"),
        "{plan}"
    );
    assert!(!plan.contains("CheckStock"), "{plan}");
    restock(&up, &["dlq", "replay", execution, "--state", "CheckStock"]).refused("another scope");
    restock(&up, &["dlq", "replay", execution, "--state", "Nowhere"]).refused("no such state");
    restock(&up, &["dlq", "replay", execution, "--input", "{"]).refused("not JSON");
    restock(&up, &["dlq", "replay", "--all"]).refused("--yes");
    assert_eq!(
        restock(&up, &["dlq", "list", "--json"])
            .done()
            .json()
            .as_array()
            .unwrap()
            .len(),
        1
    );

    restock(&up, &["dlq", "replay", execution]).done();
    assert_eq!(up.depth(QUEUE).await, 0, "the message is cleared");
    assert_eq!(up.ended_reorder().await.status, ExecutionStatus::Succeeded);
    assert_eq!(up.assert_books().await.items_arrived, 2_000);
    restock(&up, &["dlq", "replay", execution]).refused("no parked task");
}

#[tokio::test]
async fn a_discard_fails_the_execution_with_the_original_error() {
    let (_factory, up, parked) = with_a_parked_task().await;
    let execution = parked["execution"].as_str().unwrap();
    restock(
        &up,
        &["dlq", "discard", execution, "--reason", "we buy elsewhere"],
    )
    .done();
    assert_eq!(up.ended_reorder().await.status, ExecutionStatus::Failed);
    assert_eq!(up.depth(QUEUE).await, 0);
    let shown = restock(&up, &["executions", "show", execution, "--json"])
        .done()
        .json();
    assert_eq!(shown["error"], "Factory.Rejected");
    assert!(
        shown["cause"]
            .as_str()
            .unwrap()
            .ends_with("(discarded: we buy elsewhere)"),
        "{shown}"
    );
}

#[tokio::test]
async fn all_parked_tasks_are_replayed_and_only_dead_messages_go_with_them() {
    let (_factory, up, parked) = with_a_parked_task().await;
    let execution = parked["execution"].as_str().unwrap();
    // A message whose token nobody waits for, and one that is none of ours.
    let stale = json!({ "token": "nobody waits for this", "failed": { "state": "RequestFactory", "input": {} } });
    send_to_queue(&up, &stale.to_string()).await;
    send_to_queue(&up, "somebody else's").await;
    let edited =
        json!({ "reorder_id": parked["input"]["reorder_id"], "product_id": SKU, "note": "edited" });
    restock(
        &up,
        &[
            "dlq",
            "replay",
            "--all",
            "--yes",
            "--task",
            "request_factory",
            "--input",
            &edited.to_string(),
        ],
    )
    .done();
    assert_eq!(up.ended_reorder().await.status, ExecutionStatus::Succeeded);
    assert_eq!(up.depth(QUEUE).await, 1, "what is not ours stays");
    let received = up
        .sqs()
        .await
        .receive_message()
        .queue_url(up.queue_url(QUEUE))
        .send()
        .await
        .unwrap();
    assert_eq!(
        received.messages.unwrap()[0].body.as_deref(),
        Some("somebody else's"),
        "and is visible at once"
    );

    // The state ran again with the edited input.
    let history = [
        "executions",
        "history",
        execution,
        "--state",
        "RequestFactory",
        "--json",
    ];
    let history = restock(&up, &history).done().json();
    let inputs: Vec<_> = history
        .as_array()
        .unwrap()
        .iter()
        .filter(|e| e["type"] == "TaskStateEntered")
        .collect();
    assert_eq!(inputs.len(), 2);
    assert_eq!(inputs[1]["input"], edited);
}

/// Two branches that park at once; each goes on at its own state.
const TWO: &str = r#"{"QueryLanguage":"JSONata","StartAt":"Both","States":{"Both":{"Type":"Parallel","End":true,"Branches":[
    {"StartAt":"ParkA","States":{"ParkA":PARK_A,"ResumeA":{"Type":"Choice","Choices":[{"Condition":"{% $states.input.state = 'A' %}","Next":"A"}],"Default":"ParkA"},"A":{"Type":"Pass","End":true}}},
    {"StartAt":"ParkB","States":{"ParkB":PARK_B,"ResumeB":{"Type":"Choice","Choices":[{"Condition":"{% $states.input.state = 'B' %}","Next":"B"}],"Default":"ParkB"},"B":{"Type":"Pass","End":true}}}]}}}"#;

/// `ParkX`, as if state X had failed.
fn park(up: &Up, name: &str, task: &str) -> String {
    let park = json!({
        "Type": "Task",
        "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
        "Arguments": {
            "QueueUrl": up.queue_url(&format!("{task}_dlq")),
            "MessageBody": {
                "token": "{% $states.context.Task.Token %}",
                "failed": { "state": name, "input": { "of": name }, "error": "Test.Failed", "cause": "" },
            },
        },
        "Next": format!("Resume{name}"),
    });
    park.to_string()
}

#[tokio::test]
async fn two_parked_tasks_of_one_execution_are_told_apart() {
    let up = Up::start().await;
    let text = TWO
        .replace("PARK_A", &park(&up, "A", "check_stock"))
        .replace("PARK_B", &park(&up, "B", "increase_stock"));
    let create = up
        .sfn()
        .await
        .create_state_machine()
        .name("two")
        .definition(text);
    create
        .role_arn("arn:aws:iam::000000000000:role/two")
        .send()
        .await
        .unwrap();
    let arn = restock(&up, &["executions", "start", "two", "--name", "both"])
        .done()
        .stdout
        .trim()
        .to_owned();
    let list = || restock(&up, &["dlq", "list", "--json"]).done().json();
    eventually("both messages", async || {
        let sent = up.depth("check_stock_dlq").await + up.depth("increase_stock_dlq").await;
        (sent == 2 && list().as_array().unwrap().len() == 2).then_some(())
    })
    .await;
    restock(&up, &["dlq", "replay", "both"])
        .refused("choose one with --task: check_stock (A), increase_stock (B)");
    restock(
        &up,
        &[
            "dlq",
            "replay",
            "both",
            "--task",
            "check_stock",
            "--state",
            "B",
        ],
    )
    .refused("another scope");
    restock(&up, &["dlq", "replay", "both", "--task", "check_stock"]).done();
    assert_eq!(list()[0]["state"], "B", "the other one is still parked");
    assert_eq!(up.depth("increase_stock_dlq").await, 1);
    restock(&up, &["dlq", "replay", "both", "--state", "B"]).done();
    let ended = eventually("the end", async || {
        let answer = up
            .sfn()
            .await
            .describe_execution()
            .execution_arn(&arn)
            .send()
            .await
            .unwrap();
        (answer.status != ExecutionStatus::Running).then_some(answer)
    })
    .await;
    assert_eq!(ended.status, ExecutionStatus::Succeeded);
    let output: serde_json::Value = serde_json::from_str(ended.output.as_deref().unwrap()).unwrap();
    assert_eq!(output[0]["input"], json!({ "of": "A" }));
    assert_eq!(output[1]["input"], json!({ "of": "B" }));
}

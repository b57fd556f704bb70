//! `RedriveExecution`, with queues as the tasks' other side: a message carries its task's token.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_sfn::error::ProvideErrorMetadata as _;
use aws_sdk_sfn::operation::describe_execution::DescribeExecutionOutput;
use aws_sdk_sfn::types::{ExecutionRedriveStatus, ExecutionStatus};
use engine::{ManualClock, Settings};
use serde_json::{Value, json};

use crate::support::{Fixture, PASS, WAIT};

/// A task that sends its name and token to the queue of its input.
fn ask(name: &str) -> Value {
    json!({"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
        "Arguments": {"QueueUrl": "{% $states.context.Execution.Input %}",
            "MessageBody": {"state": name, "token": "{% $states.context.Task.Token %}"}},
        "End": true})
}

/// A state before the one that asks, which is tried twice.
fn twice() -> Value {
    let mut ask = ask("Ask");
    ask["Retry"] = json!([{"ErrorEquals": ["Busy"], "IntervalSeconds": 5, "MaxAttempts": 1}]);
    json!({"StartAt": "Before", "QueryLanguage": "JSONata", "States": {
        "Before": {"Type": "Pass", "Next": "Ask"}, "Ask": ask}})
}

fn branches() -> Value {
    let branch = |name: &str| json!({"StartAt": name, "States": {name: ask(name)}});
    json!({"StartAt": "Both", "QueryLanguage": "JSONata", "States": {"Both": {"Type": "Parallel", "End": true,
        "Branches": [branch("Done"), branch("Broken"), branch("Waiting")]}}})
}

struct Asked {
    state: String,
    token: String,
}

/// An execution of a definition that asks, and the queue it asks in.
struct Asking {
    fixture: Fixture,
    clock: ManualClock,
    execution: String,
    queue: String,
}

impl Asking {
    async fn start(definition: &Value) -> Asking {
        let clock = ManualClock::new(1_700_000_000_000);
        let fixture = Fixture::start_with(settings(&clock)).await;
        let made = fixture.sqs().await.create_queue().queue_name("asked");
        let queue = made.send().await.unwrap().queue_url.unwrap();
        let machine = fixture.machine("m", &definition.to_string()).await;
        let execution = fixture.execution(&machine, &format!("\"{queue}\"")).await;
        Asking {
            fixture,
            clock,
            execution,
            queue,
        }
    }

    async fn restart(self) -> Asking {
        let fixture = self.fixture.restart_with(settings(&self.clock)).await;
        Asking { fixture, ..self }
    }

    fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// The next question.
    async fn asked(&self) -> Asked {
        let sqs = self.fixture.sqs().await;
        // The port changes when the server starts again.
        let name = self.queue.rsplit('/').next().unwrap();
        let queue = sqs.get_queue_url().queue_name(name).send().await.unwrap();
        let queue = queue.queue_url.unwrap();
        let received = sqs.receive_message().queue_url(&queue);
        let received = received.wait_time_seconds(20).send().await.unwrap();
        let message = received.messages.unwrap().remove(0);
        let deleted = sqs.delete_message().queue_url(&queue);
        let handle = message.receipt_handle.unwrap();
        deleted.receipt_handle(handle).send().await.unwrap();
        let body: Value = serde_json::from_str(&message.body.unwrap()).unwrap();
        let text = |member: &str| body[member].as_str().unwrap().to_owned();
        Asked {
            state: text("state"),
            token: text("token"),
        }
    }

    /// Questions that come in any order, by state.
    async fn asked_in(&self, states: &[&str]) -> Vec<Asked> {
        let mut asked = Vec::new();
        for _ in states {
            asked.push(self.asked().await);
        }
        asked.sort_by(|a, b| a.state.cmp(&b.state));
        let names: Vec<&str> = asked.iter().map(|asked| &*asked.state).collect();
        assert_eq!(names, states);
        asked
    }

    async fn succeed(&self, asked: &Asked) {
        let client = &self.fixture.client;
        let sent = client.send_task_success().task_token(&asked.token);
        let output = json!(asked.state).to_string();
        sent.output(output).send().await.unwrap();
    }

    async fn fail(&self, asked: &Asked, error: &str) {
        let client = &self.fixture.client;
        let sent = client.send_task_failure().task_token(&asked.token);
        sent.error(error).send().await.unwrap();
    }

    async fn redrive(&self) {
        let request = self.fixture.client.redrive_execution();
        let request = request.execution_arn(&self.execution);
        request.send().await.unwrap();
    }

    async fn ends(&mut self, status: ExecutionStatus) {
        let ended = self.fixture.end_of(&self.execution).await;
        assert_eq!(ended, status);
    }

    /// The names of the events and what they say of a state, after the first redrive if there was one.
    async fn events(&self) -> Vec<String> {
        let request = self.fixture.client.get_execution_history();
        let request = request.execution_arn(&self.execution);
        let events = request.send().await.unwrap().events;
        let last = events
            .iter()
            .rposition(|event| event.r#type.as_str() == "ExecutionRedriven");
        let name = |event: &aws_sdk_sfn::types::HistoryEvent| event.r#type.as_str().to_owned();
        events[last.unwrap_or_default()..]
            .iter()
            .map(name)
            .collect()
    }
}

async fn describe(fixture: &Fixture, execution: &str) -> DescribeExecutionOutput {
    let request = fixture.client.describe_execution();
    request.execution_arn(execution).send().await.unwrap()
}

#[tokio::test]
async fn a_failed_task_is_done_again_with_its_retries_at_zero() {
    let mut asking = Asking::start(&twice()).await;
    for _ in 0..2 {
        let asked = asking.asked().await;
        asking.fail(&asked, "Busy").await;
        asking.pass(5);
    }
    asking.ends(ExecutionStatus::Failed).await;
    let failed = describe(&asking.fixture, &asking.execution).await;
    assert_eq!(failed.redrive_count, Some(0));
    assert_eq!(
        failed.redrive_status,
        Some(ExecutionRedriveStatus::Redrivable)
    );

    // Also in another process than the one that saw it fail.
    let asking = asking.restart().await;
    let request = asking.fixture.client.redrive_execution();
    let redriven = request
        .execution_arn(&asking.execution)
        .send()
        .await
        .unwrap();
    let running = describe(&asking.fixture, &asking.execution).await;
    assert_eq!(running.status, ExecutionStatus::Running);
    assert_eq!(
        (running.redrive_count, running.redrive_date),
        (Some(1), Some(redriven.redrive_date))
    );
    assert_eq!(
        (running.stop_date, running.error, running.start_date),
        (None, None, failed.start_date)
    );
    assert_eq!(
        running.redrive_status_reason.as_deref(),
        Some("Execution is RUNNING and cannot be redriven")
    );

    // One failure is tried again, as at first.
    let asked = asking.asked().await;
    asking.fail(&asked, "Busy").await;
    asking.pass(5);
    let mut asking = asking.restart().await;
    let asked = asking.asked().await;
    asking.succeed(&asked).await;
    asking.ends(ExecutionStatus::Succeeded).await;
    assert_eq!(
        asking.events().await,
        [
            "ExecutionRedriven",
            "TaskScheduled",
            "TaskStarted",
            "TaskSubmitted",
            "TaskFailed",
            "TaskScheduled",
            "TaskStarted",
            "TaskSubmitted",
            "TaskSucceeded",
            "TaskStateExited",
            "ExecutionSucceeded"
        ]
    );
    let request = asking.fixture.client.list_executions();
    let listed = request.state_machine_arn(running.state_machine_arn);
    let listed = listed.send().await.unwrap().executions.remove(0);
    assert_eq!(
        (listed.redrive_count, listed.redrive_date),
        (Some(1), Some(redriven.redrive_date))
    );
}

#[tokio::test]
async fn finished_branches_are_kept_and_the_others_run_again() {
    let mut asking = Asking::start(&branches()).await;
    let first = asking.asked_in(&["Broken", "Done", "Waiting"]).await;
    asking.succeed(&first[1]).await;
    asking.fail(&first[0], "Broken").await;
    asking.ends(ExecutionStatus::Failed).await;

    asking.redrive().await;
    let second = asking.asked_in(&["Broken", "Waiting"]).await;
    // What waited before waits no more: its token is of the branch that was aborted.
    let stale = asking.fixture.client.send_task_success();
    let stale = stale.task_token(&first[2].token).output("{}").send().await;
    assert_eq!(stale.unwrap_err().code(), Some("TaskTimedOut"));
    for asked in &second {
        asking.succeed(asked).await;
    }
    asking.ends(ExecutionStatus::Succeeded).await;
    let described = describe(&asking.fixture, &asking.execution).await;
    assert_eq!(
        described.output.as_deref(),
        Some(r#"["Done","Broken","Waiting"]"#)
    );
}

#[tokio::test]
async fn a_stopped_execution_is_redriven() {
    let mut asking = Asking::start(&twice()).await;
    let first = asking.asked().await;
    let stop = asking.fixture.client.stop_execution();
    stop.execution_arn(&asking.execution).send().await.unwrap();
    asking.ends(ExecutionStatus::Aborted).await;
    asking.redrive().await;
    let second = asking.asked().await;
    assert_ne!(first.token, second.token);
    asking.succeed(&second).await;
    asking.ends(ExecutionStatus::Succeeded).await;
}

#[tokio::test]
async fn an_execution_that_timed_out_is_redriven_with_all_its_time() {
    let mut definition = twice();
    definition["TimeoutSeconds"] = json!(60);
    let mut asking = Asking::start(&definition).await;
    asking.asked().await;
    asking.pass(60);
    asking.ends(ExecutionStatus::TimedOut).await;
    asking.redrive().await;
    let asked = asking.asked().await;
    asking.pass(59);
    asking.succeed(&asked).await;
    asking.ends(ExecutionStatus::Succeeded).await;
}

fn settings(clock: &ManualClock) -> Settings {
    Settings {
        clock: Arc::new(clock.clone()),
        ..Settings::default()
    }
}

/// Asks for a redrive; the error's code and message.
async fn refusal(fixture: &Fixture, execution: &str) -> (String, String) {
    let request = fixture.client.redrive_execution();
    let error = request.execution_arn(execution).send().await.unwrap_err();
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    (text(error.code()), text(error.message()))
}

async fn check_not_redrivable(fixture: &Fixture, execution: &str, reason: &str) {
    let expected = ("ExecutionNotRedrivable".to_owned(), reason.to_owned());
    assert_eq!(refusal(fixture, execution).await, expected);
    let described = describe(fixture, execution).await;
    assert_eq!(
        (
            described.redrive_status,
            described.redrive_status_reason.as_deref()
        ),
        (Some(ExecutionRedriveStatus::NotRedrivable), Some(reason))
    );
    assert_eq!(described.redrive_count, Some(0));
}

#[tokio::test]
async fn what_cannot_be_redriven_is_refused_with_the_reason_that_it_shows() {
    let clock = ManualClock::new(1_700_000_000_000);
    let mut fixture = Fixture::start_with(settings(&clock)).await;
    let wait = fixture.machine("wait", WAIT).await;
    let running = fixture.execution(&wait, "{}").await;
    check_not_redrivable(
        &fixture,
        &running,
        "Execution is RUNNING and cannot be redriven",
    )
    .await;
    let pass = fixture.machine("pass", PASS).await;
    let succeeded = fixture.execution(&pass, "{}").await;
    fixture.end_of(&succeeded).await;
    check_not_redrivable(
        &fixture,
        &succeeded,
        "Execution is SUCCEEDED and cannot be redriven",
    )
    .await;

    let stop = async |execution: &str| {
        let request = fixture.client.stop_execution().execution_arn(execution);
        request.send().await.unwrap();
    };
    stop(&running).await;
    clock.advance(Duration::from_secs(14 * 86_400));
    let described = describe(&fixture, &running).await;
    assert_eq!(
        described.redrive_status,
        Some(ExecutionRedriveStatus::Redrivable)
    );
    clock.advance(Duration::from_millis(1));
    check_not_redrivable(&fixture, &running, "Execution redrivable period exceeded").await;

    let of_the_deleted = fixture.execution(&wait, "{}").await;
    stop(&of_the_deleted).await;
    let delete = fixture.client.delete_state_machine();
    delete.state_machine_arn(&wait).send().await.unwrap();
    check_not_redrivable(
        &fixture,
        &of_the_deleted,
        "State machine is in DELETING status",
    )
    .await;
    // One of the same name that came after it is another one.
    fixture.machine("wait", WAIT).await;
    check_not_redrivable(
        &fixture,
        &of_the_deleted,
        "State machine is in DELETING status",
    )
    .await;
}

#[tokio::test]
async fn a_history_at_its_limit_is_not_redriven() {
    let fixture = Fixture::start().await;
    let definition = r#"{"StartAt":"A","States":{"A":{"Type":"Pass","Next":"A"}}}"#;
    let machine = fixture.machine("endless", definition).await;
    let mut fixture = fixture;
    let execution = fixture.execution(&machine, "{}").await;
    assert_eq!(fixture.end_of(&execution).await, ExecutionStatus::Failed);
    check_not_redrivable(
        &fixture,
        &execution,
        "Execution history event limit exceeded",
    )
    .await;
}

#[tokio::test]
async fn arns_that_name_no_execution_are_refused() {
    let fixture = Fixture::start().await;
    let machine = fixture.machine("pass", PASS).await;
    let none = machine.replace("stateMachine", "execution") + ":none";
    let cases = [
        (
            none.as_str(),
            "ExecutionDoesNotExist",
            format!("Execution Does Not Exist: '{none}'"),
        ),
        (
            machine.as_str(),
            "InvalidArn",
            "Invalid Arn: 'Resource type not valid in this context: stateMachine'".to_owned(),
        ),
        (
            "nonsense",
            "InvalidArn",
            "Invalid Arn: 'Invalid ARN prefix: nonsense'".to_owned(),
        ),
    ];
    for (arn, code, message) in cases {
        assert_eq!(refusal(&fixture, arn).await, (code.to_owned(), message));
    }
    for (token, constraint) in [
        ("a b", "satisfy regular expression pattern: [!-~]+"),
        (&"t".repeat(65), "have length less than or equal to 64"),
    ] {
        let body = json!({"executionArn": none, "clientToken": token}).to_string();
        let (_, answer) = fixture.raw("RedriveExecution", &body).await;
        let message = answer["message"].as_str().unwrap();
        let expected = format!(
            "1 validation error detected: Value '{token}' at 'clientToken' failed to satisfy constraint: Member must {constraint}"
        );
        assert_eq!(message, expected);
    }
}

#[tokio::test]
async fn a_client_token_redrives_once() {
    let clock = ManualClock::new(1_700_000_000_000);
    let settings = settings(&clock);
    let mut fixture = Fixture::start_with(settings.clone()).await;
    let definition = r#"{"StartAt":"A","States":{"A":{"Type":"Fail","Error":"Again"}}}"#;
    let machine = fixture.machine("fail", definition).await;
    let execution = fixture.execution(&machine, "{}").await;
    fixture.end_of(&execution).await;
    // Each step: minutes that pass before it, the token, which redrive the answer is of.
    let steps = [
        (1, "a", 1),
        (1, "a", 1),
        (1, "b", 2),
        (1, "a", 1),
        (1, "b", 2),
        (9, "a", 1),
        (2, "a", 3),
        (0, "b", 2),
        (1, "b", 2),
        (1, "b", 4),
        (1, "a", 3),
    ];
    let mut dates = vec![None];
    for (minutes, token, redrive) in steps {
        clock.advance(Duration::from_secs(60 * minutes));
        fixture = fixture.restart_with(settings.clone()).await;
        let request = fixture.client.redrive_execution().client_token(token);
        let answer = request.execution_arn(&execution).send().await.unwrap();
        fixture.end_of(&execution).await;
        let described = describe(&fixture, &execution).await;
        if dates.len() == redrive {
            dates.push(Some(answer.redrive_date));
            assert_eq!(described.redrive_date, Some(answer.redrive_date));
        }
        assert_eq!(Some(answer.redrive_date), dates[redrive], "{token}");
        assert_eq!(described.redrive_count, Some(dates.len() as i32 - 1));
    }
}
